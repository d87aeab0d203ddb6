/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/map.c - chained hash map; entries live in one array.
 *
 * Buckets and chains are indices into the entry array (+ 1, 0 = end), so that
 * growing the array moves nothing logically, and map_next() is a walk over the
 * array that does not care what is removed.
 */
#include "daemon/base/map.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/rng.h"

#define MAP_FIRST 16	     /* entries of the first allocation; ours */
#define MAP_MOST  (1u << 30) /* bound of bounds: indices are 32 bits */

struct entry {
	void *value;
	uint32_t next;
	bool is_used;
	uint8_t key[];
};
struct map {
	uint8_t sip_key[16];
	size_t key_len, entry_bytes;
	size_t max, n;
	uint32_t cap;		/* entries allocated; power of two = buckets */
	uint32_t n_fresh;	/* entries ever used; beyond lies untouched */
	uint32_t free;		/* chain of removed entries */
	uint8_t *entries;
	uint32_t *buckets;
};

/* Entry of an index + 1. */
static struct entry *
at(const struct map *m, uint32_t i)
{
	return (void *)(m->entries + (size_t)(i - 1) * m->entry_bytes);
}

static uint32_t *
bucket(const struct map *m, const void *key)
{
	return &m->buckets[siphash(m->sip_key, key, m->key_len) &
	    (m->cap - 1)];
}

static int
grow(struct map *m)
{
	uint32_t cap = m->cap == 0 ? MAP_FIRST : m->cap * 2;
	uint32_t *buckets = calloc(cap, sizeof(*buckets));
	uint8_t *entries;

	if (buckets == NULL)
		return ERR_NOMEM;
	entries = realloc(m->entries, cap * m->entry_bytes);
	if (entries == NULL) {
		free(buckets);
		return ERR_NOMEM;
	}
	free(m->buckets);
	m->entries = entries;
	m->buckets = buckets;
	m->cap = cap;
	/* Only called when every entry is used: no hole to skip. */
	for (uint32_t i = 1; i <= m->n_fresh; i++) {
		struct entry *e = at(m, i);
		uint32_t *b = bucket(m, e->key);

		e->next = *b;
		*b = i;
	}
	return 0;
}

/* Where the index of a key is stored, or the end of its chain. */
static uint32_t *
locate(const struct map *m, const void *key)
{
	uint32_t *link = bucket(m, key);

	while (*link != 0) {
		struct entry *e = at(m, *link);

		if (memcmp(e->key, key, m->key_len) == 0)
			break;
		link = &e->next;
	}
	return link;
}

int
map_new(struct map **out, size_t key_len, size_t max)
{
	const size_t align = _Alignof(struct entry);
	struct map *m;
	int err;

	if (key_len == 0 || key_len > MAP_KEY_MAX || max > MAP_MOST)
		return ERR_RANGE;
	if ((m = calloc(1, sizeof(*m))) == NULL)
		return ERR_NOMEM;
	m->key_len = key_len;
	m->entry_bytes = (sizeof(struct entry) + key_len + align - 1) /
	    align * align;
	m->max = max;
	if ((err = rng_bytes(m->sip_key, sizeof(m->sip_key))) != 0) {
		free(m);
		return err;
	}
	*out = m;
	return 0;
}

void
map_free(struct map *m)
{
	if (m == NULL)
		return;
	free(m->entries);
	free(m->buckets);
	free(m);
}

void *
map_find(const struct map *m, const void *key)
{
	uint32_t i;

	if (m->n == 0)
		return NULL;
	i = *locate(m, key);
	return i != 0 ? at(m, i)->value : NULL;
}

int
map_add(struct map *m, const void *key, void *value)
{
	struct entry *e;
	uint32_t i, *link;
	int err;

	if (m->n > 0 && *locate(m, key) != 0)
		return ERR_EXISTS;
	if (m->n >= m->max)
		return ERR_FULL;
	if (m->free == 0 && m->n_fresh == m->cap && (err = grow(m)) != 0)
		return err;
	if (m->free != 0) {
		i = m->free;
		m->free = at(m, i)->next;
	} else {
		i = ++m->n_fresh;
	}
	e = at(m, i);
	link = bucket(m, key);
	memcpy(e->key, key, m->key_len);
	e->value = value;
	e->is_used = true;
	e->next = *link;
	*link = i;
	m->n++;
	return 0;
}

void *
map_remove(struct map *m, const void *key)
{
	struct entry *e;
	uint32_t i, *link;

	if (m->n == 0)
		return NULL;
	link = locate(m, key);
	if ((i = *link) == 0)
		return NULL;
	e = at(m, i);
	*link = e->next;
	e->is_used = false;
	e->next = m->free;
	m->free = i;
	m->n--;
	return e->value;
}

size_t
map_count(const struct map *m)
{
	return m->n;
}

void *
map_next(const struct map *m, size_t *it)
{
	while (*it < m->n_fresh) {
		struct entry *e = at(m, (uint32_t)++*it);

		if (e->is_used)
			return e->value;
	}
	return NULL;
}

static uint64_t
rotl(uint64_t v, unsigned bits)
{
	return v << bits | v >> (64 - bits);
}

static void
sip_rounds(uint64_t v[4], unsigned n)
{
	while (n-- > 0) {
		v[0] += v[1];
		v[1] = rotl(v[1], 13) ^ v[0];
		v[0] = rotl(v[0], 32);
		v[2] += v[3];
		v[3] = rotl(v[3], 16) ^ v[2];
		v[0] += v[3];
		v[3] = rotl(v[3], 21) ^ v[0];
		v[2] += v[1];
		v[1] = rotl(v[1], 17) ^ v[2];
		v[2] = rotl(v[2], 32);
	}
}

/* Little-endian load of n <= 8 bytes, the rest zero. */
static uint64_t
le_get(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

/* Aumasson, Bernstein: SipHash, a fast short-input PRF (2012). */
uint64_t
siphash(const uint8_t key[16], const void *p, size_t n)
{
	const uint8_t *in = p;
	uint64_t k0 = le_get(key, 8), k1 = le_get(key + 8, 8), w;
	uint64_t v[4] = {
		k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du,
		k0 ^ 0x6c7967656e657261u, k1 ^ 0x7465646279746573u
	};
	size_t left = n;

	for (; left >= 8; left -= 8, in += 8) {
		w = le_get(in, 8);
		v[3] ^= w;
		sip_rounds(v, 2);
		v[0] ^= w;
	}
	w = le_get(in, left) | (uint64_t)n << 56;
	v[3] ^= w;
	sip_rounds(v, 2);
	v[0] ^= w;
	v[2] ^= 0xff;
	sip_rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
