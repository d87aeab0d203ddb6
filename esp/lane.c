/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/lane.c - flows as numbers, and their lanes.
 *
 * Not keyed: who chooses inner headers is an authenticated peer or our own
 * network, and all it can reach is an uneven load.
 *
 * Thread: any.
 */
#include "esp/lane.h"
#include "daemon/base/cur.h"

#define MACS_LEN	12
#define VLAN_MAX	2	/* tags looked through, 802.1ad; ours */
#define TYPE_VLAN	0x8100
#define TYPE_QINQ	0x88a8
#define TYPE_IP4	0x0800
#define TYPE_IP6	0x86dd
#define IP4_ADDRS	8	/* both addresses */
#define IP6_ADDRS	32
#define IP4_FRAG	0x3fff	/* more fragments, and the offset */
#define PROTO_TCP	6
#define PROTO_UDP	17

static uint32_t
mix(uint32_t h, uint32_t x)
{
	h = (h ^ x) * 0x9e3779b1u;
	return h ^ h >> 15;
}

static uint32_t
mix_view(uint32_t h, struct view v)
{
	for (; v.len >= 4; v.p += 4, v.len -= 4)
		h = mix(h, be32_get(v.p));
	return h;
}

/* Both ports in one word; c is behind the IP header. */
static uint32_t
mix_ports(uint32_t h, struct cur *c, uint8_t proto)
{
	uint32_t ports;

	h = mix(h, proto);
	if ((proto == PROTO_TCP || proto == PROTO_UDP) &&
	    cur_u32(c, &ports) == 0)
		h = mix(h, ports);
	return h;
}

static uint32_t
flow_ip4(struct cur *c)
{
	uint8_t vihl, tos, ttl, proto;
	uint16_t len, id, frag, sum;
	struct view addrs;
	uint32_t h;

	if (cur_u8(c, &vihl) != 0 || cur_u8(c, &tos) != 0 ||
	    cur_u16(c, &len) != 0 || cur_u16(c, &id) != 0 ||
	    cur_u16(c, &frag) != 0 || cur_u8(c, &ttl) != 0 ||
	    cur_u8(c, &proto) != 0 || cur_u16(c, &sum) != 0 ||
	    cur_view(c, IP4_ADDRS, &addrs) != 0)
		return 0;
	h = mix_view(4, addrs);
	if ((frag & IP4_FRAG) != 0 || (vihl & 15) < 5 ||
	    cur_skip(c, (size_t)((vihl & 15) - 5) * 4) != 0)
		return h;
	return mix_ports(h, c, proto);
}

/* Extension headers are not looked through: a flow has them in all its packets
 * or, where fragments begin, must do without its ports. */
static uint32_t
flow_ip6(struct cur *c)
{
	struct view addrs;
	uint8_t next, hops;
	uint32_t word, h;
	uint16_t len;

	if (cur_u32(c, &word) != 0 || cur_u16(c, &len) != 0 ||
	    cur_u8(c, &next) != 0 || cur_u8(c, &hops) != 0 ||
	    cur_view(c, IP6_ADDRS, &addrs) != 0)
		return 0;
	h = mix_view(6, addrs);
	return next == PROTO_TCP || next == PROTO_UDP ? mix_ports(h, c, next) :
	    h;
}

static uint32_t
flow_ether(struct cur *c)
{
	struct view macs;
	uint16_t type, tag;

	if (cur_view(c, MACS_LEN, &macs) != 0 || cur_u16(c, &type) != 0)
		return 0;
	for (unsigned i = 0; i < VLAN_MAX &&
	     (type == TYPE_VLAN || type == TYPE_QINQ); i++)
		if (cur_u16(c, &tag) != 0 || cur_u16(c, &type) != 0)
			return 0;
	if (type == TYPE_IP4)
		return flow_ip4(c);
	if (type == TYPE_IP6)
		return flow_ip6(c);
	return mix_view(1, macs);
}

uint32_t
esp_lane_flow(struct view frame, bool is_ether)
{
	struct cur c;

	cur_init(&c, frame.p, frame.len);
	if (is_ether)
		return flow_ether(&c);
	if (frame.len == 0)
		return 0;
	return frame.p[0] >> 4 == 6 ? flow_ip6(&c) : flow_ip4(&c);
}

/* The finisher of MurmurHash3. */
uint32_t
esp_lane_weight(uint32_t flow, uint32_t lane)
{
	uint32_t h = flow ^ (lane + 1) * 0x9e3779b1u;

	h = (h ^ h >> 16) * 0x85ebca6bu;
	h = (h ^ h >> 13) * 0xc2b2ae35u;
	return h ^ h >> 16;
}
