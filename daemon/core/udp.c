/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/udp.c - datagrams in and out, in batches.
 */
#include "daemon/core/udp.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include "daemon/base/cur.h"
#include "daemon/base/drop.h"
#include "daemon/base/log.h"

#define UDP_SENDS   VPN_BATCH
#define IP4_HDR_MIN 20

socklen_t
udp_sa_from_ep(const struct net_ep *ep, bool is_raw, union udp_sa *out)
{
	uint16_t port = htons(is_raw ? 0 : ep->port);

	memset(out, 0, sizeof(*out));
	if (ep->ip.family == 4) {
		out->in.sin_family = AF_INET;
		out->in.sin_port = port;
		memcpy(&out->in.sin_addr, ep->ip.b, 4);
		return sizeof(out->in);
	}
	out->in6.sin6_family = AF_INET6;
	out->in6.sin6_port = port;
	memcpy(&out->in6.sin6_addr, ep->ip.b, 16);
	return sizeof(out->in6);
}

static struct net_ep
ep_from_sa(const union udp_sa *sa)
{
	struct net_ep ep = { 0 };

	if (sa->sa.sa_family == AF_INET) {
		ep.ip = ip_from(&sa->in.sin_addr, 4);
		ep.port = ntohs(sa->in.sin_port);
	} else if (sa->sa.sa_family == AF_INET6) {
		ep.ip = ip_from(&sa->in6.sin6_addr, 16);
		ep.port = ntohs(sa->in6.sin6_port);
	}
	return ep;
}

/* What the kernel tells beside a datagram: our address, and of a train the size
 * of its packets. */
static void
from_ctl(struct msghdr *h, struct buf *b)
{
	int seg = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		struct in_pktinfo p4;
		struct in6_pktinfo p6;

		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&p4, CMSG_DATA(c), sizeof(p4));
			b->to.ip = ip_from(&p4.ipi_addr, 4);
		}
		if (c->cmsg_level == IPPROTO_IPV6 &&
		    c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&p6, CMSG_DATA(c), sizeof(p6));
			b->to.ip = ip_from(&p6.ipi6_addr, 16);
		}
		if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO)
			memcpy(&seg, CMSG_DATA(c), sizeof(seg));
	}
	if (seg > 0 && (uint32_t)seg < b->len)
		b->seg_len = (uint16_t)seg;
}

size_t
udp_ctl_from_addr(const struct ip_addr *local, uint32_t ifindex,
		  union udp_ctl *out)
{
	struct msghdr h = { .msg_control = out, .msg_controllen = sizeof(*out) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&h);
	struct in_pktinfo p4 = { 0 };
	struct in6_pktinfo p6 = { 0 };

	if (local->family == 4) {
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(p4));
		p4.ipi_ifindex = (int)ifindex;
		memcpy(&p4.ipi_spec_dst, local->b, 4);
		memcpy(CMSG_DATA(c), &p4, sizeof(p4));
		return CMSG_SPACE(sizeof(p4));
	}
	if (local->family == 6) {
		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(p6));
		p6.ipi6_ifindex = ifindex;
		memcpy(&p6.ipi6_addr, local->b, 16);
		memcpy(CMSG_DATA(c), &p6, sizeof(p6));
		return CMSG_SPACE(sizeof(p6));
	}
	return 0;
}

size_t
udp_ctl_segment(union udp_ctl *ctl, size_t len, uint16_t seg)
{
	struct msghdr h = { .msg_control = ctl->b + len,
			    .msg_controllen = sizeof(*ctl) - len };
	struct cmsghdr *c = CMSG_FIRSTHDR(&h);

	c->cmsg_level = IPPROTO_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof(seg));
	memcpy(CMSG_DATA(c), &seg, sizeof(seg));
	return len + CMSG_SPACE(sizeof(seg));
}

/* Raw IPv4 sockets deliver the IP header; RFC 791 3.1. */
static int
strip_ip4(struct buf *b)
{
	struct cur c;
	uint8_t vihl;
	int err;

	cur_init(&c, b->data, b->len);
	if ((err = cur_u8(&c, &vihl)) != 0)
		return err;
	if (vihl >> 4 != 4 || (vihl & 15) * 4 < IP4_HDR_MIN)
		return ERR_SYNTAX;
	return buf_pull(b, (size_t)(vihl & 15) * 4);
}

unsigned
udp_recv(int fd, struct buf_pool *pool, uint16_t to_port, bool is_raw,
	 struct buf **out, unsigned n)
{
	/* Filled as far as they are used: 12 KiB, and mostly one train comes. */
	struct mmsghdr m[UDP_SENDS] __attribute__((uninitialized));
	struct iovec iov[UDP_SENDS] __attribute__((uninitialized));
	union udp_sa from[UDP_SENDS];
	union udp_ctl ctl[UDP_SENDS] __attribute__((uninitialized));
	struct buf *b[UDP_SENDS] __attribute__((uninitialized));
	unsigned want = 0, kept = 0;
	int got;

	n = MIN(n, (unsigned)UDP_SENDS);
	for (; want < n && (b[want] = buf_new(pool)) != NULL; want++) {
		iov[want].iov_base = b[want]->data;
		iov[want].iov_len = buf_tail(b[want]) - BUF_TAIL;
		m[want].msg_hdr = (struct msghdr){
			.msg_name = &from[want],
			.msg_namelen = sizeof(from[want]),
			.msg_iov = &iov[want],
			.msg_iovlen = 1,
			.msg_control = &ctl[want],
			.msg_controllen = sizeof(ctl[want]),
		};
	}
	if (want == 0) { /* no buffer: take one datagram off and drop it */
		uint8_t junk;

		if (recv(fd, &junk, 1, 0) >= 0)
			drop_count(DROP_NO_BUF, 1);
		return 0;
	}
	got = recvmmsg(fd, m, want, 0, NULL);
	if (got < 0)
		got = 0;
	for (unsigned i = 0; i < want; i++) {
		if (i >= (unsigned)got) {
			buf_put(b[i]);
			continue;
		}
		b[i]->len = m[i].msg_len;
		b[i]->from = ep_from_sa(&from[i]);
		from_ctl(&m[i].msg_hdr, b[i]);
		b[i]->to.port = to_port;
		b[i]->kind = is_raw ? VPN_ENCAP_ESP : VPN_ENCAP_UDP;
		if ((m[i].msg_hdr.msg_flags & MSG_TRUNC) != 0) {
			drop_count(DROP_TOO_BIG, 1);
			buf_put(b[i]);
		} else if (is_raw && b[i]->from.ip.family == 4 &&
			   strip_ip4(b[i]) != 0) {
			drop_count(DROP_ESP_RUNT, 1);
			buf_put(b[i]);
		} else {
			out[kept++] = b[i];
		}
	}
	return kept;
}

/* 0, or -1 with errno. */
static int
send_msg(int fd, const struct udp_way *way, struct view data)
{
	static const uint8_t marker[4]; /* RFC 3948 2.2 */
	struct iovec iov[2] = {
		{ (void *)(uintptr_t)marker,
		  way->is_natt ? sizeof(marker) : 0 },
		{ (void *)(uintptr_t)data.p, data.len },
	};
	union udp_sa to;
	union udp_ctl ctl;
	struct msghdr h = {
		.msg_name = &to,
		.msg_iov = iov,
		.msg_iovlen = 2,
		.msg_control = &ctl,
	};

	h.msg_namelen = udp_sa_from_ep(way->remote, false, &to);
	h.msg_controllen = udp_ctl_from_addr(&way->local->ip, way->ifindex,
					     &ctl);
	if (h.msg_controllen == 0)
		h.msg_control = NULL;
	return sendmsg(fd, &h, 0) >= 0 ? 0 : -1;
}

void
udp_send_msg(int fd, const struct udp_way *way, struct view data)
{
	char text[IP_TEXT_MAX];

	if (send_msg(fd, way, data) == 0)
		return;
	log_rl(LOG_INFO, "core", "cannot send IKE to %s: %s",
	       net_ep_text(way->remote, text), strerror(errno));
	drop_count(DROP_SEND, 1);
}

int
udp_send_whole(int fd, const struct udp_way *way, struct view data)
{
	bool is_v6 = way->remote->ip.family == 6;
	int level = is_v6 ? IPPROTO_IPV6 : IPPROTO_IP;
	int name = is_v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER;
	/* so that the kernel hears what routers answer: a hint for the search */
	int usual = is_v6 ? IPV6_PMTUDISC_DONT : IP_PMTUDISC_DONT, err;
	int whole = is_v6 ? IPV6_PMTUDISC_PROBE : IP_PMTUDISC_PROBE;

	if (setsockopt(fd, level, name, &whole, sizeof(whole)) != 0)
		return 0; /* as if it were lost: nothing was proven */
	err = send_msg(fd, way, data) == 0 ? 0 : errno;
	(void)setsockopt(fd, level, name, &usual, sizeof(usual));
	return err == EMSGSIZE ? ERR_LONG : 0;
}

/* connect() on UDP sends nothing; it only asks for a route.  fd < 0: there is
 * none. */
static int
ask_route(const int probe[FAM_END], const struct ip_addr *remote)
{
	struct net_ep ep = { *remote, 9 };
	int fd = probe[remote->family == 6 ? FAM_V6 : FAM_V4];
	union udp_sa to;
	socklen_t len;

	if (fd < 0)
		return -1;
	len = udp_sa_from_ep(&ep, false, &to);
	return connect(fd, &to.sa, len) == 0 ? fd : -1;
}

static void
ask_done(int fd)
{
	union udp_sa off = { .sa.sa_family = AF_UNSPEC };

	(void)connect(fd, &off.sa, sizeof(off.sa));
}

uint32_t
udp_path_mtu(const int probe[FAM_END], const struct ip_addr *remote)
{
	bool is_v6 = remote->family == 6;
	int mtu = 0, fd = ask_route(probe, remote);
	socklen_t len = sizeof(mtu);

	if (fd < 0)
		return 0;
	if (getsockopt(fd, is_v6 ? IPPROTO_IPV6 : IPPROTO_IP,
		       is_v6 ? IPV6_MTU : IP_MTU, &mtu, &len) != 0 || mtu < 0)
		mtu = 0;
	ask_done(fd);
	return (uint32_t)mtu;
}

struct ip_addr
udp_local_addr(const int probe[FAM_END], const struct ip_addr *remote)
{
	int fd = ask_route(probe, remote);
	struct ip_addr ip = { 0 };
	union udp_sa got;
	socklen_t len = sizeof(got);

	if (fd < 0)
		return ip;
	if (getsockname(fd, &got.sa, &len) == 0)
		ip = ep_from_sa(&got).ip;
	ask_done(fd);
	return ip;
}
