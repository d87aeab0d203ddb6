/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/reload.h - another configuration while tunnels stand.
 *
 *   tapir reload        main role               supervisor
 *     | RELOAD            |                       |
 *     |------------------>| ASK                   |
 *     |                   |---------------------->| reads and checks the file,
 *     |                   |        CONF (text, channel)  starts a second secure
 *     |                   |<----------------------|      process with it
 *     |                   |  HELLO to that one    |
 *     | CHANGE ... DONE   |  apply, TAKEN         |
 *     |<------------------|---------------------->| lets the first one go
 *
 * Whatever fails before "apply" leaves all as it was.  The main role opens no
 * file: text and keys are the business of the other two.
 *
 * Thread: the loop.
 */
#ifndef TAPIR_CORE_RELOAD_H
#define TAPIR_CORE_RELOAD_H

#include "daemon/core/core.h"
#include "daemon/core/secure.h"

struct ctl_client;

struct reload_args {
	int sup_fd;			/* words to the supervisor */
	const char *conf_name;		/* borrowed for good */
	uid_t secure_uid;
	struct secure_cb cb;		/* of a secure process that is in use */
};

/** The configuration of a file without a name; fd is taken.  0 or an error that
 * was told on standard error. */
MUST_USE int reload_parse(int fd, const char *name, struct conf **out);

MUST_USE int reload_new(struct reload **out, struct vpn *v,
			const struct reload_args *a);
/** NULL is fine. */
void reload_free(struct reload *rl);
/** Commands RELOAD and CONFIRM of a client; it is answered later. */
void reload_ask(struct reload *rl, struct ctl_client *cl,
		const struct bus_rec *cmd);
/** The supervisor's word CONF, without its first byte; descriptors are taken,
 * -1 = none. */
void reload_conf(struct reload *rl, struct view word, int conf_fd, int chan_fd);
/** The same for WRITTEN. */
void reload_written(struct reload *rl, struct view word);
/** The same for AUDIT. */
void reload_audit(struct reload *rl, struct view word);
/** The same for SAY. */
void reload_said(struct reload *rl, struct view word);

/** apply.c: what goes: peers that are removed or begin anew.  Routes are
 * removed in the name of the secure process that set them. */
void apply_less(struct vpn *v, const struct conf *now);
/** What stays, and peers that come.  now is in force from here on and taken; the
 * former configuration is freed. */
void apply_more(struct vpn *v, struct conf *now);
/** Realms that come, also in place of one that went: its TAP must be gone.
 * @return how many cannot be set up (an event says why). */
unsigned apply_realms(struct vpn *v);

#endif
