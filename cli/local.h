/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/local.h - one question over a socket of the run directory that tapird has no
 * end of (daemon/ipc/visit.h).
 *
 * Thread: any.
 */
#ifndef TAPIR_CLI_LOCAL_H
#define TAPIR_CLI_LOCAL_H

#include "daemon/base/base.h"

/**
 * Ask and wait for the answer, 5 s at most.
 *
 * @param name of the socket in run_dir.
 * @param out  the answer; wipe() it where it is a secret.
 * @return bytes of the answer; ERR_NOTFOUND (nobody listens), ERR_PERM, ERR_CLOSED
 *         (refused or gone), ERR_TIMEOUT, ERR_LONG, ERR_SYS.
 */
MUST_USE int local_ask(const char *run_dir, const char *name, const void *q,
		       size_t len, void *out, size_t cap);

#endif
