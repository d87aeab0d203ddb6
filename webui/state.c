/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/state.c - the latest records, in the order of their last change.
 *
 *   list:  version 12 | 15 | 16 | 21 | 22        a reader that saw 15
 *                             `--------'         still has to see these
 */
#include "webui/state.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/list.h"
#include "daemon/base/map.h"
#include "daemon/base/rng.h"
#include "daemon/bus/bus_wire.h"
#include "webui/session.h"

#define KEY_BYTES 16

struct entry {
	struct list node;		/* by version, rising */
	uint8_t key[KEY_BYTES];
	struct ui_blob *blob;
	uint64_t digest;		/* of what is not an age */
	uint64_t version, sent_ms, round;
};

struct ui_state {
	struct list list;
	struct map *map;
	uint8_t hash[2][16];		/* keys of siphash */
	uint64_t version, round;
};

/* Fields that change by themselves as time goes by: all that count seconds. */
static bool
is_age(enum bus_field f)
{
	const char *key = bus_field_key(f);
	size_t n = strlen(key);

	return n > 2 && strcmp(key + n - 2, "_s") == 0;
}

static uint64_t
digest_of(const struct ui_state *st, const struct bus_rec *r)
{
	struct bus_rec still = *r;
	uint8_t wire[BUS_WIRE_MAX];
	int n;

	still.tag = 0;
	still.time_ms = still.seq = 0;
	for (unsigned i = 0; i < r->desc->n_field; i++)
		if (is_age(r->desc->field[i]))
			still.val[i].num = 0;
	n = bus_enc_buf(&still, wire, sizeof(wire));
	return n < 0 ? 0 : siphash(st->hash[0], wire, (size_t)n);
}

/* What a record is about: its row, realm and name. */
static void
key_of(const struct ui_state *st, const struct bus_rec *r,
       uint8_t out[KEY_BYTES])
{
	char text[2 * BUS_STR_MAX + 16];
	int n = snprintf(text, sizeof(text), "%x/%s/%s", (unsigned)r->desc->row,
			 bus_str(r, BUS_F_REALM), bus_str(r, BUS_F_NAME));
	uint64_t h[2];

	for (unsigned i = 0; i < N_OF(h); i++)
		h[i] = siphash(st->hash[i], text, (size_t)MAX(n, 0));
	memcpy(out, h, KEY_BYTES);
}

static void
entry_free(struct ui_state *st, struct entry *e)
{
	(void)map_remove(st->map, e->key);
	list_remove(&e->node);
	ui_blob_put(e->blob);
	free(e);
}

void
ui_state_clear(struct ui_state *st)
{
	LIST_FOREACH_SAFE(it, tmp, &st->list)
		entry_free(st, CONTAINER_OF(it, struct entry, node));
}

void
ui_state_begin(struct ui_state *st, uint64_t now_ms UNUSED)
{
	st->round++;
}

static struct entry *
entry_new(struct ui_state *st, const uint8_t key[KEY_BYTES])
{
	struct entry *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	memcpy(e->key, key, KEY_BYTES);
	list_init(&e->node);
	if (map_add(st->map, e->key, e) == 0)
		return e;
	free(e);
	return NULL;
}

bool
ui_state_put(struct ui_state *st, const struct bus_rec *r, uint64_t now_ms)
{
	uint64_t digest = digest_of(st, r);
	uint8_t key[KEY_BYTES];
	struct ui_blob *blob;
	struct entry *e;

	key_of(st, r, key);
	e = map_find(st->map, key);
	if (e == NULL && (e = entry_new(st, key)) == NULL)
		return false;
	e->round = st->round;
	if (e->blob != NULL && e->digest == digest &&
	    now_ms - e->sent_ms < UI_STATE_ALL_MS)
		return false;
	if ((blob = ui_blob_new(r)) == NULL)
		return false;
	ui_blob_put(e->blob);
	e->blob = blob;
	e->digest = digest;
	e->sent_ms = now_ms;
	e->version = ++st->version;
	list_remove(&e->node);
	list_add_tail(&st->list, &e->node);
	return true;
}

bool
ui_state_end(struct ui_state *st)
{
	bool is_less = false;

	LIST_FOREACH_SAFE(it, tmp, &st->list) {
		struct entry *e = CONTAINER_OF(it, struct entry, node);

		if (e->round == st->round)
			continue;
		entry_free(st, e);
		is_less = true;
	}
	return is_less;
}

static struct ui_change
change_of(const struct ui_state *st, const struct list *it)
{
	const struct entry *e;

	if (it == &st->list)
		return (struct ui_change){ NULL, 0, NULL };
	e = CONTAINER_OF(it, struct entry, node);
	return (struct ui_change){ e->blob, e->version, it };
}

bool
ui_state_has(const struct ui_state *st, uint64_t seen)
{
	return change_of(st, st->list.prev).version > seen;
}

/* Most readers have seen nearly all: look from the newest back. */
struct ui_change
ui_state_after(const struct ui_state *st, uint64_t seen)
{
	const struct list *it = st->list.prev;

	while (it != &st->list && change_of(st, it).version > seen)
		it = it->prev;
	return change_of(st, it->next);
}

struct ui_change
ui_state_next(const struct ui_state *st, const struct ui_change *c)
{
	const struct list *at = c->at;

	return change_of(st, at->next);
}

int
ui_state_new(struct ui_state **out)
{
	struct ui_state *st = calloc(1, sizeof(*st));
	int err;

	if (st == NULL)
		return ERR_NOMEM;
	list_init(&st->list);
	if ((err = rng_bytes(st->hash, sizeof(st->hash))) != 0 ||
	    (err = map_new(&st->map, KEY_BYTES, UI_STATE_MAX)) != 0) {
		free(st);
		return err;
	}
	*out = st;
	return 0;
}

void
ui_state_free(struct ui_state *st)
{
	if (st == NULL)
		return;
	ui_state_clear(st);
	map_free(st->map);
	free(st);
}
