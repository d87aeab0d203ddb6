/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/word.c - a password from a terminal or a file.
 */
#include "cli/word.h"
#include <errno.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include "daemon/base/secret.h"

/* One line without echo. */
static bool
line_read(FILE *in, const char *prompt, char *out)
{
	bool is_tty = isatty(fileno(in));
	struct termios now, quiet;
	bool is_ok;

	if (is_tty) {
		fputs(prompt, stderr);
		if (tcgetattr(fileno(in), &now) == 0) {
			quiet = now;
			quiet.c_lflag &= ~(tcflag_t)ECHO;
			(void)tcsetattr(fileno(in), TCSAFLUSH, &quiet);
		}
	}
	is_ok = fgets(out, WORD_MAX, in) != NULL;
	if (is_tty) {
		(void)tcsetattr(fileno(in), TCSAFLUSH, &now);
		fputc('\n', stderr);
	}
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
