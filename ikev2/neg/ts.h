/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/neg/ts.h - narrow traffic selectors (RFC 7296 2.9).  Pure.
 */
#ifndef TAPIR_IKEV2_NEG_TS_H
#define TAPIR_IKEV2_NEG_TS_H

#include "daemon/base/vpn.h"
#include "ikev2/wire/wire.h"

/** A list of one side's selectors. */
struct ike_ts_set {
	unsigned n;
	struct vpn_ts ts[VPN_TS_MAX];
};

/** The common part of what a peer offers and what we permit.
 * @return 0, or ERR_TS when nothing is left. */
MUST_USE int ike_ts_narrow(const struct ike_tss *offer,
			   const struct ike_ts_set *permit,
			   struct ike_ts_set *out);
/** Check an answer: not empty, every selector inside one of what we offered.
 * @return 0 and a copy in out, or ERR_TS. */
MUST_USE int ike_ts_check(const struct ike_tss *ans,
			  const struct ike_ts_set *offered,
			  struct ike_ts_set *out);
/** The protocol that a mode has in ESP transport mode between two hosts; 0 = the
 * mode is IP in tunnel mode. */
uint8_t ike_ts_proto(enum vpn_mode mode);
/** Selector of one host for transport mode: a protocol, any port. */
struct vpn_ts ike_ts_host(const struct ip_addr *host, uint8_t proto);
/** Is the list exactly one host with that protocol? */
bool ike_ts_is_host(const struct ike_tss *ts, uint8_t proto);
/** May the list be narrowed to that: the same host each time, with the protocol or
 * any?  Some put the packet that asked for the SA first (RFC 7296 2.9). */
bool ike_ts_may_be_host(const struct ike_tss *ts, uint8_t proto);

#endif
