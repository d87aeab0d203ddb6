/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/uplink.h - the addresses of this machine that lead out of it, and
 * news of them: the engine moves SAs by that (RFC 4555).
 *
 * The kernel is asked for all links and addresses at the start, and again when it
 * told that a link, an address or a route changed.  What counts: addresses of
 * global scope, in use, on interfaces that are up and have a carrier.  Peers may use
 * any of them; we go to others only on such that lead out: not on the loopback, nor
 * on a TAP of ours or a bridge that has one, which the tunnel itself leads to.
 *
 * Where several interfaces lead out, what is sent from an address that the kernel
 * would not choose leaves by the interface of that address, if a gateway to the
 * peer is there: so a second uplink is of use though its default route has a higher
 * metric.  All else goes as routes say.
 *
 * Thread: the loop.
 */
#ifndef TAPIR_CORE_UPLINK_H
#define TAPIR_CORE_UPLINK_H

#include "daemon/base/addr.h"
#include "daemon/base/base.h"

struct vpn;
struct uplink;

#define UPLINK_MAX 64	/* addresses that are remembered; ours */

struct uplink_addr {
	struct ip_addr ip;
	uint32_t ifindex;
	bool is_out;		/* leads out of this machine */
};
/* What is known; filled by uplink_read(). */
struct uplink_list {
	uint32_t up[UPLINK_MAX];	/* interfaces that are up */
	uint32_t in[UPLINK_MAX];	/* those that do not lead out */
	unsigned n_up, n_in, n;
	struct uplink_addr addr[UPLINK_MAX];
};

/** A rtnetlink socket, or -1; hears: of changes.  Needs no right. */
int uplink_open(bool hears);
/** Ask, and listen on v->socks.uplink, if there is one.  0, ERR_NOMEM or what
 * loop_add() says. */
MUST_USE int uplink_new(struct uplink **out, struct vpn *v);
/** NULL is fine. */
void uplink_free(struct uplink *u);
/** The interface that packets from one address to another are to leave by; 0 = as
 * routes say.  u may be NULL. */
uint32_t uplink_index(struct uplink *u, const struct ip_addr *local,
		      const struct ip_addr *remote);
/** Does an answer to RTM_GETROUTE name a gateway behind this interface? */
bool uplink_has_gateway(struct view data, uint32_t ifindex);

/**
 * Take part of an answer of the kernel: RTM_NEWLINK, then RTM_NEWADDR messages.
 *
 * @param is_own  is this the name of an interface of ours?
 * @return 0; ERR_AGAIN: there was news of a change among them; ERR_EXISTS: an
 *         answer is complete; ERR_SHORT: malformed.
 */
MUST_USE int uplink_read(struct uplink_list *l, struct view data,
			 bool (*is_own)(void *ctx, const char *ifname),
			 void *ctx);

#endif
