/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/rawip.c - the IP header in front of ESP.
 */
#include "daemon/core/rawip.h"
#include <string.h>
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "esp/csum.h"

#define IP4_LEN		20
#define IP4_VIHL	0x45	/* version 4, no options */
#define IP4_MORE	0x2000
#define IP4_OFF		0x1fff
#define IP6_LEN		40
#define IP6_FRAGMENT	44	/* RFC 8200 4.5 */
#define FRAGMENT_LEN	8
#define FRAGMENT_MORE	1
#define PIECE_UNIT	8	/* offsets count these */

/* RFC 1122 3.2.1.3, RFC 4291 2.7: no packet comes from or goes to these.  The
 * loopback network is left to whoever asks what our addresses are. */
static bool
is_host(const struct ip_addr *ip)
{
	if (ip->family == 4)
		return ip->b[0] != 0 && ip->b[0] < 224;
	return ip->b[0] != 0xff && !ip_is_any(ip);
}

/* RFC 791 3.1. */
static int
ip4(struct cur *c, struct rawip *out)
{
	struct view v;
	uint16_t frag;
	size_t len;
	int err;

	if ((err = cur_view(c, IP4_LEN, &v)) != 0)
		return err;
	if (v.p[0] != IP4_VIHL || v.p[9] != RAWIP_PROTO_ESP)
		return ERR_UNSUP;
	len = be16_get(v.p + 2);
	if (len < IP4_LEN || len - IP4_LEN > cur_left(c) ||
	    esp_csum_part(v.p, IP4_LEN) != 0xffff)
		return ERR_SYNTAX;
	frag = be16_get(v.p + 6);
	out->id = be16_get(v.p + 4);
	out->off = (uint16_t)((frag & IP4_OFF) * PIECE_UNIT);
	out->more = (frag & IP4_MORE) != 0;
	out->src = ip_from(v.p + 12, 4);
	out->dst = ip_from(v.p + 16, 4);
	return cur_view(c, len - IP4_LEN, &out->data);
}

/* RFC 8200 4.5; an atomic fragment (RFC 6946) is the kernel's. */
static int
ip6_piece(struct cur *c, struct rawip *out)
{
	struct view v;
	uint16_t frag;
	int err;

	if ((err = cur_view(c, FRAGMENT_LEN, &v)) != 0)
		return err;
	frag = be16_get(v.p + 2);
	out->off = frag & (uint16_t)~(PIECE_UNIT - 1);
	out->more = (frag & FRAGMENT_MORE) != 0;
	out->id = be32_get(v.p + 4);
	if (v.p[0] != RAWIP_PROTO_ESP || !rawip_is_piece(out))
		return ERR_UNSUP;
	return 0;
}

/* RFC 8200 3. */
static int
ip6(struct cur *c, struct rawip *out)
{
	struct view v;
	struct cur rest;
	int err;

	if ((err = cur_view(c, IP6_LEN, &v)) != 0)
		return err;
	if (v.p[0] >> 4 != 6)
		return ERR_UNSUP;
	if ((err = cur_sub(c, be16_get(v.p + 4), &rest)) != 0)
		return err;
	out->id = 0;
	out->off = 0;
	out->more = false;
	if (v.p[6] == IP6_FRAGMENT)
		err = ip6_piece(&rest, out);
	else if (v.p[6] != RAWIP_PROTO_ESP)
		err = ERR_UNSUP;
	if (err != 0)
		return err;
	out->src = ip_from(v.p + 8, 16);
	out->dst = ip_from(v.p + 24, 16);
	cur_rest(&rest, &out->data);
	return 0;
}

int
rawip_decode(struct view pkt, struct rawip *out)
{
	struct rawip ip = { 0 };
	struct cur c;
	int err;

	if (pkt.len == 0)
		return ERR_SHORT;
	cur_init(&c, pkt.p, pkt.len);
	err = pkt.p[0] >> 4 == 4 ? ip4(&c, &ip) : ip6(&c, &ip);
	if (err != 0)
		return err;
	if (!is_host(&ip.src) || !is_host(&ip.dst))
		return ERR_ADDR;
	*out = ip;
	return 0;
}
