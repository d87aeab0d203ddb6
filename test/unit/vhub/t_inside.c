/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/vhub/t_inside.c - packets of IP ports: the pseudo Ethernet header.
 */
#include "test/unit/vhub/rig.h"

#define TAP "0200000000f0"
#define A "020000000001"
#define P "0200000000a1"
#define ALL "ffffffffffff"
#define ZERO "000000000000"
#define REQ "0806 0001 0800 06 04 0001"
#define REP "0806 0001 0800 06 04 0002"

/* TAP 0, an Ethernet peer 1, IP peers 2 (10.2/16) and 3 (10.3/16, a host). */
static void
setup(struct rig *r, bool has_bridge)
{
	rig_init(r, has_bridge);
	rig_add(r, 0, HUB_PORT_TAP, "02:00:00:00:00:f0", NULL);
	rig_add(r, 1, HUB_PORT_ETHER, NULL, NULL);
	rig_add(r, 2, HUB_PORT_IP, "02:00:00:00:00:a1",
	    "10.2.0.0/16 2001:db8:2::/64");
	rig_add(r, 3, HUB_PORT_IP, "02:00:00:00:00:a3", "10.3.0.0/16 10.9.0.9");
}

/* An IPv4 packet comes by an IP port. */
static void
packet(struct rig *r, unsigned port, const char *src, const char *dst)
{
	uint8_t b[64];

	rig_in(r, port, b, rig_ipv4(b, src, dst));
}

/* An Ethernet frame around an IPv4 packet. */
static size_t
frame(uint8_t *f, const char *head, const char *src, const char *dst)
{
	test_hex(head, f, 14);
	return 14 + rig_ipv4(f + 14, src, dst);
}

TEST(without_a_bridge_packets_go_to_the_kernel)
{
	struct rig r;
	uint8_t want[64];
	size_t n = frame(want, TAP P "0800", "10.2.0.5", "10.1.0.1");

	setup(&r, false);
	packet(&r, 2, "10.2.0.5", "10.1.0.1");
	rig_expect(&r, 0, 1);
	assert_int_equal(r.port[0].out[0]->len, n);
	assert_memory_equal(r.port[0].out[0]->data, want, n);
	rig_expect(&r, 1, 0);
	rig_fini(&r);
}

/* As ESP leaves it where the IV is implicit: 8 bytes in front, some behind. */
static void
in_narrow(struct rig *r, unsigned port, const uint8_t *p, size_t n, size_t back)
{
	struct buf *b = buf_new(r->pool);

	assert_non_null(buf_push(b, buf_head(b)));
	assert_non_null(buf_append(b, buf_tail(b)));
	assert_int_equal(buf_trim(b, b->len - (8 + n + back)), 0);
	b->room = b->len;
	assert_int_equal(buf_pull(b, 8), 0);
	assert_int_equal(buf_trim(b, back), 0);
	memcpy(b->data, p, n);
	hub_input(r->h, 0, r->port[port].num, &b, 1);
}

TEST(a_packet_with_little_room_in_front_moves_or_is_copied)
{
	uint8_t p[64], want[64];
	size_t len = rig_ipv4(p, "10.2.0.5", "10.1.0.1");
	size_t n = frame(want, TAP P "0800", "10.2.0.5", "10.1.0.1");

	for (size_t back = 0; back < 20; back++) {
		struct rig r;

		setup(&r, false);
		r.is_dry = back >= 6; /* no buffer is needed then */
		in_narrow(&r, 2, p, len, back);
		rig_expect(&r, 0, 1);
		assert_int_equal(r.port[0].out[0]->len, n);
		assert_memory_equal(r.port[0].out[0]->data, want, n);
		rig_fini(&r);
	}
}

TEST(a_known_neighbour_gets_the_packet_directly)
{
	struct rig r;

	setup(&r, false);
	rig_in_hex(&r, 1, ALL A REQ A "0a010002" ZERO "0a010001");
	rig_clear(&r);
	packet(&r, 2, "10.2.0.5", "10.1.0.2");
	rig_expect(&r, 0, 0);
	rig_expect(&r, 1, 1);
	assert_memory_equal(r.port[1].out[0]->data,
	    "\x02\0\0\0\0\x01\x02\0\0\0\0\xa1\x08\0", 14);
	rig_fini(&r);
}

TEST(ipv6_gets_its_own_type)
{
	struct rig r;
	uint8_t b[64];

	setup(&r, false);
	rig_in(&r, 2, b, rig_ipv6(b, "2001:db8:2::5", "2001:db8:1::1"));
	rig_expect(&r, 0, 1);
	assert_memory_equal(r.port[0].out[0]->data + 12, "\x86\xdd\x60", 3);
	rig_fini(&r);
}

TEST(ip_peers_reach_each_other_through_the_hub)
{
	struct rig r;
	uint8_t want[64];
	size_t n = rig_ipv4(want, "10.2.0.5", "10.3.0.1");

	setup(&r, false);
	packet(&r, 2, "10.2.0.5", "10.3.0.1");
	rig_expect(&r, 3, 1);
	assert_int_equal(r.port[3].out[0]->len, n);
	assert_memory_equal(r.port[3].out[0]->data, want, n);
	packet(&r, 2, "10.2.0.5", "10.9.0.9");
	rig_expect(&r, 3, 2);
	packet(&r, 3, "10.3.0.5", "10.9.0.9"); /* its own address */
	assert_int_equal(drop_sum(DROP_HUB_SELF), 1);
	rig_expect(&r, 0, 0);
	rig_fini(&r);
}

TEST(frames_to_an_ip_port_lose_header_and_padding)
{
	struct rig r;
	uint8_t f[80] = { 0 }, want[64];
	size_t n = rig_ipv4(want, "10.1.0.1", "10.2.0.5");

	setup(&r, false);
	(void)frame(f, P TAP "0800", "10.1.0.1", "10.2.0.5");
	rig_in(&r, 0, f, sizeof(f)); /* 20 bytes of padding */
	rig_expect(&r, 2, 1);
	assert_int_equal(r.port[2].out[0]->len, n);
	assert_memory_equal(r.port[2].out[0]->data, want, n);
	rig_fini(&r);
}

TEST(a_shared_frame_is_copied_not_changed)
{
	struct rig r;
	uint8_t f[64];
	size_t n = frame(f, P TAP "0800", "10.1.0.1", "10.2.0.5");
	struct buf *b, *mine;

	setup(&r, false);
	b = rig_buf(&r, f, n);
	mine = buf_get(b);
	hub_input(r.h, 0, r.port[0].num, &b, 1);
	rig_expect(&r, 2, 1);
	assert_ptr_not_equal(r.port[2].out[0], mine);
	assert_int_equal(mine->len, n);
	assert_memory_equal(mine->data, f, n);
	r.is_dry = true;
	b = buf_get(mine);
	hub_input(r.h, 0, r.port[0].num, &b, 1);
	rig_expect(&r, 2, 1);
	assert_int_equal(drop_sum(DROP_NO_BUF), 1);
	buf_put(mine);
	rig_fini(&r);
}

TEST(only_ip_unicast_reaches_an_ip_port)
{
	struct rig r;
	uint8_t f[64];
	size_t n;

	setup(&r, false);
	rig_in_hex(&r, 0, P TAP "88b5 01020304");
	rig_in_hex(&r, 0, P TAP "8100 0001 0800 4500");
	n = frame(f, P TAP "0800", "10.1.0.1", "239.1.1.1");
	rig_in(&r, 0, f, n);
	n = frame(f, P TAP "0800", "10.1.0.1", "255.255.255.255");
	rig_in(&r, 0, f, n);
	assert_int_equal(drop_sum(DROP_HUB_NOTIP), 4);
	n = frame(f, P TAP "0800", "10.1.0.1", "10.2.0.1");
	rig_in(&r, 0, f, n - 1);	/* shorter than it says */
	n = frame(f, P TAP "86dd", "10.1.0.1", "10.2.0.1");
	rig_in(&r, 0, f, n);		/* another version than it says */
	assert_int_equal(drop_sum(DROP_ESP_INNER), 2);
	n = frame(f, ALL TAP "0800", "10.1.0.1", "10.2.255.255");
	rig_in(&r, 0, f, n);		/* flooded, but not to IP ports */
	rig_expect(&r, 1, 1);
	rig_expect(&r, 2, 0);
	rig_expect(&r, 3, 0);
	rig_fini(&r);
}

TEST(bad_packets_from_an_ip_port_are_named_drops)
{
	struct rig r;

	setup(&r, false);
	rig_in_hex(&r, 2, "45");
	rig_in_hex(&r, 2, "25000014");
	rig_in(&r, 2, "", 0);
	assert_int_equal(drop_sum(DROP_ESP_INNER), 3);
	packet(&r, 2, "0.0.0.0", "10.1.0.1");
	packet(&r, 2, "224.0.0.1", "10.1.0.1");
	assert_int_equal(drop_sum(DROP_HUB_SRC), 2);
	rig_expect(&r, 0, 0);
	hub_port_del(r.h, r.port[0].num);
	packet(&r, 2, "10.2.0.5", "10.1.0.1");
	assert_int_equal(drop_sum(DROP_HUB_NOPORT), 1);
	rig_fini(&r);
}

TEST(multicast_from_an_ip_port_gets_its_group_address)
{
	struct rig r;

	setup(&r, false);
	packet(&r, 2, "10.2.0.5", "239.129.2.3");
	rig_expect(&r, 0, 1);
	rig_expect(&r, 1, 1);
	rig_expect(&r, 3, 0);
	assert_memory_equal(r.port[0].out[0]->data, "\x01\0\x5e\x01\x02\x03",
	    6);
	rig_fini(&r);
}

TEST(with_a_bridge_the_neighbour_is_asked_for)
{
	struct rig r;
	uint8_t want[64];
	size_t n = frame(want, A P "0800", "10.2.0.5", "10.1.0.2");

	setup(&r, true);
	packet(&r, 2, "10.2.0.5", "10.1.0.2");
	packet(&r, 2, "10.2.0.5", "10.1.0.2");
	/* One question, from the pseudo MAC and the packet's sender. */
	rig_expect(&r, 0, 1);
	rig_expect_hex(&r, 0, 0, ALL P REQ P "0a020005" ZERO "0a010002");
	rig_expect(&r, 1, 1);
	rig_clear(&r);
	rig_in_hex(&r, 0, P A REP A "0a010002" P "0a020005");
	rig_expect(&r, 0, 2); /* what waited */
	assert_int_equal(r.port[0].out[0]->len, n);
	assert_memory_equal(r.port[0].out[0]->data, want, n);
	rig_expect(&r, 2, 0); /* the answer is for us, not for the peer */
	rig_fini(&r);
	/* The same when the host is behind an Ethernet peer. */
	setup(&r, true);
	packet(&r, 2, "10.2.0.5", "10.1.0.2");
	packet(&r, 2, "10.2.0.5", "10.1.0.2");
	rig_clear(&r);
	rig_in_hex(&r, 1, P A REP A "0a010002" P "0a020005");
	rig_expect(&r, 1, 2);
	assert_int_equal(r.port[1].out[0]->len, n);
	assert_memory_equal(r.port[1].out[0]->data, want, n);
	rig_clear(&r);
	packet(&r, 2, "10.2.0.5", "10.1.0.2"); /* known now */
	rig_expect(&r, 1, 1);
	rig_expect(&r, 0, 0);
	rig_fini(&r);
}

TEST(a_neighbour_of_the_tap_is_asked_for_without_a_bridge)
{
	struct rig r;

	rig_init_addr(&r, false, "10.1.0.1/24");
	rig_add(&r, 0, HUB_PORT_TAP, "02:00:00:00:00:f0", NULL);
	rig_add(&r, 1, HUB_PORT_ETHER, NULL, NULL);
	rig_add(&r, 2, HUB_PORT_IP, "02:00:00:00:00:a1", "10.1.0.11");
	packet(&r, 2, "10.1.0.11", "10.1.0.2");
	rig_expect(&r, 1, 1);
	rig_expect_hex(&r, 1, 0, ALL P REQ P "0a01000b" ZERO "0a010002");
	rig_clear(&r);
	rig_in_hex(&r, 1, P A REP A "0a010002" P "0a01000b");
	rig_expect(&r, 1, 1);
	rig_expect(&r, 0, 0);
	rig_clear(&r);
	/* its own address, the broadcast of its network, another network */
	packet(&r, 2, "10.1.0.11", "10.1.0.1");
	packet(&r, 2, "10.1.0.11", "10.1.0.255");
	packet(&r, 2, "10.1.0.11", "10.1.1.2");
	rig_expect(&r, 0, 3);
	rig_expect(&r, 1, 0);
	rig_fini(&r);
}

TEST(the_address_of_the_tap_is_not_learned_elsewhere)
{
	struct rig r;

	rig_init_addr(&r, false, "10.1.0.1/24");
	rig_add(&r, 0, HUB_PORT_TAP, "02:00:00:00:00:f0", NULL);
	rig_add(&r, 1, HUB_PORT_ETHER, NULL, NULL);
	rig_add(&r, 2, HUB_PORT_IP, "02:00:00:00:00:a1", "10.1.0.11");
	rig_in_hex(&r, 1, ALL A REQ A "0a010001" ZERO "0a010001");
	rig_expect(&r, 0, 1); /* it may be the answer to a probe */
	rig_clear(&r);
	packet(&r, 2, "10.1.0.11", "10.1.0.1");
	rig_expect(&r, 0, 1);
	rig_expect(&r, 1, 0);
	rig_fini(&r);
}

TEST(an_ipv6_neighbour_is_asked_for)
{
	struct rig r;
	uint8_t b[64];

	setup(&r, true);
	rig_in(&r, 2, b, rig_ipv6(b, "2001:db8:2::5", "2001:db8:1::12:3456"));
	rig_expect(&r, 0, 1);
	assert_int_equal(r.port[0].out[0]->len, 86);
	assert_memory_equal(r.port[0].out[0]->data,
	    "\x33\x33\xff\x12\x34\x56\x02\0\0\0\0\xa1\x86\xdd", 14);
	assert_int_equal(r.port[0].out[0]->data[54], 135);
	rig_fini(&r);
}

TEST(a_neighbour_is_asked_for_once_a_second_while_packets_come)
{
	struct rig r;

	setup(&r, true);
	for (int s = 0; s < 5; s++) {
		for (int i = 0; i < 10; i++)	/* more than may wait */
			packet(&r, 2, "10.2.0.5", "10.1.0.2");
		rig_expect(&r, 0, 1);
		rig_clear(&r);
		rig_tick(&r, 1);
	}
	rig_fini(&r);
}

TEST(waiting_is_bounded_in_number_and_time)
{
	struct rig r;
	char dst[32];

	setup(&r, true);
	for (int i = 0; i < 6; i++)
		packet(&r, 2, "10.2.0.5", "10.1.0.2");
	assert_int_equal(drop_sum(DROP_HUB_NONEIGH), 2);
	for (int i = 0; i < 100; i++) {
		snprintf(dst, sizeof(dst), "10.1.1.%d", i);
		packet(&r, 2, "10.2.0.5", dst);
	}
	assert_int_equal(drop_sum(DROP_HUB_NONEIGH), 2 + 72);
	rig_expect(&r, 0, 1 + 28);
	rig_clear(&r);
	rig_tick(&r, 1);
	assert_int_equal(buf_pool_used(r.pool), 32);
	rig_tick(&r, 1);
	assert_int_equal(drop_sum(DROP_HUB_NONEIGH), 2 + 72 + 32);
	assert_int_equal(buf_pool_used(r.pool), 0);
	packet(&r, 2, "10.2.0.5", "10.1.0.2"); /* asks anew */
	rig_expect(&r, 0, 1);
	rig_clear(&r);
	hub_port_del(r.h, r.port[2].num);
	assert_int_equal(buf_pool_used(r.pool), 0);
	rig_fini(&r);
}

TEST(what_still_waits_is_released_with_the_hub)
{
	struct rig r;

	setup(&r, true);
	packet(&r, 2, "10.2.0.5", "10.1.0.2");
	rig_fini(&r);
}

TEST(a_pseudo_address_is_unicast_local_and_unique)
{
	struct rig r;
	struct hub_port_info a, b;
	struct hub_port_conf c;
	uint32_t it = 0, num;

	rig_init(&r, false);
	c = rig_conf(&r, 0, HUB_PORT_IP, NULL);
	assert_int_equal(hub_port_add(r.h, &c, &num), 0);
	c = rig_conf(&r, 1, HUB_PORT_IP, NULL);
	assert_int_equal(hub_port_add(r.h, &c, &num), 0);
	assert_true(hub_port_next(r.h, &it, &a));
	assert_true(hub_port_next(r.h, &it, &b));
	assert_int_equal(a.mac.b[0] & 3, 2);
	assert_int_equal(b.mac.b[0] & 3, 2);
	assert_false(mac_equal(&a.mac, &b.mac));
	rig_fini(&r);
}

/* An IP port with another wish for multicast than none. */
static void
add_mcast(struct rig *r, unsigned i, enum hub_mcast mcast, const char *nets)
{
	struct hub_port_conf c = rig_conf(r, i, HUB_PORT_IP, NULL);

	c.mcast = mcast;
	rig_nets(&c, nets);
	assert_int_equal(hub_port_add(r->h, &c, &r->port[i].num), 0);
}

TEST(multicast_goes_to_ip_ports_that_hold_the_group)
{
	struct rig r;
	uint8_t f[64], want[64];
	size_t n, len = rig_ipv4(want, "10.1.0.1", "239.1.1.1");

	setup(&r, false);
	add_mcast(&r, 4, HUB_MCAST_NAMED, "10.4.0.0/16 239.1.0.0/16");
	add_mcast(&r, 5, HUB_MCAST_LINK, "0.0.0.0/0 ::/0");
	n = frame(f, "01005e010101" A "0800", "10.1.0.1", "239.1.1.1");
	rig_in(&r, 1, f, n);
	rig_expect(&r, 0, 1);
	rig_expect(&r, 2, 0);
	rig_expect(&r, 3, 0);
	for (unsigned i = 4; i < 6; i++) {
		rig_expect(&r, i, 1);
		assert_int_equal(r.port[i].out[0]->len, len);
		assert_memory_equal(r.port[i].out[0]->data, want, len);
	}
	rig_clear(&r);
	n = frame(f, "01005e020101" A "0800", "10.1.0.1", "239.2.1.1");
	rig_in(&r, 1, f, n);
	rig_expect(&r, 4, 0);
	rig_expect(&r, 5, 1);
	rig_clear(&r);
	/* from IP port to IP port, and not back */
	packet(&r, 5, "10.5.0.1", "239.1.9.9");
	rig_expect(&r, 0, 1);
	rig_expect(&r, 4, 1);
	rig_expect(&r, 5, 0);
	rig_fini(&r);
}

TEST(an_ip_port_with_groups_gets_no_broadcast_tag_or_lie)
{
	struct rig r;
	uint8_t f[80];
	size_t n;

	setup(&r, false);
	add_mcast(&r, 5, HUB_MCAST_LINK, "0.0.0.0/0 ::/0");
	n = frame(f, ALL A "0800", "10.1.0.1", "255.255.255.255");
	rig_in(&r, 1, f, n);
	n = frame(f, ALL A "0800", "10.1.0.1", "10.5.0.1");
	rig_in(&r, 1, f, n);
	rig_in_hex(&r, 1, ALL A REQ A "0a010001" ZERO "0b0c0d0e");
	rig_clear(&r);
	n = frame(f, "01005e010101" A "86dd", "10.1.0.1", "239.1.1.1");
	rig_in(&r, 1, f, n);		/* another version than it says */
	n = frame(f, "01005e010101" A "0800", "10.1.0.1", "239.1.1.1");
	rig_in(&r, 1, f, n - 1);	/* shorter than it says */
	rig_in_hex(&r, 1, "01005e010101" A "8100 0005 0800 4500");
	rig_in_hex(&r, 1, "0180c2000000" A "0026 424203");
	rig_expect(&r, 5, 0);
	assert_int_equal(buf_pool_used(r.pool), r.port[0].n_out);
	rig_fini(&r);
}

TEST(an_ip_port_loses_its_groups_with_its_selectors)
{
	struct rig r;
	struct hub_port_conf c;
	uint8_t f[64];
	size_t n = frame(f, "01005e010101" A "0800", "10.1.0.1", "239.1.1.1");

	setup(&r, false);
	add_mcast(&r, 4, HUB_MCAST_NAMED, "239.1.0.0/16");
	rig_in(&r, 1, f, n);
	rig_expect(&r, 4, 1);
	c = rig_conf(&r, 4, HUB_PORT_IP, NULL);
	rig_nets(&c, "10.4.0.0/16");
	assert_int_equal(hub_port_set(r.h, r.port[4].num, &c), 0);
	rig_in(&r, 1, f, n);
	rig_expect(&r, 4, 1);
	rig_fini(&r);
}

TEST(without_buffers_a_group_is_lost_for_the_ip_port_alone)
{
	struct rig r;
	uint8_t f[64];
	size_t n = frame(f, "01005e010101" A "0800", "10.1.0.1", "239.1.1.1");
	struct buf *b;

	setup(&r, false);
	add_mcast(&r, 4, HUB_MCAST_LINK, "0.0.0.0/0");
	b = rig_buf(&r, f, n);
	r.is_dry = true;
	hub_input(r.h, 0, r.port[1].num, &b, 1);
	rig_expect(&r, 0, 1);
	rig_expect(&r, 4, 0);
	assert_int_equal(drop_sum(DROP_NO_BUF), 1);
	rig_fini(&r);
}

TEST(a_run_of_packets_to_one_address_ends_with_the_address)
{
	static const char *const dst[] = { "10.1.0.2", "10.1.0.2", "10.1.0.3",
		"10.1.0.2", "10.3.0.1", "10.1.0.2", "239.1.1.1", "10.1.0.2" };
	struct buf *b[N_OF(dst)];
	struct rig r;
	uint8_t p[64];

	setup(&r, false);
	rig_in_hex(&r, 1, ALL A REQ A "0a010002" ZERO "0a010001");
	rig_clear(&r);
	for (unsigned i = 0; i < N_OF(dst); i++)
		b[i] = rig_buf(&r, p, rig_ipv4(p, "10.2.0.5", dst[i]));
	hub_input(r.h, 0, r.port[2].num, b, N_OF(dst));
	rig_expect(&r, 1, 6); /* those to .2, and the group */
	rig_expect(&r, 0, 2); /* the kernel: .3, and the group */
	rig_expect(&r, 3, 1);
	for (unsigned i = 0; i < 6; i++)
		assert_memory_equal(r.port[1].out[i]->data, i == 4 ?
		    "\x01\0\x5e\x01\x01\x01" : "\x02\0\0\0\0\x01", 6);
	assert_memory_equal(r.port[0].out[0]->data, "\x02\0\0\0\0\xf0", 6);
	rig_fini(&r);
}

TEST(what_lies_behind_ip_ports_can_be_listed)
{
	struct hub_behind_info bi;
	struct rig r;
	uint32_t it = 0;
	unsigned n = 0;

	setup(&r, false);
	while (hub_behind_next(r.h, &it, &bi)) {
		struct ip_addr want;

		assert_int_equal(ip_parse(n == 0 ? "10.2.0.0" : n == 1 ?
		    "2001:db8:2::" : n == 2 ? "10.3.0.0" : "10.9.0.9", &want),
		    0);
		assert_true(ip_equal(&bi.ts.lo, &want));
		assert_int_equal(bi.port, r.port[n < 2 ? 2 : 3].num);
		assert_int_equal(bi.mac.b[5], n < 2 ? 0xa1 : 0xa3);
		n++;
	}
	assert_int_equal(n, 4);
	rig_fini(&r);
}
