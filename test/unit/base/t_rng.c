/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/base/t_rng.c - random bytes, their failure, and the seeded generator.
 */
#include "daemon/base/rng.h"
#include <string.h>
#include "daemon/base/err.h"
#include "test/lib/test.h"

static int
broken(void *ctx, void *out, size_t n)
{
	(void)ctx;
	memset(out, 0xee, n);
	return ERR_IO;
}

TEST(kernel_bytes_differ_and_fill_everything)
{
	uint8_t a[64] = { 0 }, b[64] = { 0 };
	uint8_t big[4096];
	size_t n_zero = 0;

	assert_int_equal(rng_bytes(a, sizeof(a)), 0);
	assert_int_equal(rng_bytes(b, sizeof(b)), 0);
	assert_memory_not_equal(a, b, sizeof(a));
	memset(big, 0, sizeof(big));
	assert_int_equal(rng_bytes(big, sizeof(big)), 0);
	for (size_t i = 0; i < sizeof(big); i++)
		n_zero += big[i] == 0;
	/* 16 expected; 100 is more than twenty deviations away. */
	assert_in_range(n_zero, 0, 100);
	assert_int_equal(rng_bytes(NULL, 0), 0);
}

TEST(a_failing_generator_fails_and_leaves_zeros)
{
	uint8_t out[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	static const uint8_t zero[8];

	rng_set_source(broken, NULL);
	assert_int_equal(rng_bytes(out, sizeof(out)), ERR_RANDOM);
	assert_memory_equal(out, zero, sizeof(out));
	rng_set_source(NULL, NULL);
	assert_int_equal(rng_bytes(out, sizeof(out)), 0);
}

TEST(the_same_seed_says_the_same)
{
	uint8_t a[37], b[37];
	struct rng_det r;

	rng_det_init(&r, 42);
	rng_set_source(rng_det_source, &r);
	assert_int_equal(rng_bytes(a, sizeof(a)), 0);
	rng_det_init(&r, 42);
	assert_int_equal(rng_bytes(b, sizeof(b)), 0);
	assert_memory_equal(a, b, sizeof(a));
	rng_det_init(&r, 43);
	assert_int_equal(rng_bytes(b, sizeof(b)), 0);
	assert_memory_not_equal(a, b, sizeof(a));
	rng_set_source(NULL, NULL);
}

/* First outputs of the authors' code for the state 1, 2, 3, 4. */
TEST(the_generator_is_the_one_it_names)
{
	struct rng_det r = { { 1, 2, 3, 4 } };

	assert_true(rng_det_u64(&r) == 11520);
	assert_true(rng_det_u64(&r) == 0);
	assert_true(rng_det_u64(&r) == 1509978240);
	assert_true(rng_det_u64(&r) == UINT64_C(1215971899390074240));
}

TEST(a_zero_seed_does_not_stick)
{
	struct rng_det r;
	uint64_t any = 0;

	rng_det_init(&r, 0);
	for (size_t i = 0; i < 8; i++)
		any |= rng_det_u64(&r);
	assert_true(any != 0);
}
