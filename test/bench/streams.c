/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/bench/streams.c - many TCP streams at once, to one peer or to many.
 *
 *   streams recv PORT SECONDS
 *   streams send FROM TO PORT STREAMS PEERS SECONDS
 *   streams flood FROM TO PORT PEERS SECONDS
 *
 * flood sends UDP instead, to each peer in turn 44 datagrams in one message, and does
 * not care what arrives.
 *
 * Stream i goes from address FROM + i % PEERS to TO + i % PEERS.  All are connected
 * first, then all send as fast as they may.  Buffers are the same for every stream,
 * so that a run over one peer and a run over a thousand differ in the peers alone.
 *
 * recv prints "ready", and SECONDS after the first byte "BYTES", of all streams.  send
 * prints "ready" once all are connected, and waits for
 * a line of input before it begins.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	STREAM_MAX = 4096,
	CHUNK = 128 << 10,
	SNDBUF = 512 << 10,	/* the kernel doubles it */
	EVENTS = 64,
	SEGMENT = 1372,		/* with its headers the MTU inside, 1400 */
	SEGMENTS = 44,
	CONNECT_S = 20,
};

static char chunk[CHUNK];

static double
now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static void
many_files(void)
{
	struct rlimit r = { STREAM_MAX + 64, STREAM_MAX + 64 };

	if (setrlimit(RLIMIT_NOFILE, &r) != 0)
		die("setrlimit");
}

static void
watch(int ep, int fd, uint32_t what)
{
	struct epoll_event ev = { .events = what, .data.fd = fd };

	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) != 0)
		die("epoll_ctl");
}

/* ---- recv ---------------------------------------------------------------- */

static int
listener(const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)atoi(port)) };
	int on = 1, s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (s < 0 ||
	    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(s, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    listen(s, STREAM_MAX) != 0)
		die("listen");
	return s;
}

static int
receive(const char *port, double seconds)
{
	int ep = epoll_create1(0), s = listener(port);
	struct epoll_event ev[EVENTS];
	double end = 0;
	uint64_t bytes = 0;

	watch(ep, s, EPOLLIN);
	printf("ready\n");
	fflush(stdout);
	while (bytes == 0 || now_s() < end) {
		int n = epoll_wait(ep, ev, EVENTS, bytes == 0 ? -1 : 10);

		for (int i = 0; i < n; i++) {
			int fd = ev[i].data.fd;
			ssize_t got;

			if (fd == s) {
				while ((fd = accept4(s, NULL, NULL,
						     SOCK_NONBLOCK)) >= 0)
					watch(ep, fd, EPOLLIN);
				continue;
			}
			got = read(fd, chunk, sizeof(chunk));
			if (got > 0 && bytes == 0)
				end = now_s() + seconds;
			if (got > 0)
				bytes += (uint64_t)got;
			else if (got == 0 || errno != EAGAIN)
				close(fd);
		}
	}
	printf("%llu\n", (unsigned long long)bytes);
	return 0;
}

/* ---- send ---------------------------------------------------------------- */

static struct sockaddr_in
address(const char *base, unsigned add, unsigned port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port) };

	if (inet_pton(AF_INET, base, &a.sin_addr) != 1)
		die(base);
	a.sin_addr.s_addr = htonl(ntohl(a.sin_addr.s_addr) + add);
	return a;
}

static int
stream(const char *from, const char *to, unsigned port, unsigned i)
{
	struct sockaddr_in a = address(from, i, 0), b = address(to, i, port);
	int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), n = SNDBUF;

	if (s < 0 || setsockopt(s, SOL_SOCKET, SO_SNDBUF, &n, sizeof(n)) != 0 ||
	    setsockopt(s, IPPROTO_TCP, 13 /* TCP_CONGESTION */, "cubic", 5) != 0 ||
	    bind(s, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    (connect(s, (struct sockaddr *)&b, sizeof(b)) != 0 &&
	     errno != EINPROGRESS))
		die("connect");
	return s;
}

/* Wait until each of n streams may be written to. */
static void
connected(const int *fd, unsigned n)
{
	int ep = epoll_create1(0);
	double end = now_s() + CONNECT_S;
	unsigned done = 0;

	for (unsigned i = 0; i < n; i++)
		watch(ep, fd[i], EPOLLOUT | EPOLLONESHOT);
	while (done < n && now_s() < end) {
		struct epoll_event ev[EVENTS];
		int k = epoll_wait(ep, ev, EVENTS, 100);

		for (int i = 0; i < k; i++) {
			int err = 0;
			socklen_t len = sizeof(err);

			getsockopt(ev[i].data.fd, SOL_SOCKET, SO_ERROR, &err,
				   &len);
			if (err != 0) {
				errno = err;
				die("connect");
			}
			done++;
		}
	}
	close(ep);
	if (done < n) {
		fprintf(stderr, "%u of %u streams connected\n", done, n);
		exit(1);
	}
}

static void
send_all(const int *fd, unsigned n, double seconds)
{
	struct epoll_event ev[EVENTS];
	int ep = epoll_create1(0);
	double end;

	for (unsigned i = 0; i < n; i++)
		watch(ep, fd[i], EPOLLOUT);
	end = now_s() + seconds;
	while (now_s() < end) {
		int k = epoll_wait(ep, ev, EVENTS, 100);

		for (int i = 0; i < k; i++)
			if (write(ev[i].data.fd, chunk, sizeof(chunk)) < 0 &&
			    errno != EAGAIN) /* recv has enough */
				epoll_ctl(ep, EPOLL_CTL_DEL, ev[i].data.fd,
					  NULL);
	}
}

static int
transmit(char **arg)
{
	unsigned n = (unsigned)atoi(arg[3]), n_peer = (unsigned)atoi(arg[4]);
	struct linger now = { 1, 0 };
	static int fd[STREAM_MAX];

	if (n == 0 || n > STREAM_MAX || n_peer == 0)
		return 2;
	for (unsigned i = 0; i < n; i++)
		fd[i] = stream(arg[0], arg[1], (unsigned)atoi(arg[2]),
			       i % n_peer);
	connected(fd, n);
	printf("ready\n");
	fflush(stdout);
	if (getchar() == EOF)
		return 1;
	send_all(fd, n, atof(arg[5]));
	/* A reset: what is still queued would go on for seconds. */
	for (unsigned i = 0; i < n; i++) {
		setsockopt(fd[i], SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		close(fd[i]);
	}
	return 0;
}

static int
flood(char **arg)
{
	unsigned n = (unsigned)atoi(arg[3]), port = (unsigned)atoi(arg[2]);
	int seg = SEGMENT;
	static int fd[STREAM_MAX];
	double end;

	if (n == 0 || n > STREAM_MAX)
		return 2;
	for (unsigned i = 0; i < n; i++) {
		struct sockaddr_in a = address(arg[0], i, 0);
		struct sockaddr_in b = address(arg[1], i, port);

		fd[i] = socket(AF_INET, SOCK_DGRAM, 0);
		if (fd[i] < 0 ||
		    setsockopt(fd[i], IPPROTO_UDP, 103 /* UDP_SEGMENT */, &seg,
			       sizeof(seg)) != 0 ||
		    bind(fd[i], (struct sockaddr *)&a, sizeof(a)) != 0 ||
		    connect(fd[i], (struct sockaddr *)&b, sizeof(b)) != 0)
			die("flood");
	}
	end = now_s() + atof(arg[4]);
	while (now_s() < end)
		for (unsigned i = 0; i < n; i++)
			if (send(fd[i], chunk, SEGMENT * SEGMENTS, 0) < 0 &&
			    errno != EAGAIN && errno != ENOBUFS &&
			    errno != ECONNREFUSED)
				die("send");
	return 0;
}

int
main(int argc, char **argv)
{
	prctl(PR_SET_TIMERSLACK, 1);
	many_files();
	signal(SIGPIPE, SIG_IGN);
	if (argc == 4 && argv[1][0] == 'r')
		return receive(argv[2], atof(argv[3]));
	if (argc == 8 && argv[1][0] == 's')
		return transmit(argv + 2);
	if (argc == 7 && argv[1][0] == 'f')
		return flood(argv + 2);
	fprintf(stderr, "streams: see the head of streams.c\n");
	return 2;
}
