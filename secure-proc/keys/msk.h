/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/keys/msk.h - AUTH by the key that EAP made, RFC 7296 2.16.
 *
 * The shared-key method over the same octets as the first AUTH, with the MSK as
 * the key.  Both ends prove that the conversation of EAP and this IKE SA are of
 * the same two: without it somebody in between could pass EAP on.
 *
 * Thread: any.
 */
#ifndef TAPIR_SECURE_KEYS_MSK_H
#define TAPIR_SECURE_KEYS_MSK_H

#include "secure-proc/keys/psk.h"

#define SEC_MSK_MIN 16	/* bytes of a key we take; RFC 3748 7.10 wants 64, some
			 * servers of RADIUS send 32 */

/**
 * Our AUTH.
 *
 * @param msk  of a conversation that ended well; never empty, never zeros.
 * @param auth SEC_PRF_MAX bytes; zeroed on failure.
 * @return 0, ERR_SHORT (no key), ERR_ALG or ERR_CRYPTO.
 */
MUST_USE int sec_msk_sign(struct view msk, const struct sec_octets *own,
			  uint8_t *auth, size_t *len);
/** The peer's.  0, ERR_AUTH, or as above. */
MUST_USE int sec_msk_check(struct view msk, const struct sec_octets *peer,
			   uint8_t method, struct view auth);

#endif
