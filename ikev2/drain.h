/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/drain.h - a gateway, or a realm of it, that is emptied: step/away.c.
 *
 * Thread: the loop.
 */
#ifndef TAPIR_IKEV2_DRAIN_H
#define TAPIR_IKEV2_DRAIN_H

#include "ikev2/ike.h"
#include "ikev2/neg/redirect.h"

/* Who is to go, and where to with SEND. */
struct ike_drain {
	enum ike_drain_mode mode;
	struct ike_gw to;
};

#endif
