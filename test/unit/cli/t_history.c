/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/cli/t_history.c - a timeline summed up, rows in words, points in
 * time.
 */
#include "cli/history.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli/when.h"
#include "daemon/base/err.h"
#include "test/lib/test.h"

static struct ask_list rows;

static void
row(uint64_t s, const char *peer, const char *code)
{
	struct bus_rec r;

	bus_rec_init(&r, BUS_RES_HISTORY);
	bus_set_u64(&r, BUS_F_TIME_MS, s * 1000);
	bus_set_u64(&r, BUS_F_N_SAME, 1);
	if (*peer != '\0')
		bus_set_str(&r, BUS_F_REALM, "branches");
	bus_set_str(&r, BUS_F_PEER, peer);
	bus_set_str(&r, BUS_F_CODE, code);
	ask_keep(&rows, &r);
}

TEST(time_that_nobody_lived_through_is_no_time)
{
	struct history_sum h;

	row(1000, "", "daemon-started");
	row(1010, "osaka", "peer-up");
	row(1060, "osaka", "peer-suspect");
	row(90000, "", "clock-set");	/* set forward */
	row(90030, "osaka", "peer-alive");
	row(500, "", "clock-set");	/* and back */
	history_sum(&rows, "branches", "osaka", 510 * 1000, &h);
	assert_int_equal(h.watched_ms, (60 + 30 + 10) * 1000);
	assert_int_equal(h.up_ms, (50 + 30 + 10) * 1000);
	assert_true(h.is_up);
	ask_list_fini(&rows);
}

TEST(doubt_is_not_down_and_a_stopped_daemon_is_not_watched)
{
	struct history_sum h;

	row(1000, "", "daemon-started");
	row(1010, "osaka", "peer-up");
	row(1020, "kyoto", "peer-down");
	row(1110, "osaka", "peer-suspect");
	row(1120, "osaka", "peer-alive");
	row(1210, "osaka", "peer-down");
	row(1310, "", "daemon-stopping");
	row(9000, "", "daemon-started");
	row(9010, "osaka", "peer-up");
	history_sum(&rows, "branches", "osaka", 9110 * 1000, &h);
	assert_int_equal(h.watched_ms, (310 + 110) * 1000);
	assert_int_equal(h.up_ms, (200 + 100) * 1000);
	assert_int_equal(h.n_down, 1);
	assert_true(h.is_up);
	/* killed: the next start tells that it was down meanwhile */
	row(9200, "", "daemon-started");
	history_sum(&rows, "", "osaka", 9300 * 1000, &h);
	assert_int_equal(h.n_down, 2);
	assert_false(h.is_up);
	history_sum(&rows, "branches", "nara", 9300 * 1000, &h);
	assert_int_equal(h.up_ms, 0);
	ask_list_fini(&rows);
	history_sum(&rows, "branches", "osaka", 1000, &h);
	assert_int_equal(h.from_ms, 0);
}

TEST(rows_are_lines_without_the_name_and_with_a_count)
{
	struct show s = { .width = 80, .is_tty = true };
	struct bus_rec r;
	char *text = NULL;
	size_t len;

	setenv("TZ", "UTC", 1);
	bus_rec_init(&r, BUS_RES_HISTORY);
	bus_set_u64(&r, BUS_F_TIME_MS, 1000);
	bus_set_u64(&r, BUS_F_LAST_MS, 61000);
	bus_set_u64(&r, BUS_F_N_SAME, 5);
	bus_set_str(&r, BUS_F_REALM, "branches");
	bus_set_str(&r, BUS_F_PEER, "osaka");
	bus_set_str(&r, BUS_F_CODE, "peer-failed");
	bus_set_str(&r, BUS_F_TEXT, "branches/osaka at 192.0.2.2:500 cannot be "
		    "reached: no answer; check at=");
	s.out = open_memstream(&text, &len);
	assert_non_null(s.out);
	history_row(&s, &r, false);
	history_row(&s, &r, true);
	fclose(s.out);
	assert_string_equal(text,
	    "01-01 00:00:01  failed   at 192.0.2.2:500 cannot be reached: no answer; check\n"
	    "                         at= (5 times, last 01-01 00:01:01)\n"
	    "01-01 00:00:01  failed   branches/osaka at 192.0.2.2:500 cannot be reached: no\n"
	    "                         answer; check at= (5 times, last 01-01 00:01:01)\n");
	free(text);
}

TEST(points_in_time_are_spans_or_dates)
{
	const uint64_t now = UINT64_C(1000000000000);
	uint64_t t = 0;

	setenv("TZ", "UTC", 1);
	assert_int_equal(when_parse("90s", now, &t), 0);
	assert_int_equal(t, now - 90000);
	assert_int_equal(when_parse("2h", now, &t), 0);
	assert_int_equal(t, now - 7200000);
	assert_int_equal(when_parse("7d", now, &t), 0);
	assert_int_equal(t, now - 7 * 86400000ull);
	assert_int_equal(when_parse("999999w", now, &t), 0);
	assert_int_equal(t, 0);
	assert_int_equal(when_parse("2001-09-09", now, &t), 0);
	assert_int_equal(t, UINT64_C(999993600000));
	assert_int_equal(when_parse("2001-09-09 01:46:40", now, &t), 0);
	assert_int_equal(t, now);
	assert_int_equal(when_parse("yesterday", now, &t), ERR_SYNTAX);
	assert_int_equal(when_parse("0s", now, &t), ERR_SYNTAX);
	assert_int_equal(when_parse("5", now, &t), ERR_SYNTAX);
	assert_int_equal(when_parse("5mm", now, &t), ERR_SYNTAX);
	assert_int_equal(when_parse("", now, &t), ERR_SYNTAX);
	assert_int_equal(when_parse("2001-09-09x", now, &t), ERR_SYNTAX);
}
