/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_mark.c - fingerprints of pre-shared keys.
 */
#include "secure-proc/keys/mark.h"
#include <string.h>
#include "daemon/base/err.h"
#include "test/lib/test.h"

static struct view
text(const char *s)
{
	return (struct view){ (const uint8_t *)s, strlen(s) };
}

/* Known answers of PBKDF2-HMAC-SHA2-256: RFC 7914 11. */
TEST(pbkdf2_gives_the_answers_of_rfc_7914)
{
	uint8_t want[32], got[32];

	test_hex("55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc",
		 want, sizeof(want));
	assert_int_equal(sec_pbkdf2(text("passwd"), text("salt"), 1, got), 0);
	assert_memory_equal(got, want, 32);
	test_hex("4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56",
		 want, sizeof(want));
	assert_int_equal(sec_pbkdf2(text("Password"), text("NaCl"), 80000, got),
			 0);
	assert_memory_equal(got, want, 32);
}

TEST(both_ends_get_the_same_and_other_keys_and_names_another)
{
	char a[8], b[8];

	assert_int_equal(sec_mark_make(text("k"), "tokyo", "osaka", 10, a), 0);
	assert_int_equal(sec_mark_make(text("k"), "osaka", "tokyo", 10, b), 0);
	assert_int_equal(strlen(a), SEC_MARK_DIGITS);
	assert_string_equal(a, b);
	assert_int_equal(sec_mark_make(text("l"), "tokyo", "osaka", 10, b), 0);
	assert_string_not_equal(a, b);
	assert_int_equal(sec_mark_make(text("k"), "tokyo", "kyoto", 10, b), 0);
	assert_string_not_equal(a, b);
	/* where one name ends and the other begins is part of it */
	assert_int_equal(sec_mark_make(text("k"), "ab", "c", 10, a), 0);
	assert_int_equal(sec_mark_make(text("k"), "a", "bc", 10, b), 0);
	assert_string_not_equal(a, b);
}

TEST(no_key_and_endless_names_are_refused)
{
	char name[700], out[8] = "?";

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(sec_mark_make(text(""), "a", "b", 1, out), ERR_SHORT);
	assert_int_equal(sec_mark_make(text("k"), name, "b", 1, out), ERR_LONG);
	assert_string_equal(out, "?");
}
