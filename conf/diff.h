/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/diff.h - what a reload would change, and whom it would interrupt.
 *
 * Realms are told apart by name, and so are the peers of a realm; their order
 * means nothing.  Values are compared as they are in effect: a peer that takes
 * over mode= from its realm is concerned when the realm's changes.
 *
 * Pure: nothing here has side effects.  Thread: any.
 */
#ifndef TAPIR_CONF_DIFF_H
#define TAPIR_CONF_DIFF_H

#include "conf/conf.h"

#define CONF_CHANGE_TEXT 512	/* bytes of a change in words; ours */

enum conf_diff_what {
	CONF_ADDED,		/* a realm, a peer, one <net> or the like */
	CONF_REMOVED,
	CONF_CHANGED,		/* an option has another value */
	CONF_INTERRUPTED,	/* what follows: a peer connects anew; without
				 * peer all peers of the realm */
};

struct conf_change {
	enum conf_diff_what what;
	enum conf_effect effect;
	const char *realm, *peer;	/* NULL: of <vpn>; of the realm itself */
	const char *element, *option;	/* what changed; NULL: the realm or peer
					 * itself, or the whole element */
	const char *before, *after;	/* as text; NULL = absent */
};

struct conf_diff_sum {
	unsigned n_change;		/* changes; interruptions do not count */
	unsigned n_restart;		/* of them, those that wait for a restart */
	unsigned n_added, n_removed;	/* peers */
	unsigned n_interrupted;		/* peers that were and stay */
	unsigned n_kept;		/* peers that notice nothing */
};

/** Called for each change, in the order of the new configuration; ch is
 * borrowed. */
typedef void conf_diff_fn(void *ctx, const struct conf_change *ch);

/**
 * Compare two configurations.
 *
 * @param fn  may be NULL, when only the sum counts.
 * @param sum filled.
 */
void conf_diff(const struct conf *old, const struct conf *now, conf_diff_fn *fn,
	       void *ctx, struct conf_diff_sum *sum);

/** What becomes of a realm that is in both: CONF_RENEWS, else CONF_LIVE. */
enum conf_effect conf_realm_fate(const struct conf_realm *old,
				 const struct conf_realm *now);
/** What becomes of a peer that is in both realms, when the realm itself stays:
 * CONF_INTERRUPTS, else CONF_LIVE. */
enum conf_effect conf_peer_fate(const struct conf_realm *old_realm,
				const struct conf_peer *old,
				const struct conf_realm *realm,
				const struct conf_peer *now);

/** A change in words, without a full stop.  out has CONF_CHANGE_TEXT bytes;
 * returned. */
const char *conf_change_text(const struct conf_change *ch, char *out);
/** The sum in words: "1 peer is interrupted, 99 are not".  out as above. */
const char *conf_sum_text(const struct conf_diff_sum *sum, char *out);

#endif
