/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/ring.c - bounded queue after D. Vyukov: a sequence number a slot.
 *
 * Slot i is free for ticket t (t mod n = i) when its number is t, and holds
 * that ticket's pointer when it is t + 1.  A producer wins a ticket with one
 * compare-and-swap; the only consumer needs none.
 */
#include "daemon/base/ring.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"

#define CACHE_LINE 64
#define RING_MIN   2u
#define RING_MAX   65536u

struct ring_slot {
	_Atomic uint64_t seq;
	void *p;
};
struct ring {
	uint64_t mask;
	struct ring_slot *slot;
	_Alignas(CACHE_LINE) _Atomic uint64_t tail; /* next ticket to push */
	_Alignas(CACHE_LINE) _Atomic uint64_t head; /* next to pop; consumer */
};

int
ring_new(struct ring **out, unsigned n)
{
	struct ring *r;
	uint64_t size = RING_MIN;

	if (n > RING_MAX)
		return ERR_RANGE;
	while (size < n)
		size *= 2;
	r = aligned_alloc(CACHE_LINE, sizeof(*r));
	if (r == NULL)
		return ERR_NOMEM;
	memset(r, 0, sizeof(*r));
	r->slot = calloc(size, sizeof(*r->slot));
	if (r->slot == NULL) {
		free(r);
		return ERR_NOMEM;
	}
	r->mask = size - 1;
	for (uint64_t i = 0; i < size; i++)
		atomic_init(&r->slot[i].seq, i);
	*out = r;
	return 0;
}

void
ring_free(struct ring *r)
{
	if (r == NULL)
		return;
	free(r->slot);
	free(r);
}

int
ring_push(struct ring *r, void *p)
{
	uint64_t at = atomic_load_explicit(&r->tail, memory_order_relaxed);

	for (;;) {
		struct ring_slot *s = &r->slot[at & r->mask];
		int64_t ahead = (int64_t)(atomic_load_explicit(&s->seq,
		    memory_order_acquire) - at);

		if (ahead < 0)
			return ERR_FULL;
		if (ahead > 0) { /* somebody else took this ticket */
			at = atomic_load_explicit(&r->tail,
			    memory_order_relaxed);
			continue;
		}
		if (atomic_compare_exchange_weak_explicit(&r->tail, &at,
		    at + 1, memory_order_relaxed, memory_order_relaxed)) {
			s->p = p;
			atomic_store_explicit(&s->seq, at + 1,
			    memory_order_release);
			return 0;
		}
	}
}

void *
ring_pop(struct ring *r)
{
	uint64_t at = atomic_load_explicit(&r->head, memory_order_relaxed);
	struct ring_slot *s = &r->slot[at & r->mask];
	void *p;

	if (atomic_load_explicit(&s->seq, memory_order_acquire) != at + 1)
		return NULL;
	p = s->p;
	atomic_store_explicit(&s->seq, at + r->mask + 1, memory_order_release);
	atomic_store_explicit(&r->head, at + 1, memory_order_relaxed);
	return p;
}

unsigned
ring_count(const struct ring *r)
{
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

	return tail > head ? (unsigned)MIN(tail - head, r->mask + 1) : 0;
}
