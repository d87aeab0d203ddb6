/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/scribe.h - the main role's end of the diary (daemon/diary/): it
 * is told all events and lines of the log, and asked for history.
 *
 * Events are read from the bus's ring, at the diary's pace; a diary that was
 * started again goes on where the one before stopped reading.  Lines are sent
 * at once; what the diary does not take goes to standard error.
 *
 * Thread: the loop; scribe_line() any.
 */
#ifndef TAPIR_CORE_SCRIBE_H
#define TAPIR_CORE_SCRIBE_H

#include "daemon/core/core.h"

struct ctl_client;
struct scribe;
struct bus_rec;

/** @param fd channel to the diary; taken, even on error. */
MUST_USE int scribe_new(struct scribe **out, struct vpn *v, int fd);
/** Where lines go by a configuration: to the diary, which writes the log, or to
 * standard error.  Also how much; log_set_level() was called before. */
void scribe_conf(struct scribe *s, const struct conf *c);
/** Lines go to standard error again.  NULL is fine. */
void scribe_free(struct scribe *s);
/** Another diary instead of one that ended; takes fd. */
void scribe_renew(struct scribe *s, int fd);
/** Does the diary write the log?  NULL is fine. */
bool scribe_has_sink(const struct scribe *s);
/** There are new events.  NULL is fine. */
void scribe_pump(struct scribe *s);
/** The command history: rows, then DONE or FAILED, come later. */
void scribe_ask(struct scribe *s, struct ctl_client *cl,
		const struct bus_rec *cmd);
/** A client is gone: what is on the way for it is thrown away. */
void scribe_forget(struct scribe *s, const struct ctl_client *cl);

#endif
