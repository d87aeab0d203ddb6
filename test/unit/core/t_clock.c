/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_clock.c - when the clock counts as set, and how it is said.
 */
#include "daemon/core/clock.h"
#include <string.h>
#include "daemon/bus/bus.h"
#include "daemon/bus/bus_text.h"
#include "test/lib/test.h"

#define NOW UINT64_C(1763769600000)	/* 2025-11-22 00:00:00 UTC */
#define H   UINT64_C(3600000)

TEST(a_clock_that_runs_was_not_set)
{
	struct clock_watch w = { .is_known = false };
	uint64_t was = 7;

	assert_false(clock_was_set(&w, 1000, NOW, &was));
	assert_false(clock_was_set(&w, 2000, NOW + 1000, &was));
	/* asleep for a night: the other clock ran on as well */
	assert_false(clock_was_set(&w, 2000 + 9 * H, NOW + 1000 + 9 * H, &was));
	/* kept right in small steps, either way */
	assert_false(clock_was_set(&w, 3000 + 9 * H, NOW + 6900 + 9 * H, &was));
	assert_false(clock_was_set(&w, 4000 + 9 * H, NOW + 3000 + 9 * H, &was));
	assert_int_equal(was, 7);
}

TEST(a_clock_that_is_set_is_noticed_once_with_what_it_would_say)
{
	struct clock_watch w = { .is_known = false };
	uint64_t was = 0;

	assert_false(clock_was_set(&w, 1000, NOW, &was));
	assert_true(clock_was_set(&w, 2000, NOW + 1000 + 2 * H, &was));
	assert_int_equal(was, NOW + 1000);
	assert_false(clock_was_set(&w, 3000, NOW + 2000 + 2 * H, &was));
	assert_true(clock_was_set(&w, 4000, 1000, &was));
	assert_int_equal(was, NOW + 3000 + 2 * H);
	assert_true(clock_was_set(&w, 5000, 7000, &was));
	assert_int_equal(was, 2000);
}

static void
says(uint64_t was, uint64_t is, const char *what, const char *after)
{
	char text[BUS_SENTENCE_MAX];
	struct bus_rec r;

	clock_event(&r, was, is);
	assert_string_equal(bus_str(&r, BUS_F_WHAT), what);
	assert_string_equal(bus_str(&r, BUS_F_AFTER), after);
	assert_non_null(strstr(bus_event_text(&r, text, sizeof(text)), what));
}

TEST(it_is_said_in_words)
{
	says(NOW, NOW + 6000, "6 s forward", "2025-11-22 00:00:06 UTC");
	says(NOW, NOW + 2 * H, "2 h forward", "2025-11-22 02:00:00 UTC");
	says(NOW, NOW - 90 * 60000, "90 min back", "2025-11-21 22:30:00 UTC");
	says(NOW, NOW + 3650 * 24 * H, "10 years forward",
	     "2035-11-20 00:00:00 UTC");
	says(NOW, 0, "56 years back", "1970-01-01 00:00:00 UTC");
}
