/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/sandbox.h - what the secure process may still do once it serves.
 */
#ifndef TAPIR_SECURE_SANDBOX_H
#define TAPIR_SECURE_SANDBOX_H

#include "daemon/base/base.h"
#include "daemon/ipc/confine.h"

/**
 * Give up everything but CAP_NET_ADMIN, /dev/net/tun and the descriptors in
 * keep; prove it; report it.
 *
 * @param feat what was reached.
 * @return 0, or an error after which the process must not serve (logged).
 */
MUST_USE int sec_confine(const struct confine_user *u, const int *keep,
			 unsigned n_keep, uint32_t *feat);

#endif
