/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/bench/pps.c - send small datagrams at an even rate; count what arrives.
 *
 *   pps recv ADDRESS PORT [PAYLOAD]
 *   pps send FROM ADDRESS PORT RATE SECONDS PER_MESSAGE [PAYLOAD]
 *
 * 18 bytes of payload, as without PAYLOAD, make the smallest Ethernet frame, 64
 * bytes with its check sum.  ADDRESS may be one of broadcast.  PER_MESSAGE
 * datagrams share one message of UDP_SEGMENT; with 1 each has its own, and
 * sendmmsg() takes many of them.  Messages are full but for the last: when more
 * than one share it, sending waits until so many are due.  RATE 0 is as fast as it
 * goes.
 *
 * send prints "SENT SECONDS"; recv prints "ready", and when nothing has come for
 * a while "RECEIVED".  What the sender could not keep up with shows in its seconds.
 * recv takes what the kernel has merged or left whole (UDP_GRO): without, it would
 * cut up such a message for the socket, on the core where the tunnel ends as well.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum {
	PAYLOAD = 18,		/* frame of 64: 14 + 20 + 8 + 18 + 4 */
	PAYLOAD_MAX = 8192,
	MESSAGE_MAX = 65507,
	BATCH = 64,		/* datagrams a system call, at most */
	RCVBUF = 4 << 20,
	TICK_NS = 100000,	/* the sender wakes this often */
	FIRST_MS = 3000,	/* recv: until the first datagram */
	QUIET_MS = 150,		/* recv: after the last one */
};

static size_t payload = PAYLOAD;

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

static struct sockaddr_in
address(const char *text, const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)atoi(port)) };

	if (inet_pton(AF_INET, text, &a.sin_addr) != 1)
		die(text);
	return a;
}

/* BATCH messages that share one buffer: what is in it does not matter. */
static void
messages(struct mmsghdr *m, struct iovec *iov, void *buf, size_t len)
{
	memset(m, 0, BATCH * sizeof(*m));
	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ .iov_base = buf, .iov_len = len };
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
}

static void
wait_at_most(int fd, int ms)
{
	struct timeval t = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)) != 0)
		die("SO_RCVTIMEO");
}

static void
receive(char **arg)
{
	struct sockaddr_in me = address(arg[0], arg[1]);
	int fd = socket(AF_INET, SOCK_DGRAM, 0), size = RCVBUF, on = 1, n;
	struct mmsghdr m[BATCH];
	struct iovec iov[BATCH];
	static char buf[1 << 16];
	uint64_t bytes = 0;

	if (fd < 0 || bind(fd, (struct sockaddr *)&me, sizeof(me)) != 0)
		die("bind");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
		die("SO_RCVBUFFORCE");
	/* A kernel without it hands over one by one. */
	(void)setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on));
	messages(m, iov, buf, sizeof(buf));
	wait_at_most(fd, FIRST_MS);
	puts("ready");
	fflush(stdout);
	while ((n = recvmmsg(fd, m, BATCH, MSG_WAITFORONE, NULL)) > 0) {
		if (bytes == 0)
			wait_at_most(fd, QUIET_MS);
		for (int i = 0; i < n; i++)
			bytes += m[i].msg_len;
	}
	printf("%llu\n", (unsigned long long)(bytes / payload));
}

/* Datagrams that were sent; a queue that is full is loss, not an error. */
static uint64_t
send_some(int fd, struct mmsghdr *m, struct iovec *iov, uint64_t want, int per)
{
	uint64_t sent = 0;
	int n = 0, done;

	for (; n < BATCH && sent < want && sent < 4 * BATCH; n++) {
		uint64_t k = want - sent < (uint64_t)per ? want - sent : (uint64_t)per;

		iov[n].iov_len = k * payload;
		sent += k;
	}
	for (int i = 0; i < n; i += done > 0 ? done : 1)
		done = sendmmsg(fd, m + i, (unsigned)(n - i), 0);
	return sent;
}

static void
transmit(char **arg)
{
	struct sockaddr_in me = address(arg[0], "0");
	struct sockaddr_in to = address(arg[1], arg[2]);
	double rate = atof(arg[3]), seconds = atof(arg[4]), begin, t;
	int per = atoi(arg[5]), segment = (int)payload, on = 1;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	static char buf[1 << 16];
	struct mmsghdr m[BATCH];
	struct iovec iov[BATCH];
	uint64_t sent = 0, all = (uint64_t)(rate * seconds);

	if (per < 1 || per > BATCH || seconds <= 0 ||
	    (size_t)per * payload > MESSAGE_MAX) {
		fputs("pps: bad argument\n", stderr);
		exit(2);
	}
	if (fd < 0 || bind(fd, (struct sockaddr *)&me, sizeof(me)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) != 0 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		die("connect");
	if (per > 1 &&
	    setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)) != 0)
		die("UDP_SEGMENT");
	messages(m, iov, buf, 0);
	prctl(PR_SET_TIMERSLACK, 1UL, 0, 0, 0);
	begin = now_s();
	while ((t = now_s() - begin) < 2 * seconds && (rate > 0 ? sent < all : t < seconds)) {
		uint64_t due = rate > 0 ? (uint64_t)(rate * t) + 1 : UINT64_MAX;

		if (rate > 0 && due >= all)
			due = all;
		else
			due -= (due - sent) % (uint64_t)per;
		if (due > sent)
			sent += send_some(fd, m, iov, due - sent, per);
		else
			nanosleep(&(struct timespec){ .tv_nsec = TICK_NS }, NULL);
	}
	printf("%llu %.6f\n", (unsigned long long)sent, now_s() - begin);
}

int
main(int argc, char **argv)
{
	int at = argc > 1 && strcmp(argv[1], "recv") == 0 ? 4 : 8;

	if (argc == at + 1) {
		payload = (size_t)atoi(argv[at]);
		argc--;
	}
	if (payload < 1 || payload > PAYLOAD_MAX)
		argc = 0;
	if (argc == 4 && strcmp(argv[1], "recv") == 0)
		receive(argv + 2);
	else if (argc == 8 && strcmp(argv[1], "send") == 0)
		transmit(argv + 2);
	else {
		fputs("usage: pps recv ADDRESS PORT [PAYLOAD]\n"
		      "       pps send FROM ADDRESS PORT RATE SECONDS PER_MESSAGE"
		      " [PAYLOAD]\n", stderr);
		return 2;
	}
	return 0;
}
