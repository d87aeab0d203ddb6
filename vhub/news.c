/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/news.c - gratuitous ARP and unsolicited neighbour advertisements.
 *
 * Where an inner address came to a new pseudo MAC - a peer came back by another
 * port, or in another mode - hosts would go on sending to the old one.  So each
 * address that is a selector of its own is announced (RFC 5227 3, RFC 4861 7.2.6)
 * when its port begins or changes.
 *
 * Thread: news_add() the loop, news_send() any worker.
 */
#include "vhub/priv.h"

static void
announce_arp(struct batch *x, struct port *p, const struct ip_addr *ip)
{
	struct arp a = { ARP_REQUEST, p->conf.mac, { { 0 } }, *ip, *ip };
	struct eth_to all = { mac_broadcast, 0 };
	struct wcur w;
	struct buf *b = answer_buf(x, ARP_FRAME, &w);

	if (b == NULL)
		return;
	arp_enc(&w, &all, &a);
	batch_flood(x, p, 0, b);
}

static void
announce_nd(struct batch *x, struct port *p, const struct ip_addr *ip)
{
	static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 1 };
	struct nd n = { .type = ND_ADVERT, .is_override = true, .src = *ip,
		.target = *ip, .dst = ip_from(all_nodes, 16), .has_mac = true,
		.mac = p->conf.mac };
	struct eth_to all = { mac_of_multicast(&n.dst), 0 };
	struct wcur w;
	struct buf *b = answer_buf(x, ND_FRAME, &w);

	if (b == NULL)
		return;
	nd_enc(&w, &all, &n);
	batch_flood(x, p, 0, b);
}

static bool
has_host(const struct port *p)
{
	for (unsigned i = 0; i < p->conf.n_ts; i++)
		if (ip_equal(&p->conf.ts[i].lo, &p->conf.ts[i].hi))
			return true;
	return false;
}

void
news_add(struct hub *h, const struct port *p)
{
	if (p->conf.kind != HUB_PORT_IP || !has_host(p))
		return;
	atomic_fetch_or(&h->news[p->num / 64], 1ull << p->num % 64);
	atomic_store(&h->news_due, true);
}

static void
send_port(struct batch *x, struct port *p)
{
	for (unsigned i = 0; i < p->conf.n_ts; i++) {
		const struct ip_addr *ip = &p->conf.ts[i].lo;

		if (!ip_equal(ip, &p->conf.ts[i].hi) || !ip_is_unicast(ip))
			continue;
		if (ip->family == 4)
			announce_arp(x, p, ip);
		else
			announce_nd(x, p, ip);
	}
}

void
news_send(struct batch *x)
{
	for (uint32_t k = 0; k < HUB_PORT_MAX / 64; k++) {
		uint64_t set = atomic_exchange(&x->h->news[k], 0);

		for (uint32_t i = 0; set != 0; i++, set >>= 1) {
			struct port *p = (set & 1) != 0 ?
			    port_at(x->h, k * 64 + i) : NULL;

			if (p != NULL && p->conf.kind == HUB_PORT_IP)
				send_port(x, p);
		}
	}
}
