/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/flood.c - sending: replicate by reference, group by destination.
 *
 * A flooded frame is one buffer with a reference for each port.  What one
 * hub_input() call sends is collected and handed over port by port, in batches
 * of up to HUB_BATCH_MAX and in the order it came: also frames that are flooded to
 * hundreds, so that each peer gets them as one train.
 *
 * Thread: any worker; a batch lives on its stack.
 */
#include "vhub/priv.h"
#include <string.h>

#define RUN_MIN	 (ETH_HEAD + 20)	/* an IP header begins there */
#define PROTO_TCP 6
#define PROTO_UDP 17

static void
hand_over(struct batch *x, struct port *to, struct buf **b, unsigned n)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < n; i++)
		bytes += b[i]->len;
	port_tx(to, x->worker, n, bytes);
	to->conf.ops.out(to->conf.ops.ctx, x->worker, b, n);
}

/* Hand over all frames for the port of entry `first`. */
static void
send_port(struct batch *x, unsigned first)
{
	struct port *to = x->e[first].to;
	struct buf *out[HUB_BATCH_MAX];
	unsigned n = 0;

	for (unsigned i = first; i < x->n && n < HUB_BATCH_MAX; i++) {
		if (x->e[i].to != to)
			continue;
		out[n++] = x->e[i].b;
		x->e[i].to = NULL;
	}
	hand_over(x, to, out, n);
}

static bool
set_has(const struct port_set *s, uint32_t num)
{
	return (s->w[num / 64] >> num % 64 & 1) != 0;
}

/* The same for a port in whose number frames were flooded. */
static void
send_flooded(struct batch *x, uint32_t num, struct port *to)
{
	struct buf *out[HUB_BATCH_MAX];
	unsigned n = 0;

	for (unsigned i = 0; i < x->n; i++) {
		uint32_t many = x->e[i].many;

		if (many != 0 ? !set_has(&x->flood[many - 1], num) :
		    x->e[i].to != to)
			continue;
		if (n == HUB_BATCH_MAX) {
			hand_over(x, to, out, n);
			n = 0;
		}
		out[n++] = many != 0 ? buf_get(x->e[i].b) : x->e[i].b;
		x->e[i].to = NULL;
	}
	if (n > 0)
		hand_over(x, to, out, n);
}

/* Port by port over all; then our own references go. */
static void
send_all_flooded(struct batch *x)
{
	struct port_set any = { { 0 } };

	for (unsigned i = 0; i < x->n_flood; i++)
		for (unsigned k = 0; k < N_OF(any.w); k++)
			any.w[k] |= x->flood[i].w[k];
	for (unsigned k = 0; k < N_OF(any.w); k++)
		for (uint64_t w = any.w[k]; w != 0; w &= w - 1) {
			uint32_t num = k * 64 + (uint32_t)__builtin_ctzll(w);
			struct port *to = port_at(x->h, num);

			if (to != NULL) /* or it left just now */
				send_flooded(x, num, to);
		}
	for (unsigned i = 0; i < x->n; i++)
		if (x->e[i].many != 0)
			buf_put(x->e[i].b);
	x->n_flood = 0;
}

static void
put(struct batch *x, struct port *to, struct buf *b)
{
	if (x->n == HUB_OUT_MAX)
		batch_send(x);
	x->e[x->n].to = to;
	x->e[x->n].many = 0;
	x->e[x->n++].b = b;
}

/* To all Ethernet ports of the set; takes b. */
static void
put_many(struct batch *x, const struct port_set *set, struct buf *b)
{
	if (x->n == HUB_OUT_MAX || x->n_flood == N_OF(x->flood))
		batch_send(x);
	x->flood[x->n_flood++] = *set;
	x->e[x->n].to = NULL;
	x->e[x->n].many = x->n_flood;
	x->e[x->n++].b = b;
}

void
batch_init(struct batch *x, struct hub *h, unsigned worker)
{
	x->h = h;
	x->worker = worker;
	x->n = x->n_flood = 0;
	x->now_ns = 0;
	x->run_to = NULL;
}

void
batch_send(struct batch *x)
{
	if (x->n_flood > 0)
		send_all_flooded(x);
	for (unsigned i = 0; i < x->n; i++)
		if (x->e[i].to != NULL)
			send_port(x, i);
	x->n = 0;
}

void
batch_add(struct batch *x, struct port *from, struct port *to, struct buf *b)
{
	if (from != to && !fit_frame(x, from, to, b))
		return;
	if (to->conf.kind == HUB_PORT_IP &&
	    (b = inside_strip(x, from, b)) == NULL)
		return;
	put(x, to, b);
}

void
batch_add_packet(struct batch *x, struct port *to, struct buf *b)
{
	put(x, to, b);
}

/* Nothing the hub would look into: no ARP, no neighbour discovery, no SYN. */
static bool
is_plain(const struct buf *b)
{
	const uint8_t *f = b->data;
	uint16_t type = be16_get(f + 12);
	uint8_t proto = type == ETHER_IPV4 ? f[ETH_HEAD + 9] : f[ETH_HEAD + 6];

	return (type == ETHER_IPV4 || type == ETHER_IPV6) &&
	    (proto == PROTO_UDP || (proto == PROTO_TCP &&
	     !fit_is_syn(buf_view(b), ETH_HEAD)));
}

/* The largest frame that nobody needs to look at; 0 is any. */
static size_t
run_max(const struct port *to)
{
	uint32_t room = fit_room(to);

	return room == 0 ? SIZE_MAX : room + ETH_HEAD;
}

/* TCP super-frames are cut to fit. */
static bool
is_too_big(const struct batch *x, const struct buf *b)
{
	uint16_t type = be16_get(b->data + 12);

	return UNLIKELY(b->len > x->run_max) && (b->seg_len == 0 ||
	    b->data[ETH_HEAD + (type == ETHER_IPV4 ? 9 : 6)] != PROTO_TCP);
}

void
batch_run_begin(struct batch *x, const struct fwd_to *to, const struct buf *b)
{
	x->run_to = NULL;
	if (to->what != FWD_PORT || to->port->conf.kind == HUB_PORT_IP ||
	    b->len < RUN_MIN || !is_plain(b))
		return;
	x->run_to = to->port;
	x->run_max = run_max(to->port);
	memcpy(x->run_head, b->data, ETH_HEAD);
}

bool
batch_run_next(struct batch *x, struct buf *b)
{
	if (x->run_to == NULL || b->len < RUN_MIN ||
	    memcmp(b->data, x->run_head, ETH_HEAD) != 0 || !is_plain(b) ||
	    is_too_big(x, b))
		return false;
	put(x, x->run_to, b);
	return true;
}

/* A frame on its way to many. */
struct flooding {
	struct buf *b;
	uint16_t vlan;
	enum drop why;		/* if it goes nowhere */
	unsigned n_ether, n_ip;
	struct port *first;	/* of the Ethernet ports */
	struct port_set to;	/* all of them */
};

/* Ethernet ports share the frame; IP ports get a packet of their own. */
static void
flood_one(struct batch *x, struct port *from, uint32_t num, struct flooding *f)
{
	struct port *to = port_at(x->h, num);
	struct buf *packet;

	if (to == NULL || num == from->num ||
	    (to->conf.kind == HUB_PORT_IP && to->conf.mcast == HUB_MCAST_NONE) ||
	    !fwd_may_leave(from, to, f->vlan, &f->why))
		return;
	if (to->conf.kind == HUB_PORT_IP) {
		if ((packet = inside_group(x, from, to, f->b)) == NULL)
			return;
		f->n_ip++;
		put(x, to, packet);
		return;
	}
	if (f->n_ether++ == 0)
		f->first = to;
	f->to.w[num / 64] |= UINT64_C(1) << num % 64;
}

/* After the ports were gone through. */
static void
flood_end(struct batch *x, struct port *from, struct flooding *f)
{
	if (f->n_ether + f->n_ip == 0) {
		port_drop(x, from, f->b, f->why);
		return;
	}
	loop_flooded(x->h, f->vlan);
	storm_copied(x, from, f->b, f->n_ether + f->n_ip);
	port_flooded(from, x->worker);
	if (f->n_ether == 0)
		buf_put(f->b);
	else if (f->n_ether == 1)
		put(x, f->first, f->b);
	else
		put_many(x, &f->to, f->b);
}

void
batch_flood(struct batch *x, struct port *from, uint16_t vlan, struct buf *b)
{
	struct flooding f = { .b = b, .vlan = vlan, .why = DROP_HUB_NOPORT };
	unsigned n_slot = atomic_load_explicit(&x->h->n_slot,
	    memory_order_relaxed);

	fit_flooded(x, from, b);
	for (uint32_t i = 0; i < n_slot; i++)
		flood_one(x, from, i, &f);
	flood_end(x, from, &f);
}

void
batch_flood_set(struct batch *x, struct port *from, uint16_t vlan,
		const struct port_set *set, struct buf *b)
{
	struct flooding f = { .b = b, .vlan = vlan, .why = DROP_HUB_NOLISTEN };

	for (unsigned k = 0; k < N_OF(set->w); k++) {
		uint64_t w = set->w[k] | atomic_load_explicit(&x->h->named[k],
		    memory_order_relaxed);

		for (; w != 0; w &= w - 1)
			flood_one(x, from, k * 64 +
			    (uint32_t)__builtin_ctzll(w), &f);
	}
	flood_end(x, from, &f);
}

void
batch_forward(struct batch *x, struct port *from, const struct mac *dst,
	      uint16_t vlan, struct buf *b)
{
	struct fwd_to to = fwd_decide(x->h, from, vlan, dst);

	batch_run_begin(x, &to, b);
	switch (to.what) {
	case FWD_PORT:
		batch_add(x, from, to.port, b);
		break;
	case FWD_SET:
		if (storm_pass(x, from, dst, b))
			batch_flood(x, from, vlan, b);
		else
			port_drop(x, from, b, DROP_HUB_STORM);
		break;
	case FWD_DROP:
		port_drop(x, from, b, to.why);
		break;
	}
}
