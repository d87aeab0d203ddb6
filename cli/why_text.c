/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/why_text.c - the answer of tapir why for people.
 */
#include "cli/why_text.h"
#include <stdio.h>
#include <string.h>
#include "daemon/bus/bus_text.h"

/* Words of the frame; what the daemon says is in the same language. */
enum word { W_CAUSE, W_CURE, W_ALSO, W_FINE, W_OURS, W_PEERS, W_UNKNOWN,
	    W_END };
static const char *const words[W_END][WHY_LANG_END] = {
	[W_CAUSE] = { "Cause", "原因" },
	[W_CURE] = { "Cure ", "対策" },
	[W_ALSO] = { "Also ", "他に" },
	[W_FINE] = { "Nothing is wrong that could be seen from here.",
		     "ここから分かる異常はありません。" },
	[W_OURS] = { "here", "こちら" },
	[W_PEERS] = { "there", "対向側" },
	[W_UNKNOWN] = { "(not known)", "(不明)" },
};

static void
print_check(const struct show *s, const struct bus_rec *r)
{
	static const struct {
		const char *result, *mark;
		enum show_tone tone;
	} row[] = {
		{ "ok", "ok", SHOW_GOOD }, { "failed", "FAILED", SHOW_BAD },
		{ "warning", "note", SHOW_WARN }, { "unknown", "?", SHOW_DIM },
		{ "", "-", SHOW_DIM },
	};
	char text[BUS_STR_MAX + 1], detail[BUS_STR_MAX + 1], line[160];
	unsigned i = 0;

	while (row[i].result[0] != '\0' &&
	       strcmp(row[i].result, bus_str(r, BUS_F_VERDICT)) != 0)
		i++;
	bus_print_text(bus_str(r, BUS_F_TEXT), text, sizeof(text));
	bus_print_text(bus_str(r, BUS_F_DETAIL), detail, sizeof(detail));
	fputs("  ", s->out);
	show_text(s, row[i].tone, row[i].mark);
	fprintf(s->out, "%*s%s", (int)(8 - strlen(row[i].mark)), "", text);
	if (*detail == '\0') {
		fputc('\n', s->out);
		return;
	}
	snprintf(line, sizeof(line), "%.159s", detail);
	if (10 + show_columns(text) + 2 + show_columns(line) >
	    s->width) {
		fputs("\n            ", s->out);
		show_cut(line, s->width - 12);
	} else {
		fputs("  ", s->out);
	}
	show_text(s, SHOW_DIM, line);
	fputc('\n', s->out);
}

static void
print_cause(const struct show *s, const struct bus_rec *r, bool is_first,
	    enum why_lang lang)
{
	char text[BUS_STR_MAX + 1];
	const char *head = words[is_first ? W_CAUSE : W_ALSO][lang];

	fputc('\n', s->out);
	show_text(s, is_first ? SHOW_BAD : SHOW_WARN, head);
	fprintf(s->out, "  %s %s\n", bus_str(r, BUS_F_NUMBER),
		bus_str(r, BUS_F_CODE));
	fputs("       ", s->out);
	bus_print_text(bus_str(r, BUS_F_WHY), text, sizeof(text));
	show_wrap(s, 7, 7, text);
	show_text(s, SHOW_GOOD, words[W_CURE][lang]);
	fprintf(s->out, "%*s", (int)(7 - show_columns(words[W_CURE][lang])), "");
	bus_print_text(bus_str(r, BUS_F_HINT), text, sizeof(text));
	show_wrap(s, 7, 7, text);
}

/* Two columns; a row without anything in common is marked. */
static void
print_pairs(const struct show *s, const struct ask_list *a, enum why_lang lang)
{
	const struct show_col col[] = {
		{ "", false, 0 }, { "", false, 0 },
		{ words[W_OURS][lang], false, 16 },
		{ words[W_PEERS][lang], false, 16 },
	};
	struct show_table *t = NULL;

	for (size_t i = 0; i < a->n; i++) {
		const struct bus_rec *r = &a->rec[i];
		bool is_same = bus_bool(r, BUS_F_IS_SAME);
		enum show_tone tone = is_same ? SHOW_PLAIN : SHOW_BAD;
		const char *own = bus_str(r, BUS_F_OWN);
		const char *peer = bus_str(r, BUS_F_THEIRS);

		if (r->desc->row != BUS_RES_PAIR)
			continue;
		if (t == NULL && (t = show_table_new(col, N_OF(col))) == NULL)
			return;
		show_cell(t, tone, "%s", is_same ? " " : "!");
		show_cell(t, tone, "%s", bus_str(r, BUS_F_WHAT));
		show_cell(t, tone, "%s", *own != '\0' ? own : "-");
		show_cell(t, tone, "%s", *peer != '\0' ? peer :
			  words[W_UNKNOWN][lang]);
	}
	if (t == NULL)
		return;
	fputc('\n', s->out);
	show_table_print(s, t, 2);
	show_table_free(t);
}

static void
print_head(const struct show *s, const struct bus_rec *r)
{
	const char *state = bus_str(r, BUS_F_STATE);
	const char *remote = bus_str(r, BUS_F_REMOTE);
	char peer[BUS_STR_MAX + 1];

	bus_print_text(bus_str(r, BUS_F_PEER), peer, sizeof(peer));
	fprintf(s->out, "%s/%s ", bus_str(r, BUS_F_REALM), peer);
	show_text(s, show_state_tone(state), state);
	if (*remote != '\0')
		fprintf(s->out, "  %s", remote);
	if (*bus_str(r, BUS_F_FINGERPRINT) != '\0')
		fprintf(s->out, "  psk %s", bus_str(r, BUS_F_FINGERPRINT));
	fputc('\n', s->out);
}

void
why_text(const struct show *s, const struct ask_list *a, enum why_lang lang)
{
	bool is_first = true;

	for (size_t i = 0; i < a->n; i++) {
		if (a->rec[i].desc->row == BUS_RES_WHY)
			print_head(s, &a->rec[i]);
		if (a->rec[i].desc->row == BUS_RES_CHECK)
			print_check(s, &a->rec[i]);
	}
	for (size_t i = 0; i < a->n; i++) {
		if (a->rec[i].desc->row != BUS_RES_CAUSE)
			continue;
		print_cause(s, &a->rec[i], is_first, lang);
		if (is_first)
			print_pairs(s, a, lang);
		is_first = false;
	}
	if (is_first)
		fprintf(s->out, "\n%s\n", words[W_FINE][lang]);
}
