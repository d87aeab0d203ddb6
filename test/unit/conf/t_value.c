/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/conf/t_value.c - identities, selectors and CPU lists.
 */
#include "test/lib/test.h"
#include <string.h>
#include "conf/tree.h"
#include "daemon/base/err.h"

TEST(an_identity_has_the_kind_its_form_says)
{
	assert_int_equal(conf_id_type(""), CONF_ID_NONE);
	assert_int_equal(conf_id_type("tokyo"), CONF_ID_FQDN);
	assert_int_equal(conf_id_type("gw.example.com"), CONF_ID_FQDN);
	assert_int_equal(conf_id_type("192.0.2.300"), CONF_ID_FQDN);
	assert_int_equal(conf_id_type("a@b"), CONF_ID_EMAIL);
	assert_int_equal(conf_id_type("192.0.2.3"), CONF_ID_IPV4);
	assert_int_equal(conf_id_type("2001:db8::3"), CONF_ID_IPV6);
	assert_int_equal(conf_id_type("keyid:a@b"), CONF_ID_KEYID);
}

TEST(an_identity_goes_on_the_wire_as_its_kind_demands)
{
	static const uint8_t v4[] = {192, 0, 2, 3}, key[] = {0x0a, 0xff};
	enum conf_id_kind kind = CONF_ID_NONE;
	uint8_t out[CONF_ID_MAX];
	size_t len = 0;

	assert_int_equal(conf_id_bytes("192.0.2.3", &kind, out, 255, &len), 0);
	assert_int_equal(kind, CONF_ID_IPV4);
	assert_int_equal(len, 4);
	assert_memory_equal(out, v4, 4);
	assert_int_equal(conf_id_bytes("2001:db8::1", &kind, out, 255, &len), 0);
	assert_int_equal(len, 16);
	assert_int_equal(out[15], 1);
	assert_int_equal(conf_id_bytes("keyid:0aFF", &kind, out, 255, &len), 0);
	assert_int_equal(kind, CONF_ID_KEYID);
	assert_int_equal(len, 2);
	assert_memory_equal(out, key, 2);
	assert_int_equal(conf_id_bytes("keyid:group", &kind, out, 255, &len), 0);
	assert_int_equal(len, 5);
	assert_memory_equal(out, "group", 5);
	assert_int_equal(conf_id_bytes("a.example", &kind, out, 255, &len), 0);
	assert_int_equal(kind, CONF_ID_FQDN);
	assert_int_equal(len, 9);
	assert_int_equal(conf_id_bytes("a.example", &kind, out, 8, &len),
			 ERR_LONG);
	assert_int_equal(conf_id_bytes("keyid:0a0b0c", &kind, out, 2, &len),
			 ERR_LONG);
	assert_int_equal(conf_id_bytes("", &kind, out, 255, &len), ERR_SYNTAX);
	assert_int_equal(conf_id_bytes("keyid:", &kind, out, 255, &len),
			 ERR_SYNTAX);
}

TEST(selectors_survive_their_text)
{
	static const char *const text[][2] = {
		{"10.1.0.0/16", "10.1.0.0/16"},
		{"10.1.2.3/16", "10.1.0.0/16"},
		{"10.1.2.3", "10.1.2.3/32"},
		{"0.0.0.0/0", "0.0.0.0/0"},
		{"::/0", "::/0"},
		{"10.0.0.1-10.0.0.9", "10.0.0.1-10.0.0.9"},
		{"10.0.0.0-10.0.0.255", "10.0.0.0/24"},
		{"fd00::1/128[tcp/80-90]", "fd00::1/128[6/80-90]"},
		{"10.0.0.0/8[47]", "10.0.0.0/8[47]"},
		{"10.0.0.0/8[udp/any]", "10.0.0.0/8[17]"},
		{"10.0.0.0/8[17/opaque]", "10.0.0.0/8[17/opaque]"},
		{"10.0.0.0/8[any]", "10.0.0.0/8"},
	};
	char out[CONF_TS_TEXT];
	struct vpn_ts ts;

	for (unsigned i = 0; i < N_OF(text); i++) {
		assert_int_equal(conf_ts_parse(text[i][0], &ts), 0);
		conf_ts_text(&ts, out);
		assert_string_equal(out, text[i][1]);
	}
}

TEST(selectors_that_mean_nothing_are_refused)
{
	static const char *const text[] = {
		"", "10.0.0.0/33", "10.0.0.9-10.0.0.1", "10.0.0.1-fd00::1",
		"10.0.0.0/8[", "10.0.0.0/8[]", "10.0.0.0/8[tcp/", "x",
		"10.0.0.0/8[tcp]x", "10.0.0.0/8[256]", "10.0.0.0/8[tcp/65536]",
		"10.0.0.0/8[tcp/90-80]", "10.0.0.0/8[any/80]", "10.0.0.0/8[tcp/80-]",
	};
	struct vpn_ts ts = {.proto = 99};

	for (unsigned i = 0; i < N_OF(text); i++)
		assert_int_not_equal(conf_ts_parse(text[i], &ts), 0);
	assert_int_equal(ts.proto, 99);
}

TEST(cpu_lists_are_numbers_and_ranges)
{
	static const char *const wrong[] = {"", ",", "1,", "1-", "-1", "3-1",
					    "1 2", "a", "99999999999", "0-65536"};
	uint16_t cpu[4];

	assert_int_equal(conf_cpus_parse("0-2,9", cpu, 4), 4);
	assert_int_equal(cpu[2], 2);
	assert_int_equal(cpu[3], 9);
	assert_int_equal(conf_cpus_parse("0-4", cpu, 4), ERR_FULL);
	for (unsigned i = 0; i < N_OF(wrong); i++)
		assert_true(conf_cpus_parse(wrong[i], cpu, 4) < 0);
}
