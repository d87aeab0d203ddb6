/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/nest.c - a process in an empty network namespace that starts
 * programs there.
 *
 *   supervisor                         nest
 *     | arguments, descriptors           |
 *     |--------------------------------->|  clone(CLONE_PARENT), exec
 *     |<---------------------------------|  pid
 */
#include "daemon/core/nest.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "daemon/base/cur.h"
#include "daemon/base/log.h"
#include "daemon/base/str.h"
#include "daemon/core/caps.h"
#include "daemon/ipc/confine.h"

/* ---- commands ---------------------------------------------------------------- */

void
nest_arg(struct nest_cmd *c, const char *fmt, ...)
{
	size_t room = sizeof(c->text) - c->used;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(c->text + c->used, room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= room || c->n_arg == NEST_ARG_MAX)
		abort(); /* ours are short */
	c->used += (size_t)n + 1;
	c->n_arg++;
}

void
nest_cmd_init(struct nest_cmd *c, const char *path)
{
	memset(c, 0, sizeof(*c));
	nest_arg(c, "%s", path);
}

void
nest_fd(struct nest_cmd *c, const char *name, int fd, bool is_taken)
{
	if (fd < 0)
		return;
	if (c->n_fd == NEST_FD_MAX)
		abort();
	nest_arg(c, "--%s=@%u", name, c->n_fd);
	c->is_taken[c->n_fd] = is_taken;
	c->fd[c->n_fd++] = fd;
}

void
nest_fd_drop(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* ---- messages with descriptors ------------------------------------------------- */

union control {
	struct cmsghdr align;
	char b[CMSG_SPACE(NEST_FD_MAX * sizeof(int))];
};

static ssize_t
send_fds(int sock, const void *p, size_t len, const int *fd, unsigned n_fd)
{
	union control ctl = { 0 };
	struct iovec iov = { (void *)(uintptr_t)p, len };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (n_fd > 0) {
		h.msg_control = &ctl;
		h.msg_controllen = CMSG_SPACE(n_fd * sizeof(int));
		c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fd * sizeof(int));
		memcpy(CMSG_DATA(c), fd, n_fd * sizeof(int));
	}
	return sendmsg(sock, &h, MSG_NOSIGNAL);
}

static ssize_t
recv_fds(int sock, void *p, size_t cap, int *fd, unsigned *n_fd)
{
	union control ctl;
	struct iovec iov = { p, cap };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = &ctl,
			    .msg_controllen = sizeof(ctl) };
	ssize_t n = recvmsg(sock, &h, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&h) : NULL;

	*n_fd = 0;
	if (c != NULL && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SCM_RIGHTS) {
		*n_fd = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fd, CMSG_DATA(c), *n_fd * sizeof(int));
	}
	return n;
}

void
nest_word(int sock, char word, int fd)
{
	if (sock >= 0)
		(void)!send_fds(sock, &word, 1, &fd, 1);
	close(fd);
}

pid_t
nest_start(int nest, struct nest_cmd *c)
{
	ssize_t n = send_fds(nest, c->text, c->used, c->fd, c->n_fd);
	uint8_t answer[4];
	struct cur cur;
	uint32_t pid = 0;

	for (unsigned i = 0; i < c->n_fd; i++)
		if (c->is_taken[i])
			close(c->fd[i]);
	if (n < 0 || recv(nest, answer, sizeof(answer), 0) != sizeof(answer))
		return 0;
	cur_init(&cur, answer, sizeof(answer));
	return cur_u32(&cur, &pid) == 0 ? (pid_t)pid : 0;
}

/* ---- the process ----------------------------------------------------------------- */

/* In the child: "--name=@3" -> "--name=<number>". */
static void
exec_it(char *text, size_t len, const int *fd, unsigned n_fd)
{
	char number[NEST_FD_MAX][80], *argv[NEST_ARG_MAX + 1], *at;
	unsigned n = 0, which, used = 0;
	sigset_t none;

	for (size_t i = 0; i < len && n < NEST_ARG_MAX; i += strlen(text + i) + 1) {
		argv[n] = text + i;
		at = strstr(argv[n], "=@");
		if (at != NULL && sscanf(at + 2, "%u", &which) == 1 &&
		    which < n_fd && used < NEST_FD_MAX) {
			number[used][0] = '\0';
			str_add(number[used], sizeof(number[0]), "%.*s=%d",
				(int)(at - argv[n]), argv[n], fd[which]);
			argv[n] = number[used++];
		}
		n++;
	}
	argv[n] = NULL;
	for (unsigned i = 0; i < n_fd; i++)
		(void)fcntl(fd[i], F_SETFD, 0);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	execv(argv[0], argv);
	log_error("web", "cannot start %s: %s", argv[0], strerror(errno));
	_exit(2);
}

static void
serve(int sock)
{
	char text[NEST_TEXT_MAX];
	int fd[NEST_FD_MAX];
	uint8_t answer[4];
	struct wcur w;
	unsigned n_fd;
	ssize_t n;
	long pid;

	while ((n = recv_fds(sock, text, sizeof(text), fd, &n_fd)) > 0) {
		text[n - 1] = '\0';
		pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
		if (pid == 0)
			exec_it(text, (size_t)n, fd, n_fd);
		for (unsigned i = 0; i < n_fd; i++)
			close(fd[i]);
		wcur_init(&w, answer, sizeof(answer));
		wcur_u32(&w, pid > 0 ? (uint32_t)pid : 0);
		(void)!send(sock, answer, w.len, MSG_NOSIGNAL);
	}
}

int
nest_make(pid_t *pid)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return -1;
	*pid = fork();
	if (*pid < 0) {
		close(pair[0]);
		close(pair[1]);
		return -1;
	}
	if (*pid > 0) {
		close(pair[1]);
		return pair[0];
	}
	(void)prctl(PR_SET_NAME, "tapir-nest");
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNET) != 0)
		log_notice("web", "tapir-web gets no network namespace of its "
			   "own (%s); it can open no socket all the same",
			   strerror(errno));
	if (confine_fds(&pair[1], 1) == 0 && caps_keep_few() == 0)
		serve(pair[1]);
	_exit(0);
}
