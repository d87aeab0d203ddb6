/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/typed.h - a password for a realm, from a person to tapir-secure.
 */
#ifndef TAPIR_CLI_TYPED_H
#define TAPIR_CLI_TYPED_H

#include "cli/cli.h"
#include "daemon/ipc/prompt.h"

/**
 * Put one question to tapir-secure.
 *
 * @return 0; ERR_NOTFOUND (nobody listens), ERR_PERM, ERR_CLOSED (refused or
 *         gone), ERR_TIMEOUT, ERR_LONG, ERR_SYS.
 */
MUST_USE int typed_ask(const char *run_dir, const struct prompt_ask *q,
		       struct prompt_answer *a);

/** Is there somebody to be asked: a program, or a terminal? */
bool typed_can_ask(const char *askpass);
/**
 * Ask a person.
 *
 * @param askpass program that prints the answer; NULL: TAPIR_ASKPASS when there is
 *                no terminal.
 * @param what    the question.
 * @param out     PROMPT_WORD_MAX + 1 bytes; wipe() it, on failure too.
 * @return CLI_OK, or the exit status after the failure was told.
 */
MUST_USE int typed_read(struct cli *c, const char *askpass, const char *what,
			char *out);

#endif
