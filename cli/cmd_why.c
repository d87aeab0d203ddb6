/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_why.c - tapir why: every check with its result, the cause, the cure.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include "cli/ask.h"
#include "cli/json.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus_text.h"
#include "why/why.h"

#define SAMPLE_S 3	/* --traffic looks twice, so far apart */
#define LOOKS	 8	/* for what is still to come */
#define LOOK_MS	 60

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

static int
wrong(struct cli *c, const char *text)
{
	char hint[200];

	snprintf(hint, sizeof(hint), "usage: tapir %s %s", c->cmd->name,
		 c->cmd->args);
	return cli_fail(c, CLI_USAGE, "usage", hint, "%s: %s", c->cmd->name,
			text);
}

/* ---- JSON ----------------------------------------------------------------- */

static void
json_rows(struct json *j, const char *key, const struct ask_list *a,
	  enum bus_row row)
{
	json_arr(j, key);
	for (size_t i = 0; i < a->n; i++) {
		if (a->rec[i].desc->row != row)
			continue;
		json_obj(j, NULL);
		json_fields(j, &a->rec[i], BUS_F_END);
		json_obj_end(j);
	}
	json_arr_end(j);
}

static void
print_json(struct cli *c, const struct ask_list *a)
{
	struct json j;

	json_init(&j, c->out);
	json_obj(&j, NULL);
	for (size_t i = 0; i < a->n; i++)
		if (a->rec[i].desc->row == BUS_RES_WHY)
			json_fields(&j, &a->rec[i], BUS_F_END);
	json_rows(&j, "causes", a, BUS_RES_CAUSE);
	json_rows(&j, "checks", a, BUS_RES_CHECK);
	json_rows(&j, "compared", a, BUS_RES_PAIR);
	json_obj_end(&j);
	json_end(&j);
}

/* ---- text ----------------------------------------------------------------- */

static void
print_check(struct cli *c, const struct bus_rec *r)
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
	       strcmp(row[i].result, bus_str(r, BUS_F_RESULT)) != 0)
		i++;
	bus_print_text(bus_str(r, BUS_F_TEXT), text, sizeof(text));
	bus_print_text(bus_str(r, BUS_F_DETAIL), detail, sizeof(detail));
	fputs("  ", c->out);
	show_text(&c->show, row[i].tone, row[i].mark);
	fprintf(c->out, "%*s%s", (int)(8 - strlen(row[i].mark)), "", text);
	if (*detail == '\0') {
		fputc('\n', c->out);
		return;
	}
	snprintf(line, sizeof(line), "%.159s", detail);
	if (10 + show_columns(text) + 2 + show_columns(line) >
	    c->show.width) {
		fputs("\n            ", c->out);
		show_cut(line, c->show.width - 12);
	} else {
		fputs("  ", c->out);
	}
	show_text(&c->show, SHOW_DIM, line);
	fputc('\n', c->out);
}

static void
print_cause(struct cli *c, const struct bus_rec *r, bool is_first,
	    enum why_lang lang)
{
	char text[BUS_STR_MAX + 1];
	const char *head = words[is_first ? W_CAUSE : W_ALSO][lang];

	fputc('\n', c->out);
	show_text(&c->show, is_first ? SHOW_BAD : SHOW_WARN, head);
	fprintf(c->out, "  %s %s\n", bus_str(r, BUS_F_NUMBER),
		bus_str(r, BUS_F_CODE));
	fputs("       ", c->out);
	bus_print_text(bus_str(r, BUS_F_WHY), text, sizeof(text));
	show_wrap(&c->show, 7, 7, text);
	show_text(&c->show, SHOW_GOOD, words[W_CURE][lang]);
	fprintf(c->out, "%*s", (int)(7 - show_columns(words[W_CURE][lang])), "");
	bus_print_text(bus_str(r, BUS_F_HINT), text, sizeof(text));
	show_wrap(&c->show, 7, 7, text);
}

/* Two columns; a row without anything in common is marked. */
static void
print_pairs(struct cli *c, const struct ask_list *a, enum why_lang lang)
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
	fputc('\n', c->out);
	show_table_print(&c->show, t, 2);
	show_table_free(t);
}

static void
print_head(struct cli *c, const struct bus_rec *r)
{
	const char *state = bus_str(r, BUS_F_STATE);
	const char *remote = bus_str(r, BUS_F_REMOTE);
	char peer[BUS_STR_MAX + 1];

	bus_print_text(bus_str(r, BUS_F_PEER), peer, sizeof(peer));
	fprintf(c->out, "%s/%s ", bus_str(r, BUS_F_REALM), peer);
	show_text(&c->show, show_state_tone(state), state);
	if (*remote != '\0')
		fprintf(c->out, "  %s", remote);
	if (*bus_str(r, BUS_F_FINGERPRINT) != '\0')
		fprintf(c->out, "  psk %s", bus_str(r, BUS_F_FINGERPRINT));
	fputc('\n', c->out);
}

static void
print_text(struct cli *c, const struct ask_list *a, enum why_lang lang)
{
	bool is_first = true;

	for (size_t i = 0; i < a->n; i++) {
		if (a->rec[i].desc->row == BUS_RES_WHY)
			print_head(c, &a->rec[i]);
		if (a->rec[i].desc->row == BUS_RES_CHECK)
			print_check(c, &a->rec[i]);
	}
	for (size_t i = 0; i < a->n; i++) {
		if (a->rec[i].desc->row != BUS_RES_CAUSE)
			continue;
		print_cause(c, &a->rec[i], is_first, lang);
		if (is_first)
			print_pairs(c, a, lang);
		is_first = false;
	}
	if (is_first)
		fprintf(c->out, "\n%s\n", words[W_FINE][lang]);
}

/* ---- the command ----------------------------------------------------------- */

static enum why_lang
language(const char *lang)
{
	static const char *const name[] = { "LC_ALL", "LC_MESSAGES", "LANG" };

	for (unsigned i = 0; lang == NULL && i < N_OF(name); i++) {
		lang = getenv(name[i]);
		if (lang != NULL && *lang == '\0')
			lang = NULL;
	}
	return lang != NULL ? why_lang_of(lang) : WHY_EN;
}

/* Look once; what was counted is asked again for. */
static int
look_once(struct cli *c, struct bus_rec *cmd, struct ask_list *a,
	  bool *is_pending)
{
	struct bus_rec end;
	int status;

	ask_list_fini(a);
	memset(a, 0, sizeof(*a));
	*is_pending = false;
	status = ask(c, cmd, ask_keep, a, &end);

	for (size_t i = 0; status == CLI_OK && i < a->n; i++) {
		const struct bus_rec *r = &a->rec[i];

		if (r->desc->row != BUS_RES_WHY)
			continue;
		*is_pending = bus_bool(r, BUS_F_IS_PENDING);
		bus_set_u64(cmd, BUS_F_RX_PACKETS,
			    bus_u64(r, BUS_F_RX_PACKETS));
		bus_set_u64(cmd, BUS_F_TX_PACKETS,
			    bus_u64(r, BUS_F_TX_PACKETS));
	}
	return status;
}

/* Look; a fingerprint that is being made is waited for a little. */
static int
look(struct cli *c, struct bus_rec *cmd, struct ask_list *a)
{
	bool is_pending = true;
	int status = CLI_OK;

	for (unsigned i = 0; i < LOOKS && is_pending && status == CLI_OK; i++) {
		if (i > 0)
			poll(NULL, 0, LOOK_MS);
		status = look_once(c, cmd, a, &is_pending);
	}
	return status;
}

int
cmd_why(struct cli *c, int argc, char **argv)
{
	char realm[CLI_NAME_MAX], peer[CLI_NAME_MAX];
	bool is_traffic = false;
	const char *want = NULL;
	struct ask_list a = { 0 };
	struct bus_rec cmd;
	enum why_lang lang;
	int status;
	struct cli_opt opt[] = {
		{ 0, "traffic", &is_traffic, NULL },
		{ 0, "lang", NULL, &want },
	};

	if ((argc = cli_opts(c, opt, N_OF(opt), argc, argv, 1)) < 0)
		return CLI_USAGE;
	if (argc == 0)
		return wrong(c, "which peer?");
	if (cli_target(argv[0], realm, peer, peer) != 0)
		return wrong(c, "the form is PEER or REALM/PEER");
	if (want != NULL && strcmp(want, "en") != 0 && strcmp(want, "ja") != 0)
		return wrong(c, "the language is en or ja");
	lang = language(want);
	bus_rec_init(&cmd, BUS_CMD_WHY);
	bus_set_str(&cmd, BUS_F_REALM, realm);
	bus_set_str(&cmd, BUS_F_PEER, peer);
	bus_set_str(&cmd, BUS_F_LANG, lang == WHY_JA ? "ja" : "en");
	status = look(c, &cmd, &a);
	if (status == CLI_OK && is_traffic) {
		cli_catch();
		poll(NULL, 0, SAMPLE_S * 1000);
		bus_set_u64(&cmd, BUS_F_SAMPLE_S, SAMPLE_S);
		status = cli_stopped ? CLI_FAILED : look(c, &cmd, &a);
	}
	if (status == CLI_OK && c->is_json)
		print_json(c, &a);
	else if (status == CLI_OK)
		print_text(c, &a, lang);
	ask_list_fini(&a);
	return status;
}
