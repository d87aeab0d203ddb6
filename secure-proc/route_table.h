/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/route_table.h - which IKE SA asked for which route.
 *
 * The same prefix may be wanted by several SAs of a realm: the kernel's route
 * goes in with the first and out with the last.
 *
 * Thread: the only one.
 */
#ifndef TAPIR_SECURE_ROUTE_TABLE_H
#define TAPIR_SECURE_ROUTE_TABLE_H

#include "daemon/base/addr.h"
#include "daemon/base/base.h"

#define SEC_ROUTE_MAX	 8192	/* all of them; ours */
#define SEC_ROUTE_SA_MAX 64	/* of one SA; ours */

struct map;
/* All zero: empty. */
struct sec_routes {
	struct map *by_sa;	/* handle -> its wants */
	struct map *by_net;	/* realm and prefix -> how many want it */
	unsigned n;
};

void sec_routes_fini(struct sec_routes *t);
/** SAs that want this prefix. */
unsigned sec_routes_users(const struct sec_routes *t, uint32_t realm,
			  const struct ip_net *prefix);
bool sec_routes_has(const struct sec_routes *t, uint32_t handle,
		    uint32_t realm, const struct ip_net *prefix);
/** 0, ERR_FULL (of all or of this SA) or ERR_NOMEM. */
MUST_USE int sec_routes_add(struct sec_routes *t, uint32_t handle,
			    uint32_t realm, const struct ip_net *prefix);
void sec_routes_remove(struct sec_routes *t, uint32_t handle, uint32_t realm,
		       const struct ip_net *prefix);
/** Take out any one of a handle's; false when it has none left. */
bool sec_routes_take(struct sec_routes *t, uint32_t handle, uint32_t *realm,
		     struct ip_net *prefix);

#endif
