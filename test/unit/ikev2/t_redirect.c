/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ikev2/t_redirect.c - gateways of REDIRECT, and how often.
 */
#include "test/lib/test.h"
#include <string.h>
#include "daemon/base/err.h"
#include "ikev2/neg/redirect.h"

static int
read_hex(const char *hex, struct ike_gw *gw, size_t *nonce_len)
{
	uint8_t b[512];
	struct view nonce = { NULL, 0 };
	int err = ike_gw_read((struct view){ b, test_hex(hex, b, sizeof(b)) },
			      gw, &nonce);

	*nonce_len = nonce.len;
	return err;
}

TEST(a_gateway_by_address_is_read_with_the_nonce_behind_it)
{
	char text[IP_TEXT_MAX];
	struct ike_gw gw;
	size_t n;

	assert_int_equal(read_hex("01 04 c0000202 aabbcc", &gw, &n), 0);
	assert_string_equal(ip_text(&gw.ip, text), "192.0.2.2");
	assert_int_equal(n, 3);
	assert_int_equal(read_hex("02 10 20010db8000000000000000000000002", &gw,
				  &n), 0);
	assert_string_equal(ip_text(&gw.ip, text), "2001:db8::2");
	assert_int_equal(n, 0);
}

TEST(a_gateway_by_name_is_read)
{
	struct ike_gw gw;
	size_t n;

	assert_int_equal(read_hex("03 05 67772e6578", &gw, &n), 0);
	assert_string_equal(gw.name, "gw.ex");
	assert_int_equal(gw.ip.family, 0);
}

TEST(what_is_no_gateway_is_refused)
{
	struct ike_gw gw = { .name = "kept" };
	size_t n;

	assert_int_equal(read_hex("", &gw, &n), ERR_SHORT);
	assert_int_equal(read_hex("01", &gw, &n), ERR_SHORT);
	assert_int_equal(read_hex("01 04 c00002", &gw, &n), ERR_SHORT);
	assert_int_equal(read_hex("01 03 c00002", &gw, &n), ERR_SYNTAX);
	assert_int_equal(read_hex("02 04 c0000202", &gw, &n), ERR_SYNTAX);
	assert_int_equal(read_hex("01 04 7f000001", &gw, &n), ERR_SYNTAX);
	assert_int_equal(read_hex("01 04 e0000001", &gw, &n), ERR_SYNTAX);
	assert_int_equal(read_hex("03 00", &gw, &n), ERR_SYNTAX);
	assert_int_equal(read_hex("03 02 670a", &gw, &n), ERR_SYNTAX);
	assert_int_equal(read_hex("03 02 6700", &gw, &n), ERR_SYNTAX);
	assert_int_equal(read_hex("04 02 6767", &gw, &n), ERR_UNSUP);
	assert_string_equal(gw.name, "kept");
}

TEST(a_name_longer_than_names_can_be_is_refused)
{
	uint8_t b[2 + 255];
	struct view nonce;
	struct ike_gw gw;

	b[0] = 3;
	b[1] = 254;
	memset(b + 2, 'a', 255);
	assert_int_equal(ike_gw_read((struct view){ b, 256 }, &gw, &nonce),
			 ERR_SYNTAX);
	b[1] = 253;
	assert_int_equal(ike_gw_read((struct view){ b, 255 }, &gw, &nonce), 0);
	assert_int_equal(strlen(gw.name), 253);
}

TEST(what_was_written_is_read_again)
{
	struct ike_gw gw = { .name = "vpn2.example.com" }, got;
	uint8_t b[IKE_GW_DATA_MAX];
	struct view nonce;
	size_t len = ike_gw_write(&gw, b);

	assert_int_equal(ike_gw_read((struct view){ b, len }, &got, &nonce), 0);
	assert_string_equal(got.name, gw.name);
	assert_int_equal(ip_parse("2001:db8::7", &gw.ip), 0);
	len = ike_gw_write(&gw, b);
	assert_int_equal(len, 18);
	assert_int_equal(ike_gw_read((struct view){ b, len }, &got, &nonce), 0);
	assert_true(ip_equal(&got.ip, &gw.ip));
}

TEST(five_redirections_are_followed_in_five_minutes)
{
	struct ike_redirects r = { .n = 0 };

	for (unsigned i = 0; i < 5; i++)
		assert_true(ike_redirects_take(&r, 1000 + i));
	assert_false(ike_redirects_take(&r, 2000));
	assert_false(ike_redirects_take(&r, 1000 + 299999));
	assert_true(ike_redirects_take(&r, 1000 + 300000));
}
