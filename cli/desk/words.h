/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/desk/words.h - what may be asked of the desk, and which command does it.
 *
 *   record "desk" -> row of the table -> words of a command line, put together
 *   here of values that were checked; none of them comes from outside as it is
 *
 * Pure.  Thread: any.
 */
#ifndef TAPIR_CLI_DESK_WORDS_H
#define TAPIR_CLI_DESK_WORDS_H

#include "cli/cli.h"
#include "daemon/bus/bus.h"

#define DESK_WORDS_MAX 40	/* of a command line, with NULL; ours */
#define DESK_TEXT_MAX  4096	/* bytes of what is put together; ours */

/* Where the files are. */
struct desk_place {
	const char *config, *keys;
	bool is_closed;		/* <web edit="no">: nothing is changed */
	bool is_proved;		/* who asks proved lately who he is */
};

struct desk_row;

/* A command line. */
struct desk_line {
	cli_cmd_fn *fn;
	const char *cmd;	/* its name in the table of commands */
	int argc;
	char *argv[DESK_WORDS_MAX];
	char text[DESK_TEXT_MAX]; /* what argv points into */
	size_t n_text;
	bool is_change;		/* files are written */
	bool is_secret;		/* the answer holds a secret: it has to be sealed */
	bool is_file;		/* the answer is a file, to be fetched by a link */
	const char *why;	/* a sentence when it cannot be done */
};

/**
 * Put together what is to be run.
 *
 * @param cmd BUS_CMD_DESK; its password is not looked at but for being there: it
 *            comes to the command as file 0.
 * @param out argv is terminated by NULL; on failure out->why says what is wrong.
 * @return 0; ERR_NOTFOUND: no such word; ERR_SYNTAX: a value is missing, or is
 *         none; ERR_LONG; ERR_PERM: the place is closed; ERR_PROOF: it changes
 *         something, and nobody proved who he is.
 */
MUST_USE int desk_line(const struct bus_rec *cmd, const struct desk_place *at,
		       struct desk_line *out);

#endif
