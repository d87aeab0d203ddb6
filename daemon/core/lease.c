/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/lease.c - the book of leases.
 *
 *  record, 384 bytes
 * +---------+--------------+--------------+--------+--------------+
 * | "TPL1"  |  checksum 8  | last used 8  |family 1|  address 16  |
 * +---------+--------------+--------------+--------+--------------+
 * | length 1, realm 63 | length 1, identity 255 | zero 27         |
 * +--------------------+------------------------+-----------------+
 *
 * Thread: the loop.
 */
#include "daemon/core/lease.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "daemon/base/list.h"
#include "daemon/base/map.h"
#include "daemon/base/str.h"

#define REC_MAGIC  0x54504c31u	/* "TPL1" */
#define REC_SUM_AT 4
#define REC_SUMMED 12		/* what the checksum is about begins here */
#define WORD_BITS  64

struct lease {
	uint32_t slot;
	struct ip_addr ip;
	int64_t last_s;			/* when it was taken, or left */
	bool is_used;
	char realm[LEASE_REALM_MAX];
	char who[LEASE_WHO_MAX];
};
struct pool {
	struct list node;
	char realm[LEASE_REALM_MAX];
	unsigned n_net, n_not, n_fix;
	struct ip_net net[LEASE_NET_MAX];
	struct ip_addr not_these[LEASE_NOT_MAX];
	struct fix {
		char who[LEASE_WHO_MAX];
		struct ip_addr ip;
	} *fix;
};
struct leases {
	struct list pools;
	uint32_t max, n, low;		/* no free slot is below low */
	struct lease **slot;		/* max */
	uint64_t *dirty;		/* a bit for each slot */
	uint32_t n_dirty;
	struct map *by_who, *by_ip;
};
struct who_key {
	uint64_t h[2];
};
struct ip_key {
	uint64_t realm;
	uint8_t family, addr[16], zero[7]; /* no padding: a key is its bytes */
};

/* Not secret: the same in every run, so that an identity finds its address. */
static const uint8_t fixed_key[2][17] = {	/* 16 and a NUL */
	"tapir lease book", "tapir lease hash"
};

static uint64_t
hash_of(unsigned which, const char *realm, const char *who, uint8_t family)
{
	uint8_t b[LEASE_REALM_MAX + LEASE_WHO_MAX + 1] = { family };
	size_t n_realm = strlen(realm), n_who = strlen(who);

	memcpy(b + 1, realm, n_realm);
	memcpy(b + 2 + n_realm, who, n_who);	/* a zero between them */
	return siphash(fixed_key[which], b, 2 + n_realm + n_who);
}

static struct who_key
who_key(const char *realm, const char *who, uint8_t family)
{
	return (struct who_key){ { hash_of(0, realm, who, family),
				   hash_of(1, realm, who, family) } };
}

static struct ip_key
ip_key(const char *realm, const struct ip_addr *ip)
{
	struct ip_key k = { .realm = siphash(fixed_key[0], realm,
					     strlen(realm)),
			    .family = ip->family };

	memcpy(k.addr, ip->b, sizeof(k.addr));
	return k;
}

/* ---- the table ----------------------------------------------------------------- */

static void
soil(struct leases *l, uint32_t slot)
{
	uint64_t bit = UINT64_C(1) << slot % WORD_BITS;

	if ((l->dirty[slot / WORD_BITS] & bit) != 0)
		return;
	l->dirty[slot / WORD_BITS] |= bit;
	l->n_dirty++;
}

static struct lease *
find_who(const struct leases *l, const char *realm, const char *who,
	 uint8_t family)
{
	struct who_key k = who_key(realm, who, family);
	struct lease *e = map_find(l->by_who, &k);

	return e != NULL && strcmp(e->who, who) == 0 &&
	    strcmp(e->realm, realm) == 0 ? e : NULL;
}

static struct lease *
find_ip(const struct leases *l, const char *realm, const struct ip_addr *ip)
{
	struct ip_key k = ip_key(realm, ip);

	return map_find(l->by_ip, &k);
}

static void
forget(struct leases *l, struct lease *e)
{
	struct who_key w = who_key(e->realm, e->who, e->ip.family);
	struct ip_key k = ip_key(e->realm, &e->ip);

	map_remove(l->by_who, &w);
	map_remove(l->by_ip, &k);
	l->slot[e->slot] = NULL;
	l->low = MIN(l->low, e->slot);
	l->n--;
	soil(l, e->slot);
	free(e);
}

/* Into the table; takes e, also when it fails. */
static int
enter(struct leases *l, struct lease *e)
{
	struct who_key w = who_key(e->realm, e->who, e->ip.family);
	struct ip_key k = ip_key(e->realm, &e->ip);
	int err;

	if ((err = map_add(l->by_who, &w, e)) != 0)
		goto out;
	if ((err = map_add(l->by_ip, &k, e)) != 0) {
		map_remove(l->by_who, &w);
		goto out;
	}
	l->slot[e->slot] = e;
	l->n++;
	return 0;
out:
	free(e);
	return err;
}

/* The one that has been away longest; NULL: none is away.  A realm: of this and
 * of the family, and lying in the pool. */
static struct lease *
oldest(const struct leases *l, const struct pool *p, uint8_t family,
       bool (*fits)(const struct pool *p, const char *who,
		    const struct ip_addr *ip))
{
	struct lease *best = NULL;

	for (uint32_t i = 0; i < l->max; i++) {
		struct lease *e = l->slot[i];

		if (e == NULL || e->is_used ||
		    (best != NULL && best->last_s <= e->last_s))
			continue;
		if (p == NULL || (e->ip.family == family &&
		    strcmp(e->realm, p->realm) == 0 && fits(p, "", &e->ip)))
			best = e;
	}
	return best;
}

/* ---- pools --------------------------------------------------------------------- */

static struct pool *
pool_find(const struct leases *l, const char *realm)
{
	LIST_FOREACH(it, &l->pools) {
		struct pool *p = CONTAINER_OF(it, struct pool, node);

		if (strcmp(p->realm, realm) == 0)
			return p;
	}
	return NULL;
}

static void
pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	free(p->fix);
	free(p);
}

/* Ends of a network that are no host's: RFC 1122 3.2.1.3, RFC 4291 2.6.1. */
static bool
is_end(const struct ip_net *net, const struct ip_addr *ip)
{
	struct ip_addr lo, hi;

	ip_net_range(net, &lo, &hi);
	if (ip->family == 4)
		return net->bits < 31 &&
		    (ip_equal(ip, &lo) || ip_equal(ip, &hi));
	return net->bits < 127 && ip_equal(ip, &lo);
}

static const struct ip_net *
net_of(const struct pool *p, const struct ip_addr *ip)
{
	for (unsigned i = 0; i < p->n_net; i++)
		if (p->net[i].addr.family == ip->family &&
		    ip_net_has(&p->net[i], ip))
			return &p->net[i];
	return NULL;
}

static const struct fix *
fix_of(const struct pool *p, const char *who, uint8_t family)
{
	for (unsigned i = 0; i < p->n_fix; i++)
		if (p->fix[i].ip.family == family &&
		    strcmp(p->fix[i].who, who) == 0)
			return &p->fix[i];
	return NULL;
}

/* May who have this address, as far as the pool goes? */
static bool
fits(const struct pool *p, const char *who, const struct ip_addr *ip)
{
	const struct ip_net *net = net_of(p, ip);

	if (net == NULL || is_end(net, ip))
		return false;
	for (unsigned i = 0; i < p->n_not; i++)
		if (ip_equal(&p->not_these[i], ip))
			return false;
	for (unsigned i = 0; i < p->n_fix; i++)
		if (ip_equal(&p->fix[i].ip, ip) &&
		    strcmp(p->fix[i].who, who) != 0)
			return false;
	return true;
}

/* Addresses of a network, 2^32 at most. */
static uint64_t
size_of(const struct ip_net *net)
{
	unsigned host = (unsigned)ip_len(&net->addr) * 8 - net->bits;

	return UINT64_C(1) << MIN(host, 32u);
}

/* Address number n of a network; n < size_of(). */
static struct ip_addr
nth(const struct ip_net *net, uint64_t n)
{
	struct ip_addr lo, hi;

	ip_net_range(net, &lo, &hi);
	for (size_t i = ip_len(&lo); i-- > 0 && n > 0; n >>= 8)
		lo.b[i] |= (uint8_t)n;	/* host bits of lo are zero */
	return lo;
}

/* An address of one network that nobody has. */
static bool
search(const struct leases *l, const struct pool *p, const struct ip_net *net,
       const char *who, struct ip_addr *out)
{
	uint64_t n = size_of(net), i, most;
	uint64_t start = hash_of(1, p->realm, who, net->addr.family) % n;

	/* more cannot be taken than this */
	most = MIN(n, (uint64_t)l->n + p->n_not + p->n_fix + 3);
	for (i = 0; i < most; i++) {
		struct ip_addr ip = nth(net, (start + i) % n);

		if (fits(p, who, &ip) && find_ip(l, p->realm, &ip) == NULL) {
			*out = ip;
			return true;
		}
	}
	return false;
}

/* ---- taking -------------------------------------------------------------------- */

static bool
has_family(const struct pool *p, uint8_t family)
{
	for (unsigned i = 0; i < p->n_net; i++)
		if (p->net[i].addr.family == family)
			return true;
	for (unsigned i = 0; i < p->n_fix; i++)
		if (p->fix[i].ip.family == family)
			return true;
	return false;
}

/* Which address a newcomer gets; *out_of: whose it was, to be forgotten. */
static int
choose(struct leases *l, const struct pool *p, const char *who, uint8_t family,
       const struct ip_addr *wish, struct ip_addr *ip, struct lease **out_of)
{
	const struct fix *fix = fix_of(p, who, family);

	*out_of = NULL;
	if (fix != NULL) {
		*ip = fix->ip;
		*out_of = find_ip(l, p->realm, ip);
		/* somebody had it before it was reserved, and still does */
		return *out_of != NULL && (*out_of)->is_used ? ERR_FULL : 0;
	}
	if (wish != NULL && wish->family == family && fits(p, who, wish) &&
	    find_ip(l, p->realm, wish) == NULL) {
		*ip = *wish;
		return 0;
	}
	for (unsigned i = 0; i < p->n_net; i++)
		if (p->net[i].addr.family == family &&
		    search(l, p, &p->net[i], who, ip))
			return 0;
	if ((*out_of = oldest(l, p, family, fits)) == NULL)
		return ERR_FULL;
	*ip = (*out_of)->ip;
	return 0;
}

static int
slot_new(struct leases *l, uint32_t *slot)
{
	struct lease *old;

	if (l->n == l->max) {
		if ((old = oldest(l, NULL, 0, NULL)) == NULL)
			return ERR_FULL;
		forget(l, old);
	}
	while (l->slot[l->low] != NULL)
		l->low++;
	*slot = l->low;
	return 0;
}

static struct lease *
lease_make(const char *realm, const char *who, const struct ip_addr *ip)
{
	struct lease *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	e->ip = *ip;
	str_copy(e->realm, sizeof(e->realm), realm);
	str_copy(e->who, sizeof(e->who), who);
	return e;
}

static int
give(struct leases *l, const struct pool *p, const char *who, uint8_t family,
     const struct ip_addr *wish, struct lease **out, bool *is_taken)
{
	struct lease *e, *old;
	struct ip_addr ip;
	uint32_t slot;
	int err;

	if ((err = choose(l, p, who, family, wish, &ip, &old)) != 0)
		return err;
	if ((e = lease_make(p->realm, who, &ip)) == NULL)
		return ERR_NOMEM;
	*is_taken = old != NULL;
	if (old != NULL)
		forget(l, old);
	if ((err = slot_new(l, &slot)) != 0) {
		free(e);
		return err;
	}
	e->slot = slot;
	if ((err = enter(l, e)) != 0)
		return err;
	*out = e;
	return 0;
}

/* Is what somebody has still to be had? */
static bool
is_good(const struct pool *p, const struct lease *e)
{
	const struct fix *fix = fix_of(p, e->who, e->ip.family);

	return fix != NULL ? ip_equal(&fix->ip, &e->ip) :
	    fits(p, e->who, &e->ip);
}

int
lease_take(struct leases *l, const char *realm, const char *who,
	   uint8_t family, const struct ip_addr *wish, int64_t now_s,
	   struct lease_got *out)
{
	const struct pool *p = pool_find(l, realm);
	struct lease_got got = { 0 };
	const struct ip_net *net;
	struct lease *e;
	int err;

	if (p == NULL || !has_family(p, family) ||
	    strlen(who) >= LEASE_WHO_MAX)
		return ERR_NOTFOUND;
	if ((e = find_who(l, realm, who, family)) != NULL && !is_good(p, e)) {
		forget(l, e);
		e = NULL;
	}
	if (e == NULL) {
		if ((err = give(l, p, who, family, wish, &e,
				&got.is_taken)) != 0)
			return err;
		got.is_new = true;
	}
	e->is_used = true;
	e->last_s = now_s;
	soil(l, e->slot);
	net = net_of(p, &e->ip);
	got.ip.addr = e->ip;
	got.ip.bits = net != NULL ? net->bits : (uint8_t)(ip_len(&e->ip) * 8);
	*out = got;
	return 0;
}

void
lease_end(struct leases *l, const char *realm, const char *who, int64_t now_s)
{
	for (uint8_t family = 4; family <= 6; family += 2) {
		struct lease *e = find_who(l, realm, who, family);

		if (e == NULL || !e->is_used)
			continue;
		e->is_used = false;
		e->last_s = now_s;
		soil(l, e->slot);
	}
}

bool
lease_forget(struct leases *l, const char *realm, const char *who)
{
	bool is = false;

	for (uint8_t family = 4; family <= 6; family += 2) {
		struct lease *e = find_who(l, realm, who, family);

		if (e == NULL)
			continue;
		forget(l, e);
		is = true;
	}
	return is;
}

bool
lease_next(const struct leases *l, uint32_t *it, struct lease_info *out)
{
	while (*it < l->max) {
		const struct lease *e = l->slot[(*it)++];

		if (e == NULL)
			continue;
		*out = (struct lease_info){ e->realm, e->who, e->ip, e->is_used,
					    e->last_s };
		return true;
	}
	return false;
}

void
lease_count(const struct leases *l, const char *realm, uint8_t family,
	    struct lease_count *out)
{
	const struct pool *p = pool_find(l, realm);
	struct lease_count c = { 0 };

	for (unsigned i = 0; p != NULL && i < p->n_net; i++)
		if (p->net[i].addr.family == family)
			c.n_all += size_of(&p->net[i]);
	for (uint32_t i = 0; i < l->max; i++) {
		const struct lease *e = l->slot[i];

		if (e == NULL || e->ip.family != family ||
		    strcmp(e->realm, realm) != 0)
			continue;
		c.n_used += e->is_used;
		c.n_kept += !e->is_used;
	}
	*out = c;
}

/* ---- records ------------------------------------------------------------------- */

static uint64_t
sum_of(const uint8_t *rec)
{
	return siphash(fixed_key[0], rec + REC_SUMMED,
		       LEASE_REC_BYTES - REC_SUMMED);
}

/* Length and text, in a field of cap bytes. */
static void
put_text(struct wcur *w, const char *text, size_t cap)
{
	size_t len = strlen(text);

	wcur_u8(w, (uint8_t)len);
	wcur_bytes(w, text, len);
	wcur_zero(w, cap - 1 - len);
}

static void
encode(const struct lease *e, uint8_t *rec)
{
	struct wcur w;

	memset(rec, 0, LEASE_REC_BYTES);
	if (e == NULL)
		return;
	wcur_init(&w, rec, LEASE_REC_BYTES);
	wcur_u32(&w, REC_MAGIC);
	wcur_zero(&w, 8);
	wcur_u64(&w, (uint64_t)e->last_s);
	wcur_u8(&w, e->ip.family);
	wcur_bytes(&w, e->ip.b, sizeof(e->ip.b));
	put_text(&w, e->realm, LEASE_REALM_MAX);
	put_text(&w, e->who, LEASE_WHO_MAX);
	be64_put(rec + REC_SUM_AT, sum_of(rec));
}

static int
get_text(struct cur *c, char *out, size_t cap)
{
	const uint8_t *nul;
	struct cur sub;
	struct view v;
	uint8_t len;
	int err;

	if ((err = cur_sub(c, cap, &sub)) != 0 ||
	    (err = cur_u8(&sub, &len)) != 0 ||
	    (err = cur_view(&sub, len, &v)) != 0)
		return err;
	nul = len > 0 ? memchr(v.p, 0, len) : v.p;
	if (nul != NULL)		/* empty, or not a text */
		return ERR_SYNTAX;
	memcpy(out, v.p, len);
	out[len] = '\0';
	return 0;
}

static int
decode(const uint8_t *rec, struct lease *e)
{
	uint64_t sum, last;
	uint32_t magic;
	struct cur c;
	int err;

	cur_init(&c, rec, LEASE_REC_BYTES);
	if ((err = cur_u32(&c, &magic)) != 0 ||
	    (err = cur_u64(&c, &sum)) != 0 ||
	    (err = cur_u64(&c, &last)) != 0 ||
	    (err = cur_u8(&c, &e->ip.family)) != 0 ||
	    (err = cur_copy(&c, e->ip.b, sizeof(e->ip.b))) != 0)
		return err;
	if (magic != REC_MAGIC || sum != sum_of(rec) ||
	    !ip_is_unicast(&e->ip) || last > INT64_MAX)
		return ERR_SYNTAX;
	for (size_t i = ip_len(&e->ip); i < sizeof(e->ip.b); i++)
		if (e->ip.b[i] != 0)
			return ERR_SYNTAX;
	e->last_s = (int64_t)last;
	if ((err = get_text(&c, e->realm, sizeof(e->realm))) != 0)
		return err;
	return get_text(&c, e->who, sizeof(e->who));
}

int
lease_load(struct leases *l, uint32_t slot, const uint8_t *rec)
{
	struct lease *e, *a, *b;
	int err;

	if (slot >= l->max)
		return ERR_LIMIT;
	if (l->slot[slot] != NULL)
		return ERR_EXISTS;
	if ((e = calloc(1, sizeof(*e))) == NULL)
		return ERR_NOMEM;
	if ((err = decode(rec, e)) != 0) {
		free(e);
		return err;
	}
	e->slot = slot;
	a = find_who(l, e->realm, e->who, e->ip.family);
	b = find_ip(l, e->realm, &e->ip);
	if ((a != NULL && (a->is_used || a->last_s >= e->last_s)) ||
	    (b != NULL && (b->is_used || b->last_s >= e->last_s))) {
		free(e);
		soil(l, slot);
		return ERR_EXISTS;
	}
	if (a != NULL)
		forget(l, a);
	if (b != NULL && b != a)
		forget(l, b);
	return enter(l, e);
}

bool
lease_dirty(struct leases *l, uint32_t *slot, uint8_t *rec)
{
	uint32_t n_word = (l->max + WORD_BITS - 1) / WORD_BITS;

	for (uint32_t i = 0; l->n_dirty > 0 && i < n_word; i++) {
		if (l->dirty[i] == 0)
			continue;
		*slot = i * WORD_BITS + (uint32_t)__builtin_ctzll(l->dirty[i]);
		l->dirty[i] &= l->dirty[i] - 1;
		l->n_dirty--;
		encode(l->slot[*slot], rec);
		return true;
	}
	return false;
}

void
lease_soil(struct leases *l, uint32_t slot)
{
	if (slot < l->max)
		soil(l, slot);
}

/* ---- life ---------------------------------------------------------------------- */

int
lease_pool_set(struct leases *l, const char *realm,
	       const struct lease_pool_conf *conf)
{
	struct pool *p;

	if (conf->n_net > LEASE_NET_MAX || conf->n_not > LEASE_NOT_MAX ||
	    strlen(realm) >= LEASE_REALM_MAX)
		return ERR_LIMIT;
	if ((p = calloc(1, sizeof(*p))) == NULL)
		return ERR_NOMEM;
	if (conf->n_fix > 0 &&
	    (p->fix = calloc(conf->n_fix, sizeof(*p->fix))) == NULL) {
		pool_free(p);
		return ERR_NOMEM;
	}
	str_copy(p->realm, sizeof(p->realm), realm);
	p->n_net = conf->n_net;
	for (unsigned i = 0; i < conf->n_net; i++)
		p->net[i] = conf->net[i];
	p->n_not = conf->n_not;
	for (unsigned i = 0; i < conf->n_not; i++)
		p->not_these[i] = conf->not_these[i];
	p->n_fix = conf->n_fix;
	for (unsigned i = 0; i < conf->n_fix; i++) {
		str_copy(p->fix[i].who, sizeof(p->fix[i].who),
			 conf->fix[i].who);
		p->fix[i].ip = conf->fix[i].ip;
	}
	lease_pool_drop(l, realm);
	list_add_tail(&l->pools, &p->node);
	return 0;
}

void
lease_pool_drop(struct leases *l, const char *realm)
{
	struct pool *p = pool_find(l, realm);

	if (p == NULL)
		return;
	list_remove(&p->node);
	pool_free(p);
}

int
lease_new(struct leases **out, uint32_t max)
{
	struct leases *l = calloc(1, sizeof(*l));
	int err = ERR_NOMEM;

	if (l == NULL)
		return ERR_NOMEM;
	list_init(&l->pools);
	l->max = MAX(MIN(max, (uint32_t)LEASE_MAX), 1u);
	l->slot = calloc(l->max, sizeof(*l->slot));
	l->dirty = calloc((l->max + WORD_BITS - 1) / WORD_BITS,
			  sizeof(*l->dirty));
	if (l->slot == NULL || l->dirty == NULL ||
	    (err = map_new(&l->by_who, sizeof(struct who_key), l->max)) != 0 ||
	    (err = map_new(&l->by_ip, sizeof(struct ip_key), l->max)) != 0) {
		lease_free(l);
		return err;
	}
	*out = l;
	return 0;
}

void
lease_free(struct leases *l)
{
	if (l == NULL)
		return;
	LIST_FOREACH_SAFE(it, next, &l->pools)
		pool_free(CONTAINER_OF(it, struct pool, node));
	for (uint32_t i = 0; l->slot != NULL && i < l->max; i++)
		free(l->slot[i]);
	map_free(l->by_who);
	map_free(l->by_ip);
	free(l->slot);
	free(l->dirty);
	free(l);
}
