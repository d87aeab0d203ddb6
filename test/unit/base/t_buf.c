/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/base/t_buf.c - head room, references, pools and the threads around them.
 */
#include "daemon/base/buf.h"
#include <sched.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/ring.h"
#include "daemon/base/thr.h"
#include "test/lib/test.h"

#define ROOM 512

static struct buf_pool *
pool_of(unsigned n)
{
	struct buf_pool *pool = NULL;

	assert_int_equal(buf_pool_new(&pool, n, ROOM), 0);
	return pool;
}

TEST(a_new_buffer_is_empty_with_head_room)
{
	struct buf_pool *pool = pool_of(1);
	struct buf *b = buf_new(pool);

	assert_non_null(b);
	assert_int_equal(b->len, 0);
	assert_int_equal(buf_head(b), BUF_HEAD);
	assert_int_equal(buf_tail(b), ROOM - BUF_HEAD);
	assert_false(buf_is_shared(b));
	buf_put(b);
	buf_pool_free(pool);
}

TEST(push_and_append_stop_at_the_ends)
{
	struct buf_pool *pool = pool_of(2);
	struct buf *b = buf_new(pool);

	assert_ptr_equal(buf_push(b, BUF_HEAD), b->base);
	assert_null(buf_push(b, 1));
	assert_null(buf_append(b, ROOM - BUF_HEAD + 1));
	assert_null(buf_append(b, SIZE_MAX));
	assert_non_null(buf_append(b, ROOM - BUF_HEAD));
	assert_int_equal(b->len, ROOM);
	assert_int_equal(buf_tail(b), 0);
	assert_null(buf_append(b, 1));
	assert_int_equal(buf_view(b).len, ROOM);
	buf_put(b);
	buf_pool_free(pool);
}

TEST(pull_and_trim_cut_no_more_than_there_is)
{
	struct buf_pool *pool = pool_of(1);
	struct buf *b = buf_new(pool);

	memcpy(buf_append(b, 6), "abcdef", 6);
	assert_int_equal(buf_pull(b, 7), ERR_SHORT);
	assert_int_equal(buf_trim(b, SIZE_MAX), ERR_SHORT);
	assert_int_equal(buf_pull(b, 2), 0);
	assert_int_equal(buf_trim(b, 1), 0);
	assert_int_equal(b->len, 3);
	assert_memory_equal(b->data, "cde", 3);
	assert_int_equal(buf_trim(b, 3), 0);
	assert_int_equal(buf_pull(b, 1), ERR_SHORT);
	buf_put(b);
	buf_pool_free(pool);
}

TEST(an_empty_pool_gives_null_until_one_comes_back)
{
	struct buf_pool *pool = pool_of(2);
	struct buf *a = buf_new(pool), *b = buf_new(pool), *c;

	assert_non_null(a);
	assert_non_null(b);
	assert_null(buf_new(pool));
	assert_int_equal(buf_pool_used(pool), 2);
	buf_put(a);
	assert_int_equal(buf_pool_used(pool), 1);
	c = buf_new(pool);
	assert_ptr_equal(c, a);
	buf_put(b);
	buf_put(c);
	assert_int_equal(buf_pool_used(pool), 0);
	buf_pool_free(pool);
}

TEST(the_last_holder_returns_a_buffer)
{
	struct buf_pool *pool = pool_of(1);
	struct buf *b = buf_new(pool);

	assert_ptr_equal(buf_get(b), b);
	assert_true(buf_is_shared(b));
	buf_put(b);
	assert_false(buf_is_shared(b));
	assert_int_equal(buf_pool_used(pool), 1);
	buf_put(b);
	buf_put(NULL);
	assert_int_equal(buf_pool_used(pool), 0);
	buf_pool_free(pool);
}

TEST(a_buffer_comes_back_without_its_old_meta_fields)
{
	struct buf_pool *pool = pool_of(1);
	struct buf *b = buf_new(pool);

	b->port = 9;
	b->flow_hash = 9;
	b->prio = 1;
	b->kind = 3;
	b->from.port = 4500;
	b->to.ip.family = 6;
	assert_non_null(buf_push(b, 10));
	buf_put(b);
	b = buf_new(pool);
	assert_int_equal(b->port | b->flow_hash | b->prio | b->kind, 0);
	assert_int_equal(b->from.port | b->to.ip.family, 0);
	assert_int_equal(buf_head(b), BUF_HEAD);
	assert_int_equal(b->len, 0);
	buf_put(b);
	buf_pool_free(pool);
}

TEST(a_copy_shares_nothing_and_may_cross_pools)
{
	struct buf_pool *from = pool_of(1), *to = pool_of(1);
	struct buf *b = buf_new(from), *c;

	memcpy(buf_append(b, 4), "data", 4);
	b->port = 7;
	b->kind = 2;
	c = buf_copy(to, b);
	assert_non_null(c);
	assert_null(buf_copy(to, b));
	b->data[0] = 'X';
	assert_int_equal(c->len, 4);
	assert_memory_equal(c->data, "data", 4);
	assert_int_equal(c->port, 7);
	assert_int_equal(c->kind, 2);
	assert_ptr_equal(c->pool, to);
	buf_put(b);
	buf_put(c);
	buf_pool_free(from);
	buf_pool_free(to);
}

TEST(a_copy_that_does_not_fit_is_refused)
{
	struct buf_pool *big = NULL, *small = pool_of(1);
	struct buf *b, *c;

	assert_int_equal(buf_pool_new(&big, 1, 2 * ROOM), 0);
	b = buf_new(big);
	assert_non_null(buf_append(b, ROOM));
	c = buf_copy(small, b);
	assert_non_null(c);
	assert_int_equal(buf_head(c), 0);
	buf_put(c);
	assert_non_null(buf_append(b, 1));
	assert_null(buf_copy(small, b));
	buf_put(b);
	buf_pool_free(big);
	buf_pool_free(small);
}

TEST(senseless_pools_are_refused)
{
	struct buf_pool *pool = NULL;

	assert_int_equal(buf_pool_new(&pool, 0, ROOM), ERR_NOMEM);
	assert_int_equal(buf_pool_new(&pool, 1, BUF_HEAD), ERR_NOMEM);
	assert_int_equal(buf_pool_new(&pool, 1, UINT32_MAX), ERR_NOMEM);
	assert_null(pool);
	buf_pool_free(NULL);
}

/* The owner takes and stamps, two others check the stamp and give back. */
#define ROUNDS 5000
#define PUTTERS 2

struct line {
	struct ring *ring;
	uint64_t sum;
	unsigned n;
};

static void
putter(void *ctx)
{
	struct line *l = ctx;

	for (;;) {
		struct buf *b = ring_pop(l->ring);
		uint32_t stamp;

		if (b == NULL) {
			sched_yield();
			continue;
		}
		if (b->len == 0) {
			buf_put(b);
			return;
		}
		memcpy(&stamp, b->data, sizeof(stamp));
		l->sum += stamp;
		l->n++;
		buf_put(b);
	}
}

static struct buf *
wait_new(struct buf_pool *pool)
{
	struct buf *b;

	while ((b = buf_new(pool)) == NULL)
		sched_yield();
	return b;
}

TEST(other_threads_give_back_while_the_owner_takes)
{
	struct buf_pool *pool = pool_of(32);
	struct line line[PUTTERS] = { { 0 } };
	struct thr *thr[PUTTERS];
	uint64_t sum = 0;
	unsigned n = 0;

	for (size_t i = 0; i < PUTTERS; i++) {
		assert_int_equal(ring_new(&line[i].ring, 64), 0);
		assert_int_equal(thr_start(&thr[i], "putter", putter,
		    &line[i]), 0);
	}
	/* Each buffer goes to both threads, whoever is last returns it. */
	for (uint32_t i = 1; i <= ROUNDS; i++) {
		struct buf *b = wait_new(pool);

		assert_int_equal(b->len, 0);
		memcpy(buf_append(b, sizeof(i)), &i, sizeof(i));
		buf_get(b);
		for (size_t k = 0; k < PUTTERS; k++)
			while (ring_push(line[k].ring, b) != 0)
				sched_yield();
	}
	for (size_t i = 0; i < PUTTERS; i++) {
		struct buf *b = wait_new(pool);

		while (ring_push(line[i].ring, b) != 0)
			sched_yield();
		thr_join(thr[i]);
		sum += line[i].sum;
		n += line[i].n;
		ring_free(line[i].ring);
	}
	assert_int_equal(n, PUTTERS * ROUNDS);
	assert_true(sum == (uint64_t)PUTTERS * ROUNDS * (ROUNDS + 1) / 2);
	assert_int_equal(buf_pool_used(pool), 0);
	buf_pool_free(pool);
}

TEST(slices_hold_their_parent_until_the_last_is_put)
{
	struct buf_pool *pool, *heads;
	struct buf *b, *s[3];

	assert_int_equal(buf_pool_new(&pool, 1, BUF_ROOM_DEFAULT), 0);
	assert_int_equal(buf_pool_new(&heads, 2, 0), 0);
	assert_null(buf_new(heads)); /* there is no room in them */
	b = buf_new(pool);
	memcpy(buf_append(b, 6), "abcdef", 6);
	s[0] = buf_slice(heads, b, b->data, 4);
	s[1] = buf_slice(heads, b, b->data + 4, 2);
	assert_null(buf_slice(heads, b, b->data, 1));
	buf_put(b);
	assert_int_equal(buf_pool_used(pool), 1);
	assert_memory_equal(s[1]->data, "ef", 2);
	assert_false(buf_is_shared(s[0]));
	/* No room around, but what was pulled is room again. */
	assert_int_equal(buf_head(s[0]), 0);
	assert_int_equal(buf_tail(s[0]), 0);
	assert_int_equal(buf_pull(s[0], 2), 0);
	assert_int_equal(buf_head(s[0]), 2);
	assert_null(buf_append(s[0], 1));
	buf_put(buf_get(s[0]));
	buf_put(s[0]);
	assert_int_equal(buf_pool_used(pool), 1);
	buf_put(s[1]);
	assert_int_equal(buf_pool_used(pool), 0);
	assert_int_equal(buf_pool_used(heads), 0);
	/* A copy stands alone. */
	b = buf_new(pool);
	b->seg_len = 3;
	s[0] = buf_slice(heads, b, b->data, 0);
	assert_int_equal(s[0]->seg_len, 0);
	buf_put(s[0]);
	buf_put(b);
	buf_pool_free(heads);
	buf_pool_free(pool);
}
