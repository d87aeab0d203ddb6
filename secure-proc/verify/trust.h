/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/verify/trust.h - whom the configuration believes: authorities,
 * pinned certificates, raw public keys, and lists of what was revoked.
 *
 * All of it is public and ours.  Loaded once with rights, before anything secret
 * is; both the secure process and its verify child then have it.
 *
 * Thread: the only one of its process.
 */
#ifndef TAPIR_SECURE_VERIFY_TRUST_H
#define TAPIR_SECURE_VERIFY_TRUST_H

#include <sys/types.h>
#include "conf/conf.h"
#include "daemon/base/base.h"
#include "spi/spi_cert.h"

#define SEC_ANCHOR_MAX 64	/* authorities of one peer; ours */
#define SEC_CRL_MAX    128	/* lists held at once; ours */

/* RFC 7296 3.6, RFC 4806, RFC 7670 */
#define SEC_CERT_X509	 4
#define SEC_CERT_CRL	 7
#define SEC_CERT_HASHURL 12
#define SEC_CERT_HASHBUN 13
#define SEC_CERT_OCSP	 14
#define SEC_CERT_RAW	 15

/* What makes a peer of the configuration believable. */
struct sec_trusted {
	unsigned n_anchor;
	struct spi_cert *anchor[SEC_ANCHOR_MAX];
	struct spi_cert *pin;	/* this certificate, or NULL */
	struct spi_pkey *key;	/* this key, or NULL */
};

struct sec_trust;

/** Does any peer prove itself by a signature? */
bool sec_trust_is_needed(const struct conf *c);
/**
 * Read what ca=, cert= and pubkey= of the peers name, and every *.crl in keys/.
 *
 * @param c   borrowed, must outlive it.
 * @return 0, ERR_KEYFILE (logged, with what to do) or ERR_NOMEM.
 */
MUST_USE int sec_trust_load(struct sec_trust **out, const struct conf *c,
			    const char *dir, uid_t uid);
/** NULL is fine. */
void sec_trust_free(struct sec_trust *t);

/** What is believed of a peer; NULL: nothing. */
const struct sec_trusted *sec_trust_of(const struct sec_trust *t,
				       uint32_t realm, uint32_t peer);
/** The configuration it was loaded for. */
const struct conf *sec_trust_conf(const struct sec_trust *t);
const struct conf_realm *sec_trust_realm(const struct sec_trust *t,
					 uint32_t realm);
/** Add a list, in place of an older one of its issuer; takes it.  The caller
 * has checked who signed it. */
void sec_trust_crl_add(struct sec_trust *t, struct spi_crl *crl);
/** How often a list came that says something else than those before. */
unsigned sec_trust_changes(const struct sec_trust *t);
/** List i, or NULL behind the last. */
const struct spi_crl *sec_trust_crl(const struct sec_trust *t, unsigned i);

#define SEC_WANT_MAX 64	/* addresses of lists; ours */
#define SEC_WANT_OF  8	/* of one issuer; ours */

/* A list that could be fetched. */
struct sec_want {
	char url[SPI_CERT_URL_MAX];
	struct spi_cert *issuer; /* who must have signed it; NULL: any authority
				  * of ca= */
	bool is_ours;		/* we say where it is, not a certificate */
	bool is_wanted;		/* missing, or out of date */
	unsigned n_failed;	/* in a row */
	uint64_t asked_ms;	/* when it was asked for; 0 = never */
};
/**
 * A list is missing: remember where it is.
 *
 * @param issuer  who must have signed it; copied.  NULL: this is our own word,
 *                and the list may be of any authority of ca=.
 */
void sec_trust_want(struct sec_trust *t, const char *url,
		    const struct spi_cert *issuer);
/** It came, or it did not.  What else was wanted of its issuer can wait. */
void sec_trust_wanted(struct sec_trust *t, struct sec_want *w, bool is_here);
/** Entry i, or NULL behind the last. */
struct sec_want *sec_trust_want_at(struct sec_trust *t, unsigned i);
/** Did who must have signed it? */
bool sec_trust_is_by(const struct sec_trust *t, const struct sec_want *w,
		     const struct spi_crl *crl);

/**
 * Bodies of CERTREQ payloads, each behind its 16-bit length: the authorities of
 * one peer, or, with realm UINT32_MAX, of all.  RFC 7296 3.7.
 *
 * @return bytes written; 0: there is nothing to ask for.
 */
size_t sec_trust_certreq(const struct sec_trust *t, uint32_t realm,
			 uint32_t peer, uint8_t *out, size_t cap);
/** Our SUPPORTED_AUTH_METHODS, RFC 9593 3.2; bytes written. */
size_t sec_trust_methods(const struct sec_trust *t, const struct conf *c,
			 uint8_t *out, size_t cap);

#endif
