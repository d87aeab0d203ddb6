/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/nd.c - IPv6 neighbour discovery (RFC 4861 7): learn, answer from the
 * tables, ask.
 *
 * A solicitation from :: is duplicate address detection (RFC 4862 5.4); its
 * answer goes to all nodes.
 *
 * Thread: any worker.
 */
#include "vhub/priv.h"

static void
reply(struct batch *x, struct port *to, const struct eth *e,
      const struct nd *q, const struct mac *m)
{
	static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 1 };
	bool is_probe = ip_is_any(&q->src);
	struct nd n = { .type = ND_ADVERT, .is_solicited = !is_probe,
		.src = q->target, .target = q->target,
		.dst = is_probe ? ip_from(all_nodes, 16) : q->src,
		.has_mac = true, .mac = *m };
	struct eth_to to_mac = { is_probe ? mac_of_multicast(&n.dst) : e->src,
	    e->tag };
	struct wcur w;
	struct buf *b = answer_buf(x, ND_FRAME + (e->tag != 0 ? ETH_TAG : 0),
	    &w);

	if (b == NULL)
		return;
	nd_enc(&w, &to_mac, &n);
	batch_add(x, to, to, b);
}

/* True when the question was answered. */
static bool
answer(struct batch *x, struct port *from, const struct eth *e,
       const struct nd *n)
{
	struct question q = { n->target, e->vlan, ip_is_any(&n->src),
	    !mac_is_group(&e->dst) };
	struct mac m;
	bool is_ours;

	if (n->type != ND_SOLICIT || ip_equal(&n->src, &n->target))
		return false;
	is_ours = answer_find(x->h, from, &q, &m);
	mute_question(x->h, from, e, &q, is_ours);
	if (!is_ours)
		return false;
	reply(x, from, e, n, &m);
	return true;
}

bool
nd_input(struct batch *x, struct port *from, const struct eth *e, struct buf *b)
{
	const struct ip_addr *speaker;
	struct nd n;

	/* Malformed ones too: their receiver judges them, we do not learn. */
	if (nd_dec(e->data, &n) != 0)
		return false;
	speaker = n.type == ND_SOLICIT ? &n.src : &n.target;
	if (!answer_may_speak(x, from, speaker)) {
		port_drop(x, from, b, DROP_HUB_SPOOF);
		return true;
	}
	if (n.has_mac && mac_equal(&n.mac, &e->src))
		answer_learn(x, from, e, speaker, &n.mac);
	if (!answer(x, from, e, &n) && !answer_is_pseudo(x->h, e))
		return false;
	buf_put(b);
	return true;
}

void
nd_ask(struct batch *x, struct port *from, const struct ip_addr *src,
       const struct ip_addr *ip)
{
	struct nd n = { .type = ND_SOLICIT, .src = *src, .target = *ip,
		.dst = ip_solicited_node(ip), .has_mac = true,
		.mac = from->conf.mac };
	struct eth_to all = { mac_of_multicast(&n.dst), 0 };
	struct wcur w;
	struct buf *b = answer_buf(x, ND_FRAME, &w);

	if (b == NULL)
		return;
	nd_enc(&w, &all, &n);
	batch_flood(x, from, 0, b);
}
