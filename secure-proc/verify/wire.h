/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/verify/wire.h - questions and answers between the secure process
 * and its verify child, one datagram each.
 *
 *   question   number (64), realm (32), peer (32), time (64), TLS and standing (8),
 *              method (8), then id, id_own, cert, auth, init_msg, nonce, maced_id, each behind
 *              a 32-bit length
 *   answer     number (64), err (32), realm (32), peer (32), not_after (64), key
 *              (256), then why and subject, each behind a 32-bit length.  Number 0: a
 *              child has begun; SEC_SAID_LISTS: it has other lists than before.
 *
 * Thread: any.
 */
#ifndef TAPIR_SECURE_VERIFY_WIRE_H
#define TAPIR_SECURE_VERIFY_WIRE_H

#include "secure-proc/verify/check.h"

#define SEC_SAID_LISTS UINT64_MAX
#define SEC_WIRE_MAX (96u << 10) /* bytes of a datagram; a question fits */

/** @param cap SEC_WIRE_MAX suffices.  0 or ERR_LONG. */
MUST_USE int sec_ask_enc(uint64_t number, const struct sec_check *q,
			 uint8_t *out, size_t cap, size_t *len);
/** Views point into in.  0, ERR_SHORT, ERR_LONG or ERR_TRAIL. */
MUST_USE int sec_ask_dec(struct view in, uint64_t *number,
			 struct sec_check *q);
MUST_USE int sec_answer_enc(uint64_t number, const struct sec_checked *a,
			    uint8_t *out, size_t cap, size_t *len);
/** The child is not trusted: texts without control characters, err known. */
MUST_USE int sec_answer_dec(struct view in, uint64_t *number,
			    struct sec_checked *a);

#endif
