/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/icmp.h - "that packet is too large": whether its sender may be told, and
 * the answer.
 *
 * Thread: pure functions over byte arrays.
 */
#ifndef TAPIR_VHUB_ICMP_H
#define TAPIR_VHUB_ICMP_H

#include "daemon/base/base.h"
#include "daemon/base/cur.h"

#define ICMP_MTU4_MIN 68	/* RFC 791 3.2: every link carries so much */
#define ICMP_MTU6_MIN 1280	/* RFC 8200 5 */
#define ICMP_MAX      1280	/* bytes of the longest answer; RFC 4443 2.4 (c) */

/* What becomes of a packet that is larger than the path. */
enum icmp_may {
	ICMP_CUT,	/* it may be cut: it asks for nothing else, or its
			 * sender may not be told */
	ICMP_TELL,	/* its sender is told, and it ends here */
};

/**
 * May the sender of a packet be told that it is too large?  RFC 1812 4.3.2.7 and
 * RFC 4443 2.4 (e): not about errors of ICMP, about what was sent to or from
 * more than one host, about pieces of packets; RFC 1191 4: not where the packet
 * may be cut on its way.
 *
 * @param packet  an IP packet, padding behind it permitted.
 */
enum icmp_may icmp_may_tell(struct view packet);

/** Bytes of the answer to an IP packet; at most ICMP_MAX. */
size_t icmp_too_big_len(struct view packet);
/**
 * Write the answer: Destination Unreachable, fragmentation needed (RFC 1191 4),
 * or Packet Too Big (RFC 4443 3.2).
 *
 * It comes from the packet's own destination: a switch has no address, that of
 * the TAP would be refused by the host that owns it, and an IP peer takes only
 * what lies inside of the selectors.
 *
 * @param packet  one that icmp_may_tell() says ICMP_TELL about.
 * @param mtu     what would fit; raised to the least that IP knows.
 */
void icmp_too_big(struct wcur *w, struct view packet, uint32_t mtu);

#endif
