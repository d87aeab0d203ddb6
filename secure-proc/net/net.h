/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/net/net.h - TAP devices, addresses, routes: what the secure
 * process changes in the machine, and nothing else does.
 *
 * Everything hangs on the TAP device: addresses, routes and bridge membership
 * go with it, and it goes when the last descriptor is closed, even after
 * SIGKILL.  One rtnetlink socket, opened before confinement; every request is
 * acknowledged, every error becomes a sentence: what, why, what to do.
 *
 * Thread: the only one.
 */
#ifndef TAPIR_SECURE_NET_NET_H
#define TAPIR_SECURE_NET_NET_H

#include "conf/conf.h"
#include "daemon/base/addr.h"
#include "daemon/base/base.h"
#include "daemon/ipc/msg.h"

#define SEC_NET_FDS 2
#define SEC_MTU_MIN 576
#define SEC_MTU_MAX 65521	/* what a TAP takes */

struct sec_tap {
	uint32_t ifindex;
	char ifname[16];
	struct mac mac;
	uint32_t mtu;
	uint32_t offloads;	/* IPC_TAP_*: what is on */
	unsigned n_fd;
	int fd[IPC_FD_MAX];	/* queues; the caller's */
};

#define SEC_ROUTE_BITS_MIN 8 /* shorter prefixes have a table of their own */

struct sec_tap_req {
	const struct conf_realm *realm;
	struct mac mac;
	uint32_t n_queue;
	uint32_t mtu;
	uint32_t offloads;	/* IPC_TAP_*: what is wanted */
};

struct sec_route_req {
	const struct conf_realm *realm;
	const struct conf_net *net;	/* its local side gives the source */
	struct ip_addr source;		/* or this does; family 0 = net does */
	struct ip_net prefix;		/* a short one needs rules, full.c */
	bool is_add;
};

/* lockdown=: nothing leaves but into this TAP. */
struct sec_lock {
	const char *tap;	/* NULL: take the lock away */
	uint32_t instance;	/* each has a table of its own */
	uint32_t resolver;	/* user who may ask for names outside; 0 = nobody */
};

/* What serve_net.c demands; why gets a sentence on failure. */
struct sec_net {
	void *ctx;
	int (*tap_open)(void *ctx, const struct sec_tap_req *q,
			struct sec_tap *out, char *why, size_t cap);
	int (*tap_mtu)(void *ctx, const struct conf_realm *realm, uint32_t mtu,
		       char *why, size_t cap);
	/* See to it that the realm's TAP is in its bridge, and up; down while
	 * there is no bridge.  0: it is (has_joined: since now). */
	int (*bridge)(void *ctx, const struct conf_realm *realm,
		      bool *has_joined, char *why, size_t cap);
	int (*route)(void *ctx, const struct sec_route_req *q, char *why,
		     size_t cap);
	/* Put an address on the realm's TAP, or take it away; one that another
	 * interface has is ERR_EXISTS. */
	int (*addr)(void *ctx, const struct conf_realm *realm,
		    const struct ip_net *a, bool is_add, char *why, size_t cap);
	/* Lock, or take the lock away, in one transaction of the kernel. */
	int (*lock)(void *ctx, const struct sec_lock *l, char *why, size_t cap);
};

struct sec_netlink;

/** Open the rtnetlink socket and fill ops.  0, ERR_NOMEM or ERR_SYS (logged). */
MUST_USE int sec_net_open(struct sec_netlink **out, struct sec_net *ops);
void sec_net_close(struct sec_netlink *nl);
/** Its descriptors, SEC_NET_FDS at most, to be kept open; how many. */
unsigned sec_net_fds(const struct sec_netlink *nl, int *out);
/** Take away what a realm may have left behind: rules that lead nowhere.  Its TAP
 * is gone. */
void sec_net_forget(struct sec_netlink *nl, const struct conf_realm *r);
/** Number of an instance, by its run directory. */
uint32_t sec_net_instance(const char *run_dir);

/**
 * The Ethernet address of a realm's TAP: read from DIR/tap-REALM.mac, or made
 * of 46 random bits and written there; where nothing can be written it is
 * derived from the machine, the configuration file and the realm (logged).
 *
 * @return 0 or ERR_RANDOM, ERR_CRYPTO.
 */
MUST_USE int sec_mac_get(const char *dir, const char *conf_name,
			 const char *realm, struct mac *out);

#endif
