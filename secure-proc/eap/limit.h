/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/eap/limit.h - how often somebody may guess a password.
 *
 * Failures count for a user name (known or not: they look the same) and for the
 * address they come from.  After some free ones each doubles the time in which no
 * further attempt is looked at; a success forgets those of the name.  The time has an
 * end that a person can wait for, as strangers can make a user wait with this.
 *
 * How far they can:
 *   - who got in from an address before is known there, and waits for nobody's
 *     failures but his own name's from that address: strangers who guess at the name
 *     from elsewhere, or at other names behind the same NAT, are none of his;
 *   - an address over its limit makes names wait that have failed themselves: who
 *     comes for the first time, among hundreds behind one NAT, does not.
 * Names that nobody has look the same, but have a table of their own: a stranger
 * with a list of names does not push those out that count.
 *
 * Thread: the only one.
 */
#ifndef TAPIR_SECURE_EAP_LIMIT_H
#define TAPIR_SECURE_EAP_LIMIT_H

#include "daemon/base/base.h"

#define SEC_LIMIT_SLOTS	    4096	/* names and addresses remembered; ours */
#define SEC_LIMIT_FREE_USER 5		/* failures of a name without waiting */
#define SEC_LIMIT_FREE_FROM 20		/* of an address: people share them */
#define SEC_LIMIT_FREE_BOTH 2		/* of a name, where the address is over */
#define SEC_LIMIT_FIRST_MS  1000
#define SEC_LIMIT_MOST_MS   60000
#define SEC_LIMIT_FORGET_MS 600000	/* without a failure: all is forgotten */
#define SEC_LIMIT_KNOWN_MS  2592000000u	/* 30 days: who got in from where */

struct sec_limit;

/* An attempt. */
struct sec_try {
	uint32_t realm;
	struct view user;
	struct view from;	/* an address as text; of IPv6 its /64 counts */
	bool is_somebody;	/* there is such a user, or nobody here can say */
	bool is_known;		/* set by sec_limit_take(): got in from there */
};

/** 0, ERR_NOMEM or ERR_RANDOM. */
MUST_USE int sec_limit_new(struct sec_limit **out);
/** NULL is fine. */
void sec_limit_free(struct sec_limit *l);
/**
 * An attempt begins.  It counts as failed until sec_limit_good(), so that
 * attempts side by side gain nothing.
 *
 * @return false: it is too early, and nothing was counted.
 */
MUST_USE bool sec_limit_take(struct sec_limit *l, struct sec_try *t,
			     uint64_t now_ms);
/** That attempt was the right user: what was counted for the name is forgotten,
 * and this one for the address; the name is known there. */
void sec_limit_good(struct sec_limit *l, const struct sec_try *t,
		    uint64_t now_ms);

#endif
