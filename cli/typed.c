/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/typed.c - a password for a realm, from a person to tapir-secure.
 */
#include "cli/typed.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cli/local.h"
#include "cli/word.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"

#define ASKPASS_ENV "TAPIR_ASKPASS"

/* ---- tapir-secure -------------------------------------------------------------- */

int
typed_ask(const char *run_dir, const struct prompt_ask *q,
	  struct prompt_answer *a)
{
	uint8_t bytes[PROMPT_BYTES_MAX], out[PROMPT_BYTES_MAX];
	int n;

	if ((n = prompt_ask_enc(q, bytes, sizeof(bytes))) < 0)
		return n;
	n = local_ask(run_dir, PROMPT_SOCKET, bytes, (size_t)n, out,
		      sizeof(out));
	wipe(bytes, sizeof(bytes));
	return n < 0 ? n : prompt_answer_dec(out, (size_t)n, a);
}

/* ---- a person ------------------------------------------------------------------ */

/* The program to ask; NULL: the terminal. */
static const char *
program_of(const char *askpass)
{
	const char *env;

	if (askpass != NULL)
		return askpass;
	if (isatty(STDIN_FILENO))
		return NULL;
	env = getenv(ASKPASS_ENV);
	return env != NULL && *env != '\0' ? env : NULL;
}

bool
typed_can_ask(const char *askpass)
{
	return program_of(askpass) != NULL || isatty(STDIN_FILENO);
}

/* All that a program prints, up to the end of its first line. */
static void
line_take(int fd, char *out)
{
	size_t n = 0;
	ssize_t got;
	char more[64];

	while (n < PROMPT_WORD_MAX &&
	       (got = read(fd, out + n, PROMPT_WORD_MAX - n)) != 0) {
		if (got < 0 && errno != EINTR)
			break;
		n += got > 0 ? (size_t)got : 0;
	}
	while (read(fd, more, sizeof(more)) > 0)
		wipe(more, sizeof(more));	/* let it end by itself */
	wipe(more, sizeof(more));
	out[n] = '\0';
	n = strcspn(out, "\r\n");
	wipe(out + n, PROMPT_WORD_MAX + 1 - n);
}

static int
run(struct cli *c, const char *program, const char *what, char *out)
{
	int pipes[2], status = 0;
	pid_t pid;

	if (pipe(pipes) != 0 || (pid = fork()) < 0)
		return cli_fail(c, CLI_FAILED, "askpass", NULL, "cannot start "
				"%s: %s", program, strerror(errno));
	if (pid == 0) {
		(void)dup2(pipes[1], STDOUT_FILENO);
		close(pipes[0]);
		close(pipes[1]);
		execlp(program, program, what, (char *)NULL);
		_exit(127);
	}
	close(pipes[1]);
	line_take(pipes[0], out);
	close(pipes[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return CLI_OK;
	return cli_fail(c, CLI_FAILED, "askpass", NULL, WIFEXITED(status) &&
			WEXITSTATUS(status) == 127 ? "%s cannot be started" :
			"%s gave no password", program);
}

int
typed_read(struct cli *c, const char *askpass, const char *what, char *out)
{
	const char *program = program_of(askpass);
	char word[WORD_MAX] = "";
	int status;

	*out = '\0';
	if (program != NULL)
		return run(c, program, what, out);
	fprintf(stderr, "%s\n", what);
	status = word_read_old(c, NULL, word);
	if (status == CLI_OK)
		(void)str_copy(out, PROMPT_WORD_MAX + 1, word);
	wipe(word, sizeof(word));
	return status;
}
