/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/behind.h - what lies behind a link in IP mode: the remote
 * selectors of all its child SAs put together.
 *
 * Thread: the loop.
 */
#ifndef TAPIR_CORE_BEHIND_H
#define TAPIR_CORE_BEHIND_H

#include "daemon/base/vpn.h"

struct behind;

/** @param n_link links are below it.  0 or ERR_NOMEM. */
MUST_USE int behind_new(struct behind **out, unsigned n_link);
void behind_free(struct behind *b);
/** A child SA came.  0 or ERR_NOMEM. */
MUST_USE int behind_add(struct behind *b, uint32_t link,
			const struct vpn_child *c);
/** It went; unknown ones are ignored. */
void behind_del(struct behind *b, uint32_t link, uint32_t child_id);
/** All of a link, none twice; those beyond VPN_TS_MAX are left out.  How many. */
unsigned behind_get(const struct behind *b, uint32_t link,
		    struct vpn_ts out[VPN_TS_MAX]);

#endif
