/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/neg/redirect.h - data of REDIRECT and REDIRECTED_FROM (RFC 5685 9), and
 * the bound of redirections (7).  Pure.
 */
#ifndef TAPIR_IKEV2_NEG_REDIRECT_H
#define TAPIR_IKEV2_NEG_REDIRECT_H

#include "daemon/base/addr.h"
#include "daemon/base/cur.h"

#define IKE_GW_NAME_MAX	     254	/* a domain name with its NUL */
#define IKE_GW_DATA_MAX	     (2 + 255)	/* type, length, identity */
#define IKE_REDIRECTS_MAX    5		/* RFC 5685 7: MAX_REDIRECTS */
#define IKE_REDIRECTS_MS     300000	/* REDIRECT_LOOP_DETECT_PERIOD */

/* A gateway: by address, or by name when ip.family is 0. */
struct ike_gw {
	struct ip_addr ip;
	char name[IKE_GW_NAME_MAX];
};

/**
 * Read a gateway.
 *
 * @param nonce  what follows it: the initiator's nonce in IKE_SA_INIT, else empty.
 * @return 0; ERR_SHORT; ERR_SYNTAX: an address of another length, or one that no
 *         gateway can have, or a name with anything but letters, digits, dots and
 *         hyphens; ERR_UNSUP: another type.
 */
MUST_USE int ike_gw_read(struct view data, struct ike_gw *out,
			 struct view *nonce);
/** Write one; @return its length.  out: IKE_GW_DATA_MAX. */
size_t ike_gw_write(const struct ike_gw *gw, uint8_t *out);

/* Redirections of one peer. */
struct ike_redirects {
	uint64_t since_ms;
	unsigned n;
};

/* Where a peer of ours sent us. */
struct ike_away {
	struct ike_redirects redirects;
	bool is_elsewhere;		/* dial that gateway, once: */
	struct ip_addr elsewhere, home;	/* home: who sent us there */
	bool is_naming;			/* its name is being looked up */
};

/** One more: may it be followed? */
bool ike_redirects_take(struct ike_redirects *r, uint64_t now_ms);

#endif
