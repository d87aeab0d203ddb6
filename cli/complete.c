/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/complete.c - completion for bash, zsh and fish, from the command table.
 *
 * What stands in a command's arguments and help is what it takes: --words are
 * its options, a word in capitals behind one is its value, lists like
 * ports|mac|arp are words, PEER and REALM are names tapird knows, FILE is a file.
 */
#include <string.h>
#include "cli/cli.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"

#define OPTS_MAX  32	/* options of one command; ours */
#define WORDS_MAX 512	/* bytes of the words of one command or option; ours */
#define WORD_MAX  40

/* What may stand where. */
enum takes {
	TAKES_NOTHING,
	TAKES_VALUE,		/* nothing that could be listed, or its words */
	TAKES_NAMES,		/* of realms and peers */
	TAKES_FILES,
};
struct opt {
	char name[WORD_MAX];	/* without -- */
	enum takes takes;
	char words[WORDS_MAX];	/* " a b " */
};
struct use {
	struct opt opt[OPTS_MAX];
	unsigned n_opt;
	char words[WORDS_MAX];
	bool has_names, has_files;
};

/* Values that the table shows by a letter. */
static const struct {
	const char *cmd, *opt, *words;
} known[] = {
	{ "log", "level", " error warn notice info " },
	{ "log", "component", " tapird conf realm ike esp hub " },
	{ "web", "role", " admin operator viewer " },
	{ "ca", "type", " p256 p384 ed25519 " },
	{ "invite", "as", " tapir apple windows android " },
	{ "help", "completion", " bash zsh fish " },
};

static bool
is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

static bool
is_capital(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* Add a word once. */
static void
add(char *words, const char *p, size_t n)
{
	char one[WORD_MAX + 3] = " ";

	if (n == 0 || n > WORD_MAX)
		return;
	memcpy(one + 1, p, n);
	memcpy(one + 1 + n, " ", 2);
	if (strstr(words, one) != NULL)
		return;
	if (*words == '\0')
		str_add(words, WORDS_MAX, " ");
	str_add(words, WORDS_MAX, "%s", one + 1);
}

/* Words of lists like [ike|child], unless they are the value of an option. */
static void
add_choices(char *words, const char *p, const char *end)
{
	const char *opt = NULL;	/* where the value of an option would begin */
	size_t n;

	for (const char *from = p; p < end; p += n > 0 ? n : 1) {
		for (n = 0; p + n < end && is_word(p[n]); n++)
			;
		if (n > 2 && strncmp(p, "--", 2) == 0)
			opt = p + n + 1;
		if (opt != NULL && (p == opt || (p > opt && p[-1] == '|' &&
		    memchr(opt, ' ', (size_t)(p - opt)) == NULL &&
		    memchr(opt, ']', (size_t)(p - opt)) == NULL)))
			continue;
		if (n > 0 && *p != '-' && ((p + n < end && p[n] == '|') ||
		    (p > from && p[-1] == '|')))
			add(words, p, n);
	}
}

static struct opt *
opt_at(struct use *u, const char *name, size_t n)
{
	for (unsigned i = 0; i < u->n_opt; i++)
		if (strlen(u->opt[i].name) == n &&
		    strncmp(u->opt[i].name, name, n) == 0)
			return &u->opt[i];
	if (u->n_opt == OPTS_MAX || n >= WORD_MAX)
		return NULL;
	str_add(u->opt[u->n_opt].name, WORD_MAX, "%.*s", (int)n, name);
	return &u->opt[u->n_opt++];
}

/* What stands behind "--name ". */
static void
value_of(struct opt *o, const char *p, bool is_in_brackets)
{
	size_t n = strcspn(p, " ].,;:\n");

	if (is_capital(*p)) {
		if (n == 4 && strncmp(p, "FILE", n) == 0)
			o->takes = TAKES_FILES;
		else if (n == 3 && strncmp(p, "DIR", n) == 0)
			o->takes = TAKES_FILES;
		else if (strcmp(o->name, "realm") == 0 ||
			 strcmp(o->name, "peer") == 0)
			o->takes = TAKES_NAMES;
		else if (o->takes == TAKES_NOTHING)
			o->takes = TAKES_VALUE;
	} else if (is_in_brackets && is_word(*p) && *p != '-') {
		o->takes = TAKES_VALUE;
		if (memchr(p, '|', n) != NULL)
			add_choices(o->words, p, p + n);
		else
			add(o->words, p, n);
	}
}

/* Words like --name, with what they take. */
static void
add_opts(struct use *u, const char *text)
{
	size_t n;

	for (const char *p = text; (p = strstr(p, "--")) != NULL; p += n) {
		struct opt *o;

		for (n = 2; is_word(p[n]); n++)
			;
		if (n <= 2 || (p > text && is_word(p[-1])) ||
		    strncmp(p, "--json", n) == 0)
			continue;
		if ((o = opt_at(u, p + 2, n - 2)) != NULL && p[n] == ' ')
			value_of(o, p + n + 1, p > text && p[-1] == '[');
	}
}

static void
add_commands(struct use *u)
{
	const struct cli_cmd *cmd;

	for (unsigned i = 0; (cmd = cli_cmd_at(i)) != NULL; i++)
		add(u->words, cmd->name, strlen(cmd->name));
}

static void
use_of(const struct cli_cmd *cmd, struct use *u)
{
	*u = (struct use){ 0 };
	add_choices(u->words, cmd->args, cmd->args + strlen(cmd->args));
	add_opts(u, cmd->args);
	add_opts(u, cmd->help);
	if (strcmp(cmd->args, "[COMMAND]") == 0)
		add_commands(u);
	u->has_names = strstr(cmd->args, "PEER") != NULL ||
	    strstr(cmd->args, "REALM") != NULL;
	u->has_files = strstr(cmd->args, "FILE") != NULL;
	for (unsigned k = 0; k < N_OF(known); k++) {
		struct opt *o;

		if (strcmp(known[k].cmd, cmd->name) != 0)
			continue;
		o = opt_at(u, known[k].opt, strlen(known[k].opt));
		if (o != NULL)
			str_copy(o->words, sizeof(o->words), known[k].words);
	}
}

static void
all_commands(FILE *out)
{
	const struct cli_cmd *cmd;

	for (unsigned i = 0; (cmd = cli_cmd_at(i)) != NULL; i++)
		fprintf(out, "%s ", cmd->name);
}

/* Rows of a case statement of bash and zsh. */
static void
rows(FILE *out)
{
	const struct cli_cmd *cmd;
	struct use u;

	fputs("\tcase \"$cmd $prev\" in\n\t*' --run-dir') files=1 ;;\n", out);
	for (unsigned i = 0; (cmd = cli_cmd_at(i)) != NULL; i++) {
		use_of(cmd, &u);
		for (unsigned k = 0; k < u.n_opt; k++) {
			const struct opt *o = &u.opt[k];

			if (o->takes == TAKES_NOTHING && *o->words == '\0')
				continue;
			fprintf(out, "\t'%s --%s') list='%s'%s ;;\n", cmd->name,
				o->name, o->words, o->takes == TAKES_NAMES ?
				" names=1" : o->takes == TAKES_FILES ?
				" files=1" : "");
		}
	}
	fputs("\t' '*) list='", out);
	all_commands(out);
	fputs("--json --run-dir --help --version' ;;\n", out);
	for (unsigned i = 0; (cmd = cli_cmd_at(i)) != NULL; i++) {
		use_of(cmd, &u);
		fprintf(out, "\t'%s '*) list='%s", cmd->name,
			*u.words != '\0' ? u.words + 1 : "");
		for (unsigned k = 0; k < u.n_opt; k++)
			fprintf(out, "--%s ", u.opt[k].name);
		fprintf(out, "--json --run-dir'%s%s ;;\n",
			u.has_names ? " names=1" : "",
			u.has_files ? " files=1" : "");
	}
	fputs("\tesac\n", out);
}

static void
bash(FILE *out)
{
	fputs("# Written by: tapir help --completion bash\n"
	      "_tapir()\n{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} list= names= files= i cmd=\n"
	      "\tlocal prev=${COMP_WORDS[COMP_CWORD - 1]} dir=\n"
	      "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "\t\tcase ${COMP_WORDS[i]} in\n"
	      "\t\t--run-dir) dir=${COMP_WORDS[++i]} ;;\n"
	      "\t\t-*) ;;\n"
	      "\t\t*) cmd=${cmd:-${COMP_WORDS[i]}} ;;\n"
	      "\t\tesac\n\tdone\n", out);
	rows(out);
	fputs("\tif [[ -n $names ]]; then\n"
	      "\t\tlist+=\" $(tapir ${dir:+--run-dir \"$dir\"} status --names "
	      "2>/dev/null)\"\n\tfi\n"
	      "\tCOMPREPLY=($(compgen -W \"$list\" -- \"$cur\"))\n"
	      "\tif [[ -n $files ]]; then\n"
	      "\t\tcompopt -o filenames 2>/dev/null\n"
	      "\t\tCOMPREPLY+=($(compgen -f -- \"$cur\"))\n\tfi\n}\n"
	      "complete -F _tapir tapir\n", out);
}

static void
zsh(FILE *out)
{
	fputs("#compdef tapir\n# Written by: tapir help --completion zsh\n"
	      "_tapir() {\n"
	      "\tlocal list= names= files= i cmd= dir=\n"
	      "\tlocal prev=$words[CURRENT-1]\n"
	      "\tfor ((i = 2; i < CURRENT; i++)); do\n"
	      "\t\tcase $words[i] in\n"
	      "\t\t--run-dir) dir=$words[++i] ;;\n"
	      "\t\t-*) ;;\n"
	      "\t\t*) cmd=${cmd:-$words[i]} ;;\n"
	      "\t\tesac\n\tdone\n", out);
	rows(out);
	fputs("\t[[ -n $names ]] && list+=\" $(tapir ${dir:+--run-dir} "
	      "${dir:+$dir} status --names 2>/dev/null)\"\n"
	      "\tcompadd -- ${=list}\n"
	      "\t[[ -n $files ]] && _files\n"
	      "\treturn 0\n}\n"
	      "_tapir \"$@\"\n", out);
}

/* In single quotes. */
static void
quoted(FILE *out, const char *text)
{
	fputc('\'', out);
	for (; *text != '\0'; text++) {
		if (*text == '\'' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('\'', out);
}

static void
fish_cmd(FILE *out, const struct cli_cmd *cmd)
{
	struct use u;

	use_of(cmd, &u);
	fprintf(out, "complete -c tapir -n __fish_use_subcommand -a %s -d ",
		cmd->name);
	quoted(out, cmd->line);
	fputc('\n', out);
	if (*u.words != '\0' || u.has_names)
		fprintf(out, "complete -c tapir -n '__fish_seen_subcommand_from "
			"%s' -a '%s%s'\n", cmd->name, u.words,
			u.has_names ? " (__tapir_names)" : "");
	if (u.has_files)
		fprintf(out, "complete -c tapir -n '__fish_seen_subcommand_from "
			"%s' -F\n", cmd->name);
	for (unsigned k = 0; k < u.n_opt; k++) {
		const struct opt *o = &u.opt[k];

		fprintf(out, "complete -c tapir -n '__fish_seen_subcommand_from "
			"%s' -l %s", cmd->name, o->name);
		if (o->takes == TAKES_FILES)
			fputs(" -r -F", out);
		else if (o->takes == TAKES_NAMES)
			fputs(" -x -a '(__tapir_names)'", out);
		else if (o->takes == TAKES_VALUE || *o->words != '\0')
			fprintf(out, " -x -a '%s'", o->words);
		fputc('\n', out);
	}
}

static void
fish(FILE *out)
{
	const struct cli_cmd *cmd;

	fputs("# Written by: tapir help --completion fish\n"
	      "function __tapir_names\n"
	      "    set -l words (commandline -opc)\n"
	      "    set -l dir\n"
	      "    if set -l at (contains -i -- --run-dir $words)\n"
	      "        set dir --run-dir $words[(math $at + 1)]\n"
	      "    end\n"
	      "    tapir $dir status --names 2>/dev/null\n"
	      "end\n"
	      "complete -c tapir -f\n"
	      "complete -c tapir -l json -d 'one JSON document'\n"
	      "complete -c tapir -l run-dir -r -F -d 'the daemon with this run "
	      "directory'\n", out);
	for (unsigned i = 0; (cmd = cli_cmd_at(i)) != NULL; i++)
		fish_cmd(out, cmd);
}

int
cli_complete(FILE *out, const char *shell)
{
	if (strcmp(shell, "bash") == 0)
		bash(out);
	else if (strcmp(shell, "zsh") == 0)
		zsh(out);
	else if (strcmp(shell, "fish") == 0)
		fish(out);
	else
		return ERR_NOTFOUND;
	return 0;
}
