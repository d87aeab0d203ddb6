/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/verify/child.c - the verify child, and the keeper of it and of the
 * fetch process.
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
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "secure-proc/verify/fetch.h"
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
#ifdef __SANITIZE_THREAD__
	/* the sanitizer's own thread, which may just be starting */
	"rseq", "set_robust_list",
#endif
};
static const struct confine_arg args[] = {
	{ "mmap", 2, PROT_EXEC, 0 },
	{ "mprotect", 2, PROT_EXEC, 0 },
};

static int
child_confine(void)
{
	const struct confine_filter filter = {
		.who = "tapir-secure (verify)", .calls = calls,
		.n_call = N_OF(calls), .args = args, .n_arg = N_OF(args),
	};
	uint32_t feat = 0;

	return confine_shut(&filter, &feat);
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

/* Wait until there is something to do.  0, ERR_SYS or ERR_IO. */
static int
idle(int fd, struct sec_fetcher *f, const struct sec_trust *trust)
{
	const struct sec_checked none = { 0 };
	unsigned n_before = sec_trust_changes(trust);
	struct pollfd p[2] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = -1, .events = POLLIN },
	};
	int wait_ms = -1;

	if (f != NULL) {
		sec_fetcher_next(f, clk_ms());
		p[1].fd = sec_fetcher_fd(f);
		wait_ms = sec_fetcher_due(f, clk_ms());
	}
	if (poll(p, N_OF(p), wait_ms) < 0)
		return errno == EINTR ? 0 : ERR_SYS;
	if (p[1].revents == 0)
		return 0;
	budget(BUDGET_S);
	sec_fetcher_input(f, clk_ms());
	budget(0);
	return sec_trust_changes(trust) == n_before ? 0 :
	    say(fd, SEC_SAID_LISTS, &none);
}

int
sec_child_serve(struct sec_trust *trust, int fd, int fetch_fd)
{
	const struct sec_checked begun = { 0 };
	uint8_t *buf = malloc(SEC_WIRE_MAX);
	struct sec_fetcher *f = NULL;
	ssize_t n;
	int err = buf != NULL ? say(fd, 0, &begun) : ERR_NOMEM;

	if (err == 0 && fetch_fd >= 0)
		err = sec_fetcher_new(&f, fetch_fd, trust);
	while (err == 0) {
		n = recv(fd, buf, SEC_WIRE_MAX, MSG_DONTWAIT);
		if (n > 0)
			err = answer_one(trust, fd,
			    (struct view){ buf, (size_t)n });
		else if (n == 0)
			break;
		else if (errno == EAGAIN || errno == EINTR)
			err = idle(fd, f, trust);
		else
			err = ERR_IO;
	}
	free(f);
	free(buf);
	return err;
}

/* ---- the keeper ------------------------------------------------------------------- */

enum { VERIFY, FETCH, N_KID };

struct keeper {
	struct sec_trust *trust;
	int fd, ctl_fd, sig_fd;
	int to_fetch, to_verify; /* the pair between the two children */
	pid_t pid[N_KID];	/* 0: not there */
};

/* Never returns. */
static void
kid_run(struct keeper *k, unsigned which)
{
	sigset_t none;
	int err;

	close(k->ctl_fd);
	close(k->sig_fd);
	signal(SIGALRM, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (which == FETCH) {
		close(k->fd);
		close(k->to_fetch);
		(void)prctl(PR_SET_NAME, "tapir-fetch");
		if (sec_fetch_confine() != 0)
			_exit(1);
		sec_fetch_serve(k->to_verify);
		_exit(0);
	}
	close(k->to_verify);
	(void)prctl(PR_SET_NAME, "tapir-verify");
	if (spi_certs()->self_test() != 0 || child_confine() != 0)
		_exit(1);
	err = sec_child_serve(k->trust, k->fd, k->to_fetch);
	_exit(err == 0 ? 0 : 1);
}

static void
kids_start(struct keeper *k)
{
	for (unsigned i = 0; i < N_KID; i++) {
		if (k->pid[i] != 0)
			continue;
		k->pid[i] = fork();
		if (k->pid[i] == 0)
			kid_run(k, i);
		if (k->pid[i] < 0) {
			log_error(WHO, "cannot start: %s", strerror(errno));
			k->pid[i] = 0;
		}
	}
}

static void
kids_reap(struct keeper *k)
{
	struct signalfd_siginfo si;
	int status = 0;
	pid_t pid;

	(void)!read(k->sig_fd, &si, sizeof(si));
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (unsigned i = 0; i < N_KID; i++) {
			if (k->pid[i] != pid)
				continue;
			k->pid[i] = 0;
			if (WIFSIGNALED(status))
				log_warn(WHO, "%s ended by signal %d: "
				    "starting anew", i == FETCH ? "fetch" :
				    "verify", WTERMSIG(status));
		}
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
		bool is_whole = k->pid[VERIFY] != 0 && k->pid[FETCH] != 0;
		int n = poll(p, 2, is_whole ? -1 : PAUSE_MS);

		if (n < 0 && errno != EINTR)
			return;
		if (n == 0)
			kids_start(k);
		if (n <= 0)
			continue;
		if (p[0].revents != 0 && read(k->ctl_fd, &b, 1) <= 0)
			return;		/* the secure process is gone */
		if (p[0].revents != 0 && k->pid[VERIFY] > 0)
			(void)kill(k->pid[VERIFY], SIGKILL);
		if (p[1].revents != 0)
			kids_reap(k);
	}
}

/* Never returns. */
static void
keeper_run(struct sec_trust *trust, const struct confine_user *u, int fd,
	   int ctl_fd)
{
	struct keeper k = { .trust = trust, .fd = fd, .ctl_fd = ctl_fd };
	struct confine_user user = *u;
	uint32_t feat = 0;
	int keep[5], pair[2];
	sigset_t set;

	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_SETMASK, &set, NULL) != 0 ||
	    (k.sig_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		_exit(1);
	k.to_fetch = pair[0];
	k.to_verify = pair[1];
	keep[0] = fd;
	keep[1] = ctl_fd;
	keep[2] = k.sig_fd;
	keep[3] = pair[0];
	keep[4] = pair[1];
	user.keep_caps = 0;
	if (confine_common(&feat) != 0 || confine_fds(keep, N_OF(keep)) != 0 ||
	    confine_drop(&user, &feat) != 0)
		_exit(1);
	(void)prctl(PR_SET_NAME, "tapir-keeper");
	kids_start(&k);
	keeper_loop(&k);
	for (unsigned i = 0; i < N_KID; i++)
		if (k.pid[i] > 0)
			(void)kill(k.pid[i], SIGKILL);
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
