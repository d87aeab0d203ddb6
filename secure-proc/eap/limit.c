/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/eap/limit.c - how often somebody may guess a password.
 *
 * Tables of fixed size.  The key of a slot is a hash with a random salt, so
 * that nobody can aim at another's; of WAYS slots a key may have, the one that
 * failed (or got in) longest ago makes room.
 *
 * Thread: the only one.
 */
#include "secure-proc/eap/limit.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/addr.h"
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "spi/spi_crypto.h"

#define WAYS 8

struct slot {
	uint64_t key;		/* 0 = free */
	uint64_t last_ms;	/* the last failure */
	uint64_t good_ms;	/* of a pair: when it last got in */
	uint32_t n;		/* failures */
};

enum kind { BY_USER, BY_NOBODY, BY_FROM, BY_PAIR, N_KIND };

struct sec_limit {
	uint8_t salt[16];
	struct slot slot[N_KIND][SEC_LIMIT_SLOTS];
};

/* Who has one address of IPv6 has 2^64 of them. */
static struct view
place_of(struct view from, uint8_t out[IP_TEXT_MAX])
{
	char text[IP_TEXT_MAX];
	struct ip_addr ip;

	if (from.len == 0 || from.len >= sizeof(text))
		return from;
	memcpy(text, from.p, from.len);
	text[from.len] = '\0';
	if (ip_parse(text, &ip) != 0 || ip.family != 6)
		return from;
	memcpy(out, ip.b, 8);
	return (struct view){ out, 8 };
}

static uint64_t
key_of(const struct sec_limit *l, enum kind kind, const struct sec_try *t)
{
	uint8_t head[9], place[IP_TEXT_MAX], sum[SPI_HASH_MAX];
	const struct view none = { NULL, 0 };
	const struct view part[4] = {
		{ l->salt, sizeof(l->salt) }, { head, sizeof(head) },
		kind == BY_FROM ? none : t->user,
		kind <= BY_NOBODY ? none : place_of(t->from, place),
	};

	head[0] = (uint8_t)kind;
	/* an address is the same one in every realm */
	be32_put(head + 1, kind == BY_FROM ? 0 : t->realm);
	be32_put(head + 5, (uint32_t)part[2].len);
	if (spi_crypto()->hash(SPI_HASH_SHA256, part, N_OF(part), sum) != 0)
		return 1;	/* everybody shares one: too strict, not open */
	return be64_get(sum) | 1;
}

static bool
is_past(const struct slot *s, enum kind kind, uint64_t now_ms)
{
	return kind == BY_PAIR ? now_ms - s->good_ms >= SEC_LIMIT_KNOWN_MS :
	    now_ms - s->last_ms >= SEC_LIMIT_FORGET_MS;
}

static struct slot *
row_of(struct sec_limit *l, enum kind kind, uint64_t key)
{
	return &l->slot[kind][(key >> 1) % (SEC_LIMIT_SLOTS / WAYS) * WAYS];
}

static struct slot *
find(struct sec_limit *l, enum kind kind, uint64_t key, uint64_t now_ms)
{
	struct slot *row = row_of(l, kind, key);

	for (unsigned i = 0; i < WAYS; i++) {
		if (row[i].key == key && !is_past(&row[i], kind, now_ms))
			return &row[i];
	}
	return NULL;
}

/* Found, or begun in the place of the oldest. */
static struct slot *
need(struct sec_limit *l, enum kind kind, uint64_t key, uint64_t now_ms)
{
	struct slot *row = row_of(l, kind, key), *s = find(l, kind, key, now_ms);

	if (s != NULL)
		return s;
	s = row;
	for (unsigned i = 0; i < WAYS; i++) {
		if (row[i].key == 0 || row[i].key == key) {
			s = &row[i];
			break;
		}
		if (MAX(row[i].last_ms, row[i].good_ms) <
		    MAX(s->last_ms, s->good_ms))
			s = &row[i];
	}
	*s = (struct slot){ .key = key };
	return s;
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
count(struct slot *s, uint64_t now_ms)
{
	if (now_ms - s->last_ms >= SEC_LIMIT_FORGET_MS)
		s->n = 0;
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

/* Somebody who got in from there before. */
static bool
take_known(struct slot *pair, uint64_t now_ms)
{
	if (now_ms - pair->last_ms < SEC_LIMIT_FORGET_MS &&
	    !is_over(pair, SEC_LIMIT_FREE_USER, now_ms))
		return false;
	count(pair, now_ms);
	return true;
}

static enum kind
kind_of(const struct sec_try *t)
{
	return t->is_somebody ? BY_USER : BY_NOBODY;
}

bool
sec_limit_take(struct sec_limit *l, struct sec_try *t, uint64_t now_ms)
{
	uint64_t by_user = key_of(l, kind_of(t), t);
	uint64_t by_from = key_of(l, BY_FROM, t);
	struct slot *pair = find(l, BY_PAIR, key_of(l, BY_PAIR, t), now_ms);
	struct slot *user = find(l, kind_of(t), by_user, now_ms);

	t->is_known = pair != NULL && t->is_somebody;
	if (t->is_known)
		return take_known(pair, now_ms);
	if (!is_over(user, SEC_LIMIT_FREE_USER, now_ms) ||
	    (user != NULL && user->n >= SEC_LIMIT_FREE_BOTH &&
	     !is_over(find(l, BY_FROM, by_from, now_ms), SEC_LIMIT_FREE_FROM,
		      now_ms)))
		return false;
	count(need(l, kind_of(t), by_user, now_ms), now_ms);
	count(need(l, BY_FROM, by_from, now_ms), now_ms);
	return true;
}

void
sec_limit_good(struct sec_limit *l, const struct sec_try *t, uint64_t now_ms)
{
	struct slot *u = find(l, BY_USER, key_of(l, BY_USER, t), now_ms);
	struct slot *f = find(l, BY_FROM, key_of(l, BY_FROM, t), now_ms);
	struct slot *pair = need(l, BY_PAIR, key_of(l, BY_PAIR, t), now_ms);

	pair->n = 0;
	pair->good_ms = now_ms;
	/* what others did to the name is not forgotten for that */
	if (t->is_known)
		return;
	if (u != NULL)
		*u = (struct slot){ 0 };
	/* the address keeps its other failures: one good account is no
	 * licence to guess others */
	if (f != NULL && f->n > 0)
		f->n--;
}
