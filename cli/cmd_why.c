/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_why.c - tapir why: every check with its result, the cause, the cure.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include "cli/ask.h"
#include "cli/json.h"
#include "cli/why_text.h"
#include "daemon/base/str.h"

#define SAMPLE_S 3	/* --traffic looks twice, so far apart */
#define LOOKS	 8	/* for what is still to come */
#define LOOK_MS	 60

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
json_checks(struct json *j, const struct ask_list *a)
{
	json_arr(j, "checks");
	for (size_t i = 0; i < a->n; i++) {
		if (a->rec[i].desc->row != BUS_RES_CHECK)
			continue;
		json_obj(j, NULL);
		json_fields(j, &a->rec[i], BUS_F_VERDICT);
		json_str(j, "result", bus_str(&a->rec[i], BUS_F_VERDICT));
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
	json_checks(&j, a);
	json_rows(&j, "compared", a, BUS_RES_PAIR);
	json_obj_end(&j);
	json_end(&j);
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
		why_text(&c->show, &a, lang);
	ask_list_fini(&a);
	return status;
}
