/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/verify/child.c - the verify child and its keeper.
 *
 * The keeper does nothing but fork, wait and kill.  The child takes one question
 * after the other; each has BUDGET_S of time, then the kernel ends the child.
 *
 * Thread: one in each process.
 */
#include "secure-proc/verify/child.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "secure-proc/verify/wire.h"

#define WHO	   "verify"
#define BUDGET_S   2		/* of one question; ours */
#define PAUSE_MS   200		/* between two children; ours */
#define ANSWER_MAX 1024

/* ---- the child -------------------------------------------------------------------- */

static const char *const calls[] = {
	"read", "write", "writev", "close",
	"recvfrom", "recvmsg", "sendto", "sendmsg", "poll", "ppoll",
	"munmap", "mremap", "madvise", "brk",
	"getrandom", "futex", "getpid", "gettid",
	"clock_gettime", "gettimeofday", "time",
	"alarm", "setitimer",
	"rt_sigreturn", "rt_sigprocmask", "rt_sigaction", "sigaltstack",
	"tgkill", "restart_syscall",
	"exit", "exit_group",
};
static const struct confine_arg args[] = {
	{ "mmap", 2, PROT_EXEC, 0 },
	{ "mprotect", 2, PROT_EXEC, 0 },
};
static const enum confine_probe probes[] = {
	CONFINE_P_OPEN, CONFINE_P_INET, CONFINE_P_PACKET, CONFINE_P_FORK,
	CONFINE_P_EXEC, CONFINE_P_PTRACE, CONFINE_P_SETUID, CONFINE_P_UNSHARE,
	CONFINE_P_MOUNT, CONFINE_P_KILL, CONFINE_P_BPF, CONFINE_P_KEYCTL,
};

static int
child_confine(void)
{
	const struct confine_filter filter = {
		.who = "tapir-secure (verify)", .calls = calls,
		.n_call = N_OF(calls), .args = args, .n_arg = N_OF(args),
	};
	uint32_t feat = 0;
	int err;

	if ((err = confine_landlock_none(&feat)) != 0)
		return err;
	return confine_seccomp(&filter, probes, N_OF(probes), &feat);
}

static void
budget(unsigned s)
{
	const struct itimerval t = { .it_value = { .tv_sec = s } };

	(void)setitimer(ITIMER_REAL, &t, NULL);
}

static int
say(int fd, uint64_t number, const struct sec_checked *a)
{
	uint8_t out[ANSWER_MAX];
	size_t len;
	int err;

	if ((err = sec_answer_enc(number, a, out, sizeof(out), &len)) != 0)
		return err;
	return send(fd, out, len, MSG_NOSIGNAL) == (ssize_t)len ? 0 : ERR_IO;
}

static int
answer_one(struct sec_trust *trust, int fd, struct view in)
{
	struct sec_checked a = { 0 };
	struct sec_check q;
	uint64_t number;
	int err;

	if ((err = sec_ask_dec(in, &number, &q)) != 0)
		return err;
	budget(BUDGET_S);
	sec_check(trust, &q, &a);
	budget(0);
	return say(fd, number, &a);
}

int
sec_child_serve(struct sec_trust *trust, int fd)
{
	const struct sec_checked begun = { 0 };
	uint8_t *buf = malloc(SEC_WIRE_MAX);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;
	int err = buf != NULL ? say(fd, 0, &begun) : ERR_NOMEM;

	while (err == 0) {
		n = recv(fd, buf, SEC_WIRE_MAX, MSG_DONTWAIT);
		if (n > 0) {
			err = answer_one(trust, fd,
			    (struct view){ buf, (size_t)n });
			continue;
		}
		if (n == 0)
			break;
		if (errno == EAGAIN && poll(&p, 1, -1) < 0 && errno != EINTR)
			err = ERR_SYS;
		else if (errno != EAGAIN && errno != EINTR)
			err = ERR_IO;
	}
	free(buf);
	return err;
}

/* Never returns. */
static void
child_run(struct sec_trust *trust, int fd)
{
	sigset_t none;

	signal(SIGALRM, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (spi_certs()->self_test() != 0 || child_confine() != 0)
		_exit(1);
	_exit(sec_child_serve(trust, fd) == 0 ? 0 : 1);
}

/* ---- the keeper ------------------------------------------------------------------- */

struct keeper {
	struct sec_trust *trust;
	int fd, ctl_fd, sig_fd;
	pid_t pid;		/* of the child; 0: none */
};

static void
child_new(struct keeper *k)
{
	k->pid = fork();
	if (k->pid == 0) {
		close(k->ctl_fd);
		close(k->sig_fd);
		child_run(k->trust, k->fd);
	}
	if (k->pid < 0) {
		log_error(WHO, "cannot start: %s", strerror(errno));
		k->pid = 0;
	}
}

/* Reap; true when the child is gone. */
static bool
child_is_gone(struct keeper *k)
{
	struct signalfd_siginfo si;
	int status = 0;
	pid_t pid;

	(void)!read(k->sig_fd, &si, sizeof(si));
	pid = waitpid(-1, &status, WNOHANG);
	if (pid <= 0 || pid != k->pid)
		return false;
	if (WIFSIGNALED(status))
		log_warn(WHO, "ended by signal %d: starting anew",
		    WTERMSIG(status));
	k->pid = 0;
	return true;
}

static void
keeper_loop(struct keeper *k)
{
	struct pollfd p[2] = {
		{ .fd = k->ctl_fd, .events = POLLIN },
		{ .fd = k->sig_fd, .events = POLLIN },
	};
	uint8_t b;

	for (;;) {
		int n = poll(p, 2, k->pid == 0 ? PAUSE_MS : -1);

		if (n < 0 && errno != EINTR)
			return;
		if (n == 0 && k->pid == 0)
			child_new(k);
		if (n <= 0)
			continue;
		if (p[0].revents != 0 && read(k->ctl_fd, &b, 1) <= 0)
			return;		/* the secure process is gone */
		if (p[0].revents != 0 && k->pid > 0)
			(void)kill(k->pid, SIGKILL);
		if (p[1].revents != 0)
			(void)child_is_gone(k);
	}
}

/* Never returns. */
static void
keeper_run(struct sec_trust *trust, const struct confine_user *u, int fd,
	   int ctl_fd)
{
	struct keeper k = { trust, fd, ctl_fd, -1, 0 };
	struct confine_user user = *u;
	int keep[3] = { fd, ctl_fd, -1 };
	uint32_t feat = 0;
	sigset_t set;

	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_SETMASK, &set, NULL) != 0 ||
	    (k.sig_fd = signalfd(-1, &set, SFD_CLOEXEC)) < 0)
		_exit(1);
	keep[2] = k.sig_fd;
	user.keep_caps = 0;
	if (confine_common(&feat) != 0 || confine_fds(keep, N_OF(keep)) != 0 ||
	    confine_drop(&user, &feat) != 0)
		_exit(1);
	(void)prctl(PR_SET_NAME, "tapir-keeper");
	child_new(&k);
	keeper_loop(&k);
	if (k.pid > 0)
		(void)kill(k.pid, SIGKILL);
	_exit(0);
}

int
sec_child_start(struct sec_trust *trust, const struct confine_user *u,
		struct sec_child *out)
{
	int sv[2], ctl[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) != 0)
		return ERR_SYS;
	if (pipe2(ctl, O_CLOEXEC) != 0) {
		close(sv[0]);
		close(sv[1]);
		return ERR_SYS;
	}
	if ((pid = fork()) == 0)
		keeper_run(trust, u, sv[1], ctl[0]);
	close(sv[1]);
	close(ctl[0]);
	if (pid < 0 || fcntl(sv[0], F_SETFL, O_RDWR | O_NONBLOCK) != 0 ||
	    fcntl(ctl[1], F_SETFL, O_WRONLY | O_NONBLOCK) != 0) {
		close(sv[0]);
		close(ctl[1]);
		return ERR_SYS;
	}
	out->fd = sv[0];
	out->ctl_fd = ctl[1];
	return 0;
}
