/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/inside.c - packets of IP ports: the pseudo Ethernet header (V5).
 *
 *   from the peer:  IP packet  ->  dst MAC | pseudo MAC | type | IP packet
 *   to the peer:    dst = pseudo MAC | ... | type | IP packet | padding -> IP packet
 *
 * Where does a packet from the peer go?  In this order:
 *   1. another IP port that has exactly this address in its selectors
 *   2. a neighbour known from ARP or ND
 *   3. another IP port whose selectors hold the address
 *   4. with a bridge, or in a network of one of the TAP's addresses: ask by ARP or
 *      ND and wait a second for the answer;
 *      else the TAP, so that the kernel routes it.
 * A default route (0.0.0.0/0) of another port counts in 3 only with a bridge:
 * without one the kernel's routes know better.
 *
 * Multicast from the peer is flooded as any frame.  To the peer goes what its
 * selectors name, or in mode gre what they hold; broadcasts never do.
 *
 * Thread: any worker.
 */
#include <string.h>
#include "daemon/base/err.h"
#include "vhub/priv.h"

/* A copy that may be written, when others hold b too or it has no head room;
 * takes b.  NULL when there is no buffer (counted). */
static struct buf *
own_copy(struct batch *x, struct port *from, struct buf *b, size_t off,
	 size_t len)
{
	struct buf *c = x->h->conf.buf_new(x->h->conf.ctx, x->worker);
	uint8_t *p = c != NULL ? buf_append(c, len) : NULL;

	if (p == NULL) {
		buf_put(c);
		port_drop(x, from, b, DROP_NO_BUF);
		return NULL;
	}
	memcpy(p, b->data + off, len);
	c->flow_hash = b->flow_hash;
	c->prio = b->prio;
	c->seg_len = b->seg_len;
	buf_put(b);
	return c;
}

/* Leave len bytes from off on; takes b. */
static struct buf *
narrow(struct batch *x, struct port *from, struct buf *b, size_t off,
       size_t len)
{
	/* Head and tail are fields of the shared buffer. */
	if (buf_is_shared(b))
		return own_copy(x, from, b, off, len);
	if (buf_pull(b, off) != 0 || buf_trim(b, b->len - len) != 0) {
		port_drop(x, from, b, DROP_ESP_INNER);
		return NULL;
	}
	return b;
}

static struct port *
other_port(const struct batch *x, const struct port *from, uint32_t num)
{
	struct port *p = num != from->num ? port_at(x->h, num) : NULL;

	return p != NULL && p->conf.kind == HUB_PORT_IP ? p : NULL;
}

/* Nobody knows the neighbour: ask, and let the packet wait. */
static void
ask_and_wait(struct batch *x, struct port *from, const struct ip_head *ip,
	     struct buf *b)
{
	uint32_t now_s = atomic_load_explicit(&x->h->now_s,
	    memory_order_relaxed);
	bool ask = false;

	/* A slice would keep its whole train from being used again. */
	if (b->parent != NULL && (b = own_copy(x, from, b, 0, b->len)) == NULL)
		return;
	if (wait_add(x->h->waits, &ip->dst, from->num, now_s, b, &ask) != 0)
		port_drop(x, from, b, DROP_HUB_NONEIGH);
	if (!ask)
		return;
	if (ip->dst.family == 4)
		arp_ask(x, from, &ip->src, &ip->dst);
	else
		nd_ask(x, from, &ip->src, &ip->dst);
}

static void
to_kernel(struct batch *x, struct port *from, struct buf *b)
{
	struct port *tap = atomic_load_explicit(&x->h->tap,
	    memory_order_acquire);

	if (tap == NULL || mac_is_null(&tap->conf.mac)) {
		port_drop(x, from, b, DROP_HUB_NOPORT);
		return;
	}
	inside_send(x, from, &tap->conf.mac, b);
}

/* A neighbour in a network of the TAP's: the kernel would send it back to us, or
 * drop it where it does not forward. */
static bool
is_near(const struct hub *h, const struct ip_addr *ip)
{
	struct ip_addr lo, hi;
	bool is_in = false;

	for (unsigned i = 0; i < h->conf.n_addr; i++) {
		const struct ip_net *a = &h->conf.addr[i];

		if (ip_equal(&a->addr, ip))
			return false;
		if (!ip_net_has(a, ip))
			continue;
		ip_net_range(a, &lo, &hi);
		if (ip->family == 4 && ip_equal(ip, &hi))
			return false; /* its broadcast address */
		is_in = true;
	}
	return is_in;
}

/* From IP port to IP port: no header is needed. */
static void
to_owner(struct batch *x, struct port *from, struct port *to, struct buf *b)
{
	enum drop why;

	if (!fwd_may_leave(from, to, 0, &why))
		port_drop(x, from, b, why);
	else if (fit_packet(x, from, to, b))
		batch_add_packet(x, to, b);
}

static void
route(struct batch *x, struct port *from, const struct ip_head *ip,
      struct buf *b)
{
	const struct own_tab *own = atomic_load_explicit(&x->h->own,
	    memory_order_acquire);
	bool has_bridge = x->h->conf.has_bridge;
	enum own_width width = OWN_ALL;
	uint32_t num = own_find(own, &ip->dst, &width);
	struct port *owner = other_port(x, from, num);
	struct hub_neigh_info nb;

	if (num == from->num && width == OWN_HOST)
		port_drop(x, from, b, DROP_HUB_SELF);
	else if (owner != NULL && width == OWN_HOST)
		to_owner(x, from, owner, b);
	else if (neigh_find(x->h->neighs, 0, &ip->dst, &nb))
		inside_send(x, from, &nb.mac, b);
	else if (owner != NULL && (width == OWN_RANGE || has_bridge))
		to_owner(x, from, owner, b);
	else if (has_bridge || is_near(x->h, &ip->dst))
		ask_and_wait(x, from, ip, b);
	else
		to_kernel(x, from, b);
}

struct buf *
inside_strip(struct batch *x, struct port *from, struct buf *b)
{
	struct ip_head ip;
	struct eth e;

	if (eth_dec(buf_view(b), &e) != 0 || e.n_tag != 0 ||
	    (e.type != ETHER_IPV4 && e.type != ETHER_IPV6)) {
		port_drop(x, from, b, DROP_HUB_NOTIP);
		return NULL;
	}
	if (ip_dec(e.data, &ip) != 0 ||
	    ip.src.family != (e.type == ETHER_IPV4 ? 4 : 6)) {
		port_drop(x, from, b, DROP_ESP_INNER);
		return NULL;
	}
	if (ip_is_multicast(&ip.dst) || ip_is_broadcast(&ip.dst)) {
		port_drop(x, from, b, DROP_HUB_NOTIP);
		return NULL;
	}
	/* Ethernet pads to 60 bytes; the packet ends where it says. */
	return narrow(x, from, b, ETH_HEAD, ip.total_len);
}

/* Is the group one that may travel to this peer? */
static bool
is_wanted(const struct port *to, const struct ip_addr *group)
{
	const struct hub_port_conf *c = &to->conf;

	for (unsigned i = 0; i < c->n_ts; i++)
		if (group->family == c->ts[i].lo.family &&
		    ip_compare(group, &c->ts[i].lo) >= 0 &&
		    ip_compare(group, &c->ts[i].hi) <= 0)
			return true;
	return false;
}

struct buf *
inside_group(struct batch *x, struct port *from, const struct port *to,
	     struct buf *b)
{
	struct ip_head ip;
	struct eth e;

	if (eth_dec(buf_view(b), &e) != 0 || e.n_tag != 0 ||
	    !mac_is_group(&e.dst) ||
	    (e.type != ETHER_IPV4 && e.type != ETHER_IPV6) ||
	    ip_dec(e.data, &ip) != 0 || !ip_is_multicast(&ip.dst) ||
	    ip.src.family != (e.type == ETHER_IPV4 ? 4 : 6) ||
	    !is_wanted(to, &ip.dst))
		return NULL;
	/* Others hold b: the packet is a copy. */
	return own_copy(x, from, buf_get(b), ETH_HEAD, ip.total_len);
}

/* Room for the Ethernet header.  What ESP had in front is too short where the IV is
 * implicit (RFC 8750), but behind there were padding and ICV: the packet moves. */
static bool
has_head(struct buf *b)
{
	size_t want;
	uint8_t *end;

	if (LIKELY(buf_head(b) >= ETH_HEAD))
		return true;
	want = ETH_HEAD - buf_head(b);
	if ((end = buf_append(b, want)) == NULL)
		return false;
	memmove(b->data + want, b->data, (size_t)(end - b->data));
	return buf_pull(b, want) == 0;
}

void
inside_send(struct batch *x, struct port *from, const struct mac *dst,
	    struct buf *b)
{
	struct mac to = *dst;
	struct eth e;
	struct wcur w;
	uint8_t *head;

	if (buf_is_shared(b) || !has_head(b))
		b = own_copy(x, from, b, 0, b->len);
	if (b == NULL)
		return;
	if ((head = buf_push(b, ETH_HEAD)) == NULL) {
		port_drop(x, from, b, DROP_NO_BUF);
		return;
	}
	wcur_init(&w, head, ETH_HEAD);
	eth_enc(&w, &to, &from->conf.mac, b->data[ETH_HEAD] >> 4 == 4 ?
	    ETHER_IPV4 : ETHER_IPV6);
	if (mac_is_group(&to) && eth_dec(buf_view(b), &e) == 0 &&
	    group_input(x, from, &e, b))
		return;
	batch_forward(x, from, &to, 0, b);
}

/* Packets come in runs: the next one to the same address goes where the one before
 * went, with its header. */
static bool
run_next(struct batch *x, const struct ip_head *ip, struct buf *b)
{
	uint8_t *head;

	if (x->run_to == NULL || !ip_equal(&ip->dst, &x->run_ip) ||
	    buf_is_shared(b) || !has_head(b) ||
	    (head = buf_push(b, ETH_HEAD)) == NULL)
		return false;
	memcpy(head, x->run_head, ETH_HEAD);
	batch_add_packet(x, x->run_to, b);
	return true;
}

void
inside_input(struct batch *x, struct port *from, struct buf *b)
{
	struct ip_head ip;
	struct mac group;

	if (ip_dec(buf_view(b), &ip) != 0) {
		port_drop(x, from, b, DROP_ESP_INNER);
		return;
	}
	if (!ip_is_unicast(&ip.src)) {
		port_drop(x, from, b, DROP_HUB_SRC);
		return;
	}
	if (b->len > ip.total_len &&
	    (b = narrow(x, from, b, 0, ip.total_len)) == NULL)
		return;
	if (run_next(x, &ip, b))
		return;
	x->run_to = NULL;
	x->run_ip = ip.dst;
	if (ip_is_multicast(&ip.dst) || ip_is_broadcast(&ip.dst)) {
		group = ip_is_multicast(&ip.dst) ? mac_of_multicast(&ip.dst) :
		    mac_broadcast;
		inside_send(x, from, &group, b);
		return;
	}
	route(x, from, &ip, b);
}
