/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/esp/t_path.c - the whole packet path against a slow reference.
 *
 *   random frames, super-frames -> esp_output -> trains       wire bytes equal?
 *     |                                            |
 *     v cut one field after the other (frames.h)   v a network that loses,
 *   segments -> one packet each (reference.h)      | doubles, reorders
 *     |                                            v
 *     `---- delivered frames equal? ---- slices -> esp_input -> esp_gro
 */
#include "test/unit/esp/reference.h"
#include "test/unit/esp/rig.h"
#include "test/unit/esp/frames.h"
#include "esp/gro.h"

#define PAIR	5
#define SMALL	2048		/* longest segment */
#define FRAMES	12		/* given together */

/* What the reference says: inner frames in the order of their numbers. */
struct small {
	size_t len;
	uint8_t b[SMALL];
};
static struct small want[RIG_MAX];
static unsigned n_want;
static struct fr frame, one;
static struct ref_sa sa;
static struct ref_window window;

/* ---- random frames ------------------------------------------------------------- */

static void
want_add(const uint8_t *p, size_t len)
{
	assert_true(n_want < RIG_MAX && len <= SMALL);
	want[n_want].len = len;
	memcpy(want[n_want++].b, p, len);
}

static struct buf *
buf_of(const uint8_t *p, size_t len, uint16_t seg)
{
	struct buf *b = buf_new(seg == 0 ? rig_pool : rig_bigs);

	assert_non_null(b);
	memcpy(buf_append(b, len), p, len);
	b->seg_len = seg;
	return b;
}

/* ARP, LLDP, whatever: bytes behind an Ethernet header, from none on. */
static struct buf *
no_ip(void)
{
	size_t len = 14 + fr_rand() % 1400;

	for (size_t i = 0; i < len; i++)
		frame.b[i] = (uint8_t)fr_rand();
	be16_put(frame.b + 12, fr_rand() % 2 == 0 ? 0x0806 : 0x88cc);
	want_add(frame.b, len);
	return buf_of(frame.b, len, 0);
}

static struct buf *
some_frame(bool is_ether)
{
	struct fr_spec s = fr_random();
	uint16_t seg = (uint16_t)(1 + fr_rand() % 1400);

	s.is_ether = is_ether;
	if (fr_rand() % 3 == 0) {
		s.len = fr_rand() % 1400;
		fr_make(&frame, &s);
		want_add(frame.b, frame.len);
		return buf_of(frame.b, frame.len, 0);
	}
	s.len = 1 + fr_rand() % (seg * 20ul);
	fr_make(&frame, &s);
	for (size_t k = 0; fr_cut(&frame, &s, seg, k, &one); k++)
		want_add(one.b, one.len);
	return buf_of(frame.b, frame.len, seg);
}

/* Give random frames to end 0 in one call; want[] is what they stand for. */
static void
send_some(void)
{
	struct buf *in[FRAMES];
	unsigned n = 1 + fr_rand() % FRAMES;

	n_want = 0;
	for (unsigned i = 0; i < n; i++)
		in[i] = sa.is_ether && fr_rand() % 5 == 0 ? no_ip() :
							    some_frame(sa.is_ether);
	esp_output(rig[0].esp, 0, RIG_LINK, in, n);
}

/* ---- the rig, for one SA ------------------------------------------------------- */

static void
begin(enum vpn_alg alg, enum vpn_mode mode, bool is_esn)
{
	fr_seed = (uint32_t)test_seed() + (uint32_t)alg;
	rig_has_trains = true;
	rig_open(1);
	for (unsigned i = 0; i < 2; i++) {
		struct vpn_child c = rig_child(i, PAIR, alg, mode);

		c.is_esn = is_esn;
		c.n_ts_local = c.n_ts_remote = 2;
		c.ts_local[1] = c.ts_remote[1] = rig_ts("::/0");
		rig_install(i, &c);
		sa.index = i == 0 ? c.esp_spi_out : sa.index;
	}
	sa.alg = alg;
	sa.keys = rig_keys(0);
	sa.is_esn = is_esn;
	sa.is_ether = mode == VPN_MODE_ETHER;
	window = (struct ref_window){ .n = 0 };
}

static void
end(void)
{
	rig_close();
	rig_has_trains = false;
}

/* The next numbers are these, at both ends. */
static void
number_from(uint64_t last)
{
	atomic_store(&rig_sa(0, PAIR)->seq.last, last);
	rig_sa(1, PAIR)->replay.top = last;
	window.top = last;
}

/* ---- wire ---------------------------------------------------------------------- */

/* A packet as the receiver gets it: a slice of the message it came in. */
static struct buf *pkt[RIG_MAX];
static uint64_t pkt_seq[RIG_MAX];
static unsigned n_pkt;

/* Every message holds packets of one size but for its last. */
static void
take_wire(uint64_t seq)
{
	n_pkt = 0;
	for (unsigned i = 0; i < rig[0].n_wire; i++) {
		struct buf *b = rig[0].wire[i];
		size_t seg = b->seg_len != 0 ? b->seg_len : b->len;

		for (size_t at = 0; at < b->len; at += seg) {
			assert_true(n_pkt < RIG_MAX);
			pkt_seq[n_pkt] = seq++;
			pkt[n_pkt] = buf_slice(rig_slices, b, b->data + at,
					       MIN(seg, b->len - at));
			assert_non_null(pkt[n_pkt++]);
		}
	}
	rig_clear(&rig[0]); /* the slices hold what they need */
}

static void
wire_is_the_reference(uint64_t first)
{
	static uint8_t ref[SMALL + 128];

	assert_int_equal(n_pkt, n_want);
	for (unsigned i = 0; i < n_pkt; i++) {
		size_t n = ref_seal(&sa, first + i, pkt[i]->data + 8, want[i].b,
				    want[i].len, ref);

		assert_int_equal(pkt[i]->len, n);
		assert_memory_equal(pkt[i]->data, ref, n);
	}
}

/* ---- delivery ------------------------------------------------------------------ */

static void
give(struct buf **b, unsigned n)
{
	for (unsigned i = 0; i < n; i += ESP_BATCH_MAX)
		rig_in_n(1, b + i, MIN(n - i, (unsigned)ESP_BATCH_MAX));
}

static void
delivered_is(const unsigned *order, unsigned n)
{
	assert_int_equal(rig[1].n_got, n);
	for (unsigned i = 0; i < n; i++)
		rig_same(rig[1].got[i], want[order[i]].b, want[order[i]].len);
}

/* Coalesce what was delivered, cut it again with the slow cutter: each frame is
 * there once, those of one super-frame in order. */
static void
coalesced_is(const unsigned *order, unsigned n)
{
	static struct esp_gro g;
	static bool is_seen[RIG_MAX];

	esp_gro_init(&g, true);
	memset(is_seen, 0, sizeof(is_seen));
	for (unsigned i = 0; i < n; i++)
		assert_true(esp_gro_add(&g, rig[1].got[i]));
	rig[1].n_got = 0;
	for (unsigned i = 0; i < g.n; i++) {
		struct esp_gro_item *it = &g.item[i];
		struct fr_spec s = { .family = it->at.family,
				     .is_tcp = it->at.is_tcp };
		unsigned at = 0, k = 0;

		frame = (struct fr){ .ip = it->at.ip, .l4 = it->at.l4,
				     .data = it->at.data };
		esp_gro_finish(it);
		for (struct buf *b = it->head, *next; b != NULL; b = next) {
			next = b->next;
			memcpy(frame.b + frame.len, b->data, b->len);
			frame.len += b->len;
			buf_put(b);
		}
		if (it->n > 1) {
			s.len = frame.len - frame.data;
			s.seq = be32_get(frame.b + frame.l4 + 4);
			s.id = be16_get(frame.b + frame.ip + 4);
		}
		for (; it->n == 1 ? k == 0 :
		     fr_cut(&frame, &s, it->seg_len, k, &one); k++) {
			if (it->n == 1)
				one = frame;
			while (at < n && (is_seen[at] ||
			       want[order[at]].len != one.len ||
			       memcmp(want[order[at]].b, one.b, one.len) != 0))
				at++;
			assert_true(at < n);
			is_seen[at] = true;
		}
		assert_int_equal(k, it->n);
	}
	for (unsigned i = 0; i < n; i++)
		assert_true(is_seen[i]);
}

/* ---- equal to the byte --------------------------------------------------------- */

static void
equal(enum vpn_alg alg, enum vpn_mode mode, bool is_esn)
{
	unsigned order[RIG_MAX];
	uint64_t seq = 0;

	begin(alg, mode, is_esn);
	for (unsigned i = 0; i < RIG_MAX; i++)
		order[i] = i;
	for (unsigned round = 0; round < 25; round++) {
		send_some();
		take_wire(seq + 1);
		wire_is_the_reference(seq + 1);
		seq += n_want;
		give(pkt, n_pkt);
		delivered_is(order, n_want);
		if (sa.is_ether)
			coalesced_is(order, n_want);
		rig_clear(&rig[1]);
	}
	rig_drops(DROP_END, 0);
	end();
}

TEST(frames_become_the_packets_of_the_reference_and_come_back)
{
	equal(VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, true);
	equal(VPN_ALG_AES_GCM_256, VPN_MODE_ETHER, false);
	equal(VPN_ALG_CHACHA20_POLY1305, VPN_MODE_ETHER, true);
	equal(VPN_ALG_AES_GCM_128_IIV, VPN_MODE_ETHER, false);
	equal(VPN_ALG_AES_GCM_256_IIV, VPN_MODE_ETHER, true);
	equal(VPN_ALG_CHACHA20_POLY1305_IIV, VPN_MODE_ETHER, true);
	equal(VPN_ALG_AES_CBC_128_SHA256, VPN_MODE_ETHER, true);
	equal(VPN_ALG_AES_CBC_256_SHA512, VPN_MODE_ETHER, false);
}

TEST(packets_of_ip_mode_are_those_of_the_reference_too)
{
	equal(VPN_ALG_AES_GCM_128, VPN_MODE_IP, false);
	equal(VPN_ALG_AES_GCM_256, VPN_MODE_IP, true);
	equal(VPN_ALG_AES_GCM_256_IIV, VPN_MODE_IP, true);
	equal(VPN_ALG_AES_CBC_128_SHA256, VPN_MODE_IP, true);
}

TEST(frames_of_every_length_are_those_of_the_reference)
{
	unsigned order[ESP_BATCH_MAX];
	uint64_t seq = 0;

	begin(VPN_ALG_AES_GCM_256, VPN_MODE_ETHER, true);
	for (size_t len = 14; len < 1600;) {
		struct buf *in[ESP_BATCH_MAX];

		n_want = 0;
		for (; n_want < ESP_BATCH_MAX && len < 1600; len++) {
			memset(frame.b, (int)len, len);
			order[n_want] = n_want;
			in[n_want] = buf_of(frame.b, len, 0);
			want_add(frame.b, len);
		}
		esp_output(rig[0].esp, 0, RIG_LINK, in, n_want);
		take_wire(seq + 1);
		wire_is_the_reference(seq + 1);
		seq += n_want;
		give(pkt, n_pkt);
		delivered_is(order, n_want);
		rig_clear(&rig[1]);
	}
	end();
}

/* ---- a bad network ------------------------------------------------------------- */

/* Packets of the past, to be doubled late: bytes, as slices would keep trains. */
static struct {
	uint64_t seq;
	struct small pkt, inner;
} past[64];
static unsigned n_past;

static void
past_add(unsigned i)
{
	unsigned at = n_past < 64 ? n_past++ : fr_rand() % 64;

	past[at].seq = pkt_seq[i];
	past[at].inner = want[i];
	past[at].pkt.len = pkt[i]->len;
	memcpy(past[at].pkt.b, pkt[i]->data, pkt[i]->len);
}

/* Lose, double and reorder pkt[]; order[] gets what must be delivered, as places
 * in want[].  Of the past comes what may or may not be new. */
static unsigned
network(struct buf **in, unsigned *order, unsigned *n_order)
{
	unsigned n = 0, idx[RIG_MAX];

	for (unsigned i = 0; i < n_pkt; i++) {
		if (fr_rand() % 10 == 0) { /* lost, or late */
			if (fr_rand() % 2 == 0)
				past_add(i);
			buf_put(pkt[i]);
			continue;
		}
		if (fr_rand() % 10 == 0)
			past_add(i);
		idx[n] = i;
		in[n++] = pkt[i];
	}
	for (unsigned i = 0; i + 1 < n; i++) {
		unsigned k = i + fr_rand() % MIN(n - i, 8u);
		struct buf *b = in[i];
		unsigned x = idx[i];

		if (fr_rand() % 4 != 0)
			continue;
		in[i] = in[k];
		idx[i] = idx[k];
		in[k] = b;
		idx[k] = x;
	}
	for (unsigned i = 0; i < n; i++)
		if (ref_accept(&window, pkt_seq[idx[i]], ESP_WINDOW_BITS))
			order[(*n_order)++] = idx[i];
	for (unsigned i = 0; i < 4 && n_past > 0 && n < RIG_MAX &&
	     n_want < RIG_MAX; i++) {
		unsigned k = fr_rand() % n_past;

		in[n++] = rig_buf(past[k].pkt.b, past[k].pkt.len);
		if (!ref_accept(&window, past[k].seq, ESP_WINDOW_BITS))
			continue;
		order[(*n_order)++] = n_want;
		want[n_want++] = past[k].inner;
	}
	return n;
}

static void
storm(enum vpn_alg alg, enum vpn_mode mode, bool is_esn, uint64_t seq)
{
	struct buf *in[RIG_MAX];
	unsigned order[RIG_MAX], n_replay = 0;

	begin(alg, mode, is_esn);
	number_from(seq);
	n_past = 0;
	for (unsigned round = 0; round < 80; round++) {
		unsigned n, n_order = 0;

		send_some();
		take_wire(seq + 1);
		seq += n_want;
		n = network(in, order, &n_order);
		n_replay += n - n_order;
		give(in, n);
		delivered_is(order, n_order);
		if (sa.is_ether)
			coalesced_is(order, n_order);
		rig_clear(&rig[1]);
	}
	assert_true(n_replay > 20); /* or the test shows nothing */
	/* With extended numbers one that is far back looks like one of the next
	 * half, which its ICV says it is not (RFC 4303 A2.2). */
	assert_int_equal(drop_sum(DROP_ESP_REPLAY) +
			 (is_esn ? drop_sum(DROP_ESP_ICV) : 0), n_replay);
	end();
}

TEST(each_packet_is_delivered_once_under_loss_disorder_and_doubles)
{
	storm(VPN_ALG_AES_GCM_256, VPN_MODE_ETHER, true, 0);
	storm(VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, false, 0);
	storm(VPN_ALG_AES_CBC_128_SHA256, VPN_MODE_IP, true, 0);
}

TEST(so_it_is_where_the_low_half_of_the_number_wraps)
{
	/* Some hundred packets before the border, all rounds go over it. */
	storm(VPN_ALG_AES_GCM_256, VPN_MODE_ETHER, true, UINT32_MAX - 500);
	storm(VPN_ALG_AES_GCM_256_IIV, VPN_MODE_ETHER, true, UINT32_MAX - 500);
	storm(VPN_ALG_AES_CBC_128_SHA256, VPN_MODE_ETHER, true,
	      (UINT64_C(7) << 32) - 300);
}

/* ---- the ends of the numbers --------------------------------------------------- */

static struct buf *
super(unsigned n)
{
	struct fr_spec s = { .is_ether = true, .family = 4, .is_tcp = true,
			     .flags = 0x10, .len = 100ul * n };

	fr_make(&frame, &s);
	n_want = 0;
	for (size_t k = 0; fr_cut(&frame, &s, 100, k, &one); k++)
		want_add(one.b, one.len);
	return buf_of(frame.b, frame.len, 100);
}

/* A super-frame of 40 for which 25 numbers are left. */
static void
ends_at(bool is_esn, uint64_t last)
{
	unsigned order[40];
	struct buf *again;

	for (unsigned i = 0; i < 40; i++)
		order[i] = i;
	begin(VPN_ALG_AES_GCM_256, VPN_MODE_ETHER, is_esn);
	number_from(last - 25);
	rig_out(0, super(40));
	take_wire(last - 24);
	n_want = 25;
	wire_is_the_reference(last - 24);
	rig_drops(DROP_ESP_SEQ, 15);
	again = buf_copy(rig_pool, pkt[24]);
	give(pkt, n_pkt);
	delivered_is(order, 25);
	rig_clear(&rig[1]);
	/* The last number counts as any other. */
	rig_in(1, again);
	assert_int_equal(rig[1].n_got, 0);
	assert_int_equal(rig_sa(1, PAIR)->replay.top, last);
	/* And nothing comes behind it. */
	rig_out(0, super(3));
	assert_int_equal(rig[0].n_wire, 0);
	assert_int_equal(atomic_load(&rig_sa(0, PAIR)->seq.last), last);
	end();
}

TEST(the_last_number_is_used_and_none_beyond_it)
{
	ends_at(true, UINT64_MAX);
	ends_at(false, UINT32_MAX);
}

/* Low numbers, which a sender that wrapped would use, are no new ones. */
TEST(a_window_at_the_end_takes_no_small_number)
{
	static const uint8_t inner[14] = { 1 };
	uint8_t raw[SMALL];
	size_t n;

	for (unsigned esn = 0; esn < 2; esn++) {
		begin(VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, esn == 1);
		number_from(esn == 1 ? UINT64_MAX - 3 : UINT32_MAX - 3);
		for (uint64_t seq = 0; seq < 70; seq++) {
			/* as if the high half began anew, or there were none */
			n = ref_seal(&sa, seq, NULL, inner, sizeof(inner), raw);
			rig_in(1, rig_buf(raw, n));
		}
		assert_int_equal(rig[1].n_got, 0);
		assert_int_equal(drop_sum(DROP_ESP_REPLAY) +
				 drop_sum(DROP_ESP_ICV), 70);
		end();
	}
}
