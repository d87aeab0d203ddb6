/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/base/t_arena.c - bounded memory that goes away as a whole.
 */
#include "daemon/base/arena.h"
#include <string.h>
#include "test/lib/test.h"

static bool
is_zero(const uint8_t *p, size_t n)
{
	while (n-- > 0)
		if (*p++ != 0)
			return false;
	return true;
}

TEST(memory_is_zeroed_and_aligned)
{
	struct arena a;

	arena_init(&a, 1 << 20);
	for (size_t n = 1; n < 200; n += 7) {
		uint8_t *p = arena_alloc(&a, n);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		assert_true(is_zero(p, n));
		memset(p, 0xff, n);
	}
	arena_fini(&a);
}

TEST(pieces_do_not_overlap)
{
	uint8_t *p[64];
	struct arena a;

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < N_OF(p); i++) {
		p[i] = arena_alloc(&a, 100);
		assert_non_null(p[i]);
		memset(p[i], (int)i, 100);
	}
	for (size_t i = 0; i < N_OF(p); i++)
		assert_true(p[i][0] == i && p[i][99] == i);
	arena_fini(&a);
}

TEST(the_bound_holds_and_is_free_again_after_fini)
{
	struct arena a;

	arena_init(&a, 256);
	assert_non_null(arena_alloc(&a, 200));
	assert_null(arena_alloc(&a, 64));
	assert_non_null(arena_alloc(&a, 48));
	assert_null(arena_alloc(&a, 1));
	arena_fini(&a);
	assert_int_equal(a.used_bytes, 0);
	assert_non_null(arena_alloc(&a, 256));
	arena_fini(&a);
}

TEST(sizes_near_the_largest_number_are_refused)
{
	struct arena a;

	arena_init(&a, SIZE_MAX);
	assert_null(arena_alloc(&a, SIZE_MAX - 15));
	assert_null(arena_alloc(&a, SIZE_MAX - 40));
	assert_non_null(arena_alloc(&a, 1));
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_null(arena_alloc(&a, SIZE_MAX - 15));
	assert_null(arena_alloc(&a, SIZE_MAX - 100));
	assert_non_null(arena_alloc(&a, 1));
	arena_fini(&a);
}

TEST(a_piece_larger_than_a_block_works)
{
	struct arena a;
	uint8_t *p;

	arena_init(&a, 1 << 20);
	assert_non_null(arena_alloc(&a, 10));
	p = arena_alloc(&a, 100000);
	assert_non_null(p);
	assert_true(is_zero(p, 100000));
	memset(p, 1, 100000);
	arena_fini(&a);
}

TEST(dup_copies_and_empty_pieces_differ)
{
	struct arena a;
	char *p;

	arena_init(&a, 4096);
	p = arena_dup(&a, "hello", 6);
	assert_string_equal(p, "hello");
	assert_ptr_not_equal(arena_alloc(&a, 0), arena_alloc(&a, 0));
	assert_non_null(arena_dup(&a, NULL, 0));
	assert_null(arena_dup(&a, "x", 5000));
	arena_fini(&a);
	arena_fini(&a);
}
