/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/bridge.h - is each TAP in its bridge?  Asked of the secure process
 * once a second, which puts it back; told when it changes.
 *
 * Thread: the loop.
 */
#ifndef TAPIR_CORE_BRIDGE_H
#define TAPIR_CORE_BRIDGE_H

#include "daemon/core/core.h"

/** Ask for every realm with a bridge; call about once a second. */
void bridge_tick(struct vpn *v);
/** The secure process answered: 0 when the TAP of a realm is in its bridge
 * (has_joined: it was not before), or an error and why it is not. */
void bridge_answer(struct vpn *v, uint32_t realm, int err, bool has_joined,
		   const char *why);
/** Set state and reason of a realm's record for tapir status. */
struct bus_rec;
void bridge_status(const struct vpn_realm *r, struct bus_rec *rec);

#endif
