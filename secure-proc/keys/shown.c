/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/keys/shown.c - what a peer showed when it was let in.
 *
 * Thread: the only one.
 */
#include "secure-proc/keys/shown.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "daemon/base/list.h"
#include "daemon/base/map.h"
#include "spi/spi_crypto.h"

#define CERT_X509 4	/* RFC 7296 3.6 */
#define CERT_RAW  15	/* RFC 7670 */

static const uint8_t unknown[SEC_SHOWN_MARK];

/* ---- the form ------------------------------------------------------------------ */

static void
put(struct wcur *w, struct view v)
{
	wcur_u16(w, (uint16_t)v.len);
	wcur_view(w, v);
}

static int
get(struct cur *c, struct view *v)
{
	uint16_t len;
	int err;

	if ((err = cur_u16(c, &len)) != 0)
		return err;
	return cur_view(c, len, v);
}

int
sec_shown_enc(const struct sec_shown *s, uint8_t *out, size_t *len)
{
	struct wcur w;

	if (s->id_peer.len + s->id_own.len + s->user.len + s->cert.len >
	    SEC_SHOWN_MAX)
		return ERR_LONG;
	wcur_init(&w, out, SEC_SHOWN_MAX);
	wcur_u8(&w, (uint8_t)s->kind);
	wcur_bytes(&w, s->mark, sizeof(s->mark));
	put(&w, s->id_peer);
	put(&w, s->id_own);
	put(&w, s->user);
	put(&w, s->cert);
	*len = w.len;
	return w.err != 0 ? ERR_LONG : 0;
}

int
sec_shown_dec(struct view in, struct sec_shown *s)
{
	struct sec_shown got;
	uint8_t kind;
	struct cur c;
	int err;

	cur_init(&c, in.p, in.len);
	if ((err = cur_u8(&c, &kind)) != 0 ||
	    (err = cur_copy(&c, got.mark, sizeof(got.mark))) != 0 ||
	    (err = get(&c, &got.id_peer)) != 0 ||
	    (err = get(&c, &got.id_own)) != 0 ||
	    (err = get(&c, &got.user)) != 0 ||
	    (err = get(&c, &got.cert)) != 0 ||
	    (err = cur_end(&c)) != 0)
		return err;
	if (kind < SEC_SHOWN_PSK || kind >= SEC_SHOWN_END)
		return ERR_RANGE;
	got.kind = (enum sec_shown_kind)kind;
	*s = got;
	return 0;
}

bool
sec_shown_differ(const uint8_t a[SEC_SHOWN_MARK],
		 const uint8_t b[SEC_SHOWN_MARK])
{
	return memcmp(a, unknown, sizeof(unknown)) != 0 &&
	    memcmp(b, unknown, sizeof(unknown)) != 0 &&
	    memcmp(a, b, SEC_SHOWN_MARK) != 0;
}

int
sec_shown_certs(struct view cert, uint8_t **out, size_t *len)
{
	struct view body;
	struct wcur w;
	struct cur c;
	uint16_t n;
	int err;

	*out = NULL;
	*len = 0;
	if (cert.len == 0)
		return 0;
	if ((*out = malloc(cert.len)) == NULL)
		return ERR_NOMEM;
	wcur_init(&w, *out, cert.len);
	cur_init(&c, cert.p, cert.len);
	while (cur_left(&c) > 0) {
		if ((err = cur_u16(&c, &n)) != 0 ||
		    (err = cur_view(&c, n, &body)) != 0) {
			free(*out);
			*out = NULL;
			return err;
		}
		if (n > 0 && (body.p[0] == CERT_X509 || body.p[0] == CERT_RAW)) {
			wcur_u16(&w, n);
			wcur_view(&w, body);
		}
	}
	*len = w.len;
	return 0;
}

/* ---- those kept ---------------------------------------------------------------- */

struct kept {
	struct list node;
	uint8_t id[SEC_SHOWN_ID];
	size_t len;
	uint8_t bytes[];
};

struct sec_showns {
	struct map *by_id;
	struct list all;	/* the oldest first */
	size_t n_bytes;
};

int
sec_showns_new(struct sec_showns **out)
{
	struct sec_showns *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return ERR_NOMEM;
	list_init(&k->all);
	if (map_new(&k->by_id, SEC_SHOWN_ID, SEC_SHOWN_KEEP + 1) != 0) {
		free(k);
		return ERR_NOMEM;
	}
	*out = k;
	return 0;
}

static void
drop(struct sec_showns *k, struct kept *e)
{
	map_remove(k->by_id, e->id);
	list_remove(&e->node);
	k->n_bytes -= e->len;
	free(e);
}

void
sec_showns_free(struct sec_showns *k)
{
	if (k == NULL)
		return;
	while (!list_is_empty(&k->all))
		drop(k, CONTAINER_OF(k->all.next, struct kept, node));
	map_free(k->by_id);
	free(k);
}

int
sec_showns_add(struct sec_showns *k, struct view shown, uint8_t *id)
{
	uint8_t of[SEC_SHOWN_ID];
	struct kept *e;
	int err;

	if ((err = spi_crypto()->hash(SPI_HASH_SHA256, &shown, 1, of)) != 0)
		return err;
	if ((e = map_find(k->by_id, of)) != NULL) {	/* the youngest now */
		list_remove(&e->node);
		list_add_tail(&k->all, &e->node);
		memcpy(id, of, sizeof(of));
		return 0;
	}
	if ((e = malloc(sizeof(*e) + shown.len)) == NULL)
		return ERR_NOMEM;
	memcpy(e->id, of, sizeof(of));
	e->len = shown.len;
	memcpy(e->bytes, shown.p, shown.len);
	if ((err = map_add(k->by_id, e->id, e)) != 0) {
		free(e);
		return err;
	}
	list_add_tail(&k->all, &e->node);
	k->n_bytes += e->len;
	while (map_count(k->by_id) > SEC_SHOWN_KEEP ||
	       k->n_bytes > SEC_SHOWN_BYTES)
		drop(k, CONTAINER_OF(k->all.next, struct kept, node));
	memcpy(id, of, sizeof(of));
	return 0;
}

struct view
sec_showns_find(const struct sec_showns *k, struct view id)
{
	const struct kept *e = NULL;

	if (id.len == SEC_SHOWN_ID)
		e = map_find(k->by_id, id.p);
	return e != NULL ? (struct view){ e->bytes, e->len } :
	    (struct view){ NULL, 0 };
}
