/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/realm.h - configured realms become TAPs, hubs and IKE parameters.
 */
#ifndef TAPIR_CORE_REALM_H
#define TAPIR_CORE_REALM_H

#include "daemon/core/core.h"
#include <stdio.h>

/** Have the TAP of every realm made.  Errors are logged. */
MUST_USE int realm_open_all(struct vpn *v);
/** Workers, ESP, hubs, engine; threads may start afterwards. */
MUST_USE int realm_start(struct vpn *v);
/** Publish that the realms are ready. */
void realm_announce(struct vpn *v);
/** Free all of it; the TAP devices go with their descriptors. */
void realm_close_all(struct vpn *v);
/** Write session keys in Wireshark's table forms to f (tests). */
void realm_key_log(struct vpn *v, FILE *f);

#endif
