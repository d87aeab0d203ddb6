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
#include "vhub/priv.h"

#define SWEEP_S	5	/* seconds between two ageing sweeps; ours */

/* False: the frame must not pass. */
static bool
learn(struct hub *h, const struct port *from, const struct eth *e,
      enum drop *why)
{
	struct mac_seen by = { from->num, port_mac_max(from),
	    atomic_load_explicit(&h->now_s, memory_order_relaxed) };
	uint32_t old = 0;
	enum mac_learn got = mactab_learn(h->macs, e->vlan, &e->src, &by, &old);

	switch (got) {
	case MAC_KNOWN:
	case MAC_NEW:
		return true;
	case MAC_MOVED:
		note_move(h, &e->src, from->num, old, false);
		return true;
	case MAC_CLASH:
		note_move(h, &e->src, from->num, old, true);
		*why = DROP_HUB_SRC;
		return false;
	case MAC_TABLE_FULL:
	case MAC_PORT_FULL:
		note_full(h, from->num);
		*why = got == MAC_TABLE_FULL ? DROP_HUB_TABLE : DROP_HUB_LIMIT;
		if (from->conf.policy.is_strict)
			return false;
		/* Counted, but the frame passes: only the address is not
		 * learned. */
		drop_count(*why, 1);
		return true;
	}
	return true;
}

/* A guarded port: are IP packets from addresses of its own?  Not into what is
 * tagged twice: another's network. */
static bool
may_send(struct batch *x, const struct port *from, const struct eth *e,
	 enum drop *why)
{
	struct ip_head ip;

	if (e->n_tag > 1 || (e->type != ETHER_IPV4 && e->type != ETHER_IPV6))
		return true;
	*why = DROP_HUB_RUNT;
	if (ip_dec(e->data, &ip) != 0)
		return false;
	*why = DROP_HUB_SPOOF;
	return answer_may_speak(x, from, &ip.src);
}

static void
ether_input(struct batch *x, struct port *from, struct buf *b)
{
	enum drop why = DROP_HUB_RUNT;
	struct eth e;

	/* Frames come in runs; the first of one was learned and looked up. */
	if (!from->conf.policy.has_ip_guard && batch_run_next(x, b))
		return;
	x->run_to = NULL;
	if (eth_dec(buf_view(b), &e) == ERR_SHORT) {
		port_drop(x, from, b, why);
		return;
	}
	if (UNLIKELY(e.type == ETHER_PROBE) && loop_input(x, from, &e, b))
		return;
	if (atomic_load_explicit(&from->live->is_blocked,
	    memory_order_relaxed)) {
		port_drop(x, from, b, DROP_HUB_BLOCKED);
		return;
	}
	if (!fwd_may_enter(x->h, from, &e, &why) ||
	    (UNLIKELY(from->conf.policy.has_ip_guard) &&
	    !may_send(x, from, &e, &why))) {
		port_drop(x, from, b, why);
		return;
	}
	if (UNLIKELY(mac_is_group(&e.dst) && fwd_is_bpdu(&e))) {
		stp_input(x->h, &e);
	} else if (!fwd_is_linklocal(&e.dst) && !learn(x->h, from, &e, &why)) {
		port_drop(x, from, b, why);
		return;
	}
	if (UNLIKELY(from->conf.kind == HUB_PORT_TAP &&
	    atomic_load_explicit(&x->h->has_mute, memory_order_relaxed)))
		mute_heard(x->h, &e);
	/* Not into what is tagged twice: another's network. */
	if (e.n_tag <= 1 && e.type == ETHER_ARP && arp_input(x, from, &e, b))
		return;
	if (e.n_tag <= 1 && e.type == ETHER_IPV6 && nd_input(x, from, &e, b))
		return;
	if (mac_is_group(&e.dst) && group_input(x, from, &e, b))
		return;
	batch_forward(x, from, &e.dst, e.vlan, b);
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
	snoop_free(h->snoop);
	wait_free(h->waits);
	neigh_free(h->neighs);
	mactab_free(h->macs);
	free(h->fixed);
	free(h);
}

/* Until their ports come, configured addresses are nobody's. */
static int
fix_all(struct hub *h, const struct hub_conf *conf)
{
	int err;

	if ((h->fixed = calloc(conf->n_fixed + 1, sizeof(*h->fixed))) == NULL)
		return ERR_NOMEM;
	h->n_fixed = conf->n_fixed;
	for (unsigned i = 0; i < h->n_fixed; i++) {
		h->fixed[i] = conf->fixed[i];
		if (mac_is_group(&h->fixed[i].mac) ||
		    mac_is_null(&h->fixed[i].mac))
			return ERR_ADDR;
		err = mactab_fix(h->macs, &h->fixed[i].mac, MAC_NOBODY);
		if (err != 0)
			return err;
	}
	return 0;
}

int
hub_new(struct hub **out, const struct hub_conf *conf)
{
	struct hub *h;
	struct own_tab *own = NULL;
	int err;

	if (conf->n_worker == 0 || conf->n_worker > HUB_WORKER_MAX ||
	    conf->buf_new == NULL || conf->n_fixed > HUB_FIXED_MAX ||
	    conf->n_addr > HUB_ADDR_MAX)
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
	    (err = snoop_new(&h->snoop)) != 0 ||
	    (err = own_new(&own, NULL, 0)) != 0 ||
	    (err = mac_random(&h->probe_mac)) != 0 ||
	    (err = fix_all(h, conf)) != 0) {
		own_free(own);
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

bool
hub_tick(struct hub *h, uint64_t now_ms)
{
	uint32_t now_s = (uint32_t)(now_ms / 1000), a = 0, b = 0;
	uint32_t age_s = stp_tick(h, now_s);
	bool has_flap;

	atomic_store_explicit(&h->now_s, now_s, memory_order_relaxed);
	drop_count(DROP_HUB_NONEIGH, wait_expire(h->waits, now_s));
	if (now_s - h->swept_s >= SWEEP_S) {
		h->swept_s = now_s;
		mactab_age(h->macs, now_s, age_s);
		neigh_age(h->neighs, now_s, age_s);
	}
	if (h->conf.snoop != HUB_SNOOP_FLOOD)
		snoop_age(h->snoop, now_s);
	has_flap = note_tick(h, now_s, &a, &b);
	if (loop_tick(h, now_s, has_flap, a, b))
		atomic_store(&h->probe_due, true);
	storm_tick(h, now_s);
	mute_tick(h, now_s);
	return h->probe_due || h->news_due;
}

void
hub_work(struct hub *h, unsigned worker)
{
	struct batch x;

	if (!atomic_load_explicit(&h->probe_due, memory_order_relaxed) &&
	    !atomic_load_explicit(&h->news_due, memory_order_relaxed))
		return;
	batch_init(&x, h, worker);
	if (atomic_exchange(&h->probe_due, false))
		loop_probe(&x);
	if (atomic_exchange(&h->news_due, false))
		news_send(&x);
	batch_send(&x);
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

bool
hub_group_next(const struct hub *h, uint32_t *it, struct hub_group_info *out)
{
	uint32_t now_s = h->now_s;

	if (!snoop_next(h->snoop, it, out))
		return false;
	out->left_s = out->left_s > now_s ? out->left_s - now_s : 0;
	return true;
}

void
hub_counts_get(const struct hub *h, struct hub_counts *out)
{
	*out = (struct hub_counts){
		.n_mac = mactab_count(h->macs),
		.n_neigh = neigh_count(h->neighs),
		.n_member = snoop_count(h->snoop),
	};
}
