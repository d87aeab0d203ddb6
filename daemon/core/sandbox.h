/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/sandbox.h - what the main and resolve roles give up.
 */
#ifndef TAPIR_CORE_SANDBOX_H
#define TAPIR_CORE_SANDBOX_H

#include "daemon/base/base.h"
#include <sys/types.h>

struct sandbox_user {
	uid_t uid;
	gid_t gid;
	bool is_rootless;
};

/** First step, before any thread: own user, no capability, no core dump.
 * 0 or an error, logged by the caller. */
MUST_USE int sandbox_drop(const struct sandbox_user *u, uint32_t *feat);
/** No file at all any more, for this thread and those it starts (Landlock
 * reaches no other): call it before any thread, after libraries have read what
 * they read at first use. */
MUST_USE int sandbox_files(uint32_t *feat);
/** Last step of the main role, for all running threads: system call filter,
 * self-test. */
MUST_USE int sandbox_close(uint32_t *feat);

#endif
