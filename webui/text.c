/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/text.c - text that grows.
 */
#include "webui/text.h"
#include <stdlib.h>
#include <string.h>

#define CAP_FIRST  4096
#define DIGITS_MAX 20	/* of 64 bits */

void
ui_text_fini(struct ui_text *t)
{
	free(t->p);
	*t = (struct ui_text){ 0 };
}

void
ui_text_clear(struct ui_text *t)
{
	if (t->cap > UI_TEXT_KEEP)
		ui_text_fini(t);
	t->n = 0;
	t->is_bad = false;
}

static bool
reserve(struct ui_text *t, size_t n)
{
	size_t cap = MAX(t->cap, (size_t)CAP_FIRST);
	char *p;

	if (t->is_bad)
		return false;
	if (n <= t->cap - t->n)
		return true;
	while (cap - t->n < n && cap <= SIZE_MAX / 2)
		cap *= 2;
	if (cap - t->n < n || (p = realloc(t->p, cap)) == NULL) {
		t->is_bad = true;
		return false;
	}
	t->p = p;
	t->cap = cap;
	return true;
}

void
ui_text_add(struct ui_text *t, const void *p, size_t n)
{
	if (n == 0 || !reserve(t, n))
		return;
	memcpy(t->p + t->n, p, n);
	t->n += n;
}

void
ui_text_str(struct ui_text *t, const char *s)
{
	ui_text_add(t, s, strlen(s));
}

void
ui_text_u64(struct ui_text *t, uint64_t v)
{
	char digits[DIGITS_MAX];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + v % 10);
	} while ((v /= 10) != 0);
	ui_text_add(t, digits + at, sizeof(digits) - at);
}
