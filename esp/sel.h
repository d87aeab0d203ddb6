/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/sel.h - what the selectors of an SA look at in an IP packet.
 *
 * Thread: pure functions.
 */
#ifndef TAPIR_ESP_SEL_H
#define TAPIR_ESP_SEL_H

#include "daemon/base/addr.h"
#include "daemon/base/base.h"
#include "daemon/base/vpn.h"

#define ESP_EXT_MAX 8 /* IPv6 extension headers looked through; ours */

struct esp_flow {
	struct ip_addr src, dst;
	uint8_t proto;		/* upper layer; of a fragment, of the whole */
	bool has_ports;		/* false: opaque (RFC 4301 4.4.1.1) */
	uint16_t src_port;	/* ICMP: type and code, in both */
	uint16_t dst_port;
	uint32_t len;		/* by the length field of the header */
};

/** Read headers of an IP packet; what follows its length is left alone.
 * 0, or ERR_SYNTAX when the IP header is wrong or longer than the packet. */
MUST_USE int esp_flow_decode(struct view pkt, struct esp_flow *out);
/** True when one of n selectors covers an address, protocol and port. */
bool esp_sel_has(const struct vpn_ts *ts, unsigned n, const struct ip_addr *ip,
		 const struct esp_flow *f, uint16_t port);

#endif
