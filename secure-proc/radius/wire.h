/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/radius/wire.h - questions and answers between the secure process
 * and its RADIUS child, one datagram each.
 *
 *   question   number (64), realm (32), server (32), then user, nas, from, state,
 *              eap, each behind a 32-bit length
 *   answer     number (64), err (32), server (32), code (8), has MSK (8),
 *              Session-Timeout (32), MSK (64 bytes), then eap, state, user, each
 *              behind a 32-bit length.  Number 0: a child has begun.
 *
 * Thread: any.
 */
#ifndef TAPIR_SECURE_RADIUS_WIRE_H
#define TAPIR_SECURE_RADIUS_WIRE_H

#include "spi/spi_radius.h"

#define SEC_RADIUS_WIRE_MAX 8192 /* bytes of a datagram; either fits */

struct sec_radius_query {
	uint64_t number;
	uint32_t realm;		/* whose servers */
	uint32_t server;	/* or SEC_RADIUS_ANY */
	struct spi_radius_ask ask; /* without id, auth and secret */
};
struct sec_radius_reply {
	uint64_t number;
	int err;		/* then the answer is empty */
	uint32_t server;	/* who answered, or was silent last */
	struct spi_radius_answer answer; /* who takes it wipes it */
};

/** @param cap SEC_RADIUS_WIRE_MAX suffices.  0 or ERR_LONG. */
MUST_USE int sec_radius_query_enc(const struct sec_radius_query *q,
				  uint8_t *out, size_t cap, size_t *len);
/** Views point into in.  0, ERR_SHORT, ERR_LONG or ERR_TRAIL. */
MUST_USE int sec_radius_query_dec(struct view in, struct sec_radius_query *q);
MUST_USE int sec_radius_reply_enc(const struct sec_radius_reply *a,
				  uint8_t *out, size_t cap, size_t *len);
/** The child is not trusted: an error that is known, a code that is one, no MSK
 * but with an Accept, a user without control characters.
 * 0, ERR_SHORT, ERR_LONG, ERR_TRAIL, ERR_RANGE or ERR_SYNTAX. */
MUST_USE int sec_radius_reply_dec(struct view in, struct sec_radius_reply *a);

#endif
