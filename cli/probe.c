/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/probe.c - does an IKE daemon answer at an address and port?
 *
 *	initiator's SPI (64)  responder's SPI (64)	RFC 7296 3.1
 *	next payload (8)  version (8)  exchange (8)  flags (8)
 *	message id (32)  length (32)
 */
#include "cli/probe.h"
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "cli/cli.h"
#include "daemon/base/clk.h"
#include "daemon/base/cur.h"
#include "daemon/base/rng.h"

#define HEAD_LEN      28
#define PROBE_LEN     64	/* nobody answers a stranger with more than it sent */
#define VERSION_3     0x30
#define EXCHANGE_INFO 37
#define FLAG_I	      0x08
#define FLAG_R	      0x20
#define TRIES	      3

size_t
probe_make(uint64_t ispi, bool is_natt, void *out, size_t cap)
{
	struct wcur w;

	wcur_init(&w, out, cap);
	if (is_natt)
		wcur_u32(&w, 0);
	wcur_u64(&w, ispi);
	wcur_u64(&w, ~ispi);	/* as if of an SA: it costs nobody a cookie */
	wcur_u8(&w, 0);
	wcur_u8(&w, VERSION_3);
	wcur_u8(&w, EXCHANGE_INFO);
	wcur_u8(&w, FLAG_I);
	wcur_u32(&w, 0);
	wcur_u32(&w, PROBE_LEN);
	wcur_zero(&w, PROBE_LEN - HEAD_LEN);
	return w.err == 0 ? w.len : 0;
}

bool
probe_is_answer(uint64_t ispi, bool is_natt, const void *p, size_t len)
{
	uint8_t next, version, exchange, flags;
	uint64_t got, rspi;
	uint32_t marker;
	struct cur c;

	cur_init(&c, p, len);
	if (is_natt && (cur_u32(&c, &marker) != 0 || marker != 0))
		return false;
	if (cur_u64(&c, &got) != 0 || cur_u64(&c, &rspi) != 0 ||
	    cur_u8(&c, &next) != 0 || cur_u8(&c, &version) != 0 ||
	    cur_u8(&c, &exchange) != 0 || cur_u8(&c, &flags) != 0 ||
	    cur_skip(&c, 8) != 0)
		return false;
	return got == ispi && version >> 4 >= 1 && (flags & FLAG_R) != 0;
}

/* ---- the socket ---------------------------------------------------------- */

static int
open_to(const struct net_ep *to)
{
	int af = to->ip.family == 4 ? AF_INET : AF_INET6;
	int fd = socket(af, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), rc;
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(to->port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(to->port) };

	if (fd < 0)
		return -1;
	if (af == AF_INET) {
		memcpy(&in.sin_addr, to->ip.b, 4);
		rc = connect(fd, (struct sockaddr *)&in, sizeof(in));
	} else {
		memcpy(&in6.sin6_addr, to->ip.b, 16);
		rc = connect(fd, (struct sockaddr *)&in6, sizeof(in6));
	}
	if (rc != 0) {
		close(fd);
		return -2;
	}
	return fd;
}

/* What comes within ms. */
static enum probe_answer
hear(int fd, uint64_t ispi, bool is_natt, unsigned ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t end = clk_ms() + ms, now;
	uint8_t buf[1024];
	ssize_t n;

	while (now = clk_ms(), now < end && !cli_stopped) {
		if (poll(&p, 1, (int)(end - now)) <= 0)
			continue;
		n = recv(fd, buf, sizeof(buf), 0);
		if (n < 0 && errno == ECONNREFUSED)
			return PROBE_REFUSED;
		if (n < 0 && (errno == EHOSTUNREACH || errno == ENETUNREACH))
			return PROBE_NO_ROUTE;
		if (n > 0 && probe_is_answer(ispi, is_natt, buf, (size_t)n))
			return PROBE_ANSWERED;
	}
	return PROBE_SILENT;
}

enum probe_answer
probe_ask(const struct net_ep *to, bool is_natt, unsigned wait_ms)
{
	enum probe_answer got = PROBE_SILENT;
	uint8_t buf[PROBE_MAX];
	uint64_t ispi = 0;
	size_t len;
	int fd = open_to(to);

	if (fd < 0)
		return fd == -2 ? PROBE_NO_ROUTE : PROBE_FAILED;
	while (ispi == 0)	/* 2.6: never zero */
		if (rng_bytes(&ispi, sizeof(ispi)) != 0)
			ispi = clk_ns();
	len = probe_make(ispi, is_natt, buf, sizeof(buf));
	for (int i = 0; i < TRIES && got == PROBE_SILENT && !cli_stopped; i++) {
		if (send(fd, buf, len, 0) < 0 && errno == ECONNREFUSED)
			got = PROBE_REFUSED;
		else
			got = hear(fd, ispi, is_natt, wait_ms / TRIES);
	}
	close(fd);
	return got;
}
