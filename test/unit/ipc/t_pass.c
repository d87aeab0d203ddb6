/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ipc/t_pass.c - questions about accounts as bytes.
 */
#include "daemon/ipc/pass.h"
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "test/lib/test.h"

static uint8_t buf[PASS_BYTES_MAX + 1];

static struct pass_ask
question(enum pass_kind kind)
{
	struct pass_ask q = { .id = 9, .kind = kind };

	(void)str_copy(q.name, sizeof(q.name), "hanako");
	(void)str_copy(q.word, sizeof(q.word), "correct horse");
	(void)str_copy(q.code, sizeof(q.code), "123456");
	(void)str_copy(q.source, sizeof(q.source), "127.0.0.1");
	return q;
}

TEST(each_question_comes_back_with_what_belongs_to_it)
{
	for (int kind = PASS_WORD; kind <= PASS_LINK; kind++) {
		struct pass_ask q = question((enum pass_kind)kind), got;
		int n = pass_ask_enc(&q, buf, sizeof(buf));
		bool is_still = kind == PASS_STILL;

		assert_true(n > 0);
		assert_int_equal(pass_ask_dec(buf, (size_t)n, &got), 0);
		assert_int_equal(got.id, 9);
		assert_int_equal(got.kind, kind);
		assert_string_equal(got.name, kind == PASS_LINK ? "" : "hanako");
		assert_string_equal(got.word, is_still ? "" : "correct horse");
		assert_string_equal(got.code, kind == PASS_WORD ? "123456" : "");
		assert_string_equal(got.source, is_still ? "" : "127.0.0.1");
		assert_int_equal(memmem(buf, (size_t)n, "horse", 5) == NULL,
				 is_still);
		for (int i = 0; i < n; i++)
			assert_int_not_equal(pass_ask_dec(buf, (size_t)i, &got),
					     0);
		assert_int_equal(pass_ask_dec(buf, (size_t)n + 1, &got),
				 ERR_TRAIL);
		buf[0] = 3;	/* an answer */
		assert_int_equal(pass_ask_dec(buf, (size_t)n, &got),
				 ERR_SYNTAX);
	}
}

TEST(an_answer_comes_back_with_its_stamp_and_proof)
{
	struct pass_answer a = { 9, PASS_YES, PASS_ADMIN, 0, 1ull << 63,
				 1ull << 62 }, got;
	int n = pass_answer_enc(&a, buf, sizeof(buf));

	assert_true(n > 0);
	assert_int_equal(pass_answer_dec(buf, (size_t)n, &got), 0);
	assert_true(got.stamp == a.stamp);
	assert_true(got.proof == a.proof);
	assert_int_equal(got.role, PASS_ADMIN);
	for (int i = 0; i < n; i++)
		assert_int_not_equal(pass_answer_dec(buf, (size_t)i, &got), 0);
	buf[0] = 4;
	assert_int_equal(pass_answer_dec(buf, (size_t)n, &got), ERR_SYNTAX);
}
