/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/forward.c - where a frame goes: one port, a set, or a named drop.
 *
 * Pure: looks into tables, changes nothing, sends nothing.  Thread: any worker.
 */
#include <string.h>
#include "vhub/priv.h"

bool
fwd_is_linklocal(const struct mac *dst)
{
	static const uint8_t head[5] = { 0x01, 0x80, 0xc2, 0x00, 0x00 };

	return memcmp(dst->b, head, sizeof(head)) == 0 && dst->b[5] < 0x10;
}

struct fwd_to
fwd_decide(const struct hub *h, const struct port *from, const struct mac *dst)
{
	struct fwd_to to = { FWD_SET, NULL, DROP_HUB_NOPORT };
	int num;

	/* IEEE 802.1D 7.12.6: never forwarded by a bridge. */
	if (fwd_is_linklocal(dst)) {
		to.what = FWD_DROP;
		to.why = DROP_HUB_LINKLOCAL;
		return to;
	}
	if (mac_is_group(dst) || (num = mactab_find(h->macs, dst)) < 0)
		return to;
	if ((uint32_t)num == from->num) {
		to.what = FWD_DROP;
		to.why = DROP_HUB_SELF;
		return to;
	}
	to.port = port_at(h, (uint32_t)num);
	if (to.port != NULL)
		to.what = FWD_PORT;
	return to; /* a port that just left: as an unknown address */
}
