/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/verify/child.h - the process that parses what strangers say of
 * themselves, and the one that starts it anew.
 *
 *   tapir-secure ---- questions, answers ---- child   no file, no network, no key
 *        |                                      |  fetch: the network, no key
 *        +----- one byte: end it ---- keeper ---+     starts both, and again
 *
 * All are made before a secret is read, so there is none in their memory.
 */
#ifndef TAPIR_SECURE_VERIFY_CHILD_H
#define TAPIR_SECURE_VERIFY_CHILD_H

#include "daemon/base/base.h"
#include "daemon/ipc/confine.h"
#include "secure-proc/verify/trust.h"

/* The secure process's ends. */
struct sec_child {
	int fd;			/* questions and answers, non-blocking */
	int ctl_fd;		/* a byte: the child hangs, end it */
};

/**
 * Start keeper and child.  Call it before a key is loaded.
 *
 * @param trust borrowed; the child has its own copy from here on.
 * @return 0 or ERR_SYS.
 */
MUST_USE int sec_child_start(struct sec_trust *trust,
			     const struct confine_user *u,
			     struct sec_child *out);

/** The child's work: answer questions on fd until it is closed.  Not confined
 * by itself, so that tests can run it.
 *
 * @param fetch_fd to the fetch process; -1: there is none.
 * @return 0 or an error. */
MUST_USE int sec_child_serve(struct sec_trust *trust, int fd, int fetch_fd);

#endif
