/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_pseudo.c - the pseudo Ethernet address of a peer in IP mode.
 */
#include "daemon/core/pseudo.h"
#include <stdio.h>
#include "test/lib/test.h"

static struct mac
make(const char *tap, const char *realm, const char *id)
{
	struct mac t, m;

	assert_int_equal(mac_parse(tap, &t), 0);
	assert_int_equal(pseudo_mac(&t, realm, id, &m), 0);
	return m;
}

TEST(a_peer_has_the_same_address_each_time)
{
	struct mac a = make("02:00:00:00:00:01", "r", "peer");
	struct mac b = make("02:00:00:00:00:01", "r", "peer");

	assert_true(mac_equal(&a, &b));
	b = make("02:00:00:00:00:02", "r", "peer");
	assert_false(mac_equal(&a, &b));
	b = make("02:00:00:00:00:01", "rp", "eer");
	assert_false(mac_equal(&a, &b));
}

TEST(addresses_are_local_unicast_and_spread)
{
	uint8_t ones[6] = { 0 }, zeros[6] = { 0 };
	char id[32];

	for (unsigned i = 0; i < 200; i++) {
		struct mac m;

		snprintf(id, sizeof(id), "peer%u", i);
		m = make("02:00:00:00:00:01", "r", id);
		assert_int_equal(m.b[0] & 3, 2);
		for (unsigned k = 0; k < 6; k++) {
			ones[k] |= m.b[k];
			zeros[k] |= (uint8_t)~m.b[k];
		}
	}
	for (unsigned k = 0; k < 6; k++) {
		assert_int_equal(ones[k] | (k == 0 ? 1 : 0), 0xff);
		assert_int_equal(zeros[k] | (k == 0 ? 2 : 0), 0xff);
	}
}
