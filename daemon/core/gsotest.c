/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/gsotest.c - trains over loopback, compared.
 */
#include "daemon/core/gsotest.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/core/udp.h"

#define TRAIN_MAX 65000	/* bytes; as much as a datagram holds */
#define WAIT_MS	  200	/* loopback delivers before sendmsg() returns */

/* Packets of a train and their size; the last one is shorter by less. */
static const struct shape {
	uint16_t n, len, less;
} shapes[] = {
	{ 2, 1400, 0 }, { 16, 1200, 0 }, { 46, 1400, 0 }, { 46, 1400, 1 },
	{ 64, 100, 0 }, { 64, 1000, 999 },
};

struct ends {
	int out, in;
	struct sockaddr_in to;
};

static int
ends_open(struct ends *e, bool is_gro)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(e->to);
	int on = 1, room = 4 * TRAIN_MAX;

	e->out = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	e->in = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (e->out < 0 || e->in < 0 ||
	    bind(e->out, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    bind(e->in, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    getsockname(e->in, (struct sockaddr *)&e->to, &len) != 0)
		return ERR_SYS;
	(void)setsockopt(e->in, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (is_gro && setsockopt(e->in, IPPROTO_UDP, UDP_GRO, &on,
				 sizeof(on)) != 0)
		return ERR_SYS; /* then nobody receives with it either */
	return 0;
}

static void
ends_close(struct ends *e)
{
	if (e->out >= 0)
		close(e->out);
	if (e->in >= 0)
		close(e->in);
}

/* Each byte depends on its packet and its place. */
static size_t
make(const struct shape *s, uint8_t *out)
{
	size_t n = (size_t)s->n * s->len - s->less;

	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(i / s->len * 37 + i % s->len * 11 + 5);
	return n;
}

static int
send_train(const struct ends *e, const uint8_t *p, size_t n, uint16_t seg)
{
	union udp_ctl ctl = { 0 };
	struct iovec iov = { (void *)(uintptr_t)p, n };
	struct msghdr h = {
		.msg_name = (void *)(uintptr_t)&e->to,
		.msg_namelen = sizeof(e->to),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &ctl,
	};

	h.msg_controllen = udp_ctl_segment(&ctl, 0, seg);
	if (sendmsg(e->out, &h, 0) == (ssize_t)n)
		return 0;
	return errno == ENETUNREACH || errno == EADDRNOTAVAIL || errno == EPERM
	    ? ERR_SYS : ERR_UNSUP;
}

/* The packet size the kernel tells of what it received, or 0. */
static uint16_t
seg_of(struct msghdr *h)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		int seg = 0;

		if (c->cmsg_level != IPPROTO_UDP || c->cmsg_type != UDP_GRO)
			continue;
		memcpy(&seg, CMSG_DATA(c), sizeof(seg));
		return (uint16_t)seg;
	}
	return 0;
}

/* Read all of a train, in datagrams of one or more packets. */
static int
recv_train(const struct ends *e, uint8_t *p, size_t n, const struct shape *s)
{
	struct pollfd ready = { .fd = e->in, .events = POLLIN };
	size_t at = 0;

	while (at < n) {
		union udp_ctl ctl;
		struct iovec iov = { p + at, n - at };
		struct msghdr h = {
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = &ctl,
			.msg_controllen = sizeof(ctl),
		};
		ssize_t got;
		size_t seg;

		if (poll(&ready, 1, WAIT_MS) != 1 ||
		    (got = recvmsg(e->in, &h, 0)) <= 0 ||
		    (h.msg_flags & MSG_TRUNC) != 0)
			return ERR_ICV;
		seg = seg_of(&h);
		if (seg == 0)
			seg = (size_t)got;
		/* Cut where packets end; only the last one may be shorter. */
		at += (size_t)got;
		if (seg > s->len ||
		    (at != n && (seg < s->len || (size_t)got % s->len != 0)))
			return ERR_ICV;
	}
	return 0;
}

static int
one(const struct ends *e, const struct shape *s, bool is_faulty)
{
	uint8_t want[TRAIN_MAX] __attribute__((uninitialized));
	uint8_t got[TRAIN_MAX] __attribute__((uninitialized));
	size_t n = make(s, want);
	int err;

	if ((err = send_train(e, want, n, s->len)) != 0 ||
	    (err = recv_train(e, got, n, s)) != 0)
		return err;
	if (is_faulty)
		got[n / 2] ^= 1;
	return memcmp(want, got, n) == 0 ? 0 : ERR_ICV;
}

static int
pass(bool is_gro, bool is_faulty)
{
	struct ends e = { -1, -1, { 0 } };
	int err = ends_open(&e, is_gro);

	for (unsigned i = 0; err == 0 && i < N_OF(shapes); i++)
		err = one(&e, &shapes[i], is_faulty);
	ends_close(&e);
	return err;
}

int
gsotest_run(bool is_faulty)
{
	int err = pass(false, is_faulty);

	if (err == 0 && (err = pass(true, is_faulty)) == ERR_SYS)
		err = 0; /* without UDP_GRO nobody sees that */
	return err;
}
