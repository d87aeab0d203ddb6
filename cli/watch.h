/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/watch.h - a view that follows the daemon: drawn again when an event came,
 * and in between for the counters.
 */
#ifndef TAPIR_CLI_WATCH_H
#define TAPIR_CLI_WATCH_H

#include "cli/cli.h"

/** Draw the view into s->out, s->width columns.  @return CLI_OK or the exit
 * status, told to the user already. */
typedef int watch_fn(struct cli *c, struct show *s, void *ctx);

/**
 * Show a view until q, ^C or the daemon is gone.  On a terminal it takes the
 * screen and gives it back; else it is written again after each event.
 *
 * @return the exit status.
 */
int watch_run(struct cli *c, watch_fn *fn, void *ctx);

/** Lines of a text as they go on a screen of n_rows: each is ended by "clear to
 * the end of the line", too many give way to a line that says so.
 * @param out  borrowed. */
void watch_frame(FILE *out, const char *text, unsigned n_rows);

#endif
