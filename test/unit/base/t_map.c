/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/base/t_map.c - a bounded hash map and its keyed hash.
 */
#include "daemon/base/map.h"
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "test/lib/test.h"

static int values[4096];

static struct map *
map_of(size_t key_len, size_t max)
{
	struct map *m = NULL;

	assert_int_equal(map_new(&m, key_len, max), 0);
	return m;
}

TEST(what_was_added_is_found_and_removed_once)
{
	struct map *m = map_of(4, 10);

	assert_null(map_find(m, "aaaa"));
	assert_int_equal(map_add(m, "aaaa", &values[1]), 0);
	assert_int_equal(map_add(m, "aaab", &values[2]), 0);
	assert_ptr_equal(map_find(m, "aaaa"), &values[1]);
	assert_ptr_equal(map_find(m, "aaab"), &values[2]);
	assert_null(map_find(m, "aaac"));
	assert_int_equal(map_count(m), 2);
	assert_ptr_equal(map_remove(m, "aaaa"), &values[1]);
	assert_null(map_remove(m, "aaaa"));
	assert_null(map_find(m, "aaaa"));
	assert_int_equal(map_count(m), 1);
	map_free(m);
}

TEST(a_key_cannot_be_added_twice)
{
	struct map *m = map_of(1, 10);

	assert_int_equal(map_add(m, "k", &values[1]), 0);
	assert_int_equal(map_add(m, "k", &values[2]), ERR_EXISTS);
	assert_ptr_equal(map_find(m, "k"), &values[1]);
	map_free(m);
}

TEST(the_bound_holds)
{
	struct map *m = map_of(1, 2);

	assert_int_equal(map_add(m, "a", &values[1]), 0);
	assert_int_equal(map_add(m, "b", &values[2]), 0);
	assert_int_equal(map_add(m, "c", &values[3]), ERR_FULL);
	assert_int_equal(map_add(m, "b", &values[3]), ERR_EXISTS);
	assert_non_null(map_remove(m, "a"));
	assert_int_equal(map_add(m, "c", &values[3]), 0);
	map_free(m);
	m = map_of(1, 0);
	assert_int_equal(map_add(m, "a", &values[1]), ERR_FULL);
	map_free(m);
}

TEST(the_key_is_copied)
{
	char key[4] = { 'a', 'b', 'c', 'd' };
	struct map *m = map_of(4, 2);

	assert_int_equal(map_add(m, key, &values[1]), 0);
	key[0] = 'x';
	assert_ptr_equal(map_find(m, "abcd"), &values[1]);
	assert_null(map_find(m, key));
	map_free(m);
}

TEST(senseless_maps_are_refused)
{
	struct map *m = NULL;

	assert_int_equal(map_new(&m, 0, 1), ERR_RANGE);
	assert_int_equal(map_new(&m, MAP_KEY_MAX + 1, 1), ERR_RANGE);
	assert_null(m);
	map_free(NULL);
}

/* Against a plain array as the model. */
TEST(a_long_random_story_agrees_with_an_array)
{
	struct map *m = map_of(sizeof(uint16_t), N_OF(values));
	static bool is_in[N_OF(values)];
	size_t n = 0;
	struct rng_det r;

	rng_det_init(&r, test_seed());
	for (size_t step = 0; step < 60000; step++) {
		uint64_t v = rng_det_u64(&r);
		uint16_t k = (uint16_t)(v % N_OF(values));

		switch (v >> 60 & 3) {
		case 0:
			assert_ptr_equal(map_remove(m, &k),
			    is_in[k] ? &values[k] : NULL);
			n -= is_in[k];
			is_in[k] = false;
			break;
		case 1:
			assert_ptr_equal(map_find(m, &k),
			    is_in[k] ? &values[k] : NULL);
			break;
		default:
			assert_int_equal(map_add(m, &k, &values[k]),
			    is_in[k] ? ERR_EXISTS : 0);
			n += !is_in[k];
			is_in[k] = true;
		}
		assert_int_equal(map_count(m), n);
	}
	map_free(m);
}

TEST(a_visit_sees_everything_once_and_may_remove)
{
	struct map *m = map_of(sizeof(int), 1000);
	size_t it = 0, n = 0;
	int *v;

	for (int i = 0; i < 1000; i++) {
		values[i] = i;
		assert_int_equal(map_add(m, &i, &values[i]), 0);
	}
	while ((v = map_next(m, &it)) != NULL) {
		n++;
		if (*v % 3 == 0)
			assert_ptr_equal(map_remove(m, v), v);
	}
	assert_int_equal(n, 1000);
	assert_int_equal(map_count(m), 666);
	for (it = 0, n = 0; (v = map_next(m, &it)) != NULL; n++)
		assert_int_not_equal(*v % 3, 0);
	assert_int_equal(n, 666);
	map_free(m);
}

/* Vectors of the SipHash paper's reference code: key 00..0f, input 00 01 .. */
TEST(siphash_agrees_with_its_authors)
{
	uint8_t key[16], in[63];

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)i;
	assert_true(siphash(key, in, 0) == UINT64_C(0x726fdb47dd0e0e31));
	assert_true(siphash(key, in, 1) == UINT64_C(0x74f839c593dc67fd));
	assert_true(siphash(key, in, 8) == UINT64_C(0x93f5f5799a932462));
	assert_true(siphash(key, in, 15) == UINT64_C(0xa129ca6149be45e5));
	key[0] ^= 1;
	assert_false(siphash(key, in, 15) == UINT64_C(0xa129ca6149be45e5));
}
