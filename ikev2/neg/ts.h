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
/** Selector of one host for EtherIP in transport mode: protocol 97, any port. */
struct vpn_ts ike_ts_etherip(const struct ip_addr *host);
/** Is the list exactly one host with protocol 97? */
bool ike_ts_is_etherip(const struct ike_tss *ts);

#endif
