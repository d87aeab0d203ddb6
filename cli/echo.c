/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/echo.c - ICMP echo from this machine.
 *
 *	 0       1       2       4       6       8
 *	+-------+-------+-------+-------+-------+---------
 *	| type  | code  | check | id    | seq   | data
 *	+-------+-------+-------+-------+-------+---------
 *
 * The data hold a mark and the number once more: a socket of the datagram kind
 * has an id of the kernel's choice.
 */
#include "cli/echo.h"
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "cli/cli.h"
#include "daemon/base/clk.h"
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "daemon/base/rng.h"

#define TYPE4_ASK 8
#define TYPE4_ANS 0
#define TYPE6_ASK 128
#define TYPE6_ANS 129
#define MARK	  UINT64_C(0x7461706972656368)	/* "tapirech" */

/* RFC 1071. */
static uint16_t
checksum(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	if (len % 2 != 0)
		sum += (uint32_t)(p[len - 1] << 8);
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

size_t
echo_make(uint8_t family, uint16_t id, uint16_t seq, void *out, size_t cap)
{
	struct wcur w;
	size_t check;

	wcur_init(&w, out, cap);
	wcur_u8(&w, family == 4 ? TYPE4_ASK : TYPE6_ASK);
	wcur_u8(&w, 0);
	check = wcur_hole(&w, 2);
	wcur_u16(&w, id);
	wcur_u16(&w, seq);
	wcur_u64(&w, MARK);
	wcur_u16(&w, id);
	wcur_u16(&w, seq);
	wcur_zero(&w, 4);
	if (w.err != 0)
		return 0;
	wcur_put16(&w, check, 0);
	if (family == 4)	/* the kernel makes that of ICMPv6 */
		wcur_put16(&w, check, checksum(out, w.len));
	return w.len;
}

/* The header of IPv4, its length in the first byte. */
static int
skip_header(struct cur *c)
{
	uint8_t first;
	int err;

	if ((err = cur_u8(c, &first)) != 0)
		return err;
	if (first >> 4 != 4 || (first & 15) < 5)
		return ERR_SYNTAX;
	return cur_skip(c, (size_t)(first & 15) * 4 - 1);
}

bool
echo_is_answer(uint8_t family, bool has_header, uint16_t id, uint16_t seq,
	       const void *p, size_t len)
{
	uint16_t got_id, got_seq;
	uint8_t type, code;
	uint64_t mark;
	struct cur c;

	cur_init(&c, p, len);
	if (has_header && skip_header(&c) != 0)
		return false;
	if (cur_u8(&c, &type) != 0 || cur_u8(&c, &code) != 0 ||
	    cur_skip(&c, 6) != 0 || cur_u64(&c, &mark) != 0 ||
	    cur_u16(&c, &got_id) != 0 || cur_u16(&c, &got_seq) != 0)
		return false;
	return type == (family == 4 ? TYPE4_ANS : TYPE6_ANS) && code == 0 &&
	    mark == MARK && got_id == id && got_seq == seq;
}

/* ---- the socket ---------------------------------------------------------- */

static socklen_t
sockaddr_of(const struct ip_addr *ip, struct sockaddr_storage *ss)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	memset(ss, 0, sizeof(*ss));
	if (ip->family == 4) {
		memcpy(&in.sin_addr, ip->b, 4);
		memcpy(ss, &in, sizeof(in));
		return sizeof(in);
	}
	memcpy(&in6.sin6_addr, ip->b, 16);
	memcpy(ss, &in6, sizeof(in6));
	return sizeof(in6);
}

int
echo_open(struct echo *e, const struct ip_addr *to)
{
	int af = to->family == 4 ? AF_INET : AF_INET6;
	int proto = to->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;

	*e = (struct echo){ .to = *to };
	if (rng_bytes(&e->id, sizeof(e->id)) != 0)
		e->id = (uint16_t)getpid();
	e->fd = socket(af, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, proto);
	e->has_header = e->fd >= 0 && to->family == 4;
	if (e->fd < 0)
		e->fd = socket(af, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			       proto);
	if (e->fd < 0)
		return errno == EPERM || errno == EACCES ? ERR_PERM : ERR_SYS;
	return 0;
}

void
echo_close(struct echo *e)
{
	if (e->fd >= 0)
		close(e->fd);
	e->fd = -1;
}

/* Is the answer among what waits to be read? */
static bool
take(struct echo *e, uint16_t seq)
{
	uint8_t buf[ECHO_MAX];
	ssize_t n;

	while ((n = recv(e->fd, buf, sizeof(buf), 0)) >= 0 || errno == EINTR)
		if (n > 0 && echo_is_answer(e->to.family, e->has_header, e->id,
					    seq, buf, (size_t)n))
			return true;
	return false;
}

int
echo_ask(struct echo *e, uint16_t seq, unsigned wait_ms, uint64_t *rtt_us)
{
	uint8_t buf[ECHO_MAX];
	size_t len = echo_make(e->to.family, e->id, seq, buf, sizeof(buf));
	struct pollfd p = { .fd = e->fd, .events = POLLIN };
	struct sockaddr_storage ss;
	socklen_t ss_len = sockaddr_of(&e->to, &ss);
	uint64_t from = clk_ns(), now;

	if (sendto(e->fd, buf, len, 0, (struct sockaddr *)&ss, ss_len) < 0)
		return errno == ENETUNREACH || errno == EHOSTUNREACH ||
		    errno == EADDRNOTAVAIL ? ERR_ADDR :
		    errno == EPERM || errno == EACCES ? ERR_PERM : ERR_SYS;
	while (now = clk_ns(), now - from < wait_ms * UINT64_C(1000000)) {
		if (cli_stopped)
			return ERR_AGAIN;
		if (poll(&p, 1, (int)(wait_ms - (now - from) / 1000000)) <= 0)
			continue;
		if (take(e, seq)) {
			*rtt_us = (clk_ns() - from) / 1000;
			return 0;
		}
	}
	return ERR_TIMEOUT;
}
