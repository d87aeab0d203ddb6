/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/loop.c - loops: found by a probe that comes back, cut by blocking a port.
 *
 *   03:74:61:70:69:72 | ours | [tag] | 88b5 | "TAPR" | 1 | is_new | port (2) | seq (4) |
 *   token (16) | 0...
 *
 * The ethertype is one of IEEE 802 for experiments.  The destination is a group
 * address nobody listens to, and the source one that nobody sends to, so that a
 * probe moves no address of anybody in any switch.  The token is new and random
 * for each port and probe and is known to nobody but who sees what leaves by that
 * port: a stranger cannot make up a probe of another port.  The last two probes
 * of a port count.
 *
 * A probe that comes back by its own port is told, no more: the hub sends nothing
 * back where it came from, so it is no part of that loop, and anybody behind the
 * port could send the probe back.  Strict mode blocks the port all the same.
 *
 * Of two ports in a loop the tunnel is blocked, of two tunnels the one with the
 * higher number, whichever way round the probe went.  A blocked port sends and
 * takes nothing but probes, until none came back for a while: 10 s, twice that
 * at each relapse, at most 10 min, and at first more at random, so that two
 * hubs do not try at once.
 *
 * Probes are sent each 5 s, if there was flooding at all: without it a loop does
 * no harm; each second where something looks like a loop.  One goes untagged, and
 * one in each VLAN that was flooded, of which a round takes 16: a trunk may be a
 * ring in one VLAN only.  The whole port is blocked then.
 *
 * When a port was blocked or forwards again hosts are elsewhere: the next probes say
 * so (is_new), and other hubs forget what they learned, as for a change of spanning
 * tree (stp.c), with the same bound.
 *
 * Thread: loop_input() and loop_probe() any worker; loop_tick() the loop.
 */
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "daemon/bus/bus.h"
#include "vhub/priv.h"

#define PROBE_MAGIC	0x54415052u	/* "TAPR" */
#define PROBE_VERSION	1
#define PROBE_FRAME	60		/* the least of an Ethernet frame */
#define PROBE_S		5		/* between two; ours */
#define PROBE_VLANS	16		/* in a round; ours */
#define BLOCK_S		10		/* at first: ten probes lost in a row; ours */
#define BLOCK_MAX_S	600		/* ours */
#define CLEAR_S		10		/* probed each second after a block; ours */
#define TELL_S		60		/* what goes on is told once a minute */

static const struct mac probe_dst = {
	{ 0x03, 0x74, 0x61, 0x70, 0x69, 0x72 }
};

struct probe {
	uint8_t is_new;
	uint16_t port;
	uint32_t seq;
	uint64_t token[2];
};

/* 0, ERR_SHORT, or ERR_UNSUP: none that we know. */
static int
probe_dec(struct view v, struct probe *out)
{
	struct cur c;
	uint32_t magic = 0;
	uint8_t version = 0;
	int err;

	cur_init(&c, v.p, v.len);
	if ((err = cur_u32(&c, &magic)) != 0 ||
	    (err = cur_u8(&c, &version)) != 0 ||
	    (err = cur_u8(&c, &out->is_new)) != 0 ||
	    (err = cur_u16(&c, &out->port)) != 0 ||
	    (err = cur_u32(&c, &out->seq)) != 0 ||
	    (err = cur_u64(&c, &out->token[0])) != 0 ||
	    (err = cur_u64(&c, &out->token[1])) != 0)
		return err;
	return magic == PROBE_MAGIC && version == PROBE_VERSION ? 0 : ERR_UNSUP;
}

static void
probe_enc(struct wcur *w, uint16_t vlan, const struct mac *src,
	  const struct probe *p)
{
	struct eth_to to = { probe_dst, vlan == 0 ? 0 :
	    (uint32_t)ETHER_VLAN << 16 | vlan };
	size_t least = PROBE_FRAME + (vlan != 0 ? ETH_TAG : 0);

	eth_enc_tag(w, &to, src, ETHER_PROBE);
	wcur_u32(w, PROBE_MAGIC);
	wcur_u8(w, PROBE_VERSION);
	wcur_u8(w, p->is_new);
	wcur_u16(w, p->port);
	wcur_u32(w, p->seq);
	wcur_u64(w, p->token[0]);
	wcur_u64(w, p->token[1]);
	wcur_zero(w, least - w->len);
}

/* The port a probe is of, if it is one of our last two. */
static struct port *
sender_of(const struct hub *h, const struct probe *p)
{
	struct port *port = port_at(h, p->port);

	for (int i = 0; port != NULL && i < 2; i++) {
		uint64_t hi = atomic_load_explicit(&port->live->token[i][0],
		    memory_order_relaxed);
		uint64_t lo = atomic_load_explicit(&port->live->token[i][1],
		    memory_order_relaxed);

		if ((hi | lo) != 0 && hi == p->token[0] && lo == p->token[1])
			return port;
	}
	return NULL;
}

struct port *
loop_choose(enum hub_loop mode, struct port *a, struct port *b)
{
	if (a == b)
		return mode == HUB_LOOP_STRICT ? a : NULL;
	/* These two exchange nothing: what went round did not pass the hub. */
	if (a->conf.policy.is_isolated && b->conf.policy.is_isolated)
		return NULL;
	if (a->conf.kind == HUB_PORT_TAP)
		return b;
	if (b->conf.kind == HUB_PORT_TAP)
		return a;
	return a->num > b->num ? a : b;
}

/* From now on, on every worker. */
static void
block(struct port *p, uint32_t a, uint32_t b, uint16_t vlan)
{
	atomic_store_explicit(&p->live->loop_vlan, vlan, memory_order_relaxed);
	atomic_store_explicit(&p->live->loop_a, a, memory_order_relaxed);
	atomic_store_explicit(&p->live->loop_b, b, memory_order_relaxed);
	atomic_fetch_add_explicit(&p->live->n_loop, 1, memory_order_relaxed);
	atomic_store_explicit(&p->live->is_blocked, true, memory_order_relaxed);
}

bool
loop_input(struct batch *x, struct port *from, const struct eth *e,
	   struct buf *b)
{
	bool is_blocked = atomic_load_explicit(&from->live->is_blocked,
	    memory_order_relaxed);
	struct port *sender, *p;
	struct probe got;

	if (e->type != ETHER_PROBE || e->n_tag > 1 ||
	    !mac_equal(&e->dst, &probe_dst) || probe_dec(e->data, &got) != 0)
		return false;
	if (e->vlan != 0 && !fwd_has_vlan(from, e->vlan)) {
		port_drop(x, from, b, DROP_HUB_VLAN); /* no ring of ours */
		return true;
	}
	if ((sender = sender_of(x->h, &got)) != NULL) {
		if ((p = loop_choose(x->h->conf.loop, sender, from)) != NULL)
			block(p, sender->num, from->num, e->vlan);
		else if (sender == from)
			atomic_fetch_add_explicit(&from->live->n_reflect, 1,
			    memory_order_relaxed);
		port_drop(x, from, b, DROP_HUB_PROBE);
	} else if (is_blocked) {
		port_drop(x, from, b, DROP_HUB_BLOCKED);
	} else if (!storm_pass_probe(x, from)) {
		port_drop(x, from, b, DROP_HUB_STORM);
	} else {
		if (got.is_new != 0)
			atomic_store_explicit(&x->h->has_change, true,
			    memory_order_relaxed);
		batch_flood(x, from, e->vlan, b); /* another hub looks for its loop */
	}
	return true;
}

/* New numbers for a probe by p, unless there are none. */
static int
new_token(struct port *p, uint64_t *token)
{
	int err = rng_bytes(token, 2 * sizeof(*token));

	if (err != 0)
		return err;
	for (int k = 0; k < 2; k++) {
		atomic_store_explicit(&p->live->token[1][k],
		    atomic_load_explicit(&p->live->token[0][k],
		    memory_order_relaxed), memory_order_relaxed);
		atomic_store_explicit(&p->live->token[0][k], token[k],
		    memory_order_relaxed);
	}
	return 0;
}

void
loop_flooded(struct hub *h, uint16_t vlan)
{
	_Atomic uint64_t *word = &h->flooded[vlan / 64];
	uint64_t bit = UINT64_C(1) << vlan % 64;

	if ((atomic_load_explicit(word, memory_order_relaxed) & bit) == 0)
		atomic_fetch_or_explicit(word, bit, memory_order_relaxed);
	if (!atomic_load_explicit(&h->has_flooded, memory_order_relaxed))
		atomic_store_explicit(&h->has_flooded, true,
		    memory_order_relaxed);
}

static void
vlan_add(uint16_t *vlan, unsigned *n, uint32_t v)
{
	for (unsigned i = 0; i < *n; i++)
		if (vlan[i] == v)
			return;
	if (*n < PROBE_VLANS)
		vlan[(*n)++] = (uint16_t)v;
}

/* Once all that were flooded have had their turn: those of meanwhile. */
static void
unprobed_fill(struct hub *h)
{
	for (unsigned k = 0; k < N_OF(h->unprobed); k++)
		if (h->unprobed[k] != 0)
			return;
	for (unsigned k = 0; k < N_OF(h->unprobed); k++)
		h->unprobed[k] = atomic_exchange(&h->flooded[k], 0);
}

/* In which VLANs to probe this time: untagged, where a port is blocked, and what
 * was flooded since the last time.  What finds no room waits for the next. */
static unsigned
vlans_take(struct hub *h, uint16_t vlan[PROBE_VLANS])
{
	uint32_t n_slot = atomic_load(&h->n_slot);
	unsigned n = 0;

	vlan[n++] = 0;
	for (uint32_t i = 0; i < n_slot; i++) {
		const struct port *p = port_at(h, i);

		if (p != NULL && atomic_load(&p->live->is_blocked))
			vlan_add(vlan, &n, p->live->loop_vlan);
	}
	unprobed_fill(h);
	for (unsigned k = 0; k < N_OF(h->unprobed); k++) {
		uint64_t w = h->unprobed[k];

		for (; w != 0 && n < PROBE_VLANS; w &= w - 1)
			vlan_add(vlan, &n, k * 64 +
			    (uint32_t)__builtin_ctzll(w));
		h->unprobed[k] = w;
	}
	return n;
}

/* False: there is no memory. */
static bool
probe_port(struct batch *x, struct port *p, bool is_new, const uint16_t *vlan,
	   unsigned n)
{
	struct probe probe = { .is_new = is_new, .port = (uint16_t)p->num,
		.seq = x->h->probe_seq };

	if (new_token(p, probe.token) != 0)
		return false;
	for (unsigned i = 0; i < n; i++) {
		struct wcur w;
		struct buf *b;

		if (vlan[i] != 0 && !fwd_has_vlan(p, vlan[i]))
			continue;
		b = answer_buf(x, PROBE_FRAME + (vlan[i] != 0 ? ETH_TAG : 0),
		    &w);
		if (b == NULL)
			return false;
		probe_enc(&w, vlan[i], &x->h->probe_mac, &probe);
		batch_add(x, p, p, b);
	}
	return true;
}

void
loop_probe(struct batch *x)
{
	uint32_t n_slot = atomic_load(&x->h->n_slot);
	uint16_t vlan[PROBE_VLANS];
	unsigned n = vlans_take(x->h, vlan);
	bool is_new = atomic_exchange(&x->h->is_new, false);

	for (uint32_t i = 0; i < n_slot; i++) {
		struct port *p = port_at(x->h, i);

		if (p != NULL && p->conf.kind != HUB_PORT_IP &&
		    !probe_port(x, p, is_new, vlan, n))
			return;
	}
}

/* ---- on the loop --------------------------------------------------------------- */

static void
tell(struct hub *h, const struct port *p, enum bus_row event)
{
	struct bus_rec r;

	bus_rec_init(&r, event);
	bus_set_str(&r, BUS_F_REALM, h->conf.name);
	bus_set_str(&r, BUS_F_PORT, p->conf.name);
	if (event == BUS_EV_HUB_LOOP) {
		bus_set_str(&r, BUS_F_OLD_PORT, note_port(h, p->live->loop_a));
		bus_set_str(&r, BUS_F_NAME, note_port(h, p->live->loop_b));
		bus_set_u64(&r, BUS_F_RETRY_S, p->live->wait_s);
	}
	note_tell(h, &r);
}

/* Up to twice as long, so that hubs that cut the same ring all at once do not try
 * again all at once: the first finds it cut, and the others stay as they are. */
static uint32_t
jitter(uint32_t wait_s)
{
	uint8_t r = 0;

	if (rng_bytes(&r, 1) != 0)
		return wait_s;
	return wait_s + wait_s * r / 256;
}

static void
begin(struct hub *h, struct port *p, uint32_t now_s)
{
	struct port_live *l = p->live;
	bool is_relapse = l->wait_s != 0 && now_s - l->clear_s < 2 * l->wait_s;

	l->wait_s = is_relapse ? MIN(2 * l->wait_s, BLOCK_MAX_S) : BLOCK_S;
	l->until_s = now_s + jitter(l->wait_s);
	l->is_told = true;
	/* What was learned on it came the wrong way round. */
	hub_port_flush(h, p->num);
	atomic_store(&h->is_new, true);
	tell(h, p, BUS_EV_HUB_LOOP);
}

static void
end(struct hub *h, struct port *p, uint32_t now_s)
{
	p->live->is_told = false;
	p->live->clear_s = now_s;
	/* While it was cut here, hosts were reached the other way round. */
	hub_port_flush(h, p->live->loop_a);
	hub_port_flush(h, p->live->loop_b);
	atomic_store(&h->is_new, true);
	atomic_store(&p->live->is_blocked, false);
	tell(h, p, BUS_EV_HUB_LOOP_OVER);
}

static void
tell_reflect(struct hub *h, struct port *p, uint32_t now_s)
{
	struct port_live *l = p->live;

	if (l->n_reflect == 0 || (l->reflect_told_s != 0 &&
	    now_s - l->reflect_told_s < TELL_S))
		return;
	atomic_store(&l->n_reflect, 0);
	l->reflect_told_s = now_s;
	tell(h, p, BUS_EV_HUB_REFLECT);
}

/* True while the port is blocked, and when it forwards again: another hub may have
 * cut the same ring, and be trying just then as well. */
static bool
port_tick(struct hub *h, struct port *p, uint32_t now_s)
{
	struct port_live *l = p->live;
	uint32_t n = atomic_exchange(&l->n_loop, 0);

	tell_reflect(h, p, now_s);
	if (!atomic_load(&l->is_blocked))
		return l->clear_s != 0 && now_s - l->clear_s < CLEAR_S;
	if (!l->is_told)
		begin(h, p, now_s);
	else if (n > 0)
		l->until_s = MAX(l->until_s, now_s + l->wait_s);
	else if (now_s >= l->until_s)
		end(h, p, now_s);
	return true;
}

bool
loop_tick(struct hub *h, uint32_t now_s, bool has_flap, uint32_t a, uint32_t b)
{
	struct port *pa = port_at(h, a), *pb = port_at(h, b), *p;
	bool is_soon = has_flap;

	if (h->conf.loop == HUB_LOOP_OFF)
		return false;
	if (has_flap && h->conf.loop == HUB_LOOP_STRICT && pa != NULL &&
	    pb != NULL && (p = loop_choose(HUB_LOOP_STRICT, pa, pb)) != NULL)
		block(p, a, b, 0);
	for (uint32_t i = 0; i < h->n_slot; i++) {
		if ((p = port_at(h, i)) == NULL)
			continue;
		is_soon |= port_tick(h, p, now_s);
		for (int c = 0; c < HUB_CAST_END; c++)
			is_soon |= p->live->n_storm[c] != 0;
	}
	if (!is_soon && (!atomic_load(&h->has_flooded) ||
	    now_s - h->probed_s < PROBE_S))
		return false;
	h->probed_s = now_s;
	h->probe_seq++;
	atomic_store(&h->has_flooded, false);
	return true;
}
