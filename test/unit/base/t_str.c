/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/base/t_str.c - bounded text, hex, numbers, likeness, globs; error sentences.
 */
#include "daemon/base/str.h"
#include <limits.h>
#include <string.h>
#include "daemon/base/err.h"
#include "test/lib/test.h"

TEST(adding_truncates_and_terminates)
{
	char out[8] = "";

	str_add(out, sizeof(out), "%s", "abc");
	str_add(out, sizeof(out), "%d", 42);
	assert_string_equal(out, "abc42");
	str_add(out, sizeof(out), "%s", "xyz");
	assert_string_equal(out, "abc42xy");
	str_add(out, sizeof(out), "more");
	assert_string_equal(out, "abc42xy");
}

TEST(adding_to_an_unterminated_text_changes_nothing)
{
	char out[4] = { 'a', 'b', 'c', 'd' };

	str_add(out, 4, "x");
	assert_memory_equal(out, "abcd", 4);
}

TEST(copying_tells_whether_it_fitted)
{
	char out[4];

	assert_true(str_copy(out, sizeof(out), "abc"));
	assert_false(str_copy(out, sizeof(out), "abcd"));
	assert_string_equal(out, "abc");
	assert_true(str_copy(out, sizeof(out), ""));
	assert_string_equal(out, "");
	assert_false(str_copy(out, 0, "x"));
	assert_int_equal(out[0], 0);
}

TEST(hex_goes_there_and_back)
{
	uint8_t in[] = { 0x00, 0x9a, 0xff }, back[3];
	char out[7];

	str_hex(out, sizeof(out), in, 3);
	assert_string_equal(out, "009aff");
	assert_int_equal(str_unhex("009aFf", 6, back, 3), 3);
	assert_memory_equal(in, back, 3);
	str_hex(out, 6, in, 3);
	assert_string_equal(out, "009a");
	str_hex(out, 1, in, 3);
	assert_string_equal(out, "");
	assert_int_equal(str_unhex("", 0, back, 0), 0);
}

TEST(bad_hex_is_refused_and_writes_nothing)
{
	uint8_t out[2] = { 0xaa, 0xaa };

	assert_int_equal(str_unhex("abc", 3, out, 2), ERR_SYNTAX);
	assert_int_equal(str_unhex("abxg", 4, out, 2), ERR_SYNTAX);
	assert_int_equal(str_unhex("ab:d", 4, out, 2), ERR_SYNTAX);
	assert_int_equal(str_unhex("abcdef", 6, out, 2), ERR_LONG);
	assert_int_equal(out[0] & out[1], 0xaa);
}

TEST(untrusted_bytes_become_printable)
{
	char out[64];

	str_escape(out, sizeof(out), "a\n\x1b[0m\"\\'\xc3\xa4\0z", 13);
	assert_string_equal(out,
	    "a\\x0a\\x1b[0m\\x22\\x5c\\x27\\xc3\\xa4\\x00z");
	str_escape(out, 4, "abcdef", 6);
	assert_string_equal(out, "abc");
	str_escape(out, 5, "a\n", 2);
	assert_string_equal(out, "a");
	str_escape(out, 6, "a\n", 2);
	assert_string_equal(out, "a\\x0a");
	str_escape(out, 1, "a", 1);
	assert_string_equal(out, "");
}

TEST(distance_counts_slips_of_the_finger)
{
	assert_int_equal(str_distance("", ""), 0);
	assert_int_equal(str_distance("abc", ""), 3);
	assert_int_equal(str_distance("", "abc"), 3);
	assert_int_equal(str_distance("realm", "realm"), 0);
	assert_int_equal(str_distance("raelm", "realm"), 1);
	assert_int_equal(str_distance("relm", "realm"), 1);
	assert_int_equal(str_distance("realms", "realm"), 1);
	assert_int_equal(str_distance("kitten", "sitting"), 3);
	/* Only the first 32 characters count. */
	assert_int_equal(str_distance(
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaXXXX",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaYYYY"), 0);
}

TEST(a_typing_mistake_finds_its_word_and_nonsense_none)
{
	static const char *const words[] = {
		"realm", "peer", "net", "identity", "certificate"
	};

	assert_string_equal(str_closest("raelm", words, 5), "realm");
	assert_string_equal(str_closest("pear", words, 5), "peer");
	assert_string_equal(str_closest("certficate", words, 5),
	    "certificate");
	assert_string_equal(str_closest("ent", words, 5), "net");
	assert_null(str_closest("banana", words, 5));
	assert_null(str_closest("x", words, 5));
	assert_null(str_closest("", words, 5));
	assert_null(str_closest("realm", words, 0));
}

TEST(numbers_are_whole_texts_within_bounds)
{
	uint64_t v = 7;

	assert_int_equal(str_u64("0", 10, &v), 0);
	assert_true(v == 0);
	assert_int_equal(str_u64("18446744073709551615", UINT64_MAX, &v), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(str_u64("18446744073709551616", UINT64_MAX, &v),
	    ERR_RANGE);
	assert_int_equal(str_u64("99999999999999999999999", UINT64_MAX, &v),
	    ERR_RANGE);
	assert_int_equal(str_u64("11", 10, &v), ERR_RANGE);
	assert_int_equal(str_u64("", 10, &v), ERR_SYNTAX);
	assert_int_equal(str_u64("-1", 10, &v), ERR_SYNTAX);
	assert_int_equal(str_u64("+1", 10, &v), ERR_SYNTAX);
	assert_int_equal(str_u64(" 1", 10, &v), ERR_SYNTAX);
	assert_int_equal(str_u64("1 ", 10, &v), ERR_SYNTAX);
	assert_int_equal(str_u64("0x1", 10, &v), ERR_SYNTAX);
	assert_int_equal(str_u64("99999999999999999999999z", 10, &v),
	    ERR_SYNTAX);
	assert_true(v == UINT64_MAX);
}

TEST(globs_match_whole_texts_without_case)
{
	assert_true(str_glob("*", ""));
	assert_true(str_glob("*", "anything"));
	assert_true(str_glob("*@Example.org", "alice@example.ORG"));
	assert_false(str_glob("*@example.org", "alice@example.org.evil"));
	assert_false(str_glob("example", "example.org"));
	assert_true(str_glob("a?c", "abc"));
	assert_false(str_glob("a?c", "ac"));
	assert_true(str_glob("a*b*c", "aXbXbXc"));
	assert_false(str_glob("a*b*c", "aXbXbX"));
	assert_true(str_glob("", ""));
	assert_false(str_glob("", "a"));
	assert_false(str_glob("?", ""));
	assert_true(str_glob("**a**", "xxaxx"));
	assert_false(str_glob("[a]", "a"));
}

TEST(a_hostile_glob_ends_soon)
{
	char text[2001];

	memset(text, 'a', 2000);
	text[2000] = '\0';
	assert_false(str_glob("*a*a*a*a*a*a*a*a*a*a*a*a*b", text));
}

TEST(every_error_has_a_name_and_a_sentence)
{
	assert_string_equal(err_text(0), "done");
	assert_string_equal(err_name(ERR_SHORT), "ERR_SHORT");
	for (int e = -1; e > -(int)ERR_IDX_END; e--) {
		assert_true(strncmp(err_name(e), "ERR_", 4) == 0);
		assert_true(strlen(err_text(e)) > 3);
	}
	assert_string_equal(err_text(-(int)ERR_IDX_END), "unknown error");
	assert_string_equal(err_text(1), "unknown error");
	assert_string_equal(err_text(INT_MIN), "unknown error");
}
