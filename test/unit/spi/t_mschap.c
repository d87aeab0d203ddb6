/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/spi/t_mschap.c - computations of MS-CHAPv2: the vectors of RFC
 * 1320 A.5, RFC 2759 9.2 and 9.3, RFC 3079 3.5.3.
 */
#include "spi/eap-mschapv2/mschap.h"
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/md4.h"
#include "test/lib/test.h"

static struct view
text(const char *s)
{
	return (struct view){ (const uint8_t *)s, strlen(s) };
}

/* The example of RFC 2759 9.2. */
static struct mschap
example(void)
{
	struct mschap x = { .user = text("User") };

	test_hex("5b5d7c7d7b3f2f3e3c2c602132262628", x.server, 16);
	test_hex("21402324255e262a28295f2b3a337c7e", x.peer, 16);
	assert_int_equal(mschap_init(), 0);
	return x;
}

static void
is_hex(const uint8_t *got, const char *want)
{
	uint8_t bytes[64];
	size_t n = test_hex(want, bytes, sizeof(bytes));

	assert_memory_equal(got, bytes, n);
}

static void
md4_is(const char *in, const char *want)
{
	uint8_t out[MD4_LEN];

	md4((const uint8_t *)in, strlen(in), out);
	is_hex(out, want);
}

TEST(md4_gives_the_answers_of_its_rfc)
{
	md4_is("", "31d6cfe0d16ae931b73c59d7e0c089c0");
	md4_is("a", "bde52cb31de33e46245e05fbdbd6fb24");
	md4_is("abc", "a448017aaf21d8525fc10ae87aa6729d");
	md4_is("message digest", "d9130a8164549fe818874806e1c7014b");
	md4_is("abcdefghijklmnopqrstuvwxyz",
	       "d79e1c308aa5bbcdeea8ed63df412da9");
	md4_is("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
	       "043f8582f241db351ce627e153e7f0e4");
	md4_is("1234567890123456789012345678901234567890"
	       "1234567890123456789012345678901234567890",
	       "e33b4ddc9c38f2199c3e7b164fcc0536");
}

TEST(a_password_is_hashed_as_utf_16)
{
	uint8_t hash[MSCHAP_HASH];

	assert_int_equal(mschap_hash(text("clientPass"), hash), 0);
	is_hex(hash, "44ebba8d5312b8d611474411f56989ae");
	assert_int_equal(mschap_hash(text("MyPw"), hash), 0);
	is_hex(hash, "fc156af7edcd6c0edde3337d427f4eac");
	/* nothing at all: the hash of no bytes */
	assert_int_equal(mschap_hash(text(""), hash), 0);
	is_hex(hash, "31d6cfe0d16ae931b73c59d7e0c089c0");
}

TEST(characters_outside_of_ascii_count_as_characters)
{
	/* "e" with acute, the euro sign, a character of two surrogates */
	static const uint8_t wide[] = { 0xe9, 0x00, 0xac, 0x20, 0x3d, 0xd8,
					0x00, 0xde };
	uint8_t hash[MSCHAP_HASH], want[MD4_LEN];

	md4(wide, sizeof(wide), want);
	assert_int_equal(mschap_hash(text("\xc3\xa9\xe2\x82\xac"
					  "\xf0\x9f\x98\x80"), hash), 0);
	assert_memory_equal(hash, want, sizeof(want));
}

TEST(what_is_not_utf_8_is_no_password)
{
	static const char *const bad[] = {
		"\x80", "\xc3", "a\xc3", "\xc3\x28", "\xe2\x82", "\xc0\x80",
		"\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff"
	};
	uint8_t hash[MSCHAP_HASH];

	for (size_t i = 0; i < N_OF(bad); i++)
		assert_int_equal(mschap_hash(text(bad[i]), hash), ERR_SYNTAX);
}

TEST(a_password_may_have_256_units_and_no_more)
{
	char pass[MSCHAP_PASS_MAX + 2];
	uint8_t hash[MSCHAP_HASH];

	memset(pass, 'x', sizeof(pass));
	pass[MSCHAP_PASS_MAX] = '\0';
	assert_int_equal(mschap_hash(text(pass), hash), 0);
	pass[MSCHAP_PASS_MAX] = 'x';
	pass[MSCHAP_PASS_MAX + 1] = '\0';
	assert_int_equal(mschap_hash(text(pass), hash), ERR_LONG);
}

TEST(des_keys_get_odd_parity)
{
	uint8_t in[7], out[8];

	test_hex("fc156af7edcd6c", in, sizeof(in));
	mschap_des_key(in, out);
	is_hex(out, "fd0b5b5e7f6e34d9");
	test_hex("0edde3337d427f", in, sizeof(in));
	mschap_des_key(in, out);
	is_hex(out, "0e6e796737ea08fe");
}

TEST(the_response_is_that_of_the_rfc)
{
	struct mschap x = example();
	uint8_t hash[MSCHAP_HASH], response[MSCHAP_RESPONSE];

	assert_int_equal(mschap_hash(text("clientPass"), hash), 0);
	assert_int_equal(mschap_response(&x, hash, response), 0);
	is_hex(response, "82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df");
}

TEST(a_domain_in_front_of_the_name_is_not_computed)
{
	struct mschap x = example();
	uint8_t hash[MSCHAP_HASH], response[MSCHAP_RESPONSE];

	x.user = text("CORP\\User");
	assert_int_equal(mschap_hash(text("clientPass"), hash), 0);
	assert_int_equal(mschap_response(&x, hash, response), 0);
	is_hex(response, "82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df");
}

TEST(the_proof_of_the_server_is_that_of_the_rfc)
{
	struct mschap x = example();
	uint8_t hash[MSCHAP_HASH], response[MSCHAP_RESPONSE];
	uint8_t proof[MSCHAP_PROOF];

	assert_int_equal(mschap_hash(text("clientPass"), hash), 0);
	assert_int_equal(mschap_response(&x, hash, response), 0);
	assert_int_equal(mschap_proof(&x, hash, response, proof), 0);
	assert_memory_equal(proof,
			    "S=407A5589115FD0D6209F510FE9C04566932CDA56",
			    MSCHAP_PROOF);
}

TEST(the_keys_are_those_of_the_rfc)
{
	struct mschap x = example();
	uint8_t hash[MSCHAP_HASH], response[MSCHAP_RESPONSE];
	uint8_t up[MSCHAP_KEY], down[MSCHAP_KEY];

	assert_int_equal(mschap_hash(text("clientPass"), hash), 0);
	assert_int_equal(mschap_response(&x, hash, response), 0);
	assert_int_equal(mschap_keys(hash, response, up, down), 0);
	/* RFC 3079 3.5.3: the send key of the server */
	is_hex(down, "8b7cdc149b993a1ba118cb153f56dccb");
	/* the other direction: computed apart, with the constants of 3.4 */
	is_hex(up, "d5f0e9521e3ea9589645e86051c82226");
}
