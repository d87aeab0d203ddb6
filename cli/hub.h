/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/hub.h - what changed in a hub's tables between two looks.
 */
#ifndef TAPIR_CLI_HUB_H
#define TAPIR_CLI_HUB_H

#include "cli/ask.h"

enum hub_change { HUB_ADDED, HUB_GONE, HUB_CHANGED };

/** r: the row as it is now (HUB_GONE: as it was); was: before HUB_CHANGED. */
typedef void hub_change_fn(void *ctx, enum hub_change what,
			   const struct bus_rec *r, const struct bus_rec *was);

/**
 * Compare two answers: a row that only before has is gone, one that only now has
 * was added, and one changed whose port, MAC address or state differs.  Counters
 * and ages do not count.
 *
 * @return 0 or ERR_NOMEM.
 */
MUST_USE int hub_diff(const struct ask_list *before, const struct ask_list *now,
		      hub_change_fn *fn, void *ctx);
/** Show a change: a line, or with --json an object on one line. */
void hub_change_show(struct cli *c, enum hub_change what,
		     const struct bus_rec *r, const struct bus_rec *was);

#endif
