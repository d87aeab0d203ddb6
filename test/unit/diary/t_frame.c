/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/diary/t_frame.c - what passes between tapird and its diary.
 */
#include "daemon/diary/frame.h"
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "test/lib/test.h"

static struct diary_frame in, out;

static int
round_trip(void)
{
	uint8_t buf[DIARY_FRAME_MAX];
	int len = diary_enc(&in, buf, sizeof(buf));

	assert_true(len > 0);
	/* nothing of it may be missing, nothing may follow */
	for (int i = 0; i < len; i++)
		assert_int_not_equal(diary_dec(buf, (size_t)i, &out), 0);
	memset(&out, 0, sizeof(out));
	return diary_dec(buf, (size_t)len, &out);
}

TEST(events_and_rows_keep_their_records)
{
	memset(&in, 0, sizeof(in));
	in.kind = DIARY_EVENT;
	bus_rec_init(&in.rec, BUS_EV_PEER_DOWN);
	bus_set_str(&in.rec, BUS_F_PEER, "osaka");
	bus_set_u64(&in.rec, BUS_F_UP_S, 77);
	in.rec.seq = 5;
	assert_int_equal(round_trip(), 0);
	assert_int_equal(out.rec.desc->row, BUS_EV_PEER_DOWN);
	assert_string_equal(bus_str(&out.rec, BUS_F_PEER), "osaka");
	assert_int_equal(bus_u64(&out.rec, BUS_F_UP_S), 77);
	assert_int_equal(out.rec.seq, 5);
	in.kind = DIARY_ROW;
	in.id = 0xfffffff0u;
	bus_rec_init(&in.rec, BUS_RES_HISTORY);
	assert_int_equal(round_trip(), 0);
	assert_int_equal(out.id, 0xfffffff0u);
	assert_int_equal(out.rec.desc->row, BUS_RES_HISTORY);
}

TEST(lines_queries_ends_and_notes_keep_their_values)
{
	memset(&in, 0, sizeof(in));
	in.kind = DIARY_LINE;
	in.level = LOG_WARN;
	in.time_ms = UINT64_C(1234567890123);
	str_copy(in.word, sizeof(in.word), "ike");
	str_copy(in.text, sizeof(in.text), "a line");
	assert_int_equal(round_trip(), 0);
	assert_int_equal(out.level, LOG_WARN);
	assert_int_equal(out.time_ms, UINT64_C(1234567890123));
	assert_string_equal(out.word, "ike");
	assert_string_equal(out.text, "a line");
	in.kind = DIARY_QUERY;
	in.id = 9;
	in.since_ms = 8;
	in.limit = 7;
	str_copy(in.realm, sizeof(in.realm), "branches");
	str_copy(in.peer, sizeof(in.peer), "");
	assert_int_equal(round_trip(), 0);
	assert_int_equal(out.id, 9);
	assert_int_equal(out.since_ms, 8);
	assert_int_equal(out.limit, 7);
	assert_string_equal(out.realm, "branches");
	assert_string_equal(out.peer, "");
	in.kind = DIARY_END;
	in.err = ERR_CLOSED;
	assert_int_equal(round_trip(), 0);
	assert_int_equal(out.err, ERR_CLOSED);
	in.err = 0;
	assert_int_equal(round_trip(), 0);
	assert_int_equal(out.err, 0);
	in.kind = DIARY_NOTE;
	assert_int_equal(round_trip(), 0);
	assert_string_equal(out.word, "ike");
}

TEST(a_line_that_is_too_long_is_cut)
{
	uint8_t buf[DIARY_FRAME_MAX];
	char text[2 * LOG_LINE_MAX];
	int len;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	len = diary_enc_line(LOG_INFO, 1, "ike", text, buf, sizeof(buf));
	assert_true(len > 0);
	assert_int_equal(diary_dec(buf, (size_t)len, &out), 0);
	assert_int_equal(strlen(out.text), LOG_LINE_MAX - 1);
}

TEST(what_is_no_frame_is_refused)
{
	static const uint8_t none[] = { 0 }, unknown[] = { 99, 1, 2 },
	    level[] = { DIARY_NOTE, 9, 0, 0, 0, 0 },
	    nul[] = { DIARY_NOTE, 0, 0, 1, 0, 0, 0 },
	    tail[] = { DIARY_NOTE, 0, 0, 0, 0, 0, 1 },
	    end[] = { DIARY_END, 0, 0, 0, 1, 0xff, 0xff };

	assert_int_equal(diary_dec(none, sizeof(none), &out), ERR_SYNTAX);
	assert_int_equal(diary_dec(none, 0, &out), ERR_SHORT);
	assert_int_equal(diary_dec(unknown, sizeof(unknown), &out), ERR_SYNTAX);
	assert_int_equal(diary_dec(level, sizeof(level), &out), ERR_SYNTAX);
	assert_int_equal(diary_dec(nul, sizeof(nul), &out), ERR_SYNTAX);
	assert_int_equal(diary_dec(tail, sizeof(tail), &out), ERR_TRAIL);
	assert_int_equal(diary_dec(end, sizeof(end), &out), ERR_SYNTAX);
}
