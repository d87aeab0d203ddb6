/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_behind.c - what lies behind a link with several child SAs.
 */
#include "test/lib/test.h"
#include <stdio.h>
#include "daemon/base/err.h"
#include "daemon/core/behind.h"

static struct vpn_child
child(uint32_t id, const char *net)
{
	struct vpn_child c = { .id = id, .n_ts_remote = 1 };
	struct ip_net n;

	assert_int_equal(ip_net_parse(net, &n), 0);
	c.ts_remote[0] = vpn_ts_from_net(&n);
	return c;
}

static void
add(struct behind *b, uint32_t link, uint32_t id, const char *net)
{
	struct vpn_child c = child(id, net);

	assert_int_equal(behind_add(b, link, &c), 0);
}

TEST(a_link_has_the_selectors_of_all_its_child_sas)
{
	struct vpn_ts ts[VPN_TS_MAX];
	struct behind *b;

	assert_int_equal(behind_new(&b, 4), 0);
	add(b, 1, 10, "10.1.0.0/16");
	add(b, 1, 11, "10.2.0.0/16");
	add(b, 2, 12, "10.3.0.0/16");
	assert_int_equal(behind_get(b, 1, ts), 2);
	assert_int_equal(behind_get(b, 2, ts), 1);
	assert_int_equal(behind_get(b, 3, ts), 0);
	/* one replaces another: the same once */
	add(b, 1, 13, "10.1.0.0/16");
	assert_int_equal(behind_get(b, 1, ts), 2);
	behind_del(b, 1, 10);
	assert_int_equal(behind_get(b, 1, ts), 2);
	behind_del(b, 1, 11);
	behind_del(b, 1, 99);
	behind_del(b, 77, 13);
	assert_int_equal(behind_get(b, 1, ts), 1);
	behind_free(b);
}

TEST(too_many_are_cut_and_links_out_of_range_refused)
{
	struct vpn_ts ts[VPN_TS_MAX];
	struct behind *b;
	struct vpn_child c = child(1, "10.0.0.0/8");
	char net[32];

	assert_int_equal(behind_new(&b, 2), 0);
	assert_int_equal(behind_add(b, 2, &c), ERR_LIMIT);
	assert_int_equal(behind_get(b, 2, ts), 0);
	for (unsigned i = 0; i < VPN_TS_MAX + 5; i++) {
		snprintf(net, sizeof(net), "10.%u.0.0/16", i);
		add(b, 0, i, net);
	}
	assert_int_equal(behind_get(b, 0, ts), VPN_TS_MAX);
	behind_free(b);
	behind_free(NULL);
}
