/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/base/t_ring.c - the bounded queue between threads.
 */
#include "daemon/base/ring.h"
#include <sched.h>
#include <stdlib.h>
#include "daemon/base/err.h"
#include "daemon/base/thr.h"
#include "test/lib/test.h"

static int things[8];

TEST(order_is_kept_and_empty_is_null)
{
	struct ring *r = NULL;

	assert_int_equal(ring_new(&r, 4), 0);
	assert_null(ring_pop(r));
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(ring_push(r, &things[i]), 0);
	assert_int_equal(ring_count(r), 3);
	for (size_t i = 0; i < 3; i++)
		assert_ptr_equal(ring_pop(r), &things[i]);
	assert_null(ring_pop(r));
	assert_int_equal(ring_count(r), 0);
	ring_free(r);
}

TEST(a_full_queue_refuses_and_loses_nothing)
{
	struct ring *r = NULL;

	assert_int_equal(ring_new(&r, 2), 0);
	for (size_t round = 0; round < 100; round++) {
		assert_int_equal(ring_push(r, &things[0]), 0);
		assert_int_equal(ring_push(r, &things[1]), 0);
		assert_int_equal(ring_push(r, &things[2]), ERR_FULL);
		assert_int_equal(ring_count(r), 2);
		assert_ptr_equal(ring_pop(r), &things[0]);
		assert_int_equal(ring_push(r, &things[3]), 0);
		assert_ptr_equal(ring_pop(r), &things[1]);
		assert_ptr_equal(ring_pop(r), &things[3]);
		assert_null(ring_pop(r));
	}
	ring_free(r);
}

TEST(sizes_are_rounded_up_and_bounded)
{
	struct ring *r = NULL;
	unsigned n = 0;

	assert_int_equal(ring_new(&r, 5), 0);
	while (ring_push(r, &things[0]) == 0)
		n++;
	assert_int_equal(n, 8);
	ring_free(r);
	assert_int_equal(ring_new(&r, 0), 0);
	assert_int_equal(ring_push(r, &things[0]), 0);
	assert_int_equal(ring_push(r, &things[0]), 0);
	assert_int_equal(ring_push(r, &things[0]), ERR_FULL);
	ring_free(r);
	r = NULL;
	assert_int_equal(ring_new(&r, 65537), ERR_RANGE);
	assert_null(r);
	ring_free(NULL);
}

#define PRODUCERS 3
#define EACH 5000

struct item {
	unsigned who, no;	/* plain fields: the queue must order them */
};
struct producer {
	struct ring *ring;
	unsigned who;
};

static void
produce(void *ctx)
{
	struct producer *p = ctx;

	for (unsigned i = 0; i < EACH; i++) {
		struct item *it = malloc(sizeof(*it));

		if (it == NULL)
			abort();
		it->who = p->who;
		it->no = i;
		while (ring_push(p->ring, it) != 0)
			sched_yield();
	}
}

TEST(many_producers_lose_and_reorder_nothing)
{
	struct producer p[PRODUCERS];
	struct thr *t[PRODUCERS];
	unsigned next[PRODUCERS] = { 0 };
	struct ring *r = NULL;

	assert_int_equal(ring_new(&r, 64), 0);
	for (unsigned i = 0; i < PRODUCERS; i++) {
		p[i] = (struct producer){ r, i };
		assert_int_equal(thr_start(&t[i], "producer", produce, &p[i]),
		    0);
	}
	for (unsigned n = 0; n < PRODUCERS * EACH;) {
		struct item *it = ring_pop(r);

		if (it == NULL) {
			sched_yield();
			continue;
		}
		assert_in_range(it->who, 0, PRODUCERS - 1);
		assert_int_equal(it->no, next[it->who]);
		next[it->who]++;
		free(it);
		n++;
	}
	for (unsigned i = 0; i < PRODUCERS; i++)
		thr_join(t[i]);
	assert_null(ring_pop(r));
	ring_free(r);
}
