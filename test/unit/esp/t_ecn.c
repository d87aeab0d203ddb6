/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/esp/t_ecn.c - marks of congestion.
 */
#include "esp/ecn.h"
#include "test/unit/esp/frames.h"

static struct fr frame, was;

/* Give a frame an ECN field, with a right sum over its IPv4 header. */
static void
ecn_put(struct fr *f, unsigned family, unsigned ecn)
{
	uint8_t *ip = f->b + f->ip;
	size_t n = (ip[0] & 15u) * 4;

	if (family == 6) {
		ip[1] = (uint8_t)((ip[1] & 0xcf) | ecn << 4);
		return;
	}
	ip[1] = (uint8_t)((ip[1] & 0xfc) | ecn);
	be16_put(ip + 10, 0);
	be16_put(ip + 10, (uint16_t)~fr_sum(0, ip, n));
}

TEST(only_packets_of_ends_that_understand_are_marked)
{
	for (unsigned i = 0; i < 800; i++) {
		struct fr_spec s = fr_random();
		unsigned ecn = i % 4;

		s.len = fr_rand() % 200;
		fr_make(&frame, &s);
		ecn_put(&frame, s.family, ecn);
		memcpy(&was, &frame, sizeof(was));
		assert_int_equal(esp_ecn_mark(frame.b, frame.len, s.is_ether),
				 ecn != 0);
		if (ecn != 0)
			ecn_put(&was, s.family, 3);
		assert_memory_equal(frame.b, was.b, was.len);
	}
}

TEST(what_is_cut_off_or_not_ip_stays_as_it_is)
{
	for (unsigned family = 4; family <= 6; family += 2) {
		struct fr_spec s = { .is_ether = true, .family = family,
				     .n_tag = 2, .is_tcp = true, .len = 10 };

		fr_make(&frame, &s);
		ecn_put(&frame, family, 2);
		memcpy(&was, &frame, sizeof(was));
		for (size_t len = 0; len < frame.ip + 20; len++)
			assert_false(esp_ecn_mark(frame.b, len, true));
		be16_put(frame.b + frame.ip - 2, 0x0806);
		be16_put(was.b + was.ip - 2, 0x0806);
		assert_false(esp_ecn_mark(frame.b, frame.len, true));
		assert_false(esp_ecn_mark(frame.b, frame.len, false));
		assert_memory_equal(frame.b, was.b, was.len);
	}
}
