/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/seq.c - outbound sequence numbers (RFC 4303 section 2.2 and 3.3.3).
 *
 * Thread: any worker.  No lock.
 */
#include "esp/seq.h"
#include "esp/pkt.h"

void
esp_seq_init(struct esp_seq *s, bool is_esn)
{
	atomic_init(&s->last, 0);
	atomic_init(&s->bytes, 0);
	s->max = is_esn ? UINT64_MAX : ESP_SEQ32_MAX;
	s->soft = s->max / 8 * 7;
	s->bytes_soft = ESP_BYTES_SOFT;
	s->bytes_max = ESP_BYTES_HARD;
}

static void
lower(uint64_t *end, uint64_t to)
{
	if (to != 0 && to < *end)
		*end = to;
}

void
esp_seq_limit(struct esp_seq *s, uint64_t soft_packets, uint64_t hard_packets,
	      uint64_t soft_bytes, uint64_t hard_bytes)
{
	lower(&s->soft, soft_packets);
	lower(&s->max, hard_packets);
	lower(&s->bytes_soft, soft_bytes);
	lower(&s->bytes_max, hard_bytes);
}

unsigned
esp_seq_take(struct esp_seq *s, unsigned n, uint64_t bytes, uint64_t *first)
{
	uint64_t last = atomic_load_explicit(&s->last, memory_order_relaxed);
	uint64_t got;

	if (atomic_load_explicit(&s->bytes, memory_order_relaxed) >=
	    s->bytes_max)
		return 0;
	/* Not fetch_add: the counter must never pass the end, not even by a
	 * call that is refused. */
	do {
		got = MIN((uint64_t)n, s->max - last);
		if (got == 0)
			return 0;
	} while (!atomic_compare_exchange_weak_explicit(&s->last, &last,
	    last + got, memory_order_relaxed, memory_order_relaxed));
	atomic_fetch_add_explicit(&s->bytes, bytes, memory_order_relaxed);
	*first = last + 1;
	return (unsigned)got;
}

bool
esp_seq_is_soft(const struct esp_seq *s)
{
	return atomic_load_explicit(&s->last, memory_order_relaxed) >=
		s->soft ||
	    atomic_load_explicit(&s->bytes, memory_order_relaxed) >=
		s->bytes_soft;
}
