/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/sel.c - addresses, protocol and ports of an IP packet, and selectors.
 *
 * Ports that cannot be seen (fragments but the first, other protocols, cut
 * packets) are opaque: they match selectors of all ports or of OPAQUE only
 * (RFC 4301 section 4.4.1.1 and 7).
 */
#include "esp/sel.h"
#include "daemon/base/cur.h"
#include "daemon/base/err.h"

#define IP4_HDR_MIN	20
#define IP6_HDR_LEN	40
#define PROTO_HOPOPT	0
#define PROTO_ICMP	1
#define PROTO_TCP	6
#define PROTO_UDP	17
#define PROTO_DCCP	33
#define PROTO_ROUTING	43
#define PROTO_FRAGMENT	44
#define PROTO_AH	51
#define PROTO_ICMPV6	58
#define PROTO_DSTOPT	60
#define PROTO_SCTP	132
#define PROTO_MH	135
#define PROTO_UDPLITE	136
#define FRAG4_OFFSET	0x1fff
#define FRAG6_OFFSET	0xfff8

static void
decode_ports(struct cur *c, struct esp_flow *f)
{
	uint16_t a, b;
	uint8_t t;

	switch (f->proto) {
	case PROTO_TCP:
	case PROTO_UDP:
	case PROTO_DCCP:
	case PROTO_SCTP:
	case PROTO_UDPLITE:
		if (cur_u16(c, &a) != 0 || cur_u16(c, &b) != 0)
			return;
		break;
	case PROTO_ICMP:
	case PROTO_ICMPV6: /* RFC 7296 3.13.1: type high, code low */
		if (cur_u16(c, &a) != 0)
			return;
		b = a;
		break;
	case PROTO_MH: /* RFC 4301 4.4.1.1: the type, in the high byte */
		if (cur_skip(c, 2) != 0 || cur_u8(c, &t) != 0)
			return;
		a = b = (uint16_t)(t << 8);
		break;
	default:
		return;
	}
	f->src_port = a;
	f->dst_port = b;
	f->has_ports = true;
}

static int
decode_ip4(struct cur *c, struct esp_flow *f)
{
	struct cur pkt = *c;
	struct view src, dst;
	uint16_t len, frag, w;
	uint8_t vihl, v;
	size_t hdr;

	if (cur_u8(&pkt, &vihl) != 0 || cur_u8(&pkt, &v) != 0 ||
	    cur_u16(&pkt, &len) != 0 || cur_u16(&pkt, &w) != 0 ||
	    cur_u16(&pkt, &frag) != 0 || cur_u8(&pkt, &v) != 0 ||
	    cur_u8(&pkt, &f->proto) != 0 || cur_u16(&pkt, &w) != 0 ||
	    cur_view(&pkt, 4, &src) != 0 || cur_view(&pkt, 4, &dst) != 0)
		return ERR_SYNTAX;
	hdr = (size_t)(vihl & 15) * 4;
	if (hdr < IP4_HDR_MIN || len < hdr)
		return ERR_SYNTAX;
	f->src = ip_from(src.p, 4);
	f->dst = ip_from(dst.p, 4);
	f->len = len;
	/* Bounded by what the packet says, not by what follows it. */
	if (cur_sub(c, len, &pkt) != 0 || cur_skip(&pkt, hdr) != 0)
		return ERR_SYNTAX;
	if ((frag & FRAG4_OFFSET) == 0)
		decode_ports(&pkt, f);
	return 0;
}

/* Walk the extension headers; true when the ports may follow at c. */
static bool
skip_ext(struct cur *c, struct esp_flow *f)
{
	uint8_t next, n;
	uint16_t frag;

	for (unsigned i = 0; i < ESP_EXT_MAX; i++) {
		switch (f->proto) {
		case PROTO_HOPOPT:
		case PROTO_ROUTING:
		case PROTO_DSTOPT:
			if (cur_u8(c, &next) != 0 || cur_u8(c, &n) != 0 ||
			    cur_skip(c, (size_t)n * 8 + 6) != 0)
				return false;
			break;
		case PROTO_AH:
			if (cur_u8(c, &next) != 0 || cur_u8(c, &n) != 0 ||
			    cur_skip(c, (size_t)n * 4 + 6) != 0)
				return false;
			break;
		case PROTO_FRAGMENT:
			if (cur_u8(c, &next) != 0 || cur_u8(c, &n) != 0 ||
			    cur_u16(c, &frag) != 0 || cur_skip(c, 4) != 0)
				return false;
			if ((frag & FRAG6_OFFSET) != 0) {
				f->proto = next;
				return false;
			}
			break;
		default:
			return true;
		}
		f->proto = next;
	}
	return false;
}

static int
decode_ip6(struct cur *c, struct esp_flow *f)
{
	struct cur pkt;
	struct view src, dst;
	uint32_t w;
	uint16_t len;
	uint8_t v;

	pkt = *c;
	if (cur_u32(&pkt, &w) != 0 || cur_u16(&pkt, &len) != 0 ||
	    cur_u8(&pkt, &f->proto) != 0 || cur_u8(&pkt, &v) != 0 ||
	    cur_view(&pkt, 16, &src) != 0 || cur_view(&pkt, 16, &dst) != 0)
		return ERR_SYNTAX;
	f->src = ip_from(src.p, 16);
	f->dst = ip_from(dst.p, 16);
	f->len = IP6_HDR_LEN + (uint32_t)len;
	if (cur_sub(c, f->len, &pkt) != 0 || cur_skip(&pkt, IP6_HDR_LEN) != 0)
		return ERR_SYNTAX;
	if (skip_ext(&pkt, f))
		decode_ports(&pkt, f);
	return 0;
}

int
esp_flow_decode(struct view pkt, struct esp_flow *out)
{
	struct esp_flow f = { 0 };
	struct cur c;
	int err;

	if (pkt.len < IP4_HDR_MIN)
		return ERR_SYNTAX;
	cur_init(&c, pkt.p, pkt.len);
	switch (pkt.p[0] >> 4) {
	case 4:
		err = decode_ip4(&c, &f);
		break;
	case 6:
		err = decode_ip6(&c, &f);
		break;
	default:
		return ERR_SYNTAX;
	}
	if (err == 0)
		*out = f;
	return err;
}

static bool
has_port(const struct vpn_ts *ts, const struct esp_flow *f, uint16_t port)
{
	if (ts->port_lo == 0 && ts->port_hi == UINT16_MAX)
		return true;
	if (ts->port_lo > ts->port_hi) /* OPAQUE */
		return !f->has_ports;
	return f->has_ports && port >= ts->port_lo && port <= ts->port_hi;
}

bool
esp_sel_has(const struct vpn_ts *ts, unsigned n, const struct ip_addr *ip,
	    const struct esp_flow *f, uint16_t port)
{
	for (unsigned i = 0; i < n; i++)
		if (ts[i].lo.family == ip->family &&
		    ip_compare(&ts[i].lo, ip) <= 0 &&
		    ip_compare(ip, &ts[i].hi) <= 0 &&
		    (ts[i].proto == 0 || ts[i].proto == f->proto) &&
		    has_port(&ts[i], f, port))
			return true;
	return false;
}
