/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/word.h - a password from a terminal or a file.
 */
#ifndef TAPIR_CLI_WORD_H
#define TAPIR_CLI_WORD_H

#include "cli/cli.h"

#define WORD_MAX 1024	/* of a password, with NUL */
#define WORD_MIN 8	/* characters of a new one; ours */

/**
 * Read a new password: asked for twice on a terminal, without echo.
 *
 * @param file its first line, or NULL: standard input.
 * @param out  WORD_MAX bytes; wipe() it, on failure too.
 * @return CLI_OK, or the exit status after the failure was told.
 */
MUST_USE int word_read(struct cli *c, const char *file, char *out);
/** A password that exists: asked for once, and as short as it is. */
MUST_USE int word_read_old(struct cli *c, const char *file, char *out);

#endif
