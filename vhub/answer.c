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

	if (p == NULL || p->conf.kind != HUB_PORT_IP)
		return false;
	if (width != OWN_HOST &&
	    (q->is_probe || neigh_find(h->neighs, &q->target, &nb)))
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

	if (q->is_probe || q->is_unicast ||
	    !neigh_find(h->neighs, &q->target, &nb) || nb.port == from->num ||
	    (now_s > nb.age_s && now_s - nb.age_s > ANSWER_FRESH_S) ||
	    mactab_find(h->macs, &nb.mac) != (int)nb.port)
		return false;
	*m = nb.mac;
	return true;
}

void
answer_learn(struct batch *x, struct port *from, const struct ip_addr *ip,
	     const struct mac *m)
{
	struct hub *h = x->h;
	struct buf *b[WAIT_IP_MAX];
	uint32_t port[WAIT_IP_MAX];
	unsigned n;

	if (!ip_is_unicast(ip))
		return;
	neigh_learn(h->neighs, ip, m, from->num,
	    atomic_load_explicit(&h->now_s, memory_order_relaxed));
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
answer_is_pseudo(const struct hub *h, const struct mac *dst)
{
	int num = mac_is_group(dst) ? -1 : mactab_find(h->macs, dst);
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
