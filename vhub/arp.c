/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/arp.c - ARP (RFC 826): learn, answer from the tables, ask.
 *
 * A probe (sender 0.0.0.0, RFC 5227) is duplicate address detection; a
 * gratuitous announcement (sender = target) asks nothing.
 *
 * Thread: any worker.
 */
#include "vhub/priv.h"

static void
reply(struct batch *x, struct port *to, const struct eth *e,
      const struct arp *q, const struct mac *m)
{
	struct eth_to back = { q->sender_mac, e->tag };
	struct arp a = { ARP_REPLY, *m, q->sender_mac, q->target_ip,
	    q->sender_ip };
	struct wcur w;
	struct buf *b = answer_buf(x, ARP_FRAME + (e->tag != 0 ? ETH_TAG : 0), &w);

	if (b == NULL)
		return;
	arp_enc(&w, &back, &a);
	batch_add(x, to, to, b);
}

/* True when the question was answered. */
static bool
answer(struct batch *x, struct port *from, const struct eth *e,
       const struct arp *a)
{
	struct question q = { a->target_ip, e->vlan,
	    ip_is_any(&a->sender_ip), !mac_is_group(&e->dst) };
	struct mac m;
	bool is_ours;

	if (a->op != ARP_REQUEST || ip_equal(&a->sender_ip, &a->target_ip) ||
	    !mac_equal(&a->sender_mac, &e->src))
		return false;
	is_ours = answer_find(x->h, from, &q, &m);
	mute_question(x->h, from, e, &q, is_ours);
	if (!is_ours)
		return false;
	reply(x, from, e, a, &m);
	return true;
}

/* What goes on to others: does anybody ask, does anybody answer? */
static void
note_question(struct batch *x, struct port *from, const struct arp *a)
{
	bool is_question = a->op == ARP_REQUEST && !ip_is_any(&a->sender_ip) &&
	    !ip_equal(&a->sender_ip, &a->target_ip);

	if (is_question || a->op == ARP_REPLY)
		port_arp(from, x->worker, a->op == ARP_REPLY);
}

bool
arp_input(struct batch *x, struct port *from, const struct eth *e,
	  struct buf *b)
{
	struct arp a;
	int err = arp_dec(e->data, &a);

	if (err == ERR_UNSUP)
		return false;
	if (err != 0) {
		port_drop(x, from, b, DROP_HUB_RUNT);
		return true;
	}
	if (!answer_may_speak(x, from, &a.sender_ip)) {
		port_drop(x, from, b, DROP_HUB_SPOOF);
		return true;
	}
	/* Who speaks for another's MAC is not believed. */
	if (mac_equal(&a.sender_mac, &e->src))
		answer_learn(x, from, e, &a.sender_ip, &a.sender_mac);
	if (!answer(x, from, e, &a) && !answer_is_pseudo(x->h, e)) {
		note_question(x, from, &a);
		return false;
	}
	buf_put(b);
	return true;
}

void
arp_ask(struct batch *x, struct port *from, const struct ip_addr *src,
	const struct ip_addr *ip)
{
	struct arp a = { ARP_REQUEST, from->conf.mac, { { 0 } }, *src, *ip };
	struct eth_to all = { mac_broadcast, 0 };
	struct wcur w;
	struct buf *b = answer_buf(x, ARP_FRAME, &w);

	if (b == NULL)
		return;
	arp_enc(&w, &all, &a);
	batch_flood(x, from, 0, b);
}
