/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_pace.c - a worker is paced by singles one way, and by nothing
 * else.
 */
#include "daemon/core/pace.h"
#include "test/lib/test.h"

#define US 1000u
#define MS 1000000u

struct run {
	struct pace p;
	uint64_t total[PACE_WAY_END];
	uint64_t now;
};

/* A wake-up us after the one before, for so many packets. */
static uint64_t
woken(struct run *r, unsigned us, unsigned out, unsigned in)
{
	r->now += us * US;
	r->total[PACE_OUT] += out;
	r->total[PACE_IN] += in;
	return pace_rest(&r->p, r->total, false, r->now);
}

/* n wake-ups; in how many of them was it to rest? */
static unsigned
rests(struct run *r, unsigned n, unsigned us, unsigned out, unsigned in)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += woken(r, us, out, in) > 0;
	return sum;
}

static struct run
paced(void)
{
	struct run r = { .now = 5 * MS };

	for (int i = 0; i < 100 && !r.p.is_on; i++)
		(void)woken(&r, 10, 1, 0);
	assert_true(r.p.is_on);
	return r;
}

TEST(singles_from_the_tap_are_let_come_together)
{
	struct run r = { .now = 5 * MS };

	assert_int_equal(woken(&r, 10, 1, 0), 0);	/* not the first */
	assert_true(rests(&r, 100, 10, 1, 0) > 0);
}

TEST(singles_from_the_net_are_let_come_together)
{
	struct run r = { .now = 5 * MS };

	assert_true(rests(&r, 100, 10, 0, 2) > 0);
}

TEST(a_rest_fills_up_the_time_since_the_last_look)
{
	struct run r = paced();

	pace_woken(&r.p, r.now);
	assert_int_equal(woken(&r, 30, 10, 0), PACE_NS - 30 * US);
	pace_woken(&r.p, r.now);
	assert_int_equal(woken(&r, PACE_NS / US, 10, 0), 0);	/* it worked that long */
	assert_int_equal(woken(&r, 20, 10, 0), PACE_NS - 20 * US);
}

TEST(rare_packets_are_not_delayed)
{
	struct run r = { .now = 5 * MS };

	assert_int_equal(rests(&r, 100000, 50, 1, 0), 0);
}

TEST(a_burst_of_singles_after_silence_is_not_delayed)
{
	struct run r = { .now = 5 * MS };

	for (int i = 0; i < 1000; i++) {
		assert_int_equal(rests(&r, 20, 5, 1, 0), 0);
		r.now += 3 * MS;
	}
}

TEST(questions_and_answers_are_not_delayed)
{
	struct run r = { .now = 5 * MS };

	for (int i = 0; i < 10000; i++) {
		assert_int_equal(woken(&r, 10, 1, 0), 0);
		assert_int_equal(woken(&r, 10, 0, 1), 0);
	}
	/* one answer for three packets is no stream either */
	for (int i = 0; i < 10000; i++) {
		assert_int_equal(rests(&r, 3, 10, 1, 0), 0);
		assert_int_equal(woken(&r, 10, 0, 1), 0);
	}
}

TEST(bulk_and_its_acknowledgements_are_not_delayed)
{
	struct run r = { .now = 5 * MS };

	for (int i = 0; i < 10000; i++) {
		assert_int_equal(woken(&r, 10, 44, 0), 0);	/* a super-frame */
		assert_int_equal(woken(&r, 10, 0, 1), 0);
	}
}

TEST(a_full_batch_needs_no_rest)
{
	struct run r = paced();

	assert_int_equal(woken(&r, 10, 64, 0), 0);
	assert_true(r.p.is_on);
}

TEST(what_was_left_behind_is_served_at_once)
{
	struct run r = paced();

	r.total[PACE_OUT] += 8;
	r.now += 10 * US;
	assert_int_equal(pace_rest(&r.p, r.total, true, r.now), 0);
	r.total[PACE_OUT] += 8;
	r.now += 10 * US;
	assert_true(pace_rest(&r.p, r.total, false, r.now) > 0);
}

TEST(it_ends_when_no_more_come)
{
	struct run r = paced();

	assert_true(rests(&r, 10, 150, 1, 0) < 4);
	assert_true(!r.p.is_on);
}

TEST(it_ends_when_answers_come)
{
	struct run r = paced();

	assert_true(rests(&r, 10, 10, 8, 8) < 4);
	assert_true(!r.p.is_on);
}

TEST(one_vain_look_does_not_end_it)
{
	struct run r = paced();

	for (int i = 0; i < 1000; i++) {
		assert_true(woken(&r, 10, 8, 0) > 0);
		pace_woken(&r.p, r.now);
		assert_true(woken(&r, 10, 0, 0) > 0);
		pace_woken(&r.p, r.now);
	}
	assert_true(r.p.is_on);
}
