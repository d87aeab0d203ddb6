/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/role.h - the main role: everything but rights and secrets.
 */
#ifndef TAPIR_CORE_ROLE_H
#define TAPIR_CORE_ROLE_H

#include "daemon/core/core.h"
#include "daemon/core/sandbox.h"

/* Words between supervisor and main role: one byte a datagram, and what is said
 * to come along. */
#define ROLE_READY     'R'	/* main: serving */
#define ROLE_FAILED    'F'	/* main: gave up, its line is in the log */
#define ROLE_TERMINATE 'T'	/* supervisor: end cleanly */
#define ROLE_SECURE    'S'	/* supervisor: a new secure process; with a
				 * descriptor: the channel to it */
#define ROLE_RESOLVE   'N'	/* the same for the resolver */
#define ROLE_RELOAD    'H'	/* supervisor: SIGHUP arrived */
#define ROLE_DISTRUST  'D'	/* main: the secure process broke the protocol or
				 * is silent; its pid as 4 bytes */
#define ROLE_WORD_MAX  5

struct role_args {
	int sup_fd, secure_fd, resolve_fd, conf_fd;
	int key_log_fd;			/* -1 = none; tests only */
	const char *conf_name;
	const char *socks;		/* text form of the sock_set */
	struct sandbox_user user;
	uid_t secure_uid;
	uint32_t fallback;		/* bits of enum fallback; tests only */
	uid_t owner;			/* may command besides root */
};

/** Run the main role until told to end.  Exit status. */
int role_main(const struct role_args *a);

#endif
