/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/wait.h - packets that wait for the Ethernet address of their
 * destination: few, and not for long.
 *
 * Thread: any; a short lock.  Only packets to unknown neighbours come here.
 */
#ifndef TAPIR_VHUB_WAIT_H
#define TAPIR_VHUB_WAIT_H

#include "daemon/base/addr.h"
#include "daemon/base/buf.h"

#define WAIT_MAX	128	/* packets of a hub; ours */
#define WAIT_PORT_MAX	32	/* packets that came by one port; ours */
#define WAIT_IP_MAX	4	/* packets to one address; ours */
#define WAIT_S		1	/* seconds */

struct wait;

MUST_USE int wait_new(struct wait **out);
/** Puts what still waits. */
void wait_free(struct wait *w);
/** Queue b (from IP port `port`) for ip.  *ask says that ip is to be asked for:
 * nobody was asked yet, or not in this second (RFC 1122 2.3.2.1), whether b was
 * taken or not.  0: taken; ERR_FULL: not taken. */
MUST_USE int wait_add(struct wait *w, const struct ip_addr *ip, uint32_t port,
		      uint32_t now_s, struct buf *b, bool *ask);
/** What waits for ip, oldest first: buffers and the ports they came by.
 * @return how many (at most WAIT_IP_MAX); the caller owns them. */
unsigned wait_take(struct wait *w, const struct ip_addr *ip,
		   struct buf **b, uint32_t *port);
/** Put what waited longer than WAIT_S / what came by a port.
 * @return how many. */
unsigned wait_expire(struct wait *w, uint32_t now_s);
unsigned wait_forget(struct wait *w, uint32_t port);

#endif
