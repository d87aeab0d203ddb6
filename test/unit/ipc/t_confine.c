/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ipc/t_confine.c - confinement, each case in a child of its own.
 */
#include "daemon/ipc/confine.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "test/lib/test.h"

static const char *const few[] = {
	"read", "write", "writev", "close", "exit", "exit_group", "mmap",
	"munmap", "mprotect", "brk", "futex", "rt_sigprocmask", "rt_sigaction",
	"rt_sigreturn", "sigaltstack", "madvise", "getpid", "gettid", "tgkill",
	"clock_gettime",
	/* what a thread does at its start: sanitizers start one of their own
	 * in a child, before the filter or after it */
	"rseq", "set_robust_list", "sched_yield", "nanosleep",
	"clock_nanosleep", "sched_getaffinity", "prctl",
};
static const enum confine_probe all[] = {
	CONFINE_P_OPEN, CONFINE_P_INET, CONFINE_P_PACKET, CONFINE_P_FORK,
	CONFINE_P_EXEC, CONFINE_P_PTRACE, CONFINE_P_SETUID, CONFINE_P_UNSHARE,
	CONFINE_P_MOUNT, CONFINE_P_KILL, CONFINE_P_BPF, CONFINE_P_KEYCTL,
};
static const struct confine_filter filter = {
	.who = "test", .calls = few, .n_call = N_OF(few),
};

static void
sink_none(void *ctx UNUSED, enum log_level lv UNUSED, const char *who UNUSED,
	  const char *line UNUSED)
{
}

/* Run a body in a child; its wait status. */
static int
in_child(int (*body)(void))
{
	int st = -1;
	pid_t pid = fork();

	if (pid == 0) {
		log_set_sink(sink_none, NULL);
		_exit(body());
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	return st;
}

static int
limits_body(void)
{
	struct rlimit rl;
	uint32_t feat = 0;

	if (confine_common(&feat) != 0 || getrlimit(RLIMIT_CORE, &rl) != 0)
		return 1;
	if (rl.rlim_max != 0 || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return 2;
	if (umask(0) != 077 || (feat & CONFINE_F_NODUMP) == 0)
		return 3;
	return 0;
}

TEST(limits_are_set)
{
	assert_int_equal(in_child(limits_body), 0);
}

static int
fds_body(void)
{
	int keep[2];

	if (dup2(0, 20) < 0 || dup2(0, 21) < 0 || dup2(0, 30) < 0)
		return 1;
	keep[0] = 30;			/* not in order, on purpose */
	keep[1] = 20;
	if (confine_fds(keep, 2) != 0)
		return 2;
	if (fcntl(20, F_GETFD) < 0 || fcntl(30, F_GETFD) < 0)
		return 3;
	for (int i = 3; i < 64; i++)
		if (i != 20 && i != 30 && fcntl(i, F_GETFD) >= 0)
			return 4;
	return fcntl(2, F_GETFD) >= 0 ? 0 : 5;
}

TEST(only_the_named_descriptors_stay_open)
{
	assert_int_equal(in_child(fds_body), 0);
}

static int
filter_body(void)
{
	uint32_t feat = 0;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return 1;
	if (confine_seccomp(&filter, all, N_OF(all), &feat) != 0)
		return 2;
	return (feat & CONFINE_F_TESTED) != 0 ? 0 : 3;
}

TEST(a_tight_filter_passes_the_self_test)
{
	assert_int_equal(in_child(filter_body), 0);
}

static int
kill_body(void)
{
	uint32_t feat = 0;

	if (confine_seccomp(&filter, all, N_OF(all), &feat) != 0)
		return 2;
	(void)socket(AF_INET, SOCK_DGRAM, 0);
	return 0;
}

TEST(a_forbidden_call_after_the_self_test_kills)
{
	int st = in_child(kill_body);

#ifdef TAPIR_DEBUG
	assert_int_equal(st, 0);	/* refused, not killed */
#else
	assert_true(WIFSIGNALED(st));
	assert_int_equal(WTERMSIG(st), SIGSYS);
#endif
}

static int
leaky_body(void)
{
	const char *calls[N_OF(few) + 1];
	struct confine_filter f = {
		.who = "test", .calls = calls, .n_call = N_OF(calls),
	};
	uint32_t feat = 0;

	memcpy(calls, few, sizeof(few));
	calls[N_OF(few)] = "socket";
	return confine_seccomp(&f, all, N_OF(all), &feat) == ERR_PERM ? 0 : 1;
}

TEST(a_filter_with_a_hole_fails_the_self_test)
{
	assert_int_equal(in_child(leaky_body), 0);
}

static int
none_body(void)
{
	return confine_selftest("test", all, N_OF(all)) == ERR_PERM ? 0 : 1;
}

TEST(without_a_filter_the_self_test_fails)
{
	assert_int_equal(in_child(none_body), 0);
}

static int
args_body(void)
{
	static const struct confine_arg args[] = {
		{ "openat", 2, 0xffffffff, O_RDWR | O_CLOEXEC },
	};
	struct confine_filter f = filter;
	uint32_t feat = 0;

	f.args = args;
	f.n_arg = N_OF(args);
	if (confine_seccomp(&f, all, N_OF(all), &feat) != 0)
		return 1;
	return open("/dev/null", O_RDWR | O_CLOEXEC) >= 0 ? 0 : 2;
}

TEST(a_call_may_be_permitted_for_one_argument_alone)
{
	assert_int_equal(in_child(args_body), 0);
}

static int
landlock_body(void)
{
	static const struct confine_path keep[] = {
		{ "/dev/null", true }, { "/no/such/file", false },
	};
	uint32_t feat = 0;

	if (confine_landlock(keep, N_OF(keep), &feat) != 0)
		return 1;
	if ((feat & CONFINE_F_LANDLOCK) == 0)
		return 0;		/* this kernel has none */
	if (open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES)
		return 2;
	return open("/dev/null", O_RDWR) >= 0 ? 0 : 3;
}

TEST(landlock_leaves_the_named_file_alone)
{
	assert_int_equal(in_child(landlock_body), 0);
}

static int
landlock_none_body(void)
{
	uint32_t feat = 0;

	if (confine_landlock_none(&feat) != 0)
		return 1;
	if ((feat & CONFINE_F_LANDLOCK) == 0)
		return 0;
	return open("/dev/null", O_RDWR) < 0 ? 0 : 2;
}

TEST(landlock_with_no_file_leaves_none)
{
	assert_int_equal(in_child(landlock_none_body), 0);
}

/* "CapEff:" and the like of /proc/self/status. */
static unsigned long long
status_hex(const char *key)
{
	unsigned long long v = ~0ull;
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, key, strlen(key)) == 0)
			v = strtoull(line + strlen(key), NULL, 16);
	if (f != NULL)
		fclose(f);
	return v;
}

static int
drop_body(void)
{
	const uint64_t admin = UINT64_C(1) << CAP_NET_ADMIN;
	struct confine_user u = {
		.uid = 65534, .gid = 65534, .keep_caps = admin,
	};
	uint32_t feat = 0;

	if (confine_drop(&u, &feat) != 0)
		return 1;
	if (getuid() != 65534 || getgid() != 65534 || getgroups(0, NULL) != 0)
		return 2;
	if ((feat & (CONFINE_F_UID | CONFINE_F_NNP)) !=
	    (CONFINE_F_UID | CONFINE_F_NNP))
		return 3;
	if (setresuid(0, 0, 0) == 0 || setresgid(0, 0, 0) == 0)
		return 4;
	/* Not dumpable: /proc/self is root's now. */
	if (open("/proc/self/status", O_RDONLY) >= 0 &&
	    (status_hex("CapEff:") != admin || status_hex("CapPrm:") != admin ||
	    status_hex("CapInh:") != 0 || status_hex("CapAmb:") != 0))
		return 5;
	if (confine_no_caps() != 0)
		return 6;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 7;
}

TEST(root_becomes_a_user_with_one_capability_and_cannot_go_back)
{
	if (geteuid() != 0)
		skip();
	assert_int_equal(in_child(drop_body), 0);
}

static int
rootless_body(void)
{
	struct confine_user u = {
		.uid = 12345, .gid = 12345, .is_rootless = true,
	};
	uid_t before = getuid();
	uint32_t feat = 0;

	if (confine_drop(&u, &feat) != 0)
		return 1;
	if (getuid() != before || (feat & CONFINE_F_UID) != 0)
		return 2;
	return confine_no_caps() == 0 ? 0 : 3;
}

TEST(rootless_keeps_its_user_and_says_so)
{
	assert_int_equal(in_child(rootless_body), 0);
}

TEST(features_have_names)
{
	char text[256];

	assert_string_equal(confine_text(0, text, sizeof(text)), "");
	assert_string_equal(confine_text(CONFINE_F_UID | CONFINE_F_SECCOMP,
	    text, sizeof(text)), "own-user seccomp");
}
