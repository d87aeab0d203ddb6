/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/audit.h - who changed what, from what to what: events of the
 * classes BUS_AUDIT_ADMIN and BUS_AUDIT_CONF.
 *
 * Thread: the loop.
 */
#ifndef TAPIR_CORE_AUDIT_H
#define TAPIR_CORE_AUDIT_H

#include "daemon/core/core.h"

struct ctl_client;

#define AUDIT_STATES_MAX 128	/* bytes of audit_states() */

/** What some links are now: "up", or of several "2 up, 1 down".  out has
 * AUDIT_STATES_MAX bytes; returned. */
const char *audit_states(struct vpn *v, const uint32_t *link, unsigned n,
			 char *out);
/** A command of a user.  before, after: may be empty. */
void audit_command(struct vpn *v, const struct ctl_client *cl,
		   const struct bus_rec *cmd, const char *before,
		   const char *after, const char *text);
/** What a new configuration changes, a change an event; a great many are cut
 * short, and it is said. */
void audit_conf(struct vpn *v, const struct conf *old, const struct conf *now);

#endif
