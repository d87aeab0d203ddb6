/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/vhub/t_mactab.c - learning, bounds, moves, ageing.
 */
#include "test/lib/test.h"
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "daemon/base/thr.h"
#include "vhub/mactab.h"

static struct mac
mac_n(uint32_t n)
{
	return (struct mac){ { 2, 1, (uint8_t)(n >> 24), (uint8_t)(n >> 16),
	    (uint8_t)(n >> 8), (uint8_t)n } };
}

static struct mactab *
make(void)
{
	struct mactab *t = NULL;

	assert_int_equal(mactab_new(&t), 0);
	return t;
}

static enum mac_learn
learn(struct mactab *t, const struct mac *m, uint32_t port, uint32_t now_s,
      uint32_t *old)
{
	struct mac_seen by = { port, HUB_PORT_MAC_MAX, now_s };

	return mactab_learn(t, 0, m, &by, old);
}

TEST(an_address_is_learned_and_found)
{
	struct mactab *t = make();
	struct mac m = mac_n(1), other = mac_n(2);
	uint32_t old = 99;

	assert_int_equal(mactab_find(t, 0, &m), -1);
	assert_int_equal(learn(t, &m, 3, 10, &old), MAC_NEW);
	assert_int_equal(learn(t, &m, 3, 11, &old), MAC_KNOWN);
	assert_int_equal(mactab_find(t, 0, &m), 3);
	assert_int_equal(mactab_find(t, 0, &other), -1);
	assert_int_equal(mactab_count(t), 1);
	assert_int_equal(mactab_count_port(t, 3), 1);
	mactab_free(t);
	mactab_free(NULL);
}

TEST(a_move_changes_port_and_counts)
{
	struct mactab *t = make();
	struct mac m = mac_n(1);
	uint32_t old = 99;

	assert_int_equal(learn(t, &m, 3, 10, &old), MAC_NEW);
	assert_int_equal(learn(t, &m, 4, 10, &old), MAC_MOVED);
	assert_int_equal(old, 3);
	assert_int_equal(mactab_find(t, 0, &m), 4);
	assert_int_equal(mactab_count_port(t, 3), 0);
	assert_int_equal(mactab_count_port(t, 4), 1);
	assert_int_equal(mactab_count(t), 1);
	mactab_free(t);
}

TEST(an_entry_ages_unless_it_is_seen_again)
{
	struct mactab *t = make();
	struct mac a = mac_n(1), b = mac_n(2), c = mac_n(3);
	uint32_t old;

	(void)learn(t, &a, 1, 100, &old);
	(void)learn(t, &b, 1, 100, &old);
	assert_int_equal(mactab_fix(t, &c, 2), 0);
	(void)learn(t, &b, 1, 399, &old);
	mactab_age(t, 399, 300);
	assert_int_equal(mactab_find(t, 0, &a), 1);
	mactab_age(t, 400, 300);
	assert_int_equal(mactab_find(t, 0, &a), -1);
	assert_int_equal(mactab_find(t, 0, &b), 1);
	assert_int_equal(mactab_find(t, 0, &c), 2);
	assert_int_equal(mactab_count(t), 1);
	mactab_age(t, 50, 300); /* a clock behind ages nothing */
	assert_int_equal(mactab_find(t, 0, &b), 1);
	mactab_free(t);
}

TEST(fixed_addresses_cannot_be_learned_over)
{
	struct mactab *t = make();
	struct mac m = mac_n(1);
	uint32_t old = 99;

	assert_int_equal(learn(t, &m, 5, 1, &old), MAC_NEW);
	assert_int_equal(mactab_fix(t, &m, 2), 0);
	assert_int_equal(mactab_count(t), 0);
	assert_int_equal(learn(t, &m, 5, 1, &old), MAC_CLASH);
	assert_int_equal(old, 2);
	assert_int_equal(mactab_find(t, 0, &m), 2);
	assert_int_equal(learn(t, &m, 2, 1, &old), MAC_KNOWN);
	assert_int_equal(mactab_fix(t, &m, 2), 0);
	assert_int_equal(mactab_fix(t, &m, 3), ERR_EXISTS);
	mactab_forget(t, 2, false);
	assert_int_equal(mactab_find(t, 0, &m), 2);
	mactab_unfix(t, &m);
	assert_int_equal(mactab_find(t, 0, &m), -1);
	mactab_free(t);
}

TEST(a_hundred_thousand_addresses_stay_bounded)
{
	struct mactab *t = make();
	struct rng_det rng;
	uint32_t old, n_port_full = 0, n_table_full = 0, n_new = 0;

	rng_det_init(&rng, test_seed());
	for (uint32_t i = 0; i < 100000; i++) {
		struct mac m = mac_n((uint32_t)rng_det_u64(&rng));

		switch (learn(t, &m, i % 6, 1, &old)) {
		case MAC_NEW:
			n_new++;
			break;
		case MAC_PORT_FULL:
			n_port_full++;
			break;
		case MAC_TABLE_FULL:
			n_table_full++;
			break;
		default:
			break;
		}
	}
	assert_int_equal(n_new, mactab_count(t));
	assert_true(mactab_count(t) <= HUB_MAC_MAX);
	assert_true(mactab_count(t) > HUB_MAC_MAX * 99 / 100);
	assert_true(n_table_full > 0);
	for (uint32_t p = 0; p < 6; p++)
		assert_true(mactab_count_port(t, p) <= HUB_PORT_MAC_MAX);
	assert_int_equal(n_port_full, 0);
	mactab_forget(t, 0, false);
	assert_int_equal(mactab_count_port(t, 0), 0);
	mactab_age(t, 1000, 300);
	assert_int_equal(mactab_count(t), 0);
	mactab_free(t);
}

TEST(one_port_cannot_fill_the_table)
{
	struct mactab *t = make();
	struct mac m;
	uint32_t old;

	for (uint32_t i = 0; i < HUB_PORT_MAC_MAX; i++) {
		m = mac_n(i);
		assert_int_equal(learn(t, &m, 1, 1, &old), MAC_NEW);
	}
	m = mac_n(HUB_PORT_MAC_MAX);
	assert_int_equal(learn(t, &m, 1, 1, &old), MAC_PORT_FULL);
	assert_int_equal(learn(t, &m, 2, 1, &old), MAC_NEW);
	/* Nor take over what others have, once it is full. */
	assert_int_equal(learn(t, &m, 1, 1, &old), MAC_PORT_FULL);
	assert_int_equal(mactab_find(t, 0, &m), 2);
	mactab_free(t);
}

TEST(a_fixed_address_finds_room_in_a_full_table)
{
	struct mactab *t = make();
	struct mac m;
	uint32_t old;

	for (uint32_t i = 0; i < HUB_MAC_MAX * 3; i++) {
		m = mac_n(i);
		(void)learn(t, &m, i % 8, 1, &old);
	}
	for (uint32_t i = 0; i < HUB_PORT_MAX; i++) {
		m = mac_n(i + (1u << 30));
		assert_int_equal(mactab_fix(t, &m, i), 0);
		assert_int_equal(mactab_find(t, 0, &m), (int)i);
	}
	mactab_free(t);
}

TEST(every_entry_is_visited_once)
{
	struct mactab *t = make();
	struct hub_mac_info info;
	uint32_t old, it = 0, n = 0, n_static = 0;
	struct mac m;

	for (uint32_t i = 0; i < 500; i++) {
		m = mac_n(i);
		(void)learn(t, &m, 1, 7, &old);
	}
	m = mac_n(1000);
	assert_int_equal(mactab_fix(t, &m, 2), 0);
	while (mactab_next(t, &it, &info)) {
		n++;
		n_static += info.is_static;
		assert_int_equal(info.port, info.is_static ? 2 : 1);
		assert_int_equal(mactab_find(t, 0, &info.mac), (int)info.port);
	}
	assert_int_equal(n, 501);
	assert_int_equal(n_static, 1);
	mactab_free(t);
}

TEST(an_address_is_known_in_its_vlan_only)
{
	struct mactab *t = make();
	struct hub_mac_info info;
	struct rng_det rng;
	uint32_t old, it = 0, n = 0;
	struct mac m = mac_n(7);
	struct mac_seen by = { 1, HUB_PORT_MAC_MAX, 5 }, by2 = { 2, 1, 5 };

	rng_det_init(&rng, test_seed());
	assert_int_equal(mactab_learn(t, 10, &m, &by, &old), MAC_NEW);
	assert_int_equal(mactab_find(t, 0, &m), -1);
	assert_int_equal(mactab_find(t, 20, &m), -1);
	assert_int_equal(mactab_learn(t, 20, &m, &by2, &old), MAC_NEW);
	assert_int_equal(mactab_find(t, 10, &m), 1);
	assert_int_equal(mactab_find(t, 20, &m), 2);
	/* The bound of the port, not of the table. */
	assert_int_equal(mactab_learn(t, 30, &m, &by2, &old), MAC_PORT_FULL);
	mactab_forget(t, 1, false);
	mactab_forget(t, 2, false);
	/* What is kept tells the whole address again. */
	for (uint32_t i = 0; i < 4000; i++) {
		uint64_t x = rng_det_u64(&rng);
		struct mac r = { { (uint8_t)(x & 0xfe), (uint8_t)(x >> 8),
		    (uint8_t)(x >> 16), (uint8_t)(x >> 24),
		    (uint8_t)(x >> 32), 1 } };

		by.port = x >> 40 & 0x3ff;
		(void)mactab_learn(t, x >> 52 & 0xfff, &r, &by, &old);
		assert_int_equal(mactab_find(t, x >> 52 & 0xfff, &r), by.port);
	}
	while (mactab_next(t, &it, &info)) {
		assert_int_equal(mactab_find(t, info.vlan, &info.mac),
		    info.port);
		assert_int_equal(info.mac.b[5], 1);
		n++;
	}
	assert_int_equal(n, mactab_count(t));
	assert_true(n > 3990);
	mactab_free(t);
}

TEST(a_fixed_address_counts_in_every_vlan)
{
	struct mactab *t = make();
	struct mac m = mac_n(1);
	uint32_t old = 0;
	struct mac_seen by = { 5, HUB_PORT_MAC_MAX, 1 };

	assert_int_equal(mactab_learn(t, 77, &m, &by, &old), MAC_NEW);
	assert_int_equal(mactab_fix(t, &m, 2), 0);
	assert_int_equal(mactab_count(t), 0);
	assert_int_equal(mactab_find(t, 77, &m), 2);
	assert_int_equal(mactab_learn(t, 77, &m, &by, &old), MAC_CLASH);
	assert_int_equal(old, 2);
	by.port = 2;
	assert_int_equal(mactab_learn(t, 77, &m, &by, &old), MAC_KNOWN);
	mactab_free(t);
}

TEST(a_fixed_address_whose_port_left_is_nobodys)
{
	struct mactab *t = make();
	struct mac m = mac_n(1);
	uint32_t old;

	assert_int_equal(mactab_fix(t, &m, 2), 0);
	mactab_vacate(t, &m, 3); /* not its port */
	assert_int_equal(mactab_find(t, 0, &m), 2);
	mactab_vacate(t, &m, 2);
	mactab_forget(t, 2, true);
	assert_int_equal(mactab_find(t, 0, &m), MAC_NOBODY);
	assert_int_equal(learn(t, &m, 5, 1, &old), MAC_CLASH);
	assert_int_equal(mactab_fix(t, &m, 4), 0);
	assert_int_equal(mactab_find(t, 0, &m), 4);
	assert_int_equal(mactab_fix(t, &m, 5), ERR_EXISTS);
	mactab_free(t);
}

TEST(a_million_addresses_of_all_vlans_stay_bounded)
{
	struct mactab *t = make();
	struct rng_det rng;
	struct mac_seen by = { 1, HUB_PORT_MAC_MAX, 1 };
	uint32_t old;

	rng_det_init(&rng, test_seed());
	for (uint32_t i = 0; i < 1000000; i++) {
		uint64_t x = rng_det_u64(&rng);
		struct mac m = mac_n((uint32_t)x);

		by.port = i % 7;
		(void)mactab_learn(t, x >> 40 & 0xfff, &m, &by, &old);
	}
	assert_true(mactab_count(t) <= HUB_MAC_MAX);
	assert_true(mactab_count(t) > HUB_MAC_MAX * 99 / 100);
	for (uint32_t p = 0; p < 7; p++)
		assert_true(mactab_count_port(t, p) <= HUB_PORT_MAC_MAX);
	mactab_free(t);
}

struct race {
	struct mactab *t;
	uint32_t port;
};

static void
race(void *ctx)
{
	struct race *r = ctx;
	uint32_t old;

	for (uint32_t round = 0; round < 20; round++)
		for (uint32_t i = 0; i < 1000; i++) {
			struct mac m = mac_n(i);

			(void)learn(r->t, &m, r->port, round, &old);
		}
}

TEST(two_workers_learning_the_same_addresses_keep_the_counts)
{
	struct mactab *t = make();
	struct race a = { t, 1 }, b = { t, 2 };
	struct hub_mac_info info;
	struct thr *ta, *tb;
	uint32_t it = 0, n = 0;

	assert_int_equal(thr_start(&ta, "a", race, &a), 0);
	assert_int_equal(thr_start(&tb, "b", race, &b), 0);
	for (int i = 0; i < 50; i++)
		mactab_forget(t, 1, false);
	thr_join(ta);
	thr_join(tb);
	while (mactab_next(t, &it, &info))
		n++;
	assert_int_equal(n, mactab_count(t));
	assert_int_equal(n, mactab_count_port(t, 1) + mactab_count_port(t, 2));
	mactab_forget(t, 1, false);
	mactab_forget(t, 2, false);
	assert_int_equal(mactab_count(t), 0);
	mactab_free(t);
}
