/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/show.h - tables that fit the terminal, a little colour, short numbers.
 *
 * Cells may hold text from strangers: they are made printable here.
 */
#ifndef TAPIR_CLI_SHOW_H
#define TAPIR_CLI_SHOW_H

#include <stdio.h>
#include "daemon/base/base.h"

#define SHOW_WIDTH	80	/* columns when nobody tells */
#define SHOW_CELL_MAX	256	/* bytes of a cell; ours */
#define SHOW_COL_MAX	12	/* columns of a table; ours */

enum show_tone { SHOW_PLAIN, SHOW_GOOD, SHOW_WARN, SHOW_BAD, SHOW_DIM };

struct show {
	FILE *out;
	bool has_colour;
	bool is_tty;
	unsigned width;		/* columns */
};

/** Look at where the output goes: colour only on a terminal and without
 * NO_COLOR; width from COLUMNS, the terminal, or SHOW_WIDTH. */
void show_init(struct show *s, FILE *out);

/* A column; when the table is too wide, columns with min > 0 give way. */
struct show_col {
	const char *title;
	bool is_right;
	unsigned min;		/* narrower than this never; 0 = as it is */
};

struct show_table;
/** @param col n (<= SHOW_COL_MAX) columns, borrowed.  NULL without memory. */
struct show_table *show_table_new(const struct show_col *col, unsigned n);
void show_table_free(struct show_table *t);
/** Next cell, row by row. */
void show_cell(struct show_table *t, enum show_tone tone, const char *fmt, ...)
    PRINTF(3, 4);
/** A line of its own below the current row, indented, wrapped. */
void show_note(struct show_table *t, const char *fmt, ...) PRINTF(2, 3);
/** Print, each line begins with indent spaces. */
void show_table_print(const struct show *s, const struct show_table *t,
		      unsigned indent);

/** Print text in a tone. */
void show_text(const struct show *s, enum show_tone tone, const char *text);
/** Print text wrapped at spaces to the width; the cursor is at column at,
 * further lines begin with indent spaces.  Ends with a newline. */
void show_wrap(const struct show *s, unsigned at, unsigned indent,
	       const char *text);

/** "0", "999", "1.2k", "34k", "5.6M": at most 5 columns.  @return out. */
const char *show_short(uint64_t v, char *out, size_t cap);
/** Seconds as "3 s", "5 min", "2 h", "4 d"; negative "never". */
const char *show_age(int64_t s, char *out, size_t cap);
/** Columns a UTF-8 text takes on a terminal. */
unsigned show_columns(const char *text);
/** Cut to at most max columns; what was cut is marked by '~'. */
void show_cut(char *text, unsigned max);
/** The tone of a peer's state. */
enum show_tone show_state_tone(const char *state);

#endif
