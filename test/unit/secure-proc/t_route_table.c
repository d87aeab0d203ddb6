/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_route_table.c - which SA wants which route.
 */
#include <string.h>
#include "daemon/base/err.h"
#include "secure-proc/route_table.h"
#include "test/lib/test.h"

static struct sec_routes t;

static struct ip_net
net(const char *text)
{
	struct ip_net n;

	assert_int_equal(ip_net_parse(text, &n), 0);
	return n;
}

TEST(a_prefix_counts_its_users_in_each_realm_apart)
{
	struct ip_net a = net("10.1.0.0/16"), b = net("10.1.0.0/17");
	struct ip_net six = net("a01::/16");	/* same first bytes as a */

	assert_int_equal(sec_routes_users(&t, 0, &a), 0);
	assert_false(sec_routes_has(&t, 1, 0, &a));
	assert_int_equal(sec_routes_add(&t, 1, 0, &a), 0);
	assert_int_equal(sec_routes_add(&t, 2, 0, &a), 0);
	assert_int_equal(sec_routes_add(&t, 2, 1, &a), 0);
	assert_int_equal(sec_routes_users(&t, 0, &a), 2);
	assert_int_equal(sec_routes_users(&t, 1, &a), 1);
	assert_int_equal(sec_routes_users(&t, 0, &b), 0);
	assert_int_equal(sec_routes_users(&t, 0, &six), 0);
	assert_true(sec_routes_has(&t, 2, 1, &a));
	assert_false(sec_routes_has(&t, 1, 1, &a));
	sec_routes_remove(&t, 1, 1, &a);	/* not there */
	sec_routes_remove(&t, 1, 0, &a);
	assert_int_equal(sec_routes_users(&t, 0, &a), 1);
	assert_false(sec_routes_has(&t, 1, 0, &a));
	assert_int_equal(t.n, 2);
	sec_routes_fini(&t);
}

TEST(an_sa_gives_back_all_it_wanted)
{
	struct ip_net a = net("10.1.0.0/16"), b = net("2001:db8::/32"), got;
	uint32_t realm;
	unsigned n = 0;

	assert_int_equal(sec_routes_add(&t, 1, 3, &a), 0);
	assert_int_equal(sec_routes_add(&t, 1, 3, &b), 0);
	assert_int_equal(sec_routes_add(&t, 9, 3, &b), 0);
	while (sec_routes_take(&t, 1, &realm, &got)) {
		assert_int_equal(realm, 3);
		n++;
	}
	assert_int_equal(n, 2);
	assert_int_equal(sec_routes_users(&t, 3, &a), 0);
	assert_int_equal(sec_routes_users(&t, 3, &b), 1);
	sec_routes_fini(&t);
	assert_int_equal(t.n, 0);
}

TEST(one_sa_and_all_together_have_a_bound)
{
	struct ip_net a = net("10.0.0.0/24");
	unsigned n = 0;

	for (unsigned sa = 0; n < SEC_ROUTE_MAX; sa++) {
		for (unsigned i = 0; i < SEC_ROUTE_SA_MAX; i++, n++) {
			a.addr.b[1] = (uint8_t)i;
			a.addr.b[2] = (uint8_t)sa;
			assert_int_equal(sec_routes_add(&t, sa, 0, &a), 0);
		}
		a.addr.b[1] = SEC_ROUTE_SA_MAX;
		assert_int_equal(sec_routes_add(&t, sa, 0, &a), ERR_FULL);
	}
	assert_int_equal(sec_routes_add(&t, 1u << 20, 0, &a), ERR_FULL);
	sec_routes_fini(&t);
}
