/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/bus/bus_limit.c - few lines for what happens often.
 *
 * A slot is found by a hash of code, realm and peer; two things that meet in
 * one slot end each other's window early, which says more lines, not fewer.
 */
#include "daemon/bus/bus_limit.h"
#include <string.h>
#include "daemon/base/str.h"

/* FNV-1a; a collision costs nothing that matters. */
static uint64_t
mix(uint64_t h, const char *text)
{
	for (; *text != '\0'; text++)
		h = (h ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
	return (h ^ '/') * UINT64_C(0x100000001b3);
}

static uint64_t
key_of(const struct bus_rec *ev)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	h = mix(h, ev->desc->name);
	h = mix(h, bus_str(ev, BUS_F_REALM));
	h = mix(h, bus_str(ev, BUS_F_PEER));
	h = mix(h, bus_str(ev, BUS_F_CODE));
	return h | 1;
}

static void
say(struct bus_limit_slot *s, bus_limit_fn *fn, void *ctx)
{
	if (s->key != 0 && s->n > BUS_LIMIT_BURST)
		fn(ctx, s->level, s->n - BUS_LIMIT_BURST, s->line);
	s->key = 0;
	s->n = 0;
}

bool
bus_limit_pass(struct bus_limit *l, const struct bus_rec *ev, const char *line,
	       uint64_t now_ms, bus_limit_fn *fn, void *ctx)
{
	uint64_t key = key_of(ev);
	struct bus_limit_slot *s = &l->slot[(key >> 8) % BUS_LIMIT_SLOTS];

	if (ev->desc->audit == BUS_AUDIT_ADMIN ||
	    ev->desc->audit == BUS_AUDIT_CONF)
		return true;
	if (s->key != key || now_ms - s->from_ms >= BUS_LIMIT_WINDOW_MS) {
		say(s, fn, ctx);
		s->key = key;
		s->from_ms = now_ms;
	}
	if (++s->n <= BUS_LIMIT_BURST)
		return true;
	s->level = ev->desc->severity;
	(void)str_copy(s->line, sizeof(s->line), line);
	return false;
}

void
bus_limit_tick(struct bus_limit *l, uint64_t now_ms, bus_limit_fn *fn, void *ctx)
{
	for (unsigned i = 0; i < BUS_LIMIT_SLOTS; i++)
		if (l->slot[i].key != 0 &&
		    now_ms - l->slot[i].from_ms >= BUS_LIMIT_WINDOW_MS)
			say(&l->slot[i], fn, ctx);
}
