/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/icmp.c - Fragmentation Needed (RFC 792, 1191) and Packet Too Big (RFC 4443).
 *
 *   IPv4 header (20) | 3 | 4 | checksum | 0 (2) | MTU (2) | packet, its beginning
 *   IPv6 header (40) | 2 | 0 | checksum | MTU (4)         | packet, its beginning
 */
#include "vhub/icmp.h"
#include "daemon/base/addr.h"
#include "daemon/base/err.h"
#include "vhub/frame.h"

#define IP4_LEN		20
#define IP6_LEN		40
#define IP4_DF		0x4000
#define IP4_TOS		0xc0	/* network control, RFC 1812 4.3.2.5 */
#define IP_HOPS		64
#define ICMP_HEAD	8
#define ICMP4_MAX	576	/* RFC 1812 4.3.2.3 */
#define PROTO_ICMP	1
#define PROTO_ICMPV6	58
#define PROTO_FRAGMENT	44
#define UNREACHABLE	3
#define FRAG_NEEDED	4
#define TOO_BIG6	2
#define ICMP6_INFO	0x80	/* types from here on are not errors */

/* RFC 1122 3.2.2: error messages of ICMP; what is unknown counts as one. */
static bool
is_error4(uint8_t type)
{
	switch (type) {
	case 0:  case 8:	/* echo */
	case 9:  case 10:	/* router discovery */
	case 13: case 14:	/* timestamp */
		return false;
	default:
		return true;
	}
}

static bool
is_icmp_error(const struct ip_head *ip, struct view packet)
{
	bool is_v4 = ip->src.family == 4;
	uint8_t type;

	if (ip->proto != (is_v4 ? PROTO_ICMP : PROTO_ICMPV6))
		return false;
	if (packet.len <= ip->head_len)
		return true;
	type = packet.p[ip->head_len];
	return is_v4 ? is_error4(type) : (type & ICMP6_INFO) == 0;
}

enum icmp_may
icmp_may_tell(struct view packet)
{
	struct ip_head ip;

	if (ip_dec(packet, &ip) != 0 || ip.is_fragment ||
	    !ip_is_unicast(&ip.src) || !ip_is_unicast(&ip.dst) ||
	    is_icmp_error(&ip, packet))
		return ICMP_CUT;
	if (ip.src.family == 6)
		return ip.proto == PROTO_FRAGMENT ? ICMP_CUT : ICMP_TELL;
	return (be16_get(packet.p + 6) & IP4_DF) != 0 ? ICMP_TELL : ICMP_CUT;
}

static bool
is_v6(struct view packet)
{
	return packet.len > 0 && packet.p[0] >> 4 == 6;
}

size_t
icmp_too_big_len(struct view packet)
{
	size_t head = (is_v6(packet) ? IP6_LEN : IP4_LEN) + ICMP_HEAD;

	return MIN(head + packet.len, (size_t)(is_v6(packet) ? ICMP_MAX :
	    ICMP4_MAX));
}

static void
too_big4(struct wcur *w, struct view packet, const struct ip_head *ip,
	 uint16_t mtu)
{
	size_t len = icmp_too_big_len(packet), at = w->len, sum_at, body;

	wcur_u8(w, 0x45);
	wcur_u8(w, IP4_TOS);
	wcur_u16(w, (uint16_t)len);
	wcur_u16(w, 0);			/* RFC 6864 4.1: whole, so no number */
	wcur_u16(w, IP4_DF);
	wcur_u8(w, IP_HOPS);
	wcur_u8(w, PROTO_ICMP);
	sum_at = wcur_hole(w, 2);
	wcur_bytes(w, ip->dst.b, 4);
	wcur_bytes(w, ip->src.b, 4);
	if (w->err == 0)
		wcur_put16(w, sum_at, ip_sum(w->base + at, IP4_LEN));
	body = w->len;
	wcur_u8(w, UNREACHABLE);
	wcur_u8(w, FRAG_NEEDED);
	sum_at = wcur_hole(w, 2);
	wcur_u16(w, 0);
	wcur_u16(w, mtu);
	wcur_bytes(w, packet.p, len - IP4_LEN - ICMP_HEAD);
	if (w->err == 0)
		wcur_put16(w, sum_at, ip_sum(w->base + body, w->len - body));
}

static void
too_big6(struct wcur *w, struct view packet, const struct ip_head *ip,
	 uint32_t mtu)
{
	size_t len = icmp_too_big_len(packet), sum_at, body;

	wcur_u32(w, 0x60000000u);
	wcur_u16(w, (uint16_t)(len - IP6_LEN));
	wcur_u8(w, PROTO_ICMPV6);
	wcur_u8(w, IP_HOPS);
	wcur_bytes(w, ip->dst.b, 16);
	wcur_bytes(w, ip->src.b, 16);
	body = w->len;
	wcur_u8(w, TOO_BIG6);
	wcur_u8(w, 0);
	sum_at = wcur_hole(w, 2);
	wcur_u32(w, mtu);
	wcur_bytes(w, packet.p, len - IP6_LEN - ICMP_HEAD);
	if (w->err == 0)
		wcur_put16(w, sum_at, ip_sum_icmpv6(&ip->dst, &ip->src,
		    w->base + body, w->len - body));
}

void
icmp_too_big(struct wcur *w, struct view packet, uint32_t mtu)
{
	struct ip_head ip;

	if (ip_dec(packet, &ip) != 0)
		w->err = ERR_SYNTAX;
	else if (ip.src.family == 6)
		too_big6(w, packet, &ip, MAX(mtu, (uint32_t)ICMP_MTU6_MIN));
	else
		too_big4(w, packet, &ip, (uint16_t)MIN(MAX(mtu,
		    (uint32_t)ICMP_MTU4_MIN), (uint32_t)UINT16_MAX));
}
