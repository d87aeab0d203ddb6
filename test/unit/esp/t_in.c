/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/esp/t_in.c - opening: vectors, order of checks, every drop reason.
 */
#include "test/unit/esp/rig.h"
#include <stdio.h>

#define PAIR 3
#define TEXT_MAX 600

/* ---- vectors ---------------------------------------------------------- */

TEST(packet_of_rfc_7634_appendix_a_is_opened)
{
	struct vpn_child c = rig_child(1, PAIR, VPN_ALG_CHACHA20_POLY1305,
				       VPN_MODE_IP);
	struct vpn_keys keys = { { 0 }, { 0 } };
	struct buf *b, *want;

	for (size_t i = 0; i < 36; i++)
		keys.encr[i] = (uint8_t)(0x80 + i);
	rig_open(5);
	c.esp_spi_in = 0x01020304;
	c.keys_in = &keys;
	c.is_esn = false;
	c.ts_remote[0] = rig_ts("198.51.100.5/32");
	c.ts_local[0] = rig_ts("192.0.2.5/32");
	rig_install(1, &c);
	b = rig_hex("010203040000000510111213141516172403942"
	    "8b97f417e3c13753a4f05087b67c352e6a7fab1b982d466ef407ae5c6"
	    "14ee8099d52844eb61aa95dfab4c02f72aa71e7c4c4f64c9befe2facc638e8f3"
	    "cbec163fac469b502773f6fb94e664da9165b82829f641e0"
	    "76aaa8266b7fb0f7b11b369907e1ad43");
	want = rig_hex("45000054a6f200004001e778c6336405c000020508005b7a"
	    "3a080000553bec100007362708090a0b0c0d0e0f101112131415161718191a1b"
	    "1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637");
	assert_int_equal(esp_in_worker(rig[1].esp, b), 4);
	esp_input(rig[1].esp, 4, &b, 1);
	assert_int_equal(rig[1].n_got, 1);
	rig_same(rig[1].got[0], want->data, want->len);
	buf_put(want);
	rig_close();
}

/* draft-mcgrew-gcm-test-01: both are transport mode packets whose next header
 * we never negotiate, so they must get exactly that far. */
TEST(packets_of_the_gcm_draft_are_authentic_and_end_at_the_next_header)
{
	struct vpn_child c = rig_child(1, PAIR, VPN_ALG_AES_GCM_256,
				       VPN_MODE_IP);
	struct vpn_keys keys = { { 0 }, { 0 } };
	struct esp_child_stats st;
	struct buf *b;

	rig_open(64);
	test_hex("abbccddef00112233445566778899aababbccddef00112233445566778899"
	    "aab11223344", keys.encr, sizeof(keys.encr));
	c.keys_in = &keys;
	c.is_esn = false;
	c.esp_spi_in = 0x4a2cbfe3;
	rig_install(1, &c);
	b = rig_hex("4a2cbfe3000000020102030405060708"
	    "ff425c9b724599df7a3bcd510194e00d6a78107f1b0b1cbf06efae9d65a5d763"
	    "748a637985771d347f0545659f14e99def842d8e"
	    "b335f4eecfdbf831824b4c4915956c96");
	esp_input(rig[1].esp, 0x23, &b, 1);
	rig_drops(DROP_ESP_NEXT, 1);
	assert_int_equal(esp_child_stats_get(rig[1].esp, PAIR, &st), 0);
	assert_int_equal(st.seq_in, 2);

	/* The same with ESN; the window stands before the packet's half. */
	c = rig_child(1, PAIR + 1, VPN_ALG_AES_GCM_128, VPN_MODE_IP);
	test_hex("4c80cdefbb5d10da906ac73c3613a6342e443b68", keys.encr,
		 sizeof(keys.encr));
	c.keys_in = &keys;
	c.esp_spi_in = 0x00004321;
	rig_install(1, &c);
	rig_sa(1, PAIR + 1)->replay.top = UINT64_C(0x87654320ffffff00);
	b = rig_hex("00004321000000004956ed7e3b244cfe"
	    "fecf537e729d5b07dc30df528dd22b768d1b98736696a6fd348509fa13ceac34"
	    "cfa2436f14a3f3cf65925bf1f4a13c5d15b21e1884f5ff6247aeabb786b93bce"
	    "61bc17d768fd9732" "459018148f6cbe722fd04796562dfdb4");
	esp_input(rig[1].esp, 0x21, &b, 1);
	rig_drops(DROP_ESP_NEXT, 1);
	assert_int_equal(esp_child_stats_get(rig[1].esp, PAIR + 1, &st), 0);
	assert_int_equal(st.seq_in, UINT64_C(0x8765432100000000));
	rig_close();
}

TEST(visiting_pairs_shows_each_one_in_use_once)
{
	struct esp_child_info ci;
	unsigned n = 0, seen = 0;
	size_t it = 0;

	rig_open(1);
	for (uint32_t i = 0; i < 3; i++)
		rig_pair(PAIR + i, VPN_ALG_AES_GCM_256, VPN_MODE_ETHER, true);
	rig_in(1, rig_good(PAIR + 1, 100));
	esp_child_del(rig[1].esp, PAIR + 2);
	while (esp_child_next(rig[1].esp, &it, &ci)) {
		n++;
		seen |= 1u << (ci.child_id - PAIR);
		assert_int_equal(ci.link, RIG_LINK);
		assert_int_equal(ci.mode, VPN_MODE_ETHER);
		assert_int_equal(ci.alg, VPN_ALG_AES_GCM_256);
		assert_int_equal(ci.esp_spi_in,
				 rig_sa(1, ci.child_id)->esp_spi_in);
		assert_int_equal(ci.stats.rx_packets, ci.child_id == PAIR + 1);
	}
	assert_int_equal(n, 2);
	assert_int_equal(seen, 3);
	rig_close();
}

/* ---- hostile packets -------------------------------------------------- */

TEST(flip_of_any_bit_delivers_nothing_and_changes_nothing)
{
	for (int alg = 1; alg < VPN_ALG_END; alg++) {
		struct esp_child_stats st;
		unsigned n = 0;
		struct buf *good, *b;

		rig_open(1);
		rig_pair(PAIR, (enum vpn_alg)alg, VPN_MODE_ETHER, true);
		good = rig_good(PAIR, 900);
		for (size_t i = 0; i < good->len * 8; i++) {
			b = buf_copy(rig_pool, good);
			b->data[i / 8] ^= (uint8_t)(1u << i % 8);
			rig_in(1, b);
			n++;
		}
		assert_int_equal(rig[1].n_got, 0);
		assert_int_equal(drop_sum(DROP_ESP_SPI), 32);
		assert_int_equal(drop_sum(DROP_ESP_ICV) +
				 drop_sum(DROP_ESP_REPLAY), n - 32);
		assert_int_equal(esp_child_stats_get(rig[1].esp, PAIR, &st),
				 0);
		assert_int_equal(st.seq_in, 0);
		assert_int_equal(st.last_in_ms, 0);
		assert_int_equal(st.n_icv, drop_sum(DROP_ESP_ICV));
		for (unsigned k = 0; k < ESP_DROPS; k++)
			assert_int_equal(st.drop[k], drop_sum(esp_drop_of[k]));
		drop_reset();
		rig_in(1, good);
		assert_int_equal(rig[1].n_got, 1);
		rig_drops(DROP_END, 0);
		rig_close();
	}
}

TEST(truncation_at_every_length_delivers_nothing)
{
	for (int alg = 1; alg < VPN_ALG_END; alg++) {
		struct buf *good, *b;

		rig_open(1);
		rig_pair(PAIR, (enum vpn_alg)alg, VPN_MODE_ETHER, true);
		good = rig_good(PAIR, 1);
		for (uint32_t len = 0; len < good->len; len++) {
			b = buf_copy(rig_pool, good);
			b->len = len;
			assert_int_equal(esp_in_worker(rig[1].esp, b), 0);
			rig_in(1, b);
		}
		assert_int_equal(rig[1].n_got, 0);
		assert_true(drop_sum(DROP_ESP_RUNT) >= 8);
		assert_int_equal(drop_sum(DROP_ESP_RUNT) +
				 drop_sum(DROP_ESP_ICV), good->len);
		buf_put(good);
		rig_close();
	}
}

TEST(unknown_spi_is_dropped_before_anything_else)
{
	struct buf *b;

	rig_open(1);
	rig_pair(PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, true);
	b = rig_good(PAIR, 1);
	be32_put(b->data, 0x12345600);
	rig_in(1, b);
	rig_drops(DROP_ESP_SPI, 1);
	b = rig_good(PAIR, 1);
	esp_child_del(rig[1].esp, PAIR);
	rig_in(1, b);
	rig_drops(DROP_ESP_SPI, 1);
	rig_close();
}

TEST(forged_high_number_does_not_move_the_window)
{
	struct buf *b;

	for (int esn = 0; esn < 2; esn++) {
		rig_open(1);
		rig_pair(PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, esn);
		rig_in(1, rig_good(PAIR, 1));
		b = rig_good(PAIR, 100000);
		b->data[b->len - 1] ^= 0x80;
		rig_in(1, b);
		rig_drops(DROP_ESP_ICV, 1);
		assert_int_equal(rig_sa(1, PAIR)->replay.top, 1);
		rig_in(1, rig_good(PAIR, 2));
		assert_int_equal(rig[1].n_got, 2);
		rig_drops(DROP_END, 0);
		rig_close();
	}
}

TEST(repeated_packets_are_dropped_in_and_across_batches)
{
	struct buf *b[4];
	struct esp_child_stats st;

	rig_open(1);
	rig_pair(PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, true);
	b[0] = rig_good(PAIR, 5);
	b[1] = buf_copy(rig_pool, b[0]);
	b[2] = rig_good(PAIR, 4);
	b[3] = buf_copy(rig_pool, b[0]);
	rig_in_n(1, b, 3);
	assert_int_equal(rig[1].n_got, 2);
	rig_in(1, b[3]);
	assert_int_equal(rig[1].n_got, 2);
	rig_drops(DROP_ESP_REPLAY, 2);
	assert_int_equal(esp_child_stats_get(rig[1].esp, PAIR, &st), 0);
	assert_int_equal(st.n_replay, 2);
	assert_int_equal(st.rx_packets, 2);
	assert_int_equal(st.rx_bytes, 2 * 16);
	rig_close();
}

TEST(seen_number_costs_no_cipher)
{
	struct esp_child_stats st;
	struct buf *b;

	rig_open(1);
	rig_pair(PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, true);
	rig_in(1, rig_good(PAIR, 5));
	b = rig_good(PAIR, 5);
	b->data[b->len - 1] ^= 1;
	rig_in(1, b);
	rig_drops(DROP_ESP_REPLAY, 1);
	assert_int_equal(esp_child_stats_get(rig[1].esp, PAIR, &st), 0);
	assert_int_equal(st.n_icv, 0);
	assert_int_equal(st.n_replay, 1);
	rig_close();
}

TEST(number_zero_and_left_of_the_window_are_refused)
{
	for (int esn = 0; esn < 2; esn++) {
		rig_open(1);
		rig_pair(PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, esn);
		rig_in(1, rig_good(PAIR, 0));
		rig_drops(DROP_ESP_REPLAY, 1);
		rig_in(1, rig_good(PAIR, 20000));
		/* With ESN such a low half stands for the next high half
		 * (RFC 4303 A2.2), which the ICV then refutes. */
		rig_in(1, rig_good(PAIR, 20000 - ESP_WINDOW_BITS));
		rig_drops(DROP_ESP_REPLAY, 1);
		rig_in(1, rig_good(PAIR, 20000 - ESP_WINDOW_BITS + 1));
		assert_int_equal(rig[1].n_got, 2);
		rig_drops(DROP_END, 0);
		rig_close();
	}
}

TEST(extended_numbers_pass_from_one_half_to_the_next)
{
	for (int alg = 1; alg < VPN_ALG_END; alg += 3) {
		uint64_t at = UINT64_C(0x1fffffff0);

		rig_open(1);
		rig_pair(PAIR, (enum vpn_alg)alg, VPN_MODE_ETHER, true);
		rig_sa(1, PAIR)->replay.top = at;
		for (unsigned i = 1; i <= 64; i++)
			rig_in(1, rig_good(PAIR, at + i));
		assert_int_equal(rig[1].n_got, 64);
		assert_int_equal(rig_sa(1, PAIR)->replay.top, at + 64);
		rig_clear(&rig[1]);
		/* Back into the half before, still inside of the window. */
		rig_in(1, rig_good(PAIR, at - 5));
		assert_int_equal(rig[1].n_got, 1);
		rig_drops(DROP_END, 0);
		/* The same low half with the wrong high half is a forgery. */
		rig_in(1, rig_good(PAIR, at + 65 + (UINT64_C(1) << 32)));
		rig_drops(DROP_ESP_ICV, 1);
		rig_close();
	}
}

/* ---- inside of an authentic packet ------------------------------------ */

static void
text_drop(enum vpn_mode mode, const char *hex, enum drop why)
{
	uint8_t text[TEXT_MAX];
	size_t len = test_hex(hex, text, sizeof(text));

	rig_open(1);
	rig_pair(PAIR, VPN_ALG_AES_GCM_128, mode, true);
	rig_in(1, rig_seal(PAIR, 1, text, len));
	if (why == DROP_END) {
		assert_int_equal(rig[1].n_got, 1);
	} else {
		assert_int_equal(rig[1].n_got, 0);
	}
	rig_drops(why, why != DROP_END);
	/* It was authentic: its number is used up. */
	assert_int_equal(rig_sa(1, PAIR)->replay.top, 1);
	assert_true(atomic_load(&rig_sa(1, PAIR)->stat[0].last_in_ms) > 0);
	rig_close();
}

#define MACS	"010101010101 020202020202 0800"

TEST(padding_must_count_from_one)
{
	text_drop(VPN_MODE_ETHER, "3000" MACS "01020361", DROP_ESP_PAD);
	text_drop(VPN_MODE_ETHER, "3000" MACS "01020261", DROP_END);
	text_drop(VPN_MODE_ETHER, "3000" MACS "00010261", DROP_ESP_PAD);
	text_drop(VPN_MODE_ETHER, "3000" MACS "02010261", DROP_ESP_PAD);
	text_drop(VPN_MODE_ETHER, "3000" MACS "01030261", DROP_ESP_PAD);
	/* Longer than the text, and just as long. */
	text_drop(VPN_MODE_ETHER, "3000" MACS "0102ff61", DROP_ESP_PAD);
	text_drop(VPN_MODE_ETHER, "01020361", DROP_ESP_PAD);
	text_drop(VPN_MODE_ETHER, "01020261", DROP_ETHERIP);
	text_drop(VPN_MODE_ETHER, "0061", DROP_ETHERIP);
}

TEST(longest_padding_is_accepted)
{
	uint8_t text[16 + 257] = { 0x30 };

	for (unsigned i = 0; i < 255; i++)
		text[16 + i] = (uint8_t)(i + 1);
	text[16 + 255] = 255;
	text[16 + 256] = ESP_NEXT_ETHERIP;
	rig_open(1);
	rig_pair(PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, true);
	rig_in(1, rig_seal(PAIR, 1, text, sizeof(text)));
	assert_int_equal(rig[1].n_got, 1);
	assert_int_equal(rig[1].got[0]->len, 14);
	rig_close();
}

TEST(only_the_negotiated_next_header_is_accepted)
{
	uint8_t text[] = { 0x30, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 8, 0,
			   1, 2, 2, 0 };

	rig_open(1);
	rig_pair(PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, true);
	for (unsigned next = 0; next < 256; next++) {
		text[sizeof(text) - 1] = (uint8_t)next;
		rig_in(1, rig_seal(PAIR, next + 1, text, sizeof(text)));
	}
	assert_int_equal(rig[1].n_got, 1);
	assert_int_equal(drop_sum(DROP_ESP_DUMMY), 1);
	assert_int_equal(drop_sum(DROP_ESP_NEXT), 254);
	rig_close();
	text_drop(VPN_MODE_IP, "3000" MACS "01020261", DROP_ESP_NEXT);
	text_drop(VPN_MODE_IP, "ffff003b", DROP_ESP_DUMMY);
}

TEST(etherip_header_is_version_3_and_zeros)
{
	text_drop(VPN_MODE_ETHER, "4000" MACS "01020261", DROP_ETHERIP);
	text_drop(VPN_MODE_ETHER, "2000" MACS "01020261", DROP_ETHERIP);
	text_drop(VPN_MODE_ETHER, "3001" MACS "01020261", DROP_ETHERIP);
	text_drop(VPN_MODE_ETHER, "3100" MACS "01020261", DROP_ETHERIP);
	text_drop(VPN_MODE_ETHER, "300061", DROP_ETHERIP);
	text_drop(VPN_MODE_ETHER, "3000 0000000000000000000000000000 0161",
		  DROP_ESP_PAD);
	text_drop(VPN_MODE_ETHER, "3000 00000000000000000000000000 0061",
		  DROP_ESP_INNER);
}

/* From 10.1.0.9 to 10.2.0.1, as rig_pair() permits, and from elsewhere. */
#define GRE_IP4 "4500 0014 0000 0000 4011 0000 0a010009 0a020001"
#define GRE_ALIEN "4500 0014 0000 0000 4011 0000 0a030009 0a020001"
#define GRE_IP6 "6000 0000 0000 3b40 fd000001000000000000000000000001" \
		"fd000002000000000000000000000001"
#define GRE_END "0102022f"

TEST(gre_carries_ip_of_its_selectors)
{
	text_drop(VPN_MODE_GRE, "0000 0800" GRE_IP4 GRE_END, DROP_END);
	text_drop(VPN_MODE_GRE, "0000 0800" GRE_ALIEN GRE_END, DROP_ESP_SEL);
	text_drop(VPN_MODE_GRE, "0000 86dd" GRE_IP6 GRE_END, DROP_ESP_SEL);
	/* reserved bits are ignored (RFC 2784 2.3) */
	text_drop(VPN_MODE_GRE, "03f8 0800" GRE_IP4 GRE_END, DROP_END);
	/* what is not IP, and what lies about it */
	text_drop(VPN_MODE_GRE, "0000 6558" GRE_IP4 GRE_END, DROP_GRE_TYPE);
	text_drop(VPN_MODE_GRE, "0000 0000" GRE_IP4 GRE_END, DROP_GRE_TYPE);
	text_drop(VPN_MODE_GRE, "0000 0800" GRE_IP6 GRE_END, DROP_ESP_INNER);
	text_drop(VPN_MODE_GRE, "0000 86dd" GRE_IP4 GRE_END, DROP_ESP_INNER);
	text_drop(VPN_MODE_GRE, "0000 0800" GRE_END, DROP_ESP_INNER);
	text_drop(VPN_MODE_GRE, "0000 0800 4500 0015 0000" GRE_END,
		  DROP_ESP_INNER);
	text_drop(VPN_MODE_IP, "0000 0800" GRE_IP4 GRE_END, DROP_ESP_NEXT);
	text_drop(VPN_MODE_GRE, GRE_IP4 "01020204", DROP_ESP_NEXT);
}

TEST(gre_with_a_key_number_route_or_version_is_refused)
{
	static const char *const flags[] = { "2000", "1000", "4000", "0800",
		"0400", "0001", "2001", "3000", "7000" };
	char text[256];

	for (unsigned i = 0; i < N_OF(flags); i++) {
		snprintf(text, sizeof(text), "%s 0800 00000001" GRE_IP4 GRE_END,
			 flags[i]);
		text_drop(VPN_MODE_GRE, text, DROP_GRE);
	}
	text_drop(VPN_MODE_GRE, "0000 08" GRE_END, DROP_GRE);
	text_drop(VPN_MODE_GRE, GRE_END, DROP_GRE);
}

TEST(checksum_of_gre_is_verified)
{
	text_drop(VPN_MODE_GRE, "8000 0800 decc 0000" GRE_IP4 GRE_END,
		  DROP_END);
	text_drop(VPN_MODE_GRE, "8000 0800 decd 0000" GRE_IP4 GRE_END,
		  DROP_GRE);
	text_drop(VPN_MODE_GRE, "8000 0800 decc 0001" GRE_IP4 GRE_END,
		  DROP_GRE);
	text_drop(VPN_MODE_GRE, "8000 0800 decc" GRE_END, DROP_GRE);
	text_drop(VPN_MODE_GRE, "8000 0800" GRE_END, DROP_GRE);
}

#define IP4 "4500001c000000004011000 00a010001 0a020001 1000 2000 0008 0000"

TEST(inner_ip_packet_must_be_whole_and_of_the_right_version)
{
	text_drop(VPN_MODE_IP, IP4 "01020204", DROP_END);
	/* TFC padding behind it is cut off. */
	text_drop(VPN_MODE_IP, IP4 "ffffffffffffffff 01020204", DROP_END);
	text_drop(VPN_MODE_IP, IP4 "01020229", DROP_ESP_INNER);
	text_drop(VPN_MODE_IP, "4600001c00000000401100000a0100010a020001"
	    "01020204", DROP_ESP_INNER);
	text_drop(VPN_MODE_IP, "4400001c00000000401100000a0100010a020001"
	    "0000000000000000" "01020204", DROP_ESP_INNER);
	text_drop(VPN_MODE_IP, "4500001300000000401100000a0100010a020001"
	    "0000000000000000" "01020204", DROP_ESP_INNER);
	text_drop(VPN_MODE_IP, "0004", DROP_ESP_INNER);
	text_drop(VPN_MODE_IP, "6000000000011140"
	    "0000000000000000000000000000000000000000000000000000000000000000"
	    "0029", DROP_ESP_INNER);
	text_drop(VPN_MODE_IP, "6000000000001140"
	    "0000000000000000000000000000000000000000000000000000000000000000"
	    "0004", DROP_ESP_INNER);
	text_drop(VPN_MODE_IP, "6000000000001140"
	    "0000000000000000000000000000000000000000000000000000000000000000"
	    "0029", DROP_ESP_SEL);
}

TEST(tfc_padding_is_not_delivered)
{
	uint8_t text[64];
	size_t len = test_hex(IP4 "ffffffffffffffff 01020204", text,
			      sizeof(text));

	rig_open(1);
	rig_pair(PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_IP, true);
	rig_in(1, rig_seal(PAIR, 1, text, len));
	assert_int_equal(rig[1].got[0]->len, 28);
	rig_close();
}

/* ---- policy ----------------------------------------------------------- */

static void
policy(const struct vpn_child *c, struct buf *inner, bool is_good)
{
	uint8_t text[TEXT_MAX];
	size_t n = esp_trail_len(vpn_alg_info(c->alg), inner->len);
	static uint64_t seq;

	memcpy(text, inner->data, inner->len);
	esp_trail_put(text + inner->len, n, ESP_NEXT_IPV4);
	rig_in(1, rig_seal(c->id, ++seq, text, inner->len + n));
	assert_int_equal(rig[1].n_got, is_good);
	rig_drops(is_good ? DROP_END : DROP_ESP_SEL, !is_good);
	rig_clear(&rig[1]);
	buf_put(inner);
}

TEST(inner_addresses_must_lie_in_the_selectors)
{
	struct vpn_child c;
	struct buf *b;

	rig_open(1);
	c = rig_child(0, PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_IP);
	rig_install(0, &c);
	c = rig_child(1, PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_IP);
	rig_install(1, &c);
	policy(&c, rig_ip(1, 1, 1, 1, 0), true);
	b = rig_ip(1, 1, 1, 1, 0);
	b->data[13] = 3; /* from 10.3.0.1 */
	policy(&c, b, false);
	b = rig_ip(1, 1, 1, 1, 0);
	b->data[17] = 3; /* to 10.3.0.1 */
	policy(&c, b, false);
	b = rig_ip(1, 1, 1, 1, 0); /* from our side to theirs: a mirror */
	b->data[13] = 2;
	b->data[17] = 1;
	policy(&c, b, false);
	rig_close();
}

TEST(narrowed_ports_are_checked_and_fragments_do_not_slip_by)
{
	struct vpn_child c;
	struct buf *b;

	rig_open(1);
	c = rig_child(0, PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_IP);
	rig_install(0, &c);
	c = rig_child(1, PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_IP);
	c.ts_local[0].proto = 17;
	c.ts_local[0].port_lo = 5000;
	c.ts_local[0].port_hi = 5009;
	rig_install(1, &c);
	policy(&c, rig_ip(1, 1, 9, 5000, 0), true);
	policy(&c, rig_ip(1, 1, 9, 5009, 0), true);
	policy(&c, rig_ip(1, 1, 9, 5010, 0), false);
	policy(&c, rig_ip(1, 1, 5000, 4999, 0), false);
	b = rig_ip(1, 1, 9, 5000, 0);
	b->data[9] = 6; /* TCP */
	policy(&c, b, false);
	b = rig_ip(1, 1, 9, 5000, 0);
	be16_put(b->data + 6, 0x2000); /* first fragment shows its ports */
	policy(&c, b, true);
	b = rig_ip(1, 1, 9, 5000, 0);
	be16_put(b->data + 6, 0x0001); /* a later one does not */
	policy(&c, b, false);
	rig_close();
}

TEST(opaque_selector_takes_fragments_only)
{
	struct vpn_child c;
	struct buf *b;

	rig_open(1);
	c = rig_child(0, PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_IP);
	rig_install(0, &c);
	c = rig_child(1, PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_IP);
	c.ts_local[0].port_lo = 65535;
	c.ts_local[0].port_hi = 0;
	rig_install(1, &c);
	policy(&c, rig_ip(1, 1, 9, 5000, 0), false);
	b = rig_ip(1, 1, 9, 5000, 0);
	be16_put(b->data + 6, 0x0001);
	policy(&c, b, true);
	rig_close();
}

/* ---- moves, batches, workers ------------------------------------------ */

static void
in_from(struct buf *b, const char *from, enum vpn_encap kind)
{
	b->from = rig_ep(from);
	b->kind = kind;
	esp_input(rig[1].esp, 0, &b, 1);
}

TEST(newest_packet_from_elsewhere_is_told_once_a_second)
{
	struct buf *b;

	rig_open(1);
	rig_pair(PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, true);
	in_from(rig_good(PAIR, 10), "192.0.2.1:4500", VPN_ENCAP_UDP);
	assert_int_equal(rig[1].n_ev, 0);
	in_from(rig_good(PAIR, 11), "192.0.2.1:4501", VPN_ENCAP_UDP);
	assert_int_equal(rig[1].n_ev, 1);
	assert_int_equal(rig[1].ev[0].type, ESP_EV_MOVED);
	assert_int_equal(rig[1].ev[0].from.port, 4501);
	assert_int_equal(rig[1].ev[0].link, RIG_LINK);
	assert_int_equal(rig[1].ev[0].child_id, PAIR);
	in_from(rig_good(PAIR, 12), "192.0.2.1:4501", VPN_ENCAP_UDP);
	assert_int_equal(rig[1].n_ev, 1);
	rig_now_ms += 1000;
	in_from(rig_good(PAIR, 13), "192.0.2.1:4501", VPN_ENCAP_UDP);
	assert_int_equal(rig[1].n_ev, 2);
	rig_now_ms += 100;
	in_from(rig_good(PAIR, 14), "192.0.2.9:4501", VPN_ENCAP_UDP);
	assert_int_equal(rig[1].n_ev, 3);
	/* Neither an older packet nor a forged one says where the peer is. */
	rig_now_ms += 5000;
	in_from(rig_good(PAIR, 9), "192.0.2.66:1", VPN_ENCAP_UDP);
	b = rig_good(PAIR, 20);
	b->data[20] ^= 1;
	in_from(b, "192.0.2.66:1", VPN_ENCAP_UDP);
	assert_int_equal(rig[1].n_ev, 3);
	rig_close();
}

TEST(either_encapsulation_is_accepted)
{
	rig_open(1);
	rig_pair(PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, true);
	in_from(rig_good(PAIR, 1), "192.0.2.1", VPN_ENCAP_ESP);
	in_from(rig_good(PAIR, 2), "192.0.2.1:4500", VPN_ENCAP_UDP);
	assert_int_equal(rig[1].n_got, 2);
	assert_int_equal(rig[1].n_ev, 0);
	in_from(rig_good(PAIR, 3), "192.0.2.3", VPN_ENCAP_ESP);
	assert_int_equal(rig[1].n_ev, 1);
	rig_close();
}

TEST(mixed_batch_gives_what_single_calls_give)
{
	struct buf *b[2][48];
	uint8_t ends[2][48][64];
	uint32_t len[2][48];
	unsigned n[2], deliver[2];

	for (unsigned round = 0; round < 2; round++) {
		struct rng_det r;
		uint64_t sum = 0;

		rng_det_init(&r, test_seed());
		rig_open(1);
		rig_pair(1, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, true);
		rig_pair(2, VPN_ALG_AES_CBC_256_SHA256, VPN_MODE_ETHER, false);
		for (unsigned i = 0; i < 48; i++) {
			uint64_t v = rng_det_u64(&r);
			struct buf *p = rig_good(1 + v % 2, 1 + v / 8 % 40);

			if (v % 8 == 7)
				p->data[v / 64 % p->len] ^= 1;
			b[round][i] = p;
		}
		if (round == 0)
			rig_in_n(1, b[0], 48);
		else
			for (unsigned i = 0; i < 48; i++)
				rig_in(1, b[1][i]);
		n[round] = rig[1].n_got;
		deliver[round] = rig[1].n_deliver;
		for (unsigned i = 0; i < n[round]; i++) {
			len[round][i] = rig[1].got[i]->len;
			memcpy(ends[round][i], rig[1].got[i]->data,
			       rig[1].got[i]->len);
		}
		for (int d = 0; d < DROP_END; d++)
			sum += drop_sum((enum drop)d);
		assert_int_equal(sum + n[round], 48);
		rig_close();
	}
	assert_int_equal(n[0], n[1]);
	assert_in_range(n[0], 5, 47);
	assert_int_equal(deliver[0], 1);
	for (unsigned i = 0; i < n[0]; i++) {
		assert_int_equal(len[0][i], len[1][i]);
		assert_memory_equal(ends[0][i], ends[1][i], len[0][i]);
	}
}

TEST(deliveries_are_cut_where_the_link_changes)
{
	struct vpn_child c;
	struct buf *b[4];

	rig_open(1);
	rig_pair(1, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, true);
	c = rig_child(0, 2, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER);
	rig_install(0, &c);
	c = rig_child(1, 2, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER);
	assert_int_equal(esp_spi_reserve(rig[1].esp, c.esp_spi_in), 0);
	assert_int_equal(esp_child_add(rig[1].esp, RIG_LINK + 1, &c), 0);
	b[0] = rig_good(1, 1);
	b[1] = rig_good(1, 2);
	b[2] = rig_good(2, 1);
	b[3] = rig_good(1, 3);
	rig_in_n(1, b, 4);
	assert_int_equal(rig[1].n_deliver, 3);
	assert_int_equal(rig[1].got_link[1], RIG_LINK);
	assert_int_equal(rig[1].got_link[2], RIG_LINK + 1);
	assert_int_equal(rig[1].got[2]->port, RIG_LINK + 1);
	assert_int_equal(rig[1].got_link[3], RIG_LINK);
	rig_close();
}

#ifndef TAPIR_DEBUG
TEST(packet_at_the_wrong_worker_touches_no_window)
{
	struct buf *b;

	rig_open(2);
	rig_pair(PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, true);
	b = rig_good(PAIR, 1);
	assert_int_equal(esp_in_worker(rig[1].esp, b), 0);
	esp_input(rig[1].esp, 1, &b, 1);
	rig_drops(DROP_ESP_SPI, 1);
	assert_int_equal(rig_sa(1, PAIR)->replay.top, 0);
	rig_close();
}
#endif

TEST(a_life_in_packets_ends_by_what_comes_in_too)
{
	struct vpn_child c;

	rig_open(1);
	for (unsigned end = 0; end < 2; end++) {
		c = rig_child(end, 3, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER);
		if (end == 1) {
			c.soft_packets = 3;
			c.hard_packets = 5;
		}
		rig_install(end, &c);
	}
	for (unsigned i = 1; i <= 8; i++) {
		struct buf *b;

		rig_out(0, rig_frame(60, 1));
		b = rig_take(0);
		rig_in_n(1, &b, 1);
		assert_int_equal(rig[1].n_ev, i < 3 ? 0 : i < 5 ? 1 : 2);
	}
	assert_int_equal(rig[1].ev[0].type, ESP_EV_SOFT);
	assert_int_equal(rig[1].ev[1].type, ESP_EV_HARD);
	assert_int_equal(rig[1].ev[1].child_id, 3);
	assert_int_equal(rig[1].n_got, 8);
	rig_close();
}

TEST(a_packet_outside_of_the_selectors_is_shown_seldom)
{
	struct vpn_child c;

	rig_open(1);
	for (unsigned end = 0; end < 2; end++) {
		c = rig_child(end, 3, VPN_ALG_AES_GCM_128, VPN_MODE_IP);
		if (end == 0)	/* it believes in more than was agreed on */
			c.ts_local[0] = rig_ts("10.0.0.0/8");
		else
			c.ts_remote[0] = rig_ts("10.1.0.5/32");
		rig_install(end, &c);
	}
	for (unsigned i = 0; i < 4; i++) {
		struct buf *b;

		rig_out(0, rig_ip(9, 1, 1, 2, 100));
		b = rig_take(0);
		rig_in_n(1, &b, 1);
		assert_int_equal(rig[1].n_ev, i < 2 ? 1 : i);
		if (i > 0)
			rig_now_ms += 10000;
	}
	assert_int_equal(rig[1].n_got, 0);
	assert_int_equal(rig[1].ev[0].type, ESP_EV_SEL);
	assert_int_equal(rig[1].ev[0].child_id, 3);
	assert_int_equal(rig[1].ev[0].n_head, ESP_HEAD_MAX);
	assert_memory_equal(rig[1].ev[0].head + 12, ((uint8_t[]){ 10, 1, 0, 9 }),
			    4);
	rig_close();
}

TEST(an_unknown_spi_is_told_five_times_a_second)
{
	rig_open(1);
	for (unsigned i = 0; i < 400; i++) {
		uint8_t pkt[60] = { 0x12, 0x34, 0x56, 0x70 };
		struct buf *b = rig_buf(pkt, sizeof(pkt));

		pkt[3] = (uint8_t)i;
		rig_in_n(1, &b, 1);
		rig_now_ms += 5;
	}
	assert_int_equal(rig[1].n_ev, 10);
	assert_int_equal(rig[1].ev[0].type, ESP_EV_STRAY);
	assert_int_equal(rig[1].ev[0].esp_spi, 0x12345670);
	assert_int_equal(rig[1].ev[0].len, 60);
	rig_close();
}
