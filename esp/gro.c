/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/gro.c - coalescing of opened frames.
 *
 * What must be equal between neighbours (all but IP length, identification and
 * checksums): link header, tags, IP header, ports; of TCP the acknowledgement,
 * window, options and flags but FIN and PSH, which like CWR of the first end or
 * begin an item.  A segment must follow in sequence and be as long as the first,
 * or shorter and the last.
 */
#include "esp/gro.h"
#include <string.h>
#include "daemon/base/cur.h"
#include "esp/csum.h"

#define IP4_LEN		20
#define IP4_DF		0x4000
#define IP6_LEN		40
#define PROTO_TCP	6
#define PROTO_UDP	17
#define IP_LEN_MAX	65535	/* a total length field's end */
#define TCP_FIN		0x01
#define TCP_SYN		0x02
#define TCP_RST		0x04
#define TCP_PSH		0x08
#define TCP_ACK		0x10
#define TCP_URG		0x20
#define TCP_CWR		0x80

void
esp_gro_init(struct esp_gro *g, bool has_udp)
{
	g->has_udp = has_udp;
	esp_gro_clear(g);
}

void
esp_gro_clear(struct esp_gro *g)
{
	g->n = 0;
	memset(g->flow, 0, sizeof(g->flow));
}

/* ---- one frame ---------------------------------------------------------------- */

static uint32_t
pseudo(const uint8_t *f, const struct esp_l4 *at, uint32_t l4_len)
{
	return esp_csum_pseudo(f + at->ip + (at->family == 4 ? 12 : 8),
			       at->family == 4 ? 4 : 16,
			       at->is_tcp ? PROTO_TCP : PROTO_UDP, l4_len);
}

/* Are all checksums right?  Ethernet padding was cut off before. */
static bool
is_right(const uint8_t *f, size_t len, const struct esp_l4 *at)
{
	uint32_t l4_len = (uint32_t)(len - at->l4);

	if (at->family == 4 &&
	    esp_csum_part(f + at->ip, (f[at->ip] & 15u) * 4) != 0xffff)
		return false;
	if (!at->is_tcp && (be16_get(f + at->l4 + 6) == 0 ||
			    be16_get(f + at->l4 + 4) != l4_len))
		return false;
	return esp_csum_fold(pseudo(f, at, l4_len) +
			     esp_csum_part(f + at->l4, l4_len)) == 0xffff;
}

/* Headers found, and the checksums are right. */
static bool
look(const struct buf *b, struct esp_l4 *at)
{
	if (esp_l4_find(buf_view(b), true, at) != 0 ||
	    at->ip + at->ip_len > b->len || at->ip + at->ip_len < at->data)
		return false;
	return is_right(b->data, at->ip + at->ip_len, at);
}

/* May others be added behind it, or it to others? */
static bool
may_merge(const struct esp_gro *g, const struct buf *b, const struct esp_l4 *at)
{
	const uint8_t *f = b->data;
	uint8_t flags;

	if (buf_is_shared(b) || at->ip + at->ip_len != b->len ||
	    at->data == b->len || at->data > ESP_GSO_HDR_MAX)
		return false;
	if (at->family == 4 ? f[at->ip] != 0x45 : at->l4 != at->ip + IP6_LEN)
		return false; /* options are not looked into */
	if (!at->is_tcp)
		return g->has_udp;
	flags = f[at->l4 + 13];
	return (flags & TCP_ACK) != 0 &&
	    (flags & (TCP_SYN | TCP_RST | TCP_URG)) == 0;
}

/* Which entry of the flow table: ports and the low ends of addresses. */
static unsigned
flow_slot(const uint8_t *f, const struct esp_l4 *at)
{
	const uint8_t *ip = f + at->ip;
	uint32_t h = be32_get(f + at->l4);

	h ^= at->family == 4 ? be32_get(ip + 12) ^ be32_get(ip + 16) :
	    be32_get(ip + 20) ^ be32_get(ip + 36);
	h *= 0x9e3779b1u; /* 2^32 / golden ratio */
	return (h >> 16) % ESP_GRO_FLOWS;
}

/* ---- two frames --------------------------------------------------------------- */

static bool
same_ip(const struct esp_gro_item *it, const uint8_t *a, const uint8_t *b)
{
	uint16_t first, next;

	if (it->at.family == 6)
		return memcmp(a, b, 4) == 0 &&
		    memcmp(a + 6, b + 6, IP6_LEN - 6) == 0;
	if (memcmp(a, b, 2) != 0 || memcmp(a + 6, b + 6, 4) != 0 ||
	    memcmp(a + 12, b + 12, 8) != 0)
		return false;
	/* Cutting counts the identification up; one that stays may change
	 * only where it means nothing (RFC 6864 4.1). */
	first = be16_get(a + 4);
	next = be16_get(b + 4);
	if ((be16_get(a + 6) & IP4_DF) != 0 && next == first)
		return it->n == 1 || it->is_fixed_id;
	return next == (uint16_t)(first + it->n) && !it->is_fixed_id;
}

/* Headers but for what may differ. */
static bool
same_flow(const struct esp_gro_item *it, const struct buf *b,
	  const struct esp_l4 *at)
{
	const uint8_t *p = it->head->data, *q = b->data;

	return at->ip == it->at.ip && at->l4 == it->at.l4 &&
	    at->data == it->at.data && at->is_tcp == it->at.is_tcp &&
	    at->family == it->at.family && memcmp(p, q, at->ip) == 0 &&
	    same_ip(it, p + at->ip, q + at->ip) &&
	    memcmp(p + at->l4, q + at->l4, 4) == 0;
}

static bool
follows_tcp(const struct esp_gro_item *it, const uint8_t *p, const uint8_t *q)
{
	size_t n = (size_t)(it->at.data - it->at.l4);
	uint8_t diff = p[13] ^ q[13];

	if ((q[13] & TCP_CWR) != 0)
		return false;
	diff &= (uint8_t)~(TCP_FIN | TCP_PSH | TCP_CWR);
	return be32_get(q + 4) == be32_get(p + 4) + it->bytes - it->at.data &&
	    memcmp(p + 8, q + 8, 4) == 0 &&	/* acknowledgement */
	    p[12] == q[12] && diff == 0 &&
	    memcmp(p + 14, q + 14, 2) == 0 &&	/* window */
	    memcmp(p + 18, q + 18, n - 18) == 0; /* urgent, options */
}

static bool
follows(const struct esp_gro_item *it, const struct buf *b,
	const struct esp_l4 *at)
{
	size_t n = b->len - at->data;

	if (it->n == ESP_GRO_SEGS || n > it->seg_len ||
	    it->bytes - it->at.ip + n > IP_LEN_MAX || !same_flow(it, b, at))
		return false;
	return !at->is_tcp ||
	    follows_tcp(it, it->head->data + at->l4, b->data + at->l4);
}

/* Nothing may come behind a short one, or one that says so. */
static bool
is_last(const struct esp_gro_item *it, size_t n, const uint8_t *tcp)
{
	return n < it->seg_len ||
	    (it->at.is_tcp && (tcp[13] & (TCP_FIN | TCP_PSH)) != 0);
}

static void
append(struct esp_gro_item *it, struct buf *b, const struct esp_l4 *at)
{
	uint8_t *p = it->head->data + at->ip, *q = b->data + at->ip;

	if (at->family == 4)
		it->is_fixed_id = be16_get(p + 4) == be16_get(q + 4);
	if (at->is_tcp)
		it->head->data[at->l4 + 13] |=
		    b->data[at->l4 + 13] & (TCP_FIN | TCP_PSH);
	b->data += at->data;
	b->len -= at->data;
	it->tail->next = b;
	it->tail = b;
	it->n++;
	it->bytes += b->len;
}

bool
esp_gro_add(struct esp_gro *g, struct buf *b)
{
	struct esp_gro_item *it;
	struct esp_l4 at = { 0 };
	uint16_t *flow = NULL;
	bool is_checked = look(b, &at), has_more = false;
	size_t n = b->len - at.data;

	if (is_checked) {
		flow = &g->flow[flow_slot(b->data, &at)];
		has_more = may_merge(g, b, &at);
		it = *flow != 0 ? &g->item[*flow - 1] : NULL;
		if (has_more && it != NULL && follows(it, b, &at)) {
			if (is_last(it, n, b->data + at.l4))
				*flow = 0;
			append(it, b, &at);
			return true;
		}
	} else {
		/* Whatever flow it is of, nothing of that may overtake it. */
		memset(g->flow, 0, sizeof(g->flow));
	}
	if (g->n == ESP_GRO_MAX)
		return false;
	it = &g->item[g->n++];
	b->next = NULL;
	*it = (struct esp_gro_item){
		.head = b, .tail = b, .n = 1, .bytes = b->len,
		.seg_len = (uint16_t)n, .is_checked = is_checked, .at = at,
	};
	/* Whatever stood there is overtaken: nothing may be added to it. */
	if (flow != NULL)
		*flow = has_more && !is_last(it, n, b->data + at.l4) ?
		    (uint16_t)g->n : 0;
	return true;
}

void
esp_gro_finish(struct esp_gro_item *it)
{
	const struct esp_l4 *at = &it->at;
	uint8_t *f = it->head->data, *ip = f + at->ip;
	uint32_t ip_len = it->bytes - at->ip, l4_len = it->bytes - at->l4;

	if (it->n == 1)
		return;
	if (at->family == 6) {
		be16_put(ip + 4, (uint16_t)(ip_len - IP6_LEN));
	} else {
		be16_put(ip + 2, (uint16_t)ip_len);
		be16_put(ip + 10, 0);
		be16_put(ip + 10, (uint16_t)~esp_csum_part(ip, IP4_LEN));
	}
	if (!at->is_tcp)
		be16_put(f + at->l4 + 4, (uint16_t)l4_len);
	be16_put(f + at->l4 + (at->is_tcp ? 16 : 6),
		 esp_csum_fold(pseudo(f, at, l4_len)));
}
