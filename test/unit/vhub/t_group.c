/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/vhub/t_group.c - multicast goes where it is wanted.
 */
#include "test/unit/vhub/rig.h"
#include "test/unit/vhub/mcmake.h"
#include "vhub/snoop.h"

#define QUERY "11 64 0000 00000000 02 7d 0000"
#define JOIN  "16 00 0000 ef010101"

/* Ports: 0 TAP, 1 the router, 2 a listener, 3 and 4 nobody. */
static void
begin(struct rig *r, enum hub_snoop mode)
{
	struct hub_conf c = { .name = "test", .has_bridge = true,
		.n_worker = 2, .buf_new = rig_buf_new, .loop = HUB_LOOP_OFF,
		.snoop = mode, .ctx = r };

	rig_init(r, true);
	hub_free(r->h);
	assert_int_equal(hub_new(&r->h, &c), 0);
	rig_add(r, 0, HUB_PORT_TAP, "02:00:00:00:00:f0", NULL);
	for (unsigned i = 1; i < 5; i++)
		rig_add(r, i, HUB_PORT_ETHER, NULL, NULL);
	rig_tick(r, 1);
}

/* An IP packet in a frame to its group, in a VLAN or none. */
static void
in_frame(struct rig *r, unsigned port, uint16_t vlan, const uint8_t *pkt,
	 size_t n)
{
	struct ip_addr dst = pkt[0] >> 4 == 4 ? ip_from(pkt + 16, 4) :
	    ip_from(pkt + 24, 16);
	struct eth_to to = { mac_of_multicast(&dst),
	    vlan != 0 ? 0x81000000u | vlan : 0 };
	struct mac src = { { 2, 0, 0, 0, 1, (uint8_t)port } };
	uint8_t f[600];
	struct wcur w;

	wcur_init(&w, f, sizeof(f));
	eth_enc_tag(&w, &to, &src, pkt[0] >> 4 == 4 ? ETHER_IPV4 : ETHER_IPV6);
	wcur_bytes(&w, pkt, n);
	assert_int_equal(w.err, 0);
	rig_clear(r);
	rig_in(r, port, f, w.len);
}

static void
igmp(struct rig *r, unsigned port, const char *dst, const char *hex)
{
	uint8_t p[600];

	in_frame(r, port, 0, p, mk_igmp(p, "10.0.0.9", dst, hex));
}

/* Which ports a data packet reaches: "0234". */
static const char *
reach(struct rig *r, unsigned port, uint16_t vlan, const char *dst)
{
	static char out[RIG_PORTS + 1];
	uint8_t p[64];
	unsigned n = 0;

	in_frame(r, port, vlan, p, strchr(dst, ':') != NULL ?
	    rig_ipv6(p, "2001:db8::1", dst) : rig_ipv4(p, "10.0.0.1", dst));
	for (unsigned i = 0; i < RIG_PORTS; i++)
		if (r->port[i].n_out > 0)
			out[n++] = (char)('0' + i);
	out[n] = '\0';
	return out;
}

/* A querier at port 1 that everybody had the time to answer. */
static void
settle(struct rig *r)
{
	igmp(r, 1, "224.0.0.1", QUERY);
	rig_tick(r, 30);
}

TEST(without_a_querier_everything_goes_everywhere)
{
	struct rig r;

	begin(&r, HUB_SNOOP_STRICT);
	igmp(&r, 2, "239.1.1.1", JOIN);
	for (unsigned i = 0; i < 5; i++)
		rig_expect(&r, i, i != 2);
	assert_string_equal(reach(&r, 3, 0, "239.1.1.1"), "0124");
	assert_string_equal(reach(&r, 3, 0, "239.1.1.2"), "0124");
	rig_fini(&r);
}

TEST(a_joined_group_goes_to_members_and_routers)
{
	struct rig r;

	begin(&r, HUB_SNOOP_MEMBERS);
	igmp(&r, 1, "224.0.0.1", QUERY);
	rig_expect(&r, 3, 1); /* everybody hears the question */
	igmp(&r, 2, "239.1.1.1", JOIN);
	/* Others may not have answered yet. */
	assert_string_equal(reach(&r, 3, 0, "239.1.1.1"), "0124");
	rig_tick(&r, 30);
	assert_string_equal(reach(&r, 3, 0, "239.1.1.1"), "12");
	assert_string_equal(reach(&r, 2, 0, "239.1.1.1"), "1");
	assert_string_equal(reach(&r, 3, 0, "239.1.1.2"), "0124");
	/* A report is for the router: no host keeps silent for it. */
	igmp(&r, 2, "239.1.1.1", JOIN);
	rig_expect(&r, 1, 1);
	rig_expect(&r, 0, 0);
	rig_expect(&r, 3, 0);
	rig_fini(&r);
}

TEST(strict_sends_what_nobody_joined_to_routers)
{
	struct rig r;

	begin(&r, HUB_SNOOP_STRICT);
	settle(&r);
	assert_string_equal(reach(&r, 3, 0, "239.1.1.2"), "1");
	assert_string_equal(reach(&r, 1, 0, "239.1.1.2"), "");
	assert_int_equal(drop_sum(DROP_HUB_NOLISTEN), 1);
	rig_fini(&r);
}

TEST(link_local_groups_always_go_everywhere)
{
	struct rig r;
	uint8_t p[600];

	begin(&r, HUB_SNOOP_STRICT);
	settle(&r);
	assert_string_equal(reach(&r, 3, 0, "224.0.0.251"), "0124");
	in_frame(&r, 1, 0, p, mk_mld(p, "fe80::1", "ff02::1",
	    "82 00 0000 2710 0000 00000000000000000000000000000000"));
	rig_tick(&r, 30);
	assert_string_equal(reach(&r, 3, 0, "ff02::1"), "0124");
	assert_string_equal(reach(&r, 3, 0, "ff02::1:ff00:1"), "0124");
	assert_string_equal(reach(&r, 3, 0, "ff02::fb"), "0124");
	assert_string_equal(reach(&r, 3, 0, "ff3e::1"), "1");
	in_frame(&r, 4, 0, p, mk_mld(p, "fe80::4", "ff02::16",
	    "8f 00 0000 0000 0001 04 00 0000"
	    "ff3e0000000000000000000000000001"));
	assert_string_equal(reach(&r, 3, 0, "ff3e::1"), "14");
	rig_fini(&r);
}

TEST(a_querier_counts_in_its_vlan_and_family)
{
	struct rig r;
	uint8_t p[600];

	begin(&r, HUB_SNOOP_STRICT);
	in_frame(&r, 1, 10, p, mk_igmp(p, "10.0.0.9", "224.0.0.1", QUERY));
	rig_tick(&r, 30);
	assert_string_equal(reach(&r, 3, 10, "239.1.1.1"), "1");
	assert_string_equal(reach(&r, 3, 20, "239.1.1.1"), "0124");
	assert_string_equal(reach(&r, 3, 0, "239.1.1.1"), "0124");
	assert_string_equal(reach(&r, 3, 10, "ff3e::1"), "0124");
	in_frame(&r, 2, 10, p, mk_igmp(p, "10.0.0.9", "239.1.1.1", JOIN));
	assert_string_equal(reach(&r, 3, 10, "239.1.1.1"), "12");
	rig_fini(&r);
}

TEST(members_and_queriers_age)
{
	struct rig r;

	begin(&r, HUB_SNOOP_STRICT);
	settle(&r);
	igmp(&r, 2, "239.1.1.1", JOIN);
	rig_tick(&r, 200);
	igmp(&r, 1, "224.0.0.1", QUERY);
	rig_tick(&r, 59);
	assert_string_equal(reach(&r, 3, 0, "239.1.1.1"), "12");
	rig_tick(&r, 2);
	assert_string_equal(reach(&r, 3, 0, "239.1.1.1"), "1");
	rig_tick(&r, 200); /* no question for longer than it counts */
	assert_string_equal(reach(&r, 3, 0, "239.1.1.1"), "0124");
	rig_fini(&r);
}

TEST(a_leave_changes_nothing_until_the_router_asked)
{
	struct rig r;

	begin(&r, HUB_SNOOP_MEMBERS);
	settle(&r);
	igmp(&r, 2, "239.1.1.1", JOIN);
	igmp(&r, 3, "239.1.1.1", JOIN);
	igmp(&r, 3, "224.0.0.2", "17 00 0000 ef010101");
	rig_expect(&r, 1, 1); /* the router hears of it */
	assert_string_equal(reach(&r, 4, 0, "239.1.1.1"), "123");
	igmp(&r, 1, "239.1.1.1", "11 0a 0000 ef010101 02 7d 0000");
	igmp(&r, 2, "239.1.1.1", JOIN); /* it still wants it */
	rig_tick(&r, 5);
	assert_string_equal(reach(&r, 4, 0, "239.1.1.1"), "12");
	rig_fini(&r);
}

TEST(questions_from_nobody_make_no_router)
{
	struct rig r;
	uint8_t p[600];

	begin(&r, HUB_SNOOP_STRICT);
	in_frame(&r, 3, 0, p, mk_igmp(p, "0.0.0.0", "224.0.0.1", QUERY));
	rig_tick(&r, 30);
	assert_string_equal(reach(&r, 2, 0, "239.1.1.1"), "0134");
	rig_fini(&r);
}

TEST(a_removed_port_is_a_member_no_more)
{
	struct rig r;
	struct hub_group_info g;
	uint32_t it = 0, n = 0;

	begin(&r, HUB_SNOOP_MEMBERS);
	settle(&r);
	igmp(&r, 2, "239.1.1.1", JOIN);
	igmp(&r, 3, "239.1.1.1", JOIN);
	while (hub_group_next(r.h, &it, &g)) {
		n++;
		assert_int_equal(g.family, 4);
		if (g.group.family == 0)
			assert_int_equal(g.port, r.port[1].num);
		else
			assert_int_equal(g.left_s, 260);
	}
	assert_int_equal(n, 3);
	hub_port_del(r.h, r.port[2].num);
	assert_string_equal(reach(&r, 4, 0, "239.1.1.1"), "13");
	rig_fini(&r);
}

TEST(a_port_that_joins_too_much_gets_everything_and_harms_nobody)
{
	struct snoop *s;
	struct snoop_key k = { mk_ip("239.0.0.0"), 0 };
	struct port_set set;
	uint8_t b[4] = { 239, 1 };

	assert_int_equal(snoop_new(&s), 0);
	snoop_router(s, &k, 1, true, 0, 100);
	for (uint32_t i = 0; i < 100000; i++) {
		b[2] = (uint8_t)(i >> 8);
		b[3] = (uint8_t)i;
		b[1] = (uint8_t)(i >> 16);
		k.group = ip_from(b, 4);
		k.vlan = i % 7;
		snoop_join(s, &k, 5, 101);
	}
	assert_int_equal(snoop_count(s), HUB_PORT_GROUP_MAX + 1);
	k = (struct snoop_key){ mk_ip("239.200.0.1"), 0 };
	snoop_join(s, &k, 6, 101); /* another still may */
	memset(&set, 0, sizeof(set));
	assert_true(snoop_route(s, &k, false, 130, &set));
	assert_int_equal(set.w[0], 1u << 1 | 1u << 5 | 1u << 6);
	snoop_age(s, 101 + 260);
	assert_int_equal(snoop_count(s), 0);
	memset(&set, 0, sizeof(set));
	assert_false(snoop_route(s, &k, false, 361, &set));
	/* Many ports: the table has a bound. */
	for (uint32_t i = 0; i < 200000; i++) {
		b[2] = (uint8_t)(i >> 8);
		b[3] = (uint8_t)i;
		b[1] = (uint8_t)(i >> 16);
		k.group = ip_from(b, 4);
		snoop_join(s, &k, i % HUB_PORT_MAX, 400);
	}
	assert_true(snoop_count(s) <= HUB_GROUP_MAX);
	for (uint32_t i = 0; i < HUB_PORT_MAX; i++)
		snoop_forget(s, i);
	assert_int_equal(snoop_count(s), 0);
	snoop_free(s);
	snoop_free(NULL);
}

TEST(what_is_no_clean_ip_multicast_is_flooded)
{
	static const char *const hex[] = {
		/* the address of another group; no IP; a broken header; two tags */
		"01005e010102 020000000003 0800 4500001c00000000 0111 0000"
		    "0a000001 ef010101 0000000000000000",
		"01005e010101 020000000003 88b6 0102030405060708",
		"01005e010101 020000000003 0800 4f00001c00000000 0111 0000"
		    "0a000001 ef010101",
		"01005e010101 020000000003 88a8 0001 8100 0001 0800 4500001c"
		    "00000000 0111 0000 0a000001 ef010101 0000000000000000",
	};
	struct rig r;

	begin(&r, HUB_SNOOP_STRICT);
	settle(&r);
	for (unsigned i = 0; i < N_OF(hex); i++) {
		rig_clear(&r);
		rig_in_hex(&r, 3, hex[i]);
		rig_expect(&r, 0, 1);
		rig_expect(&r, 4, 1);
	}
	rig_fini(&r);
}
