/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/gate.h - who gets past the door under attack: cookies (RFC 7296 2.6) and
 * puzzles (RFC 8019).
 *
 *   IKE_SA_INIT request --> ike_gate_judge() --> drop
 *                                            --> answer COOKIE [, PUZZLE]
 *                                            --> admit, with what was proven
 *
 * The judge keeps no state, allocates nothing and needs nothing of the engine
 * but the level, so that it can sit on a thread of its own that comes after all
 * others (K12).  The engine has one, tells it the level, and judges by itself
 * what reaches it unjudged.
 *
 * Thread: any for struct ike_gate; a struct ike_gate_seat belongs to one.
 */
#ifndef TAPIR_IKEV2_GATE_H
#define TAPIR_IKEV2_GATE_H

#include "daemon/base/addr.h"
#include "daemon/base/base.h"
#include "daemon/base/cur.h"

#define IKE_GATE_ANSWER_MAX 96	/* bytes of an answer; ours */
#define IKE_GATE_KEY	    32
#define IKE_GATE_MS	    60000 /* life of a cookie secret; the one before it
				   * is honoured too */
#define IKE_GATE_ROUNDS	    2	/* puzzles given to one initiator in a row */

struct ike_gate;

/* What strangers have to do. */
enum ike_gate_level {
	IKE_GATE_OPEN,		/* nothing */
	IKE_GATE_COOKIE,	/* return a cookie: show that they get our answers */
	IKE_GATE_PUZZLE		/* and solve a puzzle */
};
const char *ike_gate_level_name(enum ike_gate_level level);

struct ike_gate_want {
	enum ike_gate_level level;
	uint8_t bits;		/* zero bits of a puzzle; 0 = as many as they like */
	uint8_t chance;		/* per cent of those who returned a cookie, but no
				 * solution, that are let in all the same */
};

/* A thread's copy of the secrets in use. */
struct ike_gate_seat {
	bool has_keys;
	uint64_t period;
	uint8_t key[2][IKE_GATE_KEY];	/* of this period, and of the one before */
};

/* What a request has shown. */
struct ike_proof {
	bool has_cookie;	/* its sender receives what we send there */
	bool has_solved;	/* a puzzle of ours */
	uint64_t tag;		/* tells this cookie from all others */
};

enum ike_gate_verdict {
	IKE_GATE_DROP,		/* counted under a name */
	IKE_GATE_ANSWER,
	IKE_GATE_ADMIT
};

/** 0, ERR_NOMEM or ERR_RANDOM. */
MUST_USE int ike_gate_new(struct ike_gate **out);
/** NULL is fine; wipes the secret. */
void ike_gate_free(struct ike_gate *g);

/** What is wanted from now on.  Thread: the loop; the others: any. */
void ike_gate_set(struct ike_gate *g, const struct ike_gate_want *want);
struct ike_gate_want ike_gate_get(const struct ike_gate *g);

/** Is a datagram (marker removed) an IKE_SA_INIT request, as far as a socket
 * filter can see?  Those are what the judge is for. */
bool ike_gate_is_mine(struct view data);

/**
 * Judge an IKE_SA_INIT request.
 *
 * @param seat    the caller's; zeroed before the first call.
 * @param want    NULL: what was set; else this.
 * @param now_ms  one clock for all callers.
 * @param answer  IKE_GATE_ANSWER_MAX bytes; IKE_GATE_ANSWER: *len of them go back
 *                to where the request came from.  Never longer than the request.
 * @param proof   IKE_GATE_ADMIT: what was shown.
 */
enum ike_gate_verdict ike_gate_judge(struct ike_gate *g,
				     struct ike_gate_seat *seat,
				     const struct ike_gate_want *want,
				     const struct net_ep *remote,
				     struct view data, uint64_t now_ms,
				     uint8_t *answer, size_t *len,
				     struct ike_proof *proof);
/** Wipe the secrets of a seat that is no longer used. */
void ike_gate_seat_fini(struct ike_gate_seat *seat);

struct ike_gate_stats {
	uint64_t n_cookie;	/* cookies asked for */
	uint64_t n_puzzle;	/* ... with a puzzle */
	uint64_t n_solved;	/* solutions that were right */
	uint64_t n_lucky;	/* let in without one */
};
void ike_gate_stats_get(const struct ike_gate *g, struct ike_gate_stats *out);

#endif
