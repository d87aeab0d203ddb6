/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/mactab.c - the MAC table: lock-free, of fixed size.
 *
 * An address is known in a VLAN (independent learning, IEEE 802.1Q 8.8): 60
 * bits.  A keyed permutation, so that strangers cannot fill a bucket on purpose,
 * makes of them 12 bits that choose a bucket and 48 that are kept:
 *
 *   entry:  | rest, 48 | fixed, 1 | second, 1 | used, 1 | port, 13 |   0 = free
 *
 * The other bucket an address may be in follows from the first and the rest, and
 * `second` says which of the two it is, so an entry tells its address exactly.  A
 * bucket has eight entries, a cache line; an entry changes only by
 * compare-and-swap.  Two workers may add one address at the same time into two
 * places: who adds looks again and keeps the first only.
 *
 * A fixed address counts in every VLAN; it stands where it would be untagged.
 */
#include "vhub/mactab.h"
#include <stdatomic.h>
#include <stdlib.h>
#include "daemon/base/err.h"
#include "daemon/base/rng.h"

#define BUCKET_BITS	12
#define N_BUCKET	(1u << BUCKET_BITS)
#define WAYS		8
/* Twice the bound: with two buckets to choose from, overflow is rare before
 * the table is full. */
#define N_SLOT		(N_BUCKET * WAYS)
#define FIXED		0x8000u
#define SECOND		0x4000u
#define USED		0x2000u
#define PORT_MASK	0x1fffu
#define REST_MASK	(~(uint64_t)0xffff)
#define HALF_BITS	30
#define HALF_MASK	((1u << HALF_BITS) - 1)
#define ROUNDS		3

_Static_assert(N_SLOT >= 2 * HUB_MAC_MAX, "room for the bound");
_Static_assert(MAC_NOBODY <= PORT_MASK, "a port fits an entry");

struct mactab {
	_Alignas(64) _Atomic uint64_t slot[N_SLOT];
	_Atomic uint32_t seen_s[N_SLOT];
	atomic_uint n_port[HUB_PORT_MAX];	/* learned, of each port */
	atomic_uint n;				/* learned, together */
	uint64_t key[ROUNDS + 1];		/* immutable */
};
/* The 16 places an address may have, and what stands there. */
struct places {
	uint32_t at[2];			/* first slot of each bucket */
	uint64_t want[2];		/* rest and SECOND */
};

/* Half of a Feistel round: any function of R will do. */
static uint32_t
mix(uint32_t half, uint64_t key)
{
	return (uint32_t)(((half ^ (uint32_t)key) * (key | 1)) >> 33) &
	    HALF_MASK;
}

static uint64_t
permute(const struct mactab *t, uint64_t x)
{
	uint32_t l = (uint32_t)(x >> HALF_BITS), r = (uint32_t)x & HALF_MASK;

	for (int i = 0; i < ROUNDS; i++) {
		uint32_t next = l ^ mix(r, t->key[i]);

		l = r;
		r = next;
	}
	return (uint64_t)l << HALF_BITS | r;
}

static uint64_t
permute_back(const struct mactab *t, uint64_t x)
{
	uint32_t l = (uint32_t)(x >> HALF_BITS), r = (uint32_t)x & HALF_MASK;

	for (int i = ROUNDS; i-- > 0;) {
		uint32_t before = r ^ mix(l, t->key[i]);

		r = l;
		l = before;
	}
	return (uint64_t)l << HALF_BITS | r;
}

/* From a bucket to the other one, and back: never to itself. */
static uint32_t
other(const struct mactab *t, uint32_t bucket, uint64_t rest)
{
	uint64_t x = rest * (t->key[ROUNDS] | 1);

	return bucket ^ ((uint32_t)(x >> (64 - BUCKET_BITS)) | 1);
}

static struct places
places_of(const struct mactab *t, uint16_t vlan, const struct mac *m)
{
	uint64_t x = vlan & 0xfff, rest;
	uint32_t first;

	for (int i = 0; i < 6; i++)
		x = x << 8 | m->b[i];
	x = permute(t, x);
	first = (uint32_t)(x >> 48);
	rest = x << 16;
	return (struct places){
		{ first * WAYS, other(t, first, rest) * WAYS },
		{ rest, rest | SECOND },
	};
}

/* The address an entry in a slot stands for. */
static uint16_t
address_of(const struct mactab *t, uint32_t slot, uint64_t e, struct mac *m)
{
	uint64_t rest = e & REST_MASK, x;
	uint32_t bucket = slot / WAYS;

	if (e & SECOND)
		bucket = other(t, bucket, rest);
	x = permute_back(t, (uint64_t)bucket << 48 | rest >> 16);
	for (int i = 0; i < 6; i++)
		m->b[i] = (uint8_t)(x >> (40 - 8 * i));
	return (uint16_t)(x >> 48);
}

static uint32_t
nth(const struct places *p, unsigned i)
{
	return p->at[i / WAYS] + i % WAYS;
}

static bool
is_it(const struct places *p, unsigned i, uint64_t e)
{
	return (e & (REST_MASK | SECOND)) == p->want[i / WAYS] && e != 0;
}

static uint64_t
get(const struct mactab *t, uint32_t i)
{
	return atomic_load_explicit(&t->slot[i], memory_order_relaxed);
}

/* Replace an entry when it is still what we saw. */
static bool
swap(struct mactab *t, uint32_t i, uint64_t old, uint64_t new)
{
	return atomic_compare_exchange_strong(&t->slot[i], &old, new);
}

static bool
is_fixed(uint64_t e)
{
	return (e & FIXED) != 0;
}

static uint32_t
port_of(uint64_t e)
{
	return (uint32_t)(e & PORT_MASK);
}

/* One learned entry less on its port. */
static void
uncount(struct mactab *t, uint64_t e)
{
	atomic_fetch_sub_explicit(&t->n_port[port_of(e)], 1,
	    memory_order_relaxed);
	atomic_fetch_sub_explicit(&t->n, 1, memory_order_relaxed);
}

static bool
drop_entry(struct mactab *t, uint32_t i, uint64_t e)
{
	if (!swap(t, i, e, 0))
		return false;
	if (!is_fixed(e))
		uncount(t, e);
	return true;
}

/* Take one from a bound; false when it is used up. */
static bool
reserve(atomic_uint *n, unsigned max)
{
	if (atomic_fetch_add_explicit(n, 1, memory_order_relaxed) < max)
		return true;
	atomic_fetch_sub_explicit(n, 1, memory_order_relaxed);
	return false;
}

/* Place of an address, or -1; *e is what stood there. */
static int
find(const struct mactab *t, const struct places *p, uint64_t *e)
{
	for (unsigned k = 0; k < 2; k++)
		for (uint32_t i = p->at[k]; i < p->at[k] + WAYS; i++) {
			*e = get(t, i);
			if ((*e & (REST_MASK | SECOND)) == p->want[k] &&
			    *e != 0)
				return (int)i;
		}
	return -1;
}

/* The same, of a fixed address in any VLAN: mactab_fix() saw to it that it is not
 * learned in one. */
static int
find_all(const struct mactab *t, uint16_t vlan, const struct mac *m,
	 struct places *p, uint64_t *e)
{
	struct places untagged;
	int at;

	*p = places_of(t, vlan, m);
	if ((at = find(t, p, e)) >= 0 || vlan == 0)
		return at;
	untagged = places_of(t, 0, m);
	at = find(t, &untagged, e);
	return at >= 0 && is_fixed(*e) ? at : -1;
}

static void
touch(struct mactab *t, uint32_t i, uint32_t now_s)
{
	if (atomic_load_explicit(&t->seen_s[i], memory_order_relaxed) != now_s)
		atomic_store_explicit(&t->seen_s[i], now_s,
		    memory_order_relaxed);
}

/* Of several entries for one address keep a fixed one, else the first. */
static void
keep_one(struct mactab *t, const struct places *p)
{
	uint64_t kept = 0;
	uint32_t kept_at = 0;

	for (unsigned i = 0; i < 2 * WAYS; i++) {
		uint32_t at = nth(p, i);
		uint64_t e = atomic_load(&t->slot[at]);

		if (!is_it(p, i, e))
			continue;
		if (kept != 0 && (is_fixed(kept) || !is_fixed(e))) {
			drop_entry(t, at, e);
			continue;
		}
		if (kept != 0)
			drop_entry(t, kept_at, kept);
		kept = e;
		kept_at = at;
	}
}

/* Number of free entries of a bucket. */
static unsigned
n_free(const struct mactab *t, uint32_t bucket)
{
	unsigned n = 0;

	for (unsigned i = 0; i < WAYS; i++)
		n += get(t, bucket + i) == 0;
	return n;
}

/* Put an entry into the emptier bucket; its place, or -1. */
static int
insert(struct mactab *t, const struct places *p, uint32_t what, uint32_t now_s)
{
	unsigned from = n_free(t, p->at[1]) > n_free(t, p->at[0]) ? WAYS : 0;

	for (unsigned k = 0; k < 2 * WAYS; k++) {
		unsigned i = (from + k) % (2 * WAYS);
		uint32_t at = nth(p, i);

		if (get(t, at) != 0 ||
		    !swap(t, at, 0, p->want[i / WAYS] | USED | what))
			continue;
		touch(t, at, now_s);
		return (int)at;
	}
	return -1;
}

static enum mac_learn
learn_new(struct mactab *t, const struct places *p, const struct mac_seen *by)
{
	if (!reserve(&t->n_port[by->port], by->max))
		return MAC_PORT_FULL;
	if (!reserve(&t->n, HUB_MAC_MAX))
		goto port;
	if (insert(t, p, by->port, by->now_s) < 0)
		goto table;
	keep_one(t, p);
	return MAC_NEW;
table:
	atomic_fetch_sub_explicit(&t->n, 1, memory_order_relaxed);
port:
	atomic_fetch_sub_explicit(&t->n_port[by->port], 1, memory_order_relaxed);
	return MAC_TABLE_FULL;
}

static enum mac_learn
learn_moved(struct mactab *t, uint32_t at, uint64_t e, const struct mac_seen *by)
{
	if (!reserve(&t->n_port[by->port], by->max))
		return MAC_PORT_FULL;
	if (!swap(t, at, e, (e & ~(uint64_t)PORT_MASK) | by->port)) {
		/* Somebody else was faster; the next frame will tell. */
		atomic_fetch_sub_explicit(&t->n_port[by->port], 1,
		    memory_order_relaxed);
		return MAC_KNOWN;
	}
	atomic_fetch_sub_explicit(&t->n_port[port_of(e)], 1,
	    memory_order_relaxed);
	touch(t, at, by->now_s);
	return MAC_MOVED;
}

int
mactab_new(struct mactab **out)
{
	struct mactab *t = aligned_alloc(64, sizeof(*t));
	int err;

	if (t == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < N_SLOT; i++) {
		atomic_init(&t->slot[i], 0);
		atomic_init(&t->seen_s[i], 0);
	}
	for (uint32_t i = 0; i < HUB_PORT_MAX; i++)
		atomic_init(&t->n_port[i], 0);
	atomic_init(&t->n, 0);
	if ((err = rng_bytes(t->key, sizeof(t->key))) != 0) {
		free(t);
		return err;
	}
	*out = t;
	return 0;
}

void
mactab_free(struct mactab *t)
{
	free(t);
}

int
mactab_find(const struct mactab *t, uint16_t vlan, const struct mac *m)
{
	struct places p;
	uint64_t e = 0;

	return find_all(t, vlan, m, &p, &e) < 0 ? -1 : (int)port_of(e);
}

enum mac_learn
mactab_learn(struct mactab *t, uint16_t vlan, const struct mac *m,
	     const struct mac_seen *by, uint32_t *old)
{
	struct places p;
	uint64_t e = 0;
	int at = find_all(t, vlan, m, &p, &e);

	if (at < 0)
		return learn_new(t, &p, by);
	*old = port_of(e);
	if (LIKELY(*old == by->port)) {
		touch(t, (uint32_t)at, by->now_s);
		return MAC_KNOWN;
	}
	if (is_fixed(e))
		return MAC_CLASH;
	return learn_moved(t, (uint32_t)at, e, by);
}

/* What is fixed now may have been learned in some VLAN. */
static void
forget_mac(struct mactab *t, const struct mac *m)
{
	struct mac is;

	for (uint32_t i = 0; mactab_count(t) > 0 && i < N_SLOT; i++) {
		uint64_t e = get(t, i);

		if (e == 0 || is_fixed(e))
			continue;
		address_of(t, i, e, &is);
		if (mac_equal(&is, m))
			drop_entry(t, i, e);
	}
}

int
mactab_fix(struct mactab *t, const struct mac *m, uint32_t port)
{
	struct places p = places_of(t, 0, m);
	uint64_t e = 0;
	int at;

	while ((at = find(t, &p, &e)) >= 0) {
		if (is_fixed(e) && port_of(e) == port)
			return 0;
		if (is_fixed(e) && port_of(e) != MAC_NOBODY)
			return ERR_EXISTS;
		drop_entry(t, (uint32_t)at, e);
	}
	if (insert(t, &p, FIXED | port, 0) >= 0) {
		keep_one(t, &p);
		forget_mac(t, m);
		return 0;
	}
	for (unsigned i = 0; i < 2 * WAYS; i++) {
		uint32_t slot = nth(&p, i);

		e = get(t, slot);
		if (e == 0 || is_fixed(e) || !swap(t, slot, e,
		    p.want[i / WAYS] | USED | FIXED | port))
			continue;
		uncount(t, e);
		keep_one(t, &p);
		forget_mac(t, m);
		return 0;
	}
	return ERR_FULL;
}

void
mactab_unfix(struct mactab *t, const struct mac *m)
{
	struct places p = places_of(t, 0, m);
	uint64_t e = 0;
	int at = find(t, &p, &e);

	if (at >= 0 && is_fixed(e))
		drop_entry(t, (uint32_t)at, e);
}

void
mactab_vacate(struct mactab *t, const struct mac *m, uint32_t port)
{
	struct places p = places_of(t, 0, m);
	uint64_t e = 0;
	int at = find(t, &p, &e);

	if (at >= 0 && is_fixed(e) && port_of(e) == port)
		(void)swap(t, (uint32_t)at, e,
		    (e & ~(uint64_t)PORT_MASK) | MAC_NOBODY);
}

void
mactab_forget(struct mactab *t, uint32_t port, bool all)
{
	for (uint32_t i = 0; i < N_SLOT; i++) {
		uint64_t e = get(t, i);

		if (e != 0 && port_of(e) == port && (all || !is_fixed(e)))
			drop_entry(t, i, e);
	}
}

void
mactab_age(struct mactab *t, uint32_t now_s, uint32_t age_s)
{
	if (mactab_count(t) == 0) /* as in most of many realms */
		return;
	for (uint32_t i = 0; i < N_SLOT; i++) {
		uint64_t e = get(t, i);
		uint32_t seen;

		if (e == 0 || is_fixed(e))
			continue;
		seen = atomic_load_explicit(&t->seen_s[i],
		    memory_order_relaxed);
		if (now_s > seen && now_s - seen >= age_s)
			drop_entry(t, i, e);
	}
}

uint32_t
mactab_count(const struct mactab *t)
{
	return atomic_load_explicit(&t->n, memory_order_relaxed);
}

uint32_t
mactab_count_port(const struct mactab *t, uint32_t port)
{
	return atomic_load_explicit(&t->n_port[port], memory_order_relaxed);
}

bool
mactab_next(const struct mactab *t, uint32_t *it, struct hub_mac_info *out)
{
	while (*it < N_SLOT) {
		uint32_t i = (*it)++;
		uint64_t e = get(t, i);

		if (e == 0)
			continue;
		out->vlan = address_of(t, i, e, &out->mac);
		out->port = port_of(e);
		out->is_static = is_fixed(e);
		out->age_s = atomic_load_explicit(&t->seen_s[i],
		    memory_order_relaxed);
		return true;
	}
	return false;
}
