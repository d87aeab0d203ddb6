/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/keys/mark.h - the fingerprint of a pre-shared key, for people who
 * compare two of them.
 *
 *   salt = "tapir psk" | 0 | one identity | 0 | the other, in order of bytes
 *   the first SEC_MARK_DIGITS hex digits of PBKDF2-HMAC-SHA2-256(psk, salt)
 *
 * The same at both ends.  It must not help who guesses: twelve bits tell one
 * guess in 4096 apart from the others and no more, each guess costs
 * SEC_MARK_ROUNDS, and a table made for one pair of names is of no use for
 * another.  Two different keys look the same once in 4096 times.
 *
 * Thread: any.
 */
#ifndef TAPIR_SECURE_MARK_H
#define TAPIR_SECURE_MARK_H

#include "daemon/base/base.h"

#define SEC_MARK_DIGITS 3
#define SEC_MARK_ROUNDS 20000	/* about 20 ms of one CPU; ours */

/**
 * @param psk    not empty.
 * @param id     identities of both ends, in either order.
 * @param rounds SEC_MARK_ROUNDS; less in tests.
 * @param out    SEC_MARK_DIGITS + 1 bytes.
 * @return 0, ERR_SHORT (empty key), ERR_LONG (names) or ERR_CRYPTO.
 */
MUST_USE int sec_mark_make(struct view psk, const char *id_a, const char *id_b,
			   unsigned rounds, char *out);

/** PBKDF2-HMAC-SHA2-256 (RFC 8018 5.2), the first 32 bytes.  0 or ERR_CRYPTO. */
MUST_USE int sec_pbkdf2(struct view pass, struct view salt, unsigned rounds,
			uint8_t out[32]);

#endif
