/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/word.c - a password from a terminal or a file.
 */
#include "cli/word.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include "daemon/base/secret.h"

/* Signals that end or stop us while a terminal does not echo. */
static const int breaks[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP };
static volatile sig_atomic_t broken;

static void
on_break(int sig)
{
	broken = sig;
}

/* fgets() without what it needs to go on after a signal. */
static bool
line_take(FILE *in, char *out)
{
	struct sigaction now = { .sa_handler = on_break }, old[N_OF(breaks)];
	bool is_ok;

	broken = 0;
	for (unsigned i = 0; i < N_OF(breaks); i++)
		(void)sigaction(breaks[i], &now, &old[i]);
	is_ok = fgets(out, WORD_MAX, in) != NULL;
	for (unsigned i = 0; i < N_OF(breaks); i++)
		(void)sigaction(breaks[i], &old[i], NULL);
	return is_ok;
}

/* One line without echo; echo comes back before a signal does what it does. */
static bool
line_read(FILE *in, const char *prompt, char *out)
{
	bool is_tty = isatty(fileno(in)), is_ok, is_quiet = false;
	struct termios now, quiet;

	/* nothing of it is to stay in a buffer */
	(void)setvbuf(in, NULL, _IONBF, 0);
	do {
		if (is_tty) {
			fputs(prompt, stderr);
			is_quiet = tcgetattr(fileno(in), &now) == 0;
		}
		if (is_quiet) {
			quiet = now;
			quiet.c_lflag &= ~(tcflag_t)ECHO;
			(void)tcsetattr(fileno(in), TCSAFLUSH, &quiet);
		}
		is_ok = line_take(in, out);
		if (is_quiet)
			(void)tcsetattr(fileno(in), TCSAFLUSH, &now);
		if (is_tty)
			fputc('\n', stderr);
		if (broken != 0) {
			clearerr(in);
			(void)raise(broken);
		}
	} while (broken == SIGTSTP);	/* ... and somebody went on with us */
	out[is_ok ? strcspn(out, "\r\n") : 0] = '\0';
	return is_ok;
}

static int
read_any(struct cli *c, const char *file, char *out, bool is_new)
{
	size_t least = is_new ? WORD_MIN : 1;
	FILE *f = file != NULL ? fopen(file, "re") : stdin;
	char again[WORD_MAX] = "";
	bool is_ok, is_same = true;

	if (f == NULL)
		return cli_fail(c, CLI_FAILED, "file", errno == EACCES ?
				"run it as root" : NULL, "cannot read %s: %s",
				file, strerror(errno));
	is_ok = line_read(f, "password: ", out);
	if (is_new && is_ok && f == stdin && isatty(STDIN_FILENO))
		is_same = line_read(f, "again: ", again) &&
		    strcmp(out, again) == 0;
	wipe(again, sizeof(again));
	if (f != stdin)
		(void)fclose(f);
	if (!is_ok || strlen(out) < least)
		return cli_fail(c, CLI_FAILED, "password", NULL, "a password has "
				"%zu characters at least", least);
	return is_same ? CLI_OK : cli_fail(c, CLI_FAILED, "password", NULL,
					   "these two are not the same");
}

int
word_read(struct cli *c, const char *file, char *out)
{
	return read_any(c, file, out, true);
}

int
word_read_old(struct cli *c, const char *file, char *out)
{
	return read_any(c, file, out, false);
}
