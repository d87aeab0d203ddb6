/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/esp/t_train.c - trains: the same packets as one by one, whatever
 * frames and super-frames came together.
 */
#include "test/unit/esp/rig.h"
#include "test/unit/esp/frames.h"

#define PAIR	3
#define PKT_MAX 2048

static struct fr frame, one;
/* Packets as they are on the wire, one by one and as trains. */
static struct buf *pkt[2][RIG_MAX];
static unsigned n_pkt[2];

static struct buf *
buf_of(const struct fr *f, uint16_t seg)
{
	struct buf *b = buf_new(rig_bigs);

	assert_non_null(b);
	memcpy(buf_append(b, f->len), f->b, f->len);
	b->seg_len = seg;
	return b;
}

/* Take all that end 0 sent apart into packets; checks the form of trains. */
static void
take_apart(unsigned which)
{
	n_pkt[which] = 0;
	for (unsigned i = 0; i < rig[0].n_wire; i++) {
		struct buf *b = rig[0].wire[i];
		size_t seg = b->seg_len != 0 ? b->seg_len : b->len;

		if (b->seg_len != 0) {
			assert_true(b->seg_len < b->len);
			assert_true(b->len <= ESP_TRAIN_MAX);
			assert_true((b->len - 1) / seg < ESP_TRAIN_SEGS);
		}
		for (size_t at = 0; at < b->len; at += seg) {
			size_t n = MIN(seg, b->len - at);

			pkt[which][n_pkt[which]++] = rig_buf(b->data + at, n);
		}
	}
	rig_clear(&rig[0]);
}

static void
put_all(unsigned which)
{
	for (unsigned i = 0; i < n_pkt[which]; i++)
		buf_put(pkt[which][i]);
}

/* A batch of random frames; the ones it stands for go to small[]. */
static unsigned
batch(struct buf **in, struct buf **small, unsigned *n_small, bool is_ether)
{
	unsigned n = 1 + fr_rand() % 8;

	*n_small = 0;
	for (unsigned i = 0; i < n; i++) {
		struct fr_spec s = fr_random();
		uint16_t seg = (uint16_t)(400 + fr_rand() % 1000);

		s.is_ether = is_ether;
		if (!is_ether && s.family == 6)
			s.family = 4;
		if (fr_rand() % 2 == 0) {
			s.len %= 1400;
			seg = 0;
		}
		fr_make(&frame, &s);
		in[i] = buf_of(&frame, seg);
		if (seg == 0) {
			small[(*n_small)++] = rig_buf(frame.b, frame.len);
			continue;
		}
		for (size_t k = 0; fr_cut(&frame, &s, seg, k, &one); k++)
			small[(*n_small)++] = rig_buf(one.b, one.len);
	}
	return n;
}

static void
equivalent(enum vpn_alg alg, enum vpn_mode mode, bool is_esn)
{
	struct buf *in[8], *small[RIG_MAX], *copy;
	unsigned n, n_small;

	rig_has_trains = true;
	rig_open(1);
	rig_pair(PAIR, alg, mode, is_esn);
	for (unsigned round = 0; round < 20; round++) {
		struct esp_seq *seq = &rig_sa(0, PAIR)->seq;
		uint64_t last = atomic_load(&seq->last);

		n = batch(in, small, &n_small, mode == VPN_MODE_ETHER);
		esp_output(rig[0].esp, 0, RIG_LINK, in, n);
		take_apart(1);
		assert_int_equal(n_pkt[1], n_small);
		atomic_store(&seq->last, last);
		for (unsigned i = 0; i < n_small; i++) {
			copy = buf_copy(rig_pool, small[i]);
			rig_out(0, copy);
		}
		take_apart(0);
		assert_int_equal(n_pkt[0], n_small);
		for (unsigned i = 0; i < n_small; i++) {
			assert_int_equal(pkt[0][i]->len, pkt[1][i]->len);
			/* The IV of CBC is random, all behind it differs. */
			assert_memory_equal(pkt[0][i]->data, pkt[1][i]->data,
			    vpn_alg_info(alg)->integ_key_len == 0 ?
			    pkt[0][i]->len : 8);
		}
		put_all(0);
		for (unsigned i = 0; i < n_pkt[1]; i += ESP_BATCH_MAX)
			rig_in_n(1, pkt[1] + i,
				 MIN(n_pkt[1] - i, (unsigned)ESP_BATCH_MAX));
		assert_int_equal(rig[1].n_got, n_small);
		for (unsigned i = 0; i < n_small; i++) {
			rig_same(rig[1].got[i], small[i]->data, small[i]->len);
			buf_put(small[i]);
		}
		rig_clear(&rig[1]);
	}
	rig_close();
	rig_has_trains = false;
}

TEST(trains_hold_the_packets_that_single_frames_become)
{
	equivalent(VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, true);
	equivalent(VPN_ALG_AES_GCM_256, VPN_MODE_ETHER, false);
	equivalent(VPN_ALG_CHACHA20_POLY1305, VPN_MODE_ETHER, true);
	equivalent(VPN_ALG_AES_CBC_128_SHA256, VPN_MODE_ETHER, true);
}

TEST(trains_hold_the_packets_in_ip_mode_too)
{
	equivalent(VPN_ALG_AES_GCM_128, VPN_MODE_IP, true);
	equivalent(VPN_ALG_AES_CBC_256_SHA512, VPN_MODE_IP, false);
	equivalent(VPN_ALG_AES_GCM_128, VPN_MODE_GRE, true);
}

static void
begin(void)
{
	rig_has_trains = true;
	rig_open(1);
	rig_pair(PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, true);
}

static void
end(void)
{
	rig_close();
	rig_has_trains = false;
}

static struct buf *
super(size_t len, uint16_t seg)
{
	struct fr_spec s = { .is_ether = true, .family = 4, .is_tcp = true,
			     .flags = 0x10, .len = len };

	fr_make(&frame, &s);
	return buf_of(&frame, seg);
}

TEST(a_super_frame_is_as_few_trains_as_fit)
{
	begin();
	/* EtherIP, headers, payload, padding, trailer, ESP, IV, ICV */
	rig_out(0, super(20000, 1000));
	assert_int_equal(rig[0].n_wire, 1);
	assert_int_equal(rig[0].wire[0]->seg_len, 2 + 54 + 1000 + 2 + 2 + 8 + 8 + 16);
	rig_clear(&rig[0]);
	/* more than 64 packets, or more than a datagram: two */
	rig_out(0, super(20000, 200));
	assert_int_equal(rig[0].n_wire, 2);
	rig_clear(&rig[0]);
	rig_out(0, super(64000, 1300));
	assert_int_equal(rig[0].n_wire, 2);
	end();
}

/* A super-frame of segments that do not fit the path. */
static void
fits_path(enum vpn_alg alg, enum vpn_mode mode, size_t path, unsigned family)
{
	struct fr_spec s = { .is_ether = mode == VPN_MODE_ETHER,
			     .family = family, .is_tcp = true, .flags = 0x18,
			     .tcp_opt = 3, .len = 20000 };
	size_t longest = 0, sum = 0, hdr;

	rig_has_trains = true;
	rig_room = path;
	rig_open(1);
	rig_pair(PAIR, alg, mode, true);
	fr_make(&frame, &s);
	hdr = frame.data;
	rig_out(0, buf_of(&frame, 1460));
	take_apart(0);
	for (unsigned i = 0; i < n_pkt[0]; i++)
		longest = MAX(longest, pkt[0][i]->len);
	/* as long as they may be, but for the padding */
	assert_in_range(longest, path - 15, path);
	rig_in_n(1, pkt[0], n_pkt[0]);
	assert_int_equal(rig[1].n_got, n_pkt[0]);
	/* the segments that a sender with a smaller MSS would make */
	s.len = 20000;
	for (size_t k = 0; k < rig[1].n_got; k++) {
		uint16_t seg = (uint16_t)(rig[1].got[0]->len - hdr);

		assert_true(fr_cut(&frame, &s, seg, k, &one));
		rig_same(rig[1].got[k], one.b, one.len);
		sum += one.len - hdr;
	}
	assert_int_equal(sum, 20000);
	rig_room = 0;
	rig_close();
	rig_has_trains = false;
}

TEST(tcp_is_cut_so_that_packets_fit_the_path)
{
	for (size_t path = 1400; path < 1480; path++) {
		fits_path(VPN_ALG_AES_GCM_256, VPN_MODE_ETHER, path, 4);
		fits_path(VPN_ALG_AES_CBC_128_SHA256, VPN_MODE_ETHER, path, 4);
	}
	fits_path(VPN_ALG_AES_GCM_128, VPN_MODE_IP, 1400, 4);
	fits_path(VPN_ALG_AES_GCM_128, VPN_MODE_GRE, 1400, 4);
	fits_path(VPN_ALG_CHACHA20_POLY1305, VPN_MODE_ETHER, 1400, 6);
}

TEST(what_cannot_be_cut_smaller_is_left_as_it_is)
{
	struct fr_spec s = { .is_ether = true, .family = 4, .len = 5000 };

	begin();
	rig_room = 900;
	fr_make(&frame, &s); /* UDP: its datagrams are what they are */
	rig_out(0, buf_of(&frame, 1000));
	assert_int_equal(rig[0].wire[0]->seg_len,
			 2 + 42 + 1000 + 2 + 2 + 8 + 8 + 16);
	rig_clear(&rig[0]);
	rig_room = 100; /* a path that cannot be */
	rig_out(0, super(20000, 1000));
	assert_int_equal(rig[0].wire[0]->seg_len,
			 2 + 54 + 1000 + 2 + 2 + 8 + 8 + 16);
	rig_clear(&rig[0]);
	rig_room = 1400; /* it fits already */
	rig_out(0, super(20000, 1000));
	assert_int_equal(rig[0].wire[0]->seg_len,
			 2 + 54 + 1000 + 2 + 2 + 8 + 8 + 16);
	rig_room = 0;
	end();
}

TEST(a_shared_super_frame_is_sealed_for_each_holder_and_not_changed)
{
	struct buf *b;

	begin();
	b = super(5000, 1000);
	memcpy(one.b, b->data, b->len);
	for (unsigned i = 0; i < 3; i++)
		rig_out(0, buf_get(b));
	assert_int_equal(rig[0].n_wire, 3);
	rig_same(b, one.b, frame.len);
	assert_int_equal(b->seg_len, 1000);
	buf_put(b);
	end();
}

TEST(numbers_that_end_within_a_super_frame_end_the_output_there)
{
	begin();
	rig_sa(0, PAIR)->seq.max = 1003;
	atomic_store(&rig_sa(0, PAIR)->seq.last, 1000);
	rig_out(0, super(5000, 1000));
	take_apart(0);
	assert_int_equal(n_pkt[0], 3);
	put_all(0);
	rig_drops(DROP_ESP_SEQ, 2);
	assert_int_equal(atomic_load(&rig_sa(0, PAIR)->seq.last), 1003);
	end();
}

TEST(without_a_large_buffer_all_is_dropped_and_nothing_leaks)
{
	begin();
	rig[0].is_dry = true;
	rig_out(0, super(3000, 1000));
	assert_int_equal(rig[0].n_wire, 0);
	rig_drops(DROP_NO_BUF, 3);
	end();
}

TEST(a_super_frame_that_cannot_be_cut_is_dropped_alone)
{
	struct buf *in[3];

	begin();
	in[0] = rig_frame(100, 1);
	in[1] = super(3000, 1000);
	in[1]->data[12] = 0x88; /* no IP */
	in[2] = rig_frame(100, 2);
	esp_output(rig[0].esp, 0, RIG_LINK, in, 3);
	rig_drops(DROP_GSO, 1);
	assert_int_equal(rig[0].n_wire, 1);
	assert_int_equal(rig[0].wire[0]->len, 2 * rig[0].wire[0]->seg_len);
	end();
}

TEST(without_trains_a_super_frame_is_dropped)
{
	rig_open(1);
	rig_pair(PAIR, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, true);
	rig_out(0, super(3000, 1000));
	assert_int_equal(rig[0].n_wire, 0);
	rig_drops(DROP_GSO, 1);
	rig_close();
}

TEST(counters_count_packets_and_inner_bytes)
{
	struct esp_child_stats st;

	begin();
	rig_out(0, super(2500, 1000));
	assert_int_equal(esp_child_stats_get(rig[0].esp, PAIR, &st), 0);
	assert_int_equal(st.tx_packets, 3);
	assert_int_equal(st.tx_bytes, 2500 + 3 * 54);
	end();
}
