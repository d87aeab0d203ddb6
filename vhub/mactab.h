/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/mactab.h - which Ethernet address is behind which port.
 *
 * Bounded as a whole and per port; what does not fit is not learned.  Fixed
 * entries (the TAP, pseudo addresses) cannot be learned over and do not age.
 *
 * Thread: find and learn: any worker, no lock.  The rest: the loop.
 */
#ifndef TAPIR_VHUB_MACTAB_H
#define TAPIR_VHUB_MACTAB_H

#include "vhub/hub.h"

#define MAC_NOBODY	HUB_PORT_MAX	/* fixed, but its port is not here */

struct mactab;

/* By whom an address was seen. */
struct mac_seen {
	uint32_t port;
	uint32_t max;		/* addresses the port may have */
	uint32_t now_s;
};

enum mac_learn {
	MAC_KNOWN,
	MAC_NEW,
	MAC_MOVED,
	MAC_CLASH,	/* a fixed address of another port */
	MAC_TABLE_FULL,
	MAC_PORT_FULL,
};

MUST_USE int mactab_new(struct mactab **out);
void mactab_free(struct mactab *t);
/** Port of an address in a VLAN (0 = untagged), or -1; MAC_NOBODY when it is
 * fixed to a port that is not here. */
int mactab_find(const struct mactab *t, uint16_t vlan, const struct mac *m);
/** A frame came from m.  *old: for MAC_MOVED and MAC_CLASH, the port that had
 * it.  Group and null addresses are the caller's to refuse. */
enum mac_learn mactab_learn(struct mactab *t, uint16_t vlan,
			    const struct mac *m, const struct mac_seen *by,
			    uint32_t *old);
/** Fix an address to a port, in every VLAN; a learned entry makes room, and so
 * does one of MAC_NOBODY.  0, ERR_EXISTS (fixed to another port), ERR_FULL. */
MUST_USE int mactab_fix(struct mactab *t, const struct mac *m, uint32_t port);
/** The port goes, but its address stays fixed: MAC_NOBODY has it now. */
void mactab_vacate(struct mactab *t, const struct mac *m, uint32_t port);
/** Take a fixed address out. */
void mactab_unfix(struct mactab *t, const struct mac *m);
/** Forget what was learned on a port (fixed entries too when all). */
void mactab_forget(struct mactab *t, uint32_t port, bool all);
/** Forget what was not seen for age_s. */
void mactab_age(struct mactab *t, uint32_t now_s, uint32_t age_s);
/** Learned entries, of all ports or one. */
uint32_t mactab_count(const struct mactab *t);
uint32_t mactab_count_port(const struct mactab *t, uint32_t port);
/** Visit: start with *it = 0; age_s holds the second it was seen. */
bool mactab_next(const struct mactab *t, uint32_t *it, struct hub_mac_info *out);

#endif
