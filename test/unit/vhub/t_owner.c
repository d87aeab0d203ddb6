/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/vhub/t_owner.c - which IP port an address lies behind.
 */
#include "test/lib/test.h"
#include "daemon/base/err.h"
#include "vhub/owner.h"

static struct vpn_ts
net(const char *text)
{
	struct ip_net n;

	assert_int_equal(ip_net_parse(text, &n), 0);
	return vpn_ts_from_net(&n);
}

static uint32_t
owner(const struct own_tab *t, const char *text, enum own_width *w)
{
	struct ip_addr a;

	assert_int_equal(ip_parse(text, &a), 0);
	return own_find(t, &a, w);
}

TEST(the_narrowest_selector_wins)
{
	struct vpn_ts a[] = { net("0.0.0.0/0"), net("::/0") };
	struct vpn_ts b[] = { net("10.0.0.0/8"), net("2001:db8::/32") };
	struct vpn_ts c[] = { net("10.1.0.0/16"), net("10.2.0.7/32") };
	struct own_src src[] = { { 1, 2, a }, { 2, 2, b }, { 3, 2, c } };
	struct own_tab *t;
	enum own_width w;

	assert_int_equal(own_new(&t, src, 3), 0);
	assert_int_equal(owner(t, "10.1.2.3", &w), 3);
	assert_int_equal(w, OWN_RANGE);
	assert_int_equal(owner(t, "10.2.0.7", &w), 3);
	assert_int_equal(w, OWN_HOST);
	assert_int_equal(owner(t, "10.2.0.8", &w), 2);
	assert_int_equal(owner(t, "192.0.2.1", &w), 1);
	assert_int_equal(w, OWN_ALL);
	assert_int_equal(owner(t, "2001:db8::5", &w), 2);
	assert_int_equal(w, OWN_RANGE);
	assert_int_equal(owner(t, "2001:db9::5", &w), 1);
	assert_int_equal(w, OWN_ALL);
	own_drop(t, 3);
	assert_int_equal(owner(t, "10.1.2.3", &w), 2);
	assert_int_equal(owner(t, "10.2.0.7", &w), 2);
	assert_int_equal(w, OWN_RANGE);
	own_drop(t, 1);
	assert_int_equal(owner(t, "192.0.2.1", &w), OWN_NONE);
	own_free(t);
	own_free(NULL);
}

TEST(nobody_owns_what_two_ports_claim_alike)
{
	struct vpn_ts a[] = { net("10.0.0.0/24"), net("10.0.1.1") };
	struct vpn_ts b[] = { net("10.0.0.0/24"), net("10.0.1.1"),
		net("10.0.0.128/25") };
	struct own_src src[] = { { 1, 2, a }, { 2, 3, b } };
	struct own_tab *t;
	enum own_width w;

	assert_int_equal(own_new(&t, src, 2), 0);
	assert_int_equal(owner(t, "10.0.0.1", &w), OWN_NONE);
	assert_int_equal(owner(t, "10.0.1.1", &w), OWN_NONE);
	assert_int_equal(owner(t, "10.0.0.200", &w), 2);
	own_free(t);
	/* Twice behind one port is no quarrel. */
	src[1].port = 1;
	assert_int_equal(own_new(&t, src, 2), 0);
	assert_int_equal(owner(t, "10.0.0.1", &w), 1);
	assert_int_equal(owner(t, "10.0.1.1", &w), 1);
	own_free(t);
}

TEST(an_empty_table_owns_nothing)
{
	struct own_tab *t;
	enum own_width w;

	assert_int_equal(own_new(&t, NULL, 0), 0);
	assert_int_equal(owner(t, "10.0.0.1", &w), OWN_NONE);
	assert_int_equal(owner(t, "::1", &w), OWN_NONE);
	own_free(t);
}

TEST(a_range_that_is_no_prefix_has_exact_ends)
{
	struct vpn_ts ts = net("10.0.0.5");
	struct own_src src = { 4, 1, &ts };
	struct own_tab *t;
	enum own_width w;

	ts.hi.b[3] = 9;
	assert_int_equal(own_new(&t, &src, 1), 0);
	assert_int_equal(owner(t, "10.0.0.4", &w), OWN_NONE);
	assert_int_equal(owner(t, "10.0.0.5", &w), 4);
	assert_int_equal(owner(t, "10.0.0.9", &w), 4);
	assert_int_equal(owner(t, "10.0.0.10", &w), OWN_NONE);
	own_free(t);
}
