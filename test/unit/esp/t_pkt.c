/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/esp/t_pkt.c - cutting packets, trailers, what is authenticated.
 */
#include "test/lib/test.h"
#include <string.h>
#include "daemon/base/err.h"
#include "esp/pkt.h"

TEST(packet_is_cut_by_the_lengths_of_its_algorithm)
{
	uint8_t raw[256];

	for (size_t i = 0; i < sizeof(raw); i++)
		raw[i] = (uint8_t)i;
	for (int a = 1; a < VPN_ALG_END; a++) {
		const struct vpn_alg_info *info =
		    vpn_alg_info((enum vpn_alg)a);
		size_t least = ESP_HDR_LEN + info->iv_len + info->icv_len +
		    MAX(info->block_len, ESP_TRAIL_LEN);

		for (size_t len = 0; len <= sizeof(raw); len++) {
			struct view v = { raw, len };
			struct esp_pkt p;
			int err = esp_pkt_decode(v, info, &p);
			bool is_good = len >= least &&
			    (len - ESP_HDR_LEN - info->iv_len -
			     info->icv_len) % info->block_len == 0;

			assert_int_equal(err == 0, is_good);
			if (!is_good)
				continue;
			assert_int_equal(p.esp_spi, 0x00010203);
			assert_int_equal(p.seq_lo, 0x04050607);
			assert_ptr_equal(p.iv.p, raw + 8);
			assert_int_equal(p.iv.len, info->iv_len);
			assert_ptr_equal(p.text.p, raw + 8 + info->iv_len);
			assert_ptr_equal(p.icv.p, p.text.p + p.text.len);
			assert_ptr_equal(p.icv.p + p.icv.len, raw + len);
		}
	}
}

TEST(spi_needs_a_whole_header)
{
	uint8_t raw[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	uint32_t v = 9;

	for (size_t len = 0; len < 8; len++)
		assert_int_equal(esp_pkt_spi((struct view){ raw, len }, &v),
				 ERR_SHORT);
	assert_int_equal(v, 9);
	assert_int_equal(esp_pkt_spi((struct view){ raw, 8 }, &v), 0);
	assert_int_equal(v, 0x01020304);
}

TEST(trailer_aligns_and_comes_back)
{
	for (int a = 1; a < VPN_ALG_END; a++) {
		const struct vpn_alg_info *info =
		    vpn_alg_info((enum vpn_alg)a);
		size_t align = MAX(info->block_len, 4);

		for (size_t len = 0; len < 70; len++) {
			uint8_t raw[128] = { 0 }, next = 0;
			size_t n = esp_trail_len(info, len), back = 0;

			assert_int_equal((len + n) % align, 0);
			assert_in_range(n, ESP_TRAIL_LEN, align + 1);
			esp_trail_put(raw + len, n, 97);
			assert_int_equal(esp_trail_get((struct view){ raw,
			    len + n }, &back, &next), 0);
			assert_int_equal(back, len);
			assert_int_equal(next, 97);
		}
	}
}

TEST(wrong_trailers_are_refused)
{
	uint8_t raw[6] = { 1, 2, 3, 4, 4, 97 }, next;
	size_t len;

	assert_int_equal(esp_trail_get((struct view){ raw, 6 }, &len, &next),
			 0);
	assert_int_equal(len, 0);
	for (size_t i = 0; i < 4; i++) {
		raw[i] ^= 0x10;
		assert_int_equal(esp_trail_get((struct view){ raw, 6 }, &len,
					       &next), ERR_PAD);
		raw[i] ^= 0x10;
	}
	raw[4] = 5;
	assert_int_equal(esp_trail_get((struct view){ raw, 6 }, &len, &next),
			 ERR_PAD);
	assert_int_equal(esp_trail_get((struct view){ raw, 1 }, &len, &next),
			 ERR_PAD);
	assert_int_equal(esp_trail_get((struct view){ NULL, 0 }, &len, &next),
			 ERR_PAD);
}

TEST(high_half_is_authenticated_as_the_rfcs_say)
{
	const struct vpn_alg_info *gcm = vpn_alg_info(VPN_ALG_AES_GCM_128);
	const struct vpn_alg_info *cbc =
	    vpn_alg_info(VPN_ALG_AES_CBC_128_SHA256);
	static const uint8_t full[12] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
					  12 };
	static const uint8_t low[8] = { 1, 2, 3, 4, 9, 10, 11, 12 };
	uint64_t seq = UINT64_C(0x05060708090a0b0c);
	struct spi_esp_op op;

	esp_pkt_aad(&op, gcm, true, 0x01020304, seq);
	assert_int_equal(op.aad_len, 12);
	assert_memory_equal(op.aad, full, 12);
	assert_int_equal(op.tail_len, 0);
	esp_pkt_aad(&op, gcm, false, 0x01020304, seq);
	assert_int_equal(op.aad_len, 8);
	assert_memory_equal(op.aad, low, 8);
	esp_pkt_aad(&op, cbc, true, 0x01020304, seq);
	assert_int_equal(op.aad_len, 8);
	assert_memory_equal(op.aad, low, 8);
	assert_int_equal(op.tail_len, 4);
	assert_memory_equal(op.tail, full + 4, 4);
	esp_pkt_aad(&op, cbc, false, 0x01020304, seq);
	assert_int_equal(op.tail_len, 0);
}
