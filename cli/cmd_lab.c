/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_lab.c - tapir demo and tapir lab: the words; the work is in lab/.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/lab/break.h"
#include "cli/lab/demo.h"
#include "cli/lab/lab.h"
#include "cli/lab/proc.h"
#include "daemon/base/str.h"

static int
wrong(struct cli *c, const char *text)
{
	char hint[200];

	snprintf(hint, sizeof(hint), "usage: tapir %s %s", c->cmd->name,
		 c->cmd->args);
	return cli_fail(c, CLI_USAGE, "usage", hint, "%s: %s", c->cmd->name, text);
}

/* --peer NAME -> flags; false when there is no such peer. */
static bool
peer_flags(const char *peer, bool is_ip, bool is_nat, unsigned *flags)
{
	*flags = (is_nat ? TOPO_NAT : TOPO_PLAIN) |
	    (is_ip ? TOPO_IP : TOPO_ETHER);
	if (peer == NULL || strcmp(peer, "tapir") == 0)
		return true;
	if (strcmp(peer, "strongswan") != 0)
		return false;
	*flags = (is_nat ? TOPO_NAT : TOPO_PLAIN) | TOPO_IP | LAB_STRONGSWAN;
	return true;
}

int
cmd_demo(struct cli *c, int argc, char **argv)
{
	bool is_once = false;
	const char *peer = NULL;
	unsigned flags;
	struct cli_opt opt[] = {
		{ 0, "once", &is_once, NULL },
		{ 0, "peer", NULL, &peer },
	};

	if (cli_opts(c, opt, N_OF(opt), argc, argv, 0) < 0)
		return CLI_USAGE;
	if (!peer_flags(peer, false, false, &flags))
		return wrong(c, "the peer is tapir or strongswan");
	return demo_run(c, flags | LAB_TIED, is_once);
}

/* ---- lab ---------------------------------------------------------------------- */

static int
lab_failed(struct cli *c, struct lab *l)
{
	return cli_fail(c, CLI_FAILED, "lab", *l->hint != '\0' ? l->hint : NULL,
			"lab: %s", l->why);
}

static void
lab_json(struct json *j, const struct lab *l)
{
	char run[256], ns[TOPO_NS_MAX];
	const char *node;
	unsigned i;

	json_str(j, "id", l->id);
	json_str(j, "mode", (l->flags & TOPO_IP) != 0 ? "ip" : "ether");
	json_bool(j, "nat", (l->flags & TOPO_NAT) != 0);
	json_str(j, "peer", (l->flags & LAB_STRONGSWAN) != 0 ? "strongswan" :
		 "tapir");
	json_str(j, "target", lab_target(l));
	json_arr(j, "nodes");
	for (i = 0; (node = topo_node(l->flags, i)) != NULL; i++) {
		bool is_gw = strcmp(node, "gw-a") == 0 ||
		    (strcmp(node, "gw-b") == 0 &&
		     (l->flags & LAB_STRONGSWAN) == 0);

		topo_ns(l->id, node, ns, sizeof(ns));
		lab_run_dir(l, node, run, sizeof(run));
		json_obj(j, NULL);
		json_str(j, "name", node);
		json_str(j, "netns", ns);
		json_str(j, "run_dir", is_gw ? run : "");
		json_obj_end(j);
	}
	json_arr_end(j);
}

static void
lab_text(struct cli *c, const struct lab *l)
{
	char run[256];

	lab_run_dir(l, "gw-a", run, sizeof(run));
	fprintf(c->out,
		"lab %s: %s%s, the other gateway is %s\n"
		"  tapir lab exec host-a ping %s\n"
		"  tapir --run-dir %s status\n"
		"  tapir lab down %s\n", l->id,
		(l->flags & TOPO_IP) != 0 ? "two networks" : "one Ethernet",
		(l->flags & TOPO_NAT) != 0 ? " behind a NAT" : "",
		(l->flags & LAB_STRONGSWAN) != 0 ? "strongSwan" : "tapir",
		lab_target(l), run, l->id);
}

static int
lab_up(struct cli *c, int argc, char **argv)
{
	bool is_ip = false, is_nat = false;
	const char *peer = NULL;
	struct json j;
	struct lab l = { 0 };
	unsigned flags;
	int err;
	struct cli_opt opt[] = {
		{ 0, "ip", &is_ip, NULL },
		{ 0, "nat", &is_nat, NULL },
		{ 0, "peer", NULL, &peer },
	};

	if (cli_opts(c, opt, N_OF(opt), argc, argv, 0) < 0)
		return CLI_USAGE;
	if (!peer_flags(peer, is_ip, is_nat, &flags))
		return wrong(c, "the peer is tapir or strongswan");
	if (lab_check(&l, flags) != 0)
		return lab_failed(c, &l);
	cli_catch();
	lab_sweep();
	if ((err = lab_build(&l, flags)) != 0 || (err = lab_start(&l)) != 0 ||
	    (err = lab_wait_up(&l, LAB_UP_MS)) != 0) {
		lab_failed(c, &l);
		lab_down(&l);
		return CLI_FAILED;
	}
	if (!c->is_json) {
		lab_text(c, &l);
		return CLI_OK;
	}
	json_init(&j, c->out);
	json_obj(&j, NULL);
	json_bool(&j, "ok", true);
	lab_json(&j, &l);
	json_obj_end(&j);
	json_end(&j);
	return CLI_OK;
}

static int
lab_list(struct cli *c, int argc, char **argv)
{
	struct json j;
	struct lab l;
	unsigned i;

	if (cli_opts(c, NULL, 0, argc, argv, 0) < 0)
		return CLI_USAGE;
	json_init(&j, c->out);
	if (c->is_json) {
		json_obj(&j, NULL);
		json_arr(&j, "labs");
	}
	for (i = 0; lab_at(i, &l); i++) {
		if (!c->is_json) {
			lab_text(c, &l);
			continue;
		}
		json_obj(&j, NULL);
		lab_json(&j, &l);
		json_obj_end(&j);
	}
	if (c->is_json) {
		json_arr_end(&j);
		json_obj_end(&j);
		json_end(&j);
	} else if (i == 0) {
		fprintf(c->out, "no lab is running; tapir lab up builds one\n");
	}
	return CLI_OK;
}

static int
lab_remove(struct cli *c, int argc, char **argv)
{
	struct json j;
	struct lab l;
	unsigned i, n = 0;

	if ((argc = cli_opts(c, NULL, 0, argc, argv, 1)) < 0)
		return CLI_USAGE;
	if (argc == 1 && lab_find(&l, argv[0]) != 0)
		return cli_fail(c, CLI_FAILED, "not-found",
				"tapir lab list shows what is running",
				"lab: there is no lab %s", argv[0]);
	cli_catch();
	json_init(&j, c->out);
	if (c->is_json) {
		json_obj(&j, NULL);
		json_bool(&j, "ok", true);
		json_arr(&j, "removed");
	}
	for (i = 0; argc == 1 ? n == 0 : lab_at(i, &l); ) {
		lab_down(&l);
		n++;
		if (c->is_json)
			json_str(&j, NULL, l.id);
		else
			fprintf(c->out, "lab %s is removed\n", l.id);
		if (access(l.dir, F_OK) == 0)
			i++;
	}
	if (c->is_json) {
		json_arr_end(&j);
		json_obj_end(&j);
		json_end(&j);
	} else if (n == 0) {
		fprintf(c->out, "no lab is running\n");
	}
	return CLI_OK;
}

/* The lab meant by --lab, or the only one. */
static int
lab_pick(struct cli *c, const char *id, struct lab *l)
{
	struct lab other;

	if (id != NULL && lab_find(l, id) != 0)
		return cli_fail(c, CLI_FAILED, "not-found",
				"tapir lab list shows what is running",
				"lab: there is no lab %s", id);
	if (id != NULL)
		return CLI_OK;
	if (!lab_at(0, l))
		return cli_fail(c, CLI_FAILED, "not-found", "tapir lab up",
				"lab: no lab is running");
	if (lab_at(1, &other))
		return cli_fail(c, CLI_FAILED, "which", "say which: --lab ID",
				"lab: several labs are running");
	return CLI_OK;
}

/* tapir on a gateway is the one that runs now, and finds the gateway's daemon. */
static void
lab_exec_here(const struct lab *l, const char *node, char **word)
{
	static char self[PROC_PATH_MAX];
	char run[256];

	lab_run_dir(l, node, run, sizeof(run));
	if (strncmp(node, "gw-", 3) == 0)
		setenv(CLI_RUN_ENV, run, 1);
	if (strcmp(*word, "tapir") == 0 &&
	    proc_find_ours("tapir", self, sizeof(self)))
		*word = self;
}

static int
lab_exec(struct cli *c, int argc, char **argv)
{
	const char *id = NULL, *node, *name[8], *near;
	char ns[TOPO_NS_MAX];
	char *run[PROC_ARG_MAX + 4] = { "ip", "netns", "exec", ns };
	struct lab l;
	unsigned i, n = 0;
	int status;

	if (argc >= 2 && strcmp(argv[0], "--lab") == 0) {
		id = argv[1];
		argc -= 2;
		argv += 2;
	}
	if (argc < 2)
		return wrong(c, "exec needs a node and a command");
	if (c->is_json)
		return wrong(c, "exec prints what the command prints, not JSON");
	if (argc - 1 >= PROC_ARG_MAX)
		return wrong(c, "too many words in the command");
	if ((status = lab_pick(c, id, &l)) != CLI_OK)
		return status;
	while ((node = topo_node(l.flags, n)) != NULL && n < N_OF(name)) {
		if (strcmp(node, argv[0]) == 0)
			break;
		name[n++] = node;
	}
	if (node == NULL) {
		near = str_closest(argv[0], name, n);
		return cli_fail(c, CLI_FAILED, "not-found", NULL,
				"lab: there is no node '%s'%s%s%s", argv[0],
				near != NULL ? "; did you mean '" : "",
				near != NULL ? near : "",
				near != NULL ? "'?" : "");
	}
	topo_ns(l.id, node, ns, sizeof(ns));
	for (i = 1; i < (unsigned)argc; i++)
		run[3 + i] = argv[i];
	run[3 + i] = NULL;
	lab_exec_here(&l, node, &run[4]);
	fflush(c->out);
	execvp("ip", run);
	return cli_fail(c, CLI_FAILED, "exec", NULL, "lab: cannot run ip: %s",
			strerror(errno));
}

/* ---- faults ------------------------------------------------------------------- */

static void
fault_text(struct cli *c, const struct lab *l, const struct lab_fault_info *f)
{
	char run[256];

	lab_run_dir(l, f->node, run, sizeof(run));
	fprintf(c->out, "%s\n  tapir --run-dir %s why %s\n  tapir lab mend\n",
		f->line, run, f->peer);
}

static void
fault_json(struct json *j, const struct lab *l, const struct lab_fault_info *f)
{
	char run[256];
	bool is_a;

	lab_run_dir(l, f->node, run, sizeof(run));
	json_str(j, "name", f->name);
	json_str(j, "line", f->line);
	json_str(j, "node", f->node);
	json_str(j, "peer", f->peer);
	json_str(j, "code", f->code);
	json_str(j, "run_dir", run);
	json_bool(j, "slow", f->is_slow);
	if (f->there == NULL)
		return;
	is_a = strcmp(f->node, "gw-a") == 0;
	lab_run_dir(l, is_a ? "gw-b" : "gw-a", run, sizeof(run));
	json_obj(j, "there");
	json_str(j, "node", is_a ? "gw-b" : "gw-a");
	json_str(j, "peer", is_a ? "tokyo" : "osaka");
	json_str(j, "code", f->there);
	json_str(j, "run_dir", run);
	json_obj_end(j);
}

/* What this lab can be broken by. */
static int
fault_list(struct cli *c, const struct lab *l)
{
	struct lab_fault_info f;
	struct json j;

	json_init(&j, c->out);
	if (c->is_json) {
		json_obj(&j, NULL);
		json_arr(&j, "faults");
	}
	for (unsigned i = 0; lab_fault_at(i, &f); i++) {
		if (!lab_fault_fits(i, l))
			continue;
		if (!c->is_json) {
			fprintf(c->out, "  %-16s %s\n", f.name, f.line);
			continue;
		}
		json_obj(&j, NULL);
		fault_json(&j, l, &f);
		json_obj_end(&j);
	}
	if (c->is_json) {
		json_arr_end(&j);
		json_obj_end(&j);
		json_end(&j);
	}
	return CLI_OK;
}

static int
break_failed(struct cli *c, struct lab *l, int err, const char *name)
{
	const char *word[64], *near;
	struct lab_fault_info f;
	char hint[120] = "tapir lab break shows what there is";
	unsigned n = 0;

	if (err != ERR_NOTFOUND && err != ERR_STATE)
		return lab_failed(c, l);
	while (n < N_OF(word) && lab_fault_at(n, &f))
		word[n++] = f.name;
	near = str_closest(name, word, n);
	if (err == ERR_NOTFOUND && near != NULL)
		snprintf(hint, sizeof(hint), "did you mean %s?", near);
	return cli_fail(c, CLI_FAILED, err == ERR_STATE ? "state" : "not-found",
			hint, err == ERR_STATE ? "lab: %s does not go with this "
			"kind of lab" : "lab: there is no fault %s", name);
}

static int
lab_put_in(struct cli *c, int argc, char **argv)
{
	const char *id = NULL;
	struct lab_fault_info f;
	struct json j;
	struct lab l;
	unsigned i = 0;
	int err, status;
	struct cli_opt opt[] = { { 0, "lab", NULL, &id } };

	if ((argc = cli_opts(c, opt, N_OF(opt), argc, argv, 1)) < 0)
		return CLI_USAGE;
	if ((status = lab_pick(c, id, &l)) != CLI_OK)
		return status;
	if (argc == 0)
		return fault_list(c, &l);
	cli_catch();
	if ((err = lab_break(&l, argv[0])) != 0)
		return break_failed(c, &l, err, argv[0]);
	while (lab_fault_at(i, &f) && strcmp(f.name, argv[0]) != 0)
		i++;
	if (!c->is_json) {
		fault_text(c, &l, &f);
		return CLI_OK;
	}
	json_init(&j, c->out);
	json_obj(&j, NULL);
	json_bool(&j, "ok", true);
	fault_json(&j, &l, &f);
	json_obj_end(&j);
	json_end(&j);
	return CLI_OK;
}

static int
lab_take_out(struct cli *c, int argc, char **argv)
{
	const char *id = NULL;
	struct json j;
	struct lab l;
	int status;
	struct cli_opt opt[] = { { 0, "lab", NULL, &id } };

	if (cli_opts(c, opt, N_OF(opt), argc, argv, 0) < 0)
		return CLI_USAGE;
	if ((status = lab_pick(c, id, &l)) != CLI_OK)
		return status;
	cli_catch();
	if (lab_mend(&l) != 0)
		return lab_failed(c, &l);
	if (!c->is_json) {
		fprintf(c->out, "lab %s is as it was built\n", l.id);
		return CLI_OK;
	}
	json_init(&j, c->out);
	json_obj(&j, NULL);
	json_bool(&j, "ok", true);
	json_str(&j, "id", l.id);
	json_obj_end(&j);
	json_end(&j);
	return CLI_OK;
}

int
cmd_lab(struct cli *c, int argc, char **argv)
{
	static const struct {
		const char *name;
		cli_cmd_fn *fn;
		bool is_open;		/* for everybody, not only root */
	} sub[] = {
		{ "up", lab_up, false },	{ "down", lab_remove, false },
		{ "list", lab_list, true }, { "exec", lab_exec, false },
		{ "break", lab_put_in, false }, { "mend", lab_take_out, false },
	};
	const char *name[N_OF(sub)], *near;
	unsigned i;

	if (argc == 0)
		return wrong(c, "up, down, list, exec, break or mend?");
	for (i = 0; i < N_OF(sub); i++) {
		name[i] = sub[i].name;
		if (strcmp(argv[0], sub[i].name) != 0)
			continue;
		if (!sub[i].is_open && geteuid() != 0)
			return cli_fail(c, CLI_FAILED, "not-permitted",
					"run it as root; tapir demo works "
					"without where user namespaces do",
					"lab: needs root");
		return sub[i].fn(c, argc - 1, argv + 1);
	}
	if ((near = str_closest(argv[0], name, N_OF(sub))) != NULL)
		return cli_fail(c, CLI_USAGE, "usage", NULL,
				"lab: unknown word '%s'; did you mean '%s'?",
				argv[0], near);
	return wrong(c, "there are up, down, list, exec, break and mend");
}
