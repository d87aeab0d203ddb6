/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/lane.h - which of several equal pairs of a link carries a flow (RFC 9611).
 *
 * Pairs with identical selectors form a bundle, each on a lane of its own; a
 * pair that replaces another takes over its lane.  A flow belongs to the lane
 * with the highest weight for it, so a lane that comes or goes moves the flows
 * of that lane and no others, and a rekeying moves none.
 *
 * Thread: pure functions.
 */
#ifndef TAPIR_ESP_LANE_H
#define TAPIR_ESP_LANE_H

#include "daemon/base/base.h"

/**
 * What makes a flow, as a number: addresses, protocol and ports; the addresses
 * alone of a fragment, so that it stays with its datagram's others; of what is
 * not IP the Ethernet addresses.
 *
 * @param frame  an Ethernet frame without FCS, or an IP packet.
 */
uint32_t esp_lane_flow(struct view frame, bool is_ether);
/** How much a flow belongs to a lane: the highest one carries it. */
uint32_t esp_lane_weight(uint32_t flow, uint32_t lane);

#endif
