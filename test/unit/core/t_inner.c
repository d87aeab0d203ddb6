/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_inner.c - what may travel, from <net>.
 */
#include "daemon/core/inner.h"
#include <string.h>
#include "test/lib/test.h"

static struct vpn_ts
net(const char *text)
{
	struct ip_net n;

	assert_int_equal(ip_net_parse(text, &n), 0);
	return vpn_ts_from_net(&n);
}

static void
expect(const struct vpn_ts *ts, const char *text)
{
	struct vpn_ts want = net(text);

	assert_true(vpn_ts_covers(ts, &want) && vpn_ts_covers(&want, ts));
}

TEST(a_side_without_networks_is_any_address)
{
	struct conf_net n = { .n_remote = 1, .remote = { net("10.2.0.0/16") } };
	struct vpn_ts local[VPN_TS_MAX], remote[VPN_TS_MAX];
	unsigned n_local, n_remote;

	inner_of_net(&n, &n_local, local, &n_remote, remote);
	assert_int_equal(n_local, 2);
	assert_int_equal(n_remote, 1);
	expect(&local[0], "0.0.0.0/0");
	expect(&local[1], "::/0");
	expect(&remote[0], "10.2.0.0/16");
	n.n_remote = 0;
	inner_of_net(&n, &n_local, local, &n_remote, remote);
	assert_int_equal(n_local + n_remote, 0);
}

TEST(within_gre_the_configuration_says_what_travels)
{
	struct conf_net n = { 0 };
	struct vpn_child c = { .mode = VPN_MODE_GRE, .n_ts_local = 1,
		.n_ts_remote = 1, .ts_local = { net("192.0.2.1/32") },
		.ts_remote = { net("192.0.2.2/32") } };
	struct vpn_child ip = c;

	ip.mode = VPN_MODE_IP;
	inner_of_child(&n, &ip);
	assert_int_equal(ip.n_ts_remote, 1);
	expect(&ip.ts_remote[0], "192.0.2.2/32");
	inner_of_child(&n, &c);
	assert_int_equal(c.n_ts_local, 2);
	assert_int_equal(c.n_ts_remote, 2);
	expect(&c.ts_remote[0], "0.0.0.0/0");
	expect(&c.ts_remote[1], "::/0");
	n.n_local = 1;
	n.local[0] = net("fd00::/64");
	inner_of_child(&n, &c);
	assert_int_equal(c.n_ts_local, 1);
	expect(&c.ts_local[0], "fd00::/64");
	assert_int_equal(c.n_ts_remote, 2);
}

TEST(groups_and_addresses_that_nobody_named_are_no_routes)
{
	struct conf_net none = { 0 };
	struct conf_net all = { .n_remote = 1, .remote = { net("0.0.0.0/0") } };
	struct vpn_ts any4 = net("0.0.0.0/0"), any6 = net("::/0");
	struct vpn_ts group = net("239.1.0.0/16"), lan = net("10.2.0.0/16");

	assert_false(inner_is_route(&none, &any4));
	assert_false(inner_is_route(&none, &any6));
	assert_false(inner_is_route(&none, &group));
	assert_true(inner_is_route(&none, &lan));
	assert_true(inner_is_route(&all, &any4)); /* refused with a reason */
	assert_false(inner_is_route(&all, &group));
}

TEST(everything_is_a_route_to_a_peer_that_gives_us_an_address)
{
	struct conf_net dyn = { .is_dynamic = true };
	struct vpn_ts any4 = net("0.0.0.0/0"), group = net("239.1.0.0/16");

	assert_true(inner_is_route(&dyn, &any4));
	assert_false(inner_is_route(&dyn, &group));
}

TEST(an_address_from_the_peer_alone_means_everything_behind_it)
{
	struct conf_net n = { .is_dynamic = true };
	struct vpn_ts local[VPN_TS_MAX], remote[VPN_TS_MAX];
	unsigned n_local, n_remote;

	inner_of_net(&n, &n_local, local, &n_remote, remote);
	assert_int_equal(n_remote, 2);
	expect(&remote[0], "0.0.0.0/0");
	expect(&remote[1], "::/0");
}

TEST(a_pool_permits_nothing_but_leases_and_what_it_routes)
{
	struct conf_net n = { 0 };
	struct conf_pool pool = { .cfg.n_subnet = 0 };
	struct vpn_ts local[VPN_TS_MAX], remote[VPN_TS_MAX];
	unsigned n_local, n_remote;

	inner_of_net(&n, &n_local, local, &n_remote, remote);
	inner_of_pool(&n, &pool, &n_local, local, &n_remote);
	assert_int_equal(n_remote, 0);
	assert_int_equal(n_local, 2);
	expect(&local[0], "0.0.0.0/0");
	pool.cfg.n_subnet = 1;
	assert_int_equal(ip_net_parse("10.20.0.0/16", &pool.cfg.subnet[0]), 0);
	inner_of_pool(&n, &pool, &n_local, local, &n_remote);
	assert_int_equal(n_local, 1);
	expect(&local[0], "10.20.0.0/16");
	/* what is written counts more */
	n.n_local = n.n_remote = 1;
	n.local[0] = net("10.1.0.0/16");
	n.remote[0] = net("10.2.0.0/16");
	inner_of_net(&n, &n_local, local, &n_remote, remote);
	inner_of_pool(&n, &pool, &n_local, local, &n_remote);
	assert_int_equal(n_local, 1);
	expect(&local[0], "10.1.0.0/16");
	assert_int_equal(n_remote, 1);
	/* and without a pool nothing changes */
	inner_of_pool(&n, NULL, &n_local, local, &n_remote);
	assert_int_equal(n_remote, 1);
}
