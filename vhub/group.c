/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/group.c - multicast: who wants it, and where it goes (RFC 4541).
 *
 *   query               everywhere; its sender's port leads to a router
 *   report, leave       to the routers only, so that no host keeps silent
 *                       because it heard another's (RFC 2236 3)
 *   data                to who joined and to the routers
 *
 * As long as nobody asks, or asks again, all of it goes everywhere: without
 * questions there are no answers, and who wants what is not known.  What is
 * not IP, or within two tags, is flooded.
 *
 * A leave changes nothing: the router asks, and who does not answer in time is
 * forgotten.  So nobody ends what somebody else behind his port wants.
 *
 * Thread: any worker.
 */
#include "daemon/base/err.h"
#include "vhub/mcast.h"
#include "vhub/priv.h"

static void
on_query(struct batch *x, struct port *from, const struct eth *e,
	 const struct mc_msg *m, uint32_t now_s)
{
	struct snoop_key k = { m->group, e->vlan };

	/* 0.0.0.0: a switch that asks in place of a router (RFC 4541 2.1.1). */
	if (ip_is_any(&m->src))
		return;
	if (ip_is_any(&m->group))
		snoop_router(x->h->snoop, &k, from->num, true, m->hold_s,
		    now_s);
	else if (!from->conf.policy.is_isolated) /* all of them heard it */
		snoop_ask(x->h->snoop, &k, m->resp_s, now_s);
}

static void
on_report(struct batch *x, struct port *from, const struct eth *e,
	  struct mc_msg *m, uint32_t now_s)
{
	struct snoop_key k = { .vlan = e->vlan };
	bool is_join = false;

	while (mc_next(m, &k.group, &is_join) > 0)
		if (is_join && !snoop_is_local(&k.group))
			snoop_join(x->h->snoop, &k, from->num, now_s);
}

/* Where a message of IGMP or MLD goes, once it was heeded; false: everywhere. */
static bool
on_message(struct batch *x, struct port *from, const struct eth *e,
	   struct mc_msg *m, struct port_set *set)
{
	uint32_t now_s = atomic_load_explicit(&x->h->now_s,
	    memory_order_relaxed);
	struct snoop_key k = { m->group, e->vlan };

	k.group.family = m->src.family;
	switch (m->kind) {
	case MC_QUERY:
		on_query(x, from, e, m, now_s);
		return false;
	case MC_ROUTER:
		snoop_router(x->h->snoop, &k, from->num, false, 0, now_s);
		return false;
	case MC_REPORT:
		on_report(x, from, e, m, now_s);
		break;
	case MC_LEAVE:
		break;
	}
	return snoop_routers(x->h->snoop, &k, now_s, set);
}

/* False: it goes everywhere. */
static bool
where_to(struct batch *x, struct port *from, const struct eth *e,
	 const struct ip_head *ip, struct port_set *set)
{
	struct snoop_key k = { ip->dst, e->vlan };
	struct mc_msg m;
	int err = ERR_UNSUP;

	/* What an IP peer joins does not matter where it gets no multicast, or
	 * what its selectors name. */
	if (from->conf.kind != HUB_PORT_IP ||
	    from->conf.mcast == HUB_MCAST_LINK)
		err = mc_dec(e->data, ip, &m);
	if (err == 0)
		return on_message(x, from, e, &m, set);
	if (err != ERR_UNSUP)
		return false; /* malformed: its receivers judge it */
	return snoop_route(x->h->snoop, &k, x->h->conf.snoop ==
	    HUB_SNOOP_STRICT, atomic_load_explicit(&x->h->now_s,
	    memory_order_relaxed), set);
}

bool
group_input(struct batch *x, struct port *from, const struct eth *e,
	    struct buf *b)
{
	struct port_set set = { { 0 } };
	struct ip_head ip;
	struct mac want;

	if (x->h->conf.snoop == HUB_SNOOP_FLOOD || !mac_is_group(&e->dst) ||
	    e->n_tag > 1 || (e->type != ETHER_IPV4 && e->type != ETHER_IPV6) ||
	    ip_dec(e->data, &ip) != 0 || !ip_is_multicast(&ip.dst))
		return false;
	want = mac_of_multicast(&ip.dst);
	if (!mac_equal(&want, &e->dst))
		return false;
	if (!storm_pass(x, from, &e->dst, b))
		port_drop(x, from, b, DROP_HUB_STORM);
	else if (where_to(x, from, e, &ip, &set))
		batch_flood_set(x, from, e->vlan, &set, b);
	else
		batch_flood(x, from, e->vlan, b);
	return true;
}
