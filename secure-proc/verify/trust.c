/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/verify/trust.c - whom the configuration believes.
 *
 * Thread: the only one.
 */
#include "secure-proc/verify/trust.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/str.h"
#include "secure-proc/files/file.h"

#define WHO	      "keys"
#define REQ_MAX	      300	/* hashes in one CERTREQ payload; ours */
#define METHOD_PSK    2		/* RFC 7296 3.8 */
#define METHOD_DIGSIG 14	/* RFC 7427 */
#define SOON_S	      (30 * 86400) /* an authority's end is announced */

struct sec_trust {
	const struct conf *conf;
	struct sec_trusted **peer;	/* [realm][peer] */
	unsigned n_crl;
	struct spi_crl *crl[SEC_CRL_MAX];
	unsigned n_change;
	unsigned n_want;
	struct sec_want want[SEC_WANT_MAX];
};

/* One file being read. */
struct loading {
	struct sec_trust *t;
	struct sec_trusted *to;
	const char *dir;	/* keys/ */
	int dir_fd;		/* of the realm */
	uid_t uid;
	bool is_pin;
};

/* ---- reading ------------------------------------------------------------------ */

static int
complain(const char *name, const char *why)
{
	char shown[CONF_FILE_MAX];

	str_escape(shown, sizeof(shown), name, strlen(name));
	log_error(WHO, "file %s %s", shown, why);
	return ERR_KEYFILE;
}

/* The end of a certificate of ours is said before it comes. */
static void
warn_of_end(const struct spi_cert *c)
{
	struct spi_cert_facts *f = calloc(1, sizeof(*f));
	int64_t left;

	if (f == NULL)
		return;
	spi_certs()->cert_facts(c, f);
	left = f->not_after - clk_wall_s();
	if (left < 0)
		log_warn(WHO, "certificate \"%s\" has expired", f->subject);
	else if (left < SOON_S)
		log_warn(WHO, "certificate \"%s\" expires in %lld days",
		    f->subject, (long long)(left / 86400));
	free(f);
}

static int
take_cert(void *ctx, struct spi_cert *c)
{
	struct loading *l = ctx;

	warn_of_end(c);
	if (l->is_pin) {
		if (l->to->pin == NULL)
			l->to->pin = c;
		else
			spi_certs()->cert_free(c);
		return 0;
	}
	for (unsigned i = 0; i < l->to->n_anchor; i++)
		if (spi_certs()->cert_same(l->to->anchor[i], c)) {
			spi_certs()->cert_free(c);
			return 0;
		}
	if (l->to->n_anchor == SEC_ANCHOR_MAX) {
		spi_certs()->cert_free(c);
		return ERR_LIMIT;
	}
	l->to->anchor[l->to->n_anchor++] = c;
	return 0;
}

static int
take_crl(void *ctx, struct spi_crl *c)
{
	struct loading *l = ctx;

	sec_trust_crl_add(l->t, c);
	return 0;
}

static int
bundle_load(struct loading *l, const char *name, const uint8_t *bytes,
	    size_t len)
{
	const struct spi_bundle_to to = {
		.ctx = l, .cert = take_cert, .crl = take_crl,
	};
	const struct view none = { NULL, 0 };
	char why[SPI_CERT_WHY_MAX] = "";
	int err;

	err = spi_certs()->bundle_read((struct view){ bytes, len }, none, &to,
	    why);
	if (err == 0 || err == ERR_NOMEM)
		return err;
	return complain(name, err == ERR_LIMIT ? "has too many authorities" :
	    why);
}

/* A file of keys/ that is no secret; *bytes is the caller's. */
static int
file_load(struct loading *l, const char *name, uint8_t **bytes, size_t *len)
{
	char why[160] = "";
	int err = sec_file_public(l->dir_fd, name, l->uid, bytes, len, why,
	    sizeof(why));

	return err == 0 || err == ERR_NOMEM ? err : complain(name, why);
}

static int
ca_load(struct loading *l, const char *name)
{
	uint8_t *bytes;
	size_t len;
	int err;

	if ((err = file_load(l, name, &bytes, &len)) != 0)
		return err;
	err = bundle_load(l, name, bytes, len);
	free(bytes);
	if (err == 0 && l->to->n_anchor == 0)
		return complain(name, "has no certificate in it");
	return err;
}

static int
cas_load(struct loading *l, const char *list)
{
	char name[CONF_FILE_MAX];
	int err = 0, first = 0;

	while (conf_file_next(&list, name, sizeof(name)))
		if ((err = ca_load(l, name)) != 0 && first == 0)
			first = err;
	return first;
}

/* The first of the names a certificate may have. */
static int
pin_load(struct loading *l, const char *cert)
{
	char name[CONF_FILE_MAX], why[160] = "";
	int err = ERR_NOTFOUND;
	uint8_t *bytes = NULL;
	size_t len = 0;

	for (unsigned i = 0; err == ERR_NOTFOUND &&
	    conf_cert_file(cert, i, name); i++)
		err = sec_file_public(l->dir_fd, name, l->uid, &bytes, &len,
		    why, sizeof(why));
	if (err == ERR_NOMEM)
		return err;
	if (err != 0)
		return complain(err == ERR_NOTFOUND ? cert : name, why);
	l->is_pin = true;
	err = bundle_load(l, name, bytes, len);
	l->is_pin = false;
	free(bytes);
	if (err == 0 && l->to->pin == NULL)
		return complain(name, "has no certificate in it");
	return err;
}

static int
pub_load(struct loading *l, const char *name)
{
	uint8_t *bytes;
	size_t len;
	int err;

	if ((err = file_load(l, name, &bytes, &len)) != 0)
		return err;
	err = spi_certs()->key_public((struct view){ bytes, len }, &l->to->key);
	free(bytes);
	if (err == 0 || err == ERR_NOMEM)
		return err;
	return complain(name, err == ERR_ALG ? "has a key that cannot be used: "
	    "RSA of 2048 to 8192 bits, P-256, P-384, P-521, Ed25519 or Ed448" :
	    "is no public key (PEM \"PUBLIC KEY\" or DER)");
}

static int
peer_load(struct loading *l, const struct conf_peer *p)
{
	const char *ca = p->auth == CONF_AUTH_EAP ? p->eap_ca : p->ca;
	char url[SPI_CERT_URL_MAX];
	const char *list = p->crl;
	int err, first = 0;

	while (list != NULL && p->revocation != CONF_REVOCATION_OFF &&
	    conf_file_next(&list, url, sizeof(url)))
		sec_trust_want(l->t, url, NULL);
	if (ca != NULL && (err = cas_load(l, ca)) != 0 && first == 0)
		first = err;
	if (p->cert != NULL && (err = pin_load(l, p->cert)) != 0 && first == 0)
		first = err;
	if (p->pubkey != NULL && (err = pub_load(l, p->pubkey)) != 0 &&
	    first == 0)
		first = err;
	return first;
}

/* Our own certificate is mostly of the authority our peers have: the list of
 * that one is fetched before somebody comes. */
static int
take_own(void *ctx, struct spi_cert *c)
{
	struct loading *l = ctx;
	char url[SPI_CERT_URL_MAX];

	for (unsigned i = 0; spi_certs()->cert_crl_url(c, i, url); i++)
		sec_trust_want(l->t, url, NULL);
	spi_certs()->cert_free(c);
	return 0;
}

static void
own_look(struct loading *l, const char *cert)
{
	const struct spi_bundle_to to = { .ctx = l, .cert = take_own };
	const struct view none = { NULL, 0 };
	char name[CONF_FILE_MAX], why[SPI_CERT_WHY_MAX];
	int err = ERR_NOTFOUND;
	uint8_t *bytes = NULL;
	size_t len = 0;

	for (unsigned i = 0; err == ERR_NOTFOUND &&
	    conf_cert_file(cert, i, name); i++)
		err = sec_file_public(l->dir_fd, name, l->uid, &bytes, &len,
		    why, sizeof(why));
	/* What is wrong with it is said where it is loaded. */
	if (err == 0 && memmem(bytes, len, "PRIVATE KEY", 11) == NULL)
		(void)!spi_certs()->bundle_read((struct view){ bytes, len },
		    none, &to, why);
	free(bytes);
}

static bool
asks_revocation(const struct conf_realm *r)
{
	for (unsigned k = 0; k < r->n_peer; k++)
		if (r->peer[k].ca != NULL &&
		    r->peer[k].revocation != CONF_REVOCATION_OFF)
			return true;
	return false;
}

static bool
ends_in_crl(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && strcmp(name + n - 4, ".crl") == 0;
}

/* Who signed a list is checked when it is asked something, so all may come. */
static int
crls_load(struct loading *l)
{
	DIR *d = fdopendir(dup(l->dir_fd));
	struct sec_trusted nobody = { 0 };
	const struct dirent *e;
	char why[160] = "";
	uint8_t *bytes;
	size_t len;
	int err, first = 0;

	if (d == NULL)
		return ERR_SYS;
	rewinddir(d);
	l->to = &nobody;
	while ((e = readdir(d)) != NULL) {
		if (!ends_in_crl(e->d_name) || !sec_name_is_plain(e->d_name))
			continue;
		err = sec_file_public(l->dir_fd, e->d_name, l->uid, &bytes,
		    &len, why, sizeof(why));
		if (err == 0) {
			err = bundle_load(l, e->d_name, bytes, len);
			free(bytes);
		} else if (err != ERR_NOMEM) {
			err = complain(e->d_name, why);
		}
		if (err != 0 && first == 0)
			first = err;
	}
	closedir(d);
	for (unsigned i = 0; i < nobody.n_anchor; i++)
		spi_certs()->cert_free(nobody.anchor[i]);
	return first;
}

/* Lists of a directory come with the first realm that has it. */
static int
crls_of(struct loading *l, const struct conf_realm *r)
{
	const struct conf *c = l->t->conf;

	for (const struct conf_realm *o = c->realm; o < r; o++)
		if (o->keys == r->keys || (o->keys != NULL && r->keys != NULL &&
		    strcmp(o->keys, r->keys) == 0))
			return 0;
	return crls_load(l);
}

static int
dir_of(struct loading *l, const struct conf_realm *r)
{
	if (l->dir_fd >= 0)
		close(l->dir_fd);
	l->dir_fd = sec_realm_dir_open(l->dir, r);
	return l->dir_fd >= 0 ? 0 : ERR_KEYFILE;
}

static int
realms_load(struct loading *l)
{
	const struct conf *c = l->t->conf;
	int err, first = 0;

	for (unsigned i = 0; i < c->n_realm; i++) {
		const struct conf_realm *r = &c->realm[i];

		l->t->peer[i] = calloc(r->n_peer + 1u, sizeof(*l->to));
		if (l->t->peer[i] == NULL)
			return ERR_NOMEM;
		if ((err = dir_of(l, r)) != 0)
			return err;
		if (r->me.cert != NULL && asks_revocation(r))
			own_look(l, r->me.cert);
		for (unsigned k = 0; k < r->n_peer; k++) {
			l->to = &l->t->peer[i][k];
			if (!conf_peer_shows_cert(&r->peer[k]))
				continue;
			if ((err = peer_load(l, &r->peer[k])) != 0 &&
			    first == 0)
				first = err;
		}
		if (first == 0)
			first = crls_of(l, r);
	}
	return first;
}

/* ---- public: life --------------------------------------------------------------- */

bool
sec_trust_is_needed(const struct conf *c)
{
	for (unsigned i = 0; i < c->n_realm; i++)
		for (unsigned k = 0; k < c->realm[i].n_peer; k++)
			if (conf_peer_shows_cert(&c->realm[i].peer[k]))
				return true;
	return false;
}

int
sec_trust_load(struct sec_trust **out, const struct conf *c, const char *dir,
	       uid_t uid)
{
	struct sec_trust *t = calloc(1, sizeof(*t));
	struct loading l = { .t = t, .uid = uid };
	int err;

	if (t == NULL)
		return ERR_NOMEM;
	t->conf = c;
	t->peer = calloc(c->n_realm + 1u, sizeof(*t->peer));
	if (t->peer == NULL) {
		free(t);
		return ERR_NOMEM;
	}
	l.dir = dir;
	l.dir_fd = -1;
	err = realms_load(&l);
	if (l.dir_fd >= 0)
		close(l.dir_fd);
	if (err != 0) {
		sec_trust_free(t);
		return err;
	}
	*out = t;
	return 0;
}

static void
trusted_fini(struct sec_trusted *p)
{
	for (unsigned i = 0; i < p->n_anchor; i++)
		spi_certs()->cert_free(p->anchor[i]);
	spi_certs()->cert_free(p->pin);
	spi_certs()->key_free(p->key);
}

void
sec_trust_free(struct sec_trust *t)
{
	if (t == NULL)
		return;
	for (unsigned i = 0; i < t->conf->n_realm; i++) {
		for (unsigned k = 0; t->peer[i] != NULL &&
		    k < t->conf->realm[i].n_peer; k++)
			trusted_fini(&t->peer[i][k]);
		free(t->peer[i]);
	}
	for (unsigned i = 0; i < t->n_crl; i++)
		spi_certs()->crl_free(t->crl[i]);
	for (unsigned i = 0; i < t->n_want; i++)
		spi_certs()->cert_free(t->want[i].issuer);
	free(t->peer);
	free(t);
}

/* ---- public: looking ------------------------------------------------------------- */

const struct sec_trusted *
sec_trust_of(const struct sec_trust *t, uint32_t realm, uint32_t peer)
{
	if (realm >= t->conf->n_realm || peer >= t->conf->realm[realm].n_peer)
		return NULL;
	return &t->peer[realm][peer];
}

const struct conf *
sec_trust_conf(const struct sec_trust *t)
{
	return t->conf;
}

const struct conf_realm *
sec_trust_realm(const struct sec_trust *t, uint32_t realm)
{
	return realm < t->conf->n_realm ? &t->conf->realm[realm] : NULL;
}

void
sec_trust_crl_add(struct sec_trust *t, struct spi_crl *crl)
{
	unsigned at = t->n_crl;
	bool is_other = true;

	for (unsigned i = 0; i < t->n_crl; i++) {
		if (spi_certs()->crl_is_newer(crl, t->crl[i])) {
			at = i;
			is_other = !spi_certs()->crl_is_newer(t->crl[i], crl);
			break;
		}
		if (spi_certs()->crl_is_newer(t->crl[i], crl)) {
			spi_certs()->crl_free(crl);
			return;
		}
	}
	if (at == SEC_CRL_MAX) {
		log_rl(LOG_WARN, WHO, "more than %d CRLs: one is left out",
		    SEC_CRL_MAX);
		spi_certs()->crl_free(crl);
		return;
	}
	if (at == t->n_crl)
		t->n_crl++;
	else
		spi_certs()->crl_free(t->crl[at]);
	t->crl[at] = crl;
	t->n_change += is_other;
}

unsigned
sec_trust_changes(const struct sec_trust *t)
{
	return t->n_change;
}

const struct spi_crl *
sec_trust_crl(const struct sec_trust *t, unsigned i)
{
	return i < t->n_crl ? t->crl[i] : NULL;
}

static struct spi_cert *
copy(const struct spi_cert *c)
{
	struct spi_cert *out = NULL;

	return spi_certs()->cert_read(spi_certs()->cert_der(c), &out) == 0 ?
	    out : NULL;
}

static bool
is_of(const struct sec_want *w, const struct spi_cert *issuer)
{
	return w->issuer != NULL && issuer != NULL &&
	    spi_certs()->cert_same(w->issuer, issuer);
}

void
sec_trust_want(struct sec_trust *t, const char *url,
	       const struct spi_cert *issuer)
{
	struct sec_want *w;
	unsigned n_of = 0;

	for (unsigned i = 0; i < t->n_want; i++) {
		w = &t->want[i];
		n_of += is_of(w, issuer);
		if (strcmp(w->url, url) == 0) {
			w->is_wanted = true;
			if (w->issuer == NULL && issuer != NULL)
				w->issuer = copy(issuer);
			return;
		}
	}
	if (t->n_want == SEC_WANT_MAX || n_of >= SEC_WANT_OF)
		return;			/* what is known stays */
	w = &t->want[t->n_want];
	memset(w, 0, sizeof(*w));
	if (issuer != NULL && (w->issuer = copy(issuer)) == NULL)
		return;
	str_copy(w->url, sizeof(w->url), url);
	w->is_ours = issuer == NULL;
	w->is_wanted = true;
	t->n_want++;
}

void
sec_trust_wanted(struct sec_trust *t, struct sec_want *w, bool is_here)
{
	w->n_failed = is_here ? 0 : w->n_failed + 1;
	if (!is_here)
		return;
	w->is_wanted = false;
	for (unsigned i = 0; i < t->n_want; i++)
		if (is_of(&t->want[i], w->issuer))
			t->want[i].is_wanted = false;
}

struct sec_want *
sec_trust_want_at(struct sec_trust *t, unsigned i)
{
	return i < t->n_want ? &t->want[i] : NULL;
}

bool
sec_trust_is_by(const struct sec_trust *t, const struct sec_want *w,
		const struct spi_crl *crl)
{
	if (w->issuer != NULL)
		return spi_certs()->crl_is_by(crl, w->issuer);
	for (unsigned i = 0; i < t->conf->n_realm; i++)
		for (unsigned k = 0; k < t->conf->realm[i].n_peer; k++)
			for (unsigned a = 0; a < t->peer[i][k].n_anchor; a++)
				if (spi_certs()->crl_is_by(crl,
				    t->peer[i][k].anchor[a]))
					return true;
	return false;
}

/* ---- public: what we ask for ------------------------------------------------------ */

/* Hashes of all that is asked for, each once. */
struct asking {
	unsigned n;
	bool has_raw, has_ocsp;
	uint8_t id[REQ_MAX][SPI_KEY_ID_LEN];
};

static void
ask_cert(struct asking *a, const struct spi_cert *c)
{
	uint8_t id[SPI_KEY_ID_LEN];

	if (a->n == REQ_MAX || spi_certs()->cert_key_id(c, id) != 0)
		return;
	for (unsigned i = 0; i < a->n; i++)
		if (memcmp(a->id[i], id, sizeof(id)) == 0)
			return;
	memcpy(a->id[a->n++], id, sizeof(id));
}

static void
ask_peer(struct asking *a, const struct sec_trust *t, const struct conf_peer *p,
	 const struct sec_trusted *who)
{
	(void)t;
	for (unsigned i = 0; i < who->n_anchor; i++)
		ask_cert(a, who->anchor[i]);
	if (who->pin != NULL)
		ask_cert(a, who->pin);
	if (who->key != NULL)
		a->has_raw = true;
	if (who->n_anchor > 0 && p->revocation == CONF_REVOCATION_STRICT)
		a->has_ocsp = true;
}

static void
put_body(struct wcur *w, uint8_t encoding, const void *p, size_t n)
{
	wcur_u16(w, (uint16_t)(n + 1));
	wcur_u8(w, encoding);
	if (n > 0)
		wcur_bytes(w, p, n);
}

size_t
sec_trust_certreq(const struct sec_trust *t, uint32_t realm, uint32_t peer,
		  uint8_t *out, size_t cap)
{
	struct asking *a = calloc(1, sizeof(*a));
	struct wcur w;

	if (a == NULL)
		return 0;
	for (unsigned i = 0; i < t->conf->n_realm; i++)
		for (unsigned k = 0; k < t->conf->realm[i].n_peer; k++)
			/* a certificate within TLS is asked for there */
			if (t->conf->realm[i].peer[k].auth == CONF_AUTH_CERT &&
			    (realm == UINT32_MAX || (realm == i && peer == k)))
				ask_peer(a, t, &t->conf->realm[i].peer[k],
				    &t->peer[i][k]);
	wcur_init(&w, out, cap);
	if (a->n > 0)
		put_body(&w, SEC_CERT_X509, a->id, a->n * SPI_KEY_ID_LEN);
	if (a->has_raw)
		put_body(&w, SEC_CERT_RAW, NULL, 0);	/* RFC 7670 3 */
	if (a->has_ocsp)
		put_body(&w, SEC_CERT_OCSP, NULL, 0);	/* RFC 4806 3.1 */
	free(a);
	return w.err == 0 ? w.len : 0;
}

size_t
sec_trust_methods(const struct sec_trust *t, const struct conf *c, uint8_t *out,
		  size_t cap)
{
	static const struct spi_sig how[] = {
		{ SPI_SIG_ECDSA, SPI_SIG_SHA256 },
		{ SPI_SIG_ECDSA, SPI_SIG_SHA384 },
		{ SPI_SIG_ECDSA, SPI_SIG_SHA512 },
		{ SPI_SIG_PSS, SPI_SIG_SHA256 },
		{ SPI_SIG_PSS, SPI_SIG_SHA384 },
		{ SPI_SIG_PSS, SPI_SIG_SHA512 },
		{ SPI_SIG_PKCS1, SPI_SIG_SHA256 },
		{ SPI_SIG_PKCS1, SPI_SIG_SHA384 },
		{ SPI_SIG_PKCS1, SPI_SIG_SHA512 },
	};
	static const uint8_t ed[2][7] = {
		{ 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70 },
		{ 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x71 },
	};
	uint8_t alg[SPI_SIG_ALG_MAX];
	bool has_psk = false;
	struct wcur w;

	for (unsigned i = 0; i < c->n_realm; i++)
		for (unsigned k = 0; k < c->realm[i].n_peer; k++)
			has_psk |= c->realm[i].peer[k].auth == CONF_AUTH_PSK;
	wcur_init(&w, out, cap);
	if (has_psk) {
		wcur_u8(&w, 2);
		wcur_u8(&w, METHOD_PSK);
	}
	for (unsigned i = 0; t != NULL && i < N_OF(how); i++) {
		size_t n = spi_sig_alg(&how[i], alg);

		wcur_u8(&w, (uint8_t)(n + 3));
		wcur_u8(&w, METHOD_DIGSIG);
		wcur_u8(&w, 0);		/* of any authority */
		wcur_bytes(&w, alg, n);
	}
	for (unsigned i = 0; t != NULL && i < N_OF(ed); i++) {
		wcur_u8(&w, sizeof(ed[i]) + 3);
		wcur_u8(&w, METHOD_DIGSIG);
		wcur_u8(&w, 0);
		wcur_bytes(&w, ed[i], sizeof(ed[i]));
	}
	return w.err == 0 ? w.len : 0;
}
