/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_reload.c - tapir reload: what changes, in words, before or when it is
 * in force.
 */
#include <stdlib.h>
#include <string.h>
#include "cli/ask.h"
#include "cli/json.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus_text.h"

#define CONFIRM_MAX 86400	/* s; the daemon's, too */

/* ---- rows ------------------------------------------------------------------- */

static enum show_tone
tone_of(const struct bus_rec *r)
{
	const char *kind = bus_str(r, BUS_F_KIND);

	if (strcmp(bus_str(r, BUS_F_WHAT), "removed") == 0 ||
	    strcmp(kind, "renews") == 0)
		return SHOW_BAD;
	if (strcmp(kind, "interrupts") == 0 || strcmp(kind, "restart") == 0)
		return SHOW_WARN;
	return SHOW_GOOD;
}

static char
mark_of(const struct bus_rec *r)
{
	const char *what = bus_str(r, BUS_F_WHAT);

	return strcmp(what, "added") == 0 ? '+' :
	    strcmp(what, "removed") == 0 ? '-' :
	    strcmp(what, "interrupted") == 0 ? '!' : '>';
}

static void
show_rows(struct cli *c, const struct ask_list *l)
{
	char text[BUS_SENTENCE_MAX], mark[3] = "? ";

	for (unsigned i = 0; i < l->n; i++) {
		const struct bus_rec *r = &l->rec[i];

		bus_print_text(bus_str(r, BUS_F_TEXT), text, sizeof(text));
		if (r->desc->row == BUS_RES_CHANGE) {
			mark[0] = mark_of(r);
			show_text(&c->show, tone_of(r), mark);
			show_wrap(&c->show, 2, 4, text);
		} else if (r->desc->row == BUS_RES_MISTAKE) {
			fprintf(c->out, "%s\n", text);
		}
	}
}

static void
show_json(struct cli *c, const struct ask_list *l, const struct bus_rec *end,
	  bool is_dry)
{
	bool is_ok = end->desc->row == BUS_RES_DONE;
	struct json j;

	json_init(&j, c->out);
	json_obj(&j, NULL);
	json_bool(&j, "ok", is_ok);
	json_str(&j, "code", bus_str(end, BUS_F_CODE));
	json_str(&j, "text", bus_str(end, BUS_F_TEXT));
	if (!is_ok)
		json_str(&j, "hint", bus_str(end, BUS_F_HINT));
	json_bool(&j, "dry_run", is_dry);
	for (unsigned i = 0; i < l->n; i++)
		if (l->rec[i].desc->row == BUS_RES_CHANGES) {
			json_obj(&j, "sum");
			json_fields(&j, &l->rec[i], BUS_F_TEXT);
			json_obj_end(&j);
		}
	json_rows(&j, "changes", l, BUS_RES_CHANGE);
	json_rows(&j, "errors", l, BUS_RES_MISTAKE);
	json_obj_end(&j);
	json_end(&j);
}

/* ---- the command -------------------------------------------------------------- */

static int
ask_all(struct cli *c, struct bus_rec *cmd, struct ask_list *l,
	struct bus_rec *end)
{
	struct link link;
	int err, status;

	if ((status = ask_open(c, &link)) != CLI_OK)
		return status;
	err = link_ask(&link, cmd, ask_keep, l, end);
	link_close(&link);
	if (err != 0)
		return ask_broken(c, err);
	return CLI_OK;
}

static int
reload(struct cli *c, struct bus_rec *cmd, bool is_dry)
{
	struct ask_list l = { 0 };
	char text[BUS_SENTENCE_MAX];
	struct bus_rec end;
	int status = ask_all(c, cmd, &l, &end);

	if (status != CLI_OK)
		goto out;
	status = end.desc->row == BUS_RES_DONE ? CLI_OK : CLI_FAILED;
	if (c->is_json) {
		show_json(c, &l, &end, is_dry);
		goto out;
	}
	show_rows(c, &l);
	if (status != CLI_OK) {
		status = ask_refused(c, &end);
		goto out;
	}
	bus_print_text(bus_str(&end, BUS_F_TEXT), text, sizeof(text));
	if (is_dry)
		fputs("dry run: ", c->out);
	show_wrap(&c->show, is_dry ? 9 : 0, 2, text);
out:
	ask_list_fini(&l);
	return status;
}

int
cmd_reload(struct cli *c, int argc, char **argv)
{
	const char *confirm = NULL;
	bool is_dry = false;
	struct cli_opt opt[] = {
		{ 'n', "dry-run", &is_dry, NULL },
		{ 0, "confirm", NULL, &confirm },
	};
	struct bus_rec cmd;
	uint64_t s = 0;

	if (cli_opts(c, opt, N_OF(opt), argc, argv, 0) < 0)
		return CLI_USAGE;
	if (confirm != NULL &&
	    (str_u64(confirm, CONFIRM_MAX, &s) != 0 || s == 0))
		return cli_fail(c, CLI_USAGE, "usage", "like --confirm 60",
				"--confirm needs seconds, 1 to %u", CONFIRM_MAX);
	bus_rec_init(&cmd, BUS_CMD_RELOAD);
	bus_set_bool(&cmd, BUS_F_IS_DRY, is_dry);
	bus_set_u64(&cmd, BUS_F_CONFIRM_S, s);
	return reload(c, &cmd, is_dry);
}
