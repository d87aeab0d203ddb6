/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/neg/place.h - the addresses of both ends, and which pairs of them are to
 * be tried in what order (RFC 4555).  Pure.
 */
#ifndef TAPIR_IKEV2_NEG_PLACE_H
#define TAPIR_IKEV2_NEG_PLACE_H

#include "daemon/base/addr.h"
#include "ikev2/neg/ts.h"
#include "ikev2/wire/wire.h"

#define IKE_ADDR_MAX	 8	/* of one end; ours: more paths help nobody */
#define IKE_OWN_MAX	 64	/* of this machine; of them some are candidates */
#define IKE_WAY_MAX	 8	/* tried at once: so often goes one message */
#define IKE_NO_NATS_MAX	 36	/* data of NO_NATS_ALLOWED, RFC 4555 4.2.6 */

struct ike_addrs {
	unsigned n;
	struct ip_addr a[IKE_ADDR_MAX];
};

/* All that this machine has; the first n_out lead out of it. */
struct ike_own {
	unsigned n, n_out;
	struct ip_addr a[IKE_OWN_MAX];
};

struct ike_way {
	struct ip_addr local, remote;
};

/** Add one that is unicast and not there yet; false: it was not added. */
bool ike_addrs_add(struct ike_addrs *s, const struct ip_addr *ip);
bool ike_addrs_has(const struct ike_addrs *s, const struct ip_addr *ip);

/** Take over a list; true when it is another than before, in whatever order. */
bool ike_own_set(struct ike_own *s, const struct ip_addr *ip, unsigned n_out,
		 unsigned n);
/** Is it ours?  What is beyond IKE_OWN_MAX may be. */
bool ike_own_has(const struct ike_own *s, const struct ip_addr *ip);
/** Is it not ours any more? */
bool ike_own_lacks(const struct ike_own *s, const struct ip_addr *ip);
/** Of the first n_out of n those that may be used besides in_use, which comes first
 * if it is among the n: not
 * those within inside, the networks that the tunnel joins: the way to them is the
 * tunnel itself, which would carry its own outer packets.  (All of the Internet
 * does not count, hosts outside are in it.) */
struct ike_addrs ike_addrs_outside(const struct ip_addr *ip, unsigned n,
				   unsigned n_out,
				   const struct ike_ts_set *inside,
				   const struct ip_addr *in_use);

/** What a message says of its sender's further addresses (RFC 4555 3.4, 3.6):
 * the whole list, which replaces what was known.  Beyond IKE_ADDR_MAX, and what
 * no host can have, is left out.
 * @return false, and out unset, when it says nothing of them. */
bool ike_addrs_read(const struct ike_pls *p, struct ike_addrs *out);
/** Say them: all of s but the one in use.  has_none: say also that there is none
 * (3.6; not in IKE_AUTH). */
void ike_addrs_write(struct ike_build *b, const struct ike_addrs *s,
		     const struct ip_addr *in_use, bool has_none);

/** Pairs to try, in order: the one in use, the second address of ours, the second
 * of the peer, ...: where there are more than max, some of each end are among them.
 * Never across families, never one twice.
 * @param own   addresses that we have now; one in use that is not among them is
 *              gone, and so are its pairs.
 * @param peer  those the peer has besides now->remote.
 * @return how many, at most max. */
unsigned ike_ways(const struct ike_addrs *own, const struct ike_addrs *peer,
		   const struct ike_way *now, struct ike_way *out,
		   unsigned max);

/** Data of NO_NATS_ALLOWED (4.2.6).  @return its length, 12 or 36. */
size_t ike_no_nats_put(const struct net_ep *from, const struct net_ep *to,
		       uint8_t out[IKE_NO_NATS_MAX]);
/** Did the datagram travel as its sender says (3.9)? */
bool ike_no_nats_fits(struct view data, const struct net_ep *from,
		      const struct net_ep *to);

#endif
