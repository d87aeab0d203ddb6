/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/owner.h - which IP port an inner address lies behind, from the ports'
 * selectors.
 *
 * Single addresses are in a hash table; ranges in a list that begins with the
 * narrowest.  The narrowest that holds the address wins; when two ports hold it
 * equally narrowly, nobody owns it.
 *
 * The table is replaced as a whole; ports leave it at once (own_drop).
 */
#ifndef TAPIR_VHUB_OWNER_H
#define TAPIR_VHUB_OWNER_H

#include "vhub/neigh.h"

#define OWN_NONE	UINT32_MAX

enum own_width {
	OWN_HOST,	/* a selector of exactly this address */
	OWN_RANGE,
	OWN_ALL,	/* the whole family: a default route */
};
struct own_src {
	uint32_t port;
	unsigned n_ts;
	const struct vpn_ts *ts;	/* borrowed during own_new() */
};
struct own_tab;

/** Build from the selectors of n ports.  0 or ERR_NOMEM.  Thread: the loop. */
MUST_USE int own_new(struct own_tab **out, const struct own_src *src, unsigned n);
void own_free(struct own_tab *t);
/** Let a port leave.  Thread: the loop, while others read. */
void own_drop(struct own_tab *t, uint32_t port);
/** Port that owns an address, or OWN_NONE.  Any thread, no lock. */
uint32_t own_find(const struct own_tab *t, const struct ip_addr *ip,
		  enum own_width *width);

#endif
