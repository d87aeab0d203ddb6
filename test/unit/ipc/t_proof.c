/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ipc/t_proof.c - proofs and links as bytes.
 */
#include "daemon/ipc/proof.h"
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "test/lib/test.h"

static uint8_t buf[PROOF_BYTES_MAX + 1];

/* Whatever is not the whole of a message, or is another one, is refused. */
#define ONLY_WHOLE(dec, n, out)                                                \
	do {                                                                   \
		for (int i_ = 0; i_ < (n); i_++)                                \
			assert_int_not_equal(dec(buf, (size_t)i_, out), 0);     \
		assert_int_equal(dec(buf, (size_t)(n) + 1, out), ERR_TRAIL);    \
		buf[0] ^= 16;                                                  \
		assert_int_equal(dec(buf, (size_t)(n), out), ERR_SYNTAX);       \
		buf[0] ^= 16;                                                  \
	} while (0)

TEST(a_question_about_a_proof_comes_back)
{
	const struct proof_ask q = { 5, UINT64_C(1) << 63 };
	struct proof_ask got;
	int n = proof_ask_enc(&q, buf, PROOF_BYTES_MAX);

	assert_true(n > 0);
	assert_int_equal(proof_ask_dec(buf, (size_t)n, &got), 0);
	assert_int_equal(got.id, 5);
	assert_true(got.proof == q.proof);
	ONLY_WHOLE(proof_ask_dec, n, &got);
}

TEST(an_answer_about_a_proof_comes_back)
{
	struct proof_answer a = { .id = 5, .verdict = PASS_YES }, got;
	int n;

	memset(a.name, 'n', PASS_NAME_MAX);
	n = proof_answer_enc(&a, buf, PROOF_BYTES_MAX);
	assert_true(n > 0);
	assert_int_equal(proof_answer_dec(buf, (size_t)n, &got), 0);
	assert_int_equal(got.verdict, PASS_YES);
	assert_string_equal(got.name, a.name);
	ONLY_WHOLE(proof_answer_dec, n, &got);
	buf[5] = PASS_END;
	assert_int_equal(proof_answer_dec(buf, (size_t)n, &got), ERR_SYNTAX);
}

TEST(a_question_for_a_link_comes_back)
{
	const struct proof_link_ask q = { 6, PASS_ADMIN };
	struct proof_link_ask got;
	int n = proof_link_ask_enc(&q, buf, PROOF_BYTES_MAX);

	assert_true(n > 0);
	assert_int_equal(proof_link_ask_dec(buf, (size_t)n, &got), 0);
	assert_int_equal(got.role, PASS_ADMIN);
	ONLY_WHOLE(proof_link_ask_dec, n, &got);
	buf[5] = PASS_ROLE_END;
	assert_int_equal(proof_link_ask_dec(buf, (size_t)n, &got), ERR_SYNTAX);
}

TEST(a_link_comes_back)
{
	struct proof_link_answer a = { .id = 6, .left_s = 60 }, got;
	int n;

	memset(a.token, 'f', PROOF_TOKEN);
	n = proof_link_answer_enc(&a, buf, PROOF_BYTES_MAX);
	assert_true(n > 0);
	assert_int_equal(proof_link_answer_dec(buf, (size_t)n, &got), 0);
	assert_int_equal(got.left_s, 60);
	assert_string_equal(got.token, a.token);
	ONLY_WHOLE(proof_link_answer_dec, n, &got);
	assert_int_equal(proof_link_answer_enc(&a, buf, (size_t)n - 1),
			 ERR_LONG);
}
