/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/clock.h - notices that somebody set the clock of this machine.
 *
 * Nothing here needs it to be right but certificates and the times in logs and in
 * the history; who reads those later wants to know.
 */
#ifndef TAPIR_CORE_CLOCK_H
#define TAPIR_CORE_CLOCK_H

#include "daemon/base/base.h"

struct bus_rec;

/* Zeroed at first. */
struct clock_watch {
	bool is_known;
	uint64_t ms, wall_ms;	/* when it was looked last */
};

/**
 * Was the clock set since the last look?
 *
 * @param ms       clk_ms().
 * @param wall_ms  clk_wall_ms(), of the same moment.
 * @param was_ms   written when it was: what it would say now.
 * @return true when it is CLOCK_SET_MS or more off that.  The first look never is.
 * Thread: the owner of w.
 */
#define CLOCK_SET_MS 5000	/* less is how clocks are kept right; ours */
bool clock_was_set(struct clock_watch *w, uint64_t ms, uint64_t wall_ms,
		   uint64_t *was_ms);
/** The event CLOCK_SET of it. */
void clock_event(struct bus_rec *r, uint64_t was_ms, uint64_t wall_ms);

#endif
