/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/neigh.c - the neighbour table: readers without a lock.
 *
 * One writer at a time (the lock); each entry has a sequence number that is odd
 * while it is written, so a reader that met a writer sees it and looks on.  All
 * fields are atomics, stores release and loads acquire, so the order holds
 * without fences.
 */
#include "vhub/neigh.h"
#include <stdatomic.h>
#include <stdlib.h>
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "daemon/base/lk.h"
#include "daemon/base/rng.h"

#define NEIGH_LK_RANK	60
#define WAYS		8
#define N_BUCKET	(2 * HUB_NEIGH_MAX / WAYS)
#define N_SLOT		(N_BUCKET * WAYS)

struct entry {
	atomic_uint seq;		/* odd: being written */
	_Atomic uint32_t seen_s;
	_Atomic uint64_t hi, lo;
	_Atomic uint64_t where;		/* MAC << 16 | port; 0 = free */
	_Atomic uint32_t vlan;
};
struct neigh {
	struct entry e[N_SLOT];
	struct lk lock;			/* rank 60: who writes */
	unsigned n_port[HUB_PORT_MAX] GUARDED_BY(lock);
	atomic_uint n;
	uint64_t key[3];		/* immutable */
};
/* An entry as one consistent copy. */
struct copy {
	struct ip_key ip;
	uint32_t vlan;
	uint64_t where;
};

struct ip_key
ip_key_of(const struct ip_addr *ip)
{
	if (ip->family == 4)
		return (struct ip_key){ 0, 0xffffull << 32 | be32_get(ip->b) };
	return (struct ip_key){ be64_get(ip->b), be64_get(ip->b + 8) };
}

struct ip_addr
ip_key_addr(struct ip_key k)
{
	uint8_t b[16];

	be64_put(b, k.hi);
	be64_put(b + 8, k.lo);
	if (k.hi == 0 && k.lo >> 32 == 0xffff)
		return ip_from(b + 12, 4);
	return ip_from(b, 16);
}

static uint64_t
where_of(const struct mac *m, uint32_t port)
{
	uint64_t k = 0;

	for (int i = 0; i < 6; i++)
		k = k << 8 | m->b[i];
	return k << 16 | port;
}

static uint32_t
port_of(uint64_t where)
{
	return (uint32_t)(where & 0xffff);
}

static void
fill(struct hub_neigh_info *out, const struct copy *c, uint32_t seen_s)
{
	out->ip = ip_key_addr(c->ip);
	out->vlan = (uint16_t)c->vlan;
	for (int i = 0; i < 6; i++)
		out->mac.b[i] = (uint8_t)(c->where >> (56 - 8 * i));
	out->port = port_of(c->where);
	out->age_s = seen_s;
}

static uint32_t
bucket(const struct neigh *t, uint16_t vlan, struct ip_key k, unsigned which)
{
	uint64_t x = (k.hi ^ t->key[0] ^ (uint64_t)vlan << 32) * (t->key[1] | 1);

	x = (x ^ x >> 29 ^ k.lo) * (t->key[2] | 1);
	x ^= x >> 32;
	x *= t->key[1] | 1;
	return (uint32_t)(which == 0 ? x >> 40 : x >> 20) % N_BUCKET * WAYS;
}

/* False when a writer was at it. */
static bool
look(const struct entry *e, struct copy *out)
{
	unsigned seq = atomic_load_explicit(&e->seq, memory_order_acquire);

	out->where = atomic_load_explicit(&e->where, memory_order_acquire);
	out->ip.hi = atomic_load_explicit(&e->hi, memory_order_acquire);
	out->ip.lo = atomic_load_explicit(&e->lo, memory_order_acquire);
	out->vlan = atomic_load_explicit(&e->vlan, memory_order_acquire);
	return (seq & 1) == 0 &&
	    atomic_load_explicit(&e->seq, memory_order_relaxed) == seq;
}

/* Place of an address, or -1. */
static int
find(const struct neigh *t, uint16_t vlan, struct ip_key k, struct copy *out)
{
	for (unsigned i = 0; i < 2 * WAYS; i++) {
		uint32_t at = bucket(t, vlan, k, i / WAYS) + i % WAYS;

		if (look(&t->e[at], out) && out->where != 0 &&
		    out->ip.hi == k.hi && out->ip.lo == k.lo &&
		    out->vlan == vlan)
			return (int)at;
	}
	return -1;
}

/* With the lock held. */
static void
store(struct entry *e, uint16_t vlan, struct ip_key k, uint64_t where)
{
	unsigned seq = atomic_load_explicit(&e->seq, memory_order_relaxed);

	atomic_store_explicit(&e->seq, seq + 1, memory_order_relaxed);
	atomic_store_explicit(&e->hi, k.hi, memory_order_release);
	atomic_store_explicit(&e->lo, k.lo, memory_order_release);
	atomic_store_explicit(&e->vlan, vlan, memory_order_release);
	atomic_store_explicit(&e->where, where, memory_order_release);
	atomic_store_explicit(&e->seq, seq + 2, memory_order_release);
}

static void
touch(struct entry *e, uint32_t now_s)
{
	if (atomic_load_explicit(&e->seen_s, memory_order_relaxed) != now_s)
		atomic_store_explicit(&e->seen_s, now_s, memory_order_relaxed);
}

/* With the lock held: a free place for an address, or -1. */
static int
free_place(const struct neigh *t, uint16_t vlan, struct ip_key k)
{
	if (atomic_load_explicit(&t->n, memory_order_relaxed) >= HUB_NEIGH_MAX)
		return -1;
	for (unsigned i = 0; i < 2 * WAYS; i++) {
		uint32_t at = bucket(t, vlan, k, i / WAYS) + i % WAYS;

		if (atomic_load_explicit(&t->e[at].where,
		    memory_order_relaxed) == 0)
			return (int)at;
	}
	return -1;
}

static void
clear(struct neigh *t, uint32_t i)
{
	t->n_port[port_of(t->e[i].where)]--;
	store(&t->e[i], 0, (struct ip_key){ 0, 0 }, 0);
	atomic_fetch_sub_explicit(&t->n, 1, memory_order_relaxed);
}

int
neigh_new(struct neigh **out)
{
	struct neigh *t = calloc(1, sizeof(*t));
	int err;

	if (t == NULL)
		return ERR_NOMEM;
	if ((err = rng_bytes(t->key, sizeof(t->key))) != 0) {
		free(t);
		return err;
	}
	lk_init(&t->lock, NEIGH_LK_RANK);
	*out = t;
	return 0;
}

void
neigh_free(struct neigh *t)
{
	if (t == NULL)
		return;
	lk_fini(&t->lock);
	free(t);
}

bool
neigh_find(const struct neigh *t, uint16_t vlan, const struct ip_addr *ip,
	   struct hub_neigh_info *out)
{
	struct copy c;
	int at = find(t, vlan, ip_key_of(ip), &c);

	if (at < 0)
		return false;
	fill(out, &c, atomic_load_explicit(&t->e[at].seen_s,
	    memory_order_relaxed));
	return true;
}

void
neigh_learn(struct neigh *t, const struct hub_neigh_info *n)
{
	struct ip_key k = ip_key_of(&n->ip);
	uint64_t where = where_of(&n->mac, n->port);
	struct copy c;
	int at = find(t, n->vlan, k, &c);

	if (at >= 0 && c.where == where) {
		touch(&t->e[at], n->age_s);
		return;
	}
	lk_lock(&t->lock);
	at = find(t, n->vlan, k, &c); /* nobody writes now: what is there is found */
	if (at >= 0 && port_of(c.where) == n->port)
		t->n_port[n->port]--;
	if (t->n_port[n->port] >= HUB_PORT_NEIGH_MAX) {
		/* Its place stays with who had it. */
		lk_unlock(&t->lock);
		return;
	}
	if (at >= 0 && port_of(c.where) != n->port)
		t->n_port[port_of(c.where)]--;
	if (at < 0 && (at = free_place(t, n->vlan, k)) >= 0)
		atomic_fetch_add_explicit(&t->n, 1, memory_order_relaxed);
	if (at >= 0) {
		touch(&t->e[at], n->age_s);
		store(&t->e[at], n->vlan, k, where);
		t->n_port[n->port]++;
	}
	lk_unlock(&t->lock);
}

void
neigh_forget(struct neigh *t, uint32_t port)
{
	lk_lock(&t->lock);
	for (uint32_t i = 0; i < N_SLOT; i++) {
		uint64_t w = atomic_load_explicit(&t->e[i].where,
		    memory_order_relaxed);

		if (w != 0 && port_of(w) == port)
			clear(t, i);
	}
	lk_unlock(&t->lock);
}

void
neigh_age(struct neigh *t, uint32_t now_s, uint32_t age_s)
{
	if (neigh_count(t) == 0)
		return;
	lk_lock(&t->lock);
	for (uint32_t i = 0; i < N_SLOT; i++) {
		uint32_t seen = atomic_load_explicit(&t->e[i].seen_s,
		    memory_order_relaxed);

		if (atomic_load_explicit(&t->e[i].where,
		    memory_order_relaxed) != 0 &&
		    now_s > seen && now_s - seen >= age_s)
			clear(t, i);
	}
	lk_unlock(&t->lock);
}

uint32_t
neigh_count(const struct neigh *t)
{
	return atomic_load_explicit(&t->n, memory_order_relaxed);
}

bool
neigh_next(const struct neigh *t, uint32_t *it, struct hub_neigh_info *out)
{
	while (*it < N_SLOT) {
		const struct entry *e = &t->e[(*it)++];
		struct copy c;

		if (!look(e, &c) || c.where == 0)
			continue;
		fill(out, &c, atomic_load_explicit(&e->seen_s,
		    memory_order_relaxed));
		return true;
	}
	return false;
}
