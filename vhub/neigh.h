/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/neigh.h - which IP address is at which Ethernet address, learned from
 * ARP and neighbour discovery.
 *
 * Thread: find: any worker, no lock.  learn: any worker; a short lock, only
 * when something changed.  The rest: the loop.
 */
#ifndef TAPIR_VHUB_NEIGH_H
#define TAPIR_VHUB_NEIGH_H

#include "vhub/hub.h"

/* An address as two numbers; IPv4 is ::ffff:a.b.c.d. */
struct ip_key {
	uint64_t hi, lo;
};
struct ip_key ip_key_of(const struct ip_addr *ip);
struct ip_addr ip_key_addr(struct ip_key k);

struct neigh;

MUST_USE int neigh_new(struct neigh **out);
void neigh_free(struct neigh *t);
/** False when the address is not known. */
bool neigh_find(const struct neigh *t, uint16_t vlan, const struct ip_addr *ip,
		struct hub_neigh_info *out);
/** An address was seen; age_s holds the second.  A full table learns nothing
 * new, nor does a port learn more than HUB_PORT_NEIGH_MAX. */
void neigh_learn(struct neigh *t, const struct hub_neigh_info *n);
void neigh_forget(struct neigh *t, uint32_t port);
void neigh_age(struct neigh *t, uint32_t now_s, uint32_t age_s);
uint32_t neigh_count(const struct neigh *t);
/** Visit: start with *it = 0; age_s holds the second it was seen. */
bool neigh_next(const struct neigh *t, uint32_t *it, struct hub_neigh_info *out);

#endif
