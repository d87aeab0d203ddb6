/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/cli/t_qr.c - QR codes by half blocks: the picture of a code has its
 * three corners and its quiet zone.
 */
#include "cli/invite/qr.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "test/lib/test.h"

#define SIDE 256
#define QUIET 4

static bool dark[SIDE][SIDE];
static unsigned n_row, n_col;

/* What was printed -> modules. */
static void
look(const char *text)
{
	static const char *const block[] = { " ", "\u2584", "\u2580", "\u2588" };
	unsigned col = 0, i;

	n_row = n_col = 0;
	while (*text != '\0') {
		if (*text == '\n') {
			assert_true(n_col == 0 || n_col == col);
			n_col = col;
			col = 0;
			n_row += 2;
			text++;
			continue;
		}
		for (i = N_OF(block); i-- > 0;)
			if (strncmp(text, block[i], strlen(block[i])) == 0)
				break;
		assert_true(i < N_OF(block) && n_row + 1 < SIDE && col < SIDE);
		dark[n_row][col] = (i & 2) == 0;
		dark[n_row + 1][col] = (i & 1) == 0;
		col++;
		text += strlen(block[i]);
	}
}

/* A dark ring of 7, a light one, a dark square of 3. */
static void
has_corner(unsigned row, unsigned col)
{
	for (unsigned r = 0; r < 7; r++)
		for (unsigned c = 0; c < 7; c++) {
			unsigned edge = MIN(MIN(r, 6 - r), MIN(c, 6 - c));

			assert_int_equal(dark[row + r][col + c], edge != 1);
		}
}

TEST(a_code_has_three_corners_and_is_quiet_around)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int err = qr_print(f, "http://192.0.2.1:8080/0123456789abcdef#key", false);
	unsigned side;

	fclose(f);
	if (err == ERR_NOTFOUND) {	/* the library is not needed to build */
		free(text);
		skip();
	}
	assert_int_equal(err, 0);
	look(text);
	side = n_col - 2 * QUIET;
	assert_int_equal(side % 4, 1);	/* 21, 25, 29, ... */
	assert_true(n_row == n_col || n_row == n_col + 1);
	has_corner(QUIET, QUIET);
	has_corner(QUIET, QUIET + side - 7);
	has_corner(QUIET + side - 7, QUIET);
	for (unsigned i = 0; i < n_col; i++)
		for (unsigned k = 0; k < QUIET; k++) {
			assert_false(dark[k][i]);
			assert_false(dark[i][k]);
			assert_false(dark[i][n_col - 1 - k]);
		}
	free(text);
}

TEST(a_text_that_is_too_long_is_refused)
{
	static char text[4000];
	FILE *f = fopen("/dev/null", "w");
	int err;

	memset(text, 'a', sizeof(text) - 1);
	err = qr_print(f, text, true);
	fclose(f);
	if (err == ERR_NOTFOUND)
		skip();
	assert_int_equal(err, ERR_LONG);
}
