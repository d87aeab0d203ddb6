/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/mactab.c - the MAC table: lock-free, of fixed size.
 *
 *   entry, 64 bits:  | MAC, 48 bits | fixed, 1 bit | port, 15 bits |   0 = free
 *
 * An address has two buckets of eight entries (a cache line each), chosen by a
 * keyed hash, so that strangers cannot fill a bucket on purpose.  An entry
 * changes only by compare-and-swap.  Two workers may add one address at the
 * same time into two places: who adds looks again and keeps the first only.
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
#define PORT_MASK	0x7fffu
#define KEY_MASK	(~(uint64_t)0xffff)

_Static_assert(N_SLOT >= 2 * HUB_MAC_MAX, "room for the bound");
_Static_assert(HUB_PORT_MAX <= FIXED, "a port fits an entry");

struct mactab {
	_Alignas(64) _Atomic uint64_t slot[N_SLOT];
	_Atomic uint32_t seen_s[N_SLOT];
	atomic_uint n_port[HUB_PORT_MAX];	/* learned, of each port */
	atomic_uint n;				/* learned, together */
	uint64_t key[3];			/* immutable */
};
/* The 16 places an address may have. */
struct places {
	uint32_t at[2];
};

static uint64_t
key_of(const struct mac *m)
{
	uint64_t k = 0;

	for (int i = 0; i < 6; i++)
		k = k << 8 | m->b[i];
	return k << 16;
}

static struct mac
mac_of(uint64_t e)
{
	struct mac m;

	for (int i = 0; i < 6; i++)
		m.b[i] = (uint8_t)(e >> (56 - 8 * i));
	return m;
}

static struct places
places_of(const struct mactab *t, uint64_t key)
{
	uint64_t x = (key ^ t->key[0]) * (t->key[1] | 1);

	x ^= x >> 32;
	x *= t->key[2] | 1;
	return (struct places){ { (uint32_t)(x >> (64 - BUCKET_BITS)) * WAYS,
	    (uint32_t)((x >> 24) & (N_BUCKET - 1)) * WAYS } };
}

static uint32_t
nth(const struct places *p, unsigned i)
{
	return p->at[i / WAYS] + i % WAYS;
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
find(const struct mactab *t, uint64_t key, uint64_t *e)
{
	struct places p = places_of(t, key);

	for (unsigned i = 0; i < 2 * WAYS; i++) {
		*e = get(t, nth(&p, i));
		if ((*e & KEY_MASK) == key)
			return (int)nth(&p, i);
	}
	return -1;
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
keep_one(struct mactab *t, uint64_t key)
{
	struct places p = places_of(t, key);
	uint64_t kept = 0;
	uint32_t kept_at = 0;

	for (unsigned i = 0; i < 2 * WAYS; i++) {
		uint32_t at = nth(&p, i);
		uint64_t e = atomic_load(&t->slot[at]);

		if ((e & KEY_MASK) != key || (kept != 0 && at == kept_at))
			continue; /* the two buckets may be the same one */
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
insert(struct mactab *t, uint64_t e, uint32_t now_s)
{
	struct places p = places_of(t, e & KEY_MASK);

	if (n_free(t, p.at[1]) > n_free(t, p.at[0]))
		p = (struct places){ { p.at[1], p.at[0] } };
	for (unsigned i = 0; i < 2 * WAYS; i++) {
		uint32_t at = nth(&p, i);

		if (get(t, at) != 0 || !swap(t, at, 0, e))
			continue;
		touch(t, at, now_s);
		return (int)at;
	}
	return -1;
}

static enum mac_learn
learn_new(struct mactab *t, uint64_t key, uint32_t port, uint32_t now_s)
{
	if (!reserve(&t->n_port[port], HUB_PORT_MAC_MAX))
		return MAC_PORT_FULL;
	if (!reserve(&t->n, HUB_MAC_MAX))
		goto port;
	if (insert(t, key | port, now_s) < 0)
		goto table;
	keep_one(t, key);
	return MAC_NEW;
table:
	atomic_fetch_sub_explicit(&t->n, 1, memory_order_relaxed);
port:
	atomic_fetch_sub_explicit(&t->n_port[port], 1, memory_order_relaxed);
	return MAC_TABLE_FULL;
}

static enum mac_learn
learn_moved(struct mactab *t, uint32_t at, uint64_t e, uint32_t port,
	    uint32_t now_s)
{
	if (!reserve(&t->n_port[port], HUB_PORT_MAC_MAX))
		return MAC_PORT_FULL;
	if (!swap(t, at, e, (e & KEY_MASK) | port)) {
		/* Somebody else was faster; the next frame will tell. */
		atomic_fetch_sub_explicit(&t->n_port[port], 1,
		    memory_order_relaxed);
		return MAC_KNOWN;
	}
	atomic_fetch_sub_explicit(&t->n_port[port_of(e)], 1,
	    memory_order_relaxed);
	touch(t, at, now_s);
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
mactab_find(const struct mactab *t, const struct mac *m)
{
	uint64_t e = 0;

	return find(t, key_of(m), &e) < 0 ? -1 : (int)port_of(e);
}

enum mac_learn
mactab_learn(struct mactab *t, const struct mac *m, uint32_t port,
	     uint32_t now_s, uint32_t *old)
{
	uint64_t key = key_of(m), e = 0;
	int at = find(t, key, &e);

	if (at < 0)
		return learn_new(t, key, port, now_s);
	*old = port_of(e);
	if (LIKELY(*old == port)) {
		touch(t, (uint32_t)at, now_s);
		return MAC_KNOWN;
	}
	if (is_fixed(e))
		return MAC_CLASH;
	return learn_moved(t, (uint32_t)at, e, port, now_s);
}

int
mactab_fix(struct mactab *t, const struct mac *m, uint32_t port)
{
	uint64_t key = key_of(m), e = 0;
	struct places p = places_of(t, key);
	int at;

	while ((at = find(t, key, &e)) >= 0) {
		if (is_fixed(e))
			return port_of(e) == port ? 0 : ERR_EXISTS;
		drop_entry(t, (uint32_t)at, e);
	}
	if (insert(t, key | FIXED | port, 0) >= 0) {
		keep_one(t, key);
		return 0;
	}
	for (unsigned i = 0; i < 2 * WAYS; i++) {
		uint32_t slot = nth(&p, i);

		e = get(t, slot);
		if (e == 0 || is_fixed(e) || !swap(t, slot, e,
		    key | FIXED | port))
			continue;
		uncount(t, e);
		keep_one(t, key);
		return 0;
	}
	return ERR_FULL;
}

void
mactab_unfix(struct mactab *t, const struct mac *m)
{
	uint64_t e = 0;
	int at = find(t, key_of(m), &e);

	if (at >= 0 && is_fixed(e))
		drop_entry(t, (uint32_t)at, e);
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
		out->mac = mac_of(e);
		out->port = port_of(e);
		out->is_static = is_fixed(e);
		out->age_s = atomic_load_explicit(&t->seen_s[i],
		    memory_order_relaxed);
		return true;
	}
	return false;
}
