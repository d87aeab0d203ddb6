/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/sandbox.c - the fence of the secure process.
 *
 * What is left: its channel, its rtnetlink socket, memory, time, writing log
 * lines, and /dev/net/tun with two ioctls.  No other file can be opened: not by
 * path (Landlock), not for reading alone (the flags of openat are fixed).
 *
 * Thread: the only one.
 */
#include "secure-proc/sandbox.h"
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "daemon/base/err.h"
#include "daemon/base/secret.h"

#define ALL_32 UINT64_C(0xffffffff)

static const char *const calls[] = {
	"read", "readv", "write", "writev", "close",
	"sendmsg", "recvmsg", "sendto", "recvfrom",
	"getsockname", "getsockopt",		/* libnl looks at its socket */
	"accept4",				/* password.sock, already listening */
	"poll", "ppoll", "restart_syscall",
	"munmap", "mremap", "madvise", "mlock", "munlock", "brk",
	"getrandom", "futex", "getpid", "gettid", "getuid", "geteuid",
	"clock_gettime", "clock_getres", "gettimeofday", "time",
	"rt_sigreturn", "rt_sigprocmask", "rt_sigaction", "sigaltstack",
	"tgkill",				/* abort() */
	"exit", "exit_group",
};
static const struct confine_arg args[] = {
	{ "openat", 2, ALL_32, O_RDWR | O_NONBLOCK | O_CLOEXEC },
	{ "ioctl", 1, ALL_32, TUNSETIFF },
	{ "ioctl", 1, ALL_32, TUNSETOFFLOAD },
	{ "mmap", 2, PROT_EXEC, 0 },
	{ "mprotect", 2, PROT_EXEC, 0 },
};

int
sec_confine(const struct confine_user *u, const int *keep, unsigned n_keep,
	    uint32_t *feat)
{
	static const struct confine_path paths[] = {
		{ "/dev/net/tun", true },
	};
	const struct confine_filter filter = {
		.who = "tapir-secure", .calls = calls, .n_call = N_OF(calls),
		.args = args, .n_arg = N_OF(args),
	};
	struct confine_user user = *u;
	int err;

	user.keep_caps = UINT64_C(1) << CAP_NET_ADMIN;
	if ((err = confine_common(feat)) != 0 ||
	    (err = confine_fds(keep, n_keep)) != 0 ||
	    (err = confine_drop(&user, feat)) != 0 ||
	    (err = confine_landlock(paths, N_OF(paths), feat)) != 0 ||
	    (err = confine_seccomp(&filter, confine_probe_all, CONFINE_P_END, feat)) != 0)
		return err;
	if (secret_is_locked())
		*feat |= CONFINE_F_LOCKED;
	confine_report("secure", *feat);
	return 0;
}
