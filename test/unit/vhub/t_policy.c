/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/vhub/t_policy.c - what ports may do: isolation, VLANs, limits,
 * static addresses, reserved addresses.
 */
#include "test/unit/vhub/rig.h"

#define A "020000000001"
#define B "020000000002"
#define C "020000000003"
#define T "0200000000f0"
#define ALL "ffffffffffff"
#define DATA "88b6 0102030405060708"
#define V10 "8100 000a"
#define V20 "8100 0014"

static void
vlans(struct hub_policy *p, uint16_t lo, uint16_t hi, bool untagged)
{
	p->has_vlans = true;
	for (uint16_t v = lo; v <= hi && v != 0; v++)
		p->vlans[v / 64] |= 1ull << v % 64;
	p->vlans[0] |= untagged;
}

static void
add(struct rig *r, unsigned i, enum hub_port_kind kind,
    const struct hub_policy *p, const char *nets)
{
	struct hub_port_conf c = rig_conf(r, i, kind, NULL);

	if (kind == HUB_PORT_TAP)
		assert_int_equal(mac_parse("02:00:00:00:00:f0", &c.mac), 0);
	if (p != NULL)
		c.policy = *p;
	if (nets != NULL)
		rig_nets(&c, nets);
	assert_int_equal(hub_port_add(r->h, &c, &r->port[i].num), 0);
}

TEST(isolated_peers_see_the_gateway_and_not_each_other)
{
	struct hub_policy iso = { .is_isolated = true };
	struct rig r;

	rig_init(&r, false);
	add(&r, 0, HUB_PORT_TAP, NULL, NULL);
	add(&r, 1, HUB_PORT_ETHER, &iso, NULL);
	add(&r, 2, HUB_PORT_ETHER, &iso, NULL);
	add(&r, 3, HUB_PORT_ETHER, NULL, NULL); /* one that may */
	rig_in_hex(&r, 1, ALL A DATA);
	rig_expect(&r, 0, 1);
	rig_expect(&r, 2, 0);
	rig_expect(&r, 3, 1);
	rig_in_hex(&r, 2, A B DATA); /* known, and not reachable */
	rig_expect(&r, 1, 0);
	assert_int_equal(drop_sum(DROP_HUB_ISOLATED), 1);
	rig_in_hex(&r, 3, A C DATA);
	rig_in_hex(&r, 0, A T DATA);
	rig_expect(&r, 1, 2);
	rig_in_hex(&r, 0, ALL T DATA);
	rig_expect(&r, 1, 3);
	rig_expect(&r, 2, 1);
	rig_fini(&r);
}

TEST(isolated_ip_peers_do_not_reach_each_other_nor_are_answered_for)
{
	struct hub_policy iso = { .is_isolated = true };
	uint8_t pkt[64];
	struct rig r;
	size_t n;

	rig_init(&r, false);
	add(&r, 0, HUB_PORT_TAP, NULL, NULL);
	add(&r, 1, HUB_PORT_IP, &iso, "10.2.0.1/32");
	add(&r, 2, HUB_PORT_IP, &iso, "10.2.0.2/32");
	add(&r, 3, HUB_PORT_ETHER, &iso, NULL);
	n = rig_ipv4(pkt, "10.2.0.1", "10.2.0.2");
	rig_in(&r, 1, pkt, n);
	rig_expect(&r, 2, 0);
	assert_int_equal(drop_sum(DROP_HUB_ISOLATED), 1);
	/* Who has 10.2.0.2?  Not for an isolated Ethernet peer. */
	rig_in_hex(&r, 3, ALL A "0806 0001 0800 06 04 0001" A "0a020009"
	    "000000000000" "0a020002");
	rig_expect(&r, 3, 0);
	rig_in_hex(&r, 0, ALL T "0806 0001 0800 06 04 0001" T "0a02000a"
	    "000000000000" "0a020002");
	rig_expect(&r, 0, 2); /* the question of port 3, and the answer */
	rig_fini(&r);
}

TEST(vlans_are_filtered_in_and_out)
{
	struct hub_policy ten = { .is_isolated = false },
	    tag = { .is_isolated = false };
	struct rig r;

	vlans(&ten, 10, 10, true);
	vlans(&tag, 10, 20, false);
	rig_init(&r, false);
	add(&r, 0, HUB_PORT_TAP, NULL, NULL);
	add(&r, 1, HUB_PORT_ETHER, &ten, NULL);
	add(&r, 2, HUB_PORT_ETHER, &tag, NULL);
	rig_in_hex(&r, 0, ALL A V10 DATA);
	rig_expect(&r, 1, 1);
	rig_expect(&r, 2, 1);
	rig_in_hex(&r, 0, ALL A V20 DATA);
	rig_expect(&r, 1, 1);
	rig_expect(&r, 2, 2);
	rig_in_hex(&r, 0, ALL A DATA);
	rig_expect(&r, 1, 2);
	rig_expect(&r, 2, 2);
	rig_in_hex(&r, 0, ALL A "8100 0000" DATA); /* priority: untagged */
	rig_expect(&r, 1, 3);
	rig_expect(&r, 2, 2);
	/* Stacked: the outer one counts, the rest is somebody else's. */
	rig_in_hex(&r, 0, ALL A "88a8 0014" V10 DATA);
	rig_expect(&r, 1, 3);
	rig_expect(&r, 2, 3);
	rig_in_hex(&r, 1, ALL B V20 DATA);
	rig_in_hex(&r, 2, ALL C DATA);
	assert_int_equal(drop_sum(DROP_HUB_VLAN), 2);
	rig_expect(&r, 0, 0);
	/* 4095 is nobody's. */
	rig_in_hex(&r, 0, ALL A "8100 0fff" DATA);
	assert_int_equal(drop_sum(DROP_HUB_VLAN), 3);
	/* A known address in a VLAN its port lost. */
	rig_in_hex(&r, 1, ALL B V10 DATA);
	rig_clear(&r);
	rig_in_hex(&r, 0, B A V20 DATA);
	rig_expect(&r, 1, 0); /* it is not known there */
	rig_expect(&r, 2, 1);
	rig_in_hex(&r, 0, B A V10 DATA);
	rig_expect(&r, 1, 1);
	rig_fini(&r);
}

TEST(one_address_may_be_at_two_places_in_two_vlans)
{
	struct rig r;

	rig_init(&r, false);
	add(&r, 0, HUB_PORT_TAP, NULL, NULL);
	add(&r, 1, HUB_PORT_ETHER, NULL, NULL);
	add(&r, 2, HUB_PORT_ETHER, NULL, NULL);
	rig_in_hex(&r, 1, ALL A V10 DATA);
	rig_in_hex(&r, 2, ALL A V20 DATA);
	rig_clear(&r);
	rig_in_hex(&r, 0, A B V10 DATA);
	rig_expect(&r, 1, 1);
	rig_expect(&r, 2, 0);
	rig_in_hex(&r, 0, A B V20 DATA);
	rig_expect(&r, 1, 1);
	rig_expect(&r, 2, 1);
	rig_fini(&r);
}

TEST(arp_is_learned_and_answered_within_a_tag)
{
	struct rig r;

	rig_init(&r, false);
	add(&r, 0, HUB_PORT_TAP, NULL, NULL);
	add(&r, 1, HUB_PORT_ETHER, NULL, NULL);
	add(&r, 2, HUB_PORT_ETHER, NULL, NULL);
	/* B tells where 10.0.0.2 is, in VLAN 10. */
	rig_in_hex(&r, 2, ALL B V10 "0806 0001 0800 06 04 0001" B "0a000002"
	    "000000000000" "0a000002");
	rig_clear(&r);
	rig_in_hex(&r, 1, ALL A "8100 600a" "0806 0001 0800 06 04 0001" A
	    "0a000001" "000000000000" "0a000002");
	rig_expect(&r, 0, 0);
	rig_expect(&r, 2, 0);
	rig_expect(&r, 1, 1);
	rig_expect_hex(&r, 1, 0, A B "8100 600a" "0806 0001 0800 06 04 0002"
	    B "0a000002" A "0a000001");
	rig_clear(&r);
	/* Other VLANs do not know it. */
	rig_in_hex(&r, 1, ALL A V20 "0806 0001 0800 06 04 0001" A
	    "0a000001" "000000000000" "0a000002");
	rig_expect(&r, 1, 0);
	rig_expect(&r, 2, 1);
	rig_fini(&r);
}

TEST(the_limit_of_a_port_floods_or_drops)
{
	struct hub_policy flood = { .mac_max = 2 },
	    drop = { .mac_max = 2, .is_strict = true };
	struct rig r;

	rig_init(&r, false);
	add(&r, 0, HUB_PORT_TAP, NULL, NULL);
	add(&r, 1, HUB_PORT_ETHER, &flood, NULL);
	add(&r, 2, HUB_PORT_ETHER, &drop, NULL);
	for (int i = 0; i < 5; i++) {
		uint8_t f[32] = { 2, 0, 0, 0, 0, 0xf0, 2, 1, 0, 0, 0,
			(uint8_t)i, 0x88, 0xb6 };

		rig_in(&r, 1, f, sizeof(f));
		f[7] = 2;
		rig_in(&r, 2, f, sizeof(f));
	}
	rig_expect(&r, 0, 5 + 2);
	assert_int_equal(drop_sum(DROP_HUB_LIMIT), 3 + 3);
	rig_fini(&r);
}

static void
with_static(struct rig *r)
{
	static struct hub_fixed f[2] = {
		{ { { 2, 0, 0, 0, 0, 1 } }, "p1" },	/* A at the peer p1 */
		{ { { 2, 0, 0, 0, 0, 2 } }, "" },	/* B behind the TAP */
	};
	struct hub_conf c = { .name = "test", .n_worker = 2, .n_fixed = 2,
		.fixed = f, .buf_new = rig_buf_new, .ctx = r };

	rig_init(r, false);
	hub_free(r->h);
	assert_int_equal(hub_new(&r->h, &c), 0);
	add(r, 0, HUB_PORT_TAP, NULL, NULL);
	add(r, 2, HUB_PORT_ETHER, NULL, NULL);
}

TEST(a_static_address_is_in_one_place_even_when_that_is_down)
{
	struct rig r;

	with_static(&r);
	/* p1 is not there: nobody else may have its address. */
	rig_in_hex(&r, 2, ALL A DATA);
	assert_int_equal(drop_sum(DROP_HUB_SRC), 1);
	rig_in_hex(&r, 2, A C DATA);
	assert_int_equal(drop_sum(DROP_HUB_NOPORT), 1);
	rig_expect(&r, 0, 0);
	add(&r, 1, HUB_PORT_ETHER, NULL, NULL);
	rig_in_hex(&r, 2, A C DATA);
	rig_expect(&r, 1, 1);
	rig_expect(&r, 0, 0);
	rig_in_hex(&r, 2, B C DATA); /* never spoke, and is known */
	rig_expect(&r, 0, 1);
	rig_expect(&r, 1, 1);
	rig_in_hex(&r, 2, ALL A V10 DATA); /* in no VLAN either */
	assert_int_equal(drop_sum(DROP_HUB_SRC), 2);
	hub_port_del(r.h, r.port[1].num);
	rig_in_hex(&r, 2, ALL A DATA);
	assert_int_equal(drop_sum(DROP_HUB_SRC), 3);
	rig_fini(&r);
}

TEST(static_addresses_that_cannot_be_are_refused)
{
	struct hub_fixed f = { { { 3, 0, 0, 0, 0, 1 } }, "" };
	struct hub_conf c = { .name = "test", .n_worker = 1, .n_fixed = 1,
		.fixed = &f };
	struct rig r;
	struct hub *h;

	rig_init(&r, false);
	c.buf_new = rig_buf_new;
	assert_int_equal(hub_new(&h, &c), ERR_ADDR);
	c.n_fixed = HUB_FIXED_MAX + 1;
	assert_int_equal(hub_new(&h, &c), ERR_RANGE);
	rig_fini(&r);
}

/* Frames to the reserved addresses: what passes with which setting. */
static unsigned
crosses(bool stp, bool lldp, const char *hex)
{
	struct hub_conf c = { .name = "test", .n_worker = 2,
		.pass_stp = stp, .pass_lldp = lldp, .buf_new = rig_buf_new };
	struct rig r;
	unsigned n;

	rig_init(&r, false);
	hub_free(r.h);
	c.ctx = &r;
	assert_int_equal(hub_new(&r.h, &c), 0);
	add(&r, 0, HUB_PORT_TAP, NULL, NULL);
	add(&r, 1, HUB_PORT_ETHER, NULL, NULL);
	rig_in_hex(&r, 1, hex);
	n = r.port[0].n_out;
	assert_int_equal(drop_sum(DROP_HUB_LINKLOCAL), n == 0);
	rig_fini(&r);
	return n;
}

TEST(bpdus_and_lldp_cross_by_setting_and_the_rest_never)
{
	static const char bpdu[] = "0180c2000000" A "0026 424203 0000000000";
	static const char pvst[] = "01000ccccccd" A "0032 aaaa03 0000000000";
	static const char *const lldp[] = {
		"0180c200000e" A "88cc 0207040102030405",
		"0180c2000003" A "88cc 0207040102030405",
		"0180c2000000" A "88cc 0207040102030405",
	};
	static const char pause[] = "0180c2000001" A "8808 0001ffff";
	static const char eapol[] = "0180c2000003" A "888e 0101000000";
	static const char lacp[] = "0180c2000002" A "8809 0101000000";

	assert_int_equal(crosses(false, false, bpdu), 0);
	assert_int_equal(crosses(true, false, bpdu), 1);
	assert_int_equal(crosses(false, true, bpdu), 0);
	assert_int_equal(crosses(false, false, pvst), 0);
	assert_int_equal(crosses(true, false, pvst), 1);
	for (unsigned i = 0; i < N_OF(lldp); i++) {
		assert_int_equal(crosses(true, false, lldp[i]), 0);
		assert_int_equal(crosses(false, true, lldp[i]), 1);
	}
	assert_int_equal(crosses(true, true, pause), 0);
	assert_int_equal(crosses(true, true, eapol), 0);
	assert_int_equal(crosses(true, true, lacp), 0);
}

TEST(a_guarded_peer_speaks_for_its_own_addresses_only)
{
	struct hub_policy guard = { .has_guard = true };
	struct rig r;

	rig_init(&r, true);
	add(&r, 0, HUB_PORT_TAP, NULL, NULL);
	add(&r, 1, HUB_PORT_ETHER, &guard, "10.0.0.8/29 2001:db8::/64");
	/* Its own, the next one, a probe, an answer for the gateway. */
	rig_in_hex(&r, 1, ALL A "0806 0001 0800 06 04 0001" A "0a000009"
	    "000000000000" "0a000001");
	rig_expect(&r, 0, 1);
	rig_in_hex(&r, 1, ALL A "0806 0001 0800 06 04 0001" A "0a000010"
	    "000000000000" "0a000001");
	rig_expect(&r, 0, 1);
	rig_in_hex(&r, 1, ALL A "0806 0001 0800 06 04 0001" A "00000000"
	    "000000000000" "0a000009");
	rig_expect(&r, 0, 2);
	rig_in_hex(&r, 1, T A "0806 0001 0800 06 04 0002" A "0a000001"
	    T "0a000002");
	rig_expect(&r, 0, 2);
	/* Nor under a tag. */
	rig_in_hex(&r, 1, T A V10 "0806 0001 0800 06 04 0002" A "0a000001"
	    T "0a000002");
	rig_expect(&r, 0, 2);
	assert_int_equal(drop_sum(DROP_HUB_SPOOF), 3);
	rig_fini(&r);
}

TEST(a_strictly_guarded_peer_sends_from_its_own_addresses_only)
{
	static const struct {
		const char *src, *dst;
		bool passes;
	} row[] = {
		{ "10.0.0.9", "10.0.0.1", true },
		{ "10.0.0.16", "10.0.0.1", false },
		{ "0.0.0.0", "255.255.255.255", true },	/* DHCP */
		{ "2001:db8::5", "2001:db8:1::1", true },
		{ "2001:db8:1::5", "2001:db8:1::1", false },
		{ "fe80::1", "ff02::1", true },		/* of its link */
		{ "::", "ff02::16", true },
	};
	struct hub_policy guard = { .has_guard = true, .has_ip_guard = true };
	unsigned n = 0, n_bad = 0;
	struct rig r;

	rig_init(&r, true);
	add(&r, 0, HUB_PORT_TAP, NULL, NULL);
	add(&r, 1, HUB_PORT_ETHER, &guard, "10.0.0.8/29 2001:db8::/64");
	for (unsigned twice = 0; twice < 2; twice++)
		for (unsigned i = 0; i < N_OF(row); i++) {
			bool is_six = strchr(row[i].src, ':') != NULL;
			uint8_t f[128] = { 2, 0, 0, 0, 0, 0xf0, 2, 0, 0, 0, 0,
				1, is_six ? 0x86 : 8, is_six ? 0xdd : 0 };
			size_t len = is_six ?
			    rig_ipv6(f + 14, row[i].src, row[i].dst) :
			    rig_ipv4(f + 14, row[i].src, row[i].dst);

			/* A run must not carry others along. */
			rig_in(&r, 1, f, 14 + len);
			n += row[i].passes;
			n_bad += !row[i].passes;
			rig_expect(&r, 0, n);
		}
	assert_int_equal(drop_sum(DROP_HUB_SPOOF), n_bad);
	/* Within a tag; a header cut short; twice tagged is another's. */
	rig_in_hex(&r, 1, T A V10 "0800 4500001400000000401100000a0000100a000001");
	assert_int_equal(drop_sum(DROP_HUB_SPOOF), n_bad + 1);
	rig_in_hex(&r, 1, T A "0800 450000140000");
	assert_int_equal(drop_sum(DROP_HUB_RUNT), 1);
	rig_in_hex(&r, 1, T A "88a8 0001" V10
	    "0800 4500001400000000401100000a0000100a000001");
	rig_in_hex(&r, 1, T A DATA);
	rig_expect(&r, 0, n + 2);
	rig_fini(&r);
}

TEST(a_run_of_a_strictly_guarded_peer_is_looked_at_frame_by_frame)
{
	struct hub_policy guard = { .has_guard = true, .has_ip_guard = true };
	uint8_t f[64] = { 2, 0, 0, 0, 0, 0xf0, 2, 0, 0, 0, 0, 1, 8, 0 };
	struct buf *b[8];
	struct rig r;

	rig_init(&r, true);
	add(&r, 0, HUB_PORT_TAP, NULL, NULL);
	add(&r, 1, HUB_PORT_ETHER, &guard, "10.0.0.8/29");
	for (unsigned i = 0; i < 8; i++) {
		size_t n = rig_ipv4(f + 14, i % 2 == 0 ? "10.0.0.9" : "10.0.0.1",
		    "10.0.0.2");

		b[i] = rig_buf(&r, f, 14 + n);
	}
	hub_input(r.h, 0, r.port[1].num, b, 8);
	rig_expect(&r, 0, 4);
	assert_int_equal(drop_sum(DROP_HUB_SPOOF), 4);
	rig_fini(&r);
}

TEST(an_ip_peers_own_address_is_announced_when_it_comes)
{
	struct rig r;
	struct hub_port_conf c;

	rig_init(&r, false);
	add(&r, 0, HUB_PORT_TAP, NULL, NULL);
	add(&r, 1, HUB_PORT_ETHER, NULL, NULL);
	assert_false(hub_tick(r.h, r.now_ms += 1000));
	c = rig_conf(&r, 2, HUB_PORT_IP, "02:00:00:00:00:0a");
	rig_nets(&c, "10.2.0.1/32 10.3.0.0/16 2001:db8::1/128");
	assert_int_equal(hub_port_add(r.h, &c, &r.port[2].num), 0);
	assert_true(hub_tick(r.h, r.now_ms += 1000));
	hub_work(r.h, 1);
	rig_expect(&r, 0, 2);
	rig_expect(&r, 1, 2);
	rig_expect(&r, 2, 0);
	rig_expect_hex(&r, 0, 0, ALL "02000000000a" "0806 0001 0800 06 04 0001"
	    "02000000000a" "0a020001" "000000000000" "0a020001");
	/* IPv6 to all nodes, with the override flag. */
	assert_memory_equal(r.port[0].out[1]->data,
	    "\x33\x33\x00\x00\x00\x01", 6);
	assert_int_equal(r.port[0].out[1]->data[58], 0x20);
	hub_work(r.h, 1);
	rig_expect(&r, 0, 2); /* once */
	assert_false(hub_tick(r.h, r.now_ms += 1000));
	rig_fini(&r);
}
