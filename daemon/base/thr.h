/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/thr.h - named threads, "which thread am I", quiescent states.
 *
 * Read-mostly tables are replaced, not changed: the writer (the loop thread)
 * publishes a new version with an atomic store and hands the old one to
 * thr_defer(); it is freed once every registered thread has passed a quiescent
 * point (thr_quiet()) or is offline (blocked in its wait for events).
 */
#ifndef TAPIR_BASE_THR_H
#define TAPIR_BASE_THR_H

#include "daemon/base/base.h"

#define THR_MAX 128 /* threads with an index; ours */

struct thr;
typedef void thr_fn(void *ctx);

/** Start a thread with all signals blocked; returns once it runs.  name: at most 15 characters. */
MUST_USE int thr_start(struct thr **out, const char *name, thr_fn *fn, void *ctx);
/** Wait for its end and free the handle; NULL is fine. */
void thr_join(struct thr *t);
/** Bind to one CPU; 0, ERR_RANGE or ERR_SYS. */
MUST_USE int thr_pin(struct thr *t, unsigned cpu);
/** CPU time it has used since its start, user and system, in ns; 0 when the
 * system does not say.  Any thread, while the handle lives. */
uint64_t thr_cpu_ns(const struct thr *t);

/** Give it another nice level; going down needs the right to.  0 or ERR_SYS. */
MUST_USE int thr_nice(struct thr *t, int nice);

/** Small index of the calling thread, 0 .. THR_MAX-1, given at first use. */
unsigned thr_index(void);

/** Take part in quiescent-state reclamation; a thread starts online. */
void thr_register(void);
void thr_unregister(void);
/** The calling thread holds no pointer into a replaceable table right now. */
void thr_quiet(void);
/** Around a blocking wait: an offline thread holds no such pointer. */
void thr_offline(void);
void thr_online(void);

/** Call fn(ctx) on the loop thread, from thr_reclaim(), once every registered
 * thread has been quiet since now.  Thread: the loop.  0 or ERR_NOMEM. */
MUST_USE int thr_defer(thr_fn *fn, void *ctx);
/** Run what may run; true while something still waits.  The call is itself a
 * quiet point of the caller.  Thread: the loop. */
bool thr_reclaim(void);
/** Run everything without waiting: only once all other threads were joined. */
void thr_reclaim_all(void);

#endif
