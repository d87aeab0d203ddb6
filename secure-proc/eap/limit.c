/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/eap/limit.c - how often somebody may guess a password.
 *
 * A table of fixed size.  The key of a slot is a hash with a random salt, so
 * that nobody can aim at another's; of WAYS slots a key may have, the one that
 * failed longest ago makes room.
 *
 * Thread: the only one.
 */
#include "secure-proc/eap/limit.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "spi/spi_crypto.h"

#define WAYS 8

struct slot {
	uint64_t key;		/* 0 = free */
	uint64_t last_ms;	/* the last failure */
	uint32_t n;		/* failures */
};

struct sec_limit {
	uint8_t salt[16];
	struct slot slot[SEC_LIMIT_SLOTS];
};

enum kind { BY_USER, BY_FROM };

static uint64_t
key_of(const struct sec_limit *l, enum kind kind, uint32_t realm, struct view v)
{
	uint8_t head[5], sum[SPI_HASH_MAX];
	const struct view part[3] = {
		{ l->salt, sizeof(l->salt) }, { head, sizeof(head) }, v
	};

	head[0] = (uint8_t)kind;
	/* an address is the same one in every realm */
	be32_put(head + 1, kind == BY_USER ? realm : 0);
	if (spi_crypto()->hash(SPI_HASH_SHA256, part, N_OF(part), sum) != 0)
		return 1;	/* everybody shares one: too strict, not open */
	return be64_get(sum) | 1;
}

static struct slot *
row_of(struct sec_limit *l, uint64_t key)
{
	return &l->slot[(key >> 1) % (SEC_LIMIT_SLOTS / WAYS) * WAYS];
}

static struct slot *
find(struct sec_limit *l, uint64_t key, uint64_t now_ms)
{
	struct slot *row = row_of(l, key);

	for (unsigned i = 0; i < WAYS; i++) {
		if (row[i].key == key &&
		    now_ms - row[i].last_ms < SEC_LIMIT_FORGET_MS)
			return &row[i];
	}
	return NULL;
}

static bool
is_over(const struct slot *s, unsigned n_free, uint64_t now_ms)
{
	uint64_t wait = SEC_LIMIT_FIRST_MS;

	if (s == NULL || s->n < n_free)
		return true;
	for (unsigned i = n_free; i < s->n && wait < SEC_LIMIT_MOST_MS; i++)
		wait *= 2;
	return now_ms - s->last_ms >= MIN(wait, (uint64_t)SEC_LIMIT_MOST_MS);
}

static void
count(struct sec_limit *l, uint64_t key, uint64_t now_ms)
{
	struct slot *row = row_of(l, key), *s = find(l, key, now_ms);

	if (s == NULL) {
		s = row;
		for (unsigned i = 0; i < WAYS; i++) {
			if (row[i].key == 0 || row[i].key == key) {
				s = &row[i];
				break;
			}
			if (row[i].last_ms < s->last_ms)
				s = &row[i];
		}
		*s = (struct slot){ .key = key };
	}
	if (s->n < UINT32_MAX)
		s->n++;
	s->last_ms = now_ms;
}

int
sec_limit_new(struct sec_limit **out)
{
	struct sec_limit *l = calloc(1, sizeof(*l));
	int err;

	if (l == NULL)
		return ERR_NOMEM;
	if ((err = rng_bytes(l->salt, sizeof(l->salt))) != 0) {
		free(l);
		return err;
	}
	*out = l;
	return 0;
}

void
sec_limit_free(struct sec_limit *l)
{
	free(l);
}

bool
sec_limit_take(struct sec_limit *l, uint32_t realm, struct view user,
	       struct view from, uint64_t now_ms)
{
	uint64_t by_user = key_of(l, BY_USER, realm, user);
	uint64_t by_from = key_of(l, BY_FROM, realm, from);

	if (!is_over(find(l, by_user, now_ms), SEC_LIMIT_FREE_USER, now_ms) ||
	    !is_over(find(l, by_from, now_ms), SEC_LIMIT_FREE_FROM, now_ms))
		return false;
	count(l, by_user, now_ms);
	count(l, by_from, now_ms);
	return true;
}

void
sec_limit_good(struct sec_limit *l, uint32_t realm, struct view user,
	       struct view from, uint64_t now_ms)
{
	struct slot *u = find(l, key_of(l, BY_USER, realm, user), now_ms);
	struct slot *f = find(l, key_of(l, BY_FROM, realm, from), now_ms);

	if (u != NULL)
		*u = (struct slot){ 0 };
	/* the address keeps its other failures: one good account is no
	 * licence to guess others */
	if (f != NULL && f->n > 0)
		f->n--;
}
