/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/neg/place.c - addresses of both ends, and pairs of them (RFC 4555).
 *
 *   ours A B    peer's X Y, in use A-X       A-X | B-X  A-Y | B-Y
 *                                          same address of the peer first: it
 *                                          was proven to be the peer's already
 * Pure.
 */
#include "ikev2/neg/place.h"

#include <string.h>

/* ---- lists --------------------------------------------------------------- */

bool
ike_addrs_has(const struct ike_addrs *s, const struct ip_addr *ip)
{
	for (unsigned i = 0; i < s->n; i++)
		if (ip_equal(&s->a[i], ip))
			return true;
	return false;
}

bool
ike_addrs_add(struct ike_addrs *s, const struct ip_addr *ip)
{
	if (s->n >= IKE_ADDR_MAX || !ip_is_unicast(ip) || ike_addrs_has(s, ip))
		return false;
	s->a[s->n++] = *ip;
	return true;
}

bool
ike_own_has(const struct ike_own *s, const struct ip_addr *ip)
{
	for (unsigned i = 0; i < s->n; i++)
		if (ip_equal(&s->a[i], ip))
			return true;
	return false;
}

bool
ike_own_lacks(const struct ike_own *s, const struct ip_addr *ip)
{
	return s->n < IKE_OWN_MAX && !ike_own_has(s, ip);
}

bool
ike_own_set(struct ike_own *s, const struct ip_addr *ip, unsigned n_out,
	    unsigned n)
{
	struct ike_own was = *s;
	bool is_new;

	s->n = s->n_out = 0;
	for (unsigned i = 0; i < n && s->n < IKE_OWN_MAX; i++) {
		if (ip_is_unicast(&ip[i]) && !ike_own_has(s, &ip[i]))
			s->a[s->n++] = ip[i];
		if (i < n_out)
			s->n_out = s->n;
	}
	is_new = s->n != was.n || s->n_out != was.n_out;
	for (unsigned i = 0; i < s->n; i++)
		is_new |= !ike_own_has(&was, &s->a[i]);
	return is_new;
}

/* ---- candidates ---------------------------------------------------------- */

static bool
is_all(const struct vpn_ts *ts)
{
	struct ip_net any = { .addr.family = ts->lo.family };
	struct ip_addr lo, hi;

	ip_net_range(&any, &lo, &hi);
	return ip_equal(&ts->lo, &lo) && ip_equal(&ts->hi, &hi);
}

static bool
is_inside(const struct ike_ts_set *s, const struct ip_addr *ip)
{
	struct vpn_ts host = { .lo = *ip, .hi = *ip };

	for (unsigned i = 0; i < s->n; i++) {
		struct vpn_ts all = { .lo = s->ts[i].lo, .hi = s->ts[i].hi };

		if (vpn_ts_covers(&all, &host) && !is_all(&all))
			return true;
	}
	return false;
}

struct ike_addrs
ike_addrs_outside(const struct ip_addr *ip, unsigned n, unsigned n_out,
		  const struct ike_ts_set *inside, const struct ip_addr *in_use)
{
	struct ike_addrs out = { .n = 0 };

	for (unsigned i = 0; i < n; i++)
		if (ip_equal(&ip[i], in_use))
			(void)ike_addrs_add(&out, in_use);
	for (unsigned i = 0; i < n_out; i++)
		if (!is_inside(inside, &ip[i]))
			(void)ike_addrs_add(&out, &ip[i]);
	return out;
}

/* ---- on the wire --------------------------------------------------------- */

bool
ike_addrs_read(const struct ike_pls *p, struct ike_addrs *out)
{
	struct ike_addrs got = { .n = 0 };
	bool is_said = false;

	for (unsigned i = 0; i < p->n_ntf; i++) {
		const struct ike_ntf *n = &p->ntf[i];
		struct ip_addr ip;

		is_said |= n->type == IKE_N_NO_ADDITIONAL_ADDRESSES;
		if (n->type != IKE_N_ADDITIONAL_IP4_ADDRESS &&
		    n->type != IKE_N_ADDITIONAL_IP6_ADDRESS)
			continue;
		is_said = true;
		ip = ip_from(n->data.p, n->data.len);
		(void)ike_addrs_add(&got, &ip);
	}
	if (is_said)
		*out = got;
	return is_said;
}

void
ike_addrs_write(struct ike_build *b, const struct ike_addrs *s,
		const struct ip_addr *in_use, bool has_none)
{
	struct view none = { NULL, 0 };
	unsigned n = 0;

	for (unsigned i = 0; i < s->n; i++) {
		const struct ip_addr *ip = &s->a[i];

		if (ip_equal(ip, in_use))
			continue;
		ike_build_notify(b, IKE_PROTO_NONE, ip->family == 4 ?
				 IKE_N_ADDITIONAL_IP4_ADDRESS :
				 IKE_N_ADDITIONAL_IP6_ADDRESS, none,
				 (struct view){ ip->b, ip_len(ip) });
		n++;
	}
	if (n == 0 && has_none)
		ike_build_notify(b, IKE_PROTO_NONE,
				 IKE_N_NO_ADDITIONAL_ADDRESSES, none, none);
}

/* ---- pairs --------------------------------------------------------------- */

struct pairs {
	struct ike_way *out;
	unsigned n, max;
};

static void
put(struct pairs *p, const struct ip_addr *local, const struct ip_addr *remote)
{
	if (p->n >= p->max || local->family != remote->family)
		return;
	for (unsigned i = 0; i < p->n; i++)
		if (ip_equal(&p->out[i].local, local) &&
		    ip_equal(&p->out[i].remote, remote))
			return;
	p->out[p->n++] = (struct ike_way){ *local, *remote };
}

/* The one in use first, if it is among them. */
static struct ike_addrs
in_order(const struct ike_addrs *s, const struct ip_addr *in_use)
{
	struct ike_addrs out = { .n = 0 };

	if (ike_addrs_has(s, in_use))
		(void)ike_addrs_add(&out, in_use);
	for (unsigned i = 0; i < s->n; i++)
		(void)ike_addrs_add(&out, &s->a[i]);
	return out;
}

unsigned
ike_ways(const struct ike_addrs *own, const struct ike_addrs *peer,
	  const struct ike_way *now, struct ike_way *out, unsigned max)
{
	struct pairs p = { .out = out, .max = max };
	struct ike_addrs here = in_order(own, &now->local);
	struct ike_addrs there = { .n = 1, .a = { now->remote } };

	for (unsigned i = 0; i < peer->n; i++)
		(void)ike_addrs_add(&there, &peer->a[i]);
	/* by how far both are from the front: neither end uses up all places */
	for (unsigned far = 0; far < here.n + there.n; far++)
		for (unsigned i = 0; i <= far; i++)
			if (far - i < here.n && i < there.n)
				put(&p, &here.a[far - i], &there.a[i]);
	return p.n;
}

/* ---- NO_NATS_ALLOWED, RFC 4555 4.2.6 -------------------------------------- */

/*
 * +---------------------------------------------------------------+
 * |                  Source address (4 or 16)                     |
 * +---------------------------------------------------------------+
 * |                Destination address (4 or 16)                  |
 * +-------------------------------+-------------------------------+
 * |          Source port          |       Destination port        |
 * +-------------------------------+-------------------------------+
 */
size_t
ike_no_nats_put(const struct net_ep *from, const struct net_ep *to,
		uint8_t out[IKE_NO_NATS_MAX])
{
	struct wcur w;

	wcur_init(&w, out, IKE_NO_NATS_MAX);
	wcur_view(&w, (struct view){ from->ip.b, ip_len(&from->ip) });
	wcur_view(&w, (struct view){ to->ip.b, ip_len(&to->ip) });
	wcur_u16(&w, from->port);
	wcur_u16(&w, to->port);
	return ip_len(&from->ip) + ip_len(&to->ip) + 4;
}

bool
ike_no_nats_fits(struct view data, const struct net_ep *from,
		 const struct net_ep *to)
{
	uint8_t want[IKE_NO_NATS_MAX];
	size_t len = ike_no_nats_put(from, to, want);

	return data.len == len && memcmp(data.p, want, len) == 0;
}
