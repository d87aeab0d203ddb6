/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_uplink.c - what the kernel says of links, addresses, routes.
 */
#include "test/lib/test.h"
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/core/uplink.h"

/* An answer being written. */
struct out {
	_Alignas(8) uint8_t b[2048];
	size_t len;
};

static struct nlmsghdr *
begin(struct out *o, uint16_t type, uint32_t seq, const void *body, size_t len)
{
	struct nlmsghdr *h = (void *)(o->b + o->len);

	*h = (struct nlmsghdr){ .nlmsg_len = NLMSG_LENGTH(len),
		.nlmsg_type = type, .nlmsg_seq = seq };
	memcpy(NLMSG_DATA(h), body, len);
	o->len += NLMSG_ALIGN(h->nlmsg_len);
	return h;
}

static void
add(struct out *o, struct nlmsghdr *h, unsigned short type, const void *p,
    size_t len)
{
	struct rtattr *a = (void *)(o->b + o->len);

	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(len);
	memcpy(RTA_DATA(a), p, len);
	o->len += RTA_SPACE(len);
	h->nlmsg_len = (uint32_t)(o->b + o->len - (uint8_t *)h);
}

static struct nlmsghdr *
put_link(struct out *o, int index, unsigned flags, const char *name)
{
	struct ifinfomsg m = { .ifi_index = index, .ifi_flags = flags };
	struct nlmsghdr *h = begin(o, RTM_NEWLINK, 1, &m, sizeof(m));

	add(o, h, IFLA_IFNAME, name, strlen(name) + 1);
	return h;
}

static void
put_addr(struct out *o, int index, uint8_t scope, uint32_t flags,
	 const char *text)
{
	struct ifaddrmsg m = { .ifa_index = (unsigned)index,
		.ifa_scope = scope };
	struct nlmsghdr *h = begin(o, RTM_NEWADDR, 2, &m, sizeof(m));
	struct ip_addr ip;

	assert_int_equal(ip_parse(text, &ip), 0);
	add(o, h, IFA_ADDRESS, ip.b, ip_len(&ip));
	add(o, h, IFA_FLAGS, &flags, sizeof(flags));
}

static bool
is_tap(void *ctx, const char *ifname)
{
	(void)ctx;
	return strcmp(ifname, "tap-x") == 0;
}

static int
take(struct uplink_list *l, const struct out *o)
{
	return uplink_read(l, (struct view){ o->b, o->len }, is_tap, NULL);
}

#define GOOD (IFF_UP | IFF_RUNNING)

static void
some_links(struct uplink_list *l)
{
	struct out o = { .len = 0 };
	struct nlmsghdr *h;
	uint32_t bridge = 6;

	put_link(&o, 1, GOOD | IFF_LOOPBACK, "lo");
	put_link(&o, 2, GOOD, "eth0");
	put_link(&o, 3, IFF_UP, "eth1");	/* no carrier */
	put_link(&o, 6, GOOD, "br-lan");
	h = put_link(&o, 4, GOOD, "tap-x");
	add(&o, h, IFLA_MASTER, &bridge, sizeof(bridge));
	put_link(&o, 5, GOOD, "wlan0");
	memset(l, 0, sizeof(*l));
	assert_int_equal(take(l, &o), 0);
}

TEST(links_count_with_a_carrier)
{
	struct uplink_list l;

	some_links(&l);
	assert_int_equal(l.n_up, 5);
	for (unsigned i = 0; i < l.n_up; i++)
		assert_int_not_equal(l.up[i], 3);
}

TEST(addresses_count_that_others_can_reach_and_are_in_use)
{
	struct out o = { .len = 0 };
	struct uplink_list l;

	some_links(&l);
	put_addr(&o, 1, RT_SCOPE_HOST, 0, "127.0.0.1");
	put_addr(&o, 2, RT_SCOPE_UNIVERSE, IFA_F_PERMANENT, "192.0.2.1");
	put_addr(&o, 2, RT_SCOPE_LINK, 0, "fe80::1");
	put_addr(&o, 2, RT_SCOPE_UNIVERSE, IFA_F_TENTATIVE, "2001:db8::1");
	put_addr(&o, 2, RT_SCOPE_UNIVERSE, IFA_F_DEPRECATED, "2001:db8::2");
	put_addr(&o, 3, RT_SCOPE_UNIVERSE, 0, "198.51.100.1");
	put_addr(&o, 5, RT_SCOPE_UNIVERSE, 0, "2001:db8::5");
	assert_int_equal(take(&l, &o), 0);
	assert_int_equal(l.n, 2);
	assert_int_equal(l.addr[0].ifindex, 2);
	assert_int_equal(l.addr[0].ip.family, 4);
	assert_true(l.addr[0].is_out);
	assert_int_equal(l.addr[1].ifindex, 5);
	assert_int_equal(l.addr[1].ip.family, 6);
	assert_true(l.addr[1].is_out);
}

TEST(addresses_of_a_tunnel_its_bridge_and_the_loopback_do_not_lead_out)
{
	static const char *const text[] = { "10.0.0.1", "10.0.0.6", "10.255.0.1" };
	static const int index[] = { 4, 6, 1 };
	struct out o = { .len = 0 };
	struct uplink_list l;

	some_links(&l);
	for (unsigned i = 0; i < N_OF(text); i++)
		put_addr(&o, index[i], RT_SCOPE_UNIVERSE, 0, text[i]);
	assert_int_equal(take(&l, &o), 0);
	assert_int_equal(l.n, N_OF(text));
	for (unsigned i = 0; i < l.n; i++)
		assert_false(l.addr[i].is_out);
}

TEST(news_that_nobody_asked_for_are_told_apart)
{
	struct ifaddrmsg m = { .ifa_index = 2 };
	struct out o = { .len = 0 };
	struct uplink_list l;

	some_links(&l);
	begin(&o, RTM_DELADDR, 0, &m, sizeof(m));
	assert_int_equal(take(&l, &o), ERR_AGAIN);
	assert_int_equal(l.n, 0);
}

TEST(a_route_into_a_tunnel_of_ours_is_no_news)
{
	static const struct {
		uint16_t type;
		uint32_t oif;
		int err;
	} row[] = {
		{ RTM_NEWROUTE, 2, ERR_AGAIN }, { RTM_DELROUTE, 5, ERR_AGAIN },
		{ RTM_NEWROUTE, 4, 0 }, { RTM_DELROUTE, 4, 0 },
		{ RTM_DELROUTE, 6, 0 },
	};
	struct rtmsg m = { .rtm_family = 2 };
	struct uplink_list l;

	some_links(&l);
	for (unsigned i = 0; i < N_OF(row); i++) {
		struct out o = { .len = 0 };

		add(&o, begin(&o, row[i].type, 0, &m, sizeof(m)), RTA_OIF,
		    &row[i].oif, sizeof(row[i].oif));
		assert_int_equal(take(&l, &o), row[i].err);
	}
}

TEST(the_end_of_an_answer_is_seen)
{
	struct out o = { .len = 0 };
	struct uplink_list l;
	int zero = 0;

	some_links(&l);
	begin(&o, NLMSG_DONE, 1, &zero, sizeof(zero));
	assert_int_equal(take(&l, &o), ERR_EXISTS);
}

TEST(what_is_cut_off_is_refused)
{
	struct out o = { .len = 0 };
	struct uplink_list l;
	uint8_t byte = 0;

	some_links(&l);
	begin(&o, RTM_NEWADDR, 1, &byte, sizeof(byte));
	assert_int_equal(take(&l, &o), ERR_SHORT);
	o.len = 0;
	put_link(&o, 2, GOOD, "eth0");
	o.len -= 8;
	assert_int_equal(take(&l, &o), ERR_SHORT);
}

TEST(more_than_is_remembered_is_left_out)
{
	struct uplink_list l;

	some_links(&l);
	for (unsigned i = 0; i < UPLINK_MAX + 5; i++) {
		struct out o = { .len = 0 };

		put_addr(&o, 2, RT_SCOPE_UNIVERSE, 0, "192.0.2.1");
		assert_int_equal(take(&l, &o), 0);
	}
	assert_int_equal(l.n, UPLINK_MAX);
}

static bool
route(uint8_t type, uint32_t oif, const char *gateway, uint32_t wanted)
{
	struct rtmsg m = { .rtm_family = AF_INET, .rtm_type = type };
	struct out o = { .len = 0 };
	struct nlmsghdr *h = begin(&o, RTM_NEWROUTE, 1, &m, sizeof(m));
	struct ip_addr ip;

	add(&o, h, RTA_OIF, &oif, sizeof(oif));
	if (gateway != NULL) {
		assert_int_equal(ip_parse(gateway, &ip), 0);
		add(&o, h, RTA_GATEWAY, ip.b, ip_len(&ip));
	}
	return uplink_has_gateway((struct view){ o.b, o.len }, wanted);
}

TEST(an_interface_leads_out_if_a_gateway_is_behind_it)
{
	assert_true(route(RTN_UNICAST, 2, "192.0.2.254", 2));
	assert_false(route(RTN_UNICAST, 3, "192.0.2.254", 2));
	assert_false(route(RTN_UNICAST, 2, NULL, 2));
	assert_false(route(RTN_UNREACHABLE, 2, "192.0.2.254", 2));
	assert_false(uplink_has_gateway((struct view){ NULL, 0 }, 2));
}
