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
/** Give the peers of r->conf their places, in its order.  0 or ERR_NOMEM. */
MUST_USE int realm_places(struct vpn_realm *r);
/** What the engine is told of a realm (without peers), of a peer, and of bounds;
 * .index is the place in the configuration. */
void realm_params(const struct conf_realm *cr, struct ike_realm_conf *out);
void realm_peer_params(const struct vpn *v, const struct conf_realm *r,
		       const struct conf_peer *p,
		       struct ike_peer_conf *out);
void realm_limits(const struct conf *c, struct ike_conf *out);
/** Publish that the realms are ready. */
void realm_announce(struct vpn *v);
/** End a realm while others run: its peers are told, its TAP goes once every
 * worker let go of it (thr_defer()). */
void realm_end(struct vpn *v, struct vpn_realm *r, const char *why);
/** Begin a realm of v->conf.  What fails is an event.  0 or an error. */
MUST_USE int realm_begin(struct vpn *v, const struct conf_realm *cr);
/** Free all of it; the TAP devices go with their descriptors. */
void realm_close_all(struct vpn *v);
/** Write session keys in Wireshark's table forms to f (tests). */
void realm_key_log(struct vpn *v, FILE *f);

#endif
