/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/answer.c - what ARP and neighbour discovery have in common: learning,
 * and who answers for an address.
 *
 * The hub answers for
 *   - what lies behind an IP port (narrowest selector; nobody when two ports
 *     hold it equally narrowly), with the port's pseudo MAC.  A selector wider
 *     than the address itself gives way to a neighbour seen on the Ethernet
 *     side: 0.0.0.0/0 answers for all but those;
 *   - hosts heard of in the last ANSWER_FRESH_S seconds on another port, when
 *     the question was broadcast.  A unicast question asks whether the host is
 *     still there: only the host can tell.
 * Duplicate address detection is answered only for an address that is a
 * selector of its own: nobody is kept from an address because it is routed.
 *
 * Thread: any worker.
 */
#include "vhub/priv.h"

#define ANSWER_FRESH_S 10 /* ours: short, a host may have a new MAC */

static bool
find_owner(const struct hub *h, const struct port *from,
	   const struct question *q, struct mac *m)
{
	const struct own_tab *own = atomic_load_explicit(&h->own,
	    memory_order_acquire);
	enum own_width width = OWN_ALL;
	uint32_t num = own_find(own, &q->target, &width);
	const struct port *p = num != from->num ? port_at(h, num) : NULL;
	struct hub_neigh_info nb;

	enum drop why;

	/* IP ports are in the untagged network only. */
	if (p == NULL || p->conf.kind != HUB_PORT_IP || q->vlan != 0 ||
	    !fwd_may_leave(from, p, 0, &why))
		return false;
	if (width != OWN_HOST &&
	    (q->is_probe || neigh_find(h->neighs, 0, &q->target, &nb)))
		return false;
	*m = p->conf.mac;
	return true;
}

static bool
find_cached(const struct hub *h, const struct port *from,
	    const struct question *q, struct mac *m)
{
	uint32_t now_s = atomic_load_explicit(&h->now_s, memory_order_relaxed);
	struct hub_neigh_info nb;
	const struct port *p;
	enum drop why;

	if (q->is_probe || q->is_unicast ||
	    !neigh_find(h->neighs, q->vlan, &q->target, &nb) ||
	    nb.port == from->num ||
	    (now_s > nb.age_s && now_s - nb.age_s > ANSWER_FRESH_S) ||
	    mactab_find(h->macs, q->vlan, &nb.mac) != (int)nb.port)
		return false;
	/* Nobody is told of a host that he cannot reach. */
	p = port_at(h, nb.port);
	if (p == NULL || !fwd_may_leave(from, p, q->vlan, &why))
		return false;
	*m = nb.mac;
	return true;
}

bool
answer_may_speak(struct batch *x, const struct port *from,
		 const struct ip_addr *ip)
{
	const struct hub_port_conf *c = &from->conf;

	if (!c->policy.has_guard || ip_is_any(ip) ||
	    (ip->family == 6 && ip->b[0] == 0xfe && (ip->b[1] & 0xc0) == 0x80))
		return true; /* nobody's address, or of its own link */
	for (unsigned i = 0; i < c->n_ts; i++)
		if (ip->family == c->ts[i].lo.family &&
		    ip_compare(ip, &c->ts[i].lo) >= 0 &&
		    ip_compare(ip, &c->ts[i].hi) <= 0)
			return true;
	atomic_fetch_add_explicit(&x->h->spoof.n, 1, memory_order_relaxed);
	atomic_store_explicit(&x->h->spoof.port, from->num,
	    memory_order_relaxed);
	return false;
}

/* An address of the TAP's that another says it has: what IP peers send there goes
 * to the kernel all the same.  The frame passes, as it may be the answer to our
 * kernel's own question whether the address is free. */
static bool
is_taps(const struct hub *h, const struct port *from, const struct ip_addr *ip)
{
	if (from->conf.kind == HUB_PORT_TAP)
		return false;
	for (unsigned i = 0; i < h->conf.n_addr; i++)
		if (ip_equal(&h->conf.addr[i].addr, ip))
			return true;
	return false;
}

void
answer_learn(struct batch *x, struct port *from, const struct eth *e,
	     const struct ip_addr *ip, const struct mac *m)
{
	struct hub *h = x->h;
	struct hub_neigh_info nb = { *ip, e->vlan, *m, from->num,
	    atomic_load_explicit(&h->now_s, memory_order_relaxed) };
	struct buf *b[WAIT_IP_MAX];
	uint32_t port[WAIT_IP_MAX];
	unsigned n;

	if (!ip_is_unicast(ip) || (e->vlan == 0 && is_taps(h, from, ip)))
		return;
	neigh_learn(h->neighs, &nb);
	if (e->vlan != 0)
		return;
	n = wait_take(h->waits, ip, b, port);
	for (unsigned i = 0; i < n; i++) {
		struct port *p = port_at(h, port[i]);

		if (p == NULL || p->conf.kind != HUB_PORT_IP)
			port_drop(x, from, b[i], DROP_HUB_NOPORT);
		else
			inside_send(x, p, m, b[i]);
	}
}

bool
answer_find(const struct hub *h, const struct port *from,
	    const struct question *q, struct mac *m)
{
	return find_owner(h, from, q, m) || find_cached(h, from, q, m);
}

bool
answer_is_pseudo(const struct hub *h, const struct eth *e)
{
	int num = mac_is_group(&e->dst) || e->n_tag != 0 ? -1 :
	    mactab_find(h->macs, 0, &e->dst);
	const struct port *p = num >= 0 ? port_at(h, (uint32_t)num) : NULL;

	return p != NULL && p->conf.kind == HUB_PORT_IP;
}

struct buf *
answer_buf(struct batch *x, size_t len, struct wcur *w)
{
	struct buf *b = x->h->conf.buf_new(x->h->conf.ctx, x->worker);
	uint8_t *p = b != NULL ? buf_append(b, len) : NULL;

	if (p == NULL) {
		buf_put(b);
		drop_count(DROP_NO_BUF, 1);
		return NULL;
	}
	wcur_init(w, p, len);
	return b;
}
