/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/radius/ask.c - who asks RADIUS servers, and what it does when they
 * are silent.
 *
 * Thread: the only one.
 */
#include "secure-proc/radius/ask.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"

/* A question; its identifier is its place. */
struct open {
	bool is_used;
	uint64_t ticket;
	uint8_t auth[SPI_RADIUS_AUTH];
	uint8_t *bytes;		/* as sent, repeated unchanged: RFC 2865 2.5 */
	size_t len;
	/* what was asked, for another server; views into bytes[len..] */
	struct spi_radius_ask ask;
	unsigned n_sent;
	uint64_t until_ms;
	uint64_t asked_ms;	/* first sent */
	unsigned server;	/* who is asked */
	bool is_first;		/* may go to another server */
	uint32_t tried;		/* bit i: server i was silent about it */
};

struct server {
	struct view secret;
	uint64_t dead_until_ms;
	uint64_t heard_ms;	/* the last answer; 0 = none yet */
	unsigned next;		/* where the search for a free place begins */
	struct open open[SEC_RADIUS_OPEN];
};

struct sec_radius {
	const struct sec_radius_ops *ops;
	void *ctx;
	unsigned n_server;
	struct server server[SEC_RADIUS_SERVERS];
};

static void
open_clear(struct open *o)
{
	free(o->bytes);
	*o = (struct open){ 0 };
}

/* Places are used in a circle, so that a late answer seldom meets a new
 * question of its identifier; the authenticator refuses it anyway. */
static struct open *
open_find(struct server *s)
{
	for (unsigned i = 0; i < SEC_RADIUS_OPEN; i++) {
		struct open *o = &s->open[(s->next + i) % SEC_RADIUS_OPEN];

		if (!o->is_used) {
			s->next = (unsigned)(o - s->open) + 1;
			return o;
		}
	}
	return NULL;
}

/* The first that lives and was not tried; else one that was silent lately. */
static int
server_choose(const struct sec_radius *r, uint32_t tried, uint64_t now_ms,
	      unsigned *out)
{
	for (unsigned pass = 0; pass < 2; pass++) {
		for (unsigned i = 0; i < r->n_server; i++) {
			if ((tried >> i & 1) != 0 || (pass == 0 &&
			    now_ms < r->server[i].dead_until_ms))
				continue;
			*out = i;
			return 0;
		}
	}
	return ERR_NOTFOUND;
}

static void
transmit(struct sec_radius *r, unsigned server, struct open *o, uint64_t now_ms)
{
	if (o->n_sent == 0)
		o->asked_ms = now_ms;
	o->until_ms = now_ms + ((uint64_t)SEC_RADIUS_WAIT_MS << o->n_sent);
	o->n_sent++;
	r->ops->send(r->ctx, server, (struct view){ o->bytes, o->len });
}

/* Keep what was asked behind the bytes; room for it is there. */
static struct view
keep(struct wcur *w, struct view v)
{
	struct view at = { w->base + w->len, v.len };

	wcur_view(w, v);
	return at;
}

static int
open_fill(struct open *o, const struct spi_radius_ask *q, struct view bytes)
{
	size_t room = bytes.len + q->user.len + q->nas.len + q->from.len +
	    q->state.len + q->eap.len;
	struct wcur w;

	if ((o->bytes = malloc(room)) == NULL)
		return ERR_NOMEM;
	wcur_init(&w, o->bytes, room);
	wcur_view(&w, bytes);
	o->len = bytes.len;
	memcpy(o->auth, q->auth, sizeof(o->auth));
	o->ask.user = keep(&w, q->user);
	o->ask.nas = keep(&w, q->nas);
	o->ask.from = keep(&w, q->from);
	o->ask.state = keep(&w, q->state);
	o->ask.eap = keep(&w, q->eap);
	return 0;
}

static int
ask_server(struct sec_radius *r, uint64_t ticket, unsigned server,
	   const struct spi_radius_ask *what, struct open **out)
{
	struct server *s = &r->server[server];
	struct open *o = open_find(s);
	struct spi_radius_ask q = *what;
	uint8_t buf[SPI_RADIUS_MAX];
	struct wcur w;
	int err;

	if (o == NULL)
		return ERR_FULL;
	if ((err = rng_bytes(q.auth, sizeof(q.auth))) != 0)
		return err;
	q.id = (uint8_t)(o - s->open);
	q.secret = s->secret;
	wcur_init(&w, buf, sizeof(buf));
	if ((err = spi_radius_enc(&q, &w)) != 0 ||
	    (err = open_fill(o, &q, wcur_done(&w))) != 0)
		return err;
	o->ticket = ticket;
	o->server = server;
	o->is_used = true;
	*out = o;
	return 0;
}

/* Silent for good: the next server, where that is possible. */
static int
go_elsewhere(struct sec_radius *r, unsigned server, struct open *o,
	     uint64_t now_ms)
{
	uint32_t tried = o->tried | 1u << server;
	struct open *n = NULL;
	unsigned next;
	int err;

	if (!o->is_first || server_choose(r, tried, now_ms, &next) != 0)
		return ERR_TIMEOUT;
	if ((err = ask_server(r, o->ticket, next, &o->ask, &n)) != 0)
		return err;
	n->is_first = true;
	n->tried = tried;
	transmit(r, next, n, now_ms);
	return 0;
}

/* How often one server is asked. */
static unsigned
tries(const struct sec_radius *r, const struct open *o, uint64_t now_ms)
{
	uint32_t tried = o->tried | 1u << o->server;
	unsigned next;

	return o->is_first && server_choose(r, tried, now_ms, &next) == 0 ?
	    SEC_RADIUS_MOVE : SEC_RADIUS_TRIES;
}

/* A server says nothing to what it finds malformed (RFC 3579 2.2), and clients
 * can send that: who answered others meanwhile is not dead. */
static void
expire(struct sec_radius *r, unsigned server, struct open *o, uint64_t now_ms)
{
	struct server *s = &r->server[server];
	uint64_t ticket = o->ticket;
	int err;

	if (o->n_sent < tries(r, o, now_ms)) {
		transmit(r, server, o, now_ms);
		return;
	}
	if (s->heard_ms == 0 || s->heard_ms < o->asked_ms)
		s->dead_until_ms = now_ms + SEC_RADIUS_DEAD_MS;
	err = go_elsewhere(r, server, o, now_ms);
	open_clear(o);
	if (err != 0)
		r->ops->done(r->ctx, ticket, ERR_TIMEOUT, server, NULL);
}

int
sec_radius_new(struct sec_radius **out, const struct view *secret,
	       unsigned n_server, const struct sec_radius_ops *ops, void *ctx)
{
	struct sec_radius *r;

	if (n_server == 0 || n_server > SEC_RADIUS_SERVERS)
		return ERR_RANGE;
	for (unsigned i = 0; i < n_server; i++) {
		if (secret[i].len == 0)
			return ERR_RANGE;
	}
	if ((r = calloc(1, sizeof(*r))) == NULL)
		return ERR_NOMEM;
	r->ops = ops;
	r->ctx = ctx;
	r->n_server = n_server;
	for (unsigned i = 0; i < n_server; i++)
		r->server[i].secret = secret[i];
	*out = r;
	return 0;
}

void
sec_radius_free(struct sec_radius *r)
{
	if (r == NULL)
		return;
	for (unsigned i = 0; i < r->n_server; i++) {
		for (unsigned k = 0; k < SEC_RADIUS_OPEN; k++)
			open_clear(&r->server[i].open[k]);
	}
	free(r);
}

int
sec_radius_ask(struct sec_radius *r, uint64_t ticket, uint32_t server,
	       const struct spi_radius_ask *q, uint64_t now_ms)
{
	bool is_first = server == SEC_RADIUS_ANY;
	struct open *o = NULL;
	unsigned to = server;
	int err;

	if (is_first && (err = server_choose(r, 0, now_ms, &to)) != 0)
		return err;
	if (to >= r->n_server)
		return ERR_RANGE;
	if ((err = ask_server(r, ticket, to, q, &o)) != 0)
		return err;
	o->is_first = is_first;
	transmit(r, to, o, now_ms);
	return 0;
}

int
sec_radius_input(struct sec_radius *r, unsigned server, struct view bytes,
		 uint64_t now_ms)
{
	struct spi_radius_ask q = { .id = 0 };
	struct spi_radius_answer a;
	uint64_t ticket;
	struct open *o;
	int err;

	if (server >= r->n_server)
		return ERR_RANGE;
	if (bytes.len < 2)
		return ERR_SHORT;
	o = &r->server[server].open[bytes.p[1]];
	if (!o->is_used)
		return ERR_NOTFOUND;
	q.id = bytes.p[1];
	q.secret = r->server[server].secret;
	memcpy(q.auth, o->auth, sizeof(q.auth));
	if ((err = spi_radius_dec(&q, bytes, &a)) != 0)
		return err;
	ticket = o->ticket;
	open_clear(o);
	r->server[server].dead_until_ms = 0;
	r->server[server].heard_ms = MAX(now_ms, 1u);
	r->ops->done(r->ctx, ticket, 0, server, &a);
	wipe(&a, sizeof(a));
	return 0;
}

uint64_t
sec_radius_tick(struct sec_radius *r, uint64_t now_ms)
{
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; i < r->n_server; i++) {
		for (unsigned k = 0; k < SEC_RADIUS_OPEN; k++) {
			struct open *o = &r->server[i].open[k];

			if (o->is_used && o->until_ms <= now_ms)
				expire(r, i, o, now_ms);
		}
	}
	/* looked at once more: an expired one may have opened another */
	for (unsigned i = 0; i < r->n_server; i++) {
		for (unsigned k = 0; k < SEC_RADIUS_OPEN; k++) {
			const struct open *o = &r->server[i].open[k];

			if (o->is_used)
				next = MIN(next, o->until_ms);
		}
	}
	return next;
}

void
sec_radius_forget(struct sec_radius *r, uint64_t ticket)
{
	for (unsigned i = 0; i < r->n_server; i++) {
		for (unsigned k = 0; k < SEC_RADIUS_OPEN; k++) {
			struct open *o = &r->server[i].open[k];

			if (o->is_used && o->ticket == ticket)
				open_clear(o);
		}
	}
}

void
sec_radius_deaf(struct sec_radius *r, unsigned server, uint64_t now_ms)
{
	if (server >= r->n_server)
		return;
	r->server[server].dead_until_ms = now_ms + SEC_RADIUS_DEAD_MS;
	for (unsigned k = 0; k < SEC_RADIUS_OPEN; k++) {
		struct open *o = &r->server[server].open[k];

		if (!o->is_used || tries(r, o, now_ms) == SEC_RADIUS_TRIES)
			continue;
		o->n_sent = SEC_RADIUS_TRIES;	/* the next tick moves it */
		o->until_ms = now_ms;
	}
}

unsigned
sec_radius_n_open(const struct sec_radius *r)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->n_server; i++)
		for (unsigned k = 0; k < SEC_RADIUS_OPEN; k++)
			n += r->server[i].open[k].is_used;
	return n;
}
