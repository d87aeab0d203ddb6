/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/sandbox.c - what the main and resolve roles give up.
 *
 * The main role's sockets and TAP queues are open before it drops anything;
 * afterwards it opens no file and no socket, and needs no capability.
 */
#include "daemon/core/sandbox.h"
#include "daemon/base/err.h"
#include "daemon/ipc/confine.h"

/* Everything the main role still does, in groups. */
static const char *const calls[] = {
	/* packets and messages */
	"read", "readv", "write", "writev", "recvfrom", "recvmsg", "recvmmsg",
	"sendto", "sendmsg", "sendmmsg", "accept4", "close", "shutdown",
	"dup2", "dup3",	/* a new channel to the diary under the old number */
	"connect",	/* the probe sockets ask for routes with it */
	"getsockname", "getsockopt", "setsockopt",
	/* waiting */
	"epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_ctl", "poll", "ppoll", "futex",
	"nanosleep", "clock_nanosleep", "clock_gettime", "sched_yield",
	"restart_syscall",
	/* memory */
	"mmap", "munmap", "mprotect", "mremap", "madvise", "brk", "mlock",
	"mlock2", "munlock",
	"sched_getaffinity", /* malloc, when the ninth thread allocates */
	/* itself */
	"getpid", "gettid", "tgkill", "getrandom", "rt_sigprocmask",
	"rt_sigreturn", "sigaltstack", "exit", "exit_group",
	"set_robust_list", "rseq", "fcntl", "fstat", "newfstatat", "lseek",
};

int
sandbox_drop(const struct sandbox_user *u, uint32_t *feat)
{
	struct confine_user cu = {
		.uid = u->uid,
		.gid = u->gid,
		.is_rootless = u->is_rootless,
		.keep_caps = 0,
	};
	int err;

	if ((err = confine_common(feat)) != 0)
		return err;
	return confine_drop(&cu, feat);
}

int
sandbox_files(uint32_t *feat)
{
	return confine_landlock_none(feat);
}

int
sandbox_close(uint32_t *feat)
{
	static const enum confine_probe probes[] = {
		CONFINE_P_OPEN, CONFINE_P_INET, CONFINE_P_PACKET,
		CONFINE_P_FORK, CONFINE_P_EXEC, CONFINE_P_PTRACE,
		CONFINE_P_SETUID, CONFINE_P_UNSHARE, CONFINE_P_MOUNT,
	};
	struct confine_filter f = {
		.who = "tapird",
		.calls = calls,
		.n_call = N_OF(calls),
	};

	return confine_seccomp(&f, probes, N_OF(probes), feat);
}
