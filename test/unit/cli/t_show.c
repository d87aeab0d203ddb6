/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/cli/t_show.c - tables, numbers, wrapping, colour.
 */
#include "test/lib/test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli/show.h"

static char *text;
static size_t text_len;

static struct show
start(unsigned width)
{
	struct show s = { .width = width };

	text = NULL;
	s.out = open_memstream(&text, &text_len);
	assert_non_null(s.out);
	return s;
}

static void
expect(struct show *s, const char *want)
{
	fclose(s->out);
	assert_string_equal(text, want);
	free(text);
}

static const struct show_col two[] = { { "NAME", false, 4 },
				       { "N", true, 0 } };

TEST(table_aligns_columns_and_leaves_no_blanks_at_the_end)
{
	struct show_table *t = show_table_new(two, 2);
	struct show s = start(80);

	show_cell(t, SHOW_PLAIN, "osaka");
	show_cell(t, SHOW_PLAIN, "%d", 7);
	show_cell(t, SHOW_PLAIN, "x");
	show_cell(t, SHOW_PLAIN, "%d", 1234);
	show_table_print(&s, t, 2);
	show_table_free(t);
	expect(&s, "  NAME      N\n"
		   "  osaka     7\n"
		   "  x      1234\n");
}

TEST(table_with_an_empty_last_cell_has_no_blanks_at_the_end)
{
	static const struct show_col col[] = { { "A", false, 0 },
					       { "B", true, 0 },
					       { "C", false, 0 } };
	struct show_table *t = show_table_new(col, 3);
	struct show s = start(80);

	show_cell(t, SHOW_PLAIN, "x");
	show_cell(t, SHOW_PLAIN, "%s", "");
	show_cell(t, SHOW_PLAIN, "%s", "");
	show_cell(t, SHOW_PLAIN, "%s", "");
	show_cell(t, SHOW_PLAIN, "%s", "");
	show_cell(t, SHOW_PLAIN, "z");
	show_table_print(&s, t, 0);
	show_table_free(t);
	expect(&s, "A  B  C\n"
		   "x\n"
		   "      z\n");
}

TEST(table_cuts_the_column_that_may_shrink)
{
	struct show_table *t = show_table_new(two, 2);
	struct show s = start(12);

	show_cell(t, SHOW_PLAIN, "a-very-long-name-indeed");
	show_cell(t, SHOW_PLAIN, "1234");
	show_table_print(&s, t, 0);
	show_table_free(t);
	expect(&s, "NAME       N\n"
		   "a-ver~  1234\n");
}

TEST(table_never_cuts_below_the_minimum)
{
	struct show_table *t = show_table_new(two, 2);
	struct show s = start(6);

	show_cell(t, SHOW_PLAIN, "abcdefgh");
	show_cell(t, SHOW_PLAIN, "1234");
	show_table_print(&s, t, 0);
	show_table_free(t);
	expect(&s, "NAME     N\n"
		   "abc~  1234\n");
}

TEST(table_counts_wide_characters_as_two_columns)
{
	struct show_table *t = show_table_new(two, 2);
	struct show s = start(80);

	show_cell(t, SHOW_PLAIN, "大阪");
	show_cell(t, SHOW_PLAIN, "1");
	show_cell(t, SHOW_PLAIN, "abcd");
	show_cell(t, SHOW_PLAIN, "2");
	show_table_print(&s, t, 0);
	show_table_free(t);
	expect(&s, "NAME  N\n"
		   "大阪  1\n"
		   "abcd  2\n");
}

TEST(table_makes_control_characters_of_strangers_visible)
{
	struct show_table *t = show_table_new(two, 2);
	struct show s = start(80);

	show_cell(t, SHOW_PLAIN, "%s", "a\033[31m\nb");
	show_cell(t, SHOW_PLAIN, "1");
	show_table_print(&s, t, 0);
	show_table_free(t);
	fclose(s.out);
	assert_null(strchr(text, '\033'));
	assert_non_null(strstr(text, "a\\x1b[31m\\x0ab"));
	free(text);
}

TEST(table_prints_notes_below_their_row)
{
	struct show_table *t = show_table_new(two, 2);
	struct show s = start(24);

	show_cell(t, SHOW_PLAIN, "osaka");
	show_cell(t, SHOW_PLAIN, "1");
	show_note(t, "the peer does not answer at all");
	show_cell(t, SHOW_PLAIN, "kobe");
	show_cell(t, SHOW_PLAIN, "2");
	show_table_print(&s, t, 0);
	show_table_free(t);
	expect(&s, "NAME   N\n"
		   "osaka  1\n"
		   "  the peer does not\n"
		   "    answer at all\n"
		   "kobe   2\n");
}

TEST(colour_appears_only_when_switched_on)
{
	struct show s = start(80);

	show_text(&s, SHOW_GOOD, "up");
	s.has_colour = true;
	show_text(&s, SHOW_GOOD, "up");
	show_text(&s, SHOW_PLAIN, "x");
	expect(&s, "up\033[32mup\033[0mx");
}

TEST(output_to_a_file_has_no_colour)
{
	FILE *f = tmpfile();
	struct show s;

	assert_non_null(f);
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	unsetenv("COLUMNS");
	show_init(&s, f);
	assert_false(s.has_colour);
	assert_int_equal(s.width, 80);
	setenv("COLUMNS", "100", 1);
	show_init(&s, f);
	assert_int_equal(s.width, 100);
	setenv("COLUMNS", "rubbish", 1);
	show_init(&s, f);
	assert_int_equal(s.width, 80);
	unsetenv("COLUMNS");
	fclose(f);
}

TEST(wrap_breaks_at_spaces_and_keeps_long_words_whole)
{
	struct show s = start(20);

	show_wrap(&s, 0, 2, "one two three four five abcdefghijklmnopqrstuvwxyz");
	expect(&s, "one two three four\n"
		   "  five\n"
		   "  abcdefghijklmnopqrstuvwxyz\n");
}

TEST(short_numbers_take_at_most_five_columns)
{
	static const struct {
		uint64_t v;
		const char *want;
	} c[] = {
		{ 0, "0" },		  { 999, "999" },
		{ 1000, "1.0k" },	  { 1234, "1.2k" },
		{ 9999, "9.9k" },	  { 10000, "10k" },
		{ 999999, "999k" },	  { 1000000, "1.0M" },
		{ 5600000000ull, "5.6G" }, { UINT64_MAX, "18E" },
	};
	char b[16];

	for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		assert_string_equal(show_short(c[i].v, b, sizeof(b)), c[i].want);
		assert_true(strlen(b) <= 5);
	}
}

TEST(ages_are_rounded_to_a_readable_unit)
{
	char b[16];

	assert_string_equal(show_age(-1, b, sizeof(b)), "never");
	assert_string_equal(show_age(0, b, sizeof(b)), "0 s");
	assert_string_equal(show_age(119, b, sizeof(b)), "119 s");
	assert_string_equal(show_age(120, b, sizeof(b)), "2 min");
	assert_string_equal(show_age(7200, b, sizeof(b)), "2 h");
	assert_string_equal(show_age(864000, b, sizeof(b)), "10 d");
}

TEST(cut_respects_characters_and_broken_utf8)
{
	char a[] = "大阪本社", b[] = "abc", c[] = "ab\xe5";

	show_cut(a, 5);
	assert_string_equal(a, "大阪~");
	show_cut(b, 3);
	assert_string_equal(b, "abc");
	assert_int_equal(show_columns(c), 3);
	show_cut(c, 2);
	assert_string_equal(c, "a~");
}
