/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/history.h - a timeline of one peer, summed up.
 */
#ifndef TAPIR_CLI_HISTORY_H
#define TAPIR_CLI_HISTORY_H

#include "cli/ask.h"

/* Of what was watched. */
struct history_sum {
	uint64_t from_ms;	/* first row; 0 = none */
	uint64_t watched_ms, up_ms;
	unsigned n_down;	/* times it went from up to down */
	bool is_up;		/* at the end */
};

/** Add up the rows of one peer, and those of the daemon (rows of others are
 * passed over).  realm "" takes all realms with a peer of that name.
 * now_ms: Unix time. */
void history_sum(const struct ask_list *a, const char *realm, const char *peer,
		 uint64_t now_ms, struct history_sum *out);
/** One row as lines. */
void history_row(const struct show *s, const struct bus_rec *r, bool has_name);

#endif
