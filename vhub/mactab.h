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

struct mactab;

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
/** Port of an address, or -1. */
int mactab_find(const struct mactab *t, const struct mac *m);
/** A frame came from m by port at now_s.  *old: for MAC_MOVED and MAC_CLASH,
 * the port that had it.  Group and null addresses are the caller's to refuse. */
enum mac_learn mactab_learn(struct mactab *t, const struct mac *m,
			    uint32_t port, uint32_t now_s, uint32_t *old);
/** Fix an address to a port; a learned entry makes room.  0, ERR_EXISTS (fixed
 * to another port), ERR_FULL. */
MUST_USE int mactab_fix(struct mactab *t, const struct mac *m, uint32_t port);
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
