/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cli.c - the command table, options, help.
 */
#include "cli/cli.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "cli/json.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus_text.h"

#ifndef TAPIR_VERSION
#define TAPIR_VERSION "unknown"
#endif

volatile sig_atomic_t cli_stopped;

static const struct cli_cmd table[] = {
#define CMD(name_, args_, line_, help_, fn_)                                   \
	{ name_, args_, line_, help_, fn_ },
#include "cli/cmd.def"
#undef CMD
};

const struct cli_cmd *
cli_cmd_at(unsigned i)
{
	return i < N_OF(table) ? &table[i] : NULL;
}

const struct cli_cmd *
cli_cmd_find(const char *name)
{
	unsigned i;

	for (i = 0; i < N_OF(table); i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

static const char *
closest_cmd(const char *word)
{
	const char *name[N_OF(table)];
	unsigned i;

	for (i = 0; i < N_OF(table); i++)
		name[i] = table[i].name;
	return str_closest(word, name, N_OF(table));
}

static void
on_signal(int sig)
{
	(void)sig;
	cli_stopped = 1;
}

void
cli_catch(void)
{
	static const int list[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction sa = { .sa_handler = on_signal };
	unsigned i;

	cli_stopped = 0;
	sigemptyset(&sa.sa_mask);
	for (i = 0; i < N_OF(list); i++)
		sigaction(list[i], &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int
cli_fail(struct cli *c, enum cli_status status, const char *code,
	 const char *hint, const char *fmt, ...)
{
	char raw[BUS_SENTENCE_MAX], text[BUS_SENTENCE_MAX];
	struct json j;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	if (c->is_json) {
		json_init(&j, c->out);
		json_obj(&j, NULL);
		json_bool(&j, "ok", false);
		json_str(&j, "code", code);
		json_str(&j, "text", raw);
		json_str(&j, "hint", hint != NULL ? hint : "");
		json_obj_end(&j);
		json_end(&j);
		return status;
	}
	fprintf(c->err, "tapir: %s\n", bus_print_text(raw, text, sizeof(text)));
	if (hint != NULL)
		fprintf(c->err, "       %s\n",
			bus_print_text(hint, text, sizeof(text)));
	return status;
}

int
cli_target(const char *text, char *realm, char *peer, char *lone)
{
	const char *slash = strchr(text, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - text);

	realm[0] = peer[0] = '\0';
	if (*text == '\0')
		return ERR_SYNTAX;
	if (slash == NULL)
		return str_copy(lone, CLI_NAME_MAX, text) ? 0 : ERR_LONG;
	if (n == 0 || slash[1] == '\0' || strchr(slash + 1, '/') != NULL)
		return ERR_SYNTAX;
	if (n >= CLI_NAME_MAX)
		return ERR_LONG;
	memcpy(realm, text, n);
	realm[n] = '\0';
	return str_copy(peer, CLI_NAME_MAX, slash + 1) ? 0 : ERR_LONG;
}

/* ---- options ---------------------------------------------------------------- */

static int bad_usage(struct cli *c, const char *fmt, ...) PRINTF(2, 3);

static int
bad_usage(struct cli *c, const char *fmt, ...)
{
	char text[BUS_SENTENCE_MAX], hint[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(hint, sizeof(hint), "usage: tapir %s %s", c->cmd->name,
		 c->cmd->args);
	cli_fail(c, CLI_USAGE, "usage", hint, "%s: %s", c->cmd->name, text);
	return -1;
}

/* The option a word names: "--peer", "--peer=x", "-f". */
static const struct cli_opt *
opt_find(const struct cli_opt *opt, unsigned n_opt, const char *word)
{
	unsigned i;

	for (i = 0; i < n_opt; i++) {
		size_t n = strlen(opt[i].name);

		if (word[1] != '-') {
			if (opt[i].letter == word[1] && word[2] == '\0')
				return &opt[i];
		} else if (strncmp(word + 2, opt[i].name, n) == 0 &&
			   (word[2 + n] == '\0' || word[2 + n] == '=')) {
			return &opt[i];
		}
	}
	return NULL;
}

static int
unknown_opt(struct cli *c, const struct cli_opt *opt, unsigned n_opt,
	    const char *word)
{
	const char *name[16], *near;
	unsigned i, n = 0;

	for (i = 0; i < n_opt && n < N_OF(name); i++)
		name[n++] = opt[i].name;
	near = word[1] == '-' ? str_closest(word + 2, name, n) : NULL;
	if (near != NULL)
		return bad_usage(c, "unknown option %s; did you mean --%s?",
				 word, near);
	return bad_usage(c, "unknown option %s", word);
}

int
cli_opts(struct cli *c, const struct cli_opt *opt, unsigned n_opt, int argc,
	 char **argv, int max)
{
	const struct cli_opt *o;
	bool is_done = false;
	const char *eq;
	int i, n = 0;

	for (i = 0; i < argc; i++) {
		if (is_done || argv[i][0] != '-' || argv[i][1] == '\0') {
			argv[n++] = argv[i];
			continue;
		}
		if (strcmp(argv[i], "--") == 0) {
			is_done = true;
			continue;
		}
		if ((o = opt_find(opt, n_opt, argv[i])) == NULL)
			return unknown_opt(c, opt, n_opt, argv[i]);
		eq = argv[i][1] == '-' ? strchr(argv[i], '=') : NULL;
		if (o->flag != NULL) {
			if (eq != NULL)
				return bad_usage(c, "--%s takes no value",
						 o->name);
			*o->flag = true;
		} else if (eq != NULL) {
			*o->value = eq + 1;
		} else if (i + 1 < argc) {
			*o->value = argv[++i];
		} else {
			return bad_usage(c, "--%s needs a value", o->name);
		}
	}
	if (n > max)
		return bad_usage(c, "'%s' is one word too many", argv[max]);
	return n;
}

/* ---- help ------------------------------------------------------------------- */

static void
usage(FILE *out)
{
	unsigned i;

	fputs("usage: tapir [--run-dir DIR] [--json] COMMAND\n\n", out);
	for (i = 0; i < N_OF(table); i++)
		fprintf(out, "  %-9s %s\n", table[i].name, table[i].line);
	fprintf(out,
		"\nOptions:\n"
		"  --run-dir DIR  the daemon with this run directory "
		"(default %s)\n"
		"  --json         print one JSON document\n"
		"\nMore about a command: tapir help COMMAND\n", CLI_RUN_DIR);
}

static void
help_one(FILE *out, const struct cli_cmd *cmd)
{
	const char *p = cmd->help;

	fprintf(out, "usage: tapir %s%s%s\n\n  %s\n", cmd->name,
		*cmd->args != '\0' ? " " : "", cmd->args, cmd->line);
	if (*p != '\0')
		fputc('\n', out);
	while (*p != '\0') {
		int n = (int)strcspn(p, "\n");

		fprintf(out, "  %.*s\n", n, p);
		p += n + (p[n] == '\n');
	}
}

static void
help_json(struct cli *c)
{
	struct json j;
	unsigned i;

	json_init(&j, c->out);
	json_obj(&j, NULL);
	json_arr(&j, "commands");
	for (i = 0; i < N_OF(table); i++) {
		json_obj(&j, NULL);
		json_str(&j, "name", table[i].name);
		json_str(&j, "args", table[i].args);
		json_str(&j, "line", table[i].line);
		json_str(&j, "help", table[i].help);
		json_obj_end(&j);
	}
	json_arr_end(&j);
	json_obj_end(&j);
	json_end(&j);
}

static int
unknown_cmd(struct cli *c, const char *word)
{
	const char *near = closest_cmd(word);

	if (near != NULL)
		return cli_fail(c, CLI_USAGE, "usage",
				"tapir help lists the commands",
				"unknown command '%s'; did you mean '%s'?",
				word, near);
	return cli_fail(c, CLI_USAGE, "usage", "tapir help lists the commands",
			"unknown command '%s'", word);
}

int
cmd_help(struct cli *c, int argc, char **argv)
{
	const struct cli_cmd *cmd;
	const char *shell = NULL;
	struct cli_opt opt[] = {
		{ 0, "completion", NULL, &shell },
	};

	if ((argc = cli_opts(c, opt, N_OF(opt), argc, argv, 1)) < 0)
		return CLI_USAGE;
	if (shell != NULL)
		return cli_complete(c->out, shell) == 0 ? CLI_OK :
		    cli_fail(c, CLI_USAGE, "usage", NULL,
			     "completion is for bash, zsh or fish");
	if (c->is_json) {
		help_json(c);
		return CLI_OK;
	}
	if (argc == 0) {
		usage(c->out);
		return CLI_OK;
	}
	if ((cmd = cli_cmd_find(argv[0])) == NULL)
		return unknown_cmd(c, argv[0]);
	help_one(c->out, cmd);
	return CLI_OK;
}

int
cmd_version(struct cli *c, int argc, char **argv)
{
	struct json j;

	if (cli_opts(c, NULL, 0, argc, argv, 0) < 0)
		return CLI_USAGE;
	if (!c->is_json) {
		fprintf(c->out, "tapir %s\n", TAPIR_VERSION);
		return CLI_OK;
	}
	json_init(&j, c->out);
	json_obj(&j, NULL);
	json_str(&j, "version", TAPIR_VERSION);
	json_obj_end(&j);
	json_end(&j);
	return CLI_OK;
}

/* ---- the command line ------------------------------------------------------- */

/* One global option at argv[0]: how many words it took, 0 when it is none,
 * -1 when it is wrong. */
static int
global_opt(struct cli *c, int argc, char **argv)
{
	if (strcmp(argv[0], "--json") == 0) {
		c->is_json = true;
		return 1;
	}
	if (strncmp(argv[0], "--run-dir=", 10) == 0) {
		c->run_dir = argv[0] + 10;
		return 1;
	}
	if (strcmp(argv[0], "--run-dir") != 0)
		return 0;
	if (argc < 2)
		return -1;
	c->run_dir = argv[1];
	return 2;
}

/* Global options are also taken behind the command, up to "--"; what follows
 * "lab exec" belongs to another program. */
static int
globals_behind(struct cli *c, int argc, char **argv)
{
	int i, n = 0, took;

	for (i = 0; i < argc;) {
		if (strcmp(argv[i], "--") == 0 ||
		    (c->cmd->fn == cmd_lab && strcmp(argv[i], "exec") == 0))
			break;
		if ((took = global_opt(c, argc - i, argv + i)) < 0)
			return -1;
		if (took == 0)
			argv[n++] = argv[i++];
		i += took;
	}
	while (i < argc)
		argv[n++] = argv[i++];
	return n;
}

int
cli_main(int argc, char **argv, FILE *out, FILE *err)
{
	const char *run_dir = getenv(CLI_RUN_ENV);
	struct cli c = { .out = out, .err = err, .run_dir = CLI_RUN_DIR };
	static const struct cli_cmd none = { "", "COMMAND", "", "", NULL };
	int i = 1, took;

	show_init(&c.show, out);
	c.cmd = &none;
	if (run_dir != NULL && *run_dir != '\0')
		c.run_dir = run_dir;
	for (; i < argc && argv[i][0] == '-'; i += took) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			usage(out);
			return CLI_OK;
		}
		if (strcmp(argv[i], "--version") == 0 ||
		    strcmp(argv[i], "-V") == 0)
			return cmd_version(&c, 0, NULL);
		took = global_opt(&c, argc - i, argv + i);
		if (took < 0)
			return cli_fail(&c, CLI_USAGE, "usage", NULL,
					"--run-dir needs a directory");
		if (took == 0)
			return cli_fail(&c, CLI_USAGE, "usage",
					"tapir help lists options and commands",
					"unknown option %s", argv[i]);
	}
	if (i >= argc) {
		if (c.is_json)
			return cli_fail(&c, CLI_USAGE, "usage", NULL,
					"no command given");
		usage(err);
		return CLI_USAGE;
	}
	if ((c.cmd = cli_cmd_find(argv[i])) == NULL)
		return unknown_cmd(&c, argv[i]);
	argc = globals_behind(&c, argc - i - 1, argv + i + 1);
	if (argc < 0)
		return cli_fail(&c, CLI_USAGE, "usage", NULL,
				"--run-dir needs a directory");
	if (argc > 0 && strcmp(argv[i + 1], "--help") == 0) {
		help_one(out, c.cmd);
		return CLI_OK;
	}
	return c.cmd->fn(&c, argc, argv + i + 1);
}
