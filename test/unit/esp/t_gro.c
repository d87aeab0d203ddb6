/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/esp/t_gro.c - coalescing: what is merged, what is not, and that
 * cutting gives back every frame bit by bit.
 */
#include "test/unit/esp/frames.h"
#include "daemon/base/buf.h"
#include "esp/gro.h"

#define POOL 1024

static struct buf_pool *pool;
static struct esp_gro g;
static struct fr big, one;

static void
begin(bool has_udp)
{
	assert_int_equal(buf_pool_new(&pool, POOL, 16384), 0);
	esp_gro_init(&g, has_udp);
}

static void
release(void)
{
	for (unsigned i = 0; i < g.n; i++)
		for (struct buf *b = g.item[i].head, *next; b; b = next) {
			next = b->next;
			buf_put(b);
		}
	esp_gro_clear(&g);
}

static void
end(void)
{
	release();
	assert_int_equal(buf_pool_used(pool), 0);
	buf_pool_free(pool);
}

static struct buf *
buf_of(const struct fr *f)
{
	struct buf *b = buf_new(pool);

	assert_non_null(b);
	memcpy(buf_append(b, f->len), f->b, f->len);
	return b;
}

/* Add segment i of big. */
static void
add_cut(const struct fr_spec *s, size_t seg, size_t i)
{
	assert_true(fr_cut(&big, s, seg, i, &one));
	assert_true(esp_gro_add(&g, buf_of(&one)));
}

static struct fr_spec
spec(unsigned family, bool is_tcp, size_t len)
{
	return (struct fr_spec){
		.is_ether = true, .family = family, .is_tcp = is_tcp,
		.tcp_opt = 3, .flags = 0x18, .id = 0xfff0, .frag = 0x4000,
		.port = 1000, .seq = 0xfffff000, .len = len,
	};
}

/* All bytes of an item in one piece. */
static void
flat(const struct esp_gro_item *it, struct fr *out)
{
	*out = (struct fr){ .ip = it->at.ip, .l4 = it->at.l4,
			    .data = it->at.data };
	for (const struct buf *b = it->head; b != NULL; b = b->next) {
		memcpy(out->b + out->len, b->data, b->len);
		out->len += b->len;
	}
	assert_int_equal(out->len, it->bytes);
}

/* The finished item is the super-frame, its checksum partial. */
static void
expect_super(const struct fr_spec *s)
{
	size_t off = big.l4 + (s->is_tcp ? 16 : 6);
	static struct fr got;

	esp_gro_finish(&g.item[0]);
	flat(&g.item[0], &got);
	be16_put(big.b + off, fr_pseudo(big.b + big.ip, s->is_tcp,
					big.len - big.l4));
	assert_int_equal(got.len, big.len);
	assert_memory_equal(got.b, big.b, big.len);
}

TEST(segments_become_the_frame_they_were_cut_from)
{
	for (unsigned k = 0; k < 100; k++) {
		struct fr_spec s = fr_random();
		size_t seg = 1000 + fr_rand() % 300, n = 2 + fr_rand() % 40;

		s.is_ether = true;
		s.ip_opt = s.n_ext = 0;
		s.flags &= 0xdf;
		s.len = seg * n - fr_rand() % seg;
		fr_make(&big, &s);
		begin(true);
		for (size_t i = 0; i < n; i++)
			add_cut(&s, seg, i);
		assert_int_equal(g.n, 1);
		assert_int_equal(g.item[0].n, n);
		assert_int_equal(g.item[0].seg_len, seg);
		expect_super(&s);
		end();
	}
}

TEST(one_frame_stays_as_it_is)
{
	struct fr_spec s = spec(4, true, 500);

	begin(true);
	fr_make(&big, &s);
	assert_true(esp_gro_add(&g, buf_of(&big)));
	assert_int_equal(g.n, 1);
	assert_true(g.item[0].is_checked);
	esp_gro_finish(&g.item[0]);
	assert_memory_equal(g.item[0].head->data, big.b, big.len);
	end();
}

/* Two segments of which the second is changed: not merged. */
static void
expect_apart(unsigned family, bool is_tcp, size_t at, uint8_t bits, bool mend)
{
	struct fr_spec s = spec(family, is_tcp, 2000);

	begin(true);
	fr_make(&big, &s);
	add_cut(&s, 1000, 0);
	assert_true(fr_cut(&big, &s, 1000, 1, &one));
	one.b[at] ^= bits;
	if (mend)
		fr_seal(&one, &s);
	assert_true(esp_gro_add(&g, buf_of(&one)));
	assert_int_equal(g.n, 2);
	assert_int_equal(g.item[1].is_checked, mend);
	flat(&g.item[1], &big);
	assert_memory_equal(big.b, one.b, one.len);
	end();
}

TEST(neighbours_that_differ_are_not_merged)
{
	static const struct {
		unsigned family;
		bool is_tcp;
		size_t at;
		uint8_t bits;
	} row[] = {
		{ 4, true, 0, 0x10 },	/* destination MAC */
		{ 4, true, 14 + 1, 4 }, /* TOS */
		{ 4, true, 14 + 5, 2 }, /* identification */
		{ 4, true, 14 + 6, 0x40 }, /* DF */
		{ 4, true, 14 + 8, 1 }, /* TTL */
		{ 4, true, 14 + 15, 1 }, /* source */
		{ 4, true, 34 + 1, 1 }, /* port */
		{ 4, true, 34 + 7, 1 }, /* sequence number */
		{ 4, true, 34 + 11, 1 }, /* acknowledgement */
		{ 4, true, 34 + 12, 1 }, /* reserved bits */
		{ 4, true, 34 + 13, 0x80 }, /* CWR on the second */
		{ 4, true, 34 + 13, 0x40 }, /* ECE */
		{ 4, true, 34 + 13, 0x20 }, /* URG */
		{ 4, true, 34 + 13, 0x10 }, /* no ACK */
		{ 4, true, 34 + 13, 0x04 }, /* RST */
		{ 4, true, 34 + 13, 0x02 }, /* SYN */
		{ 4, true, 34 + 15, 1 }, /* window */
		{ 4, true, 34 + 21, 8 }, /* options */
		{ 6, true, 14 + 1, 0x10 }, /* traffic class */
		{ 6, true, 14 + 3, 1 }, /* flow label */
		{ 6, true, 14 + 7, 1 }, /* hop limit */
		{ 6, true, 14 + 39, 1 }, /* destination */
		{ 4, false, 34 + 3, 1 }, /* port */
	};

	for (size_t i = 0; i < N_OF(row); i++)
		expect_apart(row[i].family, row[i].is_tcp, row[i].at,
			     row[i].bits, true);
}

TEST(wrong_checksums_are_not_merged_and_not_vouched_for)
{
	expect_apart(4, true, 14 + 11, 1, false);	/* IP */
	expect_apart(4, true, 34 + 17, 1, false);	/* TCP */
	expect_apart(4, true, 34 + 500, 1, false);	/* payload */
	expect_apart(6, true, 54 + 500, 0x80, false);
	expect_apart(4, false, 34 + 300, 1, false);
}

TEST(nothing_follows_a_short_or_pushed_segment)
{
	struct fr_spec s = spec(4, true, 3000);
	struct buf *b;

	begin(true);
	fr_make(&big, &s);
	add_cut(&s, 1000, 0);
	assert_true(fr_cut(&big, &s, 1000, 1, &one));
	one.b[one.l4 + 13] |= 8; /* PSH in the middle */
	fr_seal(&one, &s);
	assert_true(esp_gro_add(&g, buf_of(&one)));
	add_cut(&s, 1000, 2);
	assert_int_equal(g.n, 2);
	assert_int_equal(g.item[0].n, 2);
	assert_int_equal(g.item[0].head->data[big.l4 + 13] & 8, 8);
	release();
	/* 1000, 500, then 1000 again: three frames, two items */
	add_cut(&s, 1000, 0);
	assert_true(fr_cut(&big, &s, 1000, 1, &one));
	one.len -= 500;
	fr_seal(&one, &s);
	b = buf_of(&one);
	assert_true(esp_gro_add(&g, b));
	assert_int_equal(g.n, 1);
	s.seq += 1500;
	s.id += 2;
	fr_make(&big, &s);
	add_cut(&s, 1000, 0);
	assert_int_equal(g.n, 2);
	end();
}

TEST(a_longer_segment_begins_anew)
{
	struct fr_spec s = spec(4, true, 2000);

	begin(true);
	fr_make(&big, &s);
	add_cut(&s, 500, 0);
	s.seq += 500;
	s.id += 1;
	fr_make(&big, &s);
	add_cut(&s, 501, 0);
	assert_int_equal(g.n, 2);
	add_cut(&s, 501, 1);
	assert_int_equal(g.n, 2);
	assert_int_equal(g.item[1].n, 2);
	end();
}

TEST(acknowledgements_without_data_are_kept_apart_and_in_order)
{
	struct fr_spec s = spec(4, true, 2000), ack = spec(4, true, 0);

	begin(true);
	fr_make(&big, &s);
	add_cut(&s, 1000, 0);
	ack.flags = 0x10;
	fr_make(&one, &ack);
	assert_true(esp_gro_add(&g, buf_of(&one)));
	/* Behind it nothing is added to what was before it. */
	add_cut(&s, 1000, 1);
	assert_int_equal(g.n, 3);
	end();
}

TEST(a_constant_identification_is_merged_only_under_df)
{
	for (int df = 0; df < 2; df++) {
		struct fr_spec s = spec(4, true, 3000);

		s.frag = df ? 0x4000 : 0;
		begin(true);
		fr_make(&big, &s);
		for (size_t i = 0; i < 3; i++) {
			assert_true(fr_cut(&big, &s, 1000, i, &one));
			be16_put(one.b + one.ip + 4, s.id);
			fr_seal(&one, &s);
			assert_true(esp_gro_add(&g, buf_of(&one)));
		}
		assert_int_equal(g.n, df ? 1 : 3);
		end();
	}
}

TEST(shared_frames_are_not_touched)
{
	struct fr_spec s = spec(4, true, 2000);
	struct buf *b;

	begin(true);
	fr_make(&big, &s);
	add_cut(&s, 1000, 0);
	assert_true(fr_cut(&big, &s, 1000, 1, &one));
	b = buf_of(&one);
	assert_true(esp_gro_add(&g, buf_get(b)));
	assert_int_equal(g.n, 2);
	assert_int_equal(b->len, one.len);
	buf_put(b);
	end();
}

TEST(udp_is_merged_only_when_allowed)
{
	for (int has_udp = 0; has_udp < 2; has_udp++) {
		struct fr_spec s = spec(6, false, 4000);

		begin(has_udp);
		fr_make(&big, &s);
		for (size_t i = 0; i < 4; i++)
			add_cut(&s, 1000, i);
		assert_int_equal(g.n, has_udp ? 1 : 4);
		if (has_udp)
			expect_super(&s);
		end();
	}
}

TEST(an_item_never_passes_the_length_of_an_ip_packet)
{
	struct fr_spec s = spec(4, true, 65000);

	begin(true);
	s.flags = 0x10;
	for (unsigned i = 0; i < 8; i++) {
		s.len = 10000;
		fr_make(&big, &s);
		assert_true(esp_gro_add(&g, buf_of(&big)));
		s.seq += 10000;
		s.id++;
	}
	assert_int_equal(g.n, 2);
	assert_int_equal(g.item[0].n, 6);
	end();
}

TEST(a_full_table_takes_no_frame)
{
	struct fr_spec s = spec(4, true, 100);
	struct buf *b;

	begin(true);
	for (unsigned i = 0; i < ESP_GRO_MAX; i++) {
		s.port++;
		fr_make(&big, &s);
		assert_true(esp_gro_add(&g, buf_of(&big)));
	}
	s.port++;
	fr_make(&big, &s);
	b = buf_of(&big);
	assert_false(esp_gro_add(&g, b));
	release();
	assert_true(esp_gro_add(&g, b));
	end();
}

/* ---- the property ------------------------------------------------------------- */

#define FLOWS	 5
#define FRAMES	 200

/* Flows with loss, repetition, exchange and broken bits, all mixed. */
static unsigned
storm(struct buf **in)
{
	static struct fr_spec s[FLOWS];
	unsigned n = 0;

	for (unsigned f = 0; f < FLOWS; f++) {
		s[f] = spec(f % 2 == 0 ? 4 : 6, f != 3, 0);
		s[f].port = (uint16_t)(f * 7);
		s[f].n_tag = f == 4;
	}
	while (n < FRAMES) {
		struct fr_spec *p = &s[fr_rand() % FLOWS];

		p->len = fr_rand() % 8 == 0 ? fr_rand() % 700 : 700;
		p->flags = fr_rand() % 10 == 0 ? 0x18 : 0x10;
		if (fr_rand() % 40 == 0)
			p->flags |= 1u << fr_rand() % 8;
		fr_make(&one, p);
		if (fr_rand() % 30 == 0)
			one.b[fr_rand() % one.len] ^= 4;
		if (fr_rand() % 20 != 0)
			in[n++] = buf_of(&one);
		if (fr_rand() % 30 == 0 && n < FRAMES)
			in[n++] = buf_of(&one);
		if (fr_rand() % 20 == 0 && n > 2) {
			struct buf *b = in[n - 1];

			in[n - 1] = in[n - 2];
			in[n - 2] = b;
		}
		p->seq += (uint32_t)p->len;
		p->id++;
	}
	return n;
}

/* Cut item it again and find each of its frames, in order, among in[]. */
static void
expect_frames(struct esp_gro_item *it, uint8_t in[][1024], const size_t *len,
	      bool *is_seen, unsigned n)
{
	static struct fr f;
	static uint8_t seg[1024];
	struct esp_gso cut;
	unsigned at = 0;
	bool is_one = it->n == 1;

	esp_gro_finish(it);
	flat(it, &f);
	if (!is_one)
		assert_int_equal(esp_gso_plan((struct view){ f.b, f.len }, true,
					      it->seg_len, &cut), 0);
	assert_int_equal(is_one ? 1 : cut.n, it->n);
	for (uint32_t i = 0; i < it->n; i++) {
		size_t k = is_one ? f.len : esp_gso_len(&cut, i);

		if (is_one)
			memcpy(seg, f.b, k);
		else
			esp_gso_put(&cut, i, seg);
		while (at < n && (is_seen[at] || len[at] != k ||
				  memcmp(in[at], seg, k) != 0))
			at++;
		assert_true(at < n);
		is_seen[at] = true;
	}
}

TEST(cutting_gives_back_every_frame_under_loss_disorder_and_damage)
{
	static uint8_t copy[FRAMES][1024];
	static struct buf *in[FRAMES];
	size_t len[FRAMES];
	bool is_seen[FRAMES];
	unsigned n, merged = 0;

	for (unsigned round = 0; round < 30; round++) {
		begin(true);
		n = storm(in);
		for (unsigned i = 0; i < n; i++) {
			len[i] = in[i]->len;
			memcpy(copy[i], in[i]->data, len[i]);
			is_seen[i] = false;
			assert_true(esp_gro_add(&g, in[i]));
		}
		for (unsigned i = 0; i < g.n; i++) {
			merged += g.item[i].n - 1;
			expect_frames(&g.item[i], copy, len, is_seen, n);
		}
		for (unsigned i = 0; i < n; i++)
			assert_true(is_seen[i]);
		end();
	}
	assert_true(merged > 100); /* or the test shows nothing */
}
