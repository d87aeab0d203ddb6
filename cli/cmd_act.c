/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_act.c - commands that ask the daemon to do something.
 */
#include <string.h>
#include "cli/ask.h"
#include "cli/json.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus_text.h"

/* Send, then print what DONE says, behind what that is about. */
static int
act(struct cli *c, struct bus_rec *cmd, const char *what)
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

static int
need(struct cli *c, const char *what)
{
	char hint[200];

	snprintf(hint, sizeof(hint), "usage: tapir %s %s", c->cmd->name,
		 c->cmd->args);
	return cli_fail(c, CLI_USAGE, "usage", hint, "%s: %s", c->cmd->name, what);
}

static int
up_or_down(struct cli *c, int argc, char **argv, enum bus_row row,
	   const char *what)
{
	char realm[CLI_NAME_MAX], peer[CLI_NAME_MAX];
	struct bus_rec cmd;

	if ((argc = cli_opts(c, NULL, 0, argc, argv, 1)) < 0)
		return CLI_USAGE;
	if (argc == 0)
		return need(c, "which realm or peer?");
	if (cli_target(argv[0], realm, peer, realm) != 0)
		return need(c, "the form is REALM or REALM/PEER");
	bus_rec_init(&cmd, row);
	bus_set_str(&cmd, BUS_F_REALM, realm);
	bus_set_str(&cmd, BUS_F_PEER, peer);
	return act(c, &cmd, what);
}

int
cmd_up(struct cli *c, int argc, char **argv)
{
	return up_or_down(c, argc, argv, BUS_CMD_UP, "connecting: ");
}

int
cmd_down(struct cli *c, int argc, char **argv)
{
	return up_or_down(c, argc, argv, BUS_CMD_DOWN, "disconnected: ");
}

int
cmd_rekey(struct cli *c, int argc, char **argv)
{
	char realm[CLI_NAME_MAX], peer[CLI_NAME_MAX];
	const char *what = "child";
	struct bus_rec cmd;

	if ((argc = cli_opts(c, NULL, 0, argc, argv, 2)) < 0)
		return CLI_USAGE;
	if (argc == 0)
		return need(c, "which peer?");
	if (cli_target(argv[0], realm, peer, peer) != 0)
		return need(c, "the form is PEER or REALM/PEER");
	if (argc == 2)
		what = argv[1];
	if (strcmp(what, "ike") != 0 && strcmp(what, "child") != 0)
		return need(c, "the kind of keys is ike or child");
	bus_rec_init(&cmd, BUS_CMD_REKEY);
	bus_set_str(&cmd, BUS_F_REALM, realm);
	bus_set_str(&cmd, BUS_F_PEER, peer);
	bus_set_str(&cmd, BUS_F_WHAT, what);
	return act(c, &cmd, "making new keys: ");
}

int
cmd_confirm(struct cli *c, int argc, char **argv)
{
	struct bus_rec cmd;

	if (cli_opts(c, NULL, 0, argc, argv, 0) < 0)
		return CLI_USAGE;
	bus_rec_init(&cmd, BUS_CMD_CONFIRM);
	return act(c, &cmd, "");
}

int
cmd_drain(struct cli *c, int argc, char **argv)
{
	const char *to = NULL;
	bool is_off = false;
	struct cli_opt opt[] = {
		{ 0, "to", NULL, &to },
		{ 0, "off", &is_off, NULL },
	};
	struct bus_rec cmd;

	if (cli_opts(c, opt, N_OF(opt), argc, argv, 0) < 0)
		return CLI_USAGE;
	if ((to != NULL) == is_off || (to != NULL && *to == '\0'))
		return need(c, "where to?");
	bus_rec_init(&cmd, BUS_CMD_DRAIN);
	bus_set_str(&cmd, BUS_F_WHAT, is_off ? "" : to);
	return act(c, &cmd, "");
}
