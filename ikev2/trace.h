/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/trace.h - what is remembered of attempts to connect, for people.
 *
 * How the last attempt of each direction ended, what both ends offered where
 * nothing fitted, which port was heard when.  It decides nothing, holds no
 * secret, and is told to administrators alone.  What a peer that is not
 * authenticated said may be a lie.
 *
 * Thread: the loop.
 */
#ifndef TAPIR_IKEV2_TRACE_H
#define TAPIR_IKEV2_TRACE_H

#include "ikev2/ike.h"

#define IKE_PAIR_MAX  8		/* rows of a comparison; ours */
#define IKE_CELL_MAX  192	/* one side of a row, with NUL; ours */
#define IKE_MOVED_MAX 80	/* a gateway's name as shown, with NUL; ours */
#define IKE_STRANGERS 4		/* refused peers without a link; ours */

/* How far an attempt had come. */
enum ike_stage {
	IKE_STAGE_START,
	IKE_STAGE_INIT,		/* IKE_SA_INIT */
	IKE_STAGE_AUTH,		/* IKE_INTERMEDIATE, IKE_AUTH */
	IKE_STAGE_CHILD,	/* authenticated; the child SA */
	IKE_STAGE_REKEY,
	IKE_STAGE_ALIVE		/* it was up, and is not answered any more */
};
enum ike_by { IKE_BY_NOBODY, IKE_BY_SILENCE, IKE_BY_PEER, IKE_BY_US };

struct ike_end {
	enum ike_by by;
	enum ike_stage stage;
	uint64_t at_ms;
	uint16_t notify;	/* RFC 7296 3.10.1; 0 = none */
	bool is_protected;	/* the notify was authenticated */
	struct net_ep from;
	char why[IKE_WHY_MAX];
};

/* RFC 5685: what became of it. */
enum ike_moved_how { IKE_MOVED_GONE, IKE_MOVED_TOO_OFTEN, IKE_MOVED_NOWHERE };
struct ike_moved {
	enum ike_moved_how how;
	uint64_t at_ms;		/* the last time; 0 = never */
	unsigned n;		/* in the period that is counted */
	struct ip_addr from;
	char to[IKE_MOVED_MAX];
};

enum ike_pair_kind { IKE_PAIR_NONE, IKE_PAIR_IKE, IKE_PAIR_ESP, IKE_PAIR_TS };

/* Our list and the peer's of one thing; empty = not known. */
struct ike_pair {
	char what[24];
	char own[IKE_CELL_MAX], peer[IKE_CELL_MAX];
};
struct ike_pairs {
	enum ike_pair_kind kind;
	unsigned n;
	struct ike_pair pair[IKE_PAIR_MAX];
};

struct ike_trace_info {
	uint64_t try_ms;	/* our last attempt began; 0 = never */
	uint64_t sent_ms[2], heard_ms[2]; /* ports 500 and 4500; 0 = never */
	unsigned n_cookie;	/* asked for in that attempt */
	unsigned n_group;	/* other groups asked for */
	unsigned big_bytes;	/* largest datagram, when it stands unanswered */
	bool has_frag;		/* both ends know fragments of IKE */
	struct ike_end out;	/* our attempt; also one that hangs now */
	struct ike_end in;	/* the peer's, refused here */
	struct ike_pairs pairs;
	uint64_t rekey_ms;	/* rekeying was refused; 0 = never, or mended */
	char rekey_why[IKE_WHY_MAX];
	struct ike_moved moved;	/* the peer sent us to a gateway */
	uint64_t ticket_ms;	/* our ticket was refused; 0 = never */
	uint64_t own_end_s;	/* of our certificate that was shown when an
				 * attempt failed, Unix time; 0 = none */
	bool is_held, is_wanted;
	bool needs_word;	/* a person has to type a password */
	bool is_unresolved;	/* the last lookup failed */
	unsigned n_ep;		/* addresses known */
	struct net_ep at;	/* the one that is tried, family 0 = none */
};
/** What is known of a link; false when there is none.  Times are clk_ms(). */
bool ike_trace_get(const struct ike *ike, uint32_t link,
		   struct ike_trace_info *out);

/* Who dialled us, was refused and has no link that it would belong to. */
struct ike_stranger {
	uint64_t at_ms;		/* 0 = no entry */
	struct net_ep from;
	char id[IKE_ID_TEXT_MAX]; /* as it calls itself, escaped; may be empty */
	enum ike_stage stage;
	char why[IKE_WHY_MAX];
	struct ike_pairs pairs;
};
/** The i-th newest; NULL behind the last.  Borrowed until the next call into
 * the engine. */
const struct ike_stranger *ike_stranger_at(const struct ike *ike, unsigned i);

#endif
