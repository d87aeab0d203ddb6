/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/esp/t_gso.c - cutting against a slow reference; checksums.
 */
#include "test/unit/esp/frames.h"
#include "esp/csum.h"

static struct fr frame, want;
static uint8_t got[FR_MAX];

static struct view
view_of(const struct fr *f)
{
	return (struct view){ f->b, f->len };
}

/* Every segment as the reference makes it, and not one more. */
static void
expect_same(const struct fr_spec *s, uint16_t seg)
{
	struct esp_gso g;
	uint32_t n = 0;

	assert_int_equal(esp_gso_plan(view_of(&frame), s->is_ether, seg, &g),
			 0);
	assert_int_equal(g.at.ip, frame.ip);
	assert_int_equal(g.at.l4, frame.l4);
	assert_int_equal(g.at.data, frame.data);
	for (; fr_cut(&frame, s, seg, n, &want); n++) {
		memset(got, 0xa5, sizeof(got));
		assert_true(n < g.n);
		assert_int_equal(esp_gso_len(&g, n), want.len);
		esp_gso_put(&g, n, got);
		assert_memory_equal(got, want.b, want.len);
		assert_int_equal(got[want.len], 0xa5);
	}
	assert_int_equal(n, g.n);
}

TEST(random_frames_are_cut_as_the_reference_does)
{
	for (unsigned i = 0; i < 400; i++) {
		struct fr_spec s = fr_random();

		fr_make(&frame, &s);
		/* Lengths and sums of a super-frame are not to be trusted. */
		be16_put(frame.b + frame.l4 + (s.is_tcp ? 16 : 6),
			 (uint16_t)fr_rand());
		expect_same(&s, (uint16_t)(40 + fr_rand() % 1500));
	}
}

TEST(one_segment_alone_keeps_all_flags)
{
	struct fr_spec s = { .is_ether = true, .family = 4, .is_tcp = true,
			     .flags = 0x99, .len = 1000 };
	struct esp_gso g;

	fr_make(&frame, &s);
	assert_int_equal(esp_gso_plan(view_of(&frame), true, 1000, &g), 0);
	assert_int_equal(g.n, 1);
	esp_gso_put(&g, 0, got);
	assert_memory_equal(got, frame.b, frame.len);
}

TEST(identification_and_sequence_number_wrap)
{
	struct fr_spec s = { .is_ether = true, .family = 4, .is_tcp = true,
			     .flags = 0x18, .id = 0xfffe, .seq = 0xffffff00,
			     .len = 5000 };

	fr_make(&frame, &s);
	expect_same(&s, 999);
}

TEST(largest_super_frame_is_cut)
{
	struct fr_spec s = { .is_ether = true, .family = 6, .is_tcp = true,
			     .tcp_opt = 3, .flags = 0x18, .len = 65535 - 72 };

	fr_make(&frame, &s);
	expect_same(&s, 1428);
	expect_same(&s, 1);
}

TEST(a_zero_udp_checksum_is_sent_as_ones)
{
	struct fr_spec s = { .is_ether = true, .family = 4, .len = 2 };

	/* Choose the payload so that the sum comes out as zero. */
	fr_make(&frame, &s);
	be16_put(frame.b + frame.data, 0);
	fr_seal(&frame, &s);
	memcpy(frame.b + frame.data, frame.b + frame.l4 + 6, 2);
	fr_seal(&frame, &s);
	assert_int_equal(be16_get(frame.b + frame.l4 + 6), 0xffff);
	expect_same(&s, 2);
}

TEST(what_is_no_plain_tcp_or_udp_is_refused)
{
	struct fr_spec s = { .is_ether = true, .family = 4, .is_tcp = true,
			     .flags = 0x10, .len = 100 };
	struct esp_gso g;
	struct view v;

	fr_make(&frame, &s);
	v = view_of(&frame);
	assert_int_equal(esp_gso_plan(v, true, 0, &g), ERR_RANGE);
	v.len = frame.data;
	assert_int_equal(esp_gso_plan(v, true, 50, &g), ERR_RANGE);
	for (v.len = 0; v.len < frame.data; v.len++)
		assert_int_equal(esp_gso_plan(v, true, 50, &g), ERR_SHORT);
	v = view_of(&frame);
	frame.b[frame.l4 + 12] = 0x40; /* TCP header of 16 bytes */
	assert_int_equal(esp_gso_plan(v, true, 50, &g), ERR_UNSUP);
	frame.b[frame.l4 + 12] = 0x50;
	frame.b[frame.ip + 9] = 1;
	assert_int_equal(esp_gso_plan(v, true, 50, &g), ERR_UNSUP);
	frame.b[frame.ip + 9] = 6;
	frame.b[frame.ip + 6] = 0x20; /* more fragments */
	assert_int_equal(esp_gso_plan(v, true, 50, &g), ERR_UNSUP);
	frame.b[frame.ip + 6] = 0;
	frame.b[frame.ip] = 0x44;
	assert_int_equal(esp_gso_plan(v, true, 50, &g), ERR_UNSUP);
	frame.b[frame.ip] = 0x65;
	assert_int_equal(esp_gso_plan(v, true, 50, &g), ERR_UNSUP);
	s.n_tag = 2;
	fr_make(&frame, &s);
	v = view_of(&frame);
	be16_put(frame.b + 20, 0x8100); /* a third tag */
	assert_int_equal(esp_gso_plan(v, true, 50, &g), ERR_UNSUP);
	s = (struct fr_spec){ .is_ether = true, .family = 6, .n_ext = 1,
			      .is_tcp = true, .len = 100 };
	fr_make(&frame, &s);
	frame.b[frame.ip + 6] = 43; /* routing: the pseudo header differs */
	assert_int_equal(esp_gso_plan(view_of(&frame), true, 50, &g),
			 ERR_UNSUP);
}

TEST(sums_are_those_of_the_reference_at_every_length_and_place)
{
	for (size_t i = 0; i < sizeof(frame.b); i++)
		frame.b[i] = (uint8_t)fr_rand();
	memset(frame.b + 1000, 0xff, 500);
	for (size_t n = 0; n < 300; n++)
		for (size_t off = 0; off < 5; off++) {
			memset(got, 0, n + 1);
			assert_int_equal(esp_csum_part(frame.b + off, n) %
					 0xffff, fr_sum(0, frame.b + off, n) %
					 0xffff);
			assert_int_equal(esp_csum_copy(got, frame.b + off, n) %
					 0xffff, fr_sum(0, frame.b + off, n) %
					 0xffff);
			assert_memory_equal(got, frame.b + off, n);
			assert_int_equal(got[n], 0);
		}
	assert_int_equal(esp_csum_part(frame.b, 65536) % 0xffff,
			 fr_sum(0, frame.b, 65536) % 0xffff);
}

TEST(a_partial_checksum_is_completed)
{
	struct fr_spec s;

	for (unsigned i = 0; i < 100; i++) {
		size_t off;

		s = fr_random();
		s.len %= 1400;
		fr_make(&frame, &s);
		off = s.is_tcp ? 16 : 6;
		memcpy(got, frame.b, frame.len);
		be16_put(got + frame.l4 + off,
			 fr_pseudo(frame.b + frame.ip, s.is_tcp,
				   frame.len - frame.l4));
		assert_int_equal(esp_csum_complete(got, frame.len, frame.l4,
						   off), 0);
		if (be16_get(frame.b + frame.l4 + off) == 0)
			be16_put(frame.b + frame.l4 + off, 0xffff);
		assert_memory_equal(got, frame.b, frame.len);
	}
	assert_int_equal(esp_csum_complete(got, 100, 99, 0), ERR_RANGE);
	assert_int_equal(esp_csum_complete(got, 100, 101, 0), ERR_RANGE);
	assert_int_equal(esp_csum_complete(got, 100, 0, SIZE_MAX), ERR_RANGE);
	assert_int_equal(esp_csum_complete(got, 100, 98, 0), 0);
}

TEST(without_its_first_segment_the_rest_is_cut_as_before)
{
	static struct fr whole, rest;

	for (unsigned i = 0; i < 200; i++) {
		struct fr_spec s = fr_random();
		uint16_t seg = (uint16_t)(40 + fr_rand() % 1500);
		struct esp_gso g, r;

		s.len = 1 + fr_rand() % 20000;
		fr_make(&whole, &s);
		memcpy(&rest, &whole, sizeof(rest));
		if (s.len <= seg) {
			assert_int_equal(esp_gso_behead(rest.b, rest.len,
							s.is_ether, seg),
					 ERR_RANGE);
			assert_memory_equal(rest.b, whole.b, whole.len);
			continue;
		}
		assert_int_equal(esp_gso_behead(rest.b, rest.len, s.is_ether,
						seg), 0);
		assert_int_equal(esp_gso_plan(view_of(&whole), s.is_ether, seg,
					      &g), 0);
		assert_int_equal(esp_gso_plan((struct view){ rest.b + seg,
				 rest.len - seg }, s.is_ether, seg, &r), 0);
		assert_int_equal(r.n, g.n - 1);
		for (uint32_t k = 1; k < g.n; k++) {
			assert_int_equal(esp_gso_len(&r, k - 1),
					 esp_gso_len(&g, k));
			esp_gso_put(&g, k, want.b);
			esp_gso_put(&r, k - 1, got);
			if (s.is_tcp) /* CWR goes to the first that is left */
				want.b[g.at.l4 + 13] |= k == 1 ?
				    whole.b[g.at.l4 + 13] & 0x80 : 0;
			if (s.is_tcp && k == 1) {
				be16_put(want.b + g.at.l4 + 16, 0);
				be16_put(got + g.at.l4 + 16, 0);
			}
			assert_memory_equal(got, want.b, esp_gso_len(&g, k));
		}
	}
}

TEST(frames_that_cannot_be_beheaded_stay_as_they_are)
{
	struct fr_spec s = { .is_ether = true, .family = 4, .is_tcp = true,
			     .len = 5000 };
	static struct fr x;

	fr_make(&x, &s);
	memcpy(&frame, &x, sizeof(x));
	for (size_t len = 0; len < x.data; len++)
		assert_int_not_equal(esp_gso_behead(x.b, len, true, 1000), 0);
	assert_int_equal(esp_gso_behead(x.b, x.len, true, 0), ERR_RANGE);
	assert_int_equal(esp_gso_behead(x.b, x.len, true, 5000), ERR_RANGE);
	assert_int_equal(esp_gso_behead(x.b, x.data, true, 1), ERR_RANGE);
	assert_memory_equal(x.b, frame.b, x.len);
}
