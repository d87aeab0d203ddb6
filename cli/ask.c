/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/ask.c - one command to the daemon, with failures told to the user.
 */
#include "cli/ask.h"
#include <stdlib.h>
#include <string.h>
#include "cli/json.h"
#include "daemon/bus/bus_text.h"

int
ask_open(struct cli *c, struct link *l)
{
	int err = link_open(l, c->run_dir);

	switch (err) {
	case 0:
		return CLI_OK;
	case ERR_NOTFOUND:
		return cli_fail(c, CLI_NO_DAEMON, "no-daemon",
				"start it with: systemctl start tapir   "
				"(or as root: tapird --foreground)",
				"tapird is not running: nobody answers at %s/%s",
				c->run_dir, LINK_SOCKET);
	case ERR_PERM:
		return cli_fail(c, CLI_FAILED, "not-permitted",
				"run the command as root",
				"no permission to talk to tapird at %s/%s",
				c->run_dir, LINK_SOCKET);
	default:
		return cli_fail(c, CLI_FAILED, "link",
				"give another directory with --run-dir",
				"cannot connect to %s/%s: %s", c->run_dir,
				LINK_SOCKET, err_text(err));
	}
}

int
ask_broken(struct cli *c, int err)
{
	if (err == ERR_CLOSED)
		return cli_fail(c, CLI_FAILED, "closed", "see its log",
				"tapird closed the connection");
	if (err == ERR_TIMEOUT)
		return cli_fail(c, CLI_FAILED, "no-answer", "see its log",
				"tapird does not answer");
	if (err == ERR_AGAIN)
		return cli_fail(c, CLI_FAILED, "stopped", NULL, "interrupted");
	return cli_fail(c, CLI_FAILED, "answer",
			"tapir and tapird are perhaps of different versions",
			"cannot read the answer of tapird: %s", err_text(err));
}

int
ask_refused(struct cli *c, const struct bus_rec *end)
{
	const char *hint = bus_str(end, BUS_F_HINT);
	const char *code = bus_str(end, BUS_F_CODE);

	return cli_fail(c, CLI_FAILED, *code != '\0' ? code : "refused",
			*hint != '\0' ? hint : NULL, "%s",
			bus_str(end, BUS_F_TEXT));
}

int
ask(struct cli *c, struct bus_rec *cmd, link_row_fn *fn, void *ctx,
    struct bus_rec *end)
{
	struct link l;
	int err, status;

	if ((status = ask_open(c, &l)) != CLI_OK)
		return status;
	err = link_ask(&l, cmd, fn, ctx, end);
	link_close(&l);
	if (err != 0)
		return ask_broken(c, err);
	if (end->desc->row == BUS_RES_FAILED)
		return ask_refused(c, end);
	return CLI_OK;
}

int
ask_act(struct cli *c, struct bus_rec *cmd, const char *what)
{
	char text[BUS_SENTENCE_MAX];
	struct bus_rec end;
	struct json j;
	int status;

	if ((status = ask(c, cmd, NULL, NULL, &end)) != CLI_OK)
		return status;
	if (c->is_json) {
		json_init(&j, c->out);
		json_obj(&j, NULL);
		json_bool(&j, "ok", true);
		json_str(&j, "code", bus_str(&end, BUS_F_CODE));
		json_str(&j, "text", bus_str(&end, BUS_F_TEXT));
		json_obj_end(&j);
		json_end(&j);
		return CLI_OK;
	}
	bus_print_text(bus_str(&end, BUS_F_TEXT), text, sizeof(text));
	fprintf(c->out, "%s%s\n", *text != '\0' ? what : "",
		*text != '\0' ? text : "done");
	return CLI_OK;
}

void
ask_keep(void *ctx, const struct bus_rec *r)
{
	struct ask_list *a = ctx;
	struct bus_rec *grown;

	if (a->n == a->cap) {
		grown = realloc(a->rec, (a->cap * 2 + 16) * sizeof(*grown));
		if (grown == NULL) {
			a->is_short = true;
			return;
		}
		a->rec = grown;
		a->cap = a->cap * 2 + 16;
	}
	a->rec[a->n++] = *r;
}

void
ask_list_fini(struct ask_list *a)
{
	free(a->rec);
	memset(a, 0, sizeof(*a));
}
