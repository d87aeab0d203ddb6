/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/keys/own.h - our certificate and private key in one realm, and
 * signatures with it.
 *
 *   method 14   RFC 7427, when the peer announced hashes
 *   1, 9..11    RFC 7296 and RFC 4754, only with suite="compat"
 *
 * Thread: the only one.
 */
#ifndef TAPIR_SECURE_KEYS_OWN_H
#define TAPIR_SECURE_KEYS_OWN_H

#include <sys/types.h>
#include "conf/conf.h"
#include "daemon/base/base.h"

#define SEC_AUTH_MAX  2048	/* bytes of AUTH data, as secure.def has it */
#define SEC_OWN_CERTS 8		/* certificates we send; ours */

struct sec_own;

/* What is to be signed, and what the peer said about signatures. */
struct sec_own_ask {
	struct view part[3];	/* IKE_SA_INIT message, nonce, MACed ID */
	uint32_t peer_hashes;	/* bit n: hash n of RFC 7427; 0: none */
	struct view certreq;	/* its CERTREQ bodies */
	struct view auth_ann;	/* its SUPPORTED_AUTH_METHODS */
	bool is_compat;
};

/**
 * Read what cert=, key= and pass= of <me> name.
 *
 * @return 0, ERR_KEYFILE (logged, with what to do) or ERR_NOMEM.
 */
MUST_USE int sec_own_load(struct sec_own **out, const struct conf_me *me,
			  int dir_fd, uid_t uid);
/** Wipe and free; NULL is fine. */
void sec_own_free(struct sec_own *o);
/** The first name in the certificate as the configuration would write it;
 * NULL: none. */
const char *sec_own_name(const struct sec_own *o);

/** A descriptor that must stay open through confinement; -1: none. */
int sec_own_fd(const struct sec_own *o);
/**
 * Sign.
 *
 * @param auth SEC_AUTH_MAX bytes.
 * @return 0; ERR_ALG with a sentence: nothing both ends can do; ERR_CRYPTO.
 */
MUST_USE int sec_own_sign(struct sec_own *o, const struct sec_own_ask *q,
			  uint8_t *method, uint8_t *auth, size_t *len,
			  char *why, size_t cap);
/** CERT bodies to send, each behind its 16-bit length: certificate and
 * intermediate ones, or the bare key (RFC 7670), and an OCSP response when the
 * peer asks for one.  Valid until the next call. */
struct view sec_own_certs(struct sec_own *o, struct view certreq);
/** When our certificate ends, Unix time; 0: there is none. */
int64_t sec_own_end(const struct sec_own *o);

#endif
