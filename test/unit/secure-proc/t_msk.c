/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_msk.c - AUTH by the key that EAP made.
 */
#include "secure-proc/keys/msk.h"
#include <string.h>
#include "daemon/base/err.h"
#include "test/lib/test.h"

static uint8_t key[64];

static struct sec_octets
octets(const char *id)
{
	static const uint8_t bytes[64] = { 1, 2, 3 };

	return (struct sec_octets){
		.prf = 2, .init_msg = { bytes, 64 }, .nonce = { bytes, 32 },
		.sk_p = { bytes, 48 }, .id = { (const uint8_t *)id, strlen(id) }
	};
}

static struct view
msk(size_t len)
{
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = i < 32 ? (uint8_t)(i + 1) : 0;
	return (struct view){ key, len };
}

TEST(what_one_end_signs_the_other_checks)
{
	struct sec_octets o = octets("hanako"), other = octets("taro");
	uint8_t auth[SEC_PRF_MAX];
	size_t len = 0;

	assert_int_equal(sec_msk_sign(msk(64), &o, auth, &len), 0);
	assert_int_equal(len, 48);
	assert_int_equal(sec_msk_check(msk(64), &o, 2,
				       (struct view){ auth, len }), 0);
	assert_int_equal(sec_msk_check(msk(64), &other, 2,
				       (struct view){ auth, len }), ERR_AUTH);
	assert_int_equal(sec_msk_check(msk(64), &o, 14,
				       (struct view){ auth, len }), ERR_AUTH);
}

TEST(a_part_of_it_or_a_wrong_bit_is_refused)
{
	struct sec_octets o = octets("hanako");
	uint8_t auth[SEC_PRF_MAX] = { 0 };
	size_t len = 0;

	assert_int_equal(sec_msk_sign(msk(64), &o, auth, &len), 0);
	for (size_t n = 0; n < len; n++)
		assert_int_equal(sec_msk_check(msk(64), &o, 2,
		    (struct view){ auth, n }), ERR_AUTH);
	assert_int_equal(sec_msk_check(msk(64), &o, 2,
	    (struct view){ auth, len + 1 }), ERR_AUTH);
	for (size_t i = 0; i < len; i++) {
		auth[i] ^= 0x80;
		assert_int_equal(sec_msk_check(msk(64), &o, 2,
		    (struct view){ auth, len }), ERR_AUTH);
		auth[i] ^= 0x80;
	}
}

TEST(a_key_of_32_bytes_and_the_same_with_zeros_behind_agree)
{
	struct sec_octets o = octets("hanako");
	uint8_t auth[SEC_PRF_MAX];
	size_t len = 0;

	assert_int_equal(sec_msk_sign(msk(32), &o, auth, &len), 0);
	assert_int_equal(sec_msk_check(msk(64), &o, 2,
				       (struct view){ auth, len }), 0);
}

TEST(no_key_or_one_of_zeros_is_none)
{
	static const uint8_t zeros[64];
	struct sec_octets o = octets("hanako");
	uint8_t auth[SEC_PRF_MAX];
	size_t len = 0;

	assert_int_equal(sec_msk_sign((struct view){ zeros, 64 }, &o, auth,
				      &len), ERR_SHORT);
	assert_int_equal(sec_msk_sign((struct view){ NULL, 0 }, &o, auth,
				      &len), ERR_SHORT);
	assert_int_equal(sec_msk_sign(msk(SEC_MSK_MIN - 1), &o, auth, &len),
			 ERR_SHORT);
}
