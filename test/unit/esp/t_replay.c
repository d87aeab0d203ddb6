/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/esp/t_replay.c - anti-replay window and extended numbers.
 */
#include "test/lib/test.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "esp/replay.h"

#define W ESP_WINDOW_BITS
#define HALF (UINT64_C(1) << 32)

static struct esp_replay w;

static void
start(uint64_t top)
{
	esp_replay_init(&w);
	if (top != 0)
		assert_int_equal(esp_replay_commit(&w, top), 0);
}

TEST(replay_refuses_zero_and_what_was_seen)
{
	start(0);
	assert_int_equal(esp_replay_check(&w, 0), ERR_REPLAY);
	assert_int_equal(esp_replay_commit(&w, 0), ERR_REPLAY);
	assert_int_equal(esp_replay_commit(&w, 1), 0);
	assert_int_equal(esp_replay_check(&w, 1), ERR_REPLAY);
	assert_int_equal(esp_replay_commit(&w, 1), ERR_REPLAY);
	assert_int_equal(esp_replay_check(&w, 2), 0);
}

TEST(replay_refuses_left_of_window)
{
	start(50000);
	assert_int_equal(esp_replay_check(&w, 50000 - W), ERR_REPLAY);
	assert_int_equal(esp_replay_check(&w, 50000 - W + 1), 0);
	assert_int_equal(esp_replay_commit(&w, 50000 - W + 1), 0);
	assert_int_equal(esp_replay_check(&w, 50000 - W + 1), ERR_REPLAY);
	assert_int_equal(esp_replay_check(&w, 1), ERR_REPLAY);
}

TEST(check_changes_nothing)
{
	struct esp_replay before;

	start(50000);
	before = w;
	for (uint64_t s = 0; s < 100000; s++)
		(void)!esp_replay_check(&w, s);
	assert_memory_equal(&before, &w, sizeof(w));
}

/* Each near the borders of words and of the window, some between. */
static uint64_t
next_jump(uint64_t jump)
{
	uint64_t in = jump % W;

	return jump + (in < 130 || in > W - 130 ? 1 : 61);
}

TEST(jumps_of_any_length_forget_what_left_the_window)
{
	for (uint64_t jump = 1; jump < 3 * W; jump = next_jump(jump)) {
		uint64_t base = 10 * W;

		start(0);
		for (uint64_t s = base - W + 1; s <= base; s++)
			assert_int_equal(esp_replay_commit(&w, s), 0);
		assert_int_equal(esp_replay_commit(&w, base + jump), 0);
		/* Old ones are refused as seen or as too old. */
		for (uint64_t s = base - W + 1; s <= base; s++)
			assert_int_equal(esp_replay_check(&w, s), ERR_REPLAY);
		/* New ones in the window were not seen. */
		for (uint64_t s = base + 1; s < base + jump; s++)
			assert_int_equal(esp_replay_check(&w, s),
					 base + jump - s >= W ? ERR_REPLAY : 0);
	}
}

TEST(shuffled_traffic_agrees_with_a_plain_list)
{
	enum { N = 5 * W };
	static uint8_t seen[N + 2];
	struct rng_det r;
	uint64_t top = 0, at = 1;

	rng_det_init(&r, test_seed());
	memset(seen, 0, sizeof(seen));
	start(0);
	for (unsigned i = 0; i < 200000; i++) {
		uint64_t s = at + rng_det_u64(&r) % (2 * W);
		bool is_good;

		s = s > W ? s - W : s;
		s = s > N ? N : s;
		is_good = s > 0 && !seen[s] && (s > top || top - s < W);
		assert_int_equal(esp_replay_check(&w, s),
				 is_good ? 0 : ERR_REPLAY);
		if (is_good && rng_det_u64(&r) % 4 != 0) {
			assert_int_equal(esp_replay_commit(&w, s), 0);
			seen[s] = 1;
			top = s > top ? s : top;
		}
		if (i % 3 == 0 && at < N)
			at++;
	}
	assert_int_equal(w.top, top);
}

TEST(without_esn_the_low_half_is_the_number)
{
	start(UINT32_MAX);
	assert_int_equal(esp_replay_rebuild(&w, false, 1), 1);
	assert_int_equal(esp_replay_check(&w, 1), ERR_REPLAY);
	assert_int_equal(esp_replay_rebuild(&w, false, UINT32_MAX),
			 UINT32_MAX);
}

TEST(esn_case_a_window_within_one_half)
{
	start(3 * HALF + 50000);
	assert_int_equal(esp_replay_rebuild(&w, true, 50001), 3 * HALF + 50001);
	assert_int_equal(esp_replay_rebuild(&w, true, 50000 - W + 1),
			 3 * HALF + 50000 - W + 1);
	assert_int_equal(esp_replay_rebuild(&w, true, UINT32_MAX),
			 3 * HALF + UINT32_MAX);
	/* Left of the window: the next half. */
	assert_int_equal(esp_replay_rebuild(&w, true, 50000 - W),
			 4 * HALF + 50000 - W);
	assert_int_equal(esp_replay_rebuild(&w, true, 0), 4 * HALF);
	/* The border of the case: Tl = W - 1. */
	start(3 * HALF + W - 1);
	assert_int_equal(esp_replay_rebuild(&w, true, 0), 3 * HALF);
	assert_int_equal(esp_replay_rebuild(&w, true, UINT32_MAX),
			 3 * HALF + UINT32_MAX);
}

TEST(esn_case_b_window_over_two_halves)
{
	start(3 * HALF + 10);
	assert_int_equal(esp_replay_rebuild(&w, true, 11), 3 * HALF + 11);
	assert_int_equal(esp_replay_rebuild(&w, true, 0), 3 * HALF);
	assert_int_equal(esp_replay_rebuild(&w, true, UINT32_MAX),
			 2 * HALF + UINT32_MAX);
	assert_int_equal(esp_replay_rebuild(&w, true, (uint32_t)(10 - W + 1)),
			 2 * HALF + (uint32_t)(10 - W + 1));
	assert_int_equal(esp_replay_rebuild(&w, true, (uint32_t)(10 - W)),
			 3 * HALF + (uint32_t)(10 - W));
}

TEST(esn_has_nothing_before_the_first_half_nor_after_the_last)
{
	start(10);
	assert_int_equal(esp_replay_rebuild(&w, true, UINT32_MAX), UINT32_MAX);
	start(UINT64_MAX - 10);
	assert_int_equal(esp_replay_rebuild(&w, true, UINT32_MAX),
			 UINT64_MAX);
	assert_int_equal(esp_replay_commit(&w, UINT64_MAX), 0);
	/* Would be beyond 2^64: no number at all. */
	assert_int_equal(esp_replay_rebuild(&w, true, 5), 0);
	assert_int_equal(esp_replay_check(&w, UINT64_MAX), ERR_REPLAY);
}

TEST(esn_follows_a_sender_over_the_border_of_the_halves)
{
	struct rng_det r;
	uint64_t top = 2 * HALF - 3000;

	rng_det_init(&r, test_seed());
	start(top);
	while (top < 2 * HALF + 3000) {
		uint64_t seq = top + 1 + rng_det_u64(&r) % 50;

		if (rng_det_u64(&r) % 3 == 0)
			seq -= rng_det_u64(&r) % (W - 60);
		assert_int_equal(esp_replay_rebuild(&w, true, (uint32_t)seq),
				 seq);
		if (esp_replay_commit(&w, seq) == 0 && seq > top)
			top = seq;
	}
	assert_int_equal(w.top, top);
}

TEST(what_is_far_ahead_was_rather_left_of_the_window)
{
	esp_replay_init(&w);
	assert_int_equal(esp_replay_commit(&w, 3 * W), 0);
	assert_true(esp_replay_is_old(&w, esp_replay_rebuild(&w, true, W)));
	assert_true(esp_replay_is_old(&w, esp_replay_rebuild(&w, true, 1)));
	assert_false(esp_replay_is_old(&w, esp_replay_rebuild(&w, true,
							       2 * W + 1)));
	assert_false(esp_replay_is_old(&w, 3 * W));
	assert_false(esp_replay_is_old(&w, 3 * W + 1));
	assert_false(esp_replay_is_old(&w, esp_replay_rebuild(&w, true,
							       1u << 30)));
	assert_false(esp_replay_is_old(&w, esp_replay_rebuild(&w, false, 1)));
}

TEST(a_worker_that_stands_still_for_long_may_send_late)
{
	/* a million packets a second by one, and 15 ms later the other's */
	esp_replay_init(&w);
	for (uint64_t seq = 65; seq < 15000; seq++)
		assert_int_equal(esp_replay_commit(&w, seq), 0);
	for (uint64_t seq = 1; seq <= 64; seq++)
		assert_int_equal(esp_replay_commit(&w, seq), 0);
}
