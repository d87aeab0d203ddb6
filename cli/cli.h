/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cli.h - what the commands of tapir share.
 *
 *   argv -> cli_main: global options, command table (cmd.def) -> handler
 *           handler: cli_opts(), link.h or conf.h, then show.h or json.h
 *
 * A handler prints its result on c->out and reports failure through
 * cli_fail(), which knows about --json.  Thread: one.
 */
#ifndef TAPIR_CLI_CLI_H
#define TAPIR_CLI_CLI_H

#include <signal.h>
#include <stdio.h>
#include "cli/show.h"
#include "daemon/base/base.h"

/* Exit status; a contract with scripts. */
enum cli_status {
	CLI_OK,			/* done */
	CLI_FAILED,		/* refused or failed */
	CLI_USAGE,		/* not a command we know */
	CLI_NO_DAEMON,		/* tapird is not running */
};

#define CLI_RUN_DIR  "/run/tapir"
#define CLI_RUN_ENV  "TAPIR_RUN_DIR" /* environment: another one */
#define CLI_CONF     "/etc/tapir/tapir.xml"
#define CLI_HELP_WIDTH 66	/* lines of help; the manual page indents them */
#define CLI_NAME_MAX 256	/* bytes of a realm's or peer's name; ours */

struct cli {
	FILE *out, *err;
	const char *run_dir;
	bool is_json;		/* exactly one JSON document on out */
	const struct cli_cmd *cmd;
	struct show show;	/* where tables go: c->out */
};

/** A command: argv holds what follows its name.  @return enum cli_status. */
typedef int cli_cmd_fn(struct cli *c, int argc, char **argv);

struct cli_cmd {
	const char *name;
	const char *args;	/* "[-w] [REALM[/PEER]]" */
	const char *line;	/* one line: what it does */
	const char *help;	/* the details, lines separated by \n */
	cli_cmd_fn *fn;
};

/** Row i of the command table, or NULL behind the last. */
const struct cli_cmd *cli_cmd_at(unsigned i);
const struct cli_cmd *cli_cmd_find(const char *name);

/* An option of a command: sets *flag, or *value when it takes one. */
struct cli_opt {
	char letter;		/* 0 = long form only */
	const char *name;	/* long form, without dashes */
	bool *flag;
	const char **value;
};

/**
 * Take the options out of argv, wherever they stand; the rest moves together.
 * "--" ends them.
 *
 * @param max  positional arguments permitted.
 * @return their number, or -1 after the usage was printed.
 */
MUST_USE int cli_opts(struct cli *c, const struct cli_opt *opt, unsigned n_opt,
		      int argc, char **argv, int max);

/**
 * Report a failure: on err as "tapir: text" and an indented hint, or with
 * --json as the one document {"ok":false,"code","text","hint"} on out.
 *
 * @param code  short stable word for scripts.
 * @param hint  what to do, or NULL.
 * @return status, for "return cli_fail(...)".
 */
int cli_fail(struct cli *c, enum cli_status status, const char *code,
	     const char *hint, const char *fmt, ...) PRINTF(5, 6);

/**
 * "REALM/PEER" -> both; without '/' the text goes to *lone*.
 *
 * @param lone  realm or peer: the buffer of a text without '/'; the other one
 *              is left empty.
 * @return 0, or ERR_SYNTAX / ERR_LONG.
 */
MUST_USE int cli_target(const char *text, char *realm, char *peer, char *lone);

/** Set by SIGINT, SIGTERM and SIGHUP once cli_catch() was called; every wait
 * looks at it. */
extern volatile sig_atomic_t cli_stopped;
void cli_catch(void);

/** The command line as a whole.  out and err are borrowed. */
int cli_main(int argc, char **argv, FILE *out, FILE *err);

/** Completion for a shell, "bash", "zsh" or "fish" (complete.c).  0 or
 * ERR_NOTFOUND. */
MUST_USE int cli_complete(FILE *out, const char *shell);

/* Handlers, one family a file. */
cli_cmd_fn cmd_check;				/* cmd_check.c */
cli_cmd_fn cmd_status;				/* cmd_status.c */
cli_cmd_fn cmd_why;				/* cmd_why.c */
cli_cmd_fn cmd_up, cmd_down, cmd_rekey, cmd_confirm, cmd_drain; /* cmd_act.c */
cli_cmd_fn cmd_get, cmd_set, cmd_schema;	/* cmd_set.c */
cli_cmd_fn cmd_init;				/* cmd_init.c */
cli_cmd_fn cmd_reload;				/* cmd_reload.c */
cli_cmd_fn cmd_log;				/* cmd_log.c */
cli_cmd_fn cmd_ping;				/* cmd_ping.c */
cli_cmd_fn cmd_netcheck;			/* cmd_netcheck.c */
cli_cmd_fn cmd_history;				/* cmd_history.c */
cli_cmd_fn cmd_hub;				/* cmd_hub.c */
cli_cmd_fn cmd_stats;				/* cmd_stats.c */
cli_cmd_fn cmd_metrics;				/* cmd_metrics.c */
cli_cmd_fn cmd_capture;				/* cmd_capture.c */
cli_cmd_fn cmd_realm;				/* cmd_realm.c */
cli_cmd_fn cmd_user;				/* cmd_user.c */
cli_cmd_fn cmd_invite;				/* cmd_invite.c */
cli_cmd_fn cmd_join;				/* cmd_join.c */
cli_cmd_fn cmd_bugreport;			/* cmd_bugreport.c */
cli_cmd_fn cmd_ca;				/* cmd_ca.c */
cli_cmd_fn cmd_web;				/* cmd_web.c */
cli_cmd_fn cmd_lab, cmd_demo;			/* cmd_lab.c */
cli_cmd_fn cmd_help, cmd_version;		/* cli.c */

#endif
