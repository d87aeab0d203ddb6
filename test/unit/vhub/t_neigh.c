/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/vhub/t_neigh.c - the neighbour table.
 */
#include "test/lib/test.h"
#include <stdatomic.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "daemon/base/thr.h"
#include "vhub/neigh.h"

static struct ip_addr
ip(const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_parse(text, &a), 0);
	return a;
}

static struct ip_addr
ip_n(uint32_t n)
{
	uint8_t b[4] = { 10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n };

	return ip_from(b, 4);
}

static struct neigh *
make(void)
{
	struct neigh *t = NULL;

	assert_int_equal(neigh_new(&t), 0);
	return t;
}

static void
learn(struct neigh *t, const struct ip_addr *a, const struct mac *m,
      uint32_t port, uint32_t now_s)
{
	struct hub_neigh_info n = { *a, 0, *m, port, now_s };

	neigh_learn(t, &n);
}

TEST(keys_keep_both_families_apart)
{
	struct ip_addr a = ip("10.0.0.1"), b = ip("::10.0.0.1"),
	    c = ip("2001:db8::1"), got;

	got = ip_key_addr(ip_key_of(&a));
	assert_true(ip_equal(&got, &a));
	got = ip_key_addr(ip_key_of(&b));
	assert_true(ip_equal(&got, &b));
	got = ip_key_addr(ip_key_of(&c));
	assert_true(ip_equal(&got, &c));
}

TEST(a_neighbour_is_learned_moved_and_forgotten)
{
	struct neigh *t = make();
	struct ip_addr a = ip("10.0.0.1"), b = ip("2001:db8::1");
	struct mac m = { { 2, 0, 0, 0, 0, 1 } }, n = { { 2, 0, 0, 0, 0, 2 } };
	struct hub_neigh_info info;

	assert_false(neigh_find(t, 0, &a, &info));
	learn(t, &a, &m, 1, 100);
	learn(t, &b, &m, 1, 100);
	assert_true(neigh_find(t, 0, &a, &info));
	assert_int_equal(info.port, 1);
	assert_true(mac_equal(&info.mac, &m));
	assert_true(ip_equal(&info.ip, &a));
	learn(t, &a, &n, 2, 200);
	assert_true(neigh_find(t, 0, &a, &info));
	assert_int_equal(info.port, 2);
	assert_true(mac_equal(&info.mac, &n));
	assert_int_equal(neigh_count(t), 2);
	neigh_age(t, 400, 300);
	assert_true(neigh_find(t, 0, &a, &info));
	assert_false(neigh_find(t, 0, &b, &info));
	neigh_forget(t, 2);
	assert_false(neigh_find(t, 0, &a, &info));
	assert_int_equal(neigh_count(t), 0);
	neigh_free(t);
	neigh_free(NULL);
}

TEST(the_table_is_bounded)
{
	struct neigh *t = make();
	struct mac m = { { 2, 0, 0, 0, 0, 1 } };
	struct hub_neigh_info info;
	uint32_t it = 0, n = 0;

	for (uint32_t i = 0; i < 4 * HUB_NEIGH_MAX; i++) {
		struct ip_addr a = ip_n(i);

		learn(t, &a, &m, 1 + i % 5, 5);
	}
	assert_true(neigh_count(t) <= HUB_NEIGH_MAX);
	assert_true(neigh_count(t) > HUB_NEIGH_MAX * 9 / 10);
	while (neigh_next(t, &it, &info)) {
		n++;
		assert_int_equal(info.age_s, 5);
	}
	assert_int_equal(n, neigh_count(t));
	neigh_free(t);
}

TEST(one_port_cannot_fill_the_table)
{
	struct neigh *t = make();
	struct mac m = { { 2, 0, 0, 0, 0, 1 } }, m2 = { { 2, 0, 0, 0, 0, 2 } };
	struct hub_neigh_info info;
	struct ip_addr a;

	for (uint32_t i = 0; i < 2 * HUB_PORT_NEIGH_MAX; i++) {
		a = ip_n(i);
		learn(t, &a, &m, 1, 5);
	}
	assert_int_equal(neigh_count(t), HUB_PORT_NEIGH_MAX);
	learn(t, &a, &m, 2, 5);
	assert_true(neigh_find(t, 0, &a, &info));
	/* Nor take over what others have; what it has may change. */
	learn(t, &a, &m2, 1, 5);
	assert_true(neigh_find(t, 0, &a, &info));
	assert_int_equal(info.port, 2);
	a = ip_n(0);
	learn(t, &a, &m2, 1, 5);
	assert_true(neigh_find(t, 0, &a, &info));
	assert_true(mac_equal(&info.mac, &m2));
	neigh_forget(t, 1);
	assert_int_equal(neigh_count(t), 1);
	a = ip_n(5);
	learn(t, &a, &m, 1, 5);
	assert_int_equal(neigh_count(t), 2);
	neigh_free(t);
}

TEST(an_address_is_known_in_its_vlan_only)
{
	struct neigh *t = make();
	struct hub_neigh_info n = { ip("10.0.0.1"), 10,
	    { { 2, 0, 0, 0, 0, 1 } }, 1, 5 }, info;

	neigh_learn(t, &n);
	assert_false(neigh_find(t, 0, &n.ip, &info));
	n.vlan = 20;
	n.port = 2;
	neigh_learn(t, &n);
	assert_true(neigh_find(t, 10, &n.ip, &info));
	assert_int_equal(info.port, 1);
	assert_int_equal(info.vlan, 10);
	neigh_free(t);
}

struct writer {
	struct neigh *t;
	atomic_bool stop;
};

/* Address n is always at a MAC made of n: a torn read would show. */
static void
write_all(void *ctx)
{
	struct writer *w = ctx;

	for (uint32_t i = 0; i < 20000; i++) {
		struct ip_addr a = ip_n(i % 64);
		struct mac m = { { 2, 0, 0, 0, (uint8_t)(i & 1),
		    (uint8_t)(i % 64) } };

		learn(w->t, &a, &m, i & 1, i);
		if (i % 1000 == 0)
			neigh_forget(w->t, 0);
	}
	w->stop = true;
}

TEST(readers_never_see_half_an_entry)
{
	struct writer w = { make(), false };
	struct hub_neigh_info info;
	struct thr *t;
	uint32_t i = 0;

	assert_int_equal(thr_start(&t, "writer", write_all, &w), 0);
	while (!w.stop) {
		struct ip_addr a = ip_n(i++ % 64);

		if (!neigh_find(w.t, 0, &a, &info))
			continue;
		assert_int_equal(info.mac.b[5], a.b[3]);
		assert_int_equal(info.mac.b[4], info.port);
	}
	thr_join(t);
	neigh_free(w.t);
}
