/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/note.c - what workers saw and the loop tells: moves of addresses, clashes
 * with fixed ones, full tables, neighbours that speak for others.
 *
 * Workers count all and keep the first few; the loop looks once a second.
 */
#include "daemon/bus/bus.h"
#include "vhub/priv.h"

#define TELL_S		60	/* what goes on is told once a minute */
#define FLAP_MOVES	64	/* moves in a second that are not roaming; ours */
#define FLAP_PAIR	6	/* of HUB_NOTE_MAX between the same two ports */

void
note_move(struct hub *h, const struct mac *m, uint32_t port, uint32_t old,
	  bool is_clash)
{
	unsigned i = atomic_fetch_add_explicit(&h->n_note, 1,
	    memory_order_relaxed);
	uint64_t what = 0;

	if (i >= HUB_NOTE_MAX)
		return;
	for (int k = 0; k < 6; k++)
		what = what << 8 | m->b[k];
	atomic_store_explicit(&h->note[i].old, old, memory_order_relaxed);
	atomic_store_explicit(&h->note[i].is_clash, is_clash,
	    memory_order_relaxed);
	atomic_store_explicit(&h->note[i].what, what << 16 | port,
	    memory_order_release);
}

void
note_full(struct hub *h, uint32_t port)
{
	atomic_fetch_add_explicit(&h->n_refused, 1, memory_order_relaxed);
	atomic_store_explicit(&h->refused_port, port, memory_order_relaxed);
}

void
note_tell(struct hub *h, struct bus_rec *r)
{
	if (h->conf.tell != NULL)
		h->conf.tell(h->conf.ctx, r);
}

const char *
note_port(const struct hub *h, uint32_t num)
{
	const struct port *p = port_at(h, num);

	if (num == MAC_NOBODY)
		return "a port that is down";
	return p != NULL ? p->conf.name : "a port now gone";
}

static void
tell_move(struct hub *h, uint64_t what, uint32_t old, bool is_clash)
{
	char text[MAC_TEXT_MAX];
	struct bus_rec r;
	struct mac m;

	for (int k = 0; k < 6; k++)
		m.b[k] = (uint8_t)(what >> (56 - 8 * k));
	bus_rec_init(&r, is_clash ? BUS_EV_HUB_MAC_CLASH :
	    BUS_EV_HUB_MAC_MOVED);
	bus_set_str(&r, BUS_F_REALM, h->conf.name);
	bus_set_str(&r, BUS_F_MAC, mac_text(&m, text));
	bus_set_str(&r, BUS_F_PORT, note_port(h, what & 0xffff));
	bus_set_str(&r, BUS_F_OLD_PORT, note_port(h, old));
	note_tell(h, &r);
}

static void
tell_flap(struct hub *h, uint32_t now_s, unsigned n, uint32_t a, uint32_t b)
{
	struct bus_rec r;

	if (h->flap_told_s != 0 && now_s - h->flap_told_s < TELL_S)
		return;
	h->flap_told_s = now_s;
	bus_rec_init(&r, BUS_EV_HUB_FLAP);
	bus_set_str(&r, BUS_F_REALM, h->conf.name);
	bus_set_str(&r, BUS_F_PORT, note_port(h, b));
	bus_set_str(&r, BUS_F_OLD_PORT, note_port(h, a));
	bus_set_u64(&r, BUS_F_VALUE, n);
	note_tell(h, &r);
}

/* Moves: told one by one; many between the same two ports are a sign. */
static bool
tell_notes(struct hub *h, uint32_t now_s, uint32_t *a, uint32_t *b)
{
	unsigned n = atomic_exchange(&h->n_note, 0), n_same = 0;

	for (unsigned i = 0; i < HUB_NOTE_MAX; i++) {
		uint64_t what = atomic_exchange(&h->note[i].what, 0);
		uint32_t to = what & 0xffff, old = h->note[i].old;

		if (what == 0)
			continue;
		tell_move(h, what, old, h->note[i].is_clash);
		if (i == 0) {
			*a = MIN(to, old);
			*b = MAX(to, old);
		}
		n_same += MIN(to, old) == *a && MAX(to, old) == *b &&
		    !h->note[i].is_clash;
	}
	if (n < FLAP_MOVES || n_same < FLAP_PAIR)
		return false;
	tell_flap(h, now_s, n, *a, *b);
	return true;
}

static void
tell_full(struct hub *h, uint32_t now_s)
{
	struct bus_rec r;
	unsigned n;

	if (h->told_s != 0 && now_s - h->told_s < TELL_S)
		return;
	if ((n = atomic_exchange(&h->n_refused, 0)) == 0)
		return;
	h->told_s = now_s;
	bus_rec_init(&r, BUS_EV_HUB_TABLE_FULL);
	bus_set_str(&r, BUS_F_REALM, h->conf.name);
	bus_set_str(&r, BUS_F_PORT, note_port(h, h->refused_port));
	bus_set_u64(&r, BUS_F_N_DROP, n);
	bus_set_u64(&r, BUS_F_LIMIT, mactab_count(h->macs) >= HUB_MAC_MAX ?
	    HUB_MAC_MAX : port_mac_max(port_at(h, h->refused_port)));
	note_tell(h, &r);
}

static void
tell_spoof(struct hub *h, uint32_t now_s)
{
	struct bus_rec r;
	uint32_t n;

	if ((h->spoof_told_s != 0 && now_s - h->spoof_told_s < TELL_S) ||
	    (n = atomic_exchange(&h->spoof.n, 0)) == 0)
		return;
	h->spoof_told_s = now_s;
	bus_rec_init(&r, BUS_EV_HUB_SPOOF);
	bus_set_str(&r, BUS_F_REALM, h->conf.name);
	bus_set_str(&r, BUS_F_PORT, note_port(h, h->spoof.port));
	bus_set_u64(&r, BUS_F_N_DROP, n);
	note_tell(h, &r);
}

bool
note_tick(struct hub *h, uint32_t now_s, uint32_t *a, uint32_t *b)
{
	bool has_flap = tell_notes(h, now_s, a, b);

	tell_full(h, now_s);
	tell_spoof(h, now_s);
	return has_flap;
}
