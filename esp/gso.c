/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/gso.c - cutting super-frames.
 *
 * The sums of all bytes that stay the same are taken once; a segment adds its
 * own fields and its payload, which is summed while it is copied.
 */
#include "esp/gso.h"
#include <string.h>
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "esp/csum.h"

#define ETHER_LEN	14
#define TAG_LEN		4
#define ETHER_IPV4	0x0800
#define ETHER_VLAN	0x8100
#define ETHER_IPV6	0x86dd
#define ETHER_QINQ	0x88a8
#define IP4_LEN		20
#define IP6_LEN		40
#define PROTO_TCP	6
#define PROTO_UDP	17
#define EXT_HOPOPTS	0	/* RFC 8200 4.3 */
#define EXT_DSTOPTS	60	/* RFC 8200 4.6 */
#define EXT_MAX		4	/* extension headers looked through; ours */
#define TCP_LEN		20
#define TCP_FIN		0x01
#define TCP_PSH		0x08
#define TCP_CWR		0x80
#define UDP_LEN		8

/* ---- where the headers are ---------------------------------------------------- */

/* Ethernet header and tags; *type is what follows. */
static int
skip_ether(struct cur *c, uint16_t *type)
{
	struct view v;
	int err;

	if ((err = cur_view(c, ETHER_LEN, &v)) != 0)
		return err;
	*type = be16_get(v.p + 12);
	for (int i = 0; *type == ETHER_VLAN || *type == ETHER_QINQ; i++) {
		if (i == ESP_TAGS_MAX)
			return ERR_UNSUP;
		if ((err = cur_view(c, TAG_LEN, &v)) != 0)
			return err;
		*type = be16_get(v.p + 2);
	}
	return 0;
}

/* RFC 791 3.1. */
static int
find_ip4(struct cur *c, struct esp_l4 *out, uint8_t *proto)
{
	struct view v;
	size_t n;
	int err;

	if ((err = cur_view(c, IP4_LEN, &v)) != 0)
		return err;
	n = (v.p[0] & 15u) * 4;
	if (v.p[0] >> 4 != 4 || n < IP4_LEN ||
	    (be16_get(v.p + 6) & 0x3fff) != 0) /* MF or an offset */
		return ERR_UNSUP;
	out->ip_len = be16_get(v.p + 2);
	*proto = v.p[9];
	return cur_skip(c, n - IP4_LEN);
}

/* RFC 8200 3; options are looked through. */
static int
find_ip6(struct cur *c, struct esp_l4 *out, uint8_t *proto)
{
	struct view v;
	int err;

	if ((err = cur_view(c, IP6_LEN, &v)) != 0)
		return err;
	if (v.p[0] >> 4 != 6)
		return ERR_UNSUP;
	out->ip_len = IP6_LEN + (uint32_t)be16_get(v.p + 4);
	*proto = v.p[6];
	for (int i = 0; *proto == EXT_HOPOPTS || *proto == EXT_DSTOPTS; i++) {
		if (i == EXT_MAX)
			return ERR_UNSUP;
		if ((err = cur_view(c, 8, &v)) != 0 ||
		    (err = cur_skip(c, v.p[1] * 8u)) != 0)
			return err;
		*proto = v.p[0];
	}
	return 0;
}

static int
find_l4(struct cur *c, uint8_t proto, struct esp_l4 *out)
{
	struct view v;
	size_t n;
	int err;

	out->l4 = (uint16_t)cur_at(c);
	out->is_tcp = proto == PROTO_TCP;
	if (proto == PROTO_UDP) {
		out->data = out->l4 + UDP_LEN;
		return cur_skip(c, UDP_LEN);
	}
	if (proto != PROTO_TCP)
		return ERR_UNSUP;
	if ((err = cur_view(c, TCP_LEN, &v)) != 0)
		return err;
	n = (v.p[12] >> 4) * 4u;
	if (n < TCP_LEN)
		return ERR_UNSUP;
	out->data = (uint16_t)(out->l4 + n);
	return cur_skip(c, n - TCP_LEN);
}

int
esp_l4_find(struct view frame, bool is_ether, struct esp_l4 *out)
{
	uint16_t type = 0;
	uint8_t proto = 0, first = 0;
	struct cur c, look;
	int err;

	/* Offsets fit 16 bits however many headers a frame has. */
	cur_init(&c, frame.p, MIN(frame.len, (size_t)2 * ESP_GSO_HDR_MAX));
	if (is_ether && (err = skip_ether(&c, &type)) != 0)
		return err;
	look = c;
	if ((err = cur_u8(&look, &first)) != 0)
		return err;
	out->family = first >> 4;
	out->ip = (uint16_t)cur_at(&c);
	if (is_ether && type != (out->family == 4 ? ETHER_IPV4 : ETHER_IPV6))
		return ERR_UNSUP;
	if (out->family != 4 && out->family != 6)
		return ERR_UNSUP;
	err = out->family == 4 ? find_ip4(&c, out, &proto) :
	    find_ip6(&c, out, &proto);
	if (err != 0)
		return err;
	return find_l4(&c, proto, out);
}

/* ---- plan --------------------------------------------------------------------- */

/* Everything of the IPv4 header but length, identification and checksum. */
static uint32_t
ip4_const(const uint8_t *ip, size_t n)
{
	return esp_csum_part(ip, 2) + esp_csum_part(ip + 6, 4) +
	    esp_csum_part(ip + 12, n - 12);
}

/* Pseudo header without length, and of the header what does not change. */
static uint32_t
l4_const(const uint8_t *f, const struct esp_l4 *at)
{
	const uint8_t *h = f + at->l4;
	uint32_t sum;

	sum = at->family == 4 ? esp_csum_part(f + at->ip + 12, 8) :
	    esp_csum_part(f + at->ip + 8, 32);
	sum += at->is_tcp ? PROTO_TCP : PROTO_UDP;
	sum += esp_csum_part(h, 4);
	if (!at->is_tcp)
		return sum;
	/* sequence number at 4, offset and flags at 12, checksum at 16 */
	return sum + esp_csum_part(h + 8, 4) + esp_csum_part(h + 14, 2) +
	    esp_csum_part(h + 18, (size_t)(at->data - at->l4 - 18));
}

int
esp_gso_plan(struct view frame, bool is_ether, uint16_t seg_len,
	     struct esp_gso *out)
{
	struct esp_l4 at;
	size_t left;
	int err;

	if ((err = esp_l4_find(frame, is_ether, &at)) != 0)
		return err;
	if (at.data > ESP_GSO_HDR_MAX)
		return ERR_UNSUP;
	left = frame.len - at.data;
	if (seg_len == 0 || left == 0 ||
	    at.data - at.ip + (uint32_t)seg_len > UINT16_MAX)
		return ERR_RANGE;
	*out = (struct esp_gso){
		.frame = frame,
		.at = at,
		.seg_len = seg_len,
		.n = (uint32_t)((left + seg_len - 1) / seg_len),
		.l4_sum = l4_const(frame.p, &at),
	};
	if (at.family == 4)
		out->ip_sum = ip4_const(frame.p + at.ip,
					(frame.p[at.ip] & 15u) * 4);
	return 0;
}

/* ---- cut ---------------------------------------------------------------------- */

static size_t
payload_len(const struct esp_gso *g, uint32_t i)
{
	size_t from = g->at.data + (size_t)i * g->seg_len;

	return MIN((size_t)g->seg_len, g->frame.len - from);
}

size_t
esp_gso_len(const struct esp_gso *g, uint32_t i)
{
	return g->at.data + payload_len(g, i);
}

static void
put_ip(const struct esp_gso *g, uint32_t i, size_t len, uint8_t *out)
{
	uint8_t *ip = out + g->at.ip;
	uint16_t n = (uint16_t)(len - g->at.ip), id;

	if (g->at.family == 6) {
		be16_put(ip + 4, (uint16_t)(n - IP6_LEN));
		return;
	}
	id = (uint16_t)(be16_get(ip + 4) + i);
	be16_put(ip + 2, n);
	be16_put(ip + 4, id);
	be16_put(ip + 10, (uint16_t)~esp_csum_fold(g->ip_sum + n + id));
}

static void
put_tcp(const struct esp_gso *g, uint32_t i, uint32_t sum, uint8_t *tcp)
{
	uint32_t seq = be32_get(tcp + 4) + i * g->seg_len;
	uint8_t flags = tcp[13];

	if (i > 0)
		flags &= (uint8_t)~TCP_CWR;	/* RFC 3168 6.1.2 */
	if (i + 1 < g->n)
		flags &= (uint8_t)~(TCP_FIN | TCP_PSH);
	be32_put(tcp + 4, seq);
	tcp[13] = flags;
	sum += (seq >> 16) + (seq & 0xffff) + be16_get(tcp + 12);
	be16_put(tcp + 16, (uint16_t)~esp_csum_fold(sum));
}

static void
put_udp(uint16_t len, uint32_t sum, uint8_t *udp)
{
	uint16_t csum = (uint16_t)~esp_csum_fold(sum + len);

	be16_put(udp + 4, len);
	be16_put(udp + 6, csum != 0 ? csum : 0xffff); /* RFC 768: 0 = none */
}

void
esp_gso_put(const struct esp_gso *g, uint32_t i, uint8_t *out)
{
	size_t hdr = g->at.data, n = payload_len(g, i);
	const uint8_t *from = g->frame.p + hdr + (size_t)i * g->seg_len;
	uint32_t l4_len = (uint32_t)(hdr - g->at.l4 + n), sum;

	memcpy(out, g->frame.p, hdr);
	sum = g->l4_sum + l4_len + esp_csum_copy(out + hdr, from, n);
	put_ip(g, i, hdr + n, out);
	if (g->at.is_tcp)
		put_tcp(g, i, sum, out + g->at.l4);
	else
		put_udp((uint16_t)l4_len, sum, out + g->at.l4);
}

/* As for the segments of put_ip() and put_tcp(); sums come when they are cut. */
int
esp_gso_behead(uint8_t *frame, size_t len, bool is_ether, uint16_t seg_len)
{
	struct esp_l4 at;
	uint8_t *ip, *l4;
	int err;

	if ((err = esp_l4_find((struct view){ frame, len }, is_ether,
			       &at)) != 0)
		return err;
	if (seg_len == 0 || len - at.data <= seg_len)
		return ERR_RANGE;
	memmove(frame + seg_len, frame, at.data);
	ip = frame + seg_len + at.ip;
	l4 = frame + seg_len + at.l4;
	if (at.family == 4) {
		be16_put(ip + 2, (uint16_t)(be16_get(ip + 2) - seg_len));
		be16_put(ip + 4, (uint16_t)(be16_get(ip + 4) + 1));
	} else {
		be16_put(ip + 4, (uint16_t)(be16_get(ip + 4) - seg_len));
	}
	if (at.is_tcp)
		be32_put(l4 + 4, be32_get(l4 + 4) + seg_len);
	else
		be16_put(l4 + 4, (uint16_t)(be16_get(l4 + 4) - seg_len));
	return 0;
}

int
esp_csum_complete(uint8_t *frame, size_t len, size_t start, size_t off)
{
	uint16_t csum;

	if (start > len || off > len - start || len - start - off < 2)
		return ERR_RANGE;
	csum = (uint16_t)~esp_csum_fold(esp_csum_part(frame + start,
						      len - start));
	/* UDP and those like it: 0 means none was computed. */
	be16_put(frame + start + off, csum != 0 ? csum : 0xffff);
	return 0;
}
