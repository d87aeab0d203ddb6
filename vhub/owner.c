/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/owner.c - which IP port an inner address lies behind.
 *
 * Thread: built by the loop, read by workers; only `port` fields change while
 * others read (to OWN_NONE).
 */
#include "vhub/owner.h"
#include <stdatomic.h>
#include <stdlib.h>
#include "daemon/base/err.h"

#define OWN_SHARED (UINT32_MAX - 1) /* a host that two ports claim */

struct range {
	struct ip_key lo, hi, span;
	_Atomic uint32_t port;
	bool is_all;
};
struct host {
	struct ip_key ip;
	_Atomic uint32_t port;
	bool is_used;
};
struct own_tab {
	uint32_t n_range, n_slot;	/* n_slot: power of two, or 0 */
	struct range *range;
	struct host *host;
};

static int
cmp(struct ip_key a, struct ip_key b)
{
	if (a.hi != b.hi)
		return a.hi < b.hi ? -1 : 1;
	return a.lo < b.lo ? -1 : a.lo > b.lo;
}

static struct ip_key
minus(struct ip_key a, struct ip_key b)
{
	return (struct ip_key){ a.hi - b.hi - (a.lo < b.lo), a.lo - b.lo };
}

static int
by_span(const void *a, const void *b)
{
	return cmp(((const struct range *)a)->span,
	    ((const struct range *)b)->span);
}

static bool
is_host(const struct vpn_ts *ts)
{
	return ip_equal(&ts->lo, &ts->hi);
}

static bool
is_all(const struct range *r)
{
	struct ip_key zero = { 0, 0 };

	/* An IPv4 key has a prefix of 96 bits: all of it spans 2^32. */
	if (r->lo.hi == 0 && r->lo.lo >> 32 == 0xffff)
		return r->span.lo == UINT32_MAX;
	return cmp(r->lo, zero) == 0 && r->hi.hi == UINT64_MAX &&
	    r->hi.lo == UINT64_MAX;
}

static uint32_t
hash(struct ip_key k)
{
	uint64_t x = (k.hi ^ k.lo) * 0x9e3779b97f4a7c15ull;

	return (uint32_t)(x >> 32);
}

/* The slot of an address: its own, or the free one where it would be. */
static struct host *
host_slot(const struct own_tab *t, struct ip_key k)
{
	for (uint32_t i = hash(k);; i++) {
		struct host *h = &t->host[i & (t->n_slot - 1)];

		if (!h->is_used || cmp(h->ip, k) == 0)
			return h;
	}
}

static void
add_host(struct own_tab *t, struct ip_key k, uint32_t port)
{
	struct host *h = host_slot(t, k);

	if (!h->is_used)
		atomic_init(&h->port, port);
	else if (h->port != port)
		h->port = OWN_SHARED;
	h->is_used = true;
	h->ip = k;
}

static void
add_range(struct own_tab *t, const struct vpn_ts *ts, uint32_t port)
{
	struct range *r = &t->range[t->n_range++];

	r->lo = ip_key_of(&ts->lo);
	r->hi = ip_key_of(&ts->hi);
	r->span = minus(r->hi, r->lo);
	r->is_all = is_all(r);
	atomic_init(&r->port, port);
}

static int
reserve(struct own_tab *t, const struct own_src *src, unsigned n)
{
	size_t n_host = 0, n_range = 0;

	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < src[i].n_ts; k++)
			*(is_host(&src[i].ts[k]) ? &n_host : &n_range) += 1;
	t->range = calloc(n_range + 1, sizeof(*t->range));
	/* At most half full, so that a search ends. */
	t->n_slot = 2;
	while (t->n_slot < 2 * n_host + 1)
		t->n_slot *= 2;
	t->host = calloc(t->n_slot, sizeof(*t->host));
	return t->range != NULL && t->host != NULL ? 0 : ERR_NOMEM;
}

int
own_new(struct own_tab **out, const struct own_src *src, unsigned n)
{
	struct own_tab *t = calloc(1, sizeof(*t));
	int err;

	if (t == NULL)
		return ERR_NOMEM;
	if ((err = reserve(t, src, n)) != 0) {
		own_free(t);
		return err;
	}
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < src[i].n_ts; k++) {
			const struct vpn_ts *ts = &src[i].ts[k];

			if (is_host(ts))
				add_host(t, ip_key_of(&ts->lo), src[i].port);
			else
				add_range(t, ts, src[i].port);
		}
	qsort(t->range, t->n_range, sizeof(*t->range), by_span);
	*out = t;
	return 0;
}

void
own_free(struct own_tab *t)
{
	if (t == NULL)
		return;
	free(t->range);
	free(t->host);
	free(t);
}

void
own_drop(struct own_tab *t, uint32_t port)
{
	for (uint32_t i = 0; i < t->n_range; i++)
		if (t->range[i].port == port)
			t->range[i].port = OWN_NONE;
	for (uint32_t i = 0; i < t->n_slot; i++)
		if (t->host[i].is_used && t->host[i].port == port)
			t->host[i].port = OWN_NONE;
}

static uint32_t
find_range(const struct own_tab *t, struct ip_key k, enum own_width *width)
{
	const struct range *best = NULL;
	uint32_t port = OWN_NONE;

	for (uint32_t i = 0; i < t->n_range; i++) {
		const struct range *r = &t->range[i];
		uint32_t p = atomic_load_explicit(&r->port,
		    memory_order_relaxed);

		if (best != NULL && cmp(r->span, best->span) != 0)
			break;
		if (p == OWN_NONE || cmp(k, r->lo) < 0 || cmp(k, r->hi) > 0)
			continue;
		if (best != NULL && p != port)
			return OWN_NONE; /* two ports, equally narrow */
		best = r;
		port = p;
		*width = r->is_all ? OWN_ALL : OWN_RANGE;
	}
	return port;
}

uint32_t
own_find(const struct own_tab *t, const struct ip_addr *ip,
	 enum own_width *width)
{
	struct ip_key k = ip_key_of(ip);
	const struct host *h = host_slot(t, k);
	uint32_t port = h->is_used ? atomic_load_explicit(&h->port,
	    memory_order_relaxed) : OWN_NONE;

	if (port == OWN_SHARED)
		return OWN_NONE;
	if (port == OWN_NONE)
		return find_range(t, k, width);
	*width = OWN_HOST;
	return port;
}
