/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/rawip.h - the IP header of a packet that the kernel's IP layer has
 * not looked at.
 *
 * A packet socket hands over what arrived on the wire.  Only the two shapes that
 * ESP has in practice are taken from it; whatever has IPv4 options or IPv6
 * extension headers goes through the kernel (pring.h says how the two are kept
 * apart).
 *
 *   IPv4 header of 20 bytes, RFC 791        | ESP or a piece of it
 *   IPv6 header, RFC 8200                   | ESP
 *   IPv6 header | fragment header           | a piece of ESP
 *
 * Thread: pure functions.
 */
#ifndef TAPIR_CORE_RAWIP_H
#define TAPIR_CORE_RAWIP_H

#include "daemon/base/addr.h"
#include "daemon/base/base.h"

#define RAWIP_PROTO_ESP 50

struct rawip {
	struct ip_addr src, dst;
	struct view data;	/* borrowed: ESP, or a piece of it */
	uint32_t id;		/* of the datagram a piece belongs to */
	uint16_t off;		/* of the piece, bytes */
	bool more;		/* pieces follow */
};

/** Is it a piece of a datagram? */
static inline bool
rawip_is_piece(const struct rawip *ip)
{
	return ip->off != 0 || ip->more;
}
/**
 * Decode and check: version, lengths, protocol, IPv4 header checksum, addresses
 * that a host may send from and to.
 *
 * @param pkt  from the IP header on; bytes behind the IP length are ignored.
 * @return 0, ERR_SHORT, ERR_SYNTAX, ERR_UNSUP (a shape not taken), ERR_ADDR.
 */
MUST_USE int rawip_decode(struct view pkt, struct rawip *out);

#endif
