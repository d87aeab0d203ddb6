/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/mcast.h - IGMP and MLD messages: who wants which group.
 *
 * IGMP versions 1 to 3 (RFC 1112, 2236, 3376), MLD 1 and 2 (RFC 2710, 3810), and
 * the Hello of PIM (RFC 7761 4.9.2), which tells where a multicast router is.
 *
 * Thread: none shared.  No allocation.
 */
#ifndef TAPIR_VHUB_MCAST_H
#define TAPIR_VHUB_MCAST_H

#include "vhub/frame.h"

enum mc_kind {
	MC_QUERY,	/* who wants group?  (group: any = whatever) */
	MC_REPORT,	/* of one group, or of records */
	MC_LEAVE,
	MC_ROUTER	/* a multicast router says hello */
};
struct mc_msg {
	enum mc_kind kind;
	struct ip_addr src, group;
	uint32_t resp_s;	/* query: time to answer, rounded up */
	uint32_t hold_s;	/* query: how long an answer counts; 0 = not said */
	uint16_t n_record;	/* of IGMPv3, MLDv2; else the group is it */
	struct cur records;
};

/** ip: the decoded header of v, an IP packet to a multicast address.  0,
 * ERR_UNSUP (none of these), or ERR_SHORT, ERR_SYNTAX, ERR_ICV (one that must be
 * ignored). */
MUST_USE int mc_dec(struct view v, const struct ip_head *ip, struct mc_msg *out);
/** The next group of a report; *is_join false: not wanted any more.  1, 0 at
 * the end, ERR_SHORT or ERR_SYNTAX. */
int mc_next(struct mc_msg *m, struct ip_addr *group, bool *is_join);

#endif
