/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_change.c - mistakes on their way between processes.
 */
#include "daemon/core/change.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/str.h"
#include "test/lib/test.h"

static struct conf_errs errs;

static void
add(unsigned line, unsigned col, const char *text)
{
	struct conf_err *e = &errs.e[errs.n++];

	e->line = line;
	e->col = col;
	(void)str_copy(e->text, sizeof(e->text), text);
}

static void
begin(void)
{
	memset(&errs, 0, sizeof(errs));
	errs.n_file = 1;
	(void)str_copy(errs.file[0], sizeof(errs.file[0]), "/etc/tapir.xml");
}

TEST(a_mistake_comes_back_from_its_line_as_check_prints_it)
{
	static const struct {
		unsigned line, col;
		const char *place;
	} tries[] = {
		{ 12, 7, "/etc/tapir.xml:12:7: it is bad [" },
		{ 12, 0, "/etc/tapir.xml:12: it is bad [" },
		{ 0, 0, "/etc/tapir.xml: it is bad [" },
	};
	struct bus_rec direct, parsed;
	char *lines;

	for (unsigned i = 0; i < N_OF(tries); i++) {
		begin();
		add(tries[i].line, tries[i].col, "it is bad");
		assert_non_null(lines = mistake_lines(&errs));
		lines[strcspn(lines, "\n")] = '\0';
		mistake_parse(lines, &parsed);
		mistake_rec(&errs, &errs.e[0], &direct);
		free(lines);
		assert_int_equal(bus_u64(&parsed, BUS_F_LINE), tries[i].line);
		assert_int_equal(bus_u64(&parsed, BUS_F_COLUMN), tries[i].col);
		assert_string_equal(bus_str(&parsed, BUS_F_WHY), "it is bad");
		assert_string_equal(bus_str(&parsed, BUS_F_CODE),
				    conf_code_name(errs.e[0].code));
		assert_string_equal(bus_str(&parsed, BUS_F_TEXT),
				    bus_str(&direct, BUS_F_TEXT));
		assert_memory_equal(bus_str(&parsed, BUS_F_TEXT),
				    tries[i].place, strlen(tries[i].place));
	}
}

TEST(tabs_and_newlines_of_a_text_stay_out_of_the_fields)
{
	struct bus_rec r;
	char *lines;

	begin();
	add(3, 1, "a\tb\n9\t9\tx");
	errs.n_more = 4;
	assert_non_null(lines = mistake_lines(&errs));
	assert_string_equal(strchr(lines, '\n') + 1,
			    "/etc/tapir.xml\t0\t0\t\tand 4 more errors\n");
	*strchr(lines, '\n') = '\0';
	mistake_parse(lines, &r);
	free(lines);
	assert_string_equal(bus_str(&r, BUS_F_WHY), "a b 9 9 x");
	assert_int_equal(bus_u64(&r, BUS_F_LINE), 3);
}

TEST(what_is_no_such_line_is_a_mistake_without_a_place)
{
	static const char *const bad[] = { "", "just words", "a\tb", "f\t1\t2\tc",
					   "f\tx\t2\tc\ttext",
					   "f\t1\t-2\tc\ttext" };
	struct bus_rec r;

	for (unsigned i = 0; i < N_OF(bad); i++) {
		mistake_parse(bad[i], &r);
		assert_string_equal(bus_str(&r, BUS_F_TEXT), bad[i]);
		assert_int_equal(bus_u64(&r, BUS_F_LINE), 0);
		assert_string_equal(bus_str(&r, BUS_F_FILE), "");
	}
}
