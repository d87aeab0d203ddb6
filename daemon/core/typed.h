/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/typed.h - the supervisor's part of typed passwords: the socket
 * RUN/password.sock, which tapir-secure inherits, and a connection to it for
 * tapir-web.  Nothing is read or written here.
 *
 * Thread: the only one of the supervisor.
 */
#ifndef TAPIR_CORE_TYPED_H
#define TAPIR_CORE_TYPED_H

#include "daemon/core/spawn.h"

/** Listen; where that fails passwords cannot be typed, which is logged. */
void typed_listen(struct super *s);
/** A connection to who took the socket: it sees the supervisor's credentials.
 * @return a descriptor that does not block, for the caller; -1 = there is none. */
int typed_connect(const struct super *s);
/** Listen no longer, and remove it. */
void typed_end(struct super *s);

#endif
