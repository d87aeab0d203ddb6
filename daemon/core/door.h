/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/door.h - strangers' IKE_SA_INIT requests, and the thread that
 * answers them under attack (requirement K12).
 *
 *   port 500, 4500 -- socket filter --> other IKE ------------------> loop
 *                          |
 *                          '--> IKE_SA_INIT requests --> loop        while open
 *                                      |
 *                                      '--> this thread --> cookie, puzzle
 *                                               '--> proven: loop
 *
 * The requests have sockets of their own.  While nobody attacks, the loop reads
 * them.  When cookies are asked, it leaves them to a thread that comes after
 * everything else on the CPU, and gets back what has shown a cookie, and solved
 * a puzzle where one was set.  What the thread has no time for stays in the
 * sockets, and what they have no room for is dropped by the kernel (ike-door).
 *
 * Thread: the loop.
 */
#ifndef TAPIR_CORE_DOOR_H
#define TAPIR_CORE_DOOR_H

#include "daemon/core/core.h"
#include "daemon/core/loop.h"

struct door;

/**
 * Watch the sockets and start the thread, before confinement; the engine is
 * there.
 *
 * @param on_ike, on_nat  what the loop does with datagrams of port 500, 4500.
 * @return 0, ERR_NOMEM, ERR_SYS, ERR_FULL.
 */
MUST_USE int door_new(struct door **out, struct vpn *v, loop_fd_fn *on_ike,
		      loop_fd_fn *on_nat);
/** How much is asked of strangers; the gate op of the engine. */
void door_level(struct door *d, enum ike_gate_level level);
/** Count what the kernel dropped since the last time. */
void door_count(struct door *d);
/** End the thread; what it posted is still to be drained.  NULL is fine. */
void door_stop(struct door *d);
void door_free(struct door *d);

#endif
