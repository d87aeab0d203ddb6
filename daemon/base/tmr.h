/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/tmr.h - timers of one thread; knows no clock.
 *
 * The owner says what time it is (milliseconds, any origin, never going back).
 * A timer is embedded in what it belongs to.  Binary heap, O(log n).
 */
#ifndef TAPIR_BASE_TMR_H
#define TAPIR_BASE_TMR_H

#include "daemon/base/base.h"

struct tmr;
typedef void tmr_fn(void *ctx);
struct tmr {
	uint64_t at_ms;
	tmr_fn *fn;
	void *ctx;
	size_t idx;		/* 0 = not set; place + 1; see tmr.c */
};
struct tmr_set {
	struct tmr **heap;
	size_t n, cap;
	struct tmr **due;	/* during tmr_run(): taken out, not fired yet */
	size_t n_due, due_at;
};

void tmr_set_init(struct tmr_set *s);
/** Release the heap; timers still set are forgotten. */
void tmr_set_fini(struct tmr_set *s);
/** Prepare an unset timer. */
void tmr_init(struct tmr *t, tmr_fn *fn, void *ctx);
/** (Re)set to fire at at_ms.  0 or ERR_NOMEM. */
MUST_USE int tmr_start(struct tmr_set *s, struct tmr *t, uint64_t at_ms);
void tmr_stop(struct tmr_set *s, struct tmr *t);
bool tmr_is_set(const struct tmr *t);
/** Fire all timers due at now_ms, oldest first; callbacks may start and stop
 * any timer.  A timer restarted for <= now_ms fires at the next call. */
void tmr_run(struct tmr_set *s, uint64_t now_ms);
/** When the next one is due; UINT64_MAX when none. */
uint64_t tmr_next(const struct tmr_set *s);

#endif
