/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/complete.c - completion for bash, zsh and fish, from the command table.
 *
 * Options of a command are the words that begin with -- in its arguments and
 * in its help; of lists like ports|mac|arp the words, too.
 */
#include <string.h>
#include "cli/cli.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"

#define WORDS_MAX 1024	/* bytes of the words of one command; ours */
#define WORD_MAX  40

static bool
is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
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

/* Words like --name. */
static void
add_long(char *words, const char *text)
{
	size_t n;

	for (const char *p = text; (p = strstr(p, "--")) != NULL; p += n) {
		for (n = 2; is_word(p[n]); n++)
			;
		if (n > 2 && (p == text || !is_word(p[-1])))
			add(words, p, n);
	}
}

/* Words of lists like [ike|child]. */
static void
add_choices(char *words, const char *args)
{
	size_t n;

	for (const char *p = args; *p != '\0'; p += n > 0 ? n : 1) {
		for (n = 0; is_word(p[n]); n++)
			;
		if (n > 0 && *p != '-' && (p[n] == '|' ||
		    (p > args && p[-1] == '|')))
			add(words, p, n);
	}
}

static void
words_of(const struct cli_cmd *cmd, char *words)
{
	words[0] = '\0';
	add_choices(words, cmd->args);
	add_long(words, cmd->args);
	add_long(words, cmd->help);
	add(words, "--json", 6);
	add(words, "--run-dir", 9);
}

static void
all_commands(FILE *out)
{
	const struct cli_cmd *cmd;

	for (unsigned i = 0; (cmd = cli_cmd_at(i)) != NULL; i++)
		fprintf(out, "%s%s", i > 0 ? " " : "", cmd->name);
}

static void
cases(FILE *out, const char *indent, const char *var)
{
	const struct cli_cmd *cmd;
	char words[WORDS_MAX];

	for (unsigned i = 0; (cmd = cli_cmd_at(i)) != NULL; i++) {
		words_of(cmd, words);
		fprintf(out, "%s%s) %s='%s' ;;\n", indent, cmd->name, var,
			words);
	}
}

static void
bash(FILE *out)
{
	fputs("# Written by: tapir help --completion bash\n"
	      "_tapir()\n{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} words i cmd=\n"
	      "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "\t\tcase ${COMP_WORDS[i]} in\n"
	      "\t\t--run-dir) ((i++)) ;;\n"
	      "\t\t-*) ;;\n"
	      "\t\t*) cmd=${COMP_WORDS[i]}; break ;;\n"
	      "\t\tesac\n\tdone\n"
	      "\tcase $cmd in\n\t'') words='", out);
	all_commands(out);
	fputs(" --json --run-dir --help --version' ;;\n", out);
	cases(out, "\t", "words");
	fputs("\t*) words= ;;\n\tesac\n"
	      "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
	      "complete -o default -F _tapir tapir\n", out);
}

static void
zsh(FILE *out)
{
	fputs("#compdef tapir\n# Written by: tapir help --completion zsh\n"
	      "local list cmd i\n"
	      "for ((i = 2; i < CURRENT; i++)); do\n"
	      "\tcase $words[i] in\n"
	      "\t--run-dir) ((i++)) ;;\n"
	      "\t-*) ;;\n"
	      "\t*) cmd=$words[i]; break ;;\n"
	      "\tesac\ndone\ncase $cmd in\n'') list='", out);
	all_commands(out);
	fputs(" --json --run-dir --help --version' ;;\n", out);
	cases(out, "", "list");
	fputs("*) list= ;;\nesac\n"
	      "compadd -- ${=list}\n"
	      "[[ -n $cmd ]] && _files\n", out);
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
fish(FILE *out)
{
	const struct cli_cmd *cmd;
	char words[WORDS_MAX], word[WORD_MAX + 1];

	fputs("# Written by: tapir help --completion fish\n"
	      "complete -c tapir -l json -d 'one JSON document'\n"
	      "complete -c tapir -l run-dir -r -d 'the daemon with this run "
	      "directory'\n", out);
	for (unsigned i = 0; (cmd = cli_cmd_at(i)) != NULL; i++) {
		fprintf(out, "complete -c tapir -n __fish_use_subcommand -a %s "
			"-d ", cmd->name);
		quoted(out, cmd->line);
		fputc('\n', out);
		words_of(cmd, words);
		for (const char *p = words; sscanf(p, "%40s", word) == 1;
		     p = strstr(p, word) + strlen(word))
			if (strcmp(word, "--json") != 0 &&
			    strcmp(word, "--run-dir") != 0)
				fprintf(out, "complete -c tapir -n "
					"'__fish_seen_subcommand_from %s' %s %s\n",
					cmd->name, *word == '-' ? "-l" : "-a",
					*word == '-' ? word + 2 : word);
	}
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
