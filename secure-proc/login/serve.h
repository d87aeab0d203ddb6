/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/login/serve.h - tapir-secure as the process that decides about the
 * passwords of the browser interface: no key, no right, one channel, one directory.
 */
#ifndef TAPIR_SECURE_LOGIN_SERVE_H
#define TAPIR_SECURE_LOGIN_SERVE_H

#include "daemon/ipc/confine.h"

/**
 * Confine and serve until the other end is gone.
 *
 * @param chan to tapir-web; @param dir keys/web.
 * @return 0, or an error that was logged.
 */
MUST_USE int login_serve(const struct confine_user *u, int chan, int dir);

#endif
