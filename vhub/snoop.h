/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/snoop.h - which ports want which multicast group (RFC 4541).
 *
 * A group is known in a VLAN; its members are ports, each until it must be heard
 * of again.  The group :: or 0.0.0.0 stands for the multicast routers.
 *
 * Thread: route: any worker, no lock.  join, query: any worker; a short lock.
 * The rest: the loop.
 */
#ifndef TAPIR_VHUB_SNOOP_H
#define TAPIR_VHUB_SNOOP_H

#include "vhub/hub.h"

struct snoop;

struct port_set {
	uint64_t w[HUB_PORT_MAX / 64];
};
/* A group in a VLAN. */
struct snoop_key {
	struct ip_addr group;
	uint16_t vlan;
};

MUST_USE int snoop_new(struct snoop **out);
void snoop_free(struct snoop *s);
/** A host behind port wants a group.  Where there is no room for it the port
 * gets every group for a while: nothing is lost. */
void snoop_join(struct snoop *s, const struct snoop_key *k, uint32_t port,
		uint32_t now_s);
/** A multicast router is behind port.  is_querier: and it asks who wants what;
 * hold_s: how long an answer counts, 0 = the default. */
void snoop_router(struct snoop *s, const struct snoop_key *k, uint32_t port,
		  bool is_querier, uint32_t hold_s, uint32_t now_s);
/** The router asked for this group alone: who does not answer within resp_s wants
 * it no more. */
void snoop_ask(struct snoop *s, const struct snoop_key *k, uint32_t resp_s,
	       uint32_t now_s);
/** Where a packet to the group goes.  False: everywhere, as nobody asks who wants
 * what, or because it is a group without members (with is_strict: to the
 * routers). */
bool snoop_route(const struct snoop *s, const struct snoop_key *k,
		 bool is_strict, uint32_t now_s, struct port_set *out);
/** The routers of the VLAN, in which somebody asks.  False: nobody does. */
bool snoop_routers(const struct snoop *s, const struct snoop_key *k,
		   uint32_t now_s, struct port_set *out);
/** Does a group go everywhere, whoever wants it?  Link-local ones (RFC 4541 2.1.2,
 * 3), so that nobody's neighbour discovery depends on a report. */
bool snoop_is_local(const struct ip_addr *group);
void snoop_forget(struct snoop *s, uint32_t port);
void snoop_age(struct snoop *s, uint32_t now_s);
uint32_t snoop_count(const struct snoop *s);
/** Visit members: start with *it = 0; left_s holds the second it ends. */
bool snoop_next(const struct snoop *s, uint32_t *it, struct hub_group_info *out);

#endif
