/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/pseudo.h - the pseudo Ethernet address of a peer in IP mode.
 *
 * Thread: pure function.
 */
#ifndef TAPIR_CORE_PSEUDO_H
#define TAPIR_CORE_PSEUDO_H

#include "daemon/base/addr.h"
#include "daemon/base/base.h"

/**
 * 46 bits that look random, the same each time (requirements V5, V6): made from the
 * TAP's address, which is random and kept, and from who the peer is.  So the
 * neighbour caches of hosts stay right when the peer, or we, come back.  Two peers
 * may collide, and then one of them has to do with another address.
 *
 * @param tap    address of the realm's TAP.
 * @param realm  its name.
 * @param id     authenticated identity of the peer, as text.
 * @return 0 or ERR_CRYPTO.
 */
MUST_USE int pseudo_mac(const struct mac *tap, const char *realm,
			const char *id, struct mac *out);

#endif
