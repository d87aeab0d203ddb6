/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_up.c - connect; a client that needs a password is asked for it.
 *
 *   is one needed? (password.sock) -> ask the person -> here it is (password.sock)
 *   -> command up (ctl.sock) -> wait for the outcome -> wrong: from the start
 *
 * A password never goes to tapird: its way is another socket.
 */
#include <poll.h>
#include <string.h>
#include "cli/ask.h"
#include "cli/json.h"
#include "cli/typed.h"
#include "daemon/base/clk.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus_text.h"

#define TRY_MAX	   3	/* passwords asked for; ours */
#define OUTCOME_MS 30000
#define LOOK_MS	   200

struct target {
	char realm[CLI_NAME_MAX], peer[CLI_NAME_MAX];
	const char *askpass;
};

/* What becomes of it. */
struct outcome {
	bool is_up, needs_word;
	char why[BUS_STR_MAX];
};

static void
on_peer(void *ctx, const struct bus_rec *r)
{
	struct outcome *o = ctx;

	if (r->desc->row != BUS_RES_PEER)
		return;
	if (strcmp(bus_str(r, BUS_F_STATE), "up") == 0)
		o->is_up = true;
	if (strcmp(bus_str(r, BUS_F_INTENT), "password") == 0) {
		o->needs_word = true;
		(void)str_copy(o->why, sizeof(o->why), bus_str(r, BUS_F_WHY));
	}
}

static int
look(struct cli *c, const struct target *t, struct outcome *o)
{
	struct bus_rec cmd, end;

	*o = (struct outcome){ .is_up = false };
	bus_rec_init(&cmd, BUS_CMD_STATUS);
	bus_set_str(&cmd, BUS_F_REALM, t->realm);
	bus_set_str(&cmd, BUS_F_PEER, t->peer);
	return ask(c, &cmd, on_peer, o, &end);
}

/* Up, or somebody has to type again, or neither in time. */
static int
wait_outcome(struct cli *c, const struct target *t, struct outcome *o)
{
	uint64_t end_ms = clk_ms() + OUTCOME_MS;
	int status;

	do {
		if ((status = look(c, t, o)) != CLI_OK || o->is_up ||
		    o->needs_word)
			return status;
		(void)poll(NULL, 0, LOOK_MS);
	} while (clk_ms() < end_ms);
	return CLI_OK;
}

static int
up(struct cli *c, const struct target *t, bool is_quiet)
{
	struct bus_rec cmd, end;

	bus_rec_init(&cmd, BUS_CMD_UP);
	bus_set_str(&cmd, BUS_F_REALM, t->realm);
	bus_set_str(&cmd, BUS_F_PEER, t->peer);
	return is_quiet ? ask(c, &cmd, NULL, NULL, &end) :
	    ask_act(c, &cmd, "connecting: ");
}

/* Ask the person, and tell tapir-secure. */
static int
type_word(struct cli *c, const struct target *t, const char *user)
{
	struct prompt_ask q = { .has_word = true };
	struct prompt_answer a;
	char what[CLI_NAME_MAX + PROMPT_USER_MAX + 64];
	int status, err = 0;

	snprintf(what, sizeof(what), "Password of %s for realm %s", user,
		 t->realm);
	(void)str_copy(q.realm, sizeof(q.realm), t->realm);
	status = typed_read(c, t->askpass, what, q.word);
	if (status == CLI_OK)
		err = typed_ask(c->run_dir, &q, &a);
	wipe(&q, sizeof(q));
	if (status != CLI_OK)
		return status;
	if (err != 0)
		return cli_fail(c, CLI_FAILED, "password", NULL, "the password "
				"cannot be passed on: %s", err_text(err));
	if (a.verdict == PROMPT_KNOWN)
		return CLI_OK;
	return cli_fail(c, CLI_FAILED, "password", NULL, "this is no password");
}

/* What came of it. */
static int
tell(struct cli *c, bool is_up)
{
	const char *text = is_up ? "connected" : "connecting; tapir status -w "
	    "shows how it goes on";
	struct json j;

	if (!c->is_json) {
		fprintf(c->out, "%s\n", text);
		return CLI_OK;
	}
	json_init(&j, c->out);
	json_obj(&j, NULL);
	json_bool(&j, "ok", true);
	json_str(&j, "code", is_up ? "connected" : "connecting");
	json_str(&j, "text", text);
	json_obj_end(&j);
	json_end(&j);
	return CLI_OK;
}

/* Type, connect, see what comes of it. */
static int
log_in(struct cli *c, const struct target *t, const char *user)
{
	struct outcome o = { .is_up = false };
	char text[BUS_SENTENCE_MAX];
	int status;

	for (unsigned i = 0; i < TRY_MAX; i++) {
		if (i > 0) {
			bus_print_text(o.why, text, sizeof(text));
			fprintf(stderr, "%s\n", text);
		}
		if ((status = type_word(c, t, user)) != CLI_OK ||
		    (status = up(c, t, true)) != CLI_OK ||
		    (status = wait_outcome(c, t, &o)) != CLI_OK)
			return status;
		if (!o.needs_word)
			return tell(c, o.is_up);
	}
	bus_print_text(o.why, text, sizeof(text));
	return cli_fail(c, CLI_FAILED, "password", "tapir why says more", "%s",
			text);
}

/* Is a password needed, and whose?  Without somebody who answers that, tapird is
 * asked to connect, and says what is wrong. */
static int
is_needed(struct cli *c, const struct target *t, struct prompt_answer *a,
	  bool *needed)
{
	struct prompt_ask q = { .has_word = false };
	struct outcome o;
	int status;

	*needed = false;
	if (!str_copy(q.realm, sizeof(q.realm), t->realm) ||
	    typed_ask(c->run_dir, &q, a) != 0 || a->verdict == PROMPT_NONE)
		return CLI_OK;
	*needed = a->verdict == PROMPT_NEEDED;
	if (*needed || a->verdict != PROMPT_KNOWN)
		return CLI_OK;
	/* there is one, and it was wrong */
	if ((status = look(c, t, &o)) == CLI_OK)
		*needed = o.needs_word && typed_can_ask(t->askpass);
	return status;
}

int
cmd_up(struct cli *c, int argc, char **argv)
{
	struct target t = { .askpass = NULL };
	struct cli_opt opt[] = { { 0, "askpass", NULL, &t.askpass } };
	struct prompt_answer a;
	char hint[200];
	bool needed;
	int status;

	if ((argc = cli_opts(c, opt, N_OF(opt), argc, argv, 1)) < 0)
		return CLI_USAGE;
	snprintf(hint, sizeof(hint), "usage: tapir %s %s", c->cmd->name,
		 c->cmd->args);
	if (argc == 0)
		return cli_fail(c, CLI_USAGE, "usage", hint, "up: which realm or "
				"peer?");
	if (cli_target(argv[0], t.realm, t.peer, t.realm) != 0)
		return cli_fail(c, CLI_USAGE, "usage", hint, "up: the form is "
				"REALM or REALM/PEER");
	if ((status = is_needed(c, &t, &a, &needed)) != CLI_OK)
		return status;
	if (!needed)
		return up(c, &t, false);
	if (!typed_can_ask(t.askpass))
		return cli_fail(c, CLI_FAILED, "password", "run it at a terminal, "
				"or with --askpass PROGRAM", "the password of %s "
				"is needed", a.user);
	return log_in(c, &t, a.user);
}
