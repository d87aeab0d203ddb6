/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/status.h - the forms of tapir status; the lab shows them too.
 */
#ifndef TAPIR_CLI_STATUS_H
#define TAPIR_CLI_STATUS_H

#include "cli/ask.h"

/** The document of --json: {"realms":[{...,"peers":[{...}]}]}. */
void status_json(FILE *out, const struct ask_list *a);
/** A table a realm. */
void status_table(const struct show *s, const struct ask_list *a);
/** Everything about one peer. */
void status_peer(const struct show *s, const struct bus_rec *p);
/** One of its ESP SAs, as a line below. */
void status_child(const struct show *s, const struct bus_rec *c);

#endif
