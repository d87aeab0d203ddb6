/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/icmp.h - errors that routers and hosts send about our datagrams.
 *
 * Evidence for tapir why, and nothing else: anybody can send such an error, so
 * nothing is decided by it (RFC 5927).  A few of the last are kept.
 *
 * Thread: the loop; icmp_decode() any.
 */
#ifndef TAPIR_CORE_ICMP_H
#define TAPIR_CORE_ICMP_H

#include "daemon/base/addr.h"
#include "daemon/base/base.h"

struct vpn;
struct icmp;

enum icmp_kind {
	ICMP_NONE,
	ICMP_PORT,	/* nobody listens there */
	ICMP_HOST,	/* host or network cannot be reached */
	ICMP_ADMIN,	/* a filter says so */
	ICMP_BIG	/* it does not fit: mtu */
};

struct icmp_error {
	enum icmp_kind kind;
	uint64_t at_ms;		/* clk_ms(); 0 = no entry */
	struct ip_addr from;	/* who says so */
	struct net_ep to;	/* where our datagram was going; port 0: ESP */
	uint16_t from_port;	/* of ours; 0: ESP */
	uint32_t mtu;
};

/**
 * An ICMP message (RFC 792: behind its IPv4 header; RFC 4443: without).
 *
 * @param family  4 or 6.
 * @param from    sender of an ICMPv6 message; an IPv4 header has its own.
 * @return 0; ERR_SHORT; ERR_UNSUP: not an error about UDP or ESP of ours.
 */
MUST_USE int icmp_decode(int family, const struct ip_addr *from, struct view v,
			 struct icmp_error *out);

/** Listen on the sockets of v->socks.icmp, where there are any.  0, ERR_NOMEM
 * or what loop_add() says. */
MUST_USE int icmp_new(struct icmp **out, struct vpn *v);
/** NULL is fine. */
void icmp_free(struct icmp *m);
/** Once a second: what was too much may come again.  NULL is fine. */
void icmp_tick(struct icmp *m);
/** The newest error about datagrams to ip; NULL for none.  m may be NULL. */
const struct icmp_error *icmp_find(const struct icmp *m,
				   const struct ip_addr *ip);

/** A raw socket that takes such errors alone, or -1. */
int icmp_open(int family);

#endif
