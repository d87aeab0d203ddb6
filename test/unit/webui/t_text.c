/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/webui/t_text.c - text that grows.
 */
#include "webui/text.h"
#include <stdint.h>
#include <string.h>
#include "test/lib/test.h"

static bool
is(const struct ui_text *t, const char *want)
{
	return t->n == strlen(want) && memcmp(t->p, want, t->n) == 0;
}

TEST(numbers_are_written_in_decimal)
{
	struct ui_text t = { 0 };

	ui_text_u64(&t, 0);
	ui_text_str(&t, " ");
	ui_text_u64(&t, 1209);
	ui_text_str(&t, " ");
	ui_text_u64(&t, UINT64_MAX);
	assert_true(is(&t, "0 1209 18446744073709551615"));
	ui_text_fini(&t);
}

TEST(what_is_added_stays_while_it_grows)
{
	struct ui_text t = { 0 };
	char part[1000];

	for (unsigned i = 0; i < 600; i++) {
		memset(part, 'a' + i % 26, sizeof(part));
		ui_text_add(&t, part, sizeof(part));
	}
	assert_int_equal(t.n, 600000);
	for (size_t i = 0; i < t.n; i++)
		if (t.p[i] != (char)('a' + i / 1000 % 26))
			assert_int_equal(i, t.n);
	assert_true(!t.is_bad);
	ui_text_fini(&t);
}

TEST(memory_is_used_again_but_not_much_of_it_kept)
{
	struct ui_text t = { 0 };
	static char big[UI_TEXT_KEEP + 1];

	ui_text_str(&t, "first");
	ui_text_clear(&t);
	assert_true(t.n == 0 && t.cap > 0);
	ui_text_str(&t, "x");
	assert_true(is(&t, "x"));
	ui_text_add(&t, big, sizeof(big));
	ui_text_clear(&t);
	assert_true(t.cap == 0 && t.p == NULL);
	ui_text_add(&t, big, 0);
	assert_int_equal(t.n, 0);
	ui_text_fini(&t);
}

TEST(what_cannot_be_is_bad_until_it_is_cleared)
{
	struct ui_text t = { 0 };

	ui_text_str(&t, "a");
	ui_text_add(&t, "", SIZE_MAX - 1);
	assert_true(t.is_bad);
	ui_text_str(&t, "b");
	assert_true(is(&t, "a"));
	ui_text_clear(&t);
	ui_text_str(&t, "c");
	assert_true(!t.is_bad && is(&t, "c"));
	ui_text_fini(&t);
}
