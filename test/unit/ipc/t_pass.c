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
question(bool is_still)
{
	struct pass_ask q = { .id = 9, .is_still = is_still };

	(void)str_copy(q.name, sizeof(q.name), "hanako");
	(void)str_copy(q.word, sizeof(q.word), "correct horse");
	(void)str_copy(q.source, sizeof(q.source), "127.0.0.1");
	return q;
}

TEST(both_questions_come_back_and_only_one_has_a_password)
{
	for (int still = 0; still < 2; still++) {
		struct pass_ask q = question(still != 0), got;
		int n = pass_ask_enc(&q, buf, sizeof(buf));

		assert_true(n > 0);
		assert_int_equal(pass_ask_dec(buf, (size_t)n, &got), 0);
		assert_int_equal(got.id, 9);
		assert_int_equal(got.is_still, still);
		assert_string_equal(got.name, "hanako");
		assert_string_equal(got.word, still ? "" : "correct horse");
		assert_int_equal(memmem(buf, (size_t)n, "horse", 5) == NULL,
				 still);
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

TEST(an_answer_comes_back_with_its_stamp)
{
	struct pass_answer a = { 9, PASS_YES, PASS_ADMIN, 0, 1ull << 63 }, got;
	int n = pass_answer_enc(&a, buf, sizeof(buf));

	assert_true(n > 0);
	assert_int_equal(pass_answer_dec(buf, (size_t)n, &got), 0);
	assert_true(got.stamp == a.stamp);
	assert_int_equal(got.role, PASS_ADMIN);
	for (int i = 0; i < n; i++)
		assert_int_not_equal(pass_answer_dec(buf, (size_t)i, &got), 0);
	buf[0] = 4;
	assert_int_equal(pass_answer_dec(buf, (size_t)n, &got), ERR_SYNTAX);
}
