/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/str.c - text that stays inside its buffer.
 *
 * No locale, no allocation; every output is terminated when cap > 0.
 */
#include "daemon/base/str.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "daemon/base/err.h"

#define WORD_MAX 32 /* characters compared by str_distance(); ours */

static const char digits[] = "0123456789abcdef";

static int
nibble(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	if (ch >= 'a' && ch <= 'f')
		return ch - 'a' + 10;
	if (ch >= 'A' && ch <= 'F')
		return ch - 'A' + 10;
	return -1;
}

static char
lower(char ch)
{
	return ch >= 'A' && ch <= 'Z' ? (char)(ch - 'A' + 'a') : ch;
}

static unsigned
min3(unsigned a, unsigned b, unsigned c)
{
	return MIN(a, MIN(b, c));
}

void
str_add(char *out, size_t cap, const char *fmt, ...)
{
	size_t at = strnlen(out, cap);
	va_list ap;

	if (at >= cap) /* no terminator inside: nothing to append to */
		return;
	va_start(ap, fmt);
	if (vsnprintf(out + at, cap - at, fmt, ap) < 0)
		out[at] = '\0';
	va_end(ap);
}

bool
str_copy(char *out, size_t cap, const char *in)
{
	size_t n = strlen(in), fit;

	if (cap == 0)
		return false;
	fit = MIN(n, cap - 1);
	memmove(out, in, fit);
	out[fit] = '\0';
	return fit == n;
}

void
str_hex(char *out, size_t cap, const void *p, size_t n)
{
	const uint8_t *b = p;
	size_t at = 0;

	if (cap == 0)
		return;
	for (size_t i = 0; i < n && cap - at > 2; i++) {
		out[at++] = digits[b[i] >> 4];
		out[at++] = digits[b[i] & 15];
	}
	out[at] = '\0';
}

int
str_unhex(const char *text, size_t len, void *out, size_t cap)
{
	uint8_t *p = out;

	if (len % 2 != 0)
		return ERR_SYNTAX;
	if (len / 2 > cap || len / 2 > INT32_MAX)
		return ERR_LONG;
	for (size_t i = 0; i < len; i++)
		if (nibble(text[i]) < 0)
			return ERR_SYNTAX;
	for (size_t i = 0; i < len; i += 2)
		p[i / 2] = (uint8_t)(nibble(text[i]) << 4 |
		    nibble(text[i + 1]));
	return (int)(len / 2);
}

void
str_escape(char *out, size_t cap, const void *p, size_t n)
{
	const uint8_t *b = p;
	size_t at = 0;

	if (cap == 0)
		return;
	for (size_t i = 0; i < n; i++) {
		bool is_plain = b[i] >= 0x20 && b[i] < 0x7f && b[i] != '"' &&
		    b[i] != '\'' && b[i] != '\\';

		if (cap - at <= (is_plain ? 1u : 4u))
			break;
		if (is_plain) {
			out[at++] = (char)b[i];
			continue;
		}
		out[at++] = '\\';
		out[at++] = 'x';
		out[at++] = digits[b[i] >> 4];
		out[at++] = digits[b[i] & 15];
	}
	out[at] = '\0';
}

/* Restricted form: a pair once exchanged is not edited again. */
unsigned
str_distance(const char *a, const char *b)
{
	size_t na = strnlen(a, WORD_MAX), nb = strnlen(b, WORD_MAX);
	unsigned row[3][WORD_MAX + 1]; /* i - 2, i - 1, i; by i mod 3 */

	for (size_t j = 0; j <= nb; j++)
		row[0][j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned *cur = row[i % 3], *prev = row[(i + 2) % 3];
		const unsigned *prev2 = row[(i + 1) % 3];

		cur[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned cost = a[i - 1] != b[j - 1];

			cur[j] = min3(prev[j] + 1, cur[j - 1] + 1,
			    prev[j - 1] + cost);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				cur[j] = MIN(cur[j], prev2[j - 2] + 1);
		}
	}
	return row[na % 3][nb];
}

const char *
str_closest(const char *word, const char *const *words, size_t n)
{
	size_t len = strnlen(word, WORD_MAX);
	/* One slip in a short word, one more for each further four letters. */
	unsigned best = MIN(2u + (unsigned)len / 4, 4u);
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		unsigned d = str_distance(word, words[i]);

		/* Changing every letter is no typing mistake. */
		if (d < best && d < len) {
			best = d;
			found = words[i];
		}
	}
	return found;
}

int
str_u64(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	bool is_over = false;

	if (*text == '\0')
		return ERR_SYNTAX;
	for (; *text != '\0'; text++) {
		uint64_t d;

		if (*text < '0' || *text > '9')
			return ERR_SYNTAX;
		d = (uint64_t)(*text - '0');
		if (is_over || v > (UINT64_MAX - d) / 10)
			is_over = true;
		else
			v = v * 10 + d;
	}
	if (is_over || v > max)
		return ERR_RANGE;
	*out = v;
	return 0;
}

/* On a mismatch only the last '*' need be tried further: linear memory, and
 * no pattern takes more than length times length steps. */
bool
str_glob(const char *pattern, const char *text)
{
	const char *star = NULL, *resume = NULL;

	while (*text != '\0') {
		if (*pattern == '*') {
			star = pattern++;
			resume = text;
		} else if (*pattern != '\0' && (*pattern == '?' ||
		    lower(*pattern) == lower(*text))) {
			pattern++;
			text++;
		} else if (star != NULL) {
			pattern = star + 1;
			text = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}
