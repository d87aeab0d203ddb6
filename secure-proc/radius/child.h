/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/radius/child.h - the process that speaks to RADIUS servers, and
 * the one that starts it anew.
 *
 *   tapir-secure ---- questions, answers ---- child ==== one socket a server
 *                                               |
 *                        keeper: opens the sockets, forks the child, again
 *
 * The child reads what servers say.  It has the secrets shared with them and no
 * other, and connected sockets: it can make none, and open nothing.  The keeper
 * has no filter, as it makes sockets, and reads nothing from anywhere.
 *
 * Both end when the secure process closes its end.
 */
#ifndef TAPIR_SECURE_RADIUS_CHILD_H
#define TAPIR_SECURE_RADIUS_CHILD_H

#include "daemon/ipc/confine.h"
#include "secure-proc/radius/set.h"

/**
 * Start keeper and child.  Call it before a key is loaded; the set is of no use
 * to the caller after it.
 *
 * @param fd the secure process's end, non-blocking.
 * @return 0 or ERR_SYS.
 */
MUST_USE int sec_radius_child_start(struct sec_radius_set *set,
				    const struct confine_user *u, int *fd);

/* Sockets to the servers of a set, -1 where there is none. */
struct sec_radius_socks {
	int fd[SEC_RADIUS_REALMS][SEC_RADIUS_SERVERS];
};
/** Connect a socket to each server.  One that cannot be made now is -1. */
void sec_radius_socks_open(struct sec_radius_socks *k,
			   const struct sec_radius_set *set);
void sec_radius_socks_close(struct sec_radius_socks *k);

/**
 * The child's work, until the other end of chan is closed.  Not confined by
 * itself, so that tests can run it.
 *
 * @return 0: closed; ERR_AGAIN: a socket is of no use any more, and nobody
 *         waits: come again with new ones; or an error.
 */
MUST_USE int sec_radius_serve(const struct sec_radius_set *set,
			      const struct sec_radius_socks *k, int chan);

#endif
