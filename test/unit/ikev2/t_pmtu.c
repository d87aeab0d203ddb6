/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ikev2/t_pmtu.c - the search for the size of a path.
 */
#include "test/lib/test.h"
#include "ikev2/pmtu.h"

/* Search a path that takes so much; a router says `says` when a probe is lost
 * (0: it says nothing).  @return probes that were sent. */
static unsigned
search(struct ike_pmtu *p, uint32_t path, uint32_t says)
{
	unsigned n = 0;
	uint32_t size;

	while ((size = ike_pmtu_next(p)) != 0) {
		assert_true(size >= p->least && size <= p->top);
		assert_true(++n < 20);
		if (size > path && says != 0)
			(void)ike_pmtu_hint(p, says);
		ike_pmtu_result(p, size, size <= path);
		assert_true(p->now >= p->least && p->now <= p->top);
	}
	return n;
}

TEST(an_ethernet_path_takes_one_probe)
{
	struct ike_pmtu p;

	ike_pmtu_init(&p, false, 1, 1500);
	assert_int_equal(p.now, 1500);
	assert_int_equal(search(&p, 1500, 0), 1);
	assert_int_equal(p.now, 1500);
}

TEST(every_path_is_found_with_and_without_the_routers_word)
{
	struct ike_pmtu p;

	for (unsigned v6 = 0; v6 < 2; v6++)
		for (uint32_t path = v6 ? 1280 : 576; path <= 9000; path++) {
			unsigned n;

			ike_pmtu_init(&p, v6, 1, 9000);
			n = search(&p, path, 0);
			assert_int_equal(p.now, path);
			assert_true(n <= 16);
			ike_pmtu_init(&p, v6, 1, 9000);
			n = search(&p, path, path);
			assert_int_equal(p.now, path);
			assert_true(n <= 3);
		}
}

TEST(a_forged_word_does_not_make_packets_small)
{
	struct ike_pmtu p;

	/* before, while and after we search: 1400 passes */
	ike_pmtu_init(&p, false, 1, 552);
	search(&p, 1400, 552);
	assert_int_equal(p.now, 1400);
	ike_pmtu_init(&p, false, 1, 1500);
	search(&p, 1400, 68);
	assert_int_equal(p.now, 1400);
	assert_true(ike_pmtu_hint(&p, 552));
	ike_pmtu_check(&p);
	search(&p, 1400, 0);
	assert_int_equal(p.now, 1400);
}

TEST(what_is_used_follows_a_path_that_shrinks)
{
	struct ike_pmtu p;

	ike_pmtu_init(&p, false, 1, 1500);
	search(&p, 1500, 0);
	ike_pmtu_check(&p);
	search(&p, 1300, 0);
	assert_int_equal(p.now, 1300);
	ike_pmtu_check(&p);
	assert_int_equal(search(&p, 1300, 0), 1);
	/* not a byte more is used while the truth is not known */
	ike_pmtu_check(&p);
	ike_pmtu_result(&p, ike_pmtu_next(&p), false);
	assert_true(p.now <= 1280);
}

TEST(it_rises_when_the_path_grows)
{
	struct ike_pmtu p;

	ike_pmtu_init(&p, true, 1, 1500);
	search(&p, 1300, 1300);
	assert_int_equal(p.now, 1300);
	ike_pmtu_raise(&p);
	assert_int_equal(p.now, 1300); /* while it is tried */
	search(&p, 1500, 0);
	assert_int_equal(p.now, 1500);
	ike_pmtu_raise(&p);
	assert_int_equal(ike_pmtu_next(&p), 0);
}

TEST(less_than_ip_guarantees_is_never_used)
{
	struct ike_pmtu p;

	ike_pmtu_init(&p, false, 1, 100);
	search(&p, 100, 100);
	assert_int_equal(p.now, 576);
	ike_pmtu_init(&p, true, 1, 0);
	search(&p, 900, 900);
	assert_int_equal(p.now, 1280);
}

TEST(a_coarse_search_ends_sooner_and_below_the_truth)
{
	struct ike_pmtu p;

	ike_pmtu_init(&p, false, 16, 1500);
	search(&p, 1407, 0);
	assert_true(p.now <= 1407 && p.now >= 1391);
}

TEST(answers_that_nobody_asked_for_change_nothing)
{
	struct ike_pmtu p;

	ike_pmtu_init(&p, false, 1, 1500);
	search(&p, 1500, 0);
	ike_pmtu_result(&p, 800, false);
	ike_pmtu_result(&p, 70000, true);
	ike_pmtu_result(&p, 0, true);
	assert_int_equal(p.now, 1500);
	assert_int_equal(ike_pmtu_next(&p), 0);
}
