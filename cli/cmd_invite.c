/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_invite.c - tapir invite: let somebody in, and write what the other end
 * needs.
 *
 *   another tapir:  a key of its own, a <peer> with it, an invitation
 *   a device:       a profile; the configuration stays as it is
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/cert_facts.h"
#include "cli/conf_file.h"
#include "cli/invite/b64.h"
#include "cli/invite/invite.h"
#include "cli/invite/issue.h"
#include "cli/invite/profile.h"
#include "cli/invite/result.h"
#include "cli/invite/share.h"
#include "cli/json.h"
#include "conf/role.h"
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"

#define KEY_BYTES 32	/* of a new pre-shared key: 256 bits */

struct asked {
	const char *config, *realm, *at, *as, *to, *ca, *title, *nets;
	const char *name, *me, *lan, *link;
	char *first;			/* a configuration, where there is none */
	size_t first_len;
	const struct conf *conf;
	const struct conf_realm *r;	/* of the configuration as it is */
	char keys[PATH_MAX];
};

/* ---- files ------------------------------------------------------------------------ */

/* A new key as text, unless the file is there; its text comes to out. */
static int
key_make(const char *path, uint8_t *out, size_t cap, size_t *len, bool *is_new)
{
	uint8_t key[KEY_BYTES];
	char text[B64_LEN(KEY_BYTES) + 2] = "";
	FILE *f = NULL;
	int fd, err;
	ssize_t n;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		  0600);
	*is_new = fd >= 0;
	if (fd < 0 && errno != EEXIST)
		return ERR_SYS;
	if (*is_new) {
		if ((err = rng_bytes(key, sizeof(key))) == 0 &&
		    (f = fmemopen(text, sizeof(text), "w")) != NULL) {
			b64_write(f, (struct view){ key, sizeof(key) }, 64, "");
			fclose(f);
		}
		n = *text != '\0' ? write(fd, text, strlen(text)) : -1;
		if (n != (ssize_t)strlen(text))
			err = ERR_SYS;
		wipe(key, sizeof(key));
		wipe(text, sizeof(text));
		if (close(fd) != 0 || f == NULL || err != 0) {
			(void)unlink(path);
			return ERR_SYS;
		}
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	n = fd >= 0 ? read(fd, out, cap) : -1;
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return ERR_SYS;
	*len = (size_t)n;
	return 0;
}

/* The name of the result, unless it was given: NAME with its ending. */
static int
result_name(struct cli *c, const struct asked *a, const char *ending, char *out)
{
	out[0] = '\0';
	if (a->link != NULL && a->to != NULL)
		return cli_fail(c, CLI_USAGE, "usage", NULL, "either --link or -o");
	if (a->link != NULL) {
		str_copy(out, PATH_MAX, "the invitation");
		return CLI_OK;
	}
	if (a->to != NULL) {
		str_copy(out, PATH_MAX, a->to);
		return CLI_OK;
	}
	if (!invite_name_ok(a->name))
		return cli_fail(c, CLI_USAGE, "usage", NULL, "\"%.100s\" cannot "
				"be the name of a file; give -o FILE", a->name);
	snprintf(out, PATH_MAX, "%s%s", a->name, ending);
	return CLI_OK;
}

/* ---- another tapir ---------------------------------------------------------------- */

static bool
has_word(const char *list, const char *word)
{
	char one[CONF_FILE_MAX];

	while (conf_file_next(&list, one, sizeof(one)))
		if (strcmp(one, word) == 0)
			return true;
	return false;
}

static void
side_of(const struct vpn_ts *ts, unsigned n, char *out, size_t cap)
{
	char lo[IP_TEXT_MAX];
	struct ip_net net;

	out[0] = '\0';
	for (unsigned i = 0; i < n; i++)
		if (ip_range_nets(&ts[i].lo, &ts[i].hi, &net, 1) == 1)
			str_add(out, cap, "%s%s", i > 0 ? " " : "",
				ip_net_text(&net, lo));
}

/* Does the realm ask for passwords?  A RADIUS server mostly does. */
static bool
by_password(const struct conf_realm *r)
{
	return r->eap.method != NULL && (has_word(r->eap.method, "mschapv2") ||
					 conf_eap_is_relay(&r->eap));
}

/* Else: for a certificate by EAP-TLS? */
static bool
by_tls(const struct conf_realm *r)
{
	return r->eap.method != NULL && !by_password(r) &&
	    has_word(r->eap.method, "tls");
}

/* Would somebody of this name, who is asked by EAP, get into the realm? */
static int
admitted_by_eap(struct cli *c, const struct asked *a)
{
	const enum conf_id_kind kind = conf_id_type(a->name);
	const struct view v = { (const uint8_t *)a->name, strlen(a->name) };
	const struct conf_who who = {
		.peer = { .kind = kind, .id = v }, .is_eap = true, .eap = v,
	};
	struct conf_picked got;

	if (conf_role_pick(a->conf, &who, &got) == 0 && got.role.realm == a->r &&
	    got.role.peer != NULL)
		return CLI_OK;
	return cli_fail(c, CLI_FAILED, "rules", "tapir realm test NAME --eap NAME "
			"shows the rules", "%s would not get into realm %s",
			a->name, a->r->name);
}

/* With a certificate of ours by EAP-TLS? */
static int
admitted_by_tls(struct cli *c, const struct asked *a)
{
	const char *ca = a->r->eap.ca;
	int status = admitted_by_eap(c, a);

	if (status != CLI_OK || (ca != NULL && has_word(ca, "ca.pem")))
		return status;
	return cli_fail(c, CLI_FAILED, "certificate", "tapir ca makes one called "
			"ca.pem", "<eap> of realm %s believes no authority of "
			"ours", a->r->name);
}

/* Would somebody of this name, with a certificate for it, get into the realm? */
static int
admitted(struct cli *c, const struct asked *a)
{
	const enum conf_id_kind kind = conf_id_type(a->name);
	const struct view v = { (const uint8_t *)a->name, strlen(a->name) };
	const struct conf_altname name = { kind == CONF_ID_EMAIL, v };
	struct conf_rdn subject = { .key = "CN" };
	const struct conf_who who = {
		.peer = { .kind = kind, .id = v }, .has_cert = true,
		.n_subject = 1, .subject = &subject, .n_name = 1, .name = &name,
	};
	struct conf_picked got;

	if (by_tls(a->r))
		return admitted_by_tls(c, a);
	str_copy(subject.value, sizeof(subject.value), a->name);
	if (kind != CONF_ID_EMAIL && kind != CONF_ID_FQDN)
		return cli_fail(c, CLI_FAILED, "name", NULL, "a certificate is for "
				"a host name or user@host");
	if (conf_role_pick(a->conf, &who, &got) != 0 || got.role.realm != a->r ||
	    got.role.peer == NULL)
		return cli_fail(c, CLI_FAILED, "rules", "tapir realm test NAME "
				"shows the rules", "%s would not get into realm "
				"%s", a->name, a->r->name);
	if (got.role.peer->auth != CONF_AUTH_CERT || got.role.peer->ca == NULL ||
	    !has_word(got.role.peer->ca, "ca.pem"))
		return cli_fail(c, CLI_FAILED, "certificate", "tapir ca makes one "
				"called ca.pem", "peer %s of realm %s believes no "
				"authority of ours", got.role.peer->name,
				a->r->name);
	return CLI_OK;
}

/* What they see as local is remote to us. */
static void
invite_fill(const struct asked *a, struct invite *in)
{
	const struct conf_realm *r = a->r;

	str_copy(in->realm, sizeof(in->realm), r->name);
	str_copy(in->me, sizeof(in->me), a->name);
	str_copy(in->peer, sizeof(in->peer), r->me.id);
	str_copy(in->at, sizeof(in->at), a->at != NULL ? a->at : r->me.id);
	if (r->mode == VPN_MODE_IP)
		str_copy(in->mode, sizeof(in->mode), "ip");
	else if (r->mode == VPN_MODE_GRE)
		str_copy(in->mode, sizeof(in->mode), "gre");
	if (r->pool != NULL)
		str_copy(in->local, sizeof(in->local), "dynamic");
	else
		side_of(r->net.remote, r->net.n_remote, in->local,
			sizeof(in->local));
	side_of(r->net.local, r->net.n_local, in->remote, sizeof(in->remote));
}

static int
invite_check(struct cli *c, const struct asked *a)
{
	const struct conf_realm *r = a->r;
	const struct conf_peer *p = conf_peer_find(r, a->name);

	if (!invite_name_ok(a->name))
		return cli_fail(c, CLI_FAILED, "name", NULL, "the name of another "
				"tapir is of letters, digits and . _ - @ +");
	if (r->me.id == NULL || (r->me.cert == NULL && r->me.key != NULL))
		return cli_fail(c, CLI_FAILED, "certificate", NULL, "realm %s has "
				"no id= in <me>, or a bare key", r->name);
	if (p != NULL && p->at != NULL)
		return cli_fail(c, CLI_FAILED, "exists", NULL, "%s is a peer that "
				"is dialled; an invitation is for one that dials "
				"us", a->name);
	if (a->at == NULL && strchr(r->me.id, '.') == NULL &&
	    strchr(r->me.id, ':') == NULL)
		return cli_fail(c, CLI_USAGE, "usage", "--at HOST: a name or "
				"address of this machine", "where shall it "
				"dial us? \"%.60s\" is no host name", r->me.id);
	return CLI_OK;
}

/* The file of the key of a peer: INVITE_NAME_MAX + 1 bytes. */
static int
key_name(struct cli *c, const char *realm, const char *name, char *out)
{
	int n = snprintf(out, INVITE_NAME_MAX + 1, "%s-%s.psk", realm, name);

	if (n > 0 && n <= INVITE_NAME_MAX && invite_name_ok(out))
		return CLI_OK;
	return cli_fail(c, CLI_FAILED, "name", NULL, "the names of realm and peer "
			"are too long, or make no file name");
}

/* The <peer> with its key: into the configuration, or a first one. */
static int
peer_write(struct cli *c, const struct asked *a, const char *file)
{
	char where[512];

	if (a->first == NULL) {
		snprintf(where, sizeof(where), "%s/%s/psk", a->r->name, a->name);
		return conf_file_set(c, a->config, where, file);
	}
	if (conf_file_replace(a->config, a->first, a->first_len, 0644) == 0)
		return CLI_OK;
	return cli_fail(c, CLI_FAILED, "write", "run the command as root",
			"cannot write %.200s: %s", a->config, strerror(errno));
}

/* There is no configuration: one with this peer, and room for its key. */
static int
first_make(struct cli *c, struct asked *a)
{
	char host[CONF_ID_MAX + 1] = "", file[INVITE_NAME_MAX + 1], dir[PATH_MAX];
	struct invite *in;
	int status;
	FILE *f;

	if (a->me == NULL && gethostname(host, sizeof(host) - 1) == 0)
		a->me = host;
	if (a->realm == NULL)
		a->realm = "branches";
	if ((status = key_name(c, a->realm, a->name, file)) != CLI_OK)
		return status;
	conf_key_dir(a->config, dir, sizeof(dir));
	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return cli_fail(c, CLI_FAILED, "write", "run the command as root",
				"cannot make %.200s: %s", dir, strerror(errno));
	f = open_memstream(&a->first, &a->first_len);
	if (f == NULL || (in = calloc(1, sizeof(*in))) == NULL) {
		if (f != NULL)
			fclose(f);
		return cli_fail(c, CLI_FAILED, "memory", NULL, "out of memory");
	}
	str_copy(in->realm, sizeof(in->realm), a->realm);
	str_copy(in->me, sizeof(in->me), a->name);
	str_copy(in->peer, sizeof(in->peer), a->me);
	invite_first(f, in, a->lan, file);
	free(in);
	return fclose(f) == 0 ? CLI_OK : cli_fail(c, CLI_FAILED, "memory", NULL,
						  "out of memory");
}

/* The authority of the gateway's certificate: --ca, or ours if it is of it.  path
 * has PATH_MAX + 8 bytes; "" when devices are to know it already. */
static void
authority(const struct asked *a, char *path)
{
	*path = '\0';
	if (a->ca != NULL)
		snprintf(path, PATH_MAX + 8, "%s", a->ca);
	else if (issue_is_ours(a->keys, a->r->me.cert))
		snprintf(path, PATH_MAX + 8, "%s/ca.pem", a->keys);
}

static void
add_file(struct invite *in, const char *name, bool is_secret, const char *text,
	 size_t len)
{
	struct invite_file *f = &in->file[in->n_file++];

	str_copy(f->name, sizeof(f->name), name);
	f->is_secret = is_secret;
	f->len = MIN(len, sizeof(f->data));
	memcpy(f->data, text, f->len);
}

static int
add_path(struct cli *c, struct invite *in, const char *name, const char *path)
{
	struct invite_file *x = &in->file[in->n_file];
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return cli_fail(c, CLI_FAILED, "file", NULL, "cannot read %.200s: "
				"%s", path, strerror(errno));
	str_copy(x->name, sizeof(x->name), name);
	x->len = fread(x->data, 1, sizeof(x->data), f);
	fclose(f);
	if (x->len == 0 || x->len == sizeof(x->data))
		return cli_fail(c, CLI_FAILED, "file", NULL, "%.200s is empty or "
				"too long", path);
	in->n_file++;
	return CLI_OK;
}

/* A realm that asks for passwords: nothing secret is in the invitation. */
static int
invite_eap(struct cli *c, const struct asked *a)
{
	char path[PATH_MAX + 8], ca[CONF_NAME_MAX + 8];
	struct result r = {
		.type = "application/octet-stream", .is_sealed = true,
		.link = a->link,
	};
	struct invite *in = calloc(1, sizeof(*in));
	int status;

	authority(a, path);
	snprintf(ca, sizeof(ca), "%s-ca.pem", a->r->name);
	if (in == NULL)
		return cli_fail(c, CLI_FAILED, "memory", NULL, "out of memory");
	if (*path == '\0')
		status = cli_fail(c, CLI_FAILED, "certificate", NULL, "--ca FILE: "
				  "the authority of %.100s", a->r->me.cert);
	else if ((status = admitted_by_eap(c, a)) == CLI_OK &&
		 (status = add_path(c, in, ca, path)) == CLI_OK &&
		 (status = result_name(c, a, ".invite", r.to)) == CLI_OK &&
		 (status = result_open(c, &r)) == CLI_OK) {
		invite_fill(a, in);
		in->auth = INVITE_EAP;
		in->local[0] = in->remote[0] = '\0';	/* the gateway says it */
		invite_write(r.f, in);
		status = result_close(c, &r, NULL);
	}
	if (status == CLI_OK && !c->is_json && a->link == NULL)
		fprintf(c->err, "There: tapir join FILE, which asks for the "
			"password\n");
	free(in);
	return status;
}

/* Key and certificate of who comes, and the authority of the gateway: by EAP-TLS that
 * may be another than ours. */
static int
cert_put(struct cli *c, const struct asked *a, const struct issued *s,
	 struct invite *in)
{
	char ca[CONF_NAME_MAX + 8], file[CA_NAME_MAX + 8], path[PATH_MAX + 8];

	snprintf(ca, sizeof(ca), "%s-ca.pem", a->r->name);
	snprintf(file, sizeof(file), "%s.key", a->name);
	add_file(in, file, true, s->key, s->n_key);
	snprintf(file, sizeof(file), "%s.pem", a->name);
	add_file(in, file, false, s->cert, s->n_cert);
	in->auth = INVITE_CERT;
	if (!by_tls(a->r)) {
		add_file(in, ca, false, s->ca, s->n_ca);
		return CLI_OK;
	}
	in->auth = INVITE_EAP;
	in->local[0] = in->remote[0] = '\0';	/* the gateway says it */
	authority(a, path);
	return *path != '\0' ? add_path(c, in, ca, path) :
	    cli_fail(c, CLI_FAILED, "certificate", NULL, "--ca FILE: the authority "
		     "of %.100s", a->r->me.cert);
}

/* A realm whose gateway has a certificate: one more for who comes. */
static int
invite_cert(struct cli *c, const struct asked *a)
{
	struct result r = {
		.type = "application/octet-stream", .is_sealed = true,
		.link = a->link,
	};
	struct issued *s = calloc(1, sizeof(*s));
	struct invite *in = calloc(1, sizeof(*in));
	int status = CLI_FAILED;

	if (s == NULL || in == NULL)
		status = cli_fail(c, CLI_FAILED, "memory", NULL, "out of memory");
	else if ((status = admitted(c, a)) == CLI_OK &&
		 (status = result_name(c, a, ".invite", r.to)) == CLI_OK &&
		 (status = issue_make(c, a->keys, a->name, by_tls(a->r) ? NULL :
				      a->r->me.cert, false, s)) == CLI_OK) {
		invite_fill(a, in);
		if ((status = cert_put(c, a, s, in)) == CLI_OK)
			status = result_open(c, &r);
	}
	if (status == CLI_OK) {
		invite_write(r.f, in);
		status = result_close(c, &r, NULL);
	}
	if (status == CLI_OK && !c->is_json && a->link == NULL)
		fprintf(c->err, "It holds a private key: bring it to %s by a safe "
			"way.\nThere: tapir join FILE\n", a->name);
	if (in != NULL)
		wipe(in, sizeof(*in));
	if (s != NULL)
		issue_wipe(s);
	free(in);
	free(s);
	return status;
}

static int
invite_tapir(struct cli *c, const struct asked *a)
{
	char file[INVITE_NAME_MAX + 1], path[PATH_MAX + 128];
	struct result r = {
		.type = "application/octet-stream", .is_sealed = true,
		.link = a->link,
	};
	struct invite *in = NULL;
	bool is_new = false;
	int status, err;

	if ((status = invite_check(c, a)) != CLI_OK)
		return status;
	if (by_password(a->r))
		return invite_eap(c, a);
	if (a->r->me.cert != NULL)
		return invite_cert(c, a);
	if ((status = result_name(c, a, ".invite", r.to)) != CLI_OK)
		return status;
	if ((status = key_name(c, a->r->name, a->name, file)) != CLI_OK)
		return status;
	snprintf(path, sizeof(path), "%s/%s", a->keys, file);
	if ((in = calloc(1, sizeof(*in))) == NULL)
		return cli_fail(c, CLI_FAILED, "memory", NULL, "out of memory");
	invite_fill(a, in);
	in->n_file = 1;
	in->file[0].is_secret = true;
	str_copy(in->file[0].name, sizeof(in->file[0].name), file);
	err = key_make(path, in->file[0].data, sizeof(in->file[0].data),
		       &in->file[0].len, &is_new);
	if (err != 0) {
		status = cli_fail(c, CLI_FAILED, "write", "run the command as "
				  "root", "key %.200s: %s", path,
				  strerror(errno));
		goto out;
	}
	status = peer_write(c, a, file);
	if (status != CLI_OK && is_new)
		(void)unlink(path);
	if (status != CLI_OK)
		goto out;
	if ((status = result_open(c, &r)) != CLI_OK)
		goto out;
	invite_write(r.f, in);
	status = result_close(c, &r, NULL);
	if (status == CLI_OK && !c->is_json && a->link == NULL)
		fprintf(c->err, "It holds a key: bring it to %s by a safe way.\n"
			"Here:  %s\nThere: tapir join FILE\n", a->name,
			a->first != NULL ? "systemctl start tapir" :
			"tapir reload");
out:
	wipe(in, sizeof(*in));
	free(in);
	return status;
}

/* ---- a device ---------------------------------------------------------------------- */

/* "10.1.0.0/16,fd00::/48": words of it, in place. */
static int
nets_split(struct cli *c, char *text, struct profile *p)
{
	for (char *w; (w = strsep(&text, ", ")) != NULL;) {
		if (*w == '\0')
			continue;
		if (p->n_net == PROFILE_NETS)
			return cli_fail(c, CLI_USAGE, "usage", NULL, "at most %d "
					"networks", PROFILE_NETS);
		p->net[p->n_net++] = w;
	}
	return CLI_OK;
}

/* The authority of the gateway, as the device gets it. */
static int
device_ca(struct cli *c, const char *path, struct cert_facts *ca,
	  struct profile *p)
{
	char why[160] = "";

	if (cert_facts_read(path, ca, why, sizeof(why)) != 0)
		return cli_fail(c, CLI_FAILED, "certificate", NULL, "%.200s: %s",
				path, why);
	p->ca = (struct view){ ca->der, ca->n_der };
	p->ca_name = cert_facts_attr(ca, "CN");
	return CLI_OK;
}

static int
device_write(struct cli *c, const struct asked *a, enum profile_kind kind,
	     struct profile *p, const char *pass)
{
	struct result r = { .type = profile_type(kind), .link = a->link };
	char why[160] = "";
	int status = result_name(c, a, profile_ending(kind), r.to);

	if (status != CLI_OK || (status = result_open(c, &r)) != CLI_OK)
		return status;
	if (profile_write(r.f, kind, p, why, sizeof(why)) == 0)
		return result_close(c, &r, pass);
	result_drop(c, &r);
	return cli_fail(c, CLI_FAILED, "profile", NULL, "%s", why);
}

/* Who has a certificate: made for him, with the authority. */
static int
device_cert(struct cli *c, const struct asked *a, enum profile_kind kind,
	    struct profile *p)
{
	struct issued *s = calloc(1, sizeof(*s));
	int status;

	if (s == NULL)
		return cli_fail(c, CLI_FAILED, "memory", NULL, "out of memory");
	if ((status = admitted(c, a)) == CLI_OK)
		status = issue_make(c, a->keys, a->name, a->ca == NULL &&
				    !by_tls(a->r) ? a->r->me.cert : NULL, true, s);
	if (status == CLI_OK) {
		p->auth = by_tls(a->r) ? PROFILE_TLS : PROFILE_CERT;
		p->cert_type = "ECDSA256";
		p->p12 = (struct view){ s->p12, s->n_p12 };
		status = device_write(c, a, kind, p, s->pass);
	}
	issue_wipe(s);
	free(s);
	return status;
}

static int
invite_device(struct cli *c, const struct asked *a, enum profile_kind kind)
{
	char nets[1024] = "", title[128], path[PATH_MAX + 8];
	const struct conf_me *me = &a->r->me;
	struct profile p = { .user = a->name };
	struct cert_facts *ca = NULL;
	int status;

	p.gateway = me->id != NULL ? me->id : a->at;
	p.at = a->at != NULL ? a->at : p.gateway;
	if (p.gateway == NULL)
		return cli_fail(c, CLI_USAGE, "usage", NULL, "--at HOST: the name "
				"in the gateway's certificate");
	if (me->cert == NULL)
		return cli_fail(c, CLI_FAILED, "certificate", "tapir ca issue "
				"makes one; <me cert=\"NAME\"> names it", "realm "
				"%s has no certificate; devices want one",
				a->r->name);
	if (kind == PROFILE_WINDOWS && !by_password(a->r) && !by_tls(a->r))
		return cli_fail(c, CLI_FAILED, "profile", "tapir ca export NAME: "
				"a file for certutil -importpfx", "a certificate "
				"is brought to Windows by its own tools, not by a "
				"script");
	snprintf(title, sizeof(title), "%s %.60s", a->r->name, p.gateway);
	p.title = a->title != NULL ? a->title : title;
	p.is_compat = a->r->suite == VPN_SUITE_COMPAT;
	if (a->nets != NULL && !str_copy(nets, sizeof(nets), a->nets))
		return cli_fail(c, CLI_USAGE, "usage", NULL, "--net is too long");
	if ((status = nets_split(c, nets, &p)) != CLI_OK)
		return status;
	if ((ca = calloc(1, sizeof(*ca))) == NULL)
		return cli_fail(c, CLI_FAILED, "memory", NULL, "out of memory");
	authority(a, path);
	if (*path != '\0')
		status = device_ca(c, path, ca, &p);
	if (status == CLI_OK && by_password(a->r)) {
		if ((status = admitted_by_eap(c, a)) == CLI_OK)
			status = device_write(c, a, kind, &p, NULL);
	} else if (status == CLI_OK && kind == PROFILE_WINDOWS) {
		p.auth = PROFILE_TLS;
		if ((status = admitted_by_tls(c, a)) == CLI_OK &&
		    (status = device_write(c, a, kind, &p, NULL)) == CLI_OK &&
		    !c->is_json)
			fprintf(c->err, "The certificate: tapir ca issue %s, tapir "
				"ca export %s;\nthere: certutil -user -importpfx "
				"FILE\n", a->name, a->name);
	} else if (status == CLI_OK) {
		status = device_cert(c, a, kind, &p);
	}
	free(ca);
	if (status == CLI_OK && !c->is_json && by_tls(a->r) && !a->r->eap.tls12)
		fprintf(c->err, "Most devices have TLS 1.2 only: tls12=\"yes\" in "
			"<eap> permits it\n");
	return status;
}

/* ---- the command -------------------------------------------------------------------- */

static int
realm_choose(struct cli *c, struct asked *a, const struct conf *conf)
{
	if (a->realm != NULL) {
		a->r = conf_realm_find(conf, a->realm);
		if (a->r == NULL)
			return cli_fail(c, CLI_FAILED, "not-found", NULL, "there "
					"is no realm %.60s", a->realm);
		return CLI_OK;
	}
	if (conf->n_realm != 1)
		return cli_fail(c, CLI_USAGE, "usage", "--realm R", "into which "
				"realm? there are %u", conf->n_realm);
	a->r = &conf->realm[0];
	return CLI_OK;
}

static int
invite_run(struct cli *c, struct asked *a, const struct conf *conf)
{
	char keys[PATH_MAX];
	int status = realm_choose(c, a, conf);

	a->conf = conf;
	if (status != CLI_OK)
		return status;
	conf_key_dir(a->config, keys, sizeof(keys));
	conf_realm_key_dir(keys, a->r, a->keys, sizeof(a->keys));
	if (a->as == NULL || strcmp(a->as, "tapir") == 0)
		return invite_tapir(c, a);
	for (unsigned k = 0; k < PROFILE_KINDS; k++)
		if (strcmp(a->as, profile_word(k)) == 0)
			return invite_device(c, a, k);
	return cli_fail(c, CLI_USAGE, "usage", NULL, "--as is tapir, apple, windows "
			"or android");
}

static int
with_conf(struct cli *c, struct asked *a)
{
	struct conf_errs *errs;
	struct conf *conf = NULL;
	int status;

	if (a->first == NULL) {
		status = conf_file_open(c, a->config, &conf);
	} else if ((errs = calloc(1, sizeof(*errs))) == NULL) {
		status = cli_fail(c, CLI_FAILED, "memory", NULL, "out of memory");
	} else {
		status = conf_parse(a->first, a->first_len, a->config, NULL,
				    &conf, errs) == 0 ? CLI_OK :
		    cli_fail(c, CLI_FAILED, "check", NULL, "%s", errs->n > 0 ?
			     errs->e[0].text : "out of memory");
		free(errs);
	}
	if (status == CLI_OK)
		status = invite_run(c, a, conf);
	conf_free(conf);
	return status;
}

int
cmd_invite(struct cli *c, int argc, char **argv)
{
	struct asked a = { .config = CLI_CONF, .lan = "" };
	const struct cli_opt opt[] = {
		{ 'c', "config", NULL, &a.config },
		{ 0, "realm", NULL, &a.realm }, { 0, "at", NULL, &a.at },
		{ 0, "as", NULL, &a.as }, { 'o', "out", NULL, &a.to },
		{ 0, "ca", NULL, &a.ca }, { 0, "title", NULL, &a.title },
		{ 0, "net", NULL, &a.nets }, { 0, "name", NULL, &a.me },
		{ 0, "lan", NULL, &a.lan }, { 0, "link", NULL, &a.link },
	};
	bool is_first;
	int status = CLI_OK;

	if ((argc = cli_opts(c, opt, N_OF(opt), argc, argv, 1)) < 0)
		return CLI_USAGE;
	if (argc != 1)
		return cli_fail(c, CLI_USAGE, "usage", "tapir help invite",
				"invite wants a name");
	a.name = argv[0];
	if (a.link != NULL && !share_at_ok(a.link))
		return cli_fail(c, CLI_USAGE, "usage", NULL, "--link HOST:PORT: "
				"where others reach this machine");
	is_first = access(a.config, F_OK) != 0 && errno == ENOENT &&
	    (a.as == NULL || strcmp(a.as, "tapir") == 0);
	if (!is_first && (a.me != NULL || *a.lan != '\0'))
		return cli_fail(c, CLI_USAGE, "usage", NULL, "--name and --lan are "
				"for a first configuration, and %.200s is there",
				a.config);
	if (is_first)
		status = first_make(c, &a);
	if (status == CLI_OK)
		status = with_conf(c, &a);
	free(a.first);
	return status;
}
