/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/ask.h - one command to the daemon, with failures told to the user.
 */
#ifndef TAPIR_CLI_ASK_H
#define TAPIR_CLI_ASK_H

#include "cli/cli.h"
#include "cli/link.h"

/** Connect to the daemon of c->run_dir, or say why not and what to do.
 * @return CLI_OK or the exit status. */
MUST_USE int ask_open(struct cli *c, struct link *l);
/** What a broken answer means, told to the user.  @return the exit status. */
int ask_broken(struct cli *c, int err);
/** What FAILED says, told to the user.  @return the exit status. */
int ask_refused(struct cli *c, const struct bus_rec *end);

/**
 * Connect, send, read the whole answer; failures are told to the user.
 *
 * @param fn   called for each record of the answer; NULL = passed over.
 * @param end  the record DONE.
 * @return CLI_OK or the exit status.
 */
MUST_USE int ask(struct cli *c, struct bus_rec *cmd, link_row_fn *fn, void *ctx,
		 struct bus_rec *end);

/** The same for a command that does something; prints what DONE says, behind what
 * that is about. */
MUST_USE int ask_act(struct cli *c, struct bus_rec *cmd, const char *what);

/* Records kept of an answer, in their order. */
struct ask_list {
	struct bus_rec *rec;
	size_t n, cap;
	bool is_short;		/* no memory for all of them */
};
/** link_row_fn that keeps records; ctx is a struct ask_list. */
void ask_keep(void *ctx, const struct bus_rec *r);
void ask_list_fini(struct ask_list *a);

#endif
