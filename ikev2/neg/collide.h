/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/neg/collide.h - who wins when both ends rekey at once (2.8.1).  Pure.
 */
#ifndef TAPIR_IKEV2_NEG_COLLIDE_H
#define TAPIR_IKEV2_NEG_COLLIDE_H

#include "daemon/base/base.h"

/** Order of nonces: octet by octet; a shorter one that begins the same is
 * lower.  < 0, 0, > 0. */
int ike_nonce_compare(struct view a, struct view b);
/** The lower one of an exchange. */
struct view ike_nonce_lower(struct view ni, struct view nr);

#endif
