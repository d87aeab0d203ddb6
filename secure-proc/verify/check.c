/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/verify/check.c - one peer's certificates, identity and signature.
 *
 * Thread: the only one of the verify child.
 */
#include "secure-proc/verify/check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "spi/spi_crypto.h"

/* RFC 7296 3.8, RFC 4754, RFC 7427 */
#define METHOD_RSA    1
#define METHOD_PSK    2
#define METHOD_EC256  9
#define METHOD_EC384  10
#define METHOD_EC521  11
#define METHOD_DIGSIG 14

#define EKU_FINE                                                               \
	(SPI_EKU_SERVER_AUTH | SPI_EKU_CLIENT_AUTH | SPI_EKU_IKE | SPI_EKU_ANY)

/* What is worked on for one question. */
struct work {
	struct sec_trust *t;
	const struct sec_check *q;
	struct sec_checked *out;
	const struct conf_realm *realm;
	const struct conf_peer *peer;
	const struct sec_trusted *who;
	unsigned n_cert;
	struct spi_cert *cert[SEC_CHECK_CERT_MAX]; /* the first is the peer's */
	struct spi_pkey *raw;		/* the key it sent without one */
	struct spi_pkey *key;		/* the key that counts */
	struct sec_evidence ev;
	struct spi_cert_facts facts;	/* of the peer's certificate */
};

static int
fail(struct work *w, int err, const char *text)
{
	snprintf(w->out->why, sizeof(w->out->why), "%s", text);
	return err;
}

/* ---- CERT payloads -------------------------------------------------------------- */

static int
take_x509(struct work *w, struct view data)
{
	struct spi_cert *c;
	int err;

	if (w->n_cert == SEC_CHECK_CERT_MAX)
		return fail(w, ERR_LIMIT, "the peer sent too many "
		    "certificates");
	if ((err = spi_certs()->cert_read(data, &c)) != 0)
		return fail(w, err, "the peer sent a certificate that cannot "
		    "be read");
	w->cert[w->n_cert++] = c;
	return 0;
}

static int
take_one(struct work *w, uint8_t encoding, struct view data)
{
	struct spi_crl *crl;

	switch (encoding) {
	case SEC_CERT_X509:
		return take_x509(w, data);
	case SEC_CERT_CRL:
		if (w->ev.n_crl < SEC_CHECK_CRL_MAX &&
		    spi_certs()->crl_read(data, &crl) == 0)
			w->ev.crl[w->ev.n_crl++] = crl;
		return 0;
	case SEC_CERT_OCSP:
		if (w->ev.n_ocsp < SEC_CHECK_OCSP_MAX)
			w->ev.ocsp[w->ev.n_ocsp++] = data;
		return 0;
	case SEC_CERT_RAW:
		if (w->raw == NULL && spi_certs()->key_public(data, &w->raw) != 0)
			return fail(w, ERR_SYNTAX, "the peer sent a public key "
			    "that cannot be used");
		return 0;
	case SEC_CERT_HASHURL:
	case SEC_CERT_HASHBUN:
		return fail(w, ERR_UNSUP, "the peer sent the address of its "
		    "certificate, not the certificate: that was not asked "
		    "for");
	default:
		return 0;	/* of no use, but no fault (RFC 7296 3.6) */
	}
}

static int
certs_read(struct work *w)
{
	struct view body, data;
	struct cur c, in;
	uint8_t encoding;
	uint16_t len;
	int err;

	if (w->q->cert.len > SEC_CHECK_BYTES)
		return fail(w, ERR_LONG, "the peer's certificates are more "
		    "than 64 KiB");
	cur_init(&c, w->q->cert.p, w->q->cert.len);
	while (cur_left(&c) > 0) {
		if ((err = cur_u16(&c, &len)) != 0 ||
		    (err = cur_view(&c, len, &body)) != 0)
			return fail(w, err, "malformed CERT payloads");
		cur_init(&in, body.p, body.len);
		if ((err = cur_u8(&in, &encoding)) != 0)
			return fail(w, err, "malformed CERT payload");
		cur_rest(&in, &data);
		if ((err = take_one(w, encoding, data)) != 0)
			return err;
	}
	return 0;
}

/* ---- RFC 4945 ------------------------------------------------------------------- */

/* 5.1.3.2 and 5.1.3.12 */
static int
usage_check(struct work *w)
{
	const struct spi_cert_facts *f = &w->facts;

	if (f->has_usage && (f->usage &
	    (SPI_KU_DIGITAL_SIGNATURE | SPI_KU_NON_REPUDIATION)) == 0)
		return fail(w, ERR_AUTH, "wrong usage: the certificate's key "
		    "may not make digital signatures (keyUsage)");
	if (f->has_ext_usage && (f->ext_usage & EKU_FINE) == 0)
		return fail(w, ERR_AUTH, "wrong usage: the certificate is for "
		    "neither servers, clients nor IKE (extendedKeyUsage)");
	return 0;
}

/* The first end in the chain.  An authority that comes along and names purposes
 * must name one that fits: what is below it cannot have more. */
static int
issuers_check(struct work *w, const struct spi_cert_path *path,
	      struct spi_cert_facts *f)
{
	for (unsigned i = 0; i < path->n; i++) {
		spi_certs()->cert_facts(path->cert[i], f);
		if (i == 0 || f->not_after < w->out->not_after)
			w->out->not_after = f->not_after;
		if (i > 0 && i + 1 < path->n && f->has_ext_usage &&
		    (f->ext_usage & EKU_FINE) == 0)
			return fail(w, ERR_AUTH, "wrong usage: an issuing "
			    "authority is for neither servers, clients nor "
			    "IKE (extendedKeyUsage)");
	}
	return 0;
}

static int
chain_check(struct work *w)
{
	const struct spi_path_ask ask = {
		.leaf = w->cert[0],
		.other = w->cert + 1, .n_other = w->n_cert - 1,
		.anchor = w->who->anchor, .n_anchor = w->who->n_anchor,
		.now = w->q->now,
	};
	char why[SPI_CERT_WHY_MAX] = "";
	struct spi_cert_facts *f;
	struct spi_cert_path path;
	int err;

	if ((err = spi_certs()->path_build(&ask, &path, why)) != 0)
		return fail(w, err, why);
	if ((err = usage_check(w)) != 0 ||
	    (err = sec_names_check(w->cert[0], &w->facts, w->q->id,
	    w->out->why, sizeof(w->out->why))) != 0 ||
	    (err = sec_revoke_check(w->t, &path, &w->ev, w->peer, w->q,
	    w->out)) != 0)
		return err;
	if ((f = malloc(sizeof(*f))) == NULL)
		return ERR_NOMEM;
	err = issuers_check(w, &path, f);
	free(f);
	return err;
}

/* This certificate and no other: the administrator has said who it is. */
static int
pin_check(struct work *w)
{
	struct spi_cert *pin = w->who->pin;

	spi_certs()->cert_facts(pin, &w->facts);
	if (w->q->now > w->facts.not_after)
		return fail(w, ERR_AUTH, "the certificate of cert= has "
		    "expired");
	if (w->q->now < w->facts.not_before)
		return fail(w, ERR_AUTH, "the certificate of cert= is not yet "
		    "valid: is the clock right?");
	w->out->not_after = w->facts.not_after;
	w->key = spi_certs()->cert_key(pin);
	return w->key != NULL ? 0 : fail(w, ERR_AUTH, "weak: the key of the "
	    "certificate of cert= cannot be used");
}

/* ---- who is it ------------------------------------------------------------------ */

/* Here, before anything is believed, and never again: everything below looks at
 * what this has set. */
static int
place_find(struct work *w)
{
	struct sec_checked *out = w->out;
	int err;

	if (w->q->realm == SEC_CHECK_CHOOSE) {
		if (w->n_cert > 0)
			spi_certs()->cert_facts(w->cert[0], &w->facts);
		err = sec_choose(sec_trust_conf(w->t), w->q, &w->facts, out);
		if (err != 0)
			return err;
	}
	w->realm = sec_trust_realm(w->t, out->realm);
	w->who = sec_trust_of(w->t, out->realm, out->peer);
	if (w->who == NULL)
		return fail(w, ERR_NOTFOUND, "no such peer");
	w->peer = &w->realm->peer[out->peer];
	return 0;
}

/* ---- whose key counts --------------------------------------------------------- */

static int
key_by_cert(struct work *w)
{
	const struct sec_trusted *who = w->who;
	int err;

	spi_certs()->cert_facts(w->cert[0], &w->facts);
	snprintf(w->out->subject, sizeof(w->out->subject), "%s",
	    w->facts.subject);
	if (who->pin != NULL && spi_certs()->cert_same(who->pin, w->cert[0]))
		return pin_check(w);
	if (who->n_anchor == 0)
		return fail(w, ERR_AUTH, "the peer's certificate is not the "
		    "one of cert=");
	if ((err = chain_check(w)) != 0)
		return err;
	w->key = spi_certs()->cert_key(w->cert[0]);
	return w->key != NULL ? 0 : fail(w, ERR_AUTH, "weak: the key of the "
	    "certificate cannot be used");
}

static int
key_find(struct work *w)
{
	const struct sec_trusted *who = w->who;
	uint8_t *spki;
	size_t len;
	int err;

	if (who->key != NULL && (w->n_cert == 0 ||
	    (who->n_anchor == 0 && who->pin == NULL))) {
		if (w->raw != NULL && !spi_certs()->key_same(who->key, w->raw))
			return fail(w, ERR_AUTH, "the peer's public key is not "
			    "the one of pubkey=");
		/* A key of its own to work with: it is freed with the rest. */
		if ((err = spi_certs()->key_spki(who->key, &spki, &len)) != 0)
			return err;
		err = spi_certs()->key_public((struct view){ spki, len },
		    &w->key);
		free(spki);
		return err;
	}
	if (w->n_cert > 0)
		return key_by_cert(w);
	if (who->pin != NULL)
		return pin_check(w);
	return fail(w, ERR_AUTH, "the peer sent no certificate");
}

/* ---- AUTH ----------------------------------------------------------------------- */

/* The two Edwards curves have one form and two identifiers (RFC 8420 A). */
static bool
ed_fits(struct view alg, enum spi_key_kind kind)
{
	return alg.p[alg.len - 1] == (kind == SPI_KEY_ED448 ? 0x71 : 0x70);
}

/* RFC 7427 3: length of the algorithm identifier, it, the signature. */
static int
digsig_split(struct work *w, struct spi_sig *how, struct view *sig)
{
	struct view alg;
	struct cur c;
	uint8_t len;

	cur_init(&c, w->q->auth.p, w->q->auth.len);
	if (cur_u8(&c, &len) != 0 || cur_view(&c, len, &alg) != 0)
		return fail(w, ERR_SYNTAX, "malformed AUTH payload");
	cur_rest(&c, sig);
	if (!spi_sig_of_alg(alg, how))
		return fail(w, ERR_AUTH, "weak: the peer signs with an "
		    "algorithm that is not permitted");
	if (how->form == SPI_SIG_ED &&
	    !ed_fits(alg, spi_certs()->key_kind(w->key)))
		return ERR_AUTH;
	return 0;
}

static int
sig_try(struct work *w, const struct spi_sig *how, struct view sig)
{
	const struct view part[3] = {
		w->q->init_msg, w->q->nonce, w->q->maced_id,
	};

	return spi_certs()->check(w->key, how, part, N_OF(part), sig);
}

/* Without RFC 7427 the hash of RSA is found by trying (RFC 7296 3.8); SHA-1,
 * which 3.8 names as the one to start with, is not among them. */
static int
legacy_rsa(struct work *w)
{
	static const uint8_t hash[] = {
		SPI_SIG_SHA256, SPI_SIG_SHA384, SPI_SIG_SHA512,
	};
	int err = ERR_AUTH;

	for (unsigned i = 0; err != 0 && i < N_OF(hash); i++) {
		const struct spi_sig how = { SPI_SIG_PKCS1, hash[i] };

		err = sig_try(w, &how, w->q->auth);
	}
	return err != ERR_AUTH ? err : fail(w, err, "the peer's RSA signature "
	    "of the old form is none of its key with SHA-256, SHA-384 or "
	    "SHA-512: SHA-1 is not accepted, let the peer use RFC 7427");
}

static int
auth_check(struct work *w)
{
	static const struct {
		enum spi_key_kind kind;
		uint8_t hash;
	} ec[] = {
		{ SPI_KEY_EC256, SPI_SIG_SHA256 },
		{ SPI_KEY_EC384, SPI_SIG_SHA384 },
		{ SPI_KEY_EC521, SPI_SIG_SHA512 },
	};
	uint8_t method = w->q->method;
	struct spi_sig how;
	struct view sig;
	int err;

	if (method == METHOD_DIGSIG) {
		if ((err = digsig_split(w, &how, &sig)) == 0)
			err = sig_try(w, &how, sig);
	} else if (method != METHOD_RSA && (method < METHOD_EC256 ||
	    method > METHOD_EC521)) {
		return fail(w, ERR_AUTH, method == METHOD_PSK ? "the peer uses "
		    "a pre-shared key, a certificate is configured" :
		    "the peer uses a method of authentication that is not "
		    "known");
	} else if (w->realm->suite != VPN_SUITE_COMPAT) {
		return fail(w, ERR_AUTH, "the peer signs the old way, without "
		    "RFC 7427: that needs suite=\"compat\"");
	} else if (method == METHOD_RSA) {
		err = legacy_rsa(w);
	} else {
		how.form = SPI_SIG_ECDSA_RAW;
		how.hash = ec[method - METHOD_EC256].hash;
		err = spi_certs()->key_kind(w->key) !=
		    ec[method - METHOD_EC256].kind ? ERR_AUTH :
		    sig_try(w, &how, w->q->auth);
	}
	if (err == ERR_AUTH && w->out->why[0] == '\0')
		return fail(w, err, "the peer's signature does not belong to "
		    "its key: it does not have the private key, or signs with "
		    "another");
	return err;
}

/* Which one it was. */
static int
key_note(struct work *w)
{
	struct view spki;
	uint8_t *p;
	size_t len;
	int err;

	if ((err = spi_certs()->key_spki(w->key, &p, &len)) != 0)
		return err;
	spki = (struct view){ p, len };
	err = spi_crypto()->hash(SPI_HASH_SHA256, &spki, 1, w->out->key);
	free(p);
	return err;
}

/* ---- public ------------------------------------------------------------------ */

static void
work_fini(struct work *w)
{
	for (unsigned i = 0; i < w->n_cert; i++)
		spi_certs()->cert_free(w->cert[i]);
	for (unsigned i = 0; i < w->ev.n_crl; i++)
		spi_certs()->crl_free(w->ev.crl[i]);
	spi_certs()->key_free(w->raw);
	spi_certs()->key_free(w->key);
	free(w);
}

void
sec_check(struct sec_trust *t, const struct sec_check *q,
	  struct sec_checked *out)
{
	struct work *w = calloc(1, sizeof(*w));
	int err;

	memset(out, 0, sizeof(*out));
	if (w == NULL) {
		out->err = ERR_NOMEM;
		return;
	}
	w->t = t;
	w->q = q;
	w->out = out;
	out->realm = q->realm;
	out->peer = q->peer;
	if ((err = certs_read(w)) == 0 && (err = place_find(w)) == 0) {
		if (q->is_tls)
			err = w->n_cert > 0 ? key_by_cert(w) : ERR_AUTH;
		else if ((err = key_find(w)) == 0 && !q->is_standing)
			err = auth_check(w);
		if (err == 0)
			err = key_note(w);
	}
	work_fini(w);
	if (err != 0 && out->why[0] == '\0')
		snprintf(out->why, sizeof(out->why), "%s", err_text(err));
	if (err != 0)
		out->not_after = 0;
	out->err = err;
}
