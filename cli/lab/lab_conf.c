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
    "    proposals = aes256gcm16-prfsha384-x25519\n"
    "    local {\n      auth = psk\n      id = osaka\n    }\n"
    "    remote {\n      auth = psk\n      id = tokyo\n    }\n"
    "    children {\n      office {\n"
    "        local_ts = 10.2.0.0/24,fd00:2::/64\n"
    "        remote_ts = 10.1.0.0/24,fd00:1::/64\n"
    "        esp_proposals = aes256gcm16\n      }\n    }\n"
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

int
lab_conf_tapir(const char *dir, unsigned flags, bool is_a, const char *psk)
{
	bool is_ip = (flags & TOPO_IP) != 0;
	const char *me = is_a ? "tokyo" : "osaka";
	char text[TEXT_MAX];
	int err;

	snprintf(text, sizeof(text),
		 "<vpn log=\"info\">\n"
		 "  <realm name=\"branches\" %s>\n"
		 "    <me id=\"%s\" psk=\"branches.psk\"/>\n"
		 "    <peer id=\"%s\"%s/>\n%s"
		 "  </realm>\n</vpn>\n",
		 is_ip ? "mode=\"ip\"" : "bridge=\"br-lan\"", me,
		 is_a ? "osaka" : "tokyo", is_a ? " at=\"192.0.2.2\"" : "",
		 !is_ip ? "" : is_a ?
		 "    <net local=\"10.1.0.0/24 fd00:1::/64\" "
		 "remote=\"10.2.0.0/24 fd00:2::/64\"/>\n" :
		 "    <net local=\"10.2.0.0/24 fd00:2::/64\" "
		 "remote=\"10.1.0.0/24 fd00:1::/64\"/>\n");
	if ((err = make_dir(dir, "keys")) != 0 ||
	    (err = make_dir(dir, "run")) != 0 ||
	    (err = lab_write(dir, "keys/branches.psk", psk)) != 0)
		return err;
	return lab_write(dir, "tapir.xml", text);
}

int
lab_conf_strongswan(const char *dir, const char *psk)
{
	char text[TEXT_MAX];
	int err;

	if ((err = make_dir(dir, "run")) != 0)
		return err;
	if ((err = lab_write(dir, "run/strongswan.conf", strongswan_conf)) != 0)
		return err;
	snprintf(text, sizeof(text), swanctl_conf, psk);
	return lab_write(dir, "swanctl.conf", text);
}
