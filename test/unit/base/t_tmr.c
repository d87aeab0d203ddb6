/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/base/t_tmr.c - timers fire in order and survive their callbacks.
 */
#include "daemon/base/tmr.h"
#include <stdlib.h>
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "test/lib/test.h"

static struct tmr_set set;
static struct tmr *victim;
static unsigned n_fired;
static uint64_t restart_at, last_at;

static void
count(void *ctx)
{
	(void)ctx;
	n_fired++;
}

static void
check_order(void *ctx)
{
	struct tmr *t = ctx;

	assert_true(t->at_ms >= last_at);
	last_at = t->at_ms;
	n_fired++;
}

static void
stop_victim(void *ctx)
{
	(void)ctx;
	n_fired++;
	assert_true(tmr_is_set(victim));
	tmr_stop(&set, victim);
	assert_false(tmr_is_set(victim));
}

static void
restart_self(void *ctx)
{
	n_fired++;
	assert_false(tmr_is_set(ctx));
	assert_int_equal(tmr_start(&set, ctx, restart_at), 0);
}

static void
restart_victim(void *ctx)
{
	(void)ctx;
	n_fired++;
	assert_int_equal(tmr_start(&set, victim, restart_at), 0);
}

static void
free_self(void *ctx)
{
	free(ctx);
	n_fired++;
}

static void
fresh(void)
{
	tmr_set_init(&set);
	n_fired = 0;
	last_at = 0;
}

TEST(nothing_is_due_in_an_empty_set)
{
	fresh();
	assert_true(tmr_next(&set) == UINT64_MAX);
	tmr_run(&set, UINT64_MAX);
	tmr_set_fini(&set);
}

TEST(a_timer_fires_once_and_not_early)
{
	struct tmr t;

	fresh();
	tmr_init(&t, count, NULL);
	assert_false(tmr_is_set(&t));
	assert_int_equal(tmr_start(&set, &t, 100), 0);
	assert_true(tmr_is_set(&t));
	assert_true(tmr_next(&set) == 100);
	tmr_run(&set, 99);
	assert_int_equal(n_fired, 0);
	tmr_run(&set, 100);
	assert_int_equal(n_fired, 1);
	assert_false(tmr_is_set(&t));
	tmr_run(&set, 1000);
	assert_int_equal(n_fired, 1);
	tmr_set_fini(&set);
}

TEST(starting_again_moves_and_stopping_twice_is_fine)
{
	struct tmr t;

	fresh();
	tmr_init(&t, count, NULL);
	tmr_stop(&set, &t);
	assert_int_equal(tmr_start(&set, &t, 100), 0);
	assert_int_equal(tmr_start(&set, &t, 50), 0);
	assert_true(tmr_next(&set) == 50);
	assert_int_equal(tmr_start(&set, &t, 200), 0);
	assert_true(tmr_next(&set) == 200);
	assert_int_equal(set.n, 1);
	tmr_stop(&set, &t);
	tmr_stop(&set, &t);
	tmr_run(&set, 1000);
	assert_int_equal(n_fired, 0);
	tmr_set_fini(&set);
}

TEST(a_callback_may_stop_another_that_is_due)
{
	struct tmr a, b;

	fresh();
	tmr_init(&a, stop_victim, NULL);
	tmr_init(&b, count, NULL);
	victim = &b;
	assert_int_equal(tmr_start(&set, &a, 1), 0);
	assert_int_equal(tmr_start(&set, &b, 2), 0);
	tmr_run(&set, 10);
	assert_int_equal(n_fired, 1);
	assert_true(tmr_next(&set) == UINT64_MAX);
	tmr_set_fini(&set);
}

TEST(a_timer_restarted_into_the_past_waits_for_the_next_call)
{
	struct tmr t;

	fresh();
	tmr_init(&t, restart_self, &t);
	restart_at = 5;
	assert_int_equal(tmr_start(&set, &t, 1), 0);
	tmr_run(&set, 10);
	assert_int_equal(n_fired, 1);
	assert_true(tmr_next(&set) == 5);
	tmr_run(&set, 10);
	assert_int_equal(n_fired, 2);
	tmr_stop(&set, &t);
	tmr_set_fini(&set);
}

TEST(a_due_timer_may_be_put_off_by_an_earlier_one)
{
	struct tmr a, b;

	fresh();
	tmr_init(&a, restart_victim, NULL);
	tmr_init(&b, count, NULL);
	victim = &b;
	restart_at = 500;
	assert_int_equal(tmr_start(&set, &a, 1), 0);
	assert_int_equal(tmr_start(&set, &b, 2), 0);
	tmr_run(&set, 10);
	assert_int_equal(n_fired, 1);
	assert_true(tmr_next(&set) == 500);
	tmr_run(&set, 500);
	assert_int_equal(n_fired, 2);
	tmr_set_fini(&set);
}

TEST(a_callback_may_free_its_timer)
{
	struct tmr *t = malloc(sizeof(*t));

	fresh();
	assert_non_null(t);
	tmr_init(t, free_self, t);
	assert_int_equal(tmr_start(&set, t, 1), 0);
	tmr_run(&set, 1);
	assert_int_equal(n_fired, 1);
	tmr_set_fini(&set);
}

TEST(many_timers_fire_oldest_first)
{
	static struct tmr t[3000];
	unsigned n_stopped = 0;
	struct rng_det r;

	fresh();
	rng_det_init(&r, test_seed());
	for (size_t i = 0; i < N_OF(t); i++) {
		tmr_init(&t[i], check_order, &t[i]);
		assert_int_equal(tmr_start(&set, &t[i],
		    rng_det_u64(&r) % 5000), 0);
	}
	for (size_t i = 0; i < N_OF(t); i += 3)
		assert_int_equal(tmr_start(&set, &t[i],
		    rng_det_u64(&r) % 5000), 0);
	for (size_t i = 0; i < N_OF(t); i += 7, n_stopped++)
		tmr_stop(&set, &t[i]);
	for (uint64_t now = 0; now < 5000; now += 100) {
		tmr_run(&set, now);
		assert_true(tmr_next(&set) > now);
	}
	tmr_run(&set, 5000);
	assert_int_equal(n_fired, N_OF(t) - n_stopped);
	tmr_set_fini(&set);
}

TEST(a_stop_after_fini_touches_nothing)
{
	struct tmr t;

	fresh();
	tmr_init(&t, count, NULL);
	assert_int_equal(tmr_start(&set, &t, 1), 0);
	tmr_set_fini(&set);
	tmr_stop(&set, &t);
	assert_false(tmr_is_set(&t));
}
