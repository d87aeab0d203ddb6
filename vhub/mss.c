/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/mss.c - the MSS option of TCP (RFC 9293 3.7.1, RFC 6691).
 *
 *   IPv4 | options            | TCP: ... offset, flags, window, checksum ... |
 *   IPv6 | extension headers  |      options: kind, length, data | kind ... |
 *
 * Every walk is bounded by the length fields and by what is there.
 */
#include "vhub/mss.h"
#include "daemon/base/cur.h"
#include "daemon/base/err.h"

#define IP4_LEN		20
#define IP6_LEN		40
#define IP4_OFFSET	0x1fff
#define TCP_LEN		20
#define TCP_SUM_AT	16
#define TCP_SYN		0x02
#define PROTO_TCP	6
#define EXT_HOPOPTS	0	/* RFC 8200 4.3 */
#define EXT_ROUTING	43	/* 4.4 */
#define EXT_FRAGMENT	44	/* 4.5 */
#define EXT_DSTOPTS	60	/* 4.6 */
#define EXT_MAX		6	/* extension headers looked through; ours */
#define OPT_END		0
#define OPT_NOP		1
#define OPT_MSS		2
#define OPT_MSS_LEN	4

/* Where the option is, and what there is to know about the packet. */
struct found {
	size_t tcp, mss;	/* offsets: TCP header, the option's value */
	uint16_t value;
	unsigned head;		/* IP and TCP header without options */
};

/* To the TCP header; RFC 791 3.1.  The rest of c ends where the packet does. */
static int
to_tcp4(struct cur *c)
{
	struct cur all = *c;
	struct view v;
	size_t head, total;
	int err;

	if ((err = cur_view(c, IP4_LEN, &v)) != 0)
		return err;
	head = (v.p[0] & 15u) * 4;
	total = be16_get(v.p + 2);
	if (v.p[9] != PROTO_TCP || head < IP4_LEN || total < head ||
	    (be16_get(v.p + 6) & IP4_OFFSET) != 0)
		return ERR_UNSUP;
	if ((err = cur_sub(&all, total, c)) != 0)
		return err;
	return cur_skip(c, head);
}

/* RFC 8200 4: past the extension headers, but of a first piece only. */
static int
to_tcp6(struct cur *c)
{
	struct cur all = *c;
	struct view v;
	uint8_t next;
	int err;

	if ((err = cur_view(c, IP6_LEN, &v)) != 0)
		return err;
	next = v.p[6];
	if ((err = cur_sub(&all, IP6_LEN + (size_t)be16_get(v.p + 4), c)) != 0 ||
	    (err = cur_skip(c, IP6_LEN)) != 0)
		return err;
	for (int i = 0; next != PROTO_TCP; i++) {
		bool is_piece = next == EXT_FRAGMENT;

		if (i == EXT_MAX || (!is_piece && next != EXT_HOPOPTS &&
		    next != EXT_ROUTING && next != EXT_DSTOPTS))
			return ERR_UNSUP;
		if ((err = cur_view(c, 8, &v)) != 0)
			return err;
		if (is_piece && be16_get(v.p + 2) >> 3 != 0)
			return ERR_UNSUP;
		if (!is_piece && (err = cur_skip(c, v.p[1] * 8u)) != 0)
			return err;
		next = v.p[0];
	}
	return 0;
}

/* The first MSS option; what comes after the end of options is not one. */
static int
find_option(struct cur *c, size_t at, struct found *f)
{
	uint8_t kind, len;
	int err;

	while ((err = cur_u8(c, &kind)) == 0 && kind != OPT_END) {
		if (kind == OPT_NOP)
			continue;
		if ((err = cur_u8(c, &len)) != 0)
			return err;
		if (len < 2)
			return ERR_SYNTAX;
		if (kind != OPT_MSS) {
			if ((err = cur_skip(c, len - 2u)) != 0)
				return err;
			continue;
		}
		if (len != OPT_MSS_LEN)
			return ERR_SYNTAX;
		f->mss = at + cur_at(c);
		return cur_u16(c, &f->value);
	}
	return err != 0 ? err : ERR_NOTFOUND;
}

static int
find(struct view packet, struct found *f)
{
	struct cur c, opts;
	struct view v;
	size_t n;
	int err;

	if (packet.len == 0)
		return ERR_SHORT;
	cur_init(&c, packet.p, packet.len);
	err = packet.p[0] >> 4 == 4 ? to_tcp4(&c) :
	    packet.p[0] >> 4 == 6 ? to_tcp6(&c) : ERR_VERSION;
	if (err != 0 || (err = cur_view(&c, TCP_LEN, &v)) != 0)
		return err;
	n = (v.p[12] >> 4) * 4u;
	if ((v.p[13] & TCP_SYN) == 0 || n < TCP_LEN)
		return ERR_UNSUP;
	f->tcp = (size_t)(v.p - packet.p);
	f->head = TCP_LEN + (packet.p[0] >> 4 == 4 ? IP4_LEN : IP6_LEN);
	if ((err = cur_sub(&c, n - TCP_LEN, &opts)) != 0)
		return err;
	return find_option(&opts, f->tcp + TCP_LEN, f);
}

/* A field as the sum over 16-bit words sees it: an option may begin anywhere. */
static uint16_t
in_sum(uint16_t v, bool is_odd)
{
	return is_odd ? (uint16_t)(v << 8 | v >> 8) : v;
}

/* RFC 1624, equation 3: HC' = ~(~HC + ~m + m'). */
static uint16_t
sum_with(uint16_t sum, uint16_t old, uint16_t now)
{
	uint32_t s = (uint16_t)~sum + (uint32_t)(uint16_t)~old + now;

	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

bool
mss_lower(uint8_t *packet, size_t n, uint32_t mtu, uint32_t most)
{
	uint32_t to = most != 0 ? most : UINT16_MAX;
	struct found f = { 0 };
	bool is_odd;
	uint8_t *sum;

	if (find((struct view){ packet, n }, &f) != 0)
		return false;
	if (mtu != 0)
		to = MIN(to, mtu > f.head ? mtu - f.head : 0);
	to = MAX(to, (uint32_t)MSS_MIN);
	if (f.value <= to)
		return false;
	is_odd = ((f.mss - f.tcp) & 1) != 0;
	sum = packet + f.tcp + TCP_SUM_AT;
	be16_put(sum, sum_with(be16_get(sum), in_sum(f.value, is_odd),
			       in_sum((uint16_t)to, is_odd)));
	be16_put(packet + f.mss, (uint16_t)to);
	return true;
}
