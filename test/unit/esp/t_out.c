/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/esp/t_out.c - sealing: vectors, buffers, pairs, ends.
 */
#include "test/unit/esp/rig.h"

#define PAIR 3

static int
rng_count(void *ctx UNUSED, void *out, size_t n)
{
	uint8_t *p = out;

	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(0xe0 + i % 16);
	return 0;
}

static int
rng_fail(void *ctx UNUSED, void *out UNUSED, size_t n UNUSED)
{
	return ERR_RANDOM;
}

/* A pair whose outbound keys and SPI are those of the vectors. */
static void
vector_pair(enum vpn_alg alg, enum vpn_mode mode, bool is_esn)
{
	struct vpn_child c = rig_child(0, PAIR, alg, mode);
	struct vpn_keys keys = { { 0 }, { 0 } };

	for (size_t i = 0; i < 32; i++)
		keys.encr[i] = (uint8_t)(0x80 + i % 16);
	for (size_t i = 0; i < 4; i++)
		keys.encr[vpn_alg_info(alg)->encr_key_len + i] =
		    (uint8_t)(0xd0 + i);
	for (size_t i = 0; i < 32; i++)
		keys.integ[i] = (uint8_t)(0x30 + i);
	c.esp_spi_out = 0x11223344;
	c.is_esn = is_esn;
	c.keys_out = &keys;
	c.ts_local[0] = rig_ts("0.0.0.0/0");
	c.ts_remote[0] = rig_ts("0.0.0.0/0");
	rig_install(0, &c);
}

static void
vector_expect(const char *in, const char *out)
{
	struct buf *frame = rig_hex(in), *want = rig_hex(out), *b;

	/* Shared: sealed apart, the frame untouched. */
	rig_out(0, buf_get(frame));
	b = rig_take(0);
	rig_same(b, want->data, want->len);
	assert_ptr_not_equal(b, frame);
	buf_put(b);
	buf_put(want);
	want = rig_hex(in);
	rig_same(frame, want->data, want->len);
	buf_put(want);
	/* Alone: the same from the frame's own buffer. */
	want = rig_hex(out);
	atomic_store(&rig_sa(0, PAIR)->seq.last, 0);
	rig_out(0, frame);
	b = rig_take(0);
	assert_ptr_equal(b, frame);
	rig_same(b, want->data, want->len);
	buf_put(b);
	buf_put(want);
}

/* Vectors: computed with libgcrypt 1.10.1. */
#define VEC_FRAME "202122232425262728292a2b2c2d2e2f30313233"

TEST(gcm_with_esn_and_etherip_gives_the_vector)
{
	rig_open(1);
	vector_pair(VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, true);
	vector_expect(VEC_FRAME,
	    "11223344000000010000000000000001"
	    "84b22d5d59b2361415695244ce8fa1967fd67051b77772fa"
	    "25e820caa067673cc7899a2b0ae43581");
	rig_close();
}

TEST(cbc_hmac_with_and_without_esn_gives_the_vector)
{
	rng_set_source(rng_count, NULL);
	rig_open(1);
	vector_pair(VPN_ALG_AES_CBC_128_SHA256, VPN_MODE_ETHER, true);
	vector_expect(VEC_FRAME,
	    "1122334400000001e0e1e2e3e4e5e6e7e8e9eaebecedeeef"
	    "0aeee9e2fe465e38c8c162da04cf1f76b4a64865998d376a2b1de7fb995b23d4"
	    "c5fc1f92a4822ac7a23496f15b4de92c");
	rig_close();
	rig_open(1);
	vector_pair(VPN_ALG_AES_CBC_128_SHA256, VPN_MODE_ETHER, false);
	vector_expect(VEC_FRAME,
	    "1122334400000001e0e1e2e3e4e5e6e7e8e9eaebecedeeef"
	    "0aeee9e2fe465e38c8c162da04cf1f76b4a64865998d376a2b1de7fb995b23d4"
	    "8c330d5387ba01946c3d418c7b371624");
	rig_close();
	rng_set_source(NULL, NULL);
}

TEST(chacha_in_tunnel_mode_gives_the_vector)
{
	rig_open(1);
	vector_pair(VPN_ALG_CHACHA20_POLY1305, VPN_MODE_IP, false);
	vector_expect("450000170001000040110000c0000205c6336405616263",
	    "11223344000000010000000000000001"
	    "8392505bbaed48134fc44d1f6283b84dd624d475131aef6743fbf45d"
	    "e2293fe3d32d60df08ebb70f1666782b");
	rig_close();
}

TEST(every_algorithm_goes_through_and_back)
{
	static const size_t sizes[] = { 14, 15, 16, 17, 60, 1399, 1514 };

	for (int alg = 1; alg < VPN_ALG_END; alg++)
		for (int esn = 0; esn < 2; esn++) {
			rig_open(1);
			rig_pair(PAIR, (enum vpn_alg)alg, VPN_MODE_ETHER, esn);
			for (size_t i = 0; i < N_OF(sizes); i++) {
				struct buf *b = rig_frame(sizes[i], 0x77);

				/* Every other one is shared. */
				if (i % 2 != 0)
					buf_get(b);
				rig_out(0, b);
				rig_in(1, rig_take(0));
				assert_int_equal(rig[1].n_got, 1);
				if (i % 2 != 0) {
					rig_same(rig[1].got[0], b->data,
						 b->len);
					buf_put(b);
				}
				assert_int_equal(rig[1].got[0]->len, sizes[i]);
				assert_int_equal(rig[1].got[0]->data[sizes[i] -
								     1], 0x77);
				assert_int_equal(rig[1].got[0]->port,
						 RIG_LINK);
				rig_clear(&rig[1]);
			}
			rig_drops(DROP_END, 0);
			rig_close();
		}
}

TEST(ip_mode_goes_through_without_link_padding)
{
	struct buf *b;

	rig_open(1);
	rig_pair(PAIR, VPN_ALG_AES_GCM_256, VPN_MODE_IP, true);
	b = rig_ip(1, 2, 1000, 2000, 5);
	assert_non_null(buf_append(b, 13));
	rig_out(0, b);
	rig_in(1, rig_take(0));
	assert_int_equal(rig[1].n_got, 1);
	assert_int_equal(rig[1].got[0]->len, 33);
	rig_close();
}

TEST(sealed_length_never_exceeds_the_overhead)
{
	for (int alg = 1; alg < VPN_ALG_END; alg++) {
		unsigned over = esp_overhead((enum vpn_alg)alg, VPN_MODE_ETHER,
					     VPN_ENCAP_UDP, 4);
		unsigned most = 0;

		rig_open(1);
		rig_pair(PAIR, (enum vpn_alg)alg, VPN_MODE_ETHER, true);
		for (size_t len = 14; len < 64; len++) {
			struct buf *b;

			rig_out(0, rig_frame(len, 1));
			b = rig_take(0);
			most = MAX(most, b->len - (unsigned)len);
			buf_put(b);
		}
		assert_int_equal(most + 28, over);
		assert_int_equal(esp_overhead((enum vpn_alg)alg, VPN_MODE_IP,
					      VPN_ENCAP_ESP, 6),
				 over - 2 - 8 + 20);
		rig_close();
	}
}

TEST(frames_of_an_unknown_link_are_dropped)
{
	rig_open(1);
	rig_out(0, rig_frame(60, 1));
	rig_drops(DROP_ESP_NOSA, 1);
	rig_pair(PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, true);
	esp_child_del(rig[0].esp, PAIR);
	rig_out(0, rig_frame(60, 1));
	rig_drops(DROP_ESP_NOSA, 1);
	esp_child_del(rig[0].esp, PAIR);
	esp_child_del(rig[0].esp, 99);
	rig_close();
}

TEST(malformed_inner_packets_do_not_leave)
{
	struct buf *b;

	rig_open(1);
	rig_pair(PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, true);
	rig_out(0, rig_frame(13, 1));
	rig_drops(DROP_ESP_INNER, 1);
	rig_close();
	rig_open(1);
	rig_pair(PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_IP, true);
	rig_out(0, rig_frame(60, 1));
	b = rig_ip(1, 1, 1, 1, 10);
	b->len--;
	rig_out(0, b);
	rig_drops(DROP_ESP_INNER, 2);
	assert_int_equal(rig[0].n_wire, 0);
	rig_close();
}

TEST(packets_outside_the_selectors_do_not_leave)
{
	struct buf *b;

	rig_open(1);
	rig_pair(PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_IP, true);
	b = rig_ip(1, 1, 1, 1, 10);
	b->data[13] = 9; /* from 10.9.0.1 */
	rig_out(0, b);
	b = rig_ip(1, 1, 1, 1, 10);
	b->data[17] = 9; /* to 10.9.0.1 */
	rig_out(0, b);
	rig_drops(DROP_ESP_SEL, 2);
	assert_int_equal(rig[0].n_wire, 0);
	rig_close();
}

TEST(empty_pool_and_long_frames_are_named_drops)
{
	struct buf *b;

	rig_open(1);
	rig_pair(PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, true);
	rig[0].is_dry = true;
	b = rig_frame(100, 1);
	rig_out(0, buf_get(b));
	rig_drops(DROP_NO_BUF, 1);
	rig_out(0, b);
	rig_drops(DROP_END, 0);
	assert_int_equal(rig[0].n_wire, 1);
	rig[0].is_dry = false;
	/* No room behind, and none in a fresh buffer either. */
	b = rig_frame(1, 1);
	assert_non_null(buf_append(b, buf_tail(b)));
	rig_out(0, b);
	rig_drops(DROP_TOO_BIG, 1);
	rig_close();
}

TEST(frame_without_head_room_is_sealed_apart)
{
	struct buf *b;

	rig_open(1);
	rig_pair(PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, true);
	b = rig_frame(100, 9);
	assert_non_null(buf_push(b, BUF_HEAD - 4));
	memset(b->data, 9, b->len);
	rig_out(0, b);
	rig_in(1, rig_take(0));
	assert_int_equal(rig[1].n_got, 1);
	assert_int_equal(rig[1].got[0]->len, 100 + BUF_HEAD - 4);
	assert_int_equal(rig[1].got[0]->data[0], 9);
	rig_close();
}

TEST(numbers_end_before_they_wrap)
{
	struct esp_child *c;
	struct esp_child_stats st;
	struct buf *b[4];

	rig_open(1);
	rig_pair(PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, false);
	c = rig_sa(0, PAIR);
	atomic_store(&c->seq.last, UINT32_MAX - 2);
	for (unsigned i = 0; i < 4; i++)
		b[i] = rig_frame(60, 1);
	esp_output(rig[0].esp, 0, RIG_LINK, b, 4);
	assert_int_equal(rig[0].n_wire, 2);
	assert_int_equal(be32_get(rig[0].wire[0]->data + 4), UINT32_MAX - 1);
	assert_int_equal(be32_get(rig[0].wire[1]->data + 4), UINT32_MAX);
	rig_drops(DROP_ESP_SEQ, 2);
	/* Both thresholds were passed, each is told once. */
	assert_int_equal(rig[0].n_ev, 2);
	assert_int_equal(rig[0].ev[0].type, ESP_EV_HARD);
	assert_int_equal(rig[0].ev[1].type, ESP_EV_SOFT);
	assert_int_equal(rig[0].ev[0].child_id, PAIR);
	assert_int_equal(rig[0].ev[0].link, RIG_LINK);
	rig_out(0, rig_frame(60, 1));
	rig_drops(DROP_ESP_SEQ, 1);
	assert_int_equal(rig[0].n_ev, 2);
	assert_int_equal(esp_child_stats_get(rig[0].esp, PAIR, &st), 0);
	assert_int_equal(st.seq_out, UINT32_MAX);
	assert_int_equal(st.tx_packets, 2);
	for (unsigned i = 0; i < ESP_DROPS; i++)
		assert_int_equal(st.drop[i], esp_drop_of[i] == DROP_ESP_SEQ ? 3 :
				 0);
	rig_close();
}

TEST(soft_end_is_told_at_seven_eighths)
{
	struct esp_child *c;

	rig_open(1);
	rig_pair(PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, false);
	c = rig_sa(0, PAIR);
	atomic_store(&c->seq.last, UINT32_MAX / 8 * 7 - 2);
	rig_out(0, rig_frame(60, 1));
	assert_int_equal(rig[0].n_ev, 0);
	rig_out(0, rig_frame(60, 1));
	assert_int_equal(rig[0].n_ev, 1);
	assert_int_equal(rig[0].ev[0].type, ESP_EV_SOFT);
	rig_close();
}

TEST(bytes_end_a_key_as_well)
{
	struct esp_child *c;

	rig_open(1);
	rig_pair(PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, true);
	c = rig_sa(0, PAIR);
	atomic_store(&c->seq.bytes, ESP_BYTES_SOFT - 60);
	rig_out(0, rig_frame(60, 1));
	assert_int_equal(rig[0].n_ev, 1);
	assert_int_equal(rig[0].ev[0].type, ESP_EV_SOFT);
	atomic_store(&c->seq.bytes, ESP_BYTES_HARD);
	rig_out(0, rig_frame(60, 1));
	rig_drops(DROP_ESP_SEQ, 1);
	assert_int_equal(rig[0].ev[1].type, ESP_EV_HARD);
	rig_close();
}

TEST(failing_random_source_stops_cbc)
{
	rig_open(1);
	rig_pair(PAIR, VPN_ALG_AES_CBC_256_SHA256, VPN_MODE_ETHER, true);
	rng_set_source(rng_fail, NULL);
	rig_out(0, rig_frame(60, 1));
	rng_set_source(NULL, NULL);
	assert_int_equal(rig[0].n_wire, 0);
	rig_drops(DROP_ESP_CRYPTO, 1);
	rig_close();
}

TEST(a_batch_of_one_pair_is_one_send)
{
	struct buf *b[ESP_BATCH_MAX];

	rig_open(1);
	rig_pair(PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, true);
	for (unsigned i = 0; i < ESP_BATCH_MAX; i++)
		b[i] = rig_frame(14 + i * 20, (uint8_t)i);
	esp_output(rig[0].esp, 0, RIG_LINK, b, ESP_BATCH_MAX);
	assert_int_equal(rig[0].n_send, 1);
	assert_int_equal(rig[0].n_wire, ESP_BATCH_MAX);
	for (unsigned i = 0; i < ESP_BATCH_MAX; i++) {
		assert_int_equal(be32_get(rig[0].wire[i]->data + 4), i + 1);
		/* The IV: never the same twice. */
		assert_int_equal(be64_get(rig[0].wire[i]->data + 8), i + 1);
	}
	rig[0].n_wire = 0;
	rig_in_n(1, rig[0].wire, ESP_BATCH_MAX);
	assert_int_equal(rig[1].n_deliver, 1);
	assert_int_equal(rig[1].n_got, ESP_BATCH_MAX);
	for (unsigned i = 0; i < ESP_BATCH_MAX; i++) {
		assert_int_equal(rig[1].got[i]->len, 14 + i * 20);
		assert_int_equal(rig[1].got[i]->data[13], i);
	}
	rig_close();
}

TEST(flooded_frame_is_sealed_once_per_pair_and_never_written)
{
	struct buf *b, *same[2];

	rig_open(1);
	rig_pair(PAIR, VPN_ALG_AES_CBC_128_SHA512, VPN_MODE_ETHER, true);
	b = rig_frame(99, 0x42);
	same[0] = same[1] = b;
	buf_get(b);
	buf_get(b);
	esp_output(rig[0].esp, 0, RIG_LINK, same, 2);
	assert_int_equal(rig[0].n_wire, 2);
	for (unsigned i = 0; i < 99; i++)
		assert_int_equal(b->data[i], 0x42);
	assert_false(buf_is_shared(b));
	rig[0].n_wire = 0;
	rig_in_n(1, rig[0].wire, 2);
	rig_same(rig[1].got[1], b->data, 99);
	buf_put(b);
	rig_close();
}

TEST(initiator_uses_the_newest_pair_at_once)
{
	rig_open(1);
	rig_pair(1, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, true);
	rig_pair(2, VPN_ALG_AES_GCM_256, VPN_MODE_ETHER, true);
	rig_out(0, rig_frame(60, 1));
	assert_int_equal(be32_get(rig[0].wire[0]->data),
			 rig_sa(0, 2)->esp_spi_out);
	/* The old one still receives, and is back when the new one goes. */
	rig_in(1, rig_good(1, 1));
	assert_int_equal(rig[1].n_got, 1);
	esp_child_del(rig[0].esp, 2);
	rig_out(0, rig_frame(60, 1));
	assert_int_equal(be32_get(rig[0].wire[1]->data),
			 rig_sa(0, 1)->esp_spi_out);
	rig_close();
}

/* Pair 1 at both ends, and pair 2 with end 1 as responder. */
static void
responder_open(void)
{
	struct vpn_child c;

	rig_open(1);
	rig_pair(1, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, true);
	c = rig_child(0, 2, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER);
	rig_install(0, &c);
	c = rig_child(1, 2, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER);
	c.is_initiator = false;
	rig_install(1, &c);
}

static uint32_t
responder_uses(void)
{
	struct buf *b;
	uint32_t v;

	rig_out(1, rig_frame(60, 1));
	b = rig_take(1);
	v = be32_get(b->data);
	buf_put(b);
	return v;
}

TEST(responder_keeps_the_old_pair_until_the_peer_was_heard)
{
	struct buf *b;

	responder_open();
	assert_int_equal(responder_uses(), rig_sa(1, 1)->esp_spi_out);
	/* A forged packet does not switch. */
	b = rig_good(2, 1);
	b->data[b->len - 1] ^= 1;
	rig_in(1, b);
	assert_int_equal(responder_uses(), rig_sa(1, 1)->esp_spi_out);
	rig_in(1, rig_good(2, 1));
	assert_int_equal(responder_uses(), rig_sa(1, 2)->esp_spi_out);
	rig_close();
}

TEST(responder_uses_the_new_pair_when_the_old_one_goes_or_time_passes)
{
	responder_open();
	esp_child_del(rig[1].esp, 1);
	assert_int_equal(responder_uses(), rig_sa(1, 2)->esp_spi_out);
	rig_close();
	responder_open();
	rig_now_ms += ESP_READY_MS - 1;
	assert_int_equal(responder_uses(), rig_sa(1, 1)->esp_spi_out);
	rig_now_ms += 1;
	assert_int_equal(responder_uses(), rig_sa(1, 2)->esp_spi_out);
	rig_close();
}

TEST(narrowed_pairs_get_what_they_cover)
{
	struct vpn_child c;
	struct buf *b[3];

	rig_open(1);
	c = rig_child(0, 1, VPN_ALG_AES_GCM_128, VPN_MODE_IP);
	rig_install(0, &c);
	c = rig_child(0, 2, VPN_ALG_AES_GCM_128, VPN_MODE_IP);
	c.ts_remote[0].proto = 17;
	c.ts_remote[0].port_lo = c.ts_remote[0].port_hi = 53;
	rig_install(0, &c);
	b[0] = rig_ip(1, 1, 1000, 53, 1);
	b[1] = rig_ip(1, 1, 1000, 54, 1);
	b[2] = rig_ip(1, 1, 1000, 53, 1);
	be16_put(b[2]->data + 6, 0x2001); /* a later fragment */
	esp_output(rig[0].esp, 0, RIG_LINK, b, 3);
	assert_int_equal(rig[0].n_wire, 3);
	assert_int_equal(rig[0].n_send, 2);
	assert_int_equal(be32_get(rig[0].wire[0]->data), c.esp_spi_out);
	assert_int_not_equal(be32_get(rig[0].wire[1]->data), c.esp_spi_out);
	assert_int_not_equal(be32_get(rig[0].wire[2]->data), c.esp_spi_out);
	rig_close();
}

TEST(packet_does_not_fall_through_to_a_pair_of_another_mode)
{
	struct buf *b;

	rig_open(1);
	rig_pair(1, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, true);
	rig_pair(2, VPN_ALG_AES_GCM_128, VPN_MODE_IP, true);
	b = rig_ip(1, 1, 1, 1, 10);
	b->data[17] = 9; /* outside of the selectors of the IP pair */
	rig_out(0, b);
	assert_int_equal(rig[0].n_wire, 0);
	rig_drops(DROP_ESP_SEL, 1);
	rig_close();
}

TEST(cbc_ivs_of_a_batch_differ)
{
	struct buf *b[8];

	rig_open(1);
	rig_pair(PAIR, VPN_ALG_AES_CBC_128_SHA256, VPN_MODE_ETHER, true);
	for (unsigned i = 0; i < 8; i++)
		b[i] = rig_frame(60, 1);
	esp_output(rig[0].esp, 0, RIG_LINK, b, 8);
	for (unsigned i = 0; i < 8; i++)
		for (unsigned k = 0; k < i; k++)
			assert_memory_not_equal(rig[0].wire[i]->data + 8,
						rig[0].wire[k]->data + 8, 16);
	rig_close();
}

TEST(new_path_counts_from_the_next_send)
{
	struct vpn_path path = { .encap = VPN_ENCAP_ESP };

	rig_open(1);
	rig_pair(PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, true);
	path.remote = rig_ep("198.51.100.7");
	rig_out(0, rig_frame(60, 1));
	assert_int_equal(rig[0].path.encap, VPN_ENCAP_UDP);
	esp_child_path(rig[0].esp, PAIR, &path);
	rig_out(0, rig_frame(60, 1));
	assert_int_equal(rig[0].path.encap, VPN_ENCAP_ESP);
	assert_true(net_ep_equal(&rig[0].path.remote, &path.remote));
	esp_child_path(rig[0].esp, 77, &path);
	rig_close();
}

/* ---- providers of another kind ---------------------------------------- */

static struct spi_esp other;
static const struct spi_esp *real;
static struct spi_esp_op *held;
static unsigned n_held, n_poll;

static unsigned
seal_later(struct spi_esp_ctx *c UNUSED, struct spi_esp_op *ops, unsigned n)
{
	held = ops;
	n_held = n;
	return 0;
}

/* One operation at a time, the last first. */
static unsigned
poll_later(struct spi_esp_ctx *c)
{
	n_poll++;
	if (n_poll % 3 == 0)
		return 0;
	return real->seal(c, &held[--n_held], 1);
}

static unsigned
seal_fails_odd(struct spi_esp_ctx *c, struct spi_esp_op *ops, unsigned n)
{
	unsigned done = real->seal(c, ops, n);

	for (unsigned i = 1; i < n; i += 2)
		ops[i].err = ERR_CRYPTO;
	return done;
}

static int
ctx_fails(struct spi_esp_ctx **out UNUSED, enum vpn_alg alg UNUSED,
	  const struct vpn_keys *keys UNUSED, bool is_seal UNUSED)
{
	return ERR_NOMEM;
}

static void
other_open(void)
{
	rig_open(1);
	real = rig[0].esp->provider;
	other = *real;
	rig[0].esp->provider = &other;
	rig_pair(PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, true);
}

static void
out_ten(void)
{
	struct buf *b[10];

	for (unsigned i = 0; i < 10; i++)
		b[i] = rig_frame(60 + i, (uint8_t)i);
	esp_output(rig[0].esp, 0, RIG_LINK, b, 10);
}

TEST(batch_that_completes_later_is_sent_whole_and_in_order)
{
	other_open();
	other.seal = seal_later;
	other.poll = poll_later;
	out_ten();
	assert_int_equal(rig[0].n_send, 1);
	assert_int_equal(rig[0].n_wire, 10);
	rig[0].n_wire = 0;
	rig_in_n(1, rig[0].wire, 10);
	assert_int_equal(rig[1].n_got, 10);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(rig[1].got[i]->len, 60 + i);
	rig_close();
}

TEST(what_the_cipher_fails_on_is_not_sent)
{
	other_open();
	other.seal = seal_fails_odd;
	out_ten();
	assert_int_equal(rig[0].n_wire, 5);
	rig_drops(DROP_ESP_CRYPTO, 5);
	rig_close();
	other_open();
	other.ctx_new = ctx_fails;
	out_ten();
	assert_int_equal(rig[0].n_wire, 0);
	rig_drops(DROP_ESP_CRYPTO, 10);
	rig_close();
}

/* What esp_inner_max() promises leaves whole, and one byte more does not. */
TEST(the_largest_packet_that_fits_is_exact_for_every_algorithm)
{
	for (int alg = VPN_ALG_NONE + 1; alg < VPN_ALG_END; alg++) {
		const struct vpn_alg_info *info = vpn_alg_info((enum vpn_alg)alg);

		for (unsigned path = 600; path < 640; path++) {
			unsigned n = esp_inner_max((enum vpn_alg)alg,
			    VPN_MODE_ETHER, VPN_ENCAP_UDP, 4, path);
			size_t text = 2 + 14 + n, front = 20 + 8 + 8 +
			    info->iv_len, back = info->icv_len;

			assert_true(front + text + esp_trail_len(info, text) +
				    back <= path);
			text++;
			assert_true(front + text + esp_trail_len(info, text) +
				    back > path);
			assert_int_equal(esp_inner_max((enum vpn_alg)alg,
			    VPN_MODE_IP, VPN_ENCAP_ESP, 6, path + 12), n + 16);
		}
		assert_int_equal(esp_inner_max((enum vpn_alg)alg,
		    VPN_MODE_ETHER, VPN_ENCAP_UDP, 6, 48), 0);
		assert_int_equal(esp_inner_max((enum vpn_alg)alg,
		    VPN_MODE_IP, VPN_ENCAP_ESP, 4, 0), 0);
	}
	assert_int_equal(esp_inner_max(VPN_ALG_NONE, VPN_MODE_IP,
				       VPN_ENCAP_UDP, 4, 1500), 0);
}
