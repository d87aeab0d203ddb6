/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_proof.c - who may change something: what the process that
 * knows the accounts says, asked by the supervisor.
 */
#include "secure-proc/login/answer.h"
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "test/lib/test.h"

#define SALT "000102030405060708090a0b0c0d0e0f"
#define HASH "9df923deed5f4531c279af9f56bd37b1657bef4929e702ce2e811a93388a86a1"
#define ACCOUNT(name, role) name ":" role ":10:8:1:" SALT ":" HASH ":\n"
#define USERS ACCOUNT("hanako", "operator") ACCOUNT("taro", "admin")
#define LIFE (PASS_PROOF_S * 1000ull)

static struct login_at at;

static void
begin(void)
{
	at = (struct login_at){ .users = USERS, .now_ms = 5, .wall_s = 1000 };
	assert_int_equal(login_new(&at.accounts), 0);
	assert_int_equal(login_proofs_new(&at.proofs), 0);
}

static void
end(void)
{
	login_proofs_free(at.proofs);
	login_free(at.accounts);
}

static struct pass_answer
asked(enum pass_kind kind, const char *name, const char *word)
{
	struct pass_ask q = { .id = 7, .kind = kind };
	struct pass_answer a;

	(void)str_copy(q.name, sizeof(q.name), name);
	(void)str_copy(q.word, sizeof(q.word), word);
	login_answer(&at, &q, &a);
	assert_int_equal(a.id, 7);
	return a;
}

static uint64_t
by_word(const char *name)
{
	struct pass_answer a = asked(PASS_WORD, name, "correct horse");

	assert_int_equal(a.verdict, PASS_YES);
	assert_true(a.proof != 0);
	return a.proof;
}

/* A link of a role, as tapir web gets one. */
static const char *
link_of(enum pass_role role)
{
	static struct proof_link_answer a;
	const struct proof_link_ask q = { .id = 3, .role = role };

	assert_int_equal(login_answer_link(&at, &q, &a), 0);
	assert_int_equal(a.id, 3);
	assert_int_equal(a.left_s, LOGIN_LINK_S);
	assert_int_equal(strlen(a.token), PROOF_TOKEN);
	return a.token;
}

/* In whose name may something be changed?  "": nobody's. */
static const char *
whose(uint64_t proof)
{
	static struct proof_answer a;
	const struct proof_ask q = { .id = 9, .proof = proof };

	login_answer_proof(&at, &q, &a);
	assert_int_equal(a.id, 9);
	assert_int_equal(a.verdict, *a.name != '\0' ? PASS_YES : PASS_NO);
	return a.name;
}

TEST(an_admins_password_proves_for_a_while)
{
	uint64_t proof;

	begin();
	proof = by_word("taro");
	assert_string_equal(whose(proof), "taro");
	assert_string_equal(whose(proof), "taro");
	at.now_ms += LIFE - 1;
	assert_string_equal(whose(proof), "taro");
	at.now_ms++;
	assert_string_equal(whose(proof), "");	/* an old one, again */
	end();
}

TEST(nobody_but_an_admin_proves_anything)
{
	begin();
	assert_string_equal(whose(by_word("hanako")), "");
	assert_string_equal(whose(asked(PASS_LINK, "", link_of(PASS_OPERATOR))
				  .proof), "");
	assert_string_equal(whose(asked(PASS_LINK, "", link_of(PASS_VIEWER))
				  .proof), "");
	end();
}

TEST(what_was_not_given_is_no_proof)
{
	struct pass_answer a;
	uint64_t proof;

	begin();
	assert_string_equal(whose(0), "");
	assert_string_equal(whose(1), "");
	proof = by_word("taro");
	for (unsigned i = 0; i < 64; i++)
		assert_string_equal(whose(proof ^ UINT64_C(1) << i), "");
	a = asked(PASS_WORD, "taro", "wrong");
	assert_int_equal(a.verdict, PASS_NO);
	assert_true(a.proof == 0);
	/* that the account stands is none either */
	a = asked(PASS_STILL, "taro", "");
	assert_int_equal(a.verdict, PASS_YES);
	assert_true(a.proof == 0);
	assert_string_equal(whose(a.stamp), "");
	/* nor one of a process that ended */
	login_proofs_free(at.proofs);
	assert_int_equal(login_proofs_new(&at.proofs), 0);
	assert_string_equal(whose(proof), "");
	end();
}

TEST(a_proof_ends_with_its_account)
{
	uint64_t proof;

	begin();
	proof = by_word("taro");
	at.users = ACCOUNT("hanako", "operator");	/* removed */
	assert_string_equal(whose(proof), "");
	at.users = ACCOUNT("taro", "viewer");		/* another role */
	assert_string_equal(whose(proof), "");
	at.users = USERS;
	assert_string_equal(whose(proof), "taro");
	end();
}

TEST(a_link_is_used_once_and_in_time)
{
	const char *token;
	uint64_t proof;

	begin();
	token = link_of(PASS_ADMIN);
	assert_int_equal(asked(PASS_LINK, "", "").verdict, PASS_NO);
	assert_int_equal(asked(PASS_LINK, "", token + 1).verdict, PASS_NO);
	proof = asked(PASS_LINK, "", token).proof;
	assert_string_equal(whose(proof), "root");
	assert_int_equal(asked(PASS_LINK, "", token).verdict, PASS_NO);
	at.now_ms += LIFE;
	assert_string_equal(whose(proof), "");
	token = link_of(PASS_ADMIN);
	at.now_ms += LOGIN_LINK_S * 1000 - 1;
	assert_int_equal(asked(PASS_LINK, "", token).verdict, PASS_YES);
	token = link_of(PASS_ADMIN);
	at.now_ms += LOGIN_LINK_S * 1000;
	assert_int_equal(asked(PASS_LINK, "", token).verdict, PASS_NO);
	at.now_ms -= LOGIN_LINK_S * 1000;
	assert_int_equal(asked(PASS_LINK, "", token).verdict, PASS_NO);
	end();
}

TEST(the_oldest_makes_room)
{
	char first[PROOF_TOKEN + 1];
	uint64_t old, young;

	begin();
	(void)str_copy(first, sizeof(first), link_of(PASS_ADMIN));
	for (unsigned i = 0; i < LOGIN_LINK_MAX; i++) {
		at.now_ms++;
		(void)link_of(PASS_VIEWER);
	}
	assert_int_equal(asked(PASS_LINK, "", first).verdict, PASS_NO);
	old = by_word("taro");
	at.now_ms++;
	young = by_word("taro");
	for (unsigned i = 1; i < LOGIN_PROOF_MAX; i++) {
		const struct login_proof what = { .name = "x" };
		uint64_t number;

		at.now_ms++;
		assert_int_equal(login_proof_give(at.proofs, &what, at.now_ms,
						  &number), 0);
	}
	assert_string_equal(whose(old), "");
	assert_string_equal(whose(young), "taro");
	end();
}
