/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/conf/t_user.c - the file of accounts of the browser interface.
 */
#include "conf/user.h"
#include <string.h>
#include "daemon/base/err.h"
#include "test/lib/test.h"

#define SALT "00112233445566778899aabbccddeeff"
#define HASH SALT SALT

TEST(what_is_written_is_read_again)
{
	struct conf_user u = {
		.name = "hanako.s@x", .role = "operator", .log_n = 15, .r = 8,
		.p = 1, .n_totp = 20, .salt = { 1 }, .hash = { 2 },
		.totp = { 3, 4 },
	};
	struct conf_user v;
	char line[CONF_USER_LINE_MAX];
	const char *at = line;

	conf_user_print(&u, line);
	assert_int_equal(conf_user_next(&at, &v), 1);
	assert_memory_equal(&u, &v, sizeof(u));
	assert_int_equal(conf_user_next(&at, &v), 0);
}

TEST(lines_that_are_no_accounts_are_passed_over_and_told)
{
	static const char text[] =
	    "# a comment\n\n"
	    "a:admin:15:8:1:" SALT ":" HASH ":\n"
	    "b:god:15:8:1:" SALT ":" HASH ":\n"
	    "c:viewer:15:8:1:" SALT ":" HASH ":";
	const char *at = text;
	struct conf_user u;

	assert_int_equal(conf_user_next(&at, &u), 1);
	assert_string_equal(u.name, "a");
	assert_int_equal(conf_user_next(&at, &u), ERR_SYNTAX);
	assert_int_equal(conf_user_next(&at, &u), 1);
	assert_string_equal(u.name, "c");
	assert_int_equal(conf_user_next(&at, &u), 0);
}

TEST(bad_lines_are_refused)
{
	static const char *const bad[] = {
		"", "a", "a:admin", "a:admin:15:8:1:" SALT ":" HASH,
		"a:admin:15:8:1:" SALT ":" HASH "::",
		":admin:15:8:1:" SALT ":" HASH ":",
		"a b:admin:15:8:1:" SALT ":" HASH ":",
		".a:admin:15:8:1:" SALT ":" HASH ":",
		"a:admin:21:8:1:" SALT ":" HASH ":",
		"a:admin:9:8:1:" SALT ":" HASH ":",
		"a:admin:15:17:1:" SALT ":" HASH ":",
		"a:admin:15:0:1:" SALT ":" HASH ":",
		"a:admin:15:8:5:" SALT ":" HASH ":",
		"a:admin:15:8:x:" SALT ":" HASH ":",
		"a:admin:15:8:1:00:" HASH ":",
		"a:admin:15:8:1:" SALT ":" HASH "00:",
		"a:admin:15:8:1:" SALT ":" SALT ":",
		"a:admin:15:8:1:" SALT ":" HASH ":00",
		"a:admin:15:8:1:" SALT ":" HASH ":" HASH "00",
	};
	struct conf_user u;

	for (unsigned i = 0; i < N_OF(bad); i++)
		assert_int_equal(conf_user_parse(bad[i], &u), ERR_SYNTAX);
}

TEST(a_line_without_end_is_no_account)
{
	static char text[2 * CONF_USER_LINE_MAX];
	const char *at = text;
	struct conf_user u;

	memset(text, 'a', sizeof(text) - 1);
	assert_int_equal(conf_user_next(&at, &u), ERR_SYNTAX);
	assert_int_equal(conf_user_next(&at, &u), 0);
}
