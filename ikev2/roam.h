/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/roam.h - where the two ends of an IKE SA are and may be (RFC 4555); what is
 * done with it stands in step/mobike.c and step/ways.c.
 *
 * Thread: the loop.
 */
#ifndef TAPIR_IKEV2_ROAM_H
#define TAPIR_IKEV2_ROAM_H

#include "daemon/base/addr.h"
#include "ikev2/neg/place.h"

/* What NAT detection says (2.23). */
struct ike_nat {
	bool is_here, is_there;
};

/* RFC 4555: where both ends are and may be, step/mobike.c. */
struct ike_roam {
	bool is_on;			/* both ends know it */
	bool is_initiator;		/* of the first IKE SA: it decides */
	bool can_natt;			/* the peer sent NAT detection */
	struct ike_addrs peer;		/* its further addresses, as it says */
	uint32_t place;			/* counts moves of either end */
	bool is_seeking;		/* requests go over every pair */
	bool is_pending;		/* the peer is to be told of a move */
	bool is_unproven;		/* nobody answered from there yet, 3.7: */
	struct net_ep data_local, data_remote; /* data go where they went */
	bool is_data_natt;
	struct ike_way refused;	/* UNACCEPTABLE_ADDRESSES; family 0 = none */
	unsigned n_again;		/* UNEXPECTED_NAT_DETECTED so often */
	uint8_t seen[20];		/* hash of where the peer sees us, 3.8 */
	bool has_seen;
	uint64_t moved_ms;		/* the peer said that it moved */
};

#endif
