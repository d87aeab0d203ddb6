/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_account.c - is this the password of this account?
 *
 * The verifiers are scrypt with N = 2^10: quick, and made by Python's hashlib of
 * "correct horse" with the salt 00 01 ... 0f.
 */
#include "secure-proc/login/account.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/base/str.h"
#include "test/lib/test.h"

#define SALT "000102030405060708090a0b0c0d0e0f"
#define HASH "9df923deed5f4531c279af9f56bd37b1657bef4929e702ce2e811a93388a86a1"
#define KEY  "3132333435363738393031323334353637383930" /* RFC 6238 app. B */
#define USERS                                                                  \
	"hanako:operator:10:8:1:" SALT ":" HASH ":\n"                          \
	"taro:admin:10:8:1:" SALT ":" HASH ":" KEY "\n"
#define T0 1000000000u

static struct pass_answer
asked(struct login *l, const char *name, const char *word, const char *code,
      uint64_t now_ms, uint64_t wall_s)
{
	struct pass_ask q = { .id = 7 };
	struct pass_answer a;

	str_copy(q.name, sizeof(q.name), name);
	str_copy(q.word, sizeof(q.word), word);
	str_copy(q.code, sizeof(q.code), code);
	str_copy(q.source, sizeof(q.source), "127.0.0.1");
	login_decide(l, &q, USERS, now_ms, wall_s, &a);
	assert_int_equal(a.id, 7);
	return a;
}

TEST(codes_are_those_of_rfc_6238)
{
	static const struct {
		uint64_t wall_s;
		const char *code;	/* the last 6 of its 8 digits */
	} known[] = {
		{ 59, "287082" }, { 1111111109, "081804" },
		{ 1111111111, "050471" }, { 1234567890, "005924" },
		{ 2000000000, "279037" }, { 20000000000, "353130" },
	};
	uint8_t key[20];
	char code[7];

	assert_int_equal(str_unhex(KEY, strlen(KEY), key, sizeof(key)), 20);
	for (unsigned i = 0; i < N_OF(known); i++) {
		assert_int_equal(login_code(key, sizeof(key),
				 known[i].wall_s / LOGIN_STEP_S, code), 0);
		assert_string_equal(code, known[i].code);
	}
}

TEST(the_right_password_gives_the_role)
{
	struct pass_answer a;
	struct login *l;

	assert_int_equal(login_new(&l), 0);
	a = asked(l, "hanako", "correct horse", "", 0, T0);
	assert_int_equal(a.verdict, PASS_YES);
	assert_int_equal(a.role, PASS_OPERATOR);
	assert_int_equal(asked(l, "hanako", "correct horsf", "", 0, T0).verdict,
			 PASS_NO);
	assert_int_equal(asked(l, "hanako", "", "", 0, T0).verdict, PASS_NO);
	assert_int_equal(asked(l, "nobody", "correct horse", "", 0, T0).verdict,
			 PASS_NO);
	assert_int_equal(asked(l, "", "", "", 0, T0).verdict, PASS_NO);
	login_free(l);
}

TEST(a_code_is_needed_and_counts_once)
{
	struct login *l;

	assert_int_equal(login_new(&l), 0);
	assert_int_equal(asked(l, "taro", "correct horse", "", 0, 59).verdict,
			 PASS_NO);
	assert_int_equal(asked(l, "taro", "wrong horse", "287082", 0, 59).verdict,
			 PASS_NO);
	assert_int_equal(asked(l, "taro", "correct horse", "287082", 0,
			       59).verdict, PASS_YES);
	assert_int_equal(asked(l, "taro", "correct horse", "287082", 0,
			       59).verdict, PASS_NO);
	/* one step late is good, two are not */
	assert_int_equal(asked(l, "taro", "correct horse", "081804", 10000000,
			       1111111109 + 30).verdict, PASS_YES);
	assert_int_equal(asked(l, "taro", "correct horse", "005924", 20000000,
			       1234567890 + 61).verdict, PASS_NO);
	login_free(l);
}

TEST(wrong_answers_wait_longer_and_longer)
{
	struct pass_answer a;
	uint64_t now = 5000;
	uint32_t wait = 0;
	struct login *l;

	assert_int_equal(login_new(&l), 0);
	for (int i = 0; i < LOGIN_FREE; i++)
		assert_int_equal(asked(l, "hanako", "x", "", now, T0).verdict,
				 PASS_NO);
	for (int i = 0; i < 14; i++) {
		/* right now does not count either */
		a = asked(l, "hanako", "correct horse", "", now, T0);
		assert_int_equal(a.verdict, PASS_LATER);
		assert_true(a.wait_s >= wait && a.wait_s <= LOGIN_WAIT_MAX_S);
		wait = a.wait_s;
		now += a.wait_s * 1000ull;
		assert_int_equal(asked(l, "hanako", "x", "", now, T0).verdict,
				 PASS_NO);
	}
	assert_int_equal(wait, LOGIN_WAIT_MAX_S);
	/* another account is not concerned */
	assert_int_equal(asked(l, "taro", "x", "", now, T0).verdict, PASS_NO);
	now += LOGIN_WAIT_MAX_S * 1000ull;
	assert_int_equal(asked(l, "hanako", "correct horse", "", now, T0).verdict,
			 PASS_YES);
	assert_int_equal(asked(l, "hanako", "x", "", now, T0).verdict, PASS_NO);
	login_free(l);
}

TEST(made_up_names_do_not_make_forget_who_was_guessed)
{
	struct login *l;
	char name[16];

	assert_int_equal(login_new(&l), 0);
	for (unsigned i = 0; i < LOGIN_FREE; i++)
		assert_int_equal(asked(l, "hanako", "x", "", i, T0).verdict,
				 PASS_NO);
	for (unsigned i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		assert_int_equal(asked(l, name, "x", "", 10 + i, T0).verdict,
				 PASS_NO);
	}
	assert_int_equal(asked(l, "hanako", "correct horse", "", 400, T0).verdict,
			 PASS_LATER);
	login_free(l);
}

TEST(an_account_that_stands_has_the_stamp_of_its_login)
{
	static const char other[] = "hanako:viewer:10:8:1:" SALT ":" HASH ":\n";
	struct pass_answer a, b = { .id = 3 };
	struct login *l;

	assert_int_equal(login_new(&l), 0);
	a = asked(l, "hanako", "correct horse", "", 0, T0);
	login_still("hanako", USERS, &b);
	assert_int_equal(b.verdict, PASS_YES);
	assert_int_equal(b.role, PASS_OPERATOR);
	assert_true(b.stamp == a.stamp && b.stamp != 0);
	login_still("taro", USERS, &b);
	assert_true(b.stamp != a.stamp);
	login_still("hanako", other, &b);
	assert_int_equal(b.role, PASS_VIEWER);
	assert_true(b.stamp != a.stamp);
	login_still("nobody", USERS, &b);
	assert_int_equal(b.verdict, PASS_NO);
	login_still("hanako", "", &b);
	assert_int_equal(b.verdict, PASS_NO);
	login_free(l);
}
