/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/fallback.h - what the kernel may lack on the packet path, and
 * the hidden option that pretends it does (--force-fallback=LIST, for tests).
 */
#ifndef TAPIR_CORE_FALLBACK_H
#define TAPIR_CORE_FALLBACK_H

#include "daemon/base/base.h"

enum fallback {
	FALLBACK_TAP_GSO,	/* no virtio_net_hdr: one frame a read */
	FALLBACK_USO,		/* no UDP super-frames on the TAP */
	FALLBACK_UDP_GSO,	/* no UDP_SEGMENT: one packet a datagram */
	FALLBACK_UDP_GRO,	/* no UDP_GRO: one packet a datagram */
	FALLBACK_PACKET_RING,	/* no ring for raw ESP: recvmmsg() */
	FALLBACK_END,
	/* not lacking, but broken: what a start and a worker must notice */
	FAULT_GSO_MANGLED = FALLBACK_END, /* trains arrive changed */
	FAULT_GSO_REFUSED,	/* the kernel refuses each train it is given */
	FAULT_END
};

/** Is a fallback in a mask? */
static inline bool
fallback_has(uint32_t mask, enum fallback f)
{
	return (mask >> f & 1) != 0;
}
/** Its word: "tap-gso", "uso", "udp-gso", "udp-gro", "packet-ring"; of a fault
 * "gso-mangled", "gso-refused". */
const char *fallback_name(enum fallback f);
/** Words separated by commas -> mask.  0 or ERR_SYNTAX (unknown word). */
MUST_USE int fallback_parse(const char *list, uint32_t *mask);

#endif
