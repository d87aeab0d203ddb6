/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/snoop.c - the table of multicast groups: readers without a lock.
 *
 * A slot is a group with its ports as a set of bits; it has a sequence number that
 * is odd while another group moves in, as in neigh.c.  Members, with their times,
 * are kept apart, in one pool, and only the writer (the lock) looks at them.
 *
 *   slot  | seq | group, VLAN | ports, 4096 bits | -> member -> member -> ...
 *
 * A querier counts from SETTLE_S after its first question, when everybody had the
 * time to answer, until the answers to its last one count no more.
 */
#include "vhub/snoop.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/lk.h"
#include "daemon/base/rng.h"
#include "vhub/neigh.h"

#define SNOOP_LK_RANK	62
#define WAYS		8
#define N_BUCKET	(2 * HUB_GROUP_MAX / WAYS)
#define N_SLOT		(N_BUCKET * WAYS)
#define N_WORD		(HUB_PORT_MAX / 64)
#define HOLD_S		260	/* RFC 3376 8.4, RFC 3810 9.4: 2 * 125 + 10 */
#define HOLD_MAX_S	3600	/* ours, whatever a query says */
#define SETTLE_S	26	/* longest answer time of IGMPv2: 25.5 s */
#define ASK_MIN_S	3	/* time for an answer that a query leaves at least */
#define NONE		UINT16_MAX
#define NTH_BITS	13	/* of a walk: which member of a slot */

struct slot {
	atomic_uint seq;
	_Atomic uint32_t vlan;
	_Atomic uint64_t hi, lo;
	_Atomic uint64_t port[N_WORD];
	_Atomic uint32_t first_s, last_s; /* of queries; last 0: none heard */
	_Atomic uint32_t hold_s;	/* how long a question counts */
	_Atomic bool is_used;
	/* With the lock held. */
	uint8_t family;
	uint16_t first;			/* member */
};
struct member {
	uint16_t port, next;
	uint32_t until_s;
	bool is_used;
};
struct snoop {
	struct slot slot[N_SLOT];
	_Atomic uint64_t all[N_WORD];	/* ports that get every group */
	atomic_uint n;			/* slots in use */
	struct lk lock;			/* rank 62: who writes */
	struct member member[HUB_MEMBER_MAX] GUARDED_BY(lock);
	uint16_t free GUARDED_BY(lock);
	uint16_t n_port[HUB_PORT_MAX] GUARDED_BY(lock);
	uint32_t all_s[HUB_PORT_MAX] GUARDED_BY(lock); /* ... until */
	uint64_t key[2];		/* immutable */
};

_Static_assert(HUB_MEMBER_MAX < NONE, "a member has a number");
_Static_assert(HUB_MEMBER_MAX < 1 << NTH_BITS && N_SLOT <= 1 << (32 - NTH_BITS),
	       "a walk has a place for it");

bool
snoop_is_local(const struct ip_addr *group)
{
	static const uint8_t local4[3] = { 224, 0, 0 };

	if (group->family == 4)
		return memcmp(group->b, local4, 3) == 0;
	return (group->b[1] & 0xf) <= 2; /* scope: interface, link */
}

static uint32_t
bucket(const struct snoop *s, struct ip_key k, uint32_t vlan, unsigned which)
{
	uint64_t x = (k.hi ^ s->key[0] ^ (uint64_t)vlan << 32) * (s->key[1] | 1);

	x = (x ^ x >> 29 ^ k.lo) * (s->key[0] | 1);
	x ^= x >> 32;
	x *= s->key[1] | 1;
	return (uint32_t)(which == 0 ? x >> 40 : x >> 20) % N_BUCKET * WAYS;
}

static bool
is_it(const struct slot *l, struct ip_key k, uint32_t vlan)
{
	return atomic_load_explicit(&l->is_used, memory_order_acquire) &&
	    atomic_load_explicit(&l->hi, memory_order_acquire) == k.hi &&
	    atomic_load_explicit(&l->lo, memory_order_acquire) == k.lo &&
	    atomic_load_explicit(&l->vlan, memory_order_acquire) == vlan;
}

static int
find(const struct snoop *s, const struct snoop_key *key)
{
	struct ip_key k = ip_key_of(&key->group);

	for (unsigned i = 0; i < 2 * WAYS; i++) {
		uint32_t at = bucket(s, k, key->vlan, i / WAYS) + i % WAYS;

		if (is_it(&s->slot[at], k, key->vlan))
			return (int)at;
	}
	return -1;
}

/* Add a slot's ports to a set; false when another group moved in meanwhile. */
static bool
add_ports(const struct slot *l, unsigned seq, struct port_set *out)
{
	struct port_set got;

	for (unsigned i = 0; i < N_WORD; i++)
		got.w[i] = atomic_load_explicit(&l->port[i],
		    memory_order_acquire);
	if (atomic_load_explicit(&l->seq, memory_order_relaxed) != seq)
		return false;
	for (unsigned i = 0; i < N_WORD; i++)
		out->w[i] |= got.w[i];
	return true;
}

/* Ports of a group, added to a set; false when it has none. */
static bool
add_group(const struct snoop *s, const struct snoop_key *key,
	  struct port_set *out)
{
	int at = find(s, key);
	const struct slot *l = at >= 0 ? &s->slot[at] : NULL;
	unsigned seq;

	if (l == NULL)
		return false;
	seq = atomic_load_explicit(&l->seq, memory_order_acquire);
	return (seq & 1) == 0 &&
	    is_it(l, ip_key_of(&key->group), key->vlan) &&
	    add_ports(l, seq, out);
}

static struct snoop_key
routers_of(const struct snoop_key *k)
{
	return (struct snoop_key){ { .family = k->group.family }, k->vlan };
}

/* ---- writing, with the lock held ------------------------------------------------ */

static void
set_bit(struct slot *l, uint32_t port, bool on)
{
	uint64_t bit = 1ull << port % 64;

	if (on)
		atomic_fetch_or_explicit(&l->port[port / 64], bit,
		    memory_order_release);
	else
		atomic_fetch_and_explicit(&l->port[port / 64], ~bit,
		    memory_order_release);
}

/* The slot of a group, a new one if need be; NULL when there is no room. */
static struct slot *
slot_get(struct snoop *s, const struct snoop_key *key)
{
	struct ip_key k = ip_key_of(&key->group);
	int at = find(s, key);
	struct slot *l;
	unsigned seq;

	if (at >= 0)
		return &s->slot[at];
	if (s->n >= HUB_GROUP_MAX)
		return NULL;
	for (unsigned i = 0; i < 2 * WAYS; i++) {
		l = &s->slot[bucket(s, k, key->vlan, i / WAYS) + i % WAYS];
		if (l->is_used)
			continue;
		seq = l->seq;
		atomic_store_explicit(&l->seq, seq + 1, memory_order_relaxed);
		atomic_store_explicit(&l->hi, k.hi, memory_order_release);
		atomic_store_explicit(&l->lo, k.lo, memory_order_release);
		atomic_store_explicit(&l->vlan, key->vlan, memory_order_release);
		for (unsigned w = 0; w < N_WORD; w++)
			atomic_store_explicit(&l->port[w], 0,
			    memory_order_release);
		l->first_s = l->last_s = 0;
		l->family = key->group.family;
		l->first = NONE;
		l->hold_s = 0;
		atomic_store_explicit(&l->is_used, true, memory_order_release);
		atomic_store_explicit(&l->seq, seq + 2, memory_order_release);
		s->n++;
		return l;
	}
	return NULL;
}

static struct member *
member_of(struct snoop *s, const struct slot *l, uint32_t port)
{
	for (uint16_t i = l->first; i != NONE; i = s->member[i].next)
		if (s->member[i].port == port)
			return &s->member[i];
	return NULL;
}

static struct member *
member_new(struct snoop *s, struct slot *l, uint32_t port)
{
	uint16_t i = s->free;
	struct member *m = i != NONE ? &s->member[i] : NULL;

	if (m == NULL || s->n_port[port] >= HUB_PORT_GROUP_MAX)
		return NULL;
	s->free = m->next;
	s->n_port[port]++;
	*m = (struct member){ (uint16_t)port, l->first, 0, true };
	l->first = i;
	set_bit(l, port, true);
	return m;
}

static void
slot_clear(struct snoop *s, struct slot *l)
{
	atomic_store_explicit(&l->is_used, false, memory_order_release);
	s->n--;
}

/* Take out members that `gone` names, or that are due when it is NONE. */
static void
slot_prune(struct snoop *s, struct slot *l, uint32_t gone, uint32_t now_s)
{
	uint16_t *at = &l->first;

	while (*at != NONE) {
		uint16_t i = *at;
		struct member *m = &s->member[i];

		if (gone == NONE ? now_s < m->until_s : m->port != gone) {
			at = &m->next;
			continue;
		}
		set_bit(l, m->port, false);
		s->n_port[m->port]--;
		*at = m->next;
		m->is_used = false;
		m->next = s->free;
		s->free = i;
	}
	if (l->first == NONE)
		slot_clear(s, l);
}

static void
join(struct snoop *s, const struct snoop_key *k, uint32_t port, uint32_t until_s)
{
	struct slot *l = slot_get(s, k);
	struct member *m = l != NULL ? member_of(s, l, port) : NULL;

	if (m == NULL && l != NULL)
		m = member_new(s, l, port);
	if (m != NULL) {
		m->until_s = MAX(m->until_s, until_s);
		return;
	}
	if (l != NULL && l->first == NONE)
		slot_clear(s, l);
	s->all_s[port] = MAX(s->all_s[port], until_s);
	atomic_fetch_or(&s->all[port / 64], 1ull << port % 64);
}

/* ---- the face ------------------------------------------------------------------- */

int
snoop_new(struct snoop **out)
{
	struct snoop *s = calloc(1, sizeof(*s));
	int err;

	if (s == NULL)
		return ERR_NOMEM;
	if ((err = rng_bytes(s->key, sizeof(s->key))) != 0) {
		free(s);
		return err;
	}
	for (uint16_t i = 0; i < HUB_MEMBER_MAX; i++)
		s->member[i].next = i + 1 < HUB_MEMBER_MAX ? i + 1 : NONE;
	lk_init(&s->lock, SNOOP_LK_RANK);
	*out = s;
	return 0;
}

void
snoop_free(struct snoop *s)
{
	if (s == NULL)
		return;
	lk_fini(&s->lock);
	free(s);
}

void
snoop_join(struct snoop *s, const struct snoop_key *k, uint32_t port,
	   uint32_t now_s)
{
	struct snoop_key router = routers_of(k);
	uint32_t hold_s = HOLD_S;
	int at;

	lk_lock(&s->lock);
	at = find(s, &router);
	if (at >= 0)
		hold_s = MAX(hold_s, s->slot[at].hold_s);
	join(s, k, port, now_s + hold_s);
	lk_unlock(&s->lock);
}

void
snoop_router(struct snoop *s, const struct snoop_key *k, uint32_t port,
	     bool is_querier, uint32_t hold_s, uint32_t now_s)
{
	struct snoop_key router = routers_of(k);
	struct slot *l;
	int at;

	hold_s = MIN(MAX(hold_s, HOLD_S), HOLD_MAX_S);
	lk_lock(&s->lock);
	join(s, &router, port, now_s + hold_s);
	at = find(s, &router);
	if (at >= 0 && is_querier) {
		l = &s->slot[at];
		if (l->last_s == 0 || now_s - l->last_s >= hold_s)
			l->first_s = now_s;
		l->last_s = MAX(now_s, 1);
		l->hold_s = hold_s;
	}
	lk_unlock(&s->lock);
}

void
snoop_ask(struct snoop *s, const struct snoop_key *k, uint32_t resp_s,
	  uint32_t now_s)
{
	uint32_t until_s = now_s + MAX(2 * resp_s + 1, ASK_MIN_S);
	int at;

	lk_lock(&s->lock);
	at = find(s, k);
	for (uint16_t i = at >= 0 ? s->slot[at].first : NONE; i != NONE;
	     i = s->member[i].next)
		s->member[i].until_s = MIN(s->member[i].until_s, until_s);
	lk_unlock(&s->lock);
}

bool
snoop_routers(const struct snoop *s, const struct snoop_key *k, uint32_t now_s,
	      struct port_set *out)
{
	struct snoop_key router = routers_of(k);
	int at = find(s, &router);
	uint32_t first_s, last_s, hold_s;

	if (at < 0)
		return false;
	hold_s = atomic_load_explicit(&s->slot[at].hold_s,
	    memory_order_relaxed);
	first_s = atomic_load_explicit(&s->slot[at].first_s,
	    memory_order_relaxed);
	last_s = atomic_load_explicit(&s->slot[at].last_s,
	    memory_order_relaxed);
	if (last_s == 0 || now_s - first_s < SETTLE_S ||
	    now_s > last_s + hold_s)
		return false;
	for (unsigned i = 0; i < N_WORD; i++)
		out->w[i] = atomic_load_explicit(&s->all[i],
		    memory_order_relaxed);
	return add_group(s, &router, out);
}

bool
snoop_route(const struct snoop *s, const struct snoop_key *k, bool is_strict,
	    uint32_t now_s, struct port_set *out)
{
	if (snoop_is_local(&k->group) || !snoop_routers(s, k, now_s, out))
		return false;
	return add_group(s, k, out) || is_strict;
}

void
snoop_forget(struct snoop *s, uint32_t port)
{
	if (port >= HUB_PORT_MAX)
		return;
	lk_lock(&s->lock);
	s->all_s[port] = 0;
	atomic_fetch_and(&s->all[port / 64], ~(1ull << port % 64));
	for (uint32_t i = 0; s->n_port[port] > 0 && i < N_SLOT; i++)
		if (s->slot[i].is_used)
			slot_prune(s, &s->slot[i], port, 0);
	lk_unlock(&s->lock);
}

void
snoop_age(struct snoop *s, uint32_t now_s)
{
	lk_lock(&s->lock);
	for (uint32_t i = 0; s->n > 0 && i < N_SLOT; i++)
		if (s->slot[i].is_used)
			slot_prune(s, &s->slot[i], NONE, now_s);
	for (uint32_t i = 0; i < HUB_PORT_MAX; i++)
		if (s->all_s[i] != 0 && now_s >= s->all_s[i]) {
			s->all_s[i] = 0;
			atomic_fetch_and(&s->all[i / 64], ~(1ull << i % 64));
		}
	lk_unlock(&s->lock);
}

uint32_t
snoop_count(const struct snoop *s)
{
	return s->n;
}

/* *it: slot << NTH_BITS | how many of its members were visited. */
bool
snoop_next(const struct snoop *s, uint32_t *it, struct hub_group_info *out)
{
	struct snoop *w = (struct snoop *)(uintptr_t)s; /* the lock only */
	bool is_found = false;

	lk_lock(&w->lock);
	for (; *it >> NTH_BITS < N_SLOT && !is_found;
	     *it = is_found ? *it + 1 : ((*it >> NTH_BITS) + 1) << NTH_BITS) {
		const struct slot *l = &s->slot[*it >> NTH_BITS];
		uint16_t i = l->is_used ? l->first : NONE;

		for (uint32_t k = *it & ((1u << NTH_BITS) - 1); k > 0 && i != NONE; k--)
			i = s->member[i].next;
		if (i == NONE)
			continue;
		*out = (struct hub_group_info){
			.group = ip_key_addr((struct ip_key){ l->hi, l->lo }),
			.family = l->family,
			.vlan = (uint16_t)l->vlan,
			.port = s->member[i].port,
			.left_s = s->member[i].until_s,
		};
		if (ip_is_any(&out->group))
			out->group.family = 0;
		is_found = true;
	}
	lk_unlock(&w->lock);
	return is_found;
}
