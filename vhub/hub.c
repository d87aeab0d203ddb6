/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/hub.c - the hub as a whole: create, input, tick, tables for display.
 *
 * Thread: hub_input() any worker; the rest the loop.
 */
#include "vhub/hub.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/bus/bus.h"
#include "vhub/priv.h"

#define SWEEP_S	5	/* seconds between two ageing sweeps; ours */
#define TELL_S	60	/* a full table is told once a minute */

static void
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

/* 0, or why the frame must not pass. */
static int
learn(struct hub *h, const struct port *from, const struct mac *src)
{
	uint32_t now_s = atomic_load_explicit(&h->now_s, memory_order_relaxed);
	uint32_t old = 0;
	enum mac_learn got = mactab_learn(h->macs, src, from->num, now_s, &old);

	switch (got) {
	case MAC_KNOWN:
	case MAC_NEW:
		return 0;
	case MAC_MOVED:
		note_move(h, src, from->num, old, false);
		return 0;
	case MAC_CLASH:
		note_move(h, src, from->num, old, true);
		return ERR_PERM;
	case MAC_TABLE_FULL:
	case MAC_PORT_FULL:
		/* Counted, but the frame passes: only the address is not
		 * learned. */
		drop_count(got == MAC_TABLE_FULL ? DROP_HUB_TABLE :
		    DROP_HUB_LIMIT, 1);
		atomic_fetch_add_explicit(&h->n_refused, 1,
		    memory_order_relaxed);
		atomic_store_explicit(&h->refused_port, from->num,
		    memory_order_relaxed);
		return 0;
	}
	return 0;
}

static void
ether_input(struct batch *x, struct port *from, struct buf *b)
{
	struct eth e;

	/* Frames come in runs; the first of one was learned and looked up. */
	if (batch_run_next(x, b))
		return;
	x->run_to = NULL;
	if (eth_dec(buf_view(b), &e) == ERR_SHORT) {
		port_drop(x, from, b, DROP_HUB_RUNT);
		return;
	}
	if (mac_is_group(&e.src) || mac_is_null(&e.src)) {
		port_drop(x, from, b, DROP_HUB_SRC);
		return;
	}
	if (fwd_is_linklocal(&e.dst)) {
		port_drop(x, from, b, DROP_HUB_LINKLOCAL);
		return;
	}
	if (learn(x->h, from, &e.src) != 0) {
		port_drop(x, from, b, DROP_HUB_SRC);
		return;
	}
	/* Neighbours are kept for the untagged network only. */
	if (e.n_tag == 0 && e.type == ETHER_ARP && arp_input(x, from, &e, b))
		return;
	if (e.n_tag == 0 && e.type == ETHER_IPV6 && nd_input(x, from, &e, b))
		return;
	batch_forward(x, from, &e.dst, b);
}

static const char *
port_name(const struct hub *h, uint32_t num)
{
	const struct port *p = port_at(h, num);

	return p != NULL ? p->conf.name : "a port now gone";
}

static void
tell_notes(struct hub *h)
{
	for (unsigned i = 0; i < HUB_NOTE_MAX; i++) {
		uint64_t what = atomic_exchange(&h->note[i].what, 0);
		char text[MAC_TEXT_MAX];
		struct bus_rec r;
		struct mac m;

		if (what == 0)
			continue;
		for (int k = 0; k < 6; k++)
			m.b[k] = (uint8_t)(what >> (56 - 8 * k));
		bus_rec_init(&r, h->note[i].is_clash ? BUS_EV_HUB_MAC_CLASH :
		    BUS_EV_HUB_MAC_MOVED);
		bus_set_str(&r, BUS_F_REALM, h->conf.name);
		bus_set_str(&r, BUS_F_MAC, mac_text(&m, text));
		bus_set_str(&r, BUS_F_PORT, port_name(h, what & 0xffff));
		bus_set_str(&r, BUS_F_OLD_PORT, port_name(h, h->note[i].old));
		bus_publish(h->conf.bus, &r);
	}
	atomic_store_explicit(&h->n_note, 0, memory_order_relaxed);
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
	bus_set_str(&r, BUS_F_PORT, port_name(h, h->refused_port));
	bus_set_u64(&r, BUS_F_N_DROP, n);
	bus_set_u64(&r, BUS_F_LIMIT, mactab_count(h->macs) >= HUB_MAC_MAX ?
	    HUB_MAC_MAX : HUB_PORT_MAC_MAX);
	bus_publish(h->conf.bus, &r);
}

static uint32_t
age(const struct hub *h, uint32_t seen_s)
{
	uint32_t now_s = atomic_load_explicit(&h->now_s, memory_order_relaxed);

	return now_s > seen_s ? now_s - seen_s : 0;
}

void
hub_destroy(struct hub *h)
{
	while (h->dead != NULL) {
		struct port *p = h->dead;

		h->dead = p->next_dead;
		port_free(p);
	}
	own_free(atomic_load(&h->own));
	wait_free(h->waits);
	neigh_free(h->neighs);
	mactab_free(h->macs);
	free(h);
}

int
hub_new(struct hub **out, const struct hub_conf *conf)
{
	struct hub *h;
	struct own_tab *own = NULL;
	int err;

	if (conf->n_worker == 0 || conf->n_worker > HUB_WORKER_MAX ||
	    conf->buf_new == NULL)
		return ERR_RANGE;
	if ((h = calloc(1, sizeof(*h))) == NULL)
		return ERR_NOMEM;
	h->conf = *conf;
	h->conf.name[HUB_NAME_MAX - 1] = '\0';
	atomic_init(&h->now_s, (uint32_t)(clk_ms() / 1000));
	h->swept_s = h->now_s;
	if ((err = mactab_new(&h->macs)) != 0 ||
	    (err = neigh_new(&h->neighs)) != 0 ||
	    (err = wait_new(&h->waits)) != 0 ||
	    (err = own_new(&own, NULL, 0)) != 0) {
		hub_destroy(h);
		return err;
	}
	atomic_store(&h->own, own);
	*out = h;
	return 0;
}

void
hub_free(struct hub *h)
{
	if (h == NULL)
		return;
	for (uint32_t i = 0; i < HUB_PORT_MAX; i++) {
		struct port *p = port_at(h, i);

		if (p == NULL)
			continue;
		atomic_store(&h->slot[i], NULL);
		p->is_last = true;
		port_free(p);
	}
	h->is_freed = true;
	if (h->n_later == 0)
		hub_destroy(h);
}

void
hub_input(struct hub *h, unsigned worker, uint32_t port, struct buf **frames,
	  unsigned n)
{
	struct port *from = port_at(h, port);
	uint64_t bytes = 0;
	struct batch x;

	assert(worker < h->conf.n_worker && n <= HUB_BATCH_MAX);
	if (from == NULL) {
		drop_count(DROP_HUB_NOPORT, n);
		for (unsigned i = 0; i < n; i++)
			buf_put(frames[i]);
		return;
	}
	batch_init(&x, h, worker);
	for (unsigned i = 0; i < n; i++) {
		bytes += frames[i]->len;
		if (from->conf.kind == HUB_PORT_IP)
			inside_input(&x, from, frames[i]);
		else
			ether_input(&x, from, frames[i]);
	}
	port_rx(from, worker, n, bytes);
	batch_send(&x);
}

void
hub_tick(struct hub *h, uint64_t now_ms)
{
	uint32_t now_s = (uint32_t)(now_ms / 1000);

	atomic_store_explicit(&h->now_s, now_s, memory_order_relaxed);
	drop_count(DROP_HUB_NONEIGH, wait_expire(h->waits, now_s));
	if (now_s - h->swept_s >= SWEEP_S) {
		h->swept_s = now_s;
		mactab_age(h->macs, now_s, HUB_MAC_AGE_S);
		neigh_age(h->neighs, now_s, HUB_MAC_AGE_S);
	}
	tell_notes(h);
	tell_full(h, now_s);
}

bool
hub_mac_next(const struct hub *h, uint32_t *it, struct hub_mac_info *out)
{
	if (!mactab_next(h->macs, it, out))
		return false;
	out->age_s = out->is_static ? 0 : age(h, out->age_s);
	return true;
}

bool
hub_neigh_next(const struct hub *h, uint32_t *it, struct hub_neigh_info *out)
{
	if (!neigh_next(h->neighs, it, out))
		return false;
	out->age_s = age(h, out->age_s);
	return true;
}
