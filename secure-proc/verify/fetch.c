/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/verify/fetch.c - the fetch process: one GET after the other.
 *
 *   question   a byte: 1 when we say where, 0 when a certificate does; the
 *              address, as text
 *   answer     empty: it did not work (logged); one byte: a descriptor of a file
 *              in memory comes along
 *
 * Thread: the only one.
 */
#include "secure-proc/verify/fetch.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "daemon/base/addr.h"
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/ipc/confine.h"
#include "secure-proc/files/file.h"

#define WHO	  "fetch"
#define HEAD_MAX  8192		/* bytes of an answer's head; ours */
#define NAME_S	  5		/* for resolving, besides SEC_FETCH_S */
#define PIECE	  16384

/* ---- the network ------------------------------------------------------------------- */

static struct ip_addr
ip_of(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET)
		return ip_from(&((const struct sockaddr_in *)(const void *)
		    sa)->sin_addr, 4);
	if (sa->sa_family == AF_INET6)
		return ip_from(&((const struct sockaddr_in6 *)(const void *)
		    sa)->sin6_addr, 16);
	return ip_from(NULL, 0);
}

/* An address this machine has itself: a packet there would come from there.
 * Nothing is sent. */
static bool
is_self(const struct addrinfo *ai, const struct ip_addr *to)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	struct ip_addr ip = ip_from(NULL, 0);
	int fd = socket(ai->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, ai->ai_addr, ai->ai_addrlen) == 0 &&
	    getsockname(fd, (struct sockaddr *)&from, &len) == 0)
		ip = ip_of((const struct sockaddr *)&from);
	if (fd >= 0)
		close(fd);
	return ip_equal(&ip, to);
}

static int
may(const struct addrinfo *ai, bool is_ours)
{
	struct ip_addr to = ip_of(ai->ai_addr);
	int err;

	if ((err = sec_target_check(&to, is_ours)) != 0)
		return err;
	return !is_ours && is_self(ai, &to) ? ERR_PERM : 0;
}

/* Wait for a socket.  0 or ERR_TIMEOUT. */
static int
ready(int fd, short events, uint64_t end_ms)
{
	struct pollfd p = { .fd = fd, .events = events };
	uint64_t now = clk_ms();

	if (now >= end_ms)
		return ERR_TIMEOUT;
	return poll(&p, 1, (int)(end_ms - now)) == 1 ? 0 : ERR_TIMEOUT;
}

static int
connect_to(const struct addrinfo *ai, uint64_t end_ms)
{
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(int);
	int code = 0;

	if (fd < 0)
		return -1;
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) == 0)
		return fd;
	if (errno == EINPROGRESS && ready(fd, POLLOUT, end_ms) == 0 &&
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &len) == 0 &&
	    code == 0)
		return fd;
	close(fd);
	return -1;
}

static int
open_url(const struct sec_url *u, bool is_ours, uint64_t end_ms, int *fd)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	int err = ERR_NOTFOUND, no;

	*fd = -1;
	if (getaddrinfo(u->host, u->port, &hints, &list) != 0)
		return ERR_NOTFOUND;
	for (const struct addrinfo *ai = list; ai != NULL && *fd < 0;
	    ai = ai->ai_next) {
		if ((no = may(ai, is_ours)) != 0) {
			err = no;
			continue;
		}
		err = ERR_TIMEOUT;
		*fd = connect_to(ai, end_ms);
	}
	freeaddrinfo(list);
	return *fd >= 0 ? 0 : err;
}

static int
get_send(int fd, const struct sec_url *u, uint64_t end_ms)
{
	char text[2 * SPI_CERT_URL_MAX + 128];
	bool is_v6 = strchr(u->host, ':') != NULL;
	int n = snprintf(text, sizeof(text), "GET %s HTTP/1.0\r\nHost: "
	    "%s%s%s\r\nAccept: application/pkix-crl\r\nConnection: close\r\n"
	    "\r\n", u->path, is_v6 ? "[" : "", u->host, is_v6 ? "]" : "");

	if (n <= 0 || (size_t)n >= sizeof(text) ||
	    ready(fd, POLLOUT, end_ms) != 0)
		return ERR_TIMEOUT;
	return send(fd, text, (size_t)n, MSG_NOSIGNAL) == n ? 0 : ERR_IO;
}

/* More bytes; 0 at the end, or an error. */
static ssize_t
more(int fd, uint8_t *buf, size_t cap, uint64_t end_ms)
{
	ssize_t n;

	for (;;) {
		if (ready(fd, POLLIN, end_ms) != 0)
			return ERR_TIMEOUT;
		n = recv(fd, buf, cap, MSG_DONTWAIT);
		if (n >= 0)
			return n;
		if (errno != EAGAIN && errno != EINTR)
			return ERR_IO;
	}
}

static int
body_copy(int fd, int to, struct view first, size_t len, uint64_t end_ms)
{
	uint8_t buf[PIECE];
	size_t sum = 0;
	ssize_t n;

	while (first.len > 0 || sum < len) {
		if (first.len == 0) {
			n = more(fd, buf, sizeof(buf), end_ms);
			if (n < 0)
				return (int)n;
			if (n == 0)
				break;
			first = (struct view){ buf, (size_t)n };
		}
		if (first.len > SEC_PUBLIC_MAX - sum)
			return ERR_LONG;
		if (write(to, first.p, first.len) != (ssize_t)first.len)
			return ERR_IO;
		sum += first.len;
		first.len = 0;
	}
	return sum == 0 || (len != SIZE_MAX && sum != len) ? ERR_SHORT : 0;
}

static int
answer_read(int fd, int to, uint64_t end_ms)
{
	uint8_t head[HEAD_MAX];
	const uint8_t *end = NULL;
	size_t at = 0, len, head_len;
	ssize_t n;
	int err;

	while (end == NULL) {
		if (at == sizeof(head))
			return ERR_LONG;
		n = more(fd, head + at, sizeof(head) - at, end_ms);
		if (n <= 0)
			return n < 0 ? (int)n : ERR_SHORT;
		at += (size_t)n;
		end = memmem(head, at, "\r\n\r\n", 4);
	}
	head_len = (size_t)(end - head) + 4;
	err = sec_http_head((struct view){ head, head_len }, &len);
	if (err != 0)
		return err;
	return body_copy(fd, to, (struct view){ head + head_len,
	    at - head_len }, len, end_ms);
}

static int
fetch(const char *text, bool is_ours, int to)
{
	uint64_t end_ms = clk_ms() + (uint64_t)SEC_FETCH_S * 1000;
	struct sec_url u;
	int fd, err;

	if ((err = sec_url_read(text, &u)) != 0 ||
	    (err = open_url(&u, is_ours, end_ms, &fd)) != 0)
		return err;
	if ((err = get_send(fd, &u, end_ms)) == 0)
		err = answer_read(fd, to, end_ms);
	close(fd);
	return err;
}

/* ---- the process -------------------------------------------------------------------- */

static void
answer(int fd, int file)
{
	union {
		struct cmsghdr align;
		uint8_t b[CMSG_SPACE(sizeof(int))];
	} ctl;
	uint8_t byte = 1;
	struct iovec iov = { &byte, 1 };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cm;

	if (file < 0) {
		byte = 0;
		(void)!sendmsg(fd, &mh, MSG_NOSIGNAL);
		return;
	}
	memset(&ctl, 0, sizeof(ctl));
	mh.msg_control = ctl.b;
	mh.msg_controllen = sizeof(ctl.b);
	cm = CMSG_FIRSTHDR(&mh);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &file, sizeof(int));
	(void)!sendmsg(fd, &mh, MSG_NOSIGNAL);
}

static const char *
sentence(int err)
{
	switch (err) {
	case ERR_UNSUP:
		return "the server does not give it, or in a form that was not "
		    "asked for";
	case ERR_PERM:
		return "not a public address: nothing is fetched there because "
		    "a certificate says so; if it is right, name it in crl=";
	case ERR_LONG:
		return "too long to be a list";
	case ERR_NOTFOUND:
		return "the server's name is not found";
	default:
		return err_text(err);
	}
}

void
sec_fetch_serve(int fd)
{
	const struct itimerval off = { .it_value = { .tv_sec = 0 } };
	const struct itimerval on = {
		.it_value = { .tv_sec = SEC_FETCH_S + NAME_S },
	};
	char in[1 + SPI_CERT_URL_MAX], *url = in + 1;
	ssize_t n;
	int file, err;

	while ((n = recv(fd, in, sizeof(in) - 1, 0)) > 0) {
		in[n] = '\0';
		(void)setitimer(ITIMER_REAL, &on, NULL);
		file = memfd_create("crl", MFD_CLOEXEC);
		err = file >= 0 ? fetch(url, in[0] == 1, file) : ERR_SYS;
		if (err == 0 && lseek(file, 0, SEEK_SET) != 0)
			err = ERR_SYS;
		(void)setitimer(ITIMER_REAL, &off, NULL);
		if (err != 0)
			log_rl(LOG_WARN, WHO, "%s: %s", url, sentence(err));
		answer(fd, err == 0 ? file : -1);
		if (file >= 0)
			close(file);
	}
}

int
sec_fetch_confine(void)
{
	/* Sockets, and what resolvers of the C library do. */
	static const char *const calls[] = {
		"socket", "connect", "bind", "sendto", "sendmsg", "sendmmsg",
		"recvfrom", "recvmsg", "recvmmsg", "getsockname",
		"getpeername", "getsockopt", "setsockopt", "socketpair",
		"shutdown", "poll", "ppoll", "epoll_create1", "epoll_ctl",
		"epoll_wait", "epoll_pwait", "select", "pselect6", "ioctl",
		"open", "openat", "read", "readv", "pread64", "write",
		"writev", "close", "fcntl", "dup", "dup2", "dup3", "pipe2",
		"eventfd2", "fstat", "stat", "lstat", "newfstatat", "statx",
		"access", "faccessat", "faccessat2", "lseek", "getdents64",
		"readlink", "readlinkat", "getcwd", "uname", "sysinfo",
		"memfd_create", "mmap", "mprotect", "munmap", "mremap",
		"madvise", "brk", "futex", "set_robust_list", "rseq",
		"sched_yield", "sched_getaffinity", "prlimit64", "getrlimit",
		"getpid", "gettid", "getuid", "geteuid", "getgid", "getegid",
		"getrandom", "nanosleep", "clock_nanosleep", "clock_gettime",
		"clock_getres", "gettimeofday", "time", "alarm", "setitimer",
		"rt_sigreturn", "rt_sigprocmask", "rt_sigaction",
		"sigaltstack", "tgkill", "restart_syscall", "exit",
		"exit_group",
	};
	static const enum confine_probe probes[] = {
		CONFINE_P_PACKET, CONFINE_P_FORK, CONFINE_P_EXEC,
		CONFINE_P_PTRACE, CONFINE_P_SETUID, CONFINE_P_UNSHARE,
		CONFINE_P_MOUNT, CONFINE_P_KILL, CONFINE_P_BPF,
		CONFINE_P_KEYCTL,
	};
	const struct confine_filter filter = {
		.who = "tapir-secure (fetch)", .calls = calls,
		.n_call = N_OF(calls),
	};
	uint32_t feat = 0;

	return confine_seccomp(&filter, probes, N_OF(probes), &feat);
}
