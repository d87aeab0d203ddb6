/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/forward.c - where a frame goes: one port, a set, or a named drop.
 *
 * Pure: looks into tables, changes nothing, sends nothing.  Thread: any worker.
 */
#include <string.h>
#include "vhub/priv.h"

#define VLAN_RESERVED	0xfff	/* IEEE 802.1Q table 9-2: never on the wire */
#define ETHER_LLDP	0x88cc

bool
fwd_is_linklocal(const struct mac *dst)
{
	static const uint8_t head[5] = { 0x01, 0x80, 0xc2, 0x00, 0x00 };

	return memcmp(dst->b, head, sizeof(head)) == 0 && dst->b[5] < 0x10;
}

/* Cisco's spanning tree of each VLAN, to an address that bridges forward. */
static bool
is_pvst(const struct mac *dst)
{
	static const struct mac pvst = { { 0x01, 0, 0x0c, 0xcc, 0xcc, 0xcd } };

	return mac_equal(dst, &pvst);
}

bool
fwd_is_bpdu(const struct eth *e)
{
	return is_pvst(&e->dst) || (fwd_is_linklocal(&e->dst) &&
	    e->dst.b[5] == 0 && e->type != ETHER_LLDP);
}

/* Reserved addresses end at a bridge (IEEE 802.1D 7.12.6), unless a setting lets
 * two of their protocols cross the hub as they would a cable. */
static bool
may_cross(const struct hub *h, const struct eth *e)
{
	uint8_t last = e->dst.b[5];

	if (is_pvst(&e->dst))
		return h->conf.pass_stp;
	if (!fwd_is_linklocal(&e->dst))
		return true;
	if (last == 0)
		return e->type == ETHER_LLDP ? h->conf.pass_lldp :
		    h->conf.pass_stp;
	return (last == 0x03 || last == 0x0e) && e->type == ETHER_LLDP &&
	    h->conf.pass_lldp;
}

bool
fwd_has_vlan(const struct port *p, uint16_t vlan)
{
	if (vlan == VLAN_RESERVED)
		return false;
	return !p->conf.policy.has_vlans ||
	    (p->conf.policy.vlans[vlan / 64] >> vlan % 64 & 1) != 0;
}

bool
fwd_may_enter(const struct hub *h, const struct port *from,
	      const struct eth *e, enum drop *why)
{
	if (mac_is_group(&e->src) || mac_is_null(&e->src)) {
		*why = DROP_HUB_SRC;
		return false;
	}
	if (mac_is_group(&e->dst) && !may_cross(h, e)) {
		*why = DROP_HUB_LINKLOCAL;
		return false;
	}
	if (!fwd_has_vlan(from, e->vlan)) {
		*why = DROP_HUB_VLAN;
		return false;
	}
	return true;
}

bool
fwd_may_leave(const struct port *from, const struct port *to, uint16_t vlan,
	      enum drop *why)
{
	if (from->conf.policy.is_isolated && to->conf.policy.is_isolated) {
		*why = DROP_HUB_ISOLATED;
		return false;
	}
	if (atomic_load_explicit(&to->live->is_blocked, memory_order_relaxed)) {
		*why = DROP_HUB_BLOCKED;
		return false;
	}
	if (!fwd_has_vlan(to, vlan)) {
		*why = DROP_HUB_VLAN;
		return false;
	}
	return true;
}

struct fwd_to
fwd_decide(const struct hub *h, const struct port *from, uint16_t vlan,
	   const struct mac *dst)
{
	struct fwd_to to = { FWD_SET, NULL, DROP_HUB_NOPORT };
	int num;

	if (mac_is_group(dst) || (num = mactab_find(h->macs, vlan, dst)) < 0)
		return to;
	if ((uint32_t)num == from->num || num == MAC_NOBODY) {
		to.what = FWD_DROP;
		if (num != MAC_NOBODY)
			to.why = DROP_HUB_SELF;
		return to;
	}
	to.port = port_at(h, (uint32_t)num);
	if (to.port == NULL)
		return to; /* just left: as an unknown address */
	to.what = fwd_may_leave(from, to.port, vlan, &to.why) ? FWD_PORT :
	    FWD_DROP;
	return to;
}
