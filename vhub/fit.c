/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/fit.c - packets and the size of the tunnels they are about to enter.
 *
 *   SYN of TCP           its MSS is lowered to what leaves whole, seen from both
 *                        ends: the tunnel it came from and the one it goes to
 *   larger than that     DF, or IPv6: its sender is told, it ends here
 *                        else it passes, and is cut outside of the encryption
 *
 * A tunnel has two sizes (hub_port_mtu()): what leaves whole, from which a tag
 * takes, and what is taken at all without a word, which the configuration says:
 * more where full frames are to pass, less where hosts are to send less.  TCP
 * super-frames are cut to fit where they are sealed.
 *
 * Thread: any worker.  No lock.
 */
#include "daemon/base/err.h"
#include "vhub/icmp.h"
#include "vhub/mss.h"
#include "vhub/priv.h"

#define PROTO_TCP	6
#define PROTO_UDP	17
#define UDP_LEN		8
#define TCP_FLAGS_AT	13
#define TCP_SYN		0x02

/* The smaller, where 0 is none. */
static uint32_t
least(uint32_t a, uint32_t b)
{
	if (a == 0 || b == 0)
		return MAX(a, b);
	return MIN(a, b);
}

uint32_t
fit_room(const struct port *p)
{
	uint32_t whole = atomic_load_explicit(&p->live->mtu_whole,
	    memory_order_relaxed);

	return whole == 0 ? 0 : least(whole, atomic_load_explicit(
	    &p->live->mtu_most, memory_order_relaxed));
}

bool
fit_is_syn(struct view f, size_t at)
{
	size_t tcp;

	/* What lies behind extension headers is found by mss_lower(); a SYN
	 * that has them is let through as it is. */
	if (f.len <= at + IP_LEAST)
		return false;
	if (f.p[at] >> 4 == 4) {
		if (f.p[at + 9] != PROTO_TCP)
			return false;
		tcp = at + (f.p[at] & 15u) * 4;
	} else {
		if (f.p[at] >> 4 != 6 || f.p[at + 6] != PROTO_TCP)
			return false;
		tcp = at + 40;
	}
	return tcp + TCP_FLAGS_AT < f.len &&
	    (f.p[tcp + TCP_FLAGS_AT] & TCP_SYN) != 0;
}

/* Lower the MSS of a SYN; mtu counts from the IP header on. */
static void
syn(const struct hub *h, struct buf *b, size_t at, uint32_t mtu)
{
	if (h->conf.mss == HUB_MSS_NO || buf_is_shared(b))
		return;
	(void)mss_lower(b->data + at, b->len - at, mtu,
			h->conf.mss == HUB_MSS_AUTO ? 0 : h->conf.mss);
}

/* Bytes of the IP packet, or of the largest segment that is made of it. */
static size_t
size_of(const struct buf *b, const struct ip_head *ip)
{
	if (b->seg_len == 0)
		return ip->total_len;
	return ip->proto == PROTO_UDP ? ip->head_len + UDP_LEN + b->seg_len : 0;
}

/* The answer goes where the packet came from, as the packet came. */
static void
tell(struct batch *x, struct port *from, const struct eth *e,
     struct view packet, uint32_t mtu)
{
	size_t head = e == NULL ? 0 : ETH_HEAD + (e->tag != 0 ? ETH_TAG : 0);
	struct wcur w;
	struct buf *b;

	b = answer_buf(x, head + icmp_too_big_len(packet), &w);
	if (b == NULL)
		return;
	if (e != NULL)
		eth_enc_tag(&w, &(struct eth_to){ e->src, e->tag }, &e->dst,
			    e->type);
	icmp_too_big(&w, packet, mtu);
	if (w.err != 0)
		buf_put(b);
	else if (e != NULL)
		batch_add(x, from, from, b);
	else
		batch_add_packet(x, from, b);
}

/* What to carries at most of a packet of this family that may not be cut. */
static uint32_t
most_of(const struct port *to, unsigned family, size_t tags)
{
	uint32_t most = atomic_load_explicit(&to->live->mtu_most,
	    memory_order_relaxed);
	uint32_t whole = fit_room(to), taken = (uint32_t)tags * ETH_TAG;

	if (most == 0)
		most = whole > taken ? whole - taken : 0;
	/* RFC 8200 5: below, what carries IPv6 must cut by itself. */
	return family == 6 ? MAX(most, (uint32_t)ICMP_MTU6_MIN) :
	    MAX(most, (uint32_t)ICMP_MTU4_MIN);
}

/* False: it was too large, and b is taken. */
static bool
may_pass(struct batch *x, struct port *from, const struct port *to,
	 const struct eth *e, struct buf *b, size_t at)
{
	struct view packet = { b->data + at, b->len - at };
	unsigned tags = e == NULL ? 0 : e->n_tag;
	struct ip_head ip;
	uint32_t most;

	if (ip_dec(packet, &ip) != 0)
		return true;
	most = most_of(to, ip.src.family, tags);
	packet.len = ip.total_len;
	if (size_of(b, &ip) <= most || tags > 1 ||
	    icmp_may_tell(packet) != ICMP_TELL)
		return true;
	if (storm_pass_icmp(x, from))
		tell(x, from, e, packet, most);
	port_drop(x, from, b, DROP_HUB_TOOBIG);
	return false;
}

bool
fit_frame(struct batch *x, struct port *from, const struct port *to,
	  struct buf *b)
{
	uint32_t whole = least(fit_room(from), fit_room(to));
	size_t at;
	struct eth e;

	if (whole == 0 || eth_dec(buf_view(b), &e) != 0 ||
	    (e.type != ETHER_IPV4 && e.type != ETHER_IPV6))
		return true;
	at = ETH_HEAD + e.n_tag * ETH_TAG;
	if (fit_is_syn(buf_view(b), at))
		syn(x->h, b, at, whole - MIN(whole, e.n_tag * ETH_TAG));
	return fit_room(to) == 0 || b->len <= fit_room(to) + ETH_HEAD ||
	    may_pass(x, from, to, &e, b, at);
}

bool
fit_packet(struct batch *x, struct port *from, const struct port *to,
	   struct buf *b)
{
	uint32_t whole = least(fit_room(from), fit_room(to));

	if (whole == 0)
		return true;
	if (fit_is_syn(buf_view(b), 0))
		syn(x->h, b, 0, whole);
	return fit_room(to) == 0 || b->len <= fit_room(to) ||
	    may_pass(x, from, to, NULL, b, 0);
}

void
fit_flooded(struct batch *x, const struct port *from, struct buf *b)
{
	unsigned n_slot = atomic_load_explicit(&x->h->n_slot,
	    memory_order_relaxed);
	uint32_t whole = fit_room(from);
	struct eth e;
	size_t at;

	if (eth_dec(buf_view(b), &e) != 0)
		return;
	at = ETH_HEAD + e.n_tag * ETH_TAG;
	if ((e.type != ETHER_IPV4 && e.type != ETHER_IPV6) ||
	    !fit_is_syn(buf_view(b), at))
		return;
	for (uint32_t i = 0; i < n_slot; i++) {
		const struct port *to = port_at(x->h, i);

		if (to != NULL)
			whole = least(whole, fit_room(to));
	}
	if (whole != 0)
		syn(x->h, b, at, whole - MIN(whole, e.n_tag * ETH_TAG));
}

void
hub_port_mtu(struct hub *h, uint32_t port, uint32_t whole, uint32_t most)
{
	struct port *p = port < HUB_PORT_MAX ? port_at(h, port) : NULL;

	if (p == NULL)
		return;
	atomic_store_explicit(&p->live->mtu_whole, whole, memory_order_relaxed);
	atomic_store_explicit(&p->live->mtu_most, most, memory_order_relaxed);
}
