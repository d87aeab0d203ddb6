/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/pace.h - how often a worker lets itself be woken.
 *
 * A worker goes before other programs on its CPU (prio.h), so a program that sends
 * small packets one by one is interrupted for each of them: it never gets two out
 * before the worker runs, and each pays for a wake-up here and for another one at
 * the far end, ten times what its sealing costs.  Where that goes on, the worker
 * sleeps a little and takes what has come together meanwhile.
 *
 *                 SINGLES wake-ups in a window, of a packet or two,
 *                 and (almost) nothing the other way
 *      at once   --------------------------------------------------->  paced
 *                <---------------------------------------------------
 *                 LOOKS_MAX looks in a row that were not worth it
 *
 * A question and its answer are as many packets one way as the other, bulk comes
 * in super-frames and trains, and what is rare does not fill the window: none of
 * them is delayed.
 *
 * Thread: the worker.
 */
#ifndef TAPIR_CORE_PACE_H
#define TAPIR_CORE_PACE_H

#include "daemon/base/base.h"

#define PACE_NS 120000u	/* between two looks, and what timers are late by */

enum pace_way { PACE_OUT, PACE_IN, PACE_WAY_END };

/* All zero at first. */
struct pace {
	bool is_on;
	unsigned n_vain;	/* looks in a row that were not worth it */
	uint64_t looked_ns;	/* when it was woken, paced */
	uint64_t window_ns;	/* begin of the window, at once */
	unsigned n_single[PACE_WAY_END]; /* in the window: wake-ups ... */
	uint64_t n_in[PACE_WAY_END];	 /* ... and packets */
	uint64_t total[PACE_WAY_END];	 /* as of the last call */
};

/**
 * A worker has served what woke it and is about to wait: how long is it to sleep
 * first?
 *
 * @param total    packets from the TAP and from the net, since it started.
 * @param is_more  something was left behind.
 * @param now_ns   clk_ns().
 * @return ns, at most PACE_NS; 0: not at all.
 */
uint64_t pace_rest(struct pace *p, const uint64_t total[PACE_WAY_END],
		   bool is_more, uint64_t now_ns);

/** The worker has slept. */
void pace_woken(struct pace *p, uint64_t now_ns);

#endif
