/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/net/netlink.h - inside of net/: the socket and the requests.
 *
 * Thread: the only one.
 */
#ifndef TAPIR_SECURE_NET_NETLINK_H
#define TAPIR_SECURE_NET_NETLINK_H

#include "daemon/base/addr.h"
#include "daemon/base/base.h"

struct nl_sock;
struct nl_addr;
struct rtnl_link;

struct sec_netlink {
	struct nl_sock *sk;
	struct nl_sock *nf;	/* of the packet filter; NULL = there is none */
};

/** Interface by name: its index, 0 when there is none, or ERR_SYS. */
MUST_USE int sec_link_index(struct sec_netlink *nl, const char *name,
			    bool *is_bridge);
/** Change the link; `change` holds what is to be changed, what is a beginning for
 * the sentence in why. */
MUST_USE int sec_link_change(struct sec_netlink *nl, int ifindex,
			     struct rtnl_link *change, const char *what,
			     char *why, size_t cap);
/** Address object of an IP address with a prefix length; NULL: no memory.
 * nl_addr_put() it. */
struct nl_addr *sec_nl_addr(const struct ip_addr *ip, uint8_t bits);
/** Our error for one of libnl. */
int sec_nl_err(int nle);

/* addr.c */
MUST_USE int sec_addr_add(struct sec_netlink *nl, int ifindex,
			  const char *ifname, const struct ip_net *a, char *why,
			  size_t cap);
struct conf_realm;
MUST_USE int sec_addr(void *ctx, const struct conf_realm *realm,
		      const struct ip_net *a, bool is_add, char *why,
		      size_t cap);
/* bridge.c */
/** Index of a bridge.  ERR_NOTFOUND: there is no interface of this name; ERR_CONF:
 * it is something else. */
MUST_USE int sec_bridge_find(struct sec_netlink *nl, const char *bridge,
			     int *index, char *why, size_t cap);
/** Put an interface into a bridge (index 0: none) and bring it up. */
MUST_USE int sec_link_attach(struct sec_netlink *nl, const char *ifname,
			     int ifindex, const char *bridge, int bridge_index,
			     char *why, size_t cap);
struct conf_realm;
MUST_USE int sec_bridge(void *ctx, const struct conf_realm *realm,
			bool *has_joined, char *why, size_t cap);
/* tapdev.c */
struct sec_tap_req;
struct sec_tap;
MUST_USE int sec_tap_open(void *ctx, const struct sec_tap_req *q,
			  struct sec_tap *out, char *why, size_t cap);
MUST_USE int sec_tap_mtu(void *ctx, const struct conf_realm *realm,
			 uint32_t mtu, char *why, size_t cap);
/* full.c */
/** Lead everything that is not ours into the realm's table; IP family 4 or 6. */
MUST_USE int sec_full_rules(struct sec_netlink *nl, const struct conf_realm *r,
			    uint8_t ip_family, char *why, size_t cap);
/** Take the rules away, unless the table still has routes. */
void sec_full_end(struct sec_netlink *nl, const struct conf_realm *r,
		  uint8_t ip_family);
/** Of both families, of one who was killed: its TAP is gone, or new. */
void sec_full_forget(struct sec_netlink *nl, const struct conf_realm *r);
/** Number of a TAP's own table. */
uint32_t sec_full_table(const char *tap);
/** 32 bits of a name (FNV-1a). */
uint32_t sec_name_hash(const char *name);
/* lock.c */
struct sec_lock;
MUST_USE int sec_lock(void *ctx, const struct sec_lock *l, char *why,
		      size_t cap);
/** A socket to the packet filter; NULL: the kernel has none. */
struct nl_sock *sec_lock_open(void);
/* route.c */
struct sec_route_req;
MUST_USE int sec_route(void *ctx, const struct sec_route_req *q, char *why,
		       size_t cap);

#endif
