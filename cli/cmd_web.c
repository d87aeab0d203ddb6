/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_web.c - tapir web: a one-time link to the browser interface, and
 * the accounts of those who log in by a password.
 *
 *   where browsers find it   tapird, over the control socket
 *   the link's secret        tapir-login, over RUN/login.sock
 */
#include <stdio.h>
#include <string.h>
#include "cli/ask.h"
#include "cli/json.h"
#include "cli/local.h"
#include "cli/web.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "daemon/bus/bus_text.h"
#include "daemon/ipc/proof.h"

static const char *const roles[] = {
	[PASS_VIEWER] = "viewer", [PASS_OPERATOR] = "operator",
	[PASS_ADMIN] = "admin",
};

/* ---- the link ---------------------------------------------------------------- */

static void
keep_url(void *ctx, const struct bus_rec *r)
{
	if (r->desc->row == BUS_RES_WEB_LINK)
		*(struct bus_rec *)ctx = *r;
}

static int
ask_token(struct cli *c, enum pass_role role, struct proof_link_answer *a)
{
	const struct proof_link_ask q = { .id = 1, .role = role };
	uint8_t bytes[PROOF_BYTES_MAX], out[PROOF_BYTES_MAX];
	int n;

	n = proof_link_ask_enc(&q, bytes, sizeof(bytes));
	if (n > 0)
		n = local_ask(c->run_dir, PROOF_SOCKET, bytes, (size_t)n, out,
			      sizeof(out));
	if (n > 0)
		n = proof_link_answer_dec(out, (size_t)n, a);
	wipe(out, sizeof(out));
	if (n == 0)
		return CLI_OK;
	if (n == ERR_PERM)
		return cli_fail(c, CLI_FAILED, err_name(n), "run it as root",
				"links are made for root only");
	return cli_fail(c, CLI_FAILED, err_name(n), "the log of tapird says why",
			"the process that makes links does not answer: %s",
			err_text(n));
}

static void
print_link(struct cli *c, const char *url, const char *role, uint32_t left_s)
{
	char text[BUS_SENTENCE_MAX];
	struct json j;

	if (c->is_json) {
		json_init(&j, c->out);
		json_obj(&j, NULL);
		json_bool(&j, "ok", true);
		json_str(&j, "url", url);
		json_str(&j, "role", role);
		json_u64(&j, "left_s", left_s);
		json_obj_end(&j);
		json_end(&j);
		return;
	}
	fprintf(c->out, "%s\n", bus_print_text(url, text, sizeof(text)));
	fprintf(c->err, "open it within %u s; it logs in once, as %s\n",
		(unsigned)left_s, role);
}

static int
role_of(const char *word, enum pass_role *out)
{
	for (unsigned i = 0; i < N_OF(roles); i++)
		if (strcmp(word, roles[i]) == 0) {
			*out = (enum pass_role)i;
			return 0;
		}
	return ERR_SYNTAX;
}

static int
web_link(struct cli *c, const char *word)
{
	struct proof_link_answer a = { .id = 0 };
	struct bus_rec cmd, end, got;
	enum pass_role role;
	char url[BUS_STR_MAX + PROOF_TOKEN + 16];
	int status;

	if (role_of(word, &role) != 0)
		return cli_fail(c, CLI_FAILED, err_name(ERR_SYNTAX), "admin, "
				"operator or viewer", "there is no such role");
	bus_rec_init(&got, BUS_RES_WEB_LINK);
	bus_rec_init(&cmd, BUS_CMD_WEB);
	if ((status = ask(c, &cmd, keep_url, &got, &end)) != CLI_OK ||
	    (status = ask_token(c, role, &a)) != CLI_OK)
		return status;
	snprintf(url, sizeof(url), "%s/#link=%s", bus_str(&got, BUS_F_URL),
		 a.token);
	print_link(c, url, word, a.left_s);
	wipe(&a, sizeof(a));
	wipe(url, sizeof(url));
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
		return web_link(c, *o.role != '\0' ? o.role : roles[PASS_ADMIN]);
	if (strcmp(argv[0], "user") == 0)
		return web_user(c, &o, argc - 1, argv + 1);
	return cli_fail(c, CLI_USAGE, "usage", "tapir help web", "web: there is "
			"no %.40s", argv[0]);
}
