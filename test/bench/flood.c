/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/bench/flood.c - forged IKE_SA_INIT requests at an even rate.
 *
 *   flood ADDRESS PORT RATE SECONDS [SOURCE]
 *
 * Each request is right in itself: AES-256-GCM, PRF-HMAC-SHA2-256, X25519, with a
 * value and a nonce of its own.  SPI, source port and, without SOURCE, source
 * address (198.18.0.0/15, for measurements, RFC 2544) are random.  PORT 4500 has
 * the non-ESP marker in front.  Needs a raw socket: root, in a namespace.
 *
 * Prints "SENT SECONDS".  What the sender could not keep up with shows in its
 * seconds.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
	BATCH = 32,		/* requests a system call, at most */
	TICK_NS = 500000,	/* the sender wakes this often */
	MARKER = 4,
	NET_FIRST = 0xc6120000,	/* 198.18.0.0 */
	NET_SIZE = 1 << 17,	/* /15 */
	PORT_NATT = 4500,
};

/* From the IKE header on; RFC 7296 3.1 to 3.9. */
static const uint8_t request[] = {
	0, 0, 0, 0, 0, 0, 0, 1,  0, 0, 0, 0, 0, 0, 0, 0,	/* SPIs */
	33, 0x20, 34, 0x08,  0, 0, 0, 0,  0, 0, 0, 144,
	34, 0, 0, 40,						/* SA */
	0, 0, 0, 36,  1, 1, 0, 3,
	3, 0, 0, 12,  1, 0, 0, 20,  0x80, 14, 1, 0,
	3, 0, 0, 8,  2, 0, 0, 5,
	0, 0, 0, 8,  4, 0, 0, 31,
	40, 0, 0, 40,  0, 31, 0, 0,				/* KE */
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
	0, 0, 0, 36,						/* Nonce */
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
};

struct packet {
	struct iphdr ip;
	struct udphdr udp;
	uint8_t ike[MARKER + sizeof(request)];
} __attribute__((packed));

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

/* xorshift64*: which numbers they are does not matter. */
static uint64_t
any(void)
{
	static uint64_t x = 88172645463325252u;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	return x * 2685821657736338717u;
}

static void
forge(struct packet *p, const struct sockaddr_in *to, const struct in_addr *from)
{
	size_t marker = ntohs(to->sin_port) == PORT_NATT ? MARKER : 0;
	size_t len = marker + sizeof(request);
	uint8_t *ike = p->ike + marker;
	uint64_t r = any(), spi = any() | 1, value = any();

	memset(p, 0, sizeof(*p));
	p->ip = (struct iphdr){ .version = 4, .ihl = 5, .ttl = 64,
		.protocol = IPPROTO_UDP, .daddr = to->sin_addr.s_addr,
		.tot_len = htons((uint16_t)(sizeof(p->ip) + sizeof(p->udp) +
					    len)),
		.saddr = from != NULL ? from->s_addr :
		    htonl(NET_FIRST + (uint32_t)(r % NET_SIZE)) };
	/* no check sum: permitted over IPv4, RFC 768 */
	p->udp = (struct udphdr){ .source = htons((uint16_t)(1024 + (r >> 32) %
							     60000)),
		.dest = to->sin_port,
		.len = htons((uint16_t)(sizeof(p->udp) + len)) };
	memcpy(ike, request, sizeof(request));
	memcpy(ike, &spi, sizeof(spi));
	memcpy(ike + 80, &value, sizeof(value));
	memcpy(ike + sizeof(request) - 8, &value, sizeof(value));
}

static void
send_some(int fd, const struct sockaddr_in *to, const struct in_addr *from,
	  unsigned n)
{
	static struct packet p[BATCH];
	struct mmsghdr m[BATCH];
	struct iovec iov[BATCH];
	struct sockaddr_in dst = *to;

	dst.sin_port = 0;
	memset(m, 0, sizeof(m));
	for (unsigned i = 0; i < n; i++) {
		forge(&p[i], to, from);
		iov[i] = (struct iovec){ &p[i], ntohs(p[i].ip.tot_len) };
		m[i].msg_hdr = (struct msghdr){ .msg_name = &dst,
			.msg_namelen = sizeof(dst), .msg_iov = &iov[i],
			.msg_iovlen = 1 };
	}
	for (unsigned done = 0; done < n;) {
		int got = sendmmsg(fd, m + done, n - done, 0);

		if (got <= 0)
			die("sendmmsg");
		done += (unsigned)got;
	}
}

int
main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct timespec tick = { .tv_nsec = TICK_NS };
	struct in_addr from;
	double start, rate, seconds;
	uint64_t sent = 0, total;
	int fd;

	if (argc != 5 && argc != 6) {
		fprintf(stderr, "usage: flood ADDRESS PORT RATE SECONDS "
			"[SOURCE]\n");
		return 2;
	}
	if (inet_pton(AF_INET, argv[1], &to.sin_addr) != 1 ||
	    (argc == 6 && inet_pton(AF_INET, argv[5], &from) != 1))
		die("address");
	to.sin_port = htons((uint16_t)atoi(argv[2]));
	rate = atof(argv[3]);
	seconds = atof(argv[4]);
	if ((fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW)) < 0)
		die("socket");
	total = (uint64_t)(rate * seconds);
	start = now_s();
	while (sent < total) {
		uint64_t due = (uint64_t)((now_s() - start) * rate);
		unsigned n;

		due = due < total ? due : total;
		if (due <= sent) {
			nanosleep(&tick, NULL);
			continue;
		}
		n = due - sent < BATCH ? (unsigned)(due - sent) : BATCH;
		send_some(fd, &to, argc == 6 ? &from : NULL, n);
		sent += n;
	}
	printf("%llu %.3f\n", (unsigned long long)sent, now_s() - start);
	return 0;
}
