/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/keys/psk.h - AUTH with pre-shared keys, RFC 7296 2.15.
 *
 *   AUTH = prf( prf(Shared Secret, "Key Pad for IKEv2"), octets )
 *   octets = IKE_SA_INIT message | nonce of the other | prf(SK_p, ID body)
 *            [| IntAuth]
 *
 * Thread: any.
 */
#ifndef TAPIR_SECURE_KEYS_PSK_H
#define TAPIR_SECURE_KEYS_PSK_H

#include "daemon/base/base.h"

#define SEC_PRF_MAX 64	/* PRF_HMAC_SHA2_512 */

struct sec_octets {
	uint8_t prf;		/* 1 SHA2-256, 2 SHA2-384, 3 SHA2-512 */
	struct view init_msg;	/* of the signer */
	struct view nonce;	/* of the other side */
	struct view sk_p;	/* of the signer */
	struct view id;		/* body of the signer's ID payload */
	struct view int_auth;	/* RFC 9242 3.3.2, or empty */
};

/** Length of a prf's output; 0 when there is no such prf. */
size_t sec_prf_len(uint8_t prf);
/**
 * prf(SK_p, ID body), the last part of the octets; what a signature covers is
 * init_msg, nonce and this.
 *
 * @param out SEC_PRF_MAX bytes; *len of them are written.
 * @return 0, ERR_ALG (prf) or ERR_CRYPTO.
 */
MUST_USE int sec_maced_id(const struct sec_octets *in, uint8_t *out,
			  size_t *len);
/**
 * @param auth SEC_PRF_MAX bytes; *len of them are written.  Zeroed on failure.
 * @return 0, ERR_ALG (prf), ERR_SHORT (empty key) or ERR_CRYPTO.
 */
MUST_USE int sec_psk_auth(struct view psk, const struct sec_octets *in,
			  uint8_t *auth, size_t *len);
/** The same with SK_p itself as the key, of an IKE SA that is resumed (RFC 5723
 * 4.3.3): prf(SK_p, octets). */
MUST_USE int sec_resume_auth(const struct sec_octets *in, uint8_t *auth,
			     size_t *len);

#endif
