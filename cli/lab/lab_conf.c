/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/lab/lab_conf.c - configurations of the lab's gateways.
 *
 * Both are what an administrator would write: the realm's minimal form, and
 * for strongSwan a swanctl.conf with ESP in user space (kernel-libipsec), so
 * that it runs where the kernel has no ESP.  charon sees gw-b/run as /run.
 */
#include "cli/lab/lab_conf.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/lab/lab.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"

#define TEXT_MAX 4096

static const char strongswan_conf[] =
    "charon {\n"
    "  load = random nonce openssl pem pkcs1 x509 revocation constraints pubkey "
    "gmp curve25519 chapoly aes sha1 sha2 hmac gcm kdf kernel-libipsec "
    "kernel-netlink socket-default vici updown\n"
    "  install_virtual_ip = no\n"
    "  filelog {\n    log {\n      path = /run/charon.log\n      default = 1\n"
    "      flush_line = yes\n    }\n  }\n"
    "  plugins {\n    vici {\n      socket = unix:///run/charon.vici\n"
    "    }\n  }\n"
    "}\n";

static const char swanctl_conf[] =
    "connections {\n"
    "  tokyo {\n"
    "    version = 2\n    local_addrs = 192.0.2.2\n"
    "    remote_addrs = %s\n"
    "    proposals = %s\n"
    "    local {\n      auth = psk\n      id = osaka\n    }\n"
    "    remote {\n      auth = psk\n      id = tokyo\n    }\n"
    "    children {\n      office {\n"
    "        local_ts = %s\n"
    "        remote_ts = 10.1.0.0/24,fd00:1::/64\n"
    "        esp_proposals = %s\n"
    "        start_action = %s\n      }\n    }\n"
    "  }\n"
    "}\n"
    "secrets {\n  ike-office {\n    id-a = tokyo\n    id-b = osaka\n"
    "    secret = \"%s\"\n  }\n}\n";

int
lab_write(const char *dir, const char *name, const char *text)
{
	size_t len = strlen(text), at = 0;
	char path[512];
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >=
	    sizeof(path))
		return ERR_SYS;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		  0600);
	if (fd < 0)
		return ERR_SYS;
	while (at < len) {
		ssize_t n = write(fd, text + at, len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	return close(fd) == 0 && at == len ? 0 : ERR_SYS;
}

static int
make_dir(const char *dir, const char *name)
{
	char path[512];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >=
	    sizeof(path))
		return ERR_SYS;
	return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : ERR_SYS;
}

/* What stands there unless a side says otherwise. */
static const char *
or_else(const char *text, const char *usual)
{
	return text != NULL ? text : usual;
}

static int
conf_write(const char *dir, unsigned flags, bool is_a, const char *psk,
	   const struct lab_side *s)
{
	bool is_ip = (flags & TOPO_IP) != 0;
	const char *at = or_else(s->at, is_a ? "192.0.2.2" : "");
	const char *net = or_else(s->net, !is_ip ? "" : is_a ?
	    "local=\"10.1.0.0/24 fd00:1::/64\" "
	    "remote=\"10.2.0.0/24 fd00:2::/64\"" :
	    "local=\"10.2.0.0/24 fd00:2::/64\" "
	    "remote=\"10.1.0.0/24 fd00:1::/64\"");
	char text[TEXT_MAX];
	int err;

	snprintf(text, sizeof(text),
		 "<vpn log=\"info\" %s>\n"
		 "  <realm name=\"branches\" %s>\n"
		 "    <me %s %s/>\n%s"
		 "    <peer %s%s%s%s %s/>\n%s%s%s"
		 "  </realm>\n</vpn>\n",
		 or_else(s->vpn, ""),
		 or_else(s->realm, is_ip ? "mode=\"ip\"" : "bridge=\"br-lan\""),
		 or_else(s->me, is_a ? "id=\"tokyo\"" : "id=\"osaka\""),
		 or_else(s->own, "psk=\"branches.psk\""),
		 or_else(s->more, ""),
		 or_else(s->peer, is_a ? "id=\"osaka\"" : "id=\"tokyo\""),
		 *at != '\0' ? " at=\"" : "", at, *at != '\0' ? "\"" : "",
		 or_else(s->trust, ""), *net != '\0' ? "    <net " : "", net,
		 *net != '\0' ? "/>\n" : "");
	if ((err = make_dir(dir, "keys")) != 0 ||
	    (err = make_dir(dir, "run")) != 0 ||
	    (err = lab_write(dir, "keys/branches.psk", psk)) != 0 ||
	    (s->file != NULL && (err = lab_write(dir, s->file, s->text)) != 0))
		return err;
	return lab_write(dir, "tapir.xml", text);
}

int
lab_conf_tapir(const char *dir, unsigned flags, bool is_a, const char *psk)
{
	static const struct lab_side usual;

	return conf_write(dir, flags, is_a, psk, &usual);
}

/* The key the lab was built with: gw-a's is never another one. */
static int
psk_read(const char *lab_dir, char *psk, size_t cap)
{
	char path[512];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/gw-a/keys/branches.psk", lab_dir);
	if ((f = fopen(path, "re")) == NULL)
		return ERR_SYS;
	n = fread(psk, 1, cap - 1, f);
	psk[n] = '\0';
	fclose(f);
	return n > 0 ? 0 : ERR_SYS;
}

int
lab_conf_again(const char *lab_dir, const char *dir, unsigned flags, bool is_a,
	       const struct lab_side *side)
{
	char psk[LAB_PSK_HEX + 8];
	int err = psk_read(lab_dir, psk, sizeof(psk));

	if (err == 0)
		err = conf_write(dir, flags, is_a, or_else(side->psk, psk),
				 side);
	wipe(psk, sizeof(psk));
	return err;
}

static int
swan_write(const char *dir, const char *psk, const struct lab_swan *s)
{
	char text[TEXT_MAX];

	snprintf(text, sizeof(text), swanctl_conf,
		 s->is_dialling ? "192.0.2.1" : "%any",
		 or_else(s->ike, "aes256gcm16-prfsha384-x25519"),
		 or_else(s->ts, "10.2.0.0/24,fd00:2::/64"),
		 or_else(s->esp, "aes256gcm16"),
		 s->is_dialling ? "start" : "none", psk);
	return lab_write(dir, "swanctl.conf", text);
}

int
lab_conf_swan_again(const char *lab_dir, const char *dir,
		    const struct lab_swan *swan)
{
	char psk[LAB_PSK_HEX + 8];
	int err = psk_read(lab_dir, psk, sizeof(psk));

	if (err == 0)
		err = swan_write(dir, psk, swan);
	wipe(psk, sizeof(psk));
	return err;
}

int
lab_conf_strongswan(const char *dir, const char *psk)
{
	static const struct lab_swan usual;
	int err;

	if ((err = make_dir(dir, "run")) != 0 ||
	    (err = lab_write(dir, "run/strongswan.conf", strongswan_conf)) != 0)
		return err;
	return swan_write(dir, psk, &usual);
}
