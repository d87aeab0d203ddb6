/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/drop.h - named drop reasons and their per-thread counters.
 *
 * Every dropped packet has a name.  drop_count() touches only the calling
 * thread's cache line; drop_sum() adds the threads up when somebody reads.
 */
#ifndef TAPIR_BASE_DROP_H
#define TAPIR_BASE_DROP_H

#include "daemon/base/base.h"

enum drop {
#define DROP(name_, key_, text_, owner_) name_,
#include "daemon/base/drop.def"
#undef DROP
	DROP_END
};

/** Add n packets to a reason.  Any thread (at most THR_MAX); no lock. */
void drop_count(enum drop d, uint64_t n);
/** Sum over all threads, also those that ended.  Any thread. */
uint64_t drop_sum(enum drop d);
/** All reasons a thread (thr_index()) counted, from before its time too when
 * the index had another holder.  Any thread. */
uint64_t drop_sum_thread(unsigned thr);
/** Set every counter to zero (tests). */
void drop_reset(void);
/** Stats key, sentence, owner of a reason; static text, never NULL. */
const char *drop_key(enum drop d);
const char *drop_text(enum drop d);
const char *drop_owner(enum drop d);

#endif
