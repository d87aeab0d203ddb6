/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/ipc/visit.h - questions of people of this machine, over a Unix socket that
 * listens (SOCK_SEQPACKET): one datagram in, one out.
 *
 *   connect --> what the kernel says of it: root, or the owner? --> ask()
 *                                           somebody else       --> closed
 *
 * Descriptors that somebody sends along are not received.  What is no question closes
 * the connection; of too many the one that said nothing for longest goes.
 *
 * Thread: the one of the loop that polls.
 */
#ifndef TAPIR_IPC_VISIT_H
#define TAPIR_IPC_VISIT_H

#include <sys/types.h>
#include "daemon/base/base.h"

#define VISIT_MAX	8		/* connections at a time; ours */
#define VISIT_FDS	(VISIT_MAX + 1)	/* poll entries at most */
#define VISIT_BYTES_MAX 2048		/* of a datagram; ours */

struct pollfd;
struct visit;

/* Who asks. */
struct visit_who {
	uid_t uid;
	bool is_super;		/* the supervisor made this connection */
};

struct visit_ops {
	void *ctx;
	/** A datagram.  @return bytes of the answer in out, or < 0: hang up. */
	int (*ask)(void *ctx, const struct visit_who *who, const uint8_t *p,
		   size_t len, uint8_t out[VISIT_BYTES_MAX]);
};

/**
 * @param fd    listening, borrowed.
 * @param owner who may ask besides root.
 * @param super the supervisor: a connection of its own takes no other's place and
 *              keeps its own; 0 = it has none.
 * @return 0 or ERR_NOMEM.
 */
MUST_USE int visit_new(struct visit **out, const struct visit_ops *ops, int fd,
		       uid_t owner, pid_t super);
/** NULL is fine. */
void visit_free(struct visit *v);
/** Fill poll entries, VISIT_FDS at most.  @return how many. */
unsigned visit_poll(const struct visit *v, struct pollfd *p);
/** The same entries, after poll(). */
void visit_input(struct visit *v, const struct pollfd *p, unsigned n);

#endif
