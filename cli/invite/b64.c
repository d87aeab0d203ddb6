/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/invite/b64.c - base64.
 */
#include "cli/invite/b64.h"
#include <limits.h>
#include "daemon/base/err.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "abcdefghijklmnopqrstuvwxyz0123456789+/";

void
b64_write(FILE *f, struct view v, unsigned width, const char *indent)
{
	unsigned col = 0;

	for (size_t i = 0; i < v.len; i += 3) {
		size_t n = MIN(v.len - i, (size_t)3);
		uint32_t b = (uint32_t)v.p[i] << 16 |
		    (n > 1 ? (uint32_t)v.p[i + 1] << 8 : 0) |
		    (n > 2 ? v.p[i + 2] : 0);

		if (col == 0)
			fputs(indent, f);
		for (unsigned k = 0; k < 4; k++)
			fputc(k <= n ? digits[b >> (18 - 6 * k) & 63] : '=', f);
		col += 4;
		if (width != 0 && (col >= width || i + 3 >= v.len)) {
			fputc('\n', f);
			col = 0;
		}
	}
}

static int
digit_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int
b64_read(const char *text, size_t len, uint8_t *out, size_t cap)
{
	uint32_t bits = 0;
	unsigned n_bit = 0;
	size_t n = 0, n_pad = 0;

	if (len % 4 != 0 || len > INT_MAX)
		return ERR_SYNTAX;
	while (n_pad < 2 && n_pad < len && text[len - 1 - n_pad] == '=')
		n_pad++;
	for (size_t i = 0; i < len - n_pad; i++) {
		int d = digit_of(text[i]);

		if (d < 0)
			return ERR_SYNTAX;
		bits = bits << 6 | (uint32_t)d;
		n_bit += 6;
		if (n_bit < 8)
			continue;
		n_bit -= 8;
		if (n == cap)
			return ERR_LONG;
		out[n++] = (uint8_t)(bits >> n_bit);
	}
	return (bits & ((1u << n_bit) - 1)) == 0 ? (int)n : ERR_SYNTAX;
}
