/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/neg/ts.c - narrow traffic selectors.
 *
 * Each offered selector is cut with each permitted one; what is left, without
 * what another selector of the list covers, is the answer.
 *
 * Thread: any.
 */
#include "ikev2/neg/ts.h"

#include "daemon/base/err.h"


static bool
is_opaque(const struct vpn_ts *t)
{
	return t->port_lo > t->port_hi;
}

/* Cut a with b; false when they have nothing in common. */
static bool
cut(const struct vpn_ts *a, const struct vpn_ts *b, struct vpn_ts *out)
{
	if (a->lo.family != b->lo.family ||
	    (a->proto != 0 && b->proto != 0 && a->proto != b->proto))
		return false;
	out->lo = ip_compare(&a->lo, &b->lo) > 0 ? a->lo : b->lo;
	out->hi = ip_compare(&a->hi, &b->hi) < 0 ? a->hi : b->hi;
	if (ip_compare(&out->lo, &out->hi) > 0)
		return false;
	out->proto = a->proto != 0 ? a->proto : b->proto;
	if (is_opaque(a) || is_opaque(b)) {
		/* RFC 4301 4.4.1.1: OPAQUE meets OPAQUE or "any" only */
		const struct vpn_ts *other = is_opaque(a) ? b : a;

		if (!is_opaque(other) &&
		    !(other->port_lo == 0 && other->port_hi == UINT16_MAX))
			return false;
		out->port_lo = UINT16_MAX;
		out->port_hi = 0;
		return true;
	}
	out->port_lo = MAX(a->port_lo, b->port_lo);
	out->port_hi = MIN(a->port_hi, b->port_hi);
	return out->port_lo <= out->port_hi;
}

/* Add unless it is covered; drop what it covers.  False when the list is full. */
static bool
set_add(struct ike_ts_set *s, const struct vpn_ts *t)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->n; i++)
		if (vpn_ts_covers(&s->ts[i], t))
			return true;
	for (unsigned i = 0; i < s->n; i++)
		if (!vpn_ts_covers(t, &s->ts[i]))
			s->ts[n++] = s->ts[i];
	s->n = n;
	if (s->n == VPN_TS_MAX)
		return false;
	s->ts[s->n++] = *t;
	return true;
}

int
ike_ts_narrow(const struct ike_tss *offer, const struct ike_ts_set *permit,
	      struct ike_ts_set *out)
{
	struct ike_ts_set res = { .n = 0 };
	struct vpn_ts t;

	/* a full list is a narrower answer, which 2.9 permits */
	for (unsigned i = 0; i < offer->n; i++)
		for (unsigned j = 0; j < permit->n; j++)
			if (cut(&offer->ts[i], &permit->ts[j], &t) &&
			    !set_add(&res, &t))
				goto full;
full:
	if (res.n == 0)
		return ERR_TS;
	*out = res;
	return 0;
}

int
ike_ts_check(const struct ike_tss *ans, const struct ike_ts_set *offered,
	     struct ike_ts_set *out)
{
	struct ike_ts_set res = { .n = 0 };

	if (ans->n == 0 || ans->n > VPN_TS_MAX || ans->n_skipped > 0)
		return ERR_TS;
	for (unsigned i = 0; i < ans->n; i++) {
		bool inside = false;

		for (unsigned j = 0; j < offered->n && !inside; j++)
			inside = vpn_ts_covers(&offered->ts[j], &ans->ts[i]);
		if (!inside)
			return ERR_TS;
		res.ts[res.n++] = ans->ts[i];
	}
	*out = res;
	return 0;
}

uint8_t
ike_ts_proto(enum vpn_mode mode)
{
	switch (mode) {
	case VPN_MODE_ETHER:
		return 97;	/* EtherIP, RFC 3378 */
	case VPN_MODE_GRE:
		return 47;	/* RFC 2784 */
	default:
		return 0;
	}
}

struct vpn_ts
ike_ts_host(const struct ip_addr *host, uint8_t proto)
{
	return (struct vpn_ts){ .lo = *host, .hi = *host,
		.proto = proto, .port_lo = 0, .port_hi = UINT16_MAX };
}

bool
ike_ts_is_host(const struct ike_tss *ts, uint8_t proto)
{
	return ts->n == 1 && ts->ts[0].proto == proto &&
	    ip_equal(&ts->ts[0].lo, &ts->ts[0].hi);
}

bool
ike_ts_may_be_host(const struct ike_tss *ts, uint8_t proto)
{
	const struct ip_addr *host = &ts->ts[0].lo;

	for (unsigned i = 0; i < ts->n; i++)
		if ((ts->ts[i].proto != proto && ts->ts[i].proto != 0) ||
		    !ip_equal(&ts->ts[i].lo, host) ||
		    !ip_equal(&ts->ts[i].hi, host))
			return false;
	return ts->n > 0;
}
