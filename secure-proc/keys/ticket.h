/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/keys/ticket.h - tickets to resume an IKE SA (RFC 5723), sealed by
 * value.
 *
 * A ticket holds what has to be known again: who the peer is, in which realm, and
 * the old SK_d.  So a realm or an identity cannot be exchanged: both come out of the
 * ticket, and out of nothing that is said.  Both ends have one of their own, of the
 * same form: the gateway's is with its peer, the peer's with its own main process.
 * The keys that seal them live in secret memory only and are replaced as time goes
 * by; one that is gone, or a process that began anew, means a full authentication.
 *
 * Thread: the only one.
 */
#ifndef TAPIR_SECURE_TICKET_H
#define TAPIR_SECURE_TICKET_H

#include "daemon/base/base.h"

#define SEC_TICKET_MAX	    512		/* bytes, as in secure.def */
#define SEC_TICKET_ID_MAX   32		/* a digest */
#define SEC_TICKET_SK_MAX   64
#define SEC_TICKET_LIFE_S   28800	/* at most; ours: the usual life of IKE SAs */
#define SEC_TICKET_KEYS	    3		/* one that seals, those before */
#define SEC_TICKET_KEY_S    28800	/* it seals so long; then it only opens */
#define SEC_TICKET_USED_MAX 16384	/* tickets used and not expired yet */

struct sec_tickets;

/* The time, twice: who sets the clock of the machine makes no used ticket good
 * again and ends none.  The end of a certificate follows that clock. */
struct sec_now {
	uint64_t s;		/* since some origin, never back: clk_ms() */
	uint64_t wall_s;	/* Unix time */
};

/* What is in a ticket.  Views: borrowed by seal, into the caller's buffer from
 * open. */
struct sec_ticket {
	uint64_t until_s;	/* as sec_now.s */
	uint64_t serial;	/* of this ticket; set by seal */
	uint8_t suite[16];	/* main's: not looked at here */
	uint8_t role;		/* of who seals: 1 initiator, 2 responder */
	uint8_t prf;		/* of SK_d: 1 SHA2-256, 2 SHA2-384, 3 SHA2-512 */
	uint64_t not_after_s;	/* end of its certificate, Unix time; 0 = none */
	struct view realm;	/* name: places in the configuration change */
	struct view peer;	/* name */
	struct view id_own, id_peer; /* SHA-256 of both ID bodies */
	uint32_t lists;		/* generation of lists of revoked certificates */
	struct view shown;	/* SHA-256 of what the peer showed, or empty */
	struct view sk_d;
};

/** 0 or ERR_NOMEM. */
MUST_USE int sec_tickets_new(struct sec_tickets **out);
/** Wipe and free; NULL is fine. */
void sec_tickets_free(struct sec_tickets *t);
/**
 * Seal a ticket; t->serial is chosen, t->until_s shortened to what is possible.
 *
 * @param out    SEC_TICKET_MAX bytes.
 * @return 0; ERR_LONG; ERR_RANGE: it would be over already; ERR_CRYPTO,
 *         ERR_RANDOM, ERR_NOMEM.
 */
MUST_USE int sec_ticket_seal(struct sec_tickets *ts, struct sec_ticket *t,
			     struct sec_now now, uint8_t *out, size_t *len);
/**
 * Open one.
 *
 * @param buf    SEC_TICKET_MAX bytes that t points into; the caller wipes it.
 * @return 0; ERR_AUTH: not sealed by us, changed, of a key that is gone, over, or
 *         used already.
 */
MUST_USE int sec_ticket_open(struct sec_tickets *ts, struct view sealed,
			     struct sec_now now, uint8_t *buf,
			     struct sec_ticket *t);
/** An IKE SA stands that was made with it: not once more (RFC 5723 4.3.1).
 * now_s: as sec_now.s.  0;
 * ERR_EXISTS: it was used meanwhile; ERR_FULL: too many to remember, so it may not
 * be used. */
MUST_USE int sec_ticket_use(struct sec_tickets *ts, const struct sec_ticket *t,
			    uint64_t now_s);

#endif
