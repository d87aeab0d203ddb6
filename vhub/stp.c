/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/stp.c - spanning tree that crosses the hub: topology changes are noticed.
 *
 * The hub takes no part in spanning tree; with stp="pass" it is a cable to the
 * bridges around it.  But it has learned addresses, and when the tree changes
 * hosts are behind other ports: what was learned is forgotten then, and while a
 * change goes on an address is kept for 15 s only (IEEE 802.1D 17.11, 7.9.2).
 *
 *   dst 01-80-C2-00-00-00 | length | 42 42 03 | 0000 | version | type | flags
 *   dst 01-00-0C-CC-CC-CD | length | aa aa 03 00 00 0c 01 0b | the same
 *
 * Type 80 is a notification; of types 00 and 02 bit 0 of the flags says it.
 *
 * Thread: stp_input() any worker; stp_tick() the loop.
 */
#include "vhub/priv.h"

#define TYPE_CONFIG	0x00
#define TYPE_RAPID	0x02
#define TYPE_NOTICE	0x80
#define FLAG_CHANGE	0x01
#define LLC_STP		0x424203u
#define LLC_SNAP	0xaaaa03u
#define OUI_CISCO	0x00000cu
#define PID_PVST	0x010b
#define GO_ON_S		5	/* no word of it for so long: it is over */
#define FLUSH_S		8	/* not more often; whoever sends BPDUs could
				 * make us flood all the time */

static int
u24(struct cur *c, uint32_t *out)
{
	uint16_t hi = 0;
	uint8_t lo = 0;
	int err;

	if ((err = cur_u16(c, &hi)) != 0 || (err = cur_u8(c, &lo)) != 0)
		return err;
	*out = (uint32_t)hi << 8 | lo;
	return 0;
}

bool
stp_is_change(struct view v)
{
	uint32_t llc = 0, oui = 0;
	uint16_t pid = 0, proto = 1;
	uint8_t version = 0, type = 0, flags = 0;
	struct cur c;

	cur_init(&c, v.p, v.len);
	if (u24(&c, &llc) != 0 || (llc != LLC_STP && llc != LLC_SNAP))
		return false;
	if (llc == LLC_SNAP && (u24(&c, &oui) != 0 || oui != OUI_CISCO ||
	    cur_u16(&c, &pid) != 0 || pid != PID_PVST))
		return false;
	if (cur_u16(&c, &proto) != 0 || proto != 0 ||
	    cur_u8(&c, &version) != 0 || cur_u8(&c, &type) != 0)
		return false;
	if (type == TYPE_NOTICE)
		return true;
	return (type == TYPE_CONFIG || type == TYPE_RAPID) &&
	    cur_u8(&c, &flags) == 0 && (flags & FLAG_CHANGE) != 0;
}

void
stp_input(struct hub *h, const struct eth *e)
{
	if (stp_is_change(e->data))
		atomic_store_explicit(&h->has_change, true,
		    memory_order_relaxed);
}

uint32_t
stp_tick(struct hub *h, uint32_t now_s)
{
	bool is_going_on = h->changed_s != 0 && now_s - h->changed_s < GO_ON_S;

	if (atomic_exchange(&h->has_change, false)) {
		h->changed_s = now_s;
		if (!is_going_on && (h->flushed_s == 0 ||
		    now_s - h->flushed_s >= FLUSH_S)) {
			h->flushed_s = now_s;
			for (uint32_t i = 0; i < h->n_slot; i++)
				hub_port_flush(h, i);
		}
		is_going_on = true;
	}
	return is_going_on ? HUB_CHANGE_AGE_S : HUB_MAC_AGE_S;
}
