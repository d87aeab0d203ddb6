/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/change.c - changes and mistakes of a configuration as records.
 *
 * Between processes a mistake is a line: file, line, column, code and text, with
 * a tab between them.
 */
#include "daemon/core/change.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/base/str.h"

#define TAB '\t'

void
change_rec(const struct conf_change *ch, struct bus_rec *r)
{
	static const char *const what[] = {
		[CONF_ADDED] = "added", [CONF_REMOVED] = "removed",
		[CONF_CHANGED] = "changed", [CONF_INTERRUPTED] = "interrupted",
	};
	static const char *const kind[] = {
		[CONF_RESTARTS] = "restart", [CONF_LIVE] = "live",
		[CONF_INTERRUPTS] = "interrupts", [CONF_RENEWS] = "renews",
	};
	char text[CONF_CHANGE_TEXT];

	bus_rec_init(r, BUS_RES_CHANGE);
	bus_set_str(r, BUS_F_WHAT, what[ch->what]);
	bus_set_str(r, BUS_F_REALM, ch->realm);
	bus_set_str(r, BUS_F_PEER, ch->peer);
	if (ch->element != NULL && ch->option != NULL &&
	    strcmp(ch->element, "realm") != 0 &&
	    strcmp(ch->element, "peer") != 0 && strcmp(ch->element, "vpn") != 0)
		bus_set_fmt(r, BUS_F_NAME, "%s/%s", ch->element, ch->option);
	else
		bus_set_str(r, BUS_F_NAME, ch->option != NULL ? ch->option :
			    ch->element);
	bus_set_str(r, BUS_F_BEFORE, ch->before);
	bus_set_str(r, BUS_F_AFTER, ch->after);
	bus_set_str(r, BUS_F_KIND, kind[ch->effect]);
	bus_set_str(r, BUS_F_TEXT, conf_change_text(ch, text));
}

void
change_sum_rec(const struct conf_diff_sum *sum, uint32_t confirm_s,
	       struct bus_rec *r)
{
	char text[CONF_CHANGE_TEXT];

	bus_rec_init(r, BUS_RES_CHANGES);
	bus_set_u64(r, BUS_F_N_CHANGE, sum->n_change);
	bus_set_u64(r, BUS_F_N_RESTART, sum->n_restart);
	bus_set_u64(r, BUS_F_N_ADDED, sum->n_added);
	bus_set_u64(r, BUS_F_N_REMOVED, sum->n_removed);
	bus_set_u64(r, BUS_F_N_INTERRUPTED, sum->n_interrupted);
	bus_set_u64(r, BUS_F_N_KEPT, sum->n_kept);
	bus_set_u64(r, BUS_F_CONFIRM_S, confirm_s);
	bus_set_str(r, BUS_F_TEXT, conf_sum_text(sum, text));
}

/* ---- mistakes -------------------------------------------------------------- */

/* FILE:LINE:COLUMN: text [code] */
static void
rec(struct bus_rec *r, const char *file, uint64_t line, uint64_t col,
    const char *code, const char *why)
{
	char text[BUS_STR_MAX] = "";

	str_add(text, sizeof(text), "%s:", file);
	if (line > 0)
		str_add(text, sizeof(text), "%llu:", (unsigned long long)line);
	if (line > 0 && col > 0)
		str_add(text, sizeof(text), "%llu:", (unsigned long long)col);
	str_add(text, sizeof(text), " %s", why);
	if (*code != '\0')
		str_add(text, sizeof(text), " [%s]", code);
	bus_rec_init(r, BUS_RES_MISTAKE);
	bus_set_str(r, BUS_F_TEXT, text);
	bus_set_str(r, BUS_F_FILE, file);
	bus_set_u64(r, BUS_F_LINE, line);
	bus_set_u64(r, BUS_F_COLUMN, col);
	bus_set_str(r, BUS_F_CODE, code);
	bus_set_str(r, BUS_F_WHY, why);
}

void
mistake_rec(const struct conf_errs *errs, const struct conf_err *e,
	    struct bus_rec *r)
{
	rec(r, conf_err_file(errs, e), e->line, e->col, conf_code_name(e->code),
	    e->text);
}

/* Without what would end a line or a field. */
static void
put(FILE *f, const char *text, char end)
{
	for (; *text != '\0'; text++)
		fputc(*text == TAB || *text == '\n' ? ' ' : *text, f);
	fputc(end, f);
}

char *
mistake_lines(const struct conf_errs *errs)
{
	char *text = NULL, more[64] = "";
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	if (f == NULL)
		return NULL;
	for (unsigned i = 0; i < errs->n; i++) {
		const struct conf_err *e = &errs->e[i];

		put(f, conf_err_file(errs, e), TAB);
		fprintf(f, "%u\t%u\t", e->line, e->col);
		put(f, conf_code_name(e->code), TAB);
		put(f, e->text, '\n');
	}
	if (errs->n_more > 0) {
		str_add(more, sizeof(more), "and %u more errors", errs->n_more);
		put(f, errs->file[0], TAB);
		fputs("0\t0\t\t", f);
		put(f, more, '\n');
	}
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

void
mistake_parse(const char *line, struct bus_rec *r)
{
	enum { N = 4 };
	char own[BUS_STR_MAX], *field[N], *at = own;
	uint64_t row, col;

	(void)str_copy(own, sizeof(own), line);
	for (unsigned i = 0; i < N && at != NULL; i++)
		field[i] = strsep(&at, "\t");
	if (at == NULL || str_u64(field[1], UINT32_MAX, &row) != 0 ||
	    str_u64(field[2], UINT32_MAX, &col) != 0) {
		bus_rec_init(r, BUS_RES_MISTAKE);
		bus_set_str(r, BUS_F_TEXT, line);
		bus_set_str(r, BUS_F_WHY, line);
		return;
	}
	rec(r, field[0], row, col, field[3], at);
}
