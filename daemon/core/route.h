/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/route.h - what the kernel would do with a packet: is an address
 * ours, which of our addresses would it leave from, how large may it be.
 *
 * Asked by connect() on a UDP socket, which sends nothing and needs no right;
 * the answers are kept for ROUTE_MS, so that addresses and routes may change.
 *
 * Thread: one; each worker has its own.  No lock, no allocation.
 */
#ifndef TAPIR_CORE_ROUTE_H
#define TAPIR_CORE_ROUTE_H

#include "daemon/core/core.h"

#define ROUTE_MS    1000
#define ROUTE_SLOTS 1024	/* answers kept; power of two; ours */

/* What is known of an address. */
struct route_info {
	struct ip_addr to;
	struct ip_addr from;	/* ours, family 0: there is no route */
	uint32_t mtu;		/* of the path as far as it is known, 0 = not */
	uint64_t until_ms;
};

struct route {
	int fd[FAM_END];	/* borrowed; connected to and fro */
	struct route_info slot[ROUTE_SLOTS];
};

void route_init(struct route *r, const int fd[FAM_END]);
/** The answer for an address; valid until the next call. */
const struct route_info *route_find(struct route *r, const struct ip_addr *to,
				    uint64_t now_ms);
/** Is an address one of this machine's? */
bool route_is_ours(struct route *r, const struct ip_addr *ip, uint64_t now_ms);

#endif
