/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packaging/man/man.h - makes the manual pages of prose and tables.
 *
 *   page beside the code (English, Japanese) --+
 *   tables of the program (*.def) -------------+-> pages as they are installed
 *   words of the tables in Japanese (*.ja) ----+
 *
 * Prose stands once a language.  A line .\" @NAME in it is replaced by a list
 * made from a table, so that a new row of the table is on both pages at once;
 * until it has Japanese words it is there in English.
 *
 * Thread: one.
 */
#ifndef TAPIR_PACKAGING_MAN_H
#define TAPIR_PACKAGING_MAN_H

#include <stdio.h>
#include "daemon/base/base.h"
#include "why/why.h"

/* ---- words.c: what tables say, in Japanese ------------------------------------ */

/**
 * Read a file of words:
 *
 *   # a comment
 *   [KEY SUM]
 *   the Japanese text, on as many lines as it has
 *
 * KEY names the row, as table/element/option; SUM is that of the English text it
 * was translated from.  A key text/ANYTHING is for every row with that English
 * text which has no words of its own.
 *
 * @return 0, ERR_NOMEM, ERR_SYNTAX or ERR_IO, said on standard error.
 */
MUST_USE int words_read(const char *file);

/** The Japanese of a row, or NULL; remembers what lacks it.  Static text. */
const char *words_find(const char *key, const char *english);

/**
 * Say what lacks words, was translated from another English text, or is a row
 * no more: as blocks to fill in.
 *
 * @return how many.
 */
unsigned words_report(FILE *out);

void words_free(void);

/* ---- lists.c: tables as lists -------------------------------------------------- */

struct man {
	FILE *out;
	enum why_lang lang;
};

/** Write the list a line .\" @name stands for.  0 or ERR_NOTFOUND. */
MUST_USE int man_list(const struct man *m, const char *name);
/** All lists, so that words_report() knows what there is. */
void man_list_all(const struct man *m);

/** Text in which nothing means something to troff, and the end of its line. */
void man_text(const struct man *m, const char *text, size_t len);

#endif
