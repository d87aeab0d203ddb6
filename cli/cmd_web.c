/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_web.c - tapir web: a one-time link to the browser interface, and
 * the accounts of those who log in by a password.
 */
#include <string.h>
#include "cli/ask.h"
#include "cli/json.h"
#include "cli/web.h"
#include "daemon/bus/bus_text.h"

static void
keep_link(void *ctx, const struct bus_rec *r)
{
	if (r->desc->row == BUS_RES_WEB_LINK)
		*(struct bus_rec *)ctx = *r;
}

static int
web_link(struct cli *c, const char *role)
{
	struct bus_rec cmd, end, got;
	char url[BUS_SENTENCE_MAX];
	struct json j;
	int status;

	bus_rec_init(&got, BUS_RES_WEB_LINK);
	bus_rec_init(&cmd, BUS_CMD_WEB);
	bus_set_str(&cmd, BUS_F_ROLE, role);
	if ((status = ask(c, &cmd, keep_link, &got, &end)) != CLI_OK)
		return status;
	if (c->is_json) {
		json_init(&j, c->out);
		json_obj(&j, NULL);
		json_bool(&j, "ok", true);
		json_str(&j, "url", bus_str(&got, BUS_F_URL));
		json_str(&j, "role", bus_str(&got, BUS_F_ROLE));
		json_u64(&j, "left_s", bus_u64(&got, BUS_F_LEFT_S));
		json_obj_end(&j);
		json_end(&j);
		return CLI_OK;
	}
	fprintf(c->out, "%s\n", bus_print_text(bus_str(&got, BUS_F_URL), url,
					       sizeof(url)));
	fprintf(c->err, "open it within %u s; it logs in once, as %s\n",
		(unsigned)bus_u64(&got, BUS_F_LEFT_S),
		bus_str(&got, BUS_F_ROLE));
	return CLI_OK;
}

int
cmd_web(struct cli *c, int argc, char **argv)
{
	struct web_opts o = { .dir = WEB_KEYS, .role = "" };
	const struct cli_opt opt[] = {
		{ 0, "role", NULL, &o.role }, { 'd', "dir", NULL, &o.dir },
		{ 0, "pass", NULL, &o.pass_file }, { 0, "totp", &o.is_totp, NULL },
	};

	if ((argc = cli_opts(c, opt, N_OF(opt), argc, argv, 3)) < 0)
		return CLI_USAGE;
	if (argc == 0)
		return web_link(c, o.role);
	if (strcmp(argv[0], "user") == 0)
		return web_user(c, &o, argc - 1, argv + 1);
	return cli_fail(c, CLI_USAGE, "usage", "tapir help web", "web: there is "
			"no %.40s", argv[0]);
}
