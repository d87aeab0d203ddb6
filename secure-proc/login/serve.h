/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/login/serve.h - tapir-secure as the process that decides about the
 * passwords of the browser interface: no key, no right, one directory.
 */
#ifndef TAPIR_SECURE_LOGIN_SERVE_H
#define TAPIR_SECURE_LOGIN_SERVE_H

#include "daemon/ipc/confine.h"

/* What it has; -1: not there. */
struct login_fds {
	int web;	/* channel of tapir-web */
	int super;	/* of the supervisor, for proofs */
	int listen;	/* RUN/login.sock */
	int dir;	/* keys/web */
};

/**
 * Confine and serve until tapir-web or the supervisor is gone.
 *
 * @param owner who besides root may make links.
 * @return 0, or an error that was logged.
 */
MUST_USE int login_serve(const struct confine_user *u, uid_t owner,
			 const struct login_fds *fd);

#endif
