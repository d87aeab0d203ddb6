/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/eap/realms.c - files of keys/ -> what realms need for EAP.
 *
 * Thread: the only one, before confinement.
 */
#include "secure-proc/eap/realms.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "secure-proc/files/file.h"

#define WHO	     "keys"
#define PASSWORD_MAX 1024	/* bytes of a password file; ours */
#define WHY_MAX	     200
#define CA_FILES_MAX 16		/* whose authorities are shown to clients; ours */

struct sec_eaps {
	unsigned n_realm;
	struct sec_eap_realm *realm;
};

struct loading {
	const struct conf_realm *r;
	struct sec_eap_realm *to;
	int dir_fd;
	uid_t uid;
};

static bool
asks(const struct conf_realm *r)
{
	return r->eap.method != NULL;
}

static bool
is_asked(const struct conf_realm *r)
{
	return r->me.eap != NULL;
}

static int
complain(const struct loading *l, const char *file, const char *why)
{
	char shown[2 * CONF_FILE_MAX];

	str_escape(shown, sizeof(shown), file, strlen(file));
	log_error(WHO, "realm %s: %s %s", l->r->name, shown, why);
	return ERR_KEYFILE;
}

/* ---- methods ----------------------------------------------------------------- */

static int
method_add(const struct loading *l, const char *name)
{
	const struct spi_eap *m = spi_eap_named(name);
	int err = m == NULL ? ERR_UNSUP : 0;

	if (err == 0 && m->init != NULL)
		err = m->init();
	if (err != 0) {
		log_error(WHO, "realm %s: EAP method %s is not possible with "
			  "this OpenSSL (MD4 and DES are shut off in FIPS "
			  "mode)", l->r->name, name);
		return ERR_UNSUP;
	}
	if (l->to->n_method < SEC_EAP_METHODS)
		l->to->method[l->to->n_method++] = m;
	return 0;
}

/* ---- TLS --------------------------------------------------------------------- */

/* The first of the names that is there. */
static int
key_read(const struct loading *l, uint8_t **bytes, size_t *len)
{
	char name[CONF_FILE_MAX], why[WHY_MAX] = "";
	int err = ERR_NOTFOUND;

	for (unsigned i = 0; err == ERR_NOTFOUND &&
	     conf_key_file(&l->r->me, i, name); i++)
		err = sec_file_secret(l->dir_fd, name, l->uid, SEC_SECRET_MAX,
				      bytes, len, why, sizeof(why));
	if (err == ERR_KEYFILE)
		return complain(l, name, why);
	if (err == ERR_NOTFOUND)
		return complain(l, l->r->me.cert, "has no private key in a "
				"file: EAP-TLS needs one");
	return err;
}

static int
cert_read(const struct loading *l, uint8_t **bytes, size_t *len)
{
	char name[CONF_FILE_MAX], why[WHY_MAX] = "";
	int err = ERR_NOTFOUND;

	for (unsigned i = 0; err == ERR_NOTFOUND &&
	     conf_cert_file(l->r->me.cert, i, name); i++)
		err = sec_file_public(l->dir_fd, name, l->uid, bytes, len, why,
				      sizeof(why));
	if (err == ERR_KEYFILE)
		return complain(l, name, why);
	return err == ERR_NOTFOUND ? complain(l, l->r->me.cert,
	    "is not there: cert= names it") : err;
}

/* Whom a server believes, as a hint for clients.  What a file lacks is said where it
 * is read to be believed. */
static unsigned
cas_read(const struct loading *l, uint8_t *bytes[CA_FILES_MAX],
	 struct view file[CA_FILES_MAX])
{
	const char *list = l->to->is_server ? l->r->eap.ca : NULL;
	char name[CONF_FILE_MAX], why[WHY_MAX];
	unsigned n = 0;
	size_t len;

	while (list != NULL && n < CA_FILES_MAX &&
	       conf_file_next(&list, name, sizeof(name)))
		if (sec_file_public(l->dir_fd, name, l->uid, &bytes[n], &len,
				    why, sizeof(why)) == 0) {
			file[n] = (struct view){ bytes[n], len };
			n++;
		}
	return n;
}

static int
tls_load(const struct loading *l)
{
	uint8_t *cert = NULL, *key = NULL, *ca[CA_FILES_MAX];
	struct view file[CA_FILES_MAX];
	char why[SPI_EAP_WHY_MAX] = "";
	struct spi_eap_tls_conf c = {
		.is_server = l->to->is_server,
		.is_12_permitted = l->to->is_server ? l->r->eap.tls12 : true,
	};
	size_t n_cert = 0, n_key = 0;
	int err = 0;

	c.anchor = file;
	c.n_anchor = cas_read(l, ca, file);
	if (l->r->me.cert != NULL && (err = cert_read(l, &cert, &n_cert)) == 0)
		err = key_read(l, &key, &n_key);
	if (err == 0) {
		c.chain = (struct view){ cert, n_cert };
		c.key = (struct view){ key, n_key };
		err = spi_eap_tls_new(&c, &l->to->tls, why);
	}
	for (unsigned i = 0; i < c.n_anchor; i++)
		free(ca[i]);
	free(cert);
	secret_free(key);
	return err == 0 || why[0] == '\0' ? err :
	    complain(l, l->r->me.cert != NULL ? l->r->me.cert : "TLS", why);
}

/* ---- what is secret ---------------------------------------------------------- */

static int
users_load(const struct loading *l)
{
	const char *name = l->r->eap.users;
	char why[WHY_MAX] = "";
	uint8_t *bytes;
	size_t len;
	int err;

	err = sec_file_secret(l->dir_fd, name, l->uid, SEC_SECRET_MAX, &bytes,
			      &len, why, sizeof(why));
	if (err == ERR_NOTFOUND)
		return complain(l, name, "is not there: users= of <eap> names "
				"it; \"tapir user add\" makes it");
	if (err == 0)
		err = sec_users_parse(bytes, len, &l->to->users, why,
				      sizeof(why));
	return err == ERR_KEYFILE ? complain(l, name, why) : err;
}

/* Without a file the password is not there, which is said when it is needed. */
static int
password_load(const struct loading *l)
{
	char name[CONF_FILE_MAX], why[WHY_MAX] = "";
	uint8_t *bytes;
	size_t len;
	int err;

	str_copy(name, sizeof(name), l->r->me.eap);
	str_add(name, sizeof(name), ".eap");
	if (!sec_name_is_plain(name))
		return complain(l, name, "cannot be the name of a file with "
				"the password");
	err = sec_file_secret(l->dir_fd, name, l->uid, PASSWORD_MAX, &bytes,
			      &len, why, sizeof(why));
	if (err == ERR_NOTFOUND)
		return 0;
	if (err != 0)
		return err == ERR_KEYFILE ? complain(l, name, why) : err;
	if (len > 0 && bytes[len - 1] == '\n')
		len--;
	if (len == 0) {
		secret_free(bytes);
		return complain(l, name, "is empty");
	}
	l->to->password = bytes;
	l->to->password_len = len;
	return 0;
}

/* ---- realms ------------------------------------------------------------------ */

static int
client_load(struct loading *l)
{
	int err;

	l->to->has_cert = l->r->me.cert != NULL;
	if (l->to->has_cert && (err = method_add(l, "tls")) != 0)
		return err;
	if ((err = tls_load(l)) != 0 || (err = password_load(l)) != 0)
		return err;
	/* TLS first; who has no password takes nothing else */
	if (l->to->has_cert && l->to->password == NULL)
		return 0;
	if ((err = method_add(l, "ttls")) != 0 ||
	    (err = method_add(l, "peap")) != 0)
		return err;
	return method_add(l, "mschapv2");
}

static int
server_load(struct loading *l)
{
	const char *p = l->r->eap.method;
	char word[32];
	int err;

	if (conf_eap_is_relay(&l->r->eap)) {
		l->to->is_relay = true;
		return 0;
	}
	while (conf_word_next(&p, word, sizeof(word))) {
		if ((err = method_add(l, word)) != 0)
			return err;
		if (strcmp(word, "tls") == 0 && (err = tls_load(l)) != 0)
			return err;
	}
	return l->r->eap.users != NULL ? users_load(l) : 0;
}

bool
sec_eaps_is_needed(const struct conf *c)
{
	for (unsigned i = 0; i < c->n_realm; i++)
		if (asks(&c->realm[i]) || is_asked(&c->realm[i]))
			return true;
	return false;
}

int
sec_eaps_load(struct sec_eaps **out, const struct conf *c, const char *dir,
	      uid_t uid)
{
	struct sec_eaps *e = calloc(1, sizeof(*e));
	struct loading l = { .uid = uid };
	int err, first = 0;

	if (e == NULL)
		return ERR_NOMEM;
	e->n_realm = c->n_realm;
	if ((e->realm = calloc(c->n_realm + 1u, sizeof(*e->realm))) == NULL) {
		sec_eaps_free(e);
		return ERR_NOMEM;
	}
	for (unsigned i = 0; i < c->n_realm; i++) {
		l.r = &c->realm[i];
		l.to = &e->realm[i];
		l.to->is_server = asks(l.r);
		if (!asks(l.r) && !is_asked(l.r))
			continue;
		err = ERR_KEYFILE;
		if ((l.dir_fd = sec_realm_dir_open(dir, l.r)) >= 0) {
			err = asks(l.r) ? server_load(&l) : client_load(&l);
			close(l.dir_fd);
		}
		if (err != 0 && first == 0)
			first = err;
	}
	if (first != 0) {
		sec_eaps_free(e);
		return first;
	}
	*out = e;
	return 0;
}

void
sec_eaps_free(struct sec_eaps *e)
{
	if (e == NULL)
		return;
	for (unsigned i = 0; i < e->n_realm && e->realm != NULL; i++) {
		sec_users_free(e->realm[i].users);
		spi_eap_tls_free(e->realm[i].tls);
		secret_free(e->realm[i].password);
	}
	free(e->realm);
	free(e);
}

const struct sec_eap_realm *
sec_eaps_of(const struct sec_eaps *e, uint32_t realm)
{
	const struct sec_eap_realm *r =
	    e != NULL && realm < e->n_realm ? &e->realm[realm] : NULL;

	return r != NULL && (r->n_method > 0 || r->is_relay) ? r : NULL;
}
