/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/port.c - ports: add, replace, remove.
 *
 * A port is a slot with a pointer to its current, immutable version.  A removed
 * number becomes free only after every worker was quiet, when what a late
 * worker still learned for it is forgotten once more.
 *
 * Thread: the loop changes; workers look up.
 */
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/thr.h"
#include "vhub/priv.h"

#define MAC_TRIES 16 /* random addresses before giving up: 2^-46 each */

static void
add(_Atomic uint64_t *n, uint64_t by)
{
	/* One writer: no locked instruction. */
	atomic_store_explicit(n,
	    atomic_load_explicit(n, memory_order_relaxed) + by,
	    memory_order_relaxed);
}

static void
own_release(void *own)
{
	own_free(own);
}

/* Who owns what, over all ports but `without`, and with `extra`. */
static int
own_build(const struct hub *h, uint32_t without, const struct port *extra,
	  struct own_tab **out)
{
	struct own_src *src = calloc(HUB_PORT_MAX + 1, sizeof(*src));
	unsigned n = 0;
	int err;

	if (src == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < HUB_PORT_MAX; i++) {
		const struct port *p = port_at(h, i);

		if (p == NULL || i == without || p->conf.kind != HUB_PORT_IP)
			continue;
		src[n++] = (struct own_src){ i, p->conf.n_ts, p->conf.ts };
	}
	if (extra != NULL && extra->conf.kind == HUB_PORT_IP)
		src[n++] = (struct own_src){ extra->num, extra->conf.n_ts,
		    extra->conf.ts };
	err = own_new(out, src, n);
	free(src);
	return err;
}

static void
own_publish(struct hub *h, struct own_tab *own)
{
	struct own_tab *old = atomic_exchange(&h->own, own);

	/* Out of memory right now: a leak is better than a dangling table. */
	if (thr_defer(own_release, old) != 0)
		return;
}

/* Every reader of this version is gone. */
static void
release(void *ctx)
{
	struct port *p = ctx;
	struct hub *h = p->hub;
	struct port *now = port_at(h, p->num);

	if (p->is_last || (now != NULL && now->conf.kind == HUB_PORT_IP)) {
		mactab_forget(h->macs, p->num, p->is_last);
		neigh_forget(h->neighs, p->num);
		snoop_forget(h->snoop, p->num);
	}
	if (p->is_last) {
		drop_count(DROP_HUB_NOPORT, wait_forget(h->waits, p->num));
		h->is_leaving[p->num] = false;
	}
	port_free(p);
	h->n_later--;
	if (h->is_freed && h->n_later == 0)
		hub_destroy(h);
}

static void
retire(struct hub *h, struct port *p, bool is_last)
{
	p->is_last = is_last;
	if (thr_defer(release, p) == 0) {
		h->n_later++;
		return;
	}
	p->next_dead = h->dead;
	h->dead = p;
}

static int
free_number(const struct hub *h, uint32_t *num)
{
	for (uint32_t i = 0; i < HUB_PORT_MAX; i++)
		if (port_at(h, i) == NULL && !h->is_leaving[i]) {
			*num = i;
			return 0;
		}
	return ERR_FULL;
}

/* Fix the port's address; IP ports without one get a random one that nobody
 * here is known to have (requirement V6). */
static int
mac_claim(struct hub *h, struct port *p)
{
	struct mac *m = &p->conf.mac;
	int err;

	if (p->conf.kind == HUB_PORT_ETHER) {
		memset(m, 0, sizeof(*m));
		return 0;
	}
	if (!mac_is_null(m))
		return mac_is_group(m) ? ERR_ADDR :
		    mactab_fix(h->macs, m, p->num);
	if (p->conf.kind == HUB_PORT_TAP)
		return 0;
	for (int i = 0; i < MAC_TRIES; i++) {
		if ((err = mac_random(m)) != 0)
			return err;
		if (mactab_find(h->macs, 0, m) < 0)
			return mactab_fix(h->macs, m, p->num);
	}
	return ERR_EXISTS;
}

static struct port *
port_make(struct hub *h, const struct hub_port_conf *conf, uint32_t num)
{
	struct port *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->hub = h;
	p->num = num;
	p->conf = *conf;
	p->conf.name[HUB_NAME_MAX - 1] = '\0';
	return p;
}

static int
count_make(struct port *p, unsigned n_worker)
{
	size_t n = n_worker * sizeof(*p->count);

	p->count = aligned_alloc(64, n);
	if (p->count == NULL)
		return ERR_NOMEM;
	memset(p->count, 0, n);
	p->live = calloc(1, sizeof(*p->live));
	return p->live != NULL ? 0 : ERR_NOMEM;
}

/* Configured addresses of this port become, or cease to be, its own. */
static void
fixed_claim(struct hub *h, const struct port *p, bool is_here)
{
	for (unsigned i = 0; i < h->n_fixed; i++) {
		const struct hub_fixed *f = &h->fixed[i];
		bool is_its = f->port[0] == '\0' ?
		    p->conf.kind == HUB_PORT_TAP :
		    p->conf.kind == HUB_PORT_ETHER &&
		    strcmp(f->port, p->conf.name) == 0;

		if (!is_here)
			mactab_vacate(h->macs, &f->mac, p->num);
		else if (is_its && mactab_fix(h->macs, &f->mac, p->num) != 0)
			note_full(h, p->num);
	}
}

static int
conf_check(const struct hub *h, const struct hub_port_conf *conf,
	   const struct port *self)
{
	struct port *tap = atomic_load(&h->tap);

	if (conf->n_ts > VPN_TS_MAX || conf->ops.out == NULL ||
	    conf->policy.mac_max > HUB_PORT_MAC_MAX)
		return ERR_RANGE;
	if (conf->kind == HUB_PORT_TAP && tap != NULL && tap != self)
		return ERR_EXISTS;
	return 0;
}

static void
named_set(struct hub *h, uint32_t num, bool is_named)
{
	uint64_t bit = UINT64_C(1) << num % 64;

	if (is_named)
		atomic_fetch_or(&h->named[num / 64], bit);
	else
		atomic_fetch_and(&h->named[num / 64], ~bit);
}

/* Make p the current version of its slot, with the table that knows it. */
static void
publish(struct hub *h, struct port *p, struct own_tab *own)
{
	atomic_store_explicit(&h->slot[p->num], p, memory_order_release);
	if (p->conf.kind == HUB_PORT_TAP)
		atomic_store_explicit(&h->tap, p, memory_order_release);
	if (h->n_slot <= p->num)
		h->n_slot = p->num + 1;
	named_set(h, p->num, p->conf.kind == HUB_PORT_IP &&
		  p->conf.mcast == HUB_MCAST_NAMED);
	own_publish(h, own);
	fixed_claim(h, p, true);
	news_add(h, p);
}

struct port *
port_at(const struct hub *h, uint32_t num)
{
	if (num >= HUB_PORT_MAX)
		return NULL;
	return atomic_load_explicit(&h->slot[num], memory_order_acquire);
}

void
port_free(struct port *p)
{
	if (p->is_last) {
		free(p->count);
		free(p->live);
	}
	free(p);
}

uint32_t
port_mac_max(const struct port *p)
{
	return p != NULL && p->conf.policy.mac_max != 0 ?
	    p->conf.policy.mac_max : HUB_PORT_MAC_MAX;
}

void
port_drop(struct batch *x, struct port *from, struct buf *b, enum drop why)
{
	drop_count(why, 1);
	drop_see(why, from->conf.kind == HUB_PORT_IP ? DROP_PACKET : DROP_FRAME,
		 b);
	add(&from->count[x->worker].n_drop, 1);
	buf_put(b);
}

void
port_rx(struct port *p, unsigned worker, uint64_t frames, uint64_t bytes)
{
	add(&p->count[worker].rx_frames, frames);
	add(&p->count[worker].rx_bytes, bytes);
}

void
port_tx(struct port *p, unsigned worker, uint64_t frames, uint64_t bytes)
{
	add(&p->count[worker].tx_frames, frames);
	add(&p->count[worker].tx_bytes, bytes);
}

void
port_flooded(struct port *p, unsigned worker)
{
	add(&p->count[worker].n_flood, 1);
}

void
port_arp(struct port *p, unsigned worker, bool is_reply)
{
	struct port_count *c = &p->count[worker];

	add(is_reply ? &c->n_arp_reply : &c->n_arp_ask, 1);
}

int
hub_port_add(struct hub *h, const struct hub_port_conf *conf, uint32_t *port)
{
	struct own_tab *own = NULL;
	struct port *p = NULL;
	uint32_t num = 0;
	int err;

	if ((err = conf_check(h, conf, NULL)) != 0 ||
	    (err = free_number(h, &num)) != 0)
		return err;
	if ((p = port_make(h, conf, num)) == NULL)
		return ERR_NOMEM;
	p->is_last = true; /* as long as it is not published */
	if ((err = count_make(p, h->conf.n_worker)) != 0 ||
	    (err = own_build(h, OWN_NONE, p, &own)) != 0 ||
	    (err = mac_claim(h, p)) != 0)
		goto out;
	p->is_last = false;
	publish(h, p, own);
	*port = num;
	return 0;
out:
	own_free(own);
	port_free(p);
	return err;
}

int
hub_port_set(struct hub *h, uint32_t port, const struct hub_port_conf *conf)
{
	struct port *old = port_at(h, port), *p;
	struct own_tab *own = NULL;
	int err;

	if (old == NULL)
		return ERR_NOTFOUND;
	if ((err = conf_check(h, conf, old)) != 0)
		return err;
	if ((p = port_make(h, conf, port)) == NULL)
		return ERR_NOMEM;
	p->count = old->count;
	p->live = old->live;
	if (p->conf.kind == HUB_PORT_IP && old->conf.kind == HUB_PORT_IP &&
	    mac_is_null(&p->conf.mac))
		p->conf.mac = old->conf.mac;
	if ((err = own_build(h, port, p, &own)) != 0 ||
	    (err = mac_claim(h, p)) != 0) {
		own_free(own);
		port_free(p);
		return err;
	}
	if (old->conf.kind == HUB_PORT_TAP && conf->kind != HUB_PORT_TAP)
		atomic_store(&h->tap, NULL);
	fixed_claim(h, old, false);
	publish(h, p, own);
	if (!mac_is_null(&old->conf.mac) &&
	    !mac_equal(&old->conf.mac, &p->conf.mac))
		mactab_unfix(h->macs, &old->conf.mac);
	if (old->conf.kind != p->conf.kind) {
		hub_port_flush(h, port);
	}
	retire(h, old, false);
	return 0;
}

void
hub_port_del(struct hub *h, uint32_t port)
{
	struct port *p = port_at(h, port);
	struct own_tab *own = NULL;

	if (p == NULL)
		return;
	h->is_leaving[port] = true;
	atomic_store_explicit(&h->slot[port], NULL, memory_order_release);
	if (atomic_load(&h->tap) == p)
		atomic_store(&h->tap, NULL);
	while (h->n_slot > 0 && port_at(h, h->n_slot - 1) == NULL)
		h->n_slot--;
	named_set(h, port, false);
	fixed_claim(h, p, false);
	own_drop(atomic_load(&h->own), port);
	if (p->conf.kind == HUB_PORT_IP && p->conf.n_ts > 0 &&
	    own_build(h, port, NULL, &own) == 0)
		own_publish(h, own);
	mactab_forget(h->macs, port, true);
	neigh_forget(h->neighs, port);
	snoop_forget(h->snoop, port);
	drop_count(DROP_HUB_NOPORT, wait_forget(h->waits, port));
	retire(h, p, true);
}

void
hub_port_flush(struct hub *h, uint32_t port)
{
	mactab_forget(h->macs, port, false);
	neigh_forget(h->neighs, port);
	snoop_forget(h->snoop, port);
}

static void
sum_counts(const struct port *p, unsigned n_worker, struct hub_port_info *out)
{
	for (unsigned i = 0; i < n_worker; i++) {
		const struct port_count *c = &p->count[i];

		out->rx_frames += c->rx_frames;
		out->rx_bytes += c->rx_bytes;
		out->tx_frames += c->tx_frames;
		out->tx_bytes += c->tx_bytes;
		out->n_flood += c->n_flood;
		out->n_drop += c->n_drop;
		out->n_arp_ask += c->n_arp_ask;
		out->n_arp_reply += c->n_arp_reply;
	}
}

bool
hub_port_next(const struct hub *h, uint32_t *it, struct hub_port_info *out)
{
	while (*it < HUB_PORT_MAX) {
		const struct port *p = port_at(h, (*it)++);

		if (p == NULL)
			continue;
		memset(out, 0, sizeof(*out));
		out->port = p->num;
		out->kind = p->conf.kind;
		memcpy(out->name, p->conf.name, sizeof(out->name));
		out->link = p->conf.link;
		out->mac = p->conf.mac;
		out->n_mac = mactab_count_port(h->macs, p->num);
		out->is_isolated = p->conf.policy.is_isolated;
		out->is_blocked = atomic_load(&p->live->is_blocked);
		if (out->is_blocked && p->live->until_s > h->now_s)
			out->blocked_s = p->live->until_s - h->now_s;
		sum_counts(p, h->conf.n_worker, out);
		return true;
	}
	return false;
}

bool
hub_behind_next(const struct hub *h, uint32_t *it, struct hub_behind_info *out)
{
	while (*it < HUB_PORT_MAX * VPN_TS_MAX) {
		uint32_t num = *it / VPN_TS_MAX, i = *it % VPN_TS_MAX;
		const struct port *p = port_at(h, num);

		if (p == NULL || p->conf.kind != HUB_PORT_IP ||
		    i >= p->conf.n_ts) {
			*it = (num + 1) * VPN_TS_MAX;
			continue;
		}
		++*it;
		*out = (struct hub_behind_info){ p->conf.ts[i], p->conf.mac,
			num };
		return true;
	}
	return false;
}
