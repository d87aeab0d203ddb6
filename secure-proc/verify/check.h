/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/verify/check.h - is the peer who it says it is?
 *
 *   CERT bodies -> certificates -> chain to an authority of ca= (RFC 5280)
 *               -> usage and name (RFC 4945) -> revoked? -> AUTH signature
 *
 * Everything here comes from a stranger; no secret is at hand.
 *
 * Thread: the only one of the verify child.
 */
#ifndef TAPIR_SECURE_VERIFY_CHECK_H
#define TAPIR_SECURE_VERIFY_CHECK_H

#include "daemon/base/base.h"
#include "secure-proc/verify/trust.h"

#define SEC_CHECK_CERT_MAX 8		/* certificates of one peer; ours */
#define SEC_CHECK_CRL_MAX  4		/* lists sent along; ours */
#define SEC_CHECK_OCSP_MAX 4
#define SEC_CHECK_BYTES	   (64u << 10)	/* of all CERT payloads */
#define SEC_CHECK_WHY_MAX  257
#define SEC_CHECK_TEXT_MAX 256

#define SEC_CHECK_CHOOSE UINT32_MAX

/* A question.  Views are borrowed. */
struct sec_check {
	uint32_t realm, peer;	/* SEC_CHECK_CHOOSE: who that is follows from
				 * id, id_own and the certificate */
	int64_t now;		/* Unix time */
	bool is_tls;		/* the chain of an EAP-TLS, leaf first: TLS has
				 * seen to the key, there is no AUTH */
	bool is_standing;	/* it was let in before, there is no AUTH: only a
				 * list that names it speaks against it */
	uint8_t method;		/* 14, or 1, 9, 10, 11 of RFC 7296 and 4754 */
	struct view id;		/* body of the peer's ID payload */
	struct view id_own;	/* of the one that names us; may be empty */
	struct view cert;	/* CERT bodies, each behind a 16-bit length */
	struct view auth;	/* AUTH data; method 14: algorithm in front */
	struct view init_msg;	/* the octets of RFC 7296 2.15, in parts */
	struct view nonce;
	struct view maced_id;
};

struct sec_checked {
	int err;		/* 0, ERR_AUTH, ERR_NOTFOUND, ERR_SYNTAX, ... */
	uint32_t realm, peer;	/* those of the question, or the chosen ones */
	char why[SEC_CHECK_WHY_MAX];
	char subject[SEC_CHECK_TEXT_MAX]; /* of the certificate, or empty */
	int64_t not_after;	/* the first end in the chain; 0 = none */
	uint8_t key[32];	/* SHA-256 of the public key that counted */
};

/** Answer a question; out is filled whole. */
void sec_check(struct sec_trust *t, const struct sec_check *q,
	       struct sec_checked *out);

/* What came along and says something about revocation. */
struct sec_evidence {
	unsigned n_crl, n_ocsp;
	struct spi_crl *crl[SEC_CHECK_CRL_MAX];
	struct view ocsp[SEC_CHECK_OCSP_MAX];
};
/** revoke.c: was a certificate of this path revoked?  0, or ERR_AUTH with a
 * sentence in out->why.  Where a missing list is, t is told. */
MUST_USE int sec_revoke_check(struct sec_trust *t,
			      const struct spi_cert_path *path,
			      const struct sec_evidence *ev,
			      const struct conf_peer *peer,
			      const struct sec_check *q,
			      struct sec_checked *out);
/** choose.c: whose rules fit an identity with a certificate (facts of all zeros:
 * it sent none)?  0, ERR_SYNTAX, or
 * ERR_NOTFOUND with a sentence. */
MUST_USE int sec_choose(const struct conf *c, const struct sec_check *q,
			const struct spi_cert_facts *f,
			struct sec_checked *out);
/** names.c: does the certificate carry this identity?  0, or ERR_AUTH with a
 * sentence that lists the names it has. */
MUST_USE int sec_names_check(const struct spi_cert *c,
			     const struct spi_cert_facts *f, struct view id,
			     char *why, size_t cap);

#endif
