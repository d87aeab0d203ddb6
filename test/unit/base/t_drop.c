/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/base/t_drop.c - drop counters add up over threads.
 */
#include "daemon/base/drop.h"
#include <string.h>
#include "daemon/base/thr.h"
#include "test/lib/test.h"

TEST(counts_add_up_for_their_own_reason_only)
{
	drop_reset();
	drop_count(DROP_ESP_ICV, 1);
	drop_count(DROP_ESP_ICV, 41);
	assert_int_equal(drop_sum(DROP_ESP_ICV), 42);
	assert_int_equal(drop_sum(DROP_ESP_PAD), 0);
	drop_reset();
	assert_int_equal(drop_sum(DROP_ESP_ICV), 0);
}

static void
flood(void *ctx)
{
	(void)ctx;
	for (unsigned i = 0; i < 5000; i++)
		drop_count(DROP_ESP_REPLAY, 1);
}

TEST(threads_count_without_loss_also_after_their_end)
{
	struct thr *t[3];

	drop_reset();
	for (unsigned round = 0; round < 3; round++) {
		for (size_t i = 0; i < N_OF(t); i++)
			assert_int_equal(thr_start(&t[i], "flood", flood,
			    NULL), 0);
		/* Reading while they count is fine, too. */
		assert_in_range(drop_sum(DROP_ESP_REPLAY), 15000 * round,
		    15000 * (round + 1));
		for (size_t i = 0; i < N_OF(t); i++)
			thr_join(t[i]);
	}
	assert_int_equal(drop_sum(DROP_ESP_REPLAY), 45000);
}

TEST(every_reason_has_its_own_key_a_sentence_and_an_owner)
{
	for (int d = 0; d < DROP_END; d++) {
		assert_true(strlen(drop_text((enum drop)d)) > 3);
		assert_true(strlen(drop_owner((enum drop)d)) > 2);
		for (int e = 0; e < d; e++)
			assert_string_not_equal(drop_key((enum drop)d),
			    drop_key((enum drop)e));
	}
}

TEST(a_reason_that_does_not_exist_counts_nowhere)
{
	drop_reset();
	drop_count(DROP_END, 5);
	drop_count((enum drop)-1, 5);
	assert_int_equal(drop_sum(DROP_END), 0);
	for (int d = 0; d < DROP_END; d++)
		assert_int_equal(drop_sum((enum drop)d), 0);
	assert_string_equal(drop_key(DROP_END), "unknown");
	assert_non_null(drop_text((enum drop)-1));
	assert_non_null(drop_owner(DROP_END));
}

static void
drop_two(void *ctx)
{
	unsigned *me = ctx;

	*me = thr_index();
	drop_count(DROP_ESP_REPLAY, 1);
	drop_count(DROP_ESP_ICV, 1);
}

TEST(a_thread_has_a_sum_of_its_own)
{
	unsigned other = 0;
	struct thr *t;

	drop_reset();
	drop_count(DROP_ESP_ICV, 5);
	assert_int_equal(thr_start(&t, "two", drop_two, &other), 0);
	thr_join(t);
	assert_int_equal(drop_sum_thread(other), 2);
	assert_int_equal(drop_sum_thread(thr_index()), 5);
	assert_int_equal(drop_sum_thread(THR_MAX), 0);
}
