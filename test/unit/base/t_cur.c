/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/base/t_cur.c - reading and writing stay inside their bytes.
 */
#include "daemon/base/cur.h"
#include <string.h>
#include "test/lib/test.h"

static const uint8_t wire[] = {
	0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
	0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f
};

TEST(numbers_are_read_big_endian)
{
	struct cur c;
	uint8_t a;
	uint16_t b;
	uint32_t d;
	uint64_t e;

	cur_init(&c, wire, sizeof(wire));
	assert_int_equal(cur_u8(&c, &a), 0);
	assert_int_equal(cur_u16(&c, &b), 0);
	assert_int_equal(cur_u32(&c, &d), 0);
	assert_int_equal(cur_u64(&c, &e), 0);
	assert_int_equal(a, 0x01);
	assert_int_equal(b, 0x0203);
	assert_int_equal(d, 0x04050607);
	assert_true(e == UINT64_C(0x08090a0b0c0d0e0f));
	assert_int_equal(cur_at(&c), sizeof(wire));
	assert_int_equal(cur_end(&c), 0);
}

TEST(reading_past_the_end_fails_and_moves_nothing)
{
	uint64_t u64 = 7;
	uint32_t u32 = 7;
	uint16_t u16 = 7;
	uint8_t u8 = 7, out[4] = { 7 };
	struct view v = { NULL, 9 };
	struct cur c, sub;

	cur_init(&c, wire, 1);
	assert_int_equal(cur_u16(&c, &u16), ERR_SHORT);
	assert_int_equal(cur_u32(&c, &u32), ERR_SHORT);
	assert_int_equal(cur_u64(&c, &u64), ERR_SHORT);
	assert_int_equal(cur_skip(&c, 2), ERR_SHORT);
	assert_int_equal(cur_view(&c, 2, &v), ERR_SHORT);
	assert_int_equal(cur_copy(&c, out, 2), ERR_SHORT);
	assert_int_equal(cur_sub(&c, 2, &sub), ERR_SHORT);
	assert_int_equal(cur_left(&c), 1);
	assert_true(u16 == 7 && u32 == 7 && u64 == 7 && v.len == 9);
	assert_int_equal(out[0], 7);
	assert_int_equal(cur_u8(&c, &u8), 0);
	assert_int_equal(cur_u8(&c, &u8), ERR_SHORT);
	assert_int_equal(u8, 1);
}

TEST(a_length_near_the_largest_number_does_not_wrap)
{
	struct view v;
	struct cur c;

	cur_init(&c, wire, sizeof(wire));
	assert_int_equal(cur_skip(&c, 3), 0);
	assert_int_equal(cur_skip(&c, SIZE_MAX), ERR_SHORT);
	assert_int_equal(cur_skip(&c, SIZE_MAX - 2), ERR_SHORT);
	assert_int_equal(cur_view(&c, SIZE_MAX - 1, &v), ERR_SHORT);
	assert_int_equal(cur_at(&c), 3);
}

TEST(a_child_cursor_cannot_see_what_follows_it)
{
	struct cur c, sub;
	uint32_t v;
	uint8_t next;

	cur_init(&c, wire, sizeof(wire));
	assert_int_equal(cur_sub(&c, 3, &sub), 0);
	assert_int_equal(cur_u32(&sub, &v), ERR_SHORT);
	assert_int_equal(cur_left(&sub), 3);
	assert_int_equal(cur_u8(&c, &next), 0);
	assert_int_equal(next, 4);
}

TEST(trailing_bytes_are_noticed_and_rest_takes_them)
{
	struct view v;
	struct cur c;

	cur_init(&c, wire, sizeof(wire));
	assert_int_equal(cur_skip(&c, 10), 0);
	assert_int_equal(cur_end(&c), ERR_TRAIL);
	cur_rest(&c, &v);
	assert_int_equal(v.len, 5);
	assert_ptr_equal(v.p, wire + 10);
	assert_int_equal(cur_end(&c), 0);
	cur_rest(&c, &v);
	assert_int_equal(v.len, 0);
}

TEST(no_input_at_all_is_an_empty_cursor)
{
	struct cur c;
	struct view v;
	uint8_t b;

	cur_init(&c, NULL, 0);
	assert_int_equal(cur_u8(&c, &b), ERR_SHORT);
	assert_int_equal(cur_skip(&c, 0), 0);
	assert_int_equal(cur_end(&c), 0);
	cur_init(&c, NULL, 5);
	assert_int_equal(cur_left(&c), 0);
	cur_rest(&c, &v);
	assert_int_equal(v.len, 0);
}

TEST(what_was_written_reads_back)
{
	uint8_t out[15] = { 0 };
	struct wcur w;
	struct view v;

	wcur_init(&w, out, sizeof(out));
	wcur_u8(&w, 0x01);
	wcur_u16(&w, 0x0203);
	wcur_u32(&w, 0x04050607);
	wcur_u64(&w, UINT64_C(0x08090a0b0c0d0e0f));
	v = wcur_done(&w);
	assert_int_equal(w.err, 0);
	assert_int_equal(v.len, sizeof(wire));
	assert_memory_equal(v.p, wire, sizeof(wire));
}

TEST(writing_past_the_end_is_sticky_and_gives_nothing)
{
	uint8_t out[4] = { 0xaa, 0xaa, 0xaa, 0xaa };
	struct wcur w;

	wcur_init(&w, out, 3);
	wcur_u16(&w, 1);
	wcur_u16(&w, 2);
	assert_int_equal(w.err, ERR_LONG);
	wcur_u8(&w, 3);
	assert_int_equal(wcur_done(&w).len, 0);
	assert_int_equal(out[2], 0xaa);
	assert_int_equal(out[3], 0xaa);
}

TEST(a_hole_is_zero_until_it_is_patched)
{
	uint8_t out[16];
	struct wcur w;
	size_t len_at;

	memset(out, 0xff, sizeof(out));
	wcur_init(&w, out, sizeof(out));
	wcur_u8(&w, 9);
	len_at = wcur_hole(&w, 7);
	assert_int_equal(len_at, 1);
	assert_int_equal(out[1] | out[7], 0);
	wcur_bytes(&w, "ab", 2);
	wcur_put8(&w, len_at, 0x11);
	wcur_put16(&w, len_at + 1, 0x2233);
	wcur_put32(&w, len_at + 3, 0x44556677);
	assert_memory_equal(out, "\x09\x11\x22\x33\x44\x55\x66\x77" "ab", 10);
	assert_int_equal(w.err, 0);
}

TEST(a_patch_outside_of_what_was_written_is_an_error)
{
	uint8_t out[8] = { 0 };
	struct wcur w;

	wcur_init(&w, out, sizeof(out));
	wcur_u16(&w, 0);
	wcur_put16(&w, 1, 0xffff);
	assert_int_equal(w.err, ERR_LONG);
	assert_int_equal(out[1] | out[2], 0);
	wcur_init(&w, out, sizeof(out));
	wcur_put8(&w, SIZE_MAX, 1);
	assert_int_equal(w.err, ERR_LONG);
}

TEST(a_block_is_its_length_and_its_bytes)
{
	const struct view two = { (const uint8_t *)"ab", 2 }, none = { NULL, 0 };
	uint8_t out[10];
	struct wcur w;
	struct view v;
	struct cur c;

	wcur_init(&w, out, sizeof(out));
	wcur_block(&w, two);
	wcur_block(&w, none);
	assert_int_equal(w.err, 0);
	assert_memory_equal(out, "\0\0\0\2" "ab" "\0\0\0\0", 10);
	cur_init(&c, out, sizeof(out));
	assert_int_equal(cur_block(&c, &v), 0);
	assert_int_equal(v.len, 2);
	assert_memory_equal(v.p, "ab", 2);
	assert_int_equal(cur_block(&c, &v), 0);
	assert_int_equal(v.len, 0);
	assert_int_equal(cur_block(&c, &v), ERR_SHORT);
	cur_init(&c, out, 5);			/* one byte of two */
	assert_int_equal(cur_block(&c, &v), ERR_SHORT);
}

TEST(a_text_has_no_zero_in_it_and_room_for_one_behind_it)
{
	char text[3] = "zz";
	uint8_t out[6];
	struct wcur w;
	struct cur c;

	wcur_init(&w, out, sizeof(out));
	wcur_text(&w, "ab");
	wcur_text(&w, "");
	assert_int_equal(w.err, 0);
	assert_memory_equal(out, "\0\2" "ab" "\0\0", 6);
	cur_init(&c, out, sizeof(out));
	assert_int_equal(cur_text(&c, text, sizeof(text)), 0);
	assert_string_equal(text, "ab");
	assert_int_equal(cur_text(&c, text, 1), 0);
	assert_string_equal(text, "");
	assert_int_equal(cur_text(&c, text, sizeof(text)), ERR_SHORT);
	cur_init(&c, out, sizeof(out));
	assert_int_equal(cur_text(&c, text, 2), ERR_LONG);
	cur_init(&c, out, 3);
	assert_int_equal(cur_text(&c, text, sizeof(text)), ERR_SHORT);
	out[3] = 0;
	cur_init(&c, out, sizeof(out));
	assert_int_equal(cur_text(&c, text, sizeof(text)), ERR_SYNTAX);
}

TEST(a_writer_without_memory_refuses_everything)
{
	struct wcur w;

	wcur_init(&w, NULL, 100);
	wcur_bytes(&w, NULL, 0);
	assert_int_equal(w.err, 0);
	wcur_u8(&w, 1);
	assert_int_equal(w.err, ERR_LONG);
	assert_int_equal(wcur_hole(&w, 1), 0);
}
