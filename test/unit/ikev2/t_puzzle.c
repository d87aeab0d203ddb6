/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ikev2/t_puzzle.c - puzzles: known solutions, solving, and solutions
 * that are none.
 */
#include "test/unit/ikev2/wire_help.h"

#include "ikev2/crypt/puzzle.h"

static uint8_t sbuf[64], kbuf[4 * 65];

static struct view
cookie(void)
{
	return HEX(sbuf, "739ae7492d8a810cf5e8dc0f9626c9dda773c5a3");
}

static struct ike_ps
keys(const char *hex, size_t len)
{
	return (struct ike_ps){ len, HEX(kbuf, hex) };
}

/* The keys of another implementation of HMAC (python's hmac, from 0 upwards).
 * Those printed in RFC 8019 4.4 are no use: HMAC-SHA2-256 of that cookie under
 * them does not end as the table says. */
static const struct {
	uint16_t prf;
	const char *keys;
	unsigned least;
} known[] = {
	{ IKE_PRF_HMAC_SHA2_256, "00499b" "00cd8a" "01b4dc" "01c244", 14 },
	{ IKE_PRF_HMAC_SHA2_384, "001f29" "00518b" "005e88" "01190f", 14 },
	{ IKE_PRF_HMAC_SHA2_512, "000115" "001d2b" "00d596" "011d9e", 14 },
};

TEST(known_solutions_are_taken_and_found)
{
	uint8_t out[12];
	unsigned least;

	for (unsigned i = 0; i < N_OF(known); i++) {
		struct ike_ps ps = keys(known[i].keys, 3);

		assert_int_equal(ike_puzzle_check(known[i].prf, cookie(), 14,
						  &ps, &least), 0);
		assert_int_equal(least, known[i].least);
		assert_int_equal(ike_puzzle_check(known[i].prf, cookie(), 15,
						  &ps, &least), ERR_AUTH);
		assert_int_equal(ike_puzzle_solve(known[i].prf, cookie(), 14, 3,
						  NULL, NULL, out), 0);
		assert_memory_equal(out, kbuf, sizeof(out));
	}
}

TEST(no_key_counts_twice)
{
	struct ike_ps ps = keys("00499b" "00cd8a" "01b4dc" "00499b", 3);
	unsigned least;

	assert_int_equal(ike_puzzle_check(IKE_PRF_HMAC_SHA2_256, cookie(), 14,
					  &ps, &least), ERR_AUTH);
}

TEST(one_wrong_key_of_four_spoils_a_solution)
{
	struct ike_ps ps = keys(known[0].keys, 3);
	unsigned least;

	for (unsigned i = 0; i < 4; i++) {
		kbuf[3 * i + 2] ^= 1;
		assert_int_equal(ike_puzzle_check(IKE_PRF_HMAC_SHA2_256,
		    cookie(), 9, &ps, &least), ERR_AUTH);
		kbuf[3 * i + 2] ^= 1;
	}
	sbuf[0] ^= 1;
	assert_int_equal(ike_puzzle_check(IKE_PRF_HMAC_SHA2_256,
	    (struct view){ sbuf, 20 }, 9, &ps, &least), ERR_AUTH);
}

TEST(what_is_solved_is_a_solution_for_each_prf)
{
	static const uint16_t prf[] = { IKE_PRF_HMAC_SHA2_256,
		IKE_PRF_HMAC_SHA2_384, IKE_PRF_HMAC_SHA2_512 };
	uint8_t out[16];

	for (unsigned i = 0; i < N_OF(prf); i++) {
		struct ike_ps ps = { 4, { out, sizeof(out) } };
		unsigned least = 0;

		assert_int_equal(ike_puzzle_solve(prf[i], cookie(), 9, 4, NULL,
						  NULL, out), 0);
		assert_int_equal(ike_puzzle_check(prf[i], cookie(), 9, &ps,
						  &least), 0);
		assert_true(least >= 9);
	}
}

static bool
three_times(void *ctx)
{
	unsigned *n = ctx;

	return (*n)++ < 3;
}

TEST(solving_ends_when_it_shall_and_when_keys_run_out)
{
	unsigned n = 0;
	uint8_t out[16];

	assert_int_equal(ike_puzzle_solve(IKE_PRF_HMAC_SHA2_256, cookie(), 200,
					  4, three_times, &n, out), ERR_AGAIN);
	assert_int_equal(n, 4);
	assert_int_equal(ike_puzzle_solve(IKE_PRF_HMAC_SHA2_256, cookie(), 30,
					  1, NULL, NULL, out), ERR_RANGE);
	assert_int_equal(ike_puzzle_solve(IKE_PRF_HMAC_SHA2_256, cookie(), 9, 5,
					  NULL, NULL, out), ERR_RANGE);
	assert_int_equal(ike_puzzle_solve(IKE_PRF_HMAC_SHA1, cookie(), 9, 4,
					  NULL, NULL, out), ERR_ALG);
}

TEST(keys_longer_than_the_prf_prefers_are_refused)
{
	struct ike_ps ps = { 33, { kbuf, 4 * 33 } };
	unsigned least;

	for (unsigned i = 0; i < 4; i++)
		kbuf[33 * i] = (uint8_t)i;
	assert_int_equal(ike_puzzle_check(IKE_PRF_HMAC_SHA2_256, cookie(), 0,
					  &ps, &least), ERR_LONG);
	assert_int_equal(ike_puzzle_check(IKE_PRF_HMAC_SHA2_384, cookie(), 0,
					  &ps, &least), 0);
}

TEST(the_prf_is_one_that_was_proposed)
{
	assert_int_equal(ike_puzzle_prf(1u << 5 | 1u << 6 | 1u << 7), 5);
	assert_int_equal(ike_puzzle_prf(1u << 7 | 1u << 2), 7);
	assert_int_equal(ike_puzzle_prf(1u << 1 | 1u << 2 | 1u << 4), 0);
	assert_int_equal(ike_puzzle_prf(0), 0);
}
