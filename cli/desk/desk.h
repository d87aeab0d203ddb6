/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/desk/desk.h - one question to the desk, and its answer.
 *
 * Thread: one.  Takes file 0 for the password, if there is one.
 */
#ifndef TAPIR_CLI_DESK_DESK_H
#define TAPIR_CLI_DESK_DESK_H

#include "cli/desk/words.h"

struct desk_answer {
	struct bus_rec rec;	/* BUS_RES_DESK, without a tag */
	uint8_t *doc;		/* what the command printed, or made */
	size_t len;
};

/**
 * Do what is asked.  Whatever comes of it is the answer: its code is done, proof (it
 * was not done, for nobody proved who he is) or failed, and then the document says
 * why, as tapir --json does.
 *
 * @param cmd BUS_CMD_DESK.
 * @param out desk_answer_free() it.
 * @return 0 or ERR_NOMEM.
 */
MUST_USE int desk_run(const struct bus_rec *cmd, const struct desk_place *at,
		      struct desk_answer *out);
/** Wipe and free. */
void desk_answer_free(struct desk_answer *a);

#endif
