/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/pool.h - addresses for clients: configuration, book, file.
 *
 *   <pool> ---> pool_realm()          lease.h: who has which
 *   STATE/leases <--- every change;   read once, at the start
 *
 * The supervisor opens the file; without one (-1) leases last as long as the
 * process.  A record goes into the kernel before the address goes to the client,
 * and is not waited for to reach the disk: after a power failure an identity
 * most likely gets the address again that follows from its name.
 *
 * Thread: the loop.
 */
#ifndef TAPIR_CORE_POOL_H
#define TAPIR_CORE_POOL_H

#include "conf/conf.h"
#include "daemon/base/base.h"
#include "daemon/base/vpn_cfg.h"

struct ike_cfg_req;
struct lease_info;
struct lease_count;
struct pools;

/** @param fd the file, taken; -1 = none.  0 or ERR_NOMEM. */
MUST_USE int pools_new(struct pools **out, int fd);
/** NULL is fine. */
void pools_free(struct pools *p);
/** A realm came or changed; without a <pool> it has none any more. */
MUST_USE int pools_realm(struct pools *p, const struct conf_realm *r);
/** A realm went. */
void pools_realm_gone(struct pools *p, const char *realm);
/**
 * What an identity of a realm gets of what it asks for.
 *
 * @param out    filled; the addresses have the length of their network.
 * @param why    a sentence for ERR_FULL.
 * @return 0, ERR_NOTFOUND, ERR_FULL, ERR_NOMEM.
 */
MUST_USE int pools_take(struct pools *p, const struct conf_realm *r,
			const char *who, const struct ike_cfg_req *req,
			struct vpn_cfg *out, char *why, size_t cap);
/** As lease_next(). */
bool pools_next(const struct pools *p, uint32_t *it, struct lease_info *out);
/** How full a realm's pool is; all zero where there is none. */
void pools_count(const struct pools *p, const char *realm, uint8_t family,
		 struct lease_count *out);
/** The identity is away. */
void pools_end(struct pools *p, const char *realm, const char *who);

#endif
