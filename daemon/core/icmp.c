/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/icmp.c - errors that routers and hosts send about our datagrams.
 */
#include "daemon/core/icmp.h"
#include <netinet/in.h>		/* before linux/, which has less of it */
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/cur.h"
#include "daemon/core/core.h"
#include "daemon/core/loop.h"
#include "daemon/core/udp.h"

#define KEPT	   32	/* errors remembered, one a peer and port; ours */
#define PER_S	   200	/* then no more in this second; ours */
#define MSG_BYTES  1280	/* RFC 4443 2.4: no error is longer */
#define BUF_BYTES  (64 * 1024)
#define IP4_MIN	   20
#define IP6_LEN	   40
#define V4_UNREACH 3	/* RFC 792 */
#define V6_UNREACH 1	/* RFC 4443 3.1 */
#define V6_BIG	   2

struct icmp {
	struct vpn *vpn;
	struct icmp_error last[KEPT];
	unsigned n_second;
	bool is_paused;
};

/* ---- decode ----------------------------------------------------------------- */

/* RFC 792, RFC 1812 5.2.7.1. */
static enum icmp_kind
kind_v4(uint8_t code)
{
	switch (code) {
	case 3:
		return ICMP_PORT;
	case 4:
		return ICMP_BIG;
	case 9:
	case 10:
	case 13:
		return ICMP_ADMIN;
	default:
		return code <= 12 ? ICMP_HOST : ICMP_NONE;
	}
}

static enum icmp_kind
kind_v6(uint8_t type, uint8_t code)
{
	if (type == V6_BIG)
		return ICMP_BIG;
	if (type != V6_UNREACH)
		return ICMP_NONE;
	return code == 4 ? ICMP_PORT : code == 1 || code == 5 || code == 6 ?
	    ICMP_ADMIN : ICMP_HOST;
}

/* Ports of UDP; ESP has none. */
static int
inner_ports(struct cur *c, uint8_t proto, struct icmp_error *out)
{
	int err;

	if (proto == IPPROTO_ESP)
		return 0;
	if (proto != IPPROTO_UDP)
		return ERR_UNSUP;
	if ((err = cur_u16(c, &out->from_port)) != 0)
		return err;
	return cur_u16(c, &out->to.port);
}

/* An IPv4 header; what is behind it stays in c. */
static int
ip4_head(struct cur *c, uint8_t *proto, struct ip_addr *src,
	 struct ip_addr *dst)
{
	struct view v;
	size_t more;
	int err;

	if ((err = cur_view(c, IP4_MIN, &v)) != 0)
		return err;
	more = (size_t)(v.p[0] & 15) * 4;
	if (v.p[0] >> 4 != 4 || more < IP4_MIN)
		return ERR_SYNTAX;
	*proto = v.p[9];
	*src = ip_from(v.p + 12, 4);
	*dst = ip_from(v.p + 16, 4);
	return cur_skip(c, more - IP4_MIN);
}

static int
decode_v4(struct cur *c, struct icmp_error *out)
{
	struct ip_addr src, own;
	uint8_t proto, type, code;
	uint16_t mtu;
	int err;

	if ((err = ip4_head(c, &proto, &out->from, &own)) != 0 ||
	    (err = cur_u8(c, &type)) != 0 || (err = cur_u8(c, &code)) != 0 ||
	    (err = cur_skip(c, 4)) != 0 || (err = cur_u16(c, &mtu)) != 0)
		return err;
	out->kind = type == V4_UNREACH ? kind_v4(code) : ICMP_NONE;
	out->mtu = out->kind == ICMP_BIG ? mtu : 0;
	if (out->kind == ICMP_NONE || proto != IPPROTO_ICMP)
		return ERR_UNSUP;
	if ((err = ip4_head(c, &proto, &src, &out->to.ip)) != 0)
		return err;
	return inner_ports(c, proto, out);
}

static int
decode_v6(struct cur *c, struct icmp_error *out)
{
	uint8_t type, code;
	uint32_t mtu;
	struct view v;
	int err;

	if ((err = cur_u8(c, &type)) != 0 || (err = cur_u8(c, &code)) != 0 ||
	    (err = cur_skip(c, 2)) != 0 || (err = cur_u32(c, &mtu)) != 0)
		return err;
	out->kind = kind_v6(type, code);
	out->mtu = out->kind == ICMP_BIG ? mtu : 0;
	if (out->kind == ICMP_NONE)
		return ERR_UNSUP;
	if ((err = cur_view(c, IP6_LEN, &v)) != 0)
		return err;
	if (v.p[0] >> 4 != 6)
		return ERR_SYNTAX;
	out->to.ip = ip_from(v.p + 24, 16);
	return inner_ports(c, v.p[6], out);
}

int
icmp_decode(int family, const struct ip_addr *from, struct view v,
	    struct icmp_error *out)
{
	struct icmp_error e = { .from = *from };
	struct cur c;
	int err;

	cur_init(&c, v.p, v.len);
	err = family == 4 ? decode_v4(&c, &e) : decode_v6(&c, &e);
	if (err == 0)
		*out = e;
	return err;
}

/* ---- kept ------------------------------------------------------------------- */

/* In the place of an older one of the same kind of thing, or of the oldest. */
static void
keep(struct icmp *m, const struct icmp_error *e)
{
	struct icmp_error *to = &m->last[0];

	for (unsigned i = 0; i < KEPT; i++) {
		struct icmp_error *one = &m->last[i];

		if (one->at_ms != 0 && one->to.port == e->to.port &&
		    ip_equal(&one->to.ip, &e->to.ip)) {
			to = one;
			break;
		}
		if (one->at_ms < to->at_ms)
			to = one;
	}
	*to = *e;
	to->at_ms = clk_ms();
}

const struct icmp_error *
icmp_find(const struct icmp *m, const struct ip_addr *ip)
{
	const struct icmp_error *best = NULL;

	for (unsigned i = 0; m != NULL && i < KEPT; i++)
		if (m->last[i].at_ms != 0 &&
		    ip_equal(&m->last[i].to.ip, ip) &&
		    (best == NULL || m->last[i].at_ms > best->at_ms))
			best = &m->last[i];
	return best;
}

/* ---- sockets ---------------------------------------------------------------- */

/* Is it about a datagram of a port of ours? */
static bool
is_ours(const struct icmp *m, const struct icmp_error *e)
{
	const struct conf *c = m->vpn->conf;

	return e->from_port == 0 || e->from_port == c->port ||
	    e->from_port == c->nat_port;
}

static void
pause_all(struct icmp *m, bool is_paused)
{
	m->is_paused = is_paused;
	for (int fam = FAM_V4; fam < FAM_END; fam++)
		if (m->vpn->socks.icmp[fam] >= 0)
			loop_want_in(m->vpn->loop, m->vpn->socks.icmp[fam],
				     !is_paused);
}

static void
on_error(void *ctx, int fd, uint32_t events UNUSED)
{
	struct icmp *m = ctx;
	int family = fd == m->vpn->socks.icmp[FAM_V4] ? 4 : 6;
	uint8_t buf[MSG_BYTES];
	struct icmp_error e;

	for (unsigned i = 0; i < 16; i++) {
		union udp_sa sa = { 0 };
		socklen_t len = sizeof(sa);
		struct ip_addr from = { 0 };
		ssize_t n = recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT,
				     &sa.sa, &len);

		if (n < 0)
			return;
		if (family == 6)
			from = ip_from(&sa.in6.sin6_addr, 16);
		if (icmp_decode(family, &from, (struct view){ buf, (size_t)n },
				&e) == 0 && is_ours(m, &e))
			keep(m, &e);
		if (++m->n_second >= PER_S) {
			pause_all(m, true);
			return;
		}
	}
}

int
icmp_open(int family)
{
	int n = BUF_BYTES, fd = socket(family == 4 ? AF_INET : AF_INET6,
	    SOCK_RAW | SOCK_NONBLOCK, family == 4 ? IPPROTO_ICMP :
	    IPPROTO_ICMPV6);
	struct icmp_filter f4 = { ~(1u << V4_UNREACH) };
	struct icmp6_filter f6;
	int rc;

	if (fd < 0)
		return -1;
	ICMP6_FILTER_SETBLOCKALL(&f6);
	ICMP6_FILTER_SETPASS(V6_UNREACH, &f6);
	ICMP6_FILTER_SETPASS(V6_BIG, &f6);
	rc = family == 4 ? setsockopt(fd, SOL_RAW, ICMP_FILTER, &f4,
				      sizeof(f4)) :
	    setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &f6, sizeof(f6));
	if (rc != 0) {
		close(fd);
		return -1;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &n, sizeof(n));
	return fd;
}

int
icmp_new(struct icmp **out, struct vpn *v)
{
	struct icmp *m = calloc(1, sizeof(*m));
	int err = 0;

	if (m == NULL)
		return ERR_NOMEM;
	m->vpn = v;
	for (int fam = FAM_V4; fam < FAM_END && err == 0; fam++)
		if (v->socks.icmp[fam] >= 0)
			err = loop_add(v->loop, v->socks.icmp[fam], on_error,
				       m);
	if (err != 0) {
		free(m);
		return err;
	}
	*out = m;
	return 0;
}

void
icmp_tick(struct icmp *m)
{
	if (m == NULL)
		return;
	m->n_second = 0;
	if (m->is_paused)
		pause_all(m, false);
}

void
icmp_free(struct icmp *m)
{
	if (m == NULL)
		return;
	for (int fam = FAM_V4; fam < FAM_END; fam++)
		if (m->vpn->socks.icmp[fam] >= 0)
			loop_del(m->vpn->loop, m->vpn->socks.icmp[fam]);
	free(m);
}
