/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/uplink.c - addresses of this machine that lead out of it.
 *
 *   news (link, address, route) --> a little later: RTM_GETLINK, RTM_GETADDR
 *   both answers complete       --> ike_own_addrs()
 *
 * News come in crowds (an interface that goes takes its addresses and routes along;
 * peers in IP mode bring many routes), so they are waited for a moment, and the
 * whole is read anew instead of followed piece by piece.
 *
 * Thread: the loop.
 */
#include "daemon/core/uplink.h"
#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/tmr.h"
#include "daemon/core/core.h"
#include "daemon/core/loop.h"
#include "daemon/core/udp.h"

#define READ_MAX   32768	/* what the kernel puts into one datagram */
#define CROWD_MS   10		/* after the first news */
#define PAUSE_MS   50		/* between two readings */

struct uplink {
	struct vpn *vpn;
	struct uplink_list now, next;	/* next: while it is read */
	enum { IDLE, LINKS, ADDRS } phase;
	bool is_stale;			/* there were news */
	uint64_t read_ms;		/* the last reading began */
	uint32_t seq;
	struct tmr tmr;
	_Alignas(8) uint8_t buf[READ_MAX];
	_Alignas(8) uint8_t route[1024];	/* one answer about a route */
};

/* ---- reading what the kernel says ------------------------------------------ */

static const struct rtattr *
attr(const struct rtattr *a, long len, unsigned short type)
{
	for (; RTA_OK(a, len); a = RTA_NEXT(a, len))
		if (a->rta_type == type)
			return a;
	return NULL;
}

static bool
is_among(const uint32_t *index, unsigned n, uint32_t ifindex)
{
	for (unsigned i = 0; i < n; i++)
		if (index[i] == ifindex)
			return true;
	return false;
}

/* All links are told before the first address. */
static bool
leads_out(const struct uplink_list *l, uint32_t ifindex)
{
	return !is_among(l->in, l->n_in, ifindex);
}

static void
add_in(struct uplink_list *l, uint32_t ifindex)
{
	if (l->n_in < UPLINK_MAX)
		l->in[l->n_in++] = ifindex;
}

/* A TAP of ours, and the bridge it is a port of. */
static void
take_own(struct uplink_list *l, const struct nlmsghdr *h)
{
	const struct ifinfomsg *m = NLMSG_DATA(h);
	const struct rtattr *master = attr(IFLA_RTA(m), IFLA_PAYLOAD(h),
					   IFLA_MASTER);
	uint32_t index;

	add_in(l, (uint32_t)m->ifi_index);
	if (master == NULL || RTA_PAYLOAD(master) != sizeof(index))
		return;
	memcpy(&index, RTA_DATA(master), sizeof(index));
	add_in(l, index);
}

static int
take_link(struct uplink_list *l, const struct nlmsghdr *h,
	  bool (*is_own)(void *ctx, const char *ifname), void *ctx)
{
	const struct ifinfomsg *m = NLMSG_DATA(h);
	const unsigned want = IFF_UP | IFF_RUNNING;
	const struct rtattr *name;
	char ifname[IFNAMSIZ] = "";

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return ERR_SHORT;
	name = attr(IFLA_RTA(m), IFLA_PAYLOAD(h), IFLA_IFNAME);
	if (name != NULL)
		memcpy(ifname, RTA_DATA(name),
		       MIN(RTA_PAYLOAD(name), sizeof(ifname) - 1));
	if (is_own(ctx, ifname))
		take_own(l, h);
	else if (m->ifi_flags & IFF_LOOPBACK)
		add_in(l, (uint32_t)m->ifi_index);
	if ((m->ifi_flags & want) != want || l->n_up == UPLINK_MAX ||
	    m->ifi_index <= 0)
		return 0;
	l->up[l->n_up++] = (uint32_t)m->ifi_index;
	return 0;
}

static int
take_addr(struct uplink_list *l, const struct nlmsghdr *h)
{
	const unsigned bad = IFA_F_TENTATIVE | IFA_F_DADFAILED |
	    IFA_F_DEPRECATED;
	const struct ifaddrmsg *m = NLMSG_DATA(h);
	const struct rtattr *a, *f;
	struct ip_addr ip;
	uint32_t flags;

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return ERR_SHORT;
	/* of a point-to-point interface IFA_ADDRESS is the other end's */
	a = attr(IFA_RTA(m), IFA_PAYLOAD(h), IFA_LOCAL);
	if (a == NULL)
		a = attr(IFA_RTA(m), IFA_PAYLOAD(h), IFA_ADDRESS);
	f = attr(IFA_RTA(m), IFA_PAYLOAD(h), IFA_FLAGS);
	flags = m->ifa_flags;
	if (f != NULL && RTA_PAYLOAD(f) == sizeof(flags))
		memcpy(&flags, RTA_DATA(f), sizeof(flags));
	if (a == NULL || (flags & bad) != 0 ||
	    m->ifa_scope != RT_SCOPE_UNIVERSE || !is_among(l->up, l->n_up, m->ifa_index) ||
	    l->n == UPLINK_MAX)
		return 0;
	ip = ip_from(RTA_DATA(a), RTA_PAYLOAD(a));
	if (ip.family != 0 && ip_is_unicast(&ip))
		l->addr[l->n++] = (struct uplink_addr){ ip, m->ifa_index,
		    leads_out(l, m->ifa_index) };
	return 0;
}

/* A route into a tunnel of ours: comes and goes with each peer, and says nothing of
 * the ways out. */
static bool
is_inward(const struct uplink_list *l, const struct nlmsghdr *h)
{
	const struct rtattr *oif;
	uint32_t index;

	if ((h->nlmsg_type != RTM_NEWROUTE && h->nlmsg_type != RTM_DELROUTE) ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(struct rtmsg)))
		return false;
	oif = attr(RTM_RTA(NLMSG_DATA(h)), RTM_PAYLOAD(h), RTA_OIF);
	if (oif == NULL || RTA_PAYLOAD(oif) != sizeof(index))
		return false;
	memcpy(&index, RTA_DATA(oif), sizeof(index));
	return !leads_out(l, index);
}

int
uplink_read(struct uplink_list *l, struct view data,
	    bool (*is_own)(void *ctx, const char *ifname), void *ctx)
{
	const struct nlmsghdr *h = (const void *)data.p;
	long len = (long)data.len;	/* the last one may not fill its space */
	int err = 0, one = 0;

	for (; NLMSG_OK(h, len); h = NLMSG_NEXT(h, len)) {
		if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
			return ERR_EXISTS;
		if (h->nlmsg_seq == 0)		/* nobody asked for it */
			err = is_inward(l, h) ? err : ERR_AGAIN;
		else if (h->nlmsg_type == RTM_NEWLINK)
			one = take_link(l, h, is_own, ctx);
		else if (h->nlmsg_type == RTM_NEWADDR)
			one = take_addr(l, h);
		if (one != 0)
			return one;
	}
	return len <= 0 ? err : ERR_SHORT;
}

/* ---- asking ------------------------------------------------------------------ */

static int
ask(struct uplink *u, uint16_t type)
{
	struct {
		struct nlmsghdr h;
		struct rtgenmsg g;
	} q = { .h = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtgenmsg)),
		       .nlmsg_type = type,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.g = { .rtgen_family = AF_UNSPEC } };

	if (++u->seq == 0)
		u->seq = 1;
	q.h.nlmsg_seq = u->seq;
	return send(u->vpn->socks.uplink, &q, q.h.nlmsg_len, MSG_DONTWAIT) > 0 ?
	    0 : ERR_SYS;
}

static void
later(struct uplink *u)
{
	uint64_t now_ms = clk_ms();
	uint64_t at_ms = MAX(now_ms + CROWD_MS, u->read_ms + PAUSE_MS);

	u->is_stale = true;
	if (u->phase == IDLE && !tmr_is_set(&u->tmr) &&
	    tmr_start(loop_timers(u->vpn->loop), &u->tmr, at_ms) != 0)
		log_warn("core", "addresses: no timer: out of memory");
}

static void
begin(void *ctx)
{
	struct uplink *u = ctx;

	u->is_stale = false;
	u->read_ms = clk_ms();
	u->next.n = u->next.n_up = u->next.n_in = 0;
	u->phase = LINKS;
	if (ask(u, RTM_GETLINK) != 0) {
		u->phase = IDLE;
		later(u);
	}
}

static bool
is_own(void *ctx, const char *ifname)
{
	const struct vpn *v = ctx;

	for (unsigned i = 0; i < v->n_realm; i++)
		if (strcmp(v->realm[i].ifname, ifname) == 0)
			return true;
	return false;
}

static void
tell(struct uplink *u)
{
	struct ip_addr ip[UPLINK_MAX];
	unsigned n = 0, n_out;

	u->now = u->next;
	for (unsigned i = 0; i < u->now.n; i++)
		if (u->now.addr[i].is_out)
			ip[n++] = u->now.addr[i].ip;
	n_out = n;
	for (unsigned i = 0; i < u->now.n; i++)
		if (!u->now.addr[i].is_out)
			ip[n++] = u->now.addr[i].ip;
	if (u->vpn->ike != NULL)
		ike_own_addrs(u->vpn->ike, ip, n_out, n, clk_ms());
}

/* An answer is complete. */
static void
answered(struct uplink *u)
{
	if (u->phase == LINKS) {
		u->phase = ADDRS;
		if (ask(u, RTM_GETADDR) == 0)
			return;
		u->is_stale = true;
	} else if (u->phase == ADDRS) {
		tell(u);
	}
	u->phase = IDLE;
	if (u->is_stale)
		later(u);
}

static void
on_news(void *ctx, int fd, uint32_t events UNUSED)
{
	struct uplink *u = ctx;
	ssize_t n;
	int err;

	while ((n = recv(fd, u->buf, sizeof(u->buf), MSG_DONTWAIT)) > 0) {
		err = uplink_read(&u->next, (struct view){ u->buf, (size_t)n },
				  is_own, u->vpn);
		if (err == ERR_EXISTS)
			answered(u);
		else if (err == ERR_AGAIN)
			later(u);
		else if (err != 0)
			log_rl(LOG_WARN, "core", "addresses: the kernel sent "
			       "something malformed");
	}
	if (n < 0 && errno == ENOBUFS)	/* news were lost; perhaps an answer */
		u->phase = IDLE;
	if (n < 0 && errno == ENOBUFS)
		later(u);
}

/* ---- public ------------------------------------------------------------------ */

int
uplink_open(bool hears)
{
	const uint32_t groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR |
	    RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
	struct sockaddr_nl a = { .nl_family = AF_NETLINK,
		.nl_groups = hears ? groups : 0 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	close(fd);
	return -1;
}

int
uplink_new(struct uplink **out, struct vpn *v)
{
	struct uplink *u;
	int err;

	if (v->socks.uplink < 0)
		return 0;
	if ((u = calloc(1, sizeof(*u))) == NULL)
		return ERR_NOMEM;
	u->vpn = v;
	tmr_init(&u->tmr, begin, u);
	if ((err = loop_add(v->loop, v->socks.uplink, on_news, u)) != 0) {
		free(u);
		return err;
	}
	begin(u);
	*out = u;
	return 0;
}

void
uplink_free(struct uplink *u)
{
	if (u == NULL)
		return;
	if (u->vpn->loop != NULL) {
		tmr_stop(loop_timers(u->vpn->loop), &u->tmr);
		loop_del(u->vpn->loop, u->vpn->socks.uplink);
	}
	free(u);
}

/* The interface of an address, if others lead out too. */
static uint32_t
index_of(const struct uplink *u, const struct ip_addr *ip)
{
	uint32_t found = 0, first = 0;
	bool has_other = false;

	for (unsigned i = 0; i < u->now.n; i++) {
		const struct uplink_addr *a = &u->now.addr[i];

		if (!a->is_out)
			continue;
		if (first == 0)
			first = a->ifindex;
		has_other |= a->ifindex != first;
		if (ip_equal(&a->ip, ip))
			found = a->ifindex;
	}
	return has_other ? found : 0;
}

bool
uplink_has_gateway(struct view data, uint32_t ifindex)
{
	const struct nlmsghdr *h = (const void *)data.p;
	const struct rtmsg *m;
	const struct rtattr *oif;
	uint32_t index = 0;

	if (!NLMSG_OK(h, data.len) || h->nlmsg_type != RTM_NEWROUTE ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return false;
	m = NLMSG_DATA(h);
	oif = attr(RTM_RTA(m), RTM_PAYLOAD(h), RTA_OIF);
	if (oif != NULL && RTA_PAYLOAD(oif) == sizeof(index))
		memcpy(&index, RTA_DATA(oif), sizeof(index));
	/* without a gateway the kernel just takes our word that it is there */
	return m->rtm_type == RTN_UNICAST && index == ifindex &&
	    (attr(RTM_RTA(m), RTM_PAYLOAD(h), RTA_GATEWAY) != NULL ||
	     attr(RTM_RTA(m), RTM_PAYLOAD(h), RTA_VIA) != NULL);
}

/* The kernel answers within send(). */
static bool
has_gateway(struct uplink *u, uint32_t ifindex, const struct ip_addr *remote)
{
	struct {
		struct nlmsghdr h;
		struct rtmsg m;
		uint8_t attr[RTA_SPACE(16) + RTA_SPACE(4)];
	} q = { .h = { .nlmsg_type = RTM_GETROUTE,
		       .nlmsg_flags = NLM_F_REQUEST },
		.m = { .rtm_family = remote->family == 6 ? AF_INET6 : AF_INET,
		       .rtm_dst_len = (uint8_t)(8 * ip_len(remote)) } };
	struct rtattr dst = { .rta_type = RTA_DST,
		.rta_len = (unsigned short)RTA_LENGTH(ip_len(remote)) };
	struct rtattr oif = { .rta_type = RTA_OIF,
		.rta_len = (unsigned short)RTA_LENGTH(sizeof(ifindex)) };
	size_t at = RTA_SPACE(ip_len(remote));
	int fd = u->vpn->socks.uplink_ask;
	ssize_t n;

	memcpy(q.attr, &dst, sizeof(dst));
	memcpy(q.attr + RTA_LENGTH(0), remote->b, ip_len(remote));
	memcpy(q.attr + at, &oif, sizeof(oif));
	memcpy(q.attr + at + RTA_LENGTH(0), &ifindex, sizeof(ifindex));
	q.h.nlmsg_len = (uint32_t)(NLMSG_LENGTH(sizeof(q.m)) + at +
				   RTA_SPACE(sizeof(ifindex)));
	if (fd < 0 || send(fd, &q, q.h.nlmsg_len, MSG_DONTWAIT) < 0)
		return false;
	n = recv(fd, u->route, sizeof(u->route), MSG_DONTWAIT);
	return n > 0 && uplink_has_gateway((struct view){ u->route,
	    (size_t)n }, ifindex);
}

uint32_t
uplink_index(struct uplink *u, const struct ip_addr *local,
	     const struct ip_addr *remote)
{
	uint32_t index = u != NULL ? index_of(u, local) : 0;
	struct ip_addr usual;

	if (index == 0)
		return 0;
	usual = udp_local_addr(u->vpn->socks.probe, remote);
	if (ip_equal(&usual, local) || !has_gateway(u, index, remote))
		return 0;
	return index;
}
