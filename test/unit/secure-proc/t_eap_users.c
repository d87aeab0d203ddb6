/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_eap_users.c - users files, and how often somebody
 * may guess.
 */
#include "secure-proc/eap/limit.h"
#include <stdio.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "secure-proc/eap/users.h"
#include "test/lib/test.h"

#define H1 "44ebba8d5312b8d611474411f56989ae"
#define H2 "FC156AF7EDCD6C0EDDE3337D427F4EAC"

static char why[200];

static struct view
text(const char *s)
{
	return (struct view){ (const uint8_t *)s, strlen(s) };
}

static int
parse(const char *s, struct sec_users **out)
{
	uint8_t *p = secret_alloc(strlen(s) + 1);

	assert_non_null(p);
	memcpy(p, s, strlen(s));
	*out = NULL;
	return sec_users_parse(p, strlen(s), out, why, sizeof(why));
}

static bool
has(const struct sec_users *u, const char *name, const char *hex)
{
	uint8_t got[SPI_EAP_NT_HASH], want[SPI_EAP_NT_HASH];

	if (sec_users_nt_hash(u, text(name), got) != 0)
		return false;
	test_hex(hex, want, sizeof(want));
	return memcmp(got, want, sizeof(got)) == 0;
}

TEST(each_user_of_a_file_is_found_and_no_other)
{
	struct sec_users *u;

	assert_int_equal(parse("# sales\n\ntaro@example.com:nt:" H1 "\r\n"
			       "CORP\\hanako:nt:" H2, &u), 0);
	assert_int_equal(sec_users_count(u), 2);
	assert_true(has(u, "taro@example.com", H1));
	assert_true(has(u, "CORP\\hanako", H2));
	assert_false(has(u, "taro@example.co", H1));
	assert_false(has(u, "taro@example.comm", H1));
	assert_false(has(u, "TARO@example.com", H1));
	assert_false(has(u, "", H1));
	sec_users_free(u);
}

TEST(an_empty_file_has_nobody)
{
	struct sec_users *u;

	assert_int_equal(parse("", &u), 0);
	assert_int_equal(sec_users_count(u), 0);
	assert_false(has(u, "taro", H1));
	sec_users_free(u);
}

TEST(a_line_that_is_not_understood_refuses_the_file)
{
	static const char *const bad[] = {
		"taro", "taro:", "taro:nt:", "taro:nt:" "44ebba", ":nt:" H1,
		"taro:nt:" H1 "00", "taro:nt: " H1, "taro:xx:" H1,
		"taro:nt:44ebba8d5312b8d611474411f56989ag", "a:b:nt:" H1,
		"ta\tro:nt:" H1
	};
	struct sec_users *u;
	char file[300];

	for (size_t i = 0; i < N_OF(bad); i++) {
		snprintf(file, sizeof(file), "ok:nt:" H1 "\n%s\n", bad[i]);
		assert_int_equal(parse(file, &u), ERR_KEYFILE);
		assert_non_null(strstr(why, "line 2"));
		assert_null(u);
		/* a hash is a secret: no complaint repeats it */
		assert_null(strstr(why, "44ebba"));
	}
}

TEST(a_user_that_is_there_twice_refuses_the_file)
{
	struct sec_users *u;

	assert_int_equal(parse("a:nt:" H1 "\nb:nt:" H1 "\na:nt:" H2, &u),
			 ERR_KEYFILE);
	assert_non_null(strstr(why, "line 3"));
}

/* ---- guessing -------------------------------------------------------------- */

static struct sec_limit *l;

static struct sec_try last;
static char spelt[16];

static bool
try(const char *user, const char *from, uint64_t at)
{
	last = (struct sec_try){ .user = text(user), .from = text(from),
				 .is_somebody = true };
	return sec_limit_take(l, &last, at);
}

static bool
good(const char *user, const char *from, uint64_t at)
{
	if (!try(user, from, at))
		return false;
	sec_limit_good(l, &last, at);
	return true;
}

/* An address tries names until it is far over its limit. */
static void
spray(const char *from, uint64_t at)
{
	char user[16];

	for (unsigned i = 0; i < 4 * SEC_LIMIT_FREE_FROM; i++) {
		snprintf(user, sizeof(user), "tried%u", i);
		assert_true(try(user, from, at));
	}
}

TEST(after_a_few_failures_a_name_has_to_wait)
{
	assert_int_equal(sec_limit_new(&l), 0);
	for (unsigned i = 0; i < SEC_LIMIT_FREE_USER; i++)
		assert_true(try("a", "1", 1000));
	assert_false(try("a", "2", 1000));
	assert_false(try("a", "1", 1000 + SEC_LIMIT_FIRST_MS - 1));
	assert_true(try("b", "1", 1000));
	/* another realm is another user */
	last.user = text("a");
	last.realm = 1;
	assert_true(sec_limit_take(l, &last, 1000));
	assert_true(try("a", "1", 1000 + SEC_LIMIT_FIRST_MS));
	sec_limit_free(l);
}

TEST(the_time_doubles_and_has_an_end)
{
	uint64_t now = 1000;

	assert_int_equal(sec_limit_new(&l), 0);
	for (unsigned i = 0; i < SEC_LIMIT_FREE_USER; i++)
		assert_true(try("a", "1", now));
	for (uint64_t wait = SEC_LIMIT_FIRST_MS; wait < SEC_LIMIT_MOST_MS;
	     wait *= 2) {
		assert_false(try("a", "x", now + wait - 1));
		now += wait;
		assert_true(try("a", "x", now));
	}
	for (unsigned i = 0; i < 5; i++) {
		assert_false(try("a", "y", now + SEC_LIMIT_MOST_MS - 1));
		now += SEC_LIMIT_MOST_MS;
		assert_true(try("a", "y", now));
	}
	sec_limit_free(l);
}

TEST(an_address_that_fails_often_has_a_guess_or_two_for_each_name)
{
	assert_int_equal(sec_limit_new(&l), 0);
	spray("1", 1000);
	for (unsigned i = 0; i < SEC_LIMIT_FREE_BOTH; i++)
		assert_true(try("another", "1", 1000));
	assert_false(try("another", "1", 1000));
	assert_false(try("another", "1", 1000 + SEC_LIMIT_MOST_MS - 1));
	/* elsewhere it is not over */
	assert_true(try("another", "2", 1000));
	sec_limit_free(l);
}

TEST(who_comes_first_behind_a_shared_address_does_not_wait_for_others)
{
	char user[16];

	assert_int_equal(sec_limit_new(&l), 0);
	spray("1", 1000);
	/* two devices each, at once: nobody has answered yet */
	for (unsigned i = 0; i < 500; i++) {
		snprintf(user, sizeof(user), "user%u", i);
		assert_true(try(user, "1", 1000));
		assert_true(try(user, "1", 1000));
	}
	sec_limit_free(l);
}

TEST(who_got_in_from_an_address_waits_for_nobody_there_or_elsewhere)
{
	uint64_t now = 1000;

	assert_int_equal(sec_limit_new(&l), 0);
	assert_true(good("a", "1", now));
	spray("1", now);
	for (unsigned i = 0; i < 100; i++, now += SEC_LIMIT_MOST_MS)
		(void)try("a", "2", now);
	assert_false(try("a", "2", now - 1));
	for (unsigned i = 0; i < 3 * SEC_LIMIT_FREE_USER; i++)
		assert_true(good("a", "1", now));
	/* and it did not help who guesses elsewhere */
	assert_false(try("a", "2", now - 1));
	/* nor is it known elsewhere, or as another */
	assert_false(try("a", "3", now - 1));
	sec_limit_free(l);
}

TEST(who_guesses_where_the_user_is_at_home_waits_too)
{
	assert_int_equal(sec_limit_new(&l), 0);
	assert_true(good("a", "1", 1000));
	for (unsigned i = 0; i < SEC_LIMIT_FREE_USER; i++)
		assert_true(try("a", "1", 1000));
	assert_false(try("a", "1", 1000 + SEC_LIMIT_FIRST_MS - 1));
	/* as somebody who is new there does */
	assert_true(try("a", "1", 1000 + SEC_LIMIT_FIRST_MS));
	assert_false(try("a", "1", 1000 + 2 * SEC_LIMIT_FIRST_MS));
	/* long after, all of that is forgotten, but not that it is known */
	for (unsigned i = 0; i < SEC_LIMIT_FREE_USER; i++)
		assert_true(try("a", "1", 5000 + SEC_LIMIT_FORGET_MS));
	assert_true(last.is_known);
	assert_true(try("a", "1", 5000 + SEC_LIMIT_KNOWN_MS));
	assert_false(last.is_known);
	sec_limit_free(l);
}

TEST(one_network_of_ipv6_is_one_address)
{
	char from[64];

	assert_int_equal(sec_limit_new(&l), 0);
	for (unsigned i = 0; i < SEC_LIMIT_FREE_FROM; i++) {
		snprintf(from, sizeof(from), "2001:db8:0:1::%x", i + 1);
		snprintf(spelt, sizeof(spelt), "user%u", i);
		assert_true(try(spelt, from, 1000));
	}
	for (unsigned i = 0; i < SEC_LIMIT_FREE_BOTH; i++)
		assert_true(try("a", "2001:db8:0:1:ffff::1", 1000));
	assert_false(try("a", "2001:db8:0:1:ffff::2", 1000));
	assert_true(try("a", "2001:db8:0:2::1", 1000));
	sec_limit_free(l);
}

TEST(names_that_nobody_has_wait_alike_and_push_nobody_out)
{
	char user[16];

	assert_int_equal(sec_limit_new(&l), 0);
	for (unsigned i = 0; i < SEC_LIMIT_FREE_USER; i++)
		assert_true(try("a", "1", 1000));
	for (unsigned i = 0; i < 4 * SEC_LIMIT_SLOTS; i++) {
		snprintf(user, sizeof(user), "u%u", i);
		last = (struct sec_try){ .user = text(user),
					 .from = text("2") };
		assert_true(sec_limit_take(l, &last, 1000));
	}
	for (unsigned i = 1; i < SEC_LIMIT_FREE_BOTH; i++)
		assert_true(sec_limit_take(l, &last, 1000));
	assert_false(sec_limit_take(l, &last, 1000));
	assert_false(try("a", "1", 1000));
	sec_limit_free(l);
}

TEST(a_success_forgets_the_failures_of_the_name)
{
	assert_int_equal(sec_limit_new(&l), 0);
	for (unsigned i = 1; i < SEC_LIMIT_FREE_USER; i++)
		assert_true(try("a", "1", 1000));
	assert_true(good("a", "1", 1000));
	for (unsigned i = 0; i < SEC_LIMIT_FREE_USER; i++)
		assert_true(try("a", "2", 1000));
	assert_false(try("a", "2", 1000));
	sec_limit_free(l);
}

TEST(an_address_with_one_good_account_may_not_guess_others)
{
	assert_int_equal(sec_limit_new(&l), 0);
	for (unsigned n = 0; n < 2 * SEC_LIMIT_FREE_FROM; n++) {
		snprintf(spelt, sizeof(spelt), "user%u", n);
		assert_true(try(spelt, "1", 1000));
		assert_true(good("mine", "1", 1000));
	}
	for (unsigned i = 0; i < SEC_LIMIT_FREE_BOTH; i++)
		assert_true(try("a", "1", 1000));
	assert_false(try("a", "1", 1000));
	sec_limit_free(l);
}

TEST(good_users_behind_one_address_never_wait)
{
	char user[16];

	assert_int_equal(sec_limit_new(&l), 0);
	for (unsigned i = 0; i < 10 * SEC_LIMIT_FREE_FROM; i++) {
		snprintf(user, sizeof(user), "user%u", i);
		assert_true(good(user, "1", 1000));
	}
	/* and left no failure of the address behind */
	for (unsigned i = 0; i < SEC_LIMIT_FREE_USER; i++)
		assert_true(try("a", "1", 1000));
	sec_limit_free(l);
}

TEST(all_is_forgotten_in_time)
{
	assert_int_equal(sec_limit_new(&l), 0);
	for (unsigned i = 0; i < SEC_LIMIT_FREE_USER; i++)
		assert_true(try("a", "1", 1000));
	for (unsigned i = 0; i < SEC_LIMIT_FREE_USER; i++)
		assert_true(try("a", "1", 1000 + SEC_LIMIT_FORGET_MS));
	sec_limit_free(l);
}

TEST(a_full_table_forgets_the_oldest_and_stays_a_table)
{
	char user[16];

	assert_int_equal(sec_limit_new(&l), 0);
	for (unsigned i = 0; i < 4 * SEC_LIMIT_SLOTS; i++) {
		snprintf(user, sizeof(user), "u%u", i);
		assert_true(try(user, user, 1000 + i));
	}
	sec_limit_free(l);
}
