/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/wire/pl_ts.c - Traffic Selector payloads, RFC 7296 section 3.13.
 *
 *                      1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+-----------------------------------------------+
 * | Number of TSs |                 RESERVED                      |
 * +---------------+-----------------------------------------------+
 * ~                       Traffic Selectors                       ~
 *
 *  selector, 3.13.1
 * +---------------+---------------+-------------------------------+
 * |   TS Type     |IP Protocol ID |       Selector Length         |
 * +---------------+---------------+-------------------------------+
 * |           Start Port          |           End Port            |
 * +-------------------------------+-------------------------------+
 * ~                Starting Address (4 or 16 bytes)               ~
 * +---------------------------------------------------------------+
 * ~                Ending Address (4 or 16 bytes)                 ~
 * +---------------------------------------------------------------+
 *
 * Pure; arrays from the arena.
 */
#include "ikev2/wire/wire.h"

#define TS_HDR_LEN	4
#define PORT_MAX	65535

/* Start 65535, end 0 means OPAQUE (3.13.1). */
static bool
ports_fit(uint16_t lo, uint16_t hi)
{
	return lo <= hi || (lo == PORT_MAX && hi == 0);
}

/* What follows the selector's first four bytes. */
static int
read_range(struct cur *c, size_t addr_len, struct vpn_ts *ts)
{
	struct view lo, hi;
	int err;

	if ((err = cur_u16(c, &ts->port_lo)) != 0 ||
	    (err = cur_u16(c, &ts->port_hi)) != 0 ||
	    (err = cur_view(c, addr_len, &lo)) != 0 ||
	    (err = cur_view(c, addr_len, &hi)) != 0 ||
	    (err = cur_end(c)) != 0)
		return err;
	ts->lo = ip_from(lo.p, lo.len);
	ts->hi = ip_from(hi.p, hi.len);
	if (ip_compare(&ts->lo, &ts->hi) > 0 ||
	    !ports_fit(ts->port_lo, ts->port_hi))
		return ERR_RANGE;
	return 0;
}

/* One selector; is_known is false for one of a type we skip. */
static int
read_selector(struct cur *c, struct vpn_ts *ts, bool *is_known)
{
	struct cur sub;
	uint16_t len;
	uint8_t type;
	int err;

	if ((err = cur_u8(c, &type)) != 0 ||
	    (err = cur_u8(c, &ts->proto)) != 0 ||
	    (err = cur_u16(c, &len)) != 0)
		return err;
	if (len < TS_HDR_LEN)
		return ERR_SHORT;
	if ((err = cur_sub(c, (size_t)len - TS_HDR_LEN, &sub)) != 0)
		return err;
	*is_known = true;
	if (type == IKE_TS_IPV4_ADDR_RANGE)
		return read_range(&sub, 4, ts);
	if (type == IKE_TS_IPV6_ADDR_RANGE)
		return read_range(&sub, 16, ts);
	*is_known = false;
	return 0;
}

int
dec_ts(struct arena *a, struct cur *c, struct ike_tss *out)
{
	struct ike_tss tss = { 0 };
	struct vpn_ts *ts;
	bool is_known;
	uint8_t n;
	unsigned i;
	int err;

	if ((err = cur_u8(c, &n)) != 0 ||
	    (err = cur_skip(c, 3)) != 0)		/* RESERVED */
		return err;
	if (n == 0)
		return ERR_SYNTAX;
	if (n > IKE_MAX_SELECTORS)
		return ERR_LIMIT;
	if (cur_left(c) / TS_HDR_LEN < n)
		return ERR_SHORT;
	if ((ts = arena_alloc(a, n * sizeof(*ts))) == NULL)
		return ERR_NOMEM;
	for (i = 0; i < n; i++) {
		if ((err = read_selector(c, &ts[tss.n], &is_known)) != 0)
			return err;
		if (is_known)
			tss.n++;
		else
			tss.n_skipped++;
	}
	if ((err = cur_end(c)) != 0)
		return err;
	tss.ts = ts;
	*out = tss;
	return 0;
}

void
enc_ts(struct wcur *w, const struct ike_tss *tss)
{
	unsigned i;

	if (tss->n == 0 || tss->n > IKE_MAX_SELECTORS) {
		w->err = ERR_LONG;
		return;
	}
	wcur_u8(w, (uint8_t)tss->n);
	wcur_zero(w, 3);
	for (i = 0; i < tss->n; i++) {
		const struct vpn_ts *ts = &tss->ts[i];
		size_t len = ip_len(&ts->lo);

		if (len == 0 || ip_len(&ts->hi) != len) {
			w->err = ERR_LONG;
			return;
		}
		wcur_u8(w, len == 4 ? IKE_TS_IPV4_ADDR_RANGE
				    : IKE_TS_IPV6_ADDR_RANGE);
		wcur_u8(w, ts->proto);
		wcur_u16(w, (uint16_t)(TS_HDR_LEN + 4 + 2 * len));
		wcur_u16(w, ts->port_lo);
		wcur_u16(w, ts->port_hi);
		wcur_bytes(w, ts->lo.b, len);
		wcur_bytes(w, ts->hi.b, len);
	}
}
