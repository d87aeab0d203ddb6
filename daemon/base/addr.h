/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/addr.h - IP addresses, prefixes, endpoints, Ethernet addresses.
 *
 * Host byte order for ports; addresses are byte strings as on the wire.
 */
#ifndef TAPIR_BASE_ADDR_H
#define TAPIR_BASE_ADDR_H

#include "daemon/base/base.h"

struct ip_addr {
	uint8_t family;		/* 4, 6, or 0 = none */
	uint8_t b[16];		/* first 4 bytes for IPv4, the rest zero */
};
struct ip_net {
	struct ip_addr addr;
	uint8_t bits;
};
struct net_ep {
	struct ip_addr ip;
	uint16_t port;
};
struct mac {
	uint8_t b[6];
};

#define IP_TEXT_MAX 64 /* any address, prefix or endpoint as text, with NUL */
#define MAC_TEXT_MAX 18

/** Parse "192.0.2.1", "2001:db8::1" (no zone, no port).  0 or ERR_ADDR. */
MUST_USE int ip_parse(const char *text, struct ip_addr *ip);
/** Parse "10.0.0.0/8" or a bare address (full length).  host bits may be set. */
MUST_USE int ip_net_parse(const char *text, struct ip_net *net);
/** Parse "192.0.2.1", "192.0.2.1:4500", "[2001:db8::1]:4500", "2001:db8::1";
 * port 0 when absent. */
MUST_USE int net_ep_parse(const char *text, struct net_ep *ep);
MUST_USE int mac_parse(const char *text, struct mac *m);

/** Text forms; return out.  out has IP_TEXT_MAX (MAC_TEXT_MAX) bytes. */
const char *ip_text(const struct ip_addr *ip, char *out);
const char *ip_net_text(const struct ip_net *net, char *out);
const char *net_ep_text(const struct net_ep *ep, char *out);
const char *mac_text(const struct mac *m, char *out);

bool ip_equal(const struct ip_addr *a, const struct ip_addr *b);
bool net_ep_equal(const struct net_ep *a, const struct net_ep *b);
/** memcmp-like order within a family; families compare first. */
int ip_compare(const struct ip_addr *a, const struct ip_addr *b);
/** 4 for IPv4, 16 for IPv6, 0 for none. */
size_t ip_len(const struct ip_addr *ip);
/** Build from 4 or 16 wire bytes; len other than 4/16 gives family 0. */
struct ip_addr ip_from(const void *p, size_t len);
bool ip_is_any(const struct ip_addr *ip);
/** Unspecified, loopback, multicast, broadcast: no peer can have it. */
bool ip_is_unicast(const struct ip_addr *ip);
/** First and last address of a prefix. */
void ip_net_range(const struct ip_net *net, struct ip_addr *lo, struct ip_addr *hi);
bool ip_net_has(const struct ip_net *net, const struct ip_addr *ip);
/** Smallest list of prefixes that covers lo..hi exactly.  @return how many
 * (at most max), or ERR_FULL / ERR_RANGE. */
MUST_USE int ip_range_nets(const struct ip_addr *lo, const struct ip_addr *hi,
			   struct ip_net *out, unsigned max);

bool mac_equal(const struct mac *a, const struct mac *b);
bool mac_is_group(const struct mac *m);
bool mac_is_null(const struct mac *m);
/** Locally administered unicast address from 46 random bits (requirement V6). */
MUST_USE int mac_random(struct mac *m);

#endif
