/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/mss.h - the largest segment that two ends of TCP announce to each other,
 * made to fit the path between them (requirement E3).
 *
 * A host announces in its SYN how large the segments may be that it is sent.  It
 * takes that from its own link and knows nothing of the tunnel behind it; where
 * the answer of routers does not reach it either, its connections hang.
 *
 * Thread: pure functions over byte arrays.
 */
#ifndef TAPIR_VHUB_MSS_H
#define TAPIR_VHUB_MSS_H

#include "daemon/base/base.h"

#define MSS_MIN 48	/* never made smaller: there is no IP link with less */

/**
 * Lower the MSS option of a TCP SYN or SYN/ACK, and correct the checksum
 * (RFC 1624).  It is never raised, and never added where there is none.
 *
 * @param packet  an IP packet, n bytes, padding behind it permitted; of it only
 *                the option and the checksum are written.
 * @param mtu     bytes of the largest IP packet that is to be sent; 0 = any.
 * @param most    the option at most, whatever the MTU; 0 = any.
 * @return true when something was changed.
 */
bool mss_lower(uint8_t *packet, size_t n, uint32_t mtu, uint32_t most);

#endif
