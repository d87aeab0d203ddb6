/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/frag.c - pieces of datagrams put together again.
 */
#include "daemon/core/frag.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/drop.h"
#include "daemon/base/rng.h"

#define PIECE_UNIT   8
#define DATAGRAM_MAX (65535 - 20) /* behind an IPv4 header; RFC 791 3.1 */

struct piece {
	uint16_t from, to;
};

/* A datagram under way; buf NULL: refused, and remembered as such. */
struct entry {
	bool is_used;
	struct ip_addr src, dst;
	uint32_t id;
	uint64_t since_ms;
	struct buf *buf;
	uint32_t total;		/* bytes, 0 = the last piece is missing */
	uint32_t got;		/* bytes that are there */
	unsigned n;		/* pieces, by offset */
	struct piece piece[FRAG_PIECES];
};

struct frag {
	uint64_t seed;
	unsigned n_used;
	struct entry set[FRAG_SETS][FRAG_WAYS];
};

int
frag_new(struct frag **out)
{
	struct frag *f = calloc(1, sizeof(*f));
	int err;

	if (f == NULL)
		return ERR_NOMEM;
	if ((err = rng_bytes(&f->seed, sizeof(f->seed))) != 0) {
		free(f);
		return err;
	}
	*out = f;
	return 0;
}

static void
entry_clear(struct frag *f, struct entry *e)
{
	if (!e->is_used)
		return;
	buf_put(e->buf);
	e->buf = NULL;
	e->is_used = false;
	f->n_used--;
}

void
frag_free(struct frag *f)
{
	if (f == NULL)
		return;
	for (unsigned i = 0; i < FRAG_SETS * FRAG_WAYS; i++)
		entry_clear(f, &f->set[i / FRAG_WAYS][i % FRAG_WAYS]);
	free(f);
}

/* ---- which datagram ---------------------------------------------------------- */

static uint64_t
mix(uint64_t h, const struct ip_addr *ip)
{
	uint64_t w[2];

	memcpy(w, ip->b, sizeof(w));
	for (int i = 0; i < 2; i++) {
		h = (h ^ w[i]) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 32;
	}
	return h;
}

static bool
is_of(const struct entry *e, const struct rawip *ip)
{
	return e->is_used && e->id == ip->id && ip_equal(&e->src, &ip->src) &&
	    ip_equal(&e->dst, &ip->dst);
}

static void
entry_expire(struct frag *f, struct entry *e, uint64_t now_ms)
{
	if (!e->is_used || now_ms - e->since_ms < FRAG_MS)
		return;
	if (e->buf != NULL)
		drop_count(DROP_FRAG_TIME, 1);
	entry_clear(f, e);
}

static void
entry_init(struct frag *f, struct entry *e, const struct rawip *ip,
	   struct buf_pool *big, uint64_t now_ms)
{
	if (e->is_used && e->buf != NULL)
		drop_count(DROP_FRAG_FULL, 1);
	entry_clear(f, e);
	e->is_used = true;
	f->n_used++;
	e->src = ip->src;
	e->dst = ip->dst;
	e->id = ip->id;
	e->since_ms = now_ms;
	e->total = e->got = 0;
	e->n = 0;
	e->buf = buf_new(big);
	if (e->buf == NULL)
		drop_count(DROP_NO_BUF, 1);
}

/* The datagram's entry, made where there is none. */
static struct entry *
entry_find(struct frag *f, const struct rawip *ip, struct buf_pool *big,
	   uint64_t now_ms)
{
	uint64_t h = mix(mix(f->seed, &ip->src), &ip->dst);
	struct entry *set = f->set[h & (FRAG_SETS - 1)], *e = &set[0];

	for (unsigned i = 0; i < FRAG_WAYS; i++) {
		entry_expire(f, &set[i], now_ms);
		if (is_of(&set[i], ip))
			return &set[i];
	}
	for (unsigned i = 0; i < FRAG_WAYS; i++) {
		if (!set[i].is_used) {
			e = &set[i];
			break;
		}
		if (set[i].since_ms < e->since_ms)
			e = &set[i];
	}
	entry_init(f, e, ip, big, now_ms);
	return e;
}

/* ---- pieces ------------------------------------------------------------------- */

/* Refused, but remembered: what else comes of it is not the start of another. */
static void
refuse(struct entry *e, enum drop why)
{
	drop_count(why, 1);
	buf_put(e->buf);
	e->buf = NULL;
}

/* Lengths that cannot be those of a piece.  RFC 8200 4.5. */
static bool
is_wrong(const struct entry *e, const struct rawip *ip)
{
	size_t end = ip->off + ip->data.len;

	if (ip->data.len == 0 || end > DATAGRAM_MAX ||
	    end > buf_tail(e->buf) ||
	    (ip->more && ip->data.len % PIECE_UNIT != 0))
		return true;
	if (!ip->more && e->total != 0 && e->total != end)
		return true;
	if (!ip->more)
		return e->n > 0 && e->piece[e->n - 1].to > end;
	return e->total != 0 && end > e->total;
}

/* Where it goes among the others.  0, ERR_EXISTS (it is there), ERR_REPLAY (it
 * overlaps), ERR_FULL. */
static int
piece_place(const struct entry *e, const struct piece *p, unsigned *at)
{
	unsigned i = e->n;

	while (i > 0 && e->piece[i - 1].from >= p->from)
		i--;
	if (i < e->n && e->piece[i].from == p->from &&
	    e->piece[i].to == p->to)
		return ERR_EXISTS;
	if ((i > 0 && e->piece[i - 1].to > p->from) ||
	    (i < e->n && e->piece[i].from < p->to))
		return ERR_REPLAY;
	if (e->n == FRAG_PIECES)
		return ERR_FULL;
	*at = i;
	return 0;
}

static void
piece_add(struct entry *e, const struct rawip *ip)
{
	struct piece p = { ip->off, (uint16_t)(ip->off + ip->data.len) };
	unsigned at = 0;

	if (is_wrong(e, ip)) {
		refuse(e, DROP_FRAG_BAD);
		return;
	}
	switch (piece_place(e, &p, &at)) {
	case 0:
		break;
	case ERR_EXISTS:
		return;
	case ERR_FULL:
		refuse(e, DROP_FRAG_FULL);
		return;
	default:
		refuse(e, DROP_FRAG_OVERLAP);
		return;
	}
	memmove(&e->piece[at + 1], &e->piece[at],
		(e->n - at) * sizeof(e->piece[0]));
	e->piece[at] = p;
	e->n++;
	memcpy(e->buf->data + ip->off, ip->data.p, ip->data.len);
	e->got += (uint32_t)ip->data.len;
	if (!ip->more)
		e->total = p.to;
}

struct buf *
frag_take(struct frag *f, const struct rawip *ip, struct buf_pool *big,
	  uint64_t now_ms)
{
	struct entry *e = entry_find(f, ip, big, now_ms);
	struct buf *b;

	if (e->buf != NULL)
		piece_add(e, ip);
	if (e->buf == NULL || e->total == 0 || e->got != e->total)
		return NULL;
	b = e->buf;
	e->buf = NULL;
	b->len = e->total;
	b->from = (struct net_ep){ .ip = ip->src };
	b->to = (struct net_ep){ .ip = ip->dst };
	entry_clear(f, e);
	return b;
}

unsigned
frag_waiting(const struct frag *f)
{
	return f->n_used;
}
