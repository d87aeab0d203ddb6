/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/lane.c - which lane a flow takes, and whose turn it is.
 */
#include "daemon/core/lane.h"
#include "daemon/base/cur.h"

#define MAC_LEN	    6
#define TYPE_VLAN   0x8100
#define TYPE_QINQ   0x88a8
#define TYPE_IP4    0x0800
#define TYPE_IP6    0x86dd
#define VLAN_TAGS   2		/* looked behind */
#define IP4_FRAG    0x3fff	/* more fragments, or an offset */
#define PROTO_TCP   6
#define PROTO_UDP   17

/* Fold two halves of equal length in a way that does not see their order. */
static int
fold(struct cur *c, size_t half, uint32_t *h)
{
	struct view a, b;
	int err;

	if ((err = cur_view(c, half, &a)) != 0 ||
	    (err = cur_view(c, half, &b)) != 0)
		return err;
	for (size_t i = 0; i < half; i++)
		*h = (*h * 31 + (a.p[i] ^ b.p[i])) * 31 + a.p[i] + b.p[i];
	return 0;
}

static int
ports(struct cur *c, uint8_t proto, uint32_t *h)
{
	*h = *h * 31 + proto;
	return proto == PROTO_TCP || proto == PROTO_UDP ? fold(c, 2, h) : 0;
}

/* RFC 791 3.1.  Fragments have no ports, so none of a datagram counts them. */
static int
ip4(struct cur *c, uint32_t *h)
{
	uint8_t vihl, proto;
	uint16_t frag;
	int err;

	if ((err = cur_u8(c, &vihl)) != 0 || (err = cur_skip(c, 5)) != 0 ||
	    (err = cur_u16(c, &frag)) != 0 || (err = cur_skip(c, 1)) != 0 ||
	    (err = cur_u8(c, &proto)) != 0 || (err = cur_skip(c, 2)) != 0 ||
	    (err = fold(c, 4, h)) != 0)
		return err;
	if ((frag & IP4_FRAG) != 0 || (vihl & 15) < 5)
		return 0;
	if ((err = cur_skip(c, (size_t)(vihl & 15) * 4 - 20)) != 0)
		return err;
	return ports(c, proto, h);
}

/* RFC 8200 3.  Behind an extension header, addresses alone count. */
static int
ip6(struct cur *c, uint32_t *h)
{
	uint8_t next;
	int err;

	if ((err = cur_skip(c, 6)) != 0 || (err = cur_u8(c, &next)) != 0 ||
	    (err = cur_skip(c, 1)) != 0 || (err = fold(c, 16, h)) != 0)
		return err;
	return ports(c, next, h);
}

/* The finisher of MurmurHash3: the low bits depend on all. */
static uint32_t
finish(uint32_t h)
{
	h = (h ^ h >> 16) * 0x85ebca6bu;
	h = (h ^ h >> 13) * 0xc2b2ae35u;
	return h ^ h >> 16;
}

uint32_t
lane_hash(struct view frame)
{
	uint32_t ether = 0, h = 0;
	uint16_t type = TYPE_VLAN;
	struct cur c;
	int err;

	cur_init(&c, frame.p, frame.len);
	if (fold(&c, MAC_LEN, &ether) != 0 || cur_u16(&c, &type) != 0)
		return finish(ether);
	for (unsigned i = 0; i < VLAN_TAGS && (type == TYPE_VLAN ||
	     type == TYPE_QINQ); i++)
		if (cur_skip(&c, 2) != 0 || cur_u16(&c, &type) != 0)
			return finish(ether);
	if (type != TYPE_IP4 && type != TYPE_IP6)
		return finish(ether);
	err = type == TYPE_IP4 ? ip4(&c, &h) : ip6(&c, &h);
	return finish(err == 0 ? h : ether);
}

unsigned
lane_turns(struct lane **ready, unsigned n)
{
	unsigned n_short = 0, first;
	struct lane *l;

	for (unsigned i = 0; i < n; i++) {
		if (ready[i]->is_long)
			continue;
		l = ready[n_short];
		ready[n_short++] = ready[i];
		ready[i] = l;
	}
	if (n_short == n)
		return n;
	first = n_short;
	for (unsigned i = n_short + 1; i < n; i++)
		if (ready[i]->turn < ready[first]->turn)
			first = i;
	l = ready[n_short];
	ready[n_short] = ready[first];
	ready[first] = l;
	return n_short + 1;
}
