/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/replay.c - anti-replay window of one inbound SA.
 *
 * A bitmap over 64-bit sequence numbers (RFC 4303 section 3.4.3, laid out as
 * in RFC 6479): a ring of words in which the window is never shifted; words
 * that it enters are cleared.  check() before decryption, commit() once the
 * ICV is verified.
 *
 * Thread: the worker that owns the SA.  No locks, no allocation, no I/O.
 */
#include "esp/replay.h"
#include <string.h>
#include "daemon/base/err.h"

#define WORD_BITS 64
#define WORD_MASK (ESP_REPLAY_WORDS - 1)

_Static_assert((ESP_REPLAY_WORDS & WORD_MASK) == 0, "a power of two");
_Static_assert(ESP_WINDOW_BITS + WORD_BITS <= ESP_REPLAY_WORDS * WORD_BITS,
	       "one word more than the window");

static bool
is_set(const struct esp_replay *w, uint64_t seq)
{
	return w->bit[seq / WORD_BITS & WORD_MASK] >> seq % WORD_BITS & 1;
}

void
esp_replay_init(struct esp_replay *w)
{
	memset(w, 0, sizeof(*w));
}

uint64_t
esp_replay_rebuild(const struct esp_replay *w, bool is_esn, uint32_t seq_lo)
{
	uint32_t top_lo = (uint32_t)w->top;
	uint64_t hi = w->top >> 32;
	/* Bottom of the window, modulo 2^32. */
	uint32_t low = top_lo - (ESP_WINDOW_BITS - 1);

	if (!is_esn)
		return seq_lo;
	if (top_lo >= ESP_WINDOW_BITS - 1) {
		/* Case A: the window lies within one half. */
		if (seq_lo < low && hi++ == UINT32_MAX)
			return 0;
	} else if (seq_lo >= low && hi > 0) {
		/* Case B: its left part lies in the half before, which the
		 * first half has not. */
		hi--;
	}
	return hi << 32 | seq_lo;
}

bool
esp_replay_is_old(const struct esp_replay *w, uint64_t seq)
{
	return seq > w->top && seq - w->top > UINT64_C(1) << 31;
}

int
esp_replay_check(const struct esp_replay *w, uint64_t seq)
{
	if (seq == 0)
		return ERR_REPLAY;
	if (seq > w->top)
		return 0;
	if (w->top - seq >= ESP_WINDOW_BITS || is_set(w, seq))
		return ERR_REPLAY;
	return 0;
}

int
esp_replay_commit(struct esp_replay *w, uint64_t seq)
{
	int err;

	if ((err = esp_replay_check(w, seq)) != 0)
		return err;
	if (seq > w->top) {
		uint64_t from = w->top / WORD_BITS, to = seq / WORD_BITS;
		uint64_t n = MIN(to - from, (uint64_t)ESP_REPLAY_WORDS);

		for (uint64_t i = 0; i < n; i++)
			w->bit[(to - i) & WORD_MASK] = 0;
		w->top = seq;
	}
	w->bit[seq / WORD_BITS & WORD_MASK] |= UINT64_C(1) << seq % WORD_BITS;
	return 0;
}
