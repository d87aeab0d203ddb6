/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/drop.h - named drop reasons and their per-thread counters.
 *
 * Every dropped packet has a name.  drop_count() touches only the calling
 * thread's cache line; drop_sum() adds the threads up when somebody reads.
 */
#ifndef TAPIR_BASE_DROP_H
#define TAPIR_BASE_DROP_H

#include <stdatomic.h>
#include "daemon/base/base.h"

enum drop {
#define DROP(name_, key_, text_, owner_) name_,
#include "daemon/base/drop.def"
#undef DROP
	DROP_END
};

struct buf;

/* What the bytes of a dropped packet are. */
enum drop_form {
	DROP_FRAME,		/* Ethernet */
	DROP_PACKET,		/* IP */
	DROP_EITHER,		/* one of them */
	DROP_ESP,		/* from the SPI on */
	DROP_ESP_HEAD,		/* the same, of which only SPI and number are whole */
};
/* Somebody who wants to see what is dropped; fn on the dropping thread. */
struct drop_seer {
	void (*fn)(void *ctx, enum drop d, enum drop_form form,
		   const struct buf *b);
	void *ctx;
};
extern _Atomic(const struct drop_seer *) drop_seer;

/** Have s see what is dropped from now on; NULL: nobody.  One that is replaced may
 * be called until every thread was quiet.  Thread: the loop. */
void drop_set_seer(const struct drop_seer *s);

/** Show a packet that is about to be dropped, before it is let go.  Where nobody
 * looks that is a load and a branch, and nothing where nothing is dropped. */
static inline void
drop_see(enum drop d, enum drop_form form, const struct buf *b)
{
	const struct drop_seer *s = atomic_load_explicit(&drop_seer,
	    memory_order_acquire);

	if (UNLIKELY(s != NULL))
		s->fn(s->ctx, d, form, b);
}

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
