/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/wire/cfg.h - what configuration attributes say: RFC 7296 3.15.1, split
 * DNS (RFC 8598), encrypted DNS (RFC 9464).
 *
 *   CFG_REQUEST   struct ike_cfg_req  <-> struct ike_cp <-> bytes (pl_cp.c)
 *   CFG_REPLY     struct vpn_cfg      <-> struct ike_cp <-> bytes
 *
 * Reading keeps what can be used and leaves the rest: attributes that are not
 * known, values nobody can have, more than there is room for.  The trust anchors
 * of RFC 8598 and the digests of RFC 9464 are neither asked for nor sent: an
 * anchor from a gateway may only be believed for names its owner listed
 * beforehand, and resolvers here check certificates by their name.
 *
 * Pure.  Thread: any.
 */
#ifndef TAPIR_IKEV2_WIRE_CFG_H
#define TAPIR_IKEV2_WIRE_CFG_H

#include "daemon/base/vpn_cfg.h"
#include "ikev2/wire/wire.h"

/* What is asked for.  A wish is an address that the client had before. */
struct ike_cfg_req {
	bool has_ip4, has_ip6;
	struct ip_addr wish4, wish6;	/* family 0 = any */
	bool has_mask;			/* wants to know the prefix */
	bool has_dns4, has_dns6;
	bool has_subnet4, has_subnet6;
	bool has_domain;		/* can do split DNS */
	bool has_enc4, has_enc6;
	bool has_supported;		/* which attributes do we know? */
};

/** Which of them are asked for; anything else is left.  cp is a CFG_REQUEST. */
void ike_cfg_req_read(const struct ike_cp *cp, struct ike_cfg_req *out);
/**
 * The CFG_REQUEST that asks.
 *
 * @param a    attributes and values come from here.
 * @return 0 or ERR_NOMEM.
 */
MUST_USE int ike_cfg_req_write(struct arena *a, const struct ike_cfg_req *req,
			       struct ike_cp *out);
/**
 * What a CFG_REPLY hands to us.  Of several addresses of a family the first.
 * Names without any server for them are left.  cp is a CFG_REPLY.
 */
void ike_cfg_read(const struct ike_cp *cp, struct vpn_cfg *out);
/**
 * The CFG_REPLY: of cfg what was asked for, and networks, which any client may
 * be told (3.15.2).
 *
 * @return 0, or ERR_NOMEM.
 */
MUST_USE int ike_cfg_write(struct arena *a, const struct ike_cfg_req *req,
			   const struct vpn_cfg *cfg, struct ike_cp *out);

#endif
