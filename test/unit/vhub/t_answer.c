/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/vhub/t_answer.c - ARP and neighbour discovery: learn, answer, ask.
 */
#include "test/unit/vhub/rig.h"
#include "vhub/frame.h"

#define TAP "0200000000f0"
#define A "020000000001"
#define P "0200000000a1" /* pseudo MAC of port 2 */
#define ALL "ffffffffffff"
#define ZERO "000000000000"
#define REQ "0806 0001 0800 06 04 0001"
#define REP "0806 0001 0800 06 04 0002"

/* TAP 0, an Ethernet peer 1, an IP peer 2 with these nets. */
static void
setup(struct rig *r, const char *nets)
{
	rig_init(r, false);
	rig_add(r, 0, HUB_PORT_TAP, "02:00:00:00:00:f0", NULL);
	rig_add(r, 1, HUB_PORT_ETHER, NULL, NULL);
	rig_add(r, 2, HUB_PORT_IP, "02:00:00:00:00:a1", nets);
}

TEST(arp_for_an_address_behind_an_ip_port_is_answered_exactly)
{
	struct rig r;

	setup(&r, "10.2.0.0/16");
	rig_in_hex(&r, 0, ALL TAP REQ TAP "0a010001" ZERO "0a020005");
	rig_expect(&r, 0, 1);
	rig_expect_hex(&r, 0, 0, TAP P REP P "0a020005" TAP "0a010001");
	rig_expect(&r, 1, 0);
	rig_expect(&r, 2, 0);
	/* Also asked from an Ethernet peer, also unicast. */
	rig_in_hex(&r, 1, P A REQ A "0a010002" ZERO "0a020005");
	rig_expect(&r, 1, 1);
	rig_expect_hex(&r, 1, 0, A P REP P "0a020005" A "0a010002");
	rig_fini(&r);
}

TEST(arp_for_other_addresses_is_flooded_not_answered)
{
	struct rig r;

	setup(&r, "10.2.0.0/16");
	rig_in_hex(&r, 0, ALL TAP REQ TAP "0a010001" ZERO "0a030005");
	rig_expect(&r, 0, 0);
	rig_expect(&r, 1, 1);
	rig_expect(&r, 2, 0);
	rig_fini(&r);
}

TEST(duplicate_address_detection_is_answered_for_single_hosts_only)
{
	struct rig r;

	setup(&r, "10.2.0.0/16 10.1.0.9");
	rig_in_hex(&r, 0, ALL TAP REQ TAP "00000000" ZERO "0a020005");
	rig_expect(&r, 0, 0);
	rig_expect(&r, 1, 1);
	rig_in_hex(&r, 0, ALL TAP REQ TAP "00000000" ZERO "0a010009");
	rig_expect(&r, 0, 1);
	rig_expect_hex(&r, 0, 0, TAP P REP P "0a010009" TAP "00000000");
	/* An announcement asks nothing. */
	rig_in_hex(&r, 0, ALL TAP REQ TAP "0a010009" ZERO "0a010009");
	rig_expect(&r, 0, 1);
	rig_fini(&r);
}

TEST(a_default_route_answers_for_all_but_known_neighbours)
{
	struct rig r;

	setup(&r, "0.0.0.0/0");
	rig_in_hex(&r, 1, ALL A REQ A "0a010002" ZERO "0a010001");
	rig_clear(&r);
	rig_tick(&r, 60); /* known, but too long ago to answer from the table */
	rig_in_hex(&r, 0, ALL TAP REQ TAP "0a010001" ZERO "0a010002");
	rig_expect(&r, 0, 0);
	rig_expect(&r, 1, 1);
	rig_in_hex(&r, 0, ALL TAP REQ TAP "0a010001" ZERO "c0000201");
	rig_expect(&r, 0, 1);
	rig_expect_hex(&r, 0, 0, TAP P REP P "c0000201" TAP "0a010001");
	rig_fini(&r);
}

TEST(two_ports_with_the_same_net_answer_nothing)
{
	struct rig r;

	setup(&r, "10.2.0.0/16");
	rig_add(&r, 3, HUB_PORT_IP, "02:00:00:00:00:a3", "10.2.0.0/16");
	rig_in_hex(&r, 0, ALL TAP REQ TAP "0a010001" ZERO "0a020005");
	rig_expect(&r, 0, 0);
	hub_port_del(r.h, r.port[3].num);
	rig_in_hex(&r, 0, ALL TAP REQ TAP "0a010001" ZERO "0a020005");
	rig_expect(&r, 0, 1);
	rig_fini(&r);
}

TEST(a_host_just_heard_of_is_answered_from_the_table)
{
	struct rig r;

	setup(&r, "10.2.0.0/16");
	rig_in_hex(&r, 1, ALL A REQ A "0a010002" ZERO "0a010001");
	rig_clear(&r);
	rig_in_hex(&r, 0, ALL TAP REQ TAP "0a010001" ZERO "0a010002");
	rig_expect(&r, 1, 0);
	rig_expect(&r, 0, 1);
	rig_expect_hex(&r, 0, 0, TAP A REP A "0a010002" TAP "0a010001");
	rig_clear(&r);
	/* Is it still there? only the host can say; nor is DAD answered. */
	rig_in_hex(&r, 0, A TAP REQ TAP "0a010001" ZERO "0a010002");
	rig_in_hex(&r, 0, ALL TAP REQ TAP "00000000" ZERO "0a010002");
	rig_expect(&r, 0, 0);
	rig_expect(&r, 1, 2);
	/* Not on its own port: it heard the question itself. */
	rig_clear(&r);
	rig_in_hex(&r, 1, ALL "020000000005" REQ "020000000005" "0a010007"
	    ZERO "0a010002");
	rig_expect(&r, 1, 0);
	rig_expect(&r, 0, 1);
	rig_fini(&r);
}

TEST(arp_for_another_mac_or_of_a_group_address_is_not_learned)
{
	struct rig r;
	struct hub_neigh_info info;
	uint32_t it = 0;

	setup(&r, "10.2.0.0/16");
	rig_in_hex(&r, 1, ALL A REQ "020000000099" "0a010002" ZERO "0a010001");
	rig_in_hex(&r, 1, ALL A REQ A "e0000001" ZERO "0a010001");
	rig_in_hex(&r, 1, ALL A REQ A "7f000001" ZERO "0a010001");
	assert_false(hub_neigh_next(r.h, &it, &info));
	/* Nor is a forged question answered. */
	rig_clear(&r);
	rig_in_hex(&r, 1, ALL A REQ "020000000099" "0a010002" ZERO "0a020005");
	rig_expect(&r, 1, 0);
	rig_in_hex(&r, 1, ALL A "0806 0001 0800 06 04 0001 0200");
	assert_int_equal(drop_sum(DROP_HUB_RUNT), 1);
	rig_fini(&r);
}

TEST(neighbours_are_listed_and_age)
{
	struct rig r;
	struct hub_neigh_info info;
	uint32_t it = 0;
	char ip[IP_TEXT_MAX], mac[MAC_TEXT_MAX];

	setup(&r, "10.2.0.0/16");
	rig_in_hex(&r, 1, ALL A REQ A "0a010002" ZERO "0a010001");
	rig_tick(&r, 7);
	assert_true(hub_neigh_next(r.h, &it, &info));
	assert_string_equal(ip_text(&info.ip, ip), "10.1.0.2");
	assert_string_equal(mac_text(&info.mac, mac), "02:00:00:00:00:01");
	assert_int_equal(info.port, r.port[1].num);
	assert_int_equal(info.age_s, 7);
	rig_tick(&r, 300);
	it = 0;
	assert_false(hub_neigh_next(r.h, &it, &info));
	rig_fini(&r);
}

/* A solicitation frame: src asks for target. */
static void
solicit(struct rig *r, unsigned port, const char *src, const char *target,
	const char *mac)
{
	struct nd n = { .type = ND_SOLICIT };
	uint8_t b[ND_FRAME];
	struct mac dst;
	struct wcur w;
	size_t len = ND_FRAME;

	assert_int_equal(mac_parse(mac, &n.mac), 0);
	assert_int_equal(ip_parse(src, &n.src), 0);
	assert_int_equal(ip_parse(target, &n.target), 0);
	n.dst = ip_solicited_node(&n.target);
	dst = mac_of_multicast(&n.dst);
	wcur_init(&w, b, sizeof(b));
	nd_enc(&w, &(struct eth_to){ dst, 0 }, &n);
	if (ip_is_any(&n.src)) {
		/* DAD carries no address option: cut it, mend the checksum. */
		uint32_t s;

		len -= 8;
		b[19] = 24;
		s = (uint16_t)~be16_get(b + 56);
		s += (uint32_t)(0xffff - be16_get(b + 78)) +
		    (0xffffu - be16_get(b + 80)) +
		    (0xffffu - be16_get(b + 82)) +
		    (0xffffu - be16_get(b + 84)) + (0xffffu - 8);
		while (s >> 16)
			s = (s & 0xffff) + (s >> 16);
		be16_put(b + 56, (uint16_t)~s);
	}
	rig_in(r, port, b, len);
}

TEST(a_neighbour_solicitation_is_answered_exactly)
{
	struct rig r;

	setup(&r, "2001:db8:2::/64");
	solicit(&r, 0, "2001:db8:1::1", "2001:db8:2::5", "02:00:00:00:00:f0");
	rig_expect(&r, 0, 1);
	rig_expect(&r, 1, 0);
	/* Solicited, not override: the hub speaks for another.  The checksum
	 * is from a separate calculation by RFC 4443 2.3. */
	rig_expect_hex(&r, 0, 0, TAP P "86dd 60000000 0020 3a ff"
	    "20010db8000200000000000000000005"
	    "20010db8000100000000000000000001"
	    "88 00 a9c7 40000000 20010db8000200000000000000000005"
	    "02 01 0200000000a1");
	rig_fini(&r);
}

TEST(dad_for_ipv6_is_answered_for_single_hosts_only)
{
	struct rig r;

	setup(&r, "2001:db8:2::/64 2001:db8:1::9");
	solicit(&r, 0, "::", "2001:db8:2::5", "02:00:00:00:00:f0");
	rig_expect(&r, 0, 0);
	rig_expect(&r, 1, 1);
	solicit(&r, 0, "::", "2001:db8:1::9", "02:00:00:00:00:f0");
	rig_expect(&r, 0, 1);
	/* To all nodes, S clear (RFC 4861 7.2.4). */
	assert_memory_equal(r.port[0].out[0]->data, "\x33\x33\0\0\0\x01", 6);
	assert_int_equal(r.port[0].out[0]->data[58], 0);
	rig_fini(&r);
}

TEST(ipv6_neighbours_are_learned_unless_the_message_is_wrong)
{
	struct rig r;
	struct hub_neigh_info info;
	uint32_t it = 0, n = 0;
	struct nd a = { .type = ND_ADVERT, .mac = { { 2, 0, 0, 0, 0, 1 } } };
	struct mac dst = { { 2, 0, 0, 0, 0, 0xf0 } };
	uint8_t b[ND_FRAME];
	struct wcur w;

	setup(&r, "2001:db8:2::/64");
	solicit(&r, 0, "2001:db8:1::1", "2001:db8:1::2", "02:00:00:00:00:f0");
	rig_expect(&r, 1, 1);
	assert_int_equal(ip_parse("2001:db8:1::2", &a.src), 0);
	assert_int_equal(ip_parse("2001:db8:1::1", &a.dst), 0);
	a.target = a.src;
	a.is_solicited = true;
	wcur_init(&w, b, sizeof(b));
	nd_enc(&w, &(struct eth_to){ dst, 0 }, &a);
	rig_in(&r, 1, b, sizeof(b));
	rig_expect(&r, 0, 1); /* the answer passes */
	while (hub_neigh_next(r.h, &it, &info))
		n++;
	assert_int_equal(n, 2);
	b[53] ^= 1; /* an address of which the checksum knows nothing */
	rig_in(&r, 1, b, sizeof(b));
	b[53] ^= 1;
	b[21] = 64; /* came from beyond a router */
	rig_in(&r, 1, b, sizeof(b));
	rig_expect(&r, 0, 3); /* their receiver judges */
	n = it = 0;
	while (hub_neigh_next(r.h, &it, &info))
		n++;
	assert_int_equal(n, 2);
	rig_fini(&r);
}

TEST(without_a_buffer_nothing_is_answered_and_nothing_breaks)
{
	struct rig r;

	setup(&r, "10.2.0.0/16");
	r.is_dry = true;
	rig_in_hex(&r, 0, ALL TAP REQ TAP "0a010001" ZERO "0a020005");
	rig_expect(&r, 0, 0);
	assert_int_equal(drop_sum(DROP_NO_BUF), 1);
	rig_fini(&r);
}
