/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/sandbox.c - the fence of tapir-web.
 *
 * What is left: reading, writing and accepting on what is open, memory, time.
 * It was started in a network namespace of its own, where there is nothing; the
 * listening sockets belong to the one outside.
 *
 * Thread: the only one.
 */
#include "webui/sandbox.h"
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include "daemon/base/err.h"

#define ALL_32 UINT64_C(0xffffffff)

static const char *const calls[] = {
	"read", "readv", "write", "writev", "close", "shutdown", "accept4",
	"sendto", "sendmsg", "recvfrom", "recvmsg",
	"getsockname", "getpeername", "getsockopt", "setsockopt",
	"epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_ctl", "poll",
	"timerfd_settime", "restart_syscall",
	"munmap", "mremap", "madvise", "brk", "futex",
	"getrandom", "getpid", "gettid", "getuid", "geteuid",
	"clock_gettime", "gettimeofday", "time",
	"rt_sigreturn", "rt_sigprocmask", "rt_sigaction", "sigaltstack",
	"tgkill",		/* abort() */
	"fcntl", "fstat", "newfstatat", "lseek", "exit", "exit_group",
};
static const struct confine_arg args[] = {
	{ "ioctl", 1, ALL_32, FIONREAD },	/* libevent, before it reads */
	{ "ioctl", 1, ALL_32, FIONBIO },
	{ "mmap", 2, PROT_EXEC, 0 },
	{ "mprotect", 2, PROT_EXEC, 0 },
};

int
ui_confine(const struct confine_user *u)
{
	static const struct confine_filter filter = {
		.who = "tapir-web", .calls = calls, .n_call = N_OF(calls),
		.args = args, .n_arg = N_OF(args),
	};
	struct confine_user user = *u;
	uint32_t feat = 0;
	int err;

	user.keep_caps = 0;
	if ((err = confine_common(&feat)) != 0 ||
	    (err = confine_drop(&user, &feat)) != 0)
		return err;
	/* Changing the user forgot it. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0)
		return ERR_SYS;
	if ((err = confine_shut(&filter, &feat)) != 0)
		return err;
	/* it has no secrets that would have to be locked */
	confine_report("web", feat | CONFINE_F_LOCKED);
	return 0;
}
