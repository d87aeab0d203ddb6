/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/frame.c - Ethernet, ARP, IP and neighbour discovery headers.
 *
 *    dst (6) | src (6) | [tag (4)] [tag (4)] | type (2) | data
 *
 * Thread: none shared.  No allocation.
 */
#include "vhub/frame.h"
#include <string.h>

#define IPV4_HEAD	20
#define IPV6_HEAD	40
#define PROTO_ICMPV6	58
#define ND_HOPS		255	/* RFC 4861 7.1: was not forwarded */
#define ND_OPT_SOURCE	1
#define ND_OPT_TARGET	2
#define ND_FLAG_S	0x40000000u
#define ND_FLAG_O	0x20000000u

const struct mac mac_broadcast = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

static int
dec_ip(struct cur *c, size_t n, struct ip_addr *out)
{
	uint8_t b[16];
	int err = cur_copy(c, b, n);

	if (err == 0)
		*out = ip_from(b, n);
	return err;
}

static void
enc_ip(struct wcur *w, const struct ip_addr *ip)
{
	wcur_bytes(w, ip->b, ip_len(ip));
}

int
eth_dec(struct view frame, struct eth *out)
{
	struct cur c;
	uint16_t tag = 0;
	int err;

	memset(out, 0, sizeof(*out));
	cur_init(&c, frame.p, frame.len);
	if ((err = cur_copy(&c, out->dst.b, 6)) != 0 ||
	    (err = cur_copy(&c, out->src.b, 6)) != 0 ||
	    (err = cur_u16(&c, &out->type)) != 0)
		return err;
	while (out->type == ETHER_VLAN || out->type == ETHER_QINQ) {
		uint16_t tpid = out->type;

		if (out->n_tag == ETH_TAGS_MAX)
			return ERR_LIMIT;
		if ((err = cur_u16(&c, &tag)) != 0 ||
		    (err = cur_u16(&c, &out->type)) != 0)
			return err;
		if (out->n_tag++ > 0)
			continue;
		out->vlan = tag & 0xfff;
		out->tag = (uint32_t)tpid << 16 | tag;
	}
	cur_rest(&c, &out->data);
	return 0;
}

void
eth_enc(struct wcur *w, const struct mac *dst, const struct mac *src,
	uint16_t type)
{
	wcur_bytes(w, dst->b, 6);
	wcur_bytes(w, src->b, 6);
	wcur_u16(w, type);
}

void
eth_enc_tag(struct wcur *w, const struct eth_to *to, const struct mac *src,
	    uint16_t type)
{
	wcur_bytes(w, to->dst.b, 6);
	wcur_bytes(w, src->b, 6);
	if (to->tag != 0)
		wcur_u32(w, to->tag);
	wcur_u16(w, type);
}

/*  htype 1 | ptype 0x0800 | 6 | 4 | op | sha | spa | tha | tpa   RFC 826 */
int
arp_dec(struct view v, struct arp *out)
{
	struct cur c;
	uint16_t htype = 0, ptype = 0;
	uint8_t hlen = 0, plen = 0;
	int err;

	cur_init(&c, v.p, v.len);
	if ((err = cur_u16(&c, &htype)) != 0 ||
	    (err = cur_u16(&c, &ptype)) != 0 ||
	    (err = cur_u8(&c, &hlen)) != 0 ||
	    (err = cur_u8(&c, &plen)) != 0 ||
	    (err = cur_u16(&c, &out->op)) != 0)
		return err;
	if (htype != 1 || ptype != ETHER_IPV4 || hlen != 6 || plen != 4)
		return ERR_UNSUP;
	if ((err = cur_copy(&c, out->sender_mac.b, 6)) != 0 ||
	    (err = dec_ip(&c, 4, &out->sender_ip)) != 0 ||
	    (err = cur_copy(&c, out->target_mac.b, 6)) != 0 ||
	    (err = dec_ip(&c, 4, &out->target_ip)) != 0)
		return err;
	/* Ethernet pads short frames: what follows is not ours to judge. */
	return 0;
}

void
arp_enc(struct wcur *w, const struct eth_to *to, const struct arp *a)
{
	eth_enc_tag(w, to, &a->sender_mac, ETHER_ARP);
	wcur_u16(w, 1);
	wcur_u16(w, ETHER_IPV4);
	wcur_u8(w, 6);
	wcur_u8(w, 4);
	wcur_u16(w, a->op);
	wcur_bytes(w, a->sender_mac.b, 6);
	enc_ip(w, &a->sender_ip);
	wcur_bytes(w, a->target_mac.b, 6);
	enc_ip(w, &a->target_ip);
}

static int
dec_ipv4(struct cur *c, size_t len, struct ip_head *out)
{
	uint8_t vihl = 0;
	uint16_t total = 0, frag = 0;
	int err;

	if ((err = cur_u8(c, &vihl)) != 0 || (err = cur_skip(c, 1)) != 0 ||
	    (err = cur_u16(c, &total)) != 0 || (err = cur_skip(c, 2)) != 0 ||
	    (err = cur_u16(c, &frag)) != 0 ||
	    (err = cur_u8(c, &out->hops)) != 0 ||
	    (err = cur_u8(c, &out->proto)) != 0 || (err = cur_skip(c, 2)) != 0 ||
	    (err = dec_ip(c, 4, &out->src)) != 0 ||
	    (err = dec_ip(c, 4, &out->dst)) != 0)
		return err;
	out->head_len = (vihl & 0xfu) * 4;
	out->total_len = total;
	out->is_fragment = (frag & 0x3fff) != 0; /* MF or an offset */
	if (out->head_len < IPV4_HEAD || out->total_len < out->head_len)
		return ERR_SYNTAX;
	return out->total_len <= len ? 0 : ERR_SHORT;
}

static int
dec_ipv6(struct cur *c, size_t len, struct ip_head *out)
{
	uint16_t payload = 0;
	int err;

	if ((err = cur_skip(c, 4)) != 0 || (err = cur_u16(c, &payload)) != 0 ||
	    (err = cur_u8(c, &out->proto)) != 0 ||
	    (err = cur_u8(c, &out->hops)) != 0 ||
	    (err = dec_ip(c, 16, &out->src)) != 0 ||
	    (err = dec_ip(c, 16, &out->dst)) != 0)
		return err;
	out->head_len = IPV6_HEAD;
	out->total_len = IPV6_HEAD + (size_t)payload;
	out->is_fragment = false;
	return out->total_len <= len ? 0 : ERR_SHORT;
}

int
ip_dec(struct view v, struct ip_head *out)
{
	struct cur c, look;
	uint8_t first = 0;
	int err;

	cur_init(&c, v.p, v.len);
	look = c;
	if ((err = cur_u8(&look, &first)) != 0)
		return err;
	if (first >> 4 == 4)
		return dec_ipv4(&c, v.len, out);
	if (first >> 4 == 6)
		return dec_ipv6(&c, v.len, out);
	return ERR_VERSION;
}

static uint32_t
sum16(uint32_t sum, const uint8_t *p, size_t n)
{
	size_t i;

	for (i = 0; i + 1 < n; i += 2)
		sum += be16_get(p + i);
	if (i < n)
		sum += (uint32_t)p[i] << 8;
	return sum;
}

static uint16_t
fold(uint32_t sum)
{
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

uint16_t
ip_sum(const uint8_t *p, size_t n)
{
	return fold(sum16(0, p, n));
}

uint16_t
ip_sum_icmpv6(const struct ip_addr *src, const struct ip_addr *dst,
	      const uint8_t *p, size_t n)
{
	uint32_t sum = PROTO_ICMPV6 + (uint32_t)n;

	sum = sum16(sum, src->b, 16);
	sum = sum16(sum, dst->b, 16);
	return fold(sum16(sum, p, n));
}

/* Options: type, length in units of 8 bytes, data.  RFC 4861 4.6. */
static int
dec_options(struct cur *c, struct nd *out)
{
	uint8_t want = out->type == ND_SOLICIT ? ND_OPT_SOURCE : ND_OPT_TARGET;

	while (cur_left(c) > 0) {
		uint8_t type = 0, units = 0;
		struct cur opt;
		int err;

		if ((err = cur_u8(c, &type)) != 0 ||
		    (err = cur_u8(c, &units)) != 0)
			return err;
		if (units == 0)
			return ERR_SYNTAX; /* RFC 4861 7.1.1 */
		if ((err = cur_sub(c, (size_t)units * 8 - 2, &opt)) != 0)
			return err;
		if (type != want || out->has_mac)
			continue;
		if ((err = cur_copy(&opt, out->mac.b, 6)) != 0)
			return err;
		out->has_mac = true;
	}
	return 0;
}

/* The rest of RFC 4861 7.1.1 and 7.1.2. */
static int
check_nd(const struct nd *n)
{
	struct ip_addr node = ip_solicited_node(&n->target);

	if (ip_is_multicast(&n->target))
		return ERR_SYNTAX;
	if (n->type == ND_ADVERT)
		return ip_is_multicast(&n->dst) && n->is_solicited ?
		    ERR_SYNTAX : 0;
	if (ip_is_any(&n->src) && (n->has_mac || !ip_equal(&n->dst, &node)))
		return ERR_SYNTAX;
	return 0;
}

int
nd_dec(struct view v, struct nd *out)
{
	struct ip_head ip;
	struct cur c;
	uint8_t code = 0;
	uint32_t flags = 0;
	size_t n;
	int err;

	memset(out, 0, sizeof(*out));
	if ((err = ip_dec(v, &ip)) != 0)
		return err;
	if (ip.src.family != 6 || ip.proto != PROTO_ICMPV6)
		return ERR_UNSUP;
	n = ip.total_len - IPV6_HEAD;
	cur_init(&c, v.p + IPV6_HEAD, n);
	if ((err = cur_u8(&c, &out->type)) != 0)
		return err;
	if (out->type != ND_SOLICIT && out->type != ND_ADVERT)
		return ERR_UNSUP;
	if ((err = cur_u8(&c, &code)) != 0 || (err = cur_skip(&c, 2)) != 0 ||
	    (err = cur_u32(&c, &flags)) != 0 ||
	    (err = dec_ip(&c, 16, &out->target)) != 0)
		return err;
	if (code != 0 || ip.hops != ND_HOPS)
		return ERR_SYNTAX;
	if (ip_sum_icmpv6(&ip.src, &ip.dst, v.p + IPV6_HEAD, n) != 0)
		return ERR_ICV;
	out->src = ip.src;
	out->dst = ip.dst;
	out->is_solicited = out->type == ND_ADVERT && (flags & ND_FLAG_S) != 0;
	if ((err = dec_options(&c, out)) != 0)
		return err;
	return check_nd(out);
}

/*  type | 0 | checksum | S (NA) | target (16) | option, 1, MAC   RFC 4861 4.3
 * R stays clear, and O but for news: the hub speaks as a proxy (RFC 4861 7.2.8). */
void
nd_enc(struct wcur *w, const struct eth_to *to, const struct nd *n)
{
	uint32_t flags = n->type != ND_ADVERT ? 0 :
	    (n->is_solicited ? ND_FLAG_S : 0) |
	    (n->is_override ? ND_FLAG_O : 0);
	size_t at, sum_at;

	eth_enc_tag(w, to, &n->mac, ETHER_IPV6);
	wcur_u32(w, 0x60000000u);
	wcur_u16(w, 32);
	wcur_u8(w, PROTO_ICMPV6);
	wcur_u8(w, ND_HOPS);
	enc_ip(w, &n->src);
	enc_ip(w, &n->dst);
	at = w->len;
	wcur_u8(w, n->type);
	wcur_u8(w, 0);
	sum_at = wcur_hole(w, 2);
	wcur_u32(w, flags);
	enc_ip(w, &n->target);
	wcur_u8(w, n->type == ND_SOLICIT ? ND_OPT_SOURCE : ND_OPT_TARGET);
	wcur_u8(w, 1);
	wcur_bytes(w, n->mac.b, 6);
	if (w->err == 0)
		wcur_put16(w, sum_at, ip_sum_icmpv6(&n->src, &n->dst,
		    w->base + at, w->len - at));
}

struct mac
mac_of_multicast(const struct ip_addr *ip)
{
	struct mac m = { { 0x33, 0x33, ip->b[12], ip->b[13], ip->b[14],
	    ip->b[15] } };

	if (ip->family == 4)
		m = (struct mac){ { 0x01, 0x00, 0x5e, ip->b[1] & 0x7f,
		    ip->b[2], ip->b[3] } };
	return m;
}

bool
ip_is_multicast(const struct ip_addr *ip)
{
	if (ip->family == 4)
		return ip->b[0] >> 4 == 0xe;
	return ip->family == 6 && ip->b[0] == 0xff;
}

bool
ip_is_broadcast(const struct ip_addr *ip)
{
	return ip->family == 4 && memcmp(ip->b, mac_broadcast.b, 4) == 0;
}

struct ip_addr
ip_solicited_node(const struct ip_addr *ip)
{
	static const uint8_t head[13] = { 0xff, 0x02, [11] = 0x01, 0xff };
	uint8_t b[16];

	memcpy(b, head, 13);
	memcpy(b + 13, ip->b + 13, 3);
	return ip_from(b, 16);
}
