/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/drop.c - drop counters, one row of cache lines per thread.
 *
 * Only the thread that owns an index writes its row, so counting is a relaxed
 * load and store without a locked instruction; readers add up all rows.  When
 * an index passes on to a later thread the counts stay and go on rising.
 */
#include "daemon/base/drop.h"
#include <stdatomic.h>
#include "daemon/base/thr.h"

struct drop_row {
	_Alignas(64) _Atomic uint64_t n[DROP_END];
};
struct drop_info {
	const char *key;
	const char *text;
	const char *owner;
};

static struct drop_row rows[THR_MAX];
static const struct drop_info infos[DROP_END] = {
#define DROP(name_, key_, text_, owner_) { key_, text_, owner_ },
#include "daemon/base/drop.def"
#undef DROP
};

_Atomic(const struct drop_seer *) drop_seer;

void
drop_set_seer(const struct drop_seer *s)
{
	atomic_store_explicit(&drop_seer, s, memory_order_release);
}

static const struct drop_info *
info_of(enum drop d)
{
	static const struct drop_info unknown = {
		"unknown", "unknown reason", "base"
	};

	return (unsigned)d < DROP_END ? &infos[d] : &unknown;
}

void
drop_count(enum drop d, uint64_t n)
{
	_Atomic uint64_t *at;

	if ((unsigned)d >= DROP_END)
		return;
	at = &rows[thr_index()].n[d];
	atomic_store_explicit(at,
	    atomic_load_explicit(at, memory_order_relaxed) + n,
	    memory_order_relaxed);
}

uint64_t
drop_sum(enum drop d)
{
	uint64_t sum = 0;

	if ((unsigned)d >= DROP_END)
		return 0;
	for (size_t i = 0; i < THR_MAX; i++)
		sum += atomic_load_explicit(&rows[i].n[d],
		    memory_order_relaxed);
	return sum;
}

uint64_t
drop_sum_thread(unsigned thr)
{
	uint64_t sum = 0;

	for (size_t d = 0; thr < THR_MAX && d < DROP_END; d++)
		sum += atomic_load_explicit(&rows[thr].n[d],
		    memory_order_relaxed);
	return sum;
}

void
drop_reset(void)
{
	for (size_t i = 0; i < THR_MAX; i++)
		for (size_t d = 0; d < DROP_END; d++)
			atomic_store_explicit(&rows[i].n[d], 0,
			    memory_order_relaxed);
}

const char *
drop_key(enum drop d)
{
	return info_of(d)->key;
}

const char *
drop_text(enum drop d)
{
	return info_of(d)->text;
}

const char *
drop_owner(enum drop d)
{
	return info_of(d)->owner;
}
