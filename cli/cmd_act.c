/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_act.c - commands that ask the daemon to do something.
 */
#include <string.h>
#include "cli/ask.h"
#include "daemon/base/str.h"

static int
need(struct cli *c, const char *what)
{
	char hint[200];

	snprintf(hint, sizeof(hint), "usage: tapir %s %s", c->cmd->name,
		 c->cmd->args);
	return cli_fail(c, CLI_USAGE, "usage", hint, "%s: %s", c->cmd->name, what);
}

int
cmd_down(struct cli *c, int argc, char **argv)
{
	char realm[CLI_NAME_MAX], peer[CLI_NAME_MAX];
	struct bus_rec cmd;

	if ((argc = cli_opts(c, NULL, 0, argc, argv, 1)) < 0)
		return CLI_USAGE;
	if (argc == 0)
		return need(c, "which realm or peer?");
	if (cli_target(argv[0], realm, peer, realm) != 0)
		return need(c, "the form is REALM or REALM/PEER");
	bus_rec_init(&cmd, BUS_CMD_DOWN);
	bus_set_str(&cmd, BUS_F_REALM, realm);
	bus_set_str(&cmd, BUS_F_PEER, peer);
	return ask_act(c, &cmd, "disconnected: ");
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
	return ask_act(c, &cmd, "making new keys: ");
}

int
cmd_confirm(struct cli *c, int argc, char **argv)
{
	struct bus_rec cmd;

	if (cli_opts(c, NULL, 0, argc, argv, 0) < 0)
		return CLI_USAGE;
	bus_rec_init(&cmd, BUS_CMD_CONFIRM);
	return ask_act(c, &cmd, "");
}

int
cmd_drain(struct cli *c, int argc, char **argv)
{
	const char *to = NULL;
	bool is_off = false, is_kept = false;
	struct cli_opt opt[] = {
		{ 0, "to", NULL, &to },
		{ 0, "keep", &is_kept, NULL },
		{ 0, "off", &is_off, NULL },
	};
	struct bus_rec cmd;

	if ((argc = cli_opts(c, opt, N_OF(opt), argc, argv, 1)) < 0)
		return CLI_USAGE;
	if ((to != NULL) + is_off + is_kept > 1)
		return need(c, "one of --to, --keep and --off");
	if (to != NULL && *to == '\0')
		return need(c, "where to?");
	bus_rec_init(&cmd, BUS_CMD_DRAIN);
	bus_set_str(&cmd, BUS_F_REALM, argc > 0 ? argv[0] : "");
	bus_set_str(&cmd, BUS_F_WHAT, to != NULL ? to : "");
	bus_set_str(&cmd, BUS_F_KIND, to != NULL || is_off ? "" : is_kept ?
		    "keep" : "end");
	return ask_act(c, &cmd, "");
}
