/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_realm.c - tapir realm test: which realm an identity falls into, by the
 * rules the secure process goes by.
 */
#include <stdlib.h>
#include <string.h>
#include "cli/cert_facts.h"
#include "cli/cli.h"
#include "cli/conf_file.h"
#include "cli/json.h"
#include "conf/role_test.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus_text.h"

struct test {
	const char *id, *cert, *eap, *own, *config;
	struct conf *conf;
	struct conf_who who;
	struct conf_typed peer, me;
	struct cert_facts facts;
	struct conf_trial trial;
};

/* ---- what is asked ------------------------------------------------------------- */

static int
who_read(struct cli *c, struct test *t)
{
	char why[160] = "";

	if (conf_typed_read(t->id, &t->peer) != 0)
		return cli_fail(c, CLI_USAGE, "identity", NULL, "\"%.100s\" is no "
				"identity", t->id);
	t->who.peer = t->peer.i;
	if (t->own != NULL) {
		if (conf_typed_read(t->own, &t->me) != 0)
			return cli_fail(c, CLI_USAGE, "identity", NULL,
					"\"%.100s\" is no identity", t->own);
		t->who.own = &t->me.i;
	}
	if (t->eap != NULL) {
		t->who.is_eap = true;
		t->who.eap = (struct view){ (const uint8_t *)t->eap,
					    strlen(t->eap) };
	}
	if (t->cert == NULL)
		return CLI_OK;
	if (cert_facts_read(t->cert, &t->facts, why, sizeof(why)) != 0)
		return cli_fail(c, CLI_FAILED, "certificate", NULL, "%.200s: %s",
				t->cert, why);
	t->who.has_cert = true;
	t->who.subject = t->facts.subject;
	t->who.n_subject = t->facts.n_subject;
	t->who.name = t->facts.name;
	t->who.n_name = t->facts.n_name;
	return CLI_OK;
}

/* ---- the rules ------------------------------------------------------------------ */

static const char *
result(const struct conf_trial *t, const struct conf_tried *w)
{
	if (w->is_chosen)
		return "decides";
	switch (w->fit) {
	case CONF_FIT_YES:
		return t->err == ERR_STATE && w->role.rank == t->got.role.rank ?
		    "fits as well as another" : "fits";
	case CONF_FIT_OWN:
		return "fits, but we are called differently there";
	case CONF_FIT_LATER:
		return "asks for the EAP identity";
	case CONF_FIT_CERT:
		return "needs the certificate";
	case CONF_FIT_NO:
		break;
	}
	return "no";
}

/* ---- the answer ------------------------------------------------------------------ */

static void
answer_json(struct cli *c, const struct test *t)
{
	const struct conf_trial *k = &t->trial;
	bool is_ok = k->err == 0 && k->got.role.peer != NULL;
	struct json j;

	json_init(&j, c->out);
	json_obj(&j, NULL);
	json_bool(&j, "ok", is_ok);
	json_str(&j, "id", t->id);
	json_str(&j, "result", conf_trial_word(k));
	if (is_ok) {
		json_str(&j, "realm", k->got.role.realm->name);
		json_str(&j, "peer", k->got.role.peer->name);
	}
	json_arr(&j, "rules");
	for (unsigned i = 0; i < k->n; i++) {
		const struct conf_role *r = &k->row[i].role;

		json_obj(&j, NULL);
		json_str(&j, "realm", r->realm->name);
		json_str(&j, "peer", r->peer != NULL ? r->peer->name : "");
		json_str(&j, "element", r->is_peer ? "peer" : "match");
		json_str(&j, "option", conf_match_word(r->kind));
		json_str(&j, "value", r->text);
		json_u64(&j, "line", r->pos.line);
		json_str(&j, "result", conf_tried_word(&k->row[i]));
		json_obj_end(&j);
	}
	json_arr_end(&j);
	json_obj_end(&j);
	json_end(&j);
}

static void
print_end(struct cli *c, const struct test *t)
{
	char id[CONF_ID_MAX * 4], text[CONF_ID_MAX * 4];
	const struct conf_trial *k = &t->trial;
	const struct conf_role *r = &k->got.role;

	bus_print_text(t->id, id, sizeof(id));
	if (k->err == ERR_STATE)
		fprintf(c->out, "%s: refused; two rules fit it equally well\n", id);
	else if (k->err == ERR_AGAIN)
		fprintf(c->out, "%s: the EAP identity decides; until then realm "
			"%s speaks.  Try --eap NAME\n", id, k->got.asks->name);
	else if (k->err != 0)
		fprintf(c->out, "%s: refused; no rule fits it\n", id);
	else if (r->peer == NULL)
		fprintf(c->out, "%s: realm %s, which has no peer for it: refused\n",
			id, r->realm->name);
	else
		fprintf(c->out, "%s: realm %s, peer %s, by <%s %s=\"%s\"> in line "
			"%u\n", id, r->realm->name, r->peer->name,
			r->is_peer ? "peer" : "match", conf_match_word(r->kind),
			bus_print_text(r->text, text, sizeof(text)), r->pos.line);
}

static int
answer_text(struct cli *c, const struct test *t)
{
	static const struct show_col cols[] = {
		{ "RULE", false, 20 }, { "REALM", false, 0 },
		{ "PEER", false, 8 }, { "LINE", true, 0 }, { "RESULT", false, 0 },
	};
	struct show_table *tab = show_table_new(cols, N_OF(cols));
	char text[CONF_ID_MAX * 4];

	if (tab == NULL)
		return cli_fail(c, CLI_FAILED, "memory", NULL, "out of memory");
	for (unsigned i = 0; i < t->trial.n; i++) {
		const struct conf_tried *w = &t->trial.row[i];
		enum show_tone tone = w->is_chosen ? SHOW_GOOD :
		    w->fit == CONF_FIT_NO ? SHOW_DIM : SHOW_PLAIN;

		show_cell(tab, tone, "%s %s %s", w->role.is_peer ? "peer" :
			  "match", conf_match_word(w->role.kind),
			  bus_print_text(w->role.text, text, sizeof(text)));
		show_cell(tab, tone, "%s", w->role.realm->name);
		show_cell(tab, tone, "%s", w->role.peer != NULL ?
			  w->role.peer->name : "-");
		show_cell(tab, tone, "%u", w->role.pos.line);
		show_cell(tab, tone, "%s", result(&t->trial, w));
	}
	show_table_print(&c->show, tab, 0);
	show_table_free(tab);
	print_end(c, t);
	return CLI_OK;
}

static int
test_run(struct cli *c, struct test *t)
{
	int status;

	if ((status = conf_file_open(c, t->config, &t->conf)) != CLI_OK ||
	    (status = who_read(c, t)) != CLI_OK)
		return status;
	if (conf_trial_init(&t->trial, t->conf, &t->who) != 0)
		return cli_fail(c, CLI_FAILED, "memory", NULL, "out of memory");
	if (c->is_json)
		answer_json(c, t);
	else if ((status = answer_text(c, t)) != CLI_OK)
		return status;
	return t->trial.err == 0 && t->trial.got.role.peer != NULL ? CLI_OK :
	    CLI_FAILED;
}

int
cmd_realm(struct cli *c, int argc, char **argv)
{
	struct test *t = calloc(1, sizeof(*t));
	int status;

	if (t == NULL)
		return cli_fail(c, CLI_FAILED, "memory", NULL, "out of memory");
	t->config = CLI_CONF;
	{
		const struct cli_opt opt[] = {
			{ 0, "cert", NULL, &t->cert }, { 0, "eap", NULL, &t->eap },
			{ 0, "own", NULL, &t->own },
			{ 'c', "config", NULL, &t->config },
		};

		argc = cli_opts(c, opt, N_OF(opt), argc, argv, 2);
	}
	if (argc < 0) {
		status = CLI_USAGE;
	} else if (argc != 2 || strcmp(argv[0], "test") != 0) {
		status = cli_fail(c, CLI_USAGE, "usage", "tapir help realm",
				  "realm wants: test ID");
	} else {
		t->id = argv[1];
		status = test_run(c, t);
	}
	conf_free(t->conf);
	conf_trial_fini(&t->trial);
	free(t);
	return status;
}
