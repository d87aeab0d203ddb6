/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ipc/t_prompt.c - typed passwords as bytes.
 */
#include "daemon/ipc/prompt.h"
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "test/lib/test.h"

static uint8_t buf[PROMPT_BYTES_MAX + 1];

static struct prompt_ask
question(bool has_word)
{
	struct prompt_ask q = { .id = 9, .has_word = has_word };

	(void)str_copy(q.realm, sizeof(q.realm), "office");
	(void)str_copy(q.word, sizeof(q.word), "correct horse");
	return q;
}

TEST(both_questions_come_back_and_only_one_has_a_password)
{
	for (int has = 0; has < 2; has++) {
		struct prompt_ask q = question(has != 0), got;
		int n = prompt_ask_enc(&q, buf, sizeof(buf));

		assert_true(n > 0);
		assert_int_equal(prompt_ask_dec(buf, (size_t)n, &got), 0);
		assert_int_equal(got.id, 9);
		assert_int_equal(got.has_word, has);
		assert_string_equal(got.realm, "office");
		assert_string_equal(got.word, has ? "correct horse" : "");
		for (int i = 0; i < n; i++)
			assert_int_not_equal(prompt_ask_dec(buf, (size_t)i,
			    &got), 0);
		assert_int_equal(prompt_ask_dec(buf, (size_t)n + 1, &got),
		    ERR_TRAIL);
		buf[0] = 3;	/* an answer */
		assert_int_equal(prompt_ask_dec(buf, (size_t)n, &got),
		    ERR_SYNTAX);
	}
}

TEST(the_longest_question_fits_and_a_longer_password_is_refused)
{
	struct prompt_ask q = question(true), got;
	int n;

	memset(q.realm, 'r', PROMPT_REALM_MAX);
	q.realm[PROMPT_REALM_MAX] = '\0';
	memset(q.word, 'w', PROMPT_WORD_MAX);
	q.word[PROMPT_WORD_MAX] = '\0';
	n = prompt_ask_enc(&q, buf, PROMPT_BYTES_MAX);
	assert_true(n > 0);
	assert_int_equal(prompt_ask_dec(buf, (size_t)n, &got), 0);
	assert_int_equal(strlen(got.word), PROMPT_WORD_MAX);
	/* one byte more than there is room for */
	buf[5 + 2 + PROMPT_REALM_MAX] = (PROMPT_WORD_MAX + 1) >> 8;
	buf[5 + 2 + PROMPT_REALM_MAX + 1] = (PROMPT_WORD_MAX + 1) & 0xff;
	assert_int_equal(prompt_ask_dec(buf, (size_t)n + 1, &got), ERR_LONG);
}

TEST(a_nul_within_a_text_is_refused)
{
	struct prompt_ask q = question(true), got = { .id = 1 };
	int n = prompt_ask_enc(&q, buf, sizeof(buf));

	buf[n - 3] = '\0';
	assert_int_equal(prompt_ask_dec(buf, (size_t)n, &got), ERR_SYNTAX);
	assert_int_equal(got.id, 1);
}

TEST(an_answer_comes_back)
{
	struct prompt_answer a = { .id = 7, .verdict = PROMPT_KNOWN }, got;
	int n;

	(void)str_copy(a.user, sizeof(a.user), "hanako@sales.example.com");
	n = prompt_answer_enc(&a, buf, sizeof(buf));
	assert_true(n > 0);
	assert_int_equal(prompt_answer_dec(buf, (size_t)n, &got), 0);
	assert_int_equal(got.verdict, PROMPT_KNOWN);
	assert_string_equal(got.user, "hanako@sales.example.com");
	for (int i = 0; i < n; i++)
		assert_int_not_equal(prompt_answer_dec(buf, (size_t)i, &got),
		    0);
	buf[5] = PROMPT_END;
	assert_int_equal(prompt_answer_dec(buf, (size_t)n, &got), ERR_SYNTAX);
}
