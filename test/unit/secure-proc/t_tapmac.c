/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_tapmac.c - the Ethernet address of a realm stays.
 */
#include "daemon/base/err.h"
#include "secure-proc/net/net.h"
#include "test/unit/secure-proc/kit.h"

static void
assert_local(const struct mac *m)
{
	assert_int_equal(m->b[0] & 3, 2);	/* locally administered, one host */
}

TEST(an_address_is_made_once_and_kept)
{
	struct mac a, b, c;

	kit_begin();
	assert_int_equal(sec_mac_get(kit_dir, "x.xml", "r", &a), 0);
	assert_local(&a);
	assert_int_equal(sec_mac_get(kit_dir, "x.xml", "r", &b), 0);
	assert_true(mac_equal(&a, &b));
	assert_int_equal(sec_mac_get(kit_dir, "x.xml", "s", &c), 0);
	assert_false(mac_equal(&a, &c));
	kit_end();
}

TEST(a_broken_file_is_replaced)
{
	static const char *const bad[] = {
		"", "hello", "02:00:00:00:00", "01:00:5e:00:00:01\n",
		"00:11:22:33:44:55\n", "zz:zz:zz:zz:zz:zz\n"
	};
	struct mac a, b;

	kit_begin();
	for (size_t i = 0; i < N_OF(bad); i++) {
		kit_key("tap-r.mac", bad[i]);
		assert_int_equal(sec_mac_get(kit_dir, "x", "r", &a), 0);
		assert_local(&a);
		assert_int_equal(sec_mac_get(kit_dir, "x", "r", &b), 0);
		assert_true(mac_equal(&a, &b));
	}
	kit_key("tap-r.mac", "02:11:22:33:44:55\n");
	assert_int_equal(sec_mac_get(kit_dir, "x", "r", &a), 0);
	assert_int_equal(a.b[5], 0x55);
	kit_end();
}

TEST(where_nothing_can_be_written_the_address_is_derived)
{
	struct mac a, b, c, d;

	kit_begin();
	assert_int_equal(sec_mac_get("/no/such/dir", "x.xml", "r", &a), 0);
	assert_local(&a);
	assert_int_equal(sec_mac_get("/no/such/dir", "x.xml", "r", &b), 0);
	assert_true(mac_equal(&a, &b));
	assert_int_equal(sec_mac_get("/no/such/dir", "y.xml", "r", &c), 0);
	assert_false(mac_equal(&a, &c));
	assert_int_equal(sec_mac_get("/no/such/dir", "x.xml", "s", &d), 0);
	assert_false(mac_equal(&a, &d));
	kit_end();
}
