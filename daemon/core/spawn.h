/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/spawn.h - how the supervisor starts the roles: users, channels,
 * arguments, what a child inherits.  Shared by super.c and spawn.c only.
 */
#ifndef TAPIR_CORE_SPAWN_H
#define TAPIR_CORE_SPAWN_H

#include <sys/types.h>
#include "daemon/core/core.h"
#include "daemon/core/sandbox.h"
#include "daemon/core/super.h"

#define SUPER_PATH_MAX 512
#define ID_FALLBACK    64510	/* first of the numeric ids taken when the users
				 * tapir and tapir-sec do not exist */

struct super {
	const struct super_args *args;
	struct conf *conf;
	char *conf_text;
	size_t conf_len;
	char key_dir[SUPER_PATH_MAX];
	char exe_dir[SUPER_PATH_MAX];
	char ctl_path[SUPER_PATH_MAX], pid_path[SUPER_PATH_MAX];
	int lock_fd, sig_fd, key_log_fd, ready_fd;
	struct sock_set socks;
	struct sandbox_user main_user, secure_user;
	pid_t main_pid, secure_pid, resolve_pid; /* 0 = does not run */
	uint64_t secure_due_ms, resolve_due_ms;	/* to start it again; 0 = not */
	int main_fd;		/* words to and from the main role */
	bool is_claimed;	/* the run directory is ours */
	bool is_ready, is_stopping;
	unsigned n_death;
	uint64_t death_ms;	/* start of the current window */
	int status;
};

/** Choose the users of the roles, and say which. */
void spawn_users(struct super *s);
/** Start the secure process; chan (its end of the channel) is taken. */
MUST_USE int spawn_secure(struct super *s, int chan);
/** Start the resolver; fd (its end of the channel) is taken. */
MUST_USE int spawn_resolver(struct super *s, int fd);
/** A pair of sockets for words.  0 or ERR_SYS. */
MUST_USE int spawn_pair(int fd[2]);
/** Start all roles, with fresh channels between them. */
MUST_USE int spawn_all(struct super *s);
/** Let exec'd children have the sockets, or no longer. */
void spawn_inherit_socks(struct super *s, bool on);

#endif
