/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/keys/ticket.c - tickets to resume an IKE SA, RFC 5723 6.
 *
 * +---------+-----------+------------+----------------------+----------+
 * | version |  key id   |   nonce    | what it holds, sealed |   ICV    |
 * |   (1)   |    (4)    |    (12)    |                      |   (16)   |
 * +---------+-----------+------------+----------------------+----------+
 *
 * AES-256-GCM; version and key id are authentic too.  A key seals for eight hours
 * and no ticket outlives the time for which its key is kept, so a stolen memory
 * image opens no ticket of the day before.
 *
 * Thread: the only one.
 */
#include "secure-proc/keys/ticket.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "daemon/base/map.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"
#include "spi/spi_crypto.h"

#define VERSION	 1
#define HEAD_LEN 5		/* version, key id */
#define KEY_LEN	 32
#define PLAIN_AT (HEAD_LEN + SPI_AEAD_NONCE)

struct key {
	uint32_t id;		/* 0 = none */
	uint64_t made_s;
	uint8_t k[KEY_LEN];
};

/* In the order of their ends, since all of them live about as long. */
struct used {
	uint64_t serial, until_s;
};

struct sec_tickets {
	struct key *key;	/* [SEC_TICKET_KEYS] in secret memory; newest first */
	uint32_t last_id;
	struct map *by_serial;	/* -> something */
	struct used *ring;	/* [SEC_TICKET_USED_MAX] */
	size_t first, n;
};

int
sec_tickets_new(struct sec_tickets **out)
{
	struct sec_tickets *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return ERR_NOMEM;
	t->key = secret_alloc(SEC_TICKET_KEYS * sizeof(*t->key));
	t->ring = calloc(SEC_TICKET_USED_MAX, sizeof(*t->ring));
	if (t->key == NULL || t->ring == NULL ||
	    map_new(&t->by_serial, sizeof(uint64_t),
		    SEC_TICKET_USED_MAX) != 0) {
		sec_tickets_free(t);
		return ERR_NOMEM;
	}
	*out = t;
	return 0;
}

void
sec_tickets_free(struct sec_tickets *t)
{
	if (t == NULL)
		return;
	secret_free(t->key);
	map_free(t->by_serial);
	free(t->ring);
	free(t);
}

/* ---- keys -------------------------------------------------------------------- */

/* The one that seals now. */
static int
key_now(struct sec_tickets *t, uint64_t now_s)
{
	struct key made = { .made_s = now_s };
	int err;

	if (t->key[0].id != 0 && now_s >= t->key[0].made_s &&
	    now_s - t->key[0].made_s < SEC_TICKET_KEY_S)
		return 0;
	if ((err = rng_bytes(made.k, sizeof(made.k))) != 0)
		return err;
	made.id = ++t->last_id;
	memmove(t->key + 1, t->key, (SEC_TICKET_KEYS - 1) * sizeof(*t->key));
	t->key[0] = made;
	wipe(&made, sizeof(made));
	return 0;
}

static const struct key *
key_find(const struct sec_tickets *t, uint32_t id)
{
	for (unsigned i = 0; i < SEC_TICKET_KEYS && id != 0; i++)
		if (t->key[i].id == id)
			return &t->key[i];
	return NULL;
}

/* ---- what it holds ------------------------------------------------------------ */

static void
put_list(struct wcur *w, struct view v)
{
	wcur_u16(w, (uint16_t)v.len);
	wcur_view(w, v);
}

static void
put_all(struct wcur *w, const struct sec_ticket *t)
{
	wcur_u64(w, t->until_s);
	wcur_u64(w, t->serial);
	wcur_bytes(w, t->suite, sizeof(t->suite));
	wcur_u8(w, t->role);
	wcur_u8(w, t->prf);
	wcur_u64(w, t->not_after_s);
	put_list(w, t->realm);
	put_list(w, t->peer);
	put_list(w, t->id_own);
	put_list(w, t->id_peer);
	wcur_u32(w, t->lists);
	put_list(w, t->shown);
	put_list(w, t->sk_d);
}

static int
get_list(struct cur *c, struct view *v)
{
	uint16_t len;
	int err;

	if ((err = cur_u16(c, &len)) != 0)
		return err;
	return cur_view(c, len, v);
}

static int
get_all(struct cur *c, struct sec_ticket *t)
{
	int err;

	if ((err = cur_u64(c, &t->until_s)) != 0 ||
	    (err = cur_u64(c, &t->serial)) != 0)
		return err;
	if ((err = cur_copy(c, t->suite, sizeof(t->suite))) != 0 ||
	    (err = cur_u8(c, &t->role)) != 0 ||
	    (err = cur_u8(c, &t->prf)) != 0 ||
	    (err = cur_u64(c, &t->not_after_s)) != 0 ||
	    (err = get_list(c, &t->realm)) != 0 ||
	    (err = get_list(c, &t->peer)) != 0 ||
	    (err = get_list(c, &t->id_own)) != 0 ||
	    (err = get_list(c, &t->id_peer)) != 0 ||
	    (err = cur_u32(c, &t->lists)) != 0 ||
	    (err = get_list(c, &t->shown)) != 0 ||
	    (err = get_list(c, &t->sk_d)) != 0)
		return err;
	return cur_end(c);
}

/* ---- public -------------------------------------------------------------------- */

/* Until when, with a certificate that ends. */
static uint64_t
until(const struct sec_ticket *t, struct sec_now now)
{
	uint64_t until_s = MIN(t->until_s, now.s + SEC_TICKET_LIFE_S);

	if (t->not_after_s == 0)
		return until_s;
	if (t->not_after_s <= now.wall_s)
		return now.s;
	return MIN(until_s, now.s + MIN(t->not_after_s - now.wall_s,
					(uint64_t)SEC_TICKET_LIFE_S));
}

int
sec_ticket_seal(struct sec_tickets *ts, struct sec_ticket *t,
		struct sec_now now, uint8_t *out, size_t *len)
{
	struct wcur w;
	size_t n;
	int err;

	t->until_s = until(t, now);
	if (t->until_s <= now.s)
		return ERR_RANGE;
	if (t->id_own.len > SEC_TICKET_ID_MAX || t->id_peer.len > SEC_TICKET_ID_MAX ||
	    t->shown.len > SEC_TICKET_ID_MAX || t->sk_d.len == 0 ||
	    t->sk_d.len > SEC_TICKET_SK_MAX)
		return ERR_LONG;
	if ((err = key_now(ts, now.s)) != 0 ||
	    (err = rng_bytes(&t->serial, sizeof(t->serial))) != 0 ||
	    (err = rng_bytes(out + HEAD_LEN, SPI_AEAD_NONCE)) != 0)
		return err;
	out[0] = VERSION;
	be32_put(out + 1, ts->key[0].id);
	wcur_init(&w, out + PLAIN_AT, SEC_TICKET_MAX - PLAIN_AT - SPI_AEAD_TAG);
	put_all(&w, t);
	n = wcur_done(&w).len;
	err = w.err != 0 ? ERR_LONG : spi_crypto()->aead_seal(
	    SPI_CIPHER_AES_GCM_256, ts->key[0].k, out + HEAD_LEN,
	    (struct view){ out, HEAD_LEN }, out + PLAIN_AT, n,
	    out + PLAIN_AT + n);
	if (err != 0) {
		wipe(out, SEC_TICKET_MAX);
		return err;
	}
	*len = PLAIN_AT + n + SPI_AEAD_TAG;
	return 0;
}

int
sec_ticket_open(struct sec_tickets *ts, struct view sealed, struct sec_now now,
		uint8_t *buf, struct sec_ticket *t)
{
	struct sec_ticket got;
	const struct key *k;
	struct cur c;
	size_t n;

	if (sealed.len < PLAIN_AT + SPI_AEAD_TAG ||
	    sealed.len > SEC_TICKET_MAX || sealed.p[0] != VERSION ||
	    (k = key_find(ts, be32_get(sealed.p + 1))) == NULL)
		return ERR_AUTH;
	n = sealed.len - PLAIN_AT - SPI_AEAD_TAG;
	memcpy(buf, sealed.p + PLAIN_AT, n);
	if (spi_crypto()->aead_open(SPI_CIPHER_AES_GCM_256, k->k,
	    sealed.p + HEAD_LEN, (struct view){ sealed.p, HEAD_LEN }, buf, n,
	    sealed.p + PLAIN_AT + n) != 0)
		return ERR_AUTH;
	cur_init(&c, buf, n);
	if (get_all(&c, &got) != 0 || got.until_s <= now.s ||
	    (got.not_after_s != 0 && got.not_after_s <= now.wall_s) ||
	    map_find(ts->by_serial, &got.serial) != NULL)
		return ERR_AUTH;
	*t = got;
	return 0;
}

/* Those that are over cannot be used anyway. */
static void
forget(struct sec_tickets *ts, uint64_t now_s)
{
	while (ts->n > 0 && ts->ring[ts->first].until_s <= now_s) {
		map_remove(ts->by_serial, &ts->ring[ts->first].serial);
		ts->first = (ts->first + 1) % SEC_TICKET_USED_MAX;
		ts->n--;
	}
}

int
sec_ticket_use(struct sec_tickets *ts, const struct sec_ticket *t,
	       uint64_t now_s)
{
	struct used *u;
	int err;

	forget(ts, now_s);
	if (map_find(ts->by_serial, &t->serial) != NULL)
		return ERR_EXISTS;
	if (ts->n == SEC_TICKET_USED_MAX)
		return ERR_FULL;
	if ((err = map_add(ts->by_serial, &t->serial, ts)) != 0)
		return err == ERR_NOMEM ? ERR_FULL : err;
	u = &ts->ring[(ts->first + ts->n) % SEC_TICKET_USED_MAX];
	/* kept as long as any, so that the ring is in the order of ends */
	*u = (struct used){ t->serial, now_s + SEC_TICKET_LIFE_S };
	ts->n++;
	return 0;
}
