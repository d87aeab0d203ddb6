/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/route.c - questions about routes, and their answers for a while.
 */
#include "daemon/core/route.h"
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include "daemon/core/udp.h"

#define ANY_PORT 9 /* nothing is sent there */

void
route_init(struct route *r, const int fd[FAM_END])
{
	memset(r, 0, sizeof(*r));
	for (int fam = FAM_V4; fam < FAM_END; fam++)
		r->fd[fam] = fd[fam];
}

static struct route_info *
slot_of(struct route *r, const struct ip_addr *ip)
{
	uint32_t w[4], h = ip->family;

	memcpy(w, ip->b, sizeof(w));
	for (int i = 0; i < 4; i++)
		h = (h ^ w[i]) * 0x9e3779b1u;
	return &r->slot[h >> 16 & (ROUTE_SLOTS - 1)];
}

static void
ask(int fd, int fam, struct route_info *x)
{
	struct net_ep ep = { x->to, ANY_PORT };
	union udp_sa to, got, off = { .sa.sa_family = AF_UNSPEC };
	socklen_t len = udp_sa_from_ep(&ep, false, &to);
	int mtu = 0;

	x->from = (struct ip_addr){ 0 };
	x->mtu = 0;
	if (fd < 0 || connect(fd, &to.sa, len) != 0)
		return;
	len = sizeof(got);
	if (getsockname(fd, &got.sa, &len) == 0)
		x->from = got.sa.sa_family == AF_INET ?
		    ip_from(&got.in.sin_addr, 4) :
		    ip_from(&got.in6.sin6_addr, 16);
	len = sizeof(mtu);
	if (getsockopt(fd, fam == FAM_V4 ? IPPROTO_IP : IPPROTO_IPV6,
		       fam == FAM_V4 ? IP_MTU : IPV6_MTU, &mtu, &len) == 0 &&
	    mtu > 0)
		x->mtu = (uint32_t)mtu;
	(void)connect(fd, &off.sa, sizeof(off.sa));
}

const struct route_info *
route_find(struct route *r, const struct ip_addr *to, uint64_t now_ms)
{
	struct route_info *x = slot_of(r, to);
	int fam = to->family == 6 ? FAM_V6 : FAM_V4;

	if (LIKELY(now_ms < x->until_ms && ip_equal(&x->to, to)))
		return x;
	x->to = *to;
	x->until_ms = now_ms + ROUTE_MS;
	ask(r->fd[fam], fam, x);
	return x;
}

/* To an address of its own a machine sends from that address. */
bool
route_is_ours(struct route *r, const struct ip_addr *ip, uint64_t now_ms)
{
	return ip_equal(&route_find(r, ip, now_ms)->from, ip);
}
