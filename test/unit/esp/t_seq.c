/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/esp/t_seq.c - outbound numbers, alone and from several threads.
 */
#include "test/lib/test.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/thr.h"
#include "esp/seq.h"

static struct esp_seq s;

TEST(numbers_start_at_one_without_gap)
{
	uint64_t first = 99;

	esp_seq_init(&s, true);
	assert_int_equal(esp_seq_take(&s, 0, 0, &first), 0);
	assert_int_equal(first, 99);
	assert_int_equal(esp_seq_take(&s, 3, 1, &first), 3);
	assert_int_equal(first, 1);
	assert_int_equal(esp_seq_take(&s, 64, 1, &first), 64);
	assert_int_equal(first, 4);
}

TEST(last_number_is_used_and_none_after_it)
{
	uint64_t first;

	for (int esn = 0; esn < 2; esn++) {
		esp_seq_init(&s, esn);
		atomic_store(&s.last, s.max - 5);
		assert_int_equal(esp_seq_take(&s, 64, 1, &first), 5);
		assert_int_equal(first, s.max - 4);
		for (int i = 0; i < 100; i++)
			assert_int_equal(esp_seq_take(&s, 64, 1, &first), 0);
		assert_int_equal(atomic_load(&s.last), s.max);
		assert_int_equal(s.max, esn ? UINT64_MAX : UINT32_MAX);
	}
}

TEST(a_policy_lowers_the_ends_and_never_lifts_them)
{
	uint64_t first;

	esp_seq_init(&s, false);
	esp_seq_limit(&s, 8, 10, 800, 1000);
	assert_int_equal(esp_seq_take(&s, 7, 0, &first), 7);
	assert_false(esp_seq_is_soft(&s));
	assert_int_equal(esp_seq_take(&s, 1, 0, &first), 1);
	assert_true(esp_seq_is_soft(&s));
	assert_int_equal(esp_seq_take(&s, 64, 0, &first), 2);
	assert_int_equal(esp_seq_take(&s, 1, 0, &first), 0);
	esp_seq_init(&s, false);
	esp_seq_limit(&s, 0, 0, 800, 1000);
	assert_int_equal(esp_seq_take(&s, 1, 799, &first), 1);
	assert_false(esp_seq_is_soft(&s));
	assert_int_equal(esp_seq_take(&s, 1, 201, &first), 1);
	assert_true(esp_seq_is_soft(&s));
	assert_int_equal(esp_seq_take(&s, 1, 1, &first), 0);
	esp_seq_init(&s, false);
	esp_seq_limit(&s, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX);
	assert_int_equal(s.max, UINT32_MAX);
	assert_int_equal(s.bytes_max, ESP_BYTES_HARD);
}

TEST(soft_end_is_seven_eighths_or_many_bytes)
{
	uint64_t first;

	esp_seq_init(&s, false);
	assert_false(esp_seq_is_soft(&s));
	atomic_store(&s.last, (uint64_t)UINT32_MAX / 8 * 7 - 1);
	assert_false(esp_seq_is_soft(&s));
	assert_int_equal(esp_seq_take(&s, 1, 1, &first), 1);
	assert_true(esp_seq_is_soft(&s));
	esp_seq_init(&s, true);
	assert_int_equal(esp_seq_take(&s, 1, ESP_BYTES_SOFT - 1, &first), 1);
	assert_false(esp_seq_is_soft(&s));
	assert_int_equal(esp_seq_take(&s, 1, 1, &first), 1);
	assert_true(esp_seq_is_soft(&s));
	assert_int_equal(esp_seq_take(&s, 1, ESP_BYTES_SOFT, &first), 1);
	assert_int_equal(esp_seq_take(&s, 1, 1, &first), 0);
}

#define N_THREAD 4
#define N_NUMBER 200000

static uint8_t taken[N_NUMBER + 1];

static void
taker(void *ctx)
{
	unsigned n = 1 + (unsigned)(uintptr_t)ctx * 5, got;
	uint64_t first;

	while ((got = esp_seq_take(&s, n, 10, &first)) > 0)
		for (unsigned i = 0; i < got; i++)
			taken[first + i]++;
}

TEST(threads_never_get_the_same_number)
{
	struct thr *t[N_THREAD];

	memset(taken, 0, sizeof(taken));
	esp_seq_init(&s, true);
	s.max = N_NUMBER;
	for (unsigned i = 0; i < N_THREAD; i++)
		assert_int_equal(thr_start(&t[i], "taker", taker,
					   (void *)(uintptr_t)i), 0);
	for (unsigned i = 0; i < N_THREAD; i++)
		thr_join(t[i]);
	assert_int_equal(taken[0], 0);
	for (unsigned i = 1; i <= N_NUMBER; i++)
		assert_int_equal(taken[i], 1);
	assert_int_equal(atomic_load(&s.last), N_NUMBER);
}
