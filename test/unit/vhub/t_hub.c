/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/vhub/t_hub.c - the hub as a switch between Ethernet ports.
 */
#include "test/unit/vhub/rig.h"

#define A "020000000001"
#define B "020000000002"
#define C "020000000003"
#define ALL "ffffffffffff"
#define DATA "88b5 0102030405060708"

/* Three Ethernet ports: TAP 0, peers 1 and 2. */
static void
three(struct rig *r)
{
	rig_init(r, false);
	rig_add(r, 0, HUB_PORT_TAP, "02:00:00:00:00:f0", NULL);
	rig_add(r, 1, HUB_PORT_ETHER, NULL, NULL);
	rig_add(r, 2, HUB_PORT_ETHER, NULL, NULL);
}

TEST(unknown_goes_everywhere_known_goes_to_its_port)
{
	struct rig r;

	three(&r);
	rig_in_hex(&r, 0, B A DATA);
	rig_expect(&r, 0, 0);
	rig_expect(&r, 1, 1);
	rig_expect(&r, 2, 1);
	rig_expect_hex(&r, 1, 0, B A DATA);
	/* One buffer for both. */
	assert_ptr_equal(r.port[1].out[0], r.port[2].out[0]);
	assert_int_equal(buf_pool_used(r.pool), 1);
	assert_true(buf_is_shared(r.port[1].out[0]));
	rig_clear(&r);
	assert_int_equal(buf_pool_used(r.pool), 0);
	rig_in_hex(&r, 1, A B DATA);
	rig_expect(&r, 0, 1);
	rig_expect(&r, 2, 0);
	rig_clear(&r);
	rig_in_hex(&r, 0, B A DATA);
	rig_expect(&r, 1, 1);
	rig_expect(&r, 2, 0);
	rig_fini(&r);
}

TEST(broadcast_and_multicast_go_to_all_but_the_sender)
{
	struct rig r;

	three(&r);
	rig_in_hex(&r, 1, ALL A DATA);
	rig_in_hex(&r, 1, "01005e000001" A DATA);
	rig_expect(&r, 0, 2);
	rig_expect(&r, 1, 0);
	rig_expect(&r, 2, 2);
	rig_fini(&r);
}

TEST(bad_frames_are_named_drops)
{
	struct rig r;

	three(&r);
	rig_in_hex(&r, 1, A B "08");
	assert_int_equal(drop_sum(DROP_HUB_RUNT), 1);
	rig_in_hex(&r, 1, A B "8100 00");
	assert_int_equal(drop_sum(DROP_HUB_RUNT), 2);
	rig_in_hex(&r, 1, A "010000000001" DATA);
	rig_in_hex(&r, 1, A "000000000000" DATA);
	assert_int_equal(drop_sum(DROP_HUB_SRC), 2);
	for (int i = 0; i < 16; i++) {
		uint8_t f[32] = { 0x01, 0x80, 0xc2, 0, 0, (uint8_t)i, 2, 9 };

		rig_in(&r, 1, f, sizeof(f));
	}
	assert_int_equal(drop_sum(DROP_HUB_LINKLOCAL), 16);
	rig_expect(&r, 0, 0);
	rig_expect(&r, 2, 0);
	rig_in_hex(&r, 1, "0180c2000010" A DATA); /* the first that passes */
	rig_expect(&r, 0, 1);
	/* Sources of refused frames were not learned. */
	rig_clear(&r);
	rig_in_hex(&r, 0, "020900000000" C DATA);
	rig_expect(&r, 1, 1);
	rig_expect(&r, 2, 1);
	rig_fini(&r);
}

TEST(a_frame_never_goes_back_where_it_came_from)
{
	struct rig r;

	three(&r);
	rig_in_hex(&r, 1, ALL A DATA);
	rig_clear(&r);
	rig_in_hex(&r, 1, A B DATA);
	assert_int_equal(drop_sum(DROP_HUB_SELF), 1);
	for (unsigned i = 0; i < 3; i++)
		rig_expect(&r, i, 0);
	rig_fini(&r);
}

TEST(alone_on_the_hub_is_a_named_drop)
{
	struct rig r;

	rig_init(&r, false);
	rig_add(&r, 0, HUB_PORT_TAP, NULL, NULL);
	rig_in_hex(&r, 0, ALL A DATA);
	assert_int_equal(drop_sum(DROP_HUB_NOPORT), 1);
	rig_fini(&r);
}

TEST(the_address_of_the_tap_cannot_be_taken)
{
	struct rig r;

	three(&r);
	rig_in_hex(&r, 1, ALL "0200000000f0" DATA);
	assert_int_equal(drop_sum(DROP_HUB_SRC), 1);
	rig_in_hex(&r, 1, "0200000000f0" A DATA);
	rig_expect(&r, 0, 1);
	rig_expect(&r, 2, 0);
	rig_in_hex(&r, 0, ALL "0200000000f0" DATA); /* itself may */
	rig_expect(&r, 2, 1);
	rig_fini(&r);
}

TEST(tagged_frames_are_switched_like_others)
{
	struct rig r;

	three(&r);
	rig_in_hex(&r, 1, B A "8100 0064 88a8 0001 8100 0001" DATA);
	rig_expect(&r, 0, 1);
	rig_in_hex(&r, 2, A B "8100 0064 0806 0001"); /* half an ARP */
	assert_int_equal(drop_sum(DROP_HUB_RUNT), 1);
	rig_in_hex(&r, 2, A B "8100 0064" DATA);
	rig_expect(&r, 1, 1);
	rig_fini(&r);
}

TEST(addresses_age_by_the_tick)
{
	struct rig r;
	struct hub_mac_info info;
	uint32_t it = 0, n = 0;

	three(&r);
	rig_in_hex(&r, 1, ALL A DATA);
	rig_tick(&r, HUB_MAC_AGE_S - 1);
	rig_clear(&r);
	rig_in_hex(&r, 2, A B DATA);
	rig_expect(&r, 0, 0);
	rig_expect(&r, 1, 1);
	while (hub_mac_next(r.h, &it, &info)) {
		n++;
		if (info.mac.b[5] == 1)
			assert_int_equal(info.age_s, HUB_MAC_AGE_S - 1);
	}
	assert_int_equal(n, 3); /* A, B, the TAP */
	rig_tick(&r, 10);
	rig_clear(&r);
	rig_in_hex(&r, 2, A B DATA);
	rig_expect(&r, 0, 1);
	rig_expect(&r, 1, 1);
	rig_fini(&r);
}

TEST(a_removed_port_is_forgotten)
{
	struct rig r;
	uint32_t num, again;
	struct hub_port_conf c;

	three(&r);
	num = r.port[1].num;
	rig_in_hex(&r, 1, ALL A DATA);
	rig_clear(&r);
	hub_port_del(r.h, num);
	hub_port_del(r.h, num);
	hub_port_del(r.h, 12345);
	rig_in_hex(&r, 2, A B DATA);
	rig_expect(&r, 0, 1);
	rig_expect(&r, 1, 0);
	rig_in_hex(&r, 1, A B DATA);
	assert_int_equal(drop_sum(DROP_HUB_NOPORT), 1);
	/* The number rests until all threads were quiet. */
	c = rig_conf(&r, 3, HUB_PORT_ETHER, NULL);
	assert_int_equal(hub_port_add(r.h, &c, &again), 0);
	assert_int_not_equal(again, num);
	thr_reclaim_all();
	c = rig_conf(&r, 4, HUB_PORT_ETHER, NULL);
	assert_int_equal(hub_port_add(r.h, &c, &again), 0);
	assert_int_equal(again, num);
	rig_fini(&r);
}

TEST(wrong_ports_are_refused)
{
	struct rig r;
	struct hub_port_conf c;
	uint32_t num;

	three(&r);
	c = rig_conf(&r, 3, HUB_PORT_TAP, NULL);
	assert_int_equal(hub_port_add(r.h, &c, &num), ERR_EXISTS);
	c = rig_conf(&r, 3, HUB_PORT_IP, "02:00:00:00:00:f0");
	assert_int_equal(hub_port_add(r.h, &c, &num), ERR_EXISTS);
	c = rig_conf(&r, 3, HUB_PORT_IP, "03:00:00:00:00:f0");
	assert_int_equal(hub_port_add(r.h, &c, &num), ERR_ADDR);
	c.ops.out = NULL;
	assert_int_equal(hub_port_add(r.h, &c, &num), ERR_RANGE);
	c = rig_conf(&r, 3, HUB_PORT_ETHER, NULL);
	assert_int_equal(hub_port_set(r.h, 77, &c), ERR_NOTFOUND);
	for (int i = 3; i < HUB_PORT_MAX; i++)
		assert_int_equal(hub_port_add(r.h, &c, &num), 0);
	assert_int_equal(hub_port_add(r.h, &c, &num), ERR_FULL);
	rig_fini(&r);
}

TEST(a_port_may_change_its_kind)
{
	struct rig r;
	struct hub_port_conf c;
	struct hub_port_info info;
	uint32_t it = 0;
	struct mac m;

	three(&r);
	rig_in_hex(&r, 1, ALL A DATA);
	c = rig_conf(&r, 1, HUB_PORT_IP, NULL);
	rig_nets(&c, "10.2.0.0/16");
	assert_int_equal(hub_port_set(r.h, r.port[1].num, &c), 0);
	rig_clear(&r);
	rig_in_hex(&r, 2, A B DATA); /* A is not known any more */
	rig_expect(&r, 0, 1);
	rig_expect(&r, 1, 0);
	while (hub_port_next(r.h, &it, &info))
		if (info.port == r.port[1].num)
			break;
	assert_int_equal(info.kind, HUB_PORT_IP);
	assert_int_equal(info.rx_frames, 1); /* counters go on */
	assert_int_equal(info.mac.b[0] & 3, 2);
	m = info.mac;
	/* New selectors, same pseudo address. */
	assert_int_equal(hub_port_set(r.h, r.port[1].num, &c), 0);
	it = 0;
	while (hub_port_next(r.h, &it, &info))
		if (info.port == r.port[1].num)
			assert_true(mac_equal(&m, &info.mac));
	rig_fini(&r);
}

TEST(a_batch_goes_out_as_one_call_in_order)
{
	struct rig r;
	struct buf *b[HUB_BATCH_MAX];
	uint8_t f[32] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5 };

	three(&r);
	rig_in_hex(&r, 1, ALL B DATA);
	rig_clear(&r);
	for (unsigned i = 0; i < HUB_BATCH_MAX; i++) {
		f[20] = (uint8_t)i;
		f[5] = i % 2 ? 2 : 0xf0; /* port 1 and TAP in turn */
		b[i] = rig_buf(&r, f, sizeof(f));
	}
	hub_input(r.h, 1, r.port[2].num, b, HUB_BATCH_MAX);
	assert_int_equal(r.port[0].n_call, 1);
	assert_int_equal(r.port[1].n_call, 1);
	rig_expect(&r, 0, 32);
	rig_expect(&r, 1, 32);
	for (unsigned i = 0; i < 32; i++) {
		assert_int_equal(r.port[0].out[i]->data[20], 2 * i);
		assert_int_equal(r.port[1].out[i]->data[20], 2 * i + 1);
	}
	rig_clear(&r);
	/* More than a batch holds: flooded to five ports. */
	for (unsigned i = 3; i < 7; i++)
		rig_add(&r, i, HUB_PORT_ETHER, NULL, NULL);
	memset(f, 0xff, 6);
	for (unsigned i = 0; i < HUB_BATCH_MAX; i++) {
		f[20] = (uint8_t)i;
		b[i] = rig_buf(&r, f, sizeof(f));
	}
	hub_input(r.h, 0, r.port[2].num, b, HUB_BATCH_MAX);
	for (unsigned i = 0; i < 7; i++) {
		rig_expect(&r, i, i == 2 ? 0 : 64);
		for (unsigned k = 0; k < r.port[i].n_out; k++)
			assert_int_equal(r.port[i].out[k]->data[20], k);
	}
	assert_int_equal(buf_pool_used(r.pool), 64);
	rig_fini(&r);
}

TEST(flooded_and_other_frames_of_a_batch_keep_their_order_at_each_port)
{
	struct buf *b[HUB_BATCH_MAX];
	uint8_t f[60] = { 0 };
	struct rig r;

	rig_init(&r, true);
	rig_add(&r, 0, HUB_PORT_TAP, "02:00:00:00:00:f0", NULL);
	for (unsigned i = 1; i < 5; i++)
		rig_add(&r, i, HUB_PORT_ETHER, NULL, NULL);
	rig_in_hex(&r, 1, "ffffffffffff 020000000001 88b6 01"); /* behind 1 */
	rig_clear(&r);
	/* Each third is for that host, each third for all, the rest for two. */
	for (unsigned i = 0; i < HUB_BATCH_MAX; i++) {
		memset(f, i % 3 == 1 ? 0xff : 0, 6);
		f[0] = i % 3 == 0 ? 2 : f[0];
		f[5] = i % 3 == 0 ? 1 : f[5];
		f[0] = i % 3 == 2 ? 2 : f[0];
		f[5] = i % 3 == 2 ? 0x77 : f[5];
		memset(f + 6, 2, 6);
		f[12] = 0x88;
		f[13] = 0xb6;
		f[14] = (uint8_t)i;
		b[i] = rig_buf(&r, f, sizeof(f));
	}
	hub_input(r.h, 0, r.port[2].num, b, HUB_BATCH_MAX);
	rig_expect(&r, 1, HUB_BATCH_MAX);
	assert_int_equal(r.port[1].n_call, 1);	/* one train, in order */
	for (unsigned i = 0; i < HUB_BATCH_MAX; i++)
		assert_int_equal(r.port[1].out[i]->data[14], i);
	rig_expect(&r, 2, 0);
	for (unsigned p = 3; p < 5; p++) {
		assert_int_equal(r.port[p].n_call, 1);
		for (unsigned k = 0, i = 0; k < r.port[p].n_out; k++, i++) {
			i += i % 3 == 0;
			assert_int_equal(r.port[p].out[k]->data[14], i);
			/* The same buffer as the others have. */
			assert_ptr_equal(r.port[p].out[k], r.port[1].out[i]);
		}
		rig_expect(&r, p, 42);
	}
	rig_fini(&r);
}

TEST(floods_to_ip_peers_as_well_fit_any_batch)
{
	struct buf *b[HUB_BATCH_MAX];
	struct rig r;

	/* A copy for each IP peer: more than a batch holds, sent in between. */
	rig_init(&r, true);
	rig_add(&r, 0, HUB_PORT_TAP, "02:00:00:00:00:f0", NULL);
	for (unsigned i = 1; i < 8; i++) {
		struct hub_port_conf c = rig_conf(&r, i, i < 4 ?
		    HUB_PORT_ETHER : HUB_PORT_IP, NULL);

		c.mcast = HUB_MCAST_NAMED;
		rig_nets(&c, "239.0.0.0/8");
		assert_int_equal(hub_port_add(r.h, &c, &r.port[i].num), 0);
	}
	for (unsigned round = 0; round < 4; round++) {
		for (unsigned i = 0; i < HUB_BATCH_MAX; i++) {
			uint8_t f[128] = { 1, 0, 0x5e, 1, 1, 1, 2, 0, 0, 0, 0,
				1, 8, 0 };

			b[i] = rig_buf(&r, f, 14 + rig_ipv4(f + 14,
			    "10.0.0.1", "239.1.1.1"));
		}
		hub_input(r.h, 0, r.port[1].num, b, HUB_BATCH_MAX);
		rig_expect(&r, 0, HUB_BATCH_MAX);
		for (unsigned i = 2; i < 8; i++)
			rig_expect(&r, i, HUB_BATCH_MAX);
		rig_clear(&r);
	}
	rig_fini(&r);
}

TEST(counters_count)
{
	struct rig r;
	struct hub_port_info info;
	uint32_t it = 0;

	three(&r);
	rig_in_hex(&r, 1, ALL A DATA);
	rig_in_hex(&r, 1, A B DATA);
	assert_true(hub_port_next(r.h, &it, &info));
	assert_int_equal(info.tx_frames, 1);
	assert_int_equal(info.tx_bytes, 22);
	assert_true(hub_port_next(r.h, &it, &info));
	assert_string_equal(info.name, "p1");
	assert_int_equal(info.rx_frames, 2);
	assert_int_equal(info.rx_bytes, 44);
	assert_int_equal(info.n_flood, 1);
	assert_int_equal(info.n_drop, 1);
	assert_int_equal(info.n_mac, 2);
	assert_true(hub_port_next(r.h, &it, &info));
	assert_false(hub_port_next(r.h, &it, &info));
	rig_fini(&r);
}

/* Random sources from one peer: bounded, counted, still forwarded. */
TEST(a_flood_of_addresses_stays_bounded_and_passes)
{
	struct rig r;
	struct hub_port_info info;
	uint32_t it = 0, n = 10000;

	three(&r);
	for (uint32_t i = 0; i < n; i++) {
		uint8_t f[20] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 7,
			(uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i, 1,
			0x88, 0xb5 };

		rig_in(&r, 1, f, sizeof(f));
		rig_expect(&r, 2, 1);
		rig_clear(&r);
	}
	assert_int_equal(drop_sum(DROP_HUB_LIMIT), n - HUB_PORT_MAC_MAX);
	while (hub_port_next(r.h, &it, &info))
		assert_int_equal(info.n_mac, info.port == r.port[1].num ?
		    HUB_PORT_MAC_MAX : 0);
	rig_fini(&r);
}

TEST(moves_and_clashes_are_told_with_a_bound)
{
	struct rig r;
	struct hub_conf c = { .name = "sales", .n_worker = 1,
		.buf_new = rig_buf_new, .ctx = &r };
	struct bus_reader rd;
	struct bus_rec ev;
	struct bus *bus;
	uint64_t lost;
	unsigned n = 0;

	rig_init(&r, false);
	hub_free(r.h);
	assert_int_equal(bus_new(&bus), 0);
	c.tell = rig_tell;
	r.bus = bus;
	assert_int_equal(hub_new(&r.h, &c), 0);
	rig_add(&r, 0, HUB_PORT_TAP, "02:00:00:00:00:f0", NULL);
	rig_add(&r, 1, HUB_PORT_ETHER, NULL, NULL);
	rig_add(&r, 2, HUB_PORT_ETHER, NULL, NULL);
	rig_in_hex(&r, 1, ALL A DATA);
	rig_in_hex(&r, 2, ALL A DATA);
	rig_in_hex(&r, 1, ALL "0200000000f0" DATA);
	rig_tick(&r, 1);
	bus_reader_init(&rd, 0);
	assert_int_equal(bus_read(bus, &rd, &ev, &lost), 0);
	assert_int_equal(ev.desc->row, BUS_EV_HUB_MAC_MOVED);
	assert_string_equal(bus_str(&ev, BUS_F_REALM), "sales");
	assert_string_equal(bus_str(&ev, BUS_F_MAC), "02:00:00:00:00:01");
	assert_string_equal(bus_str(&ev, BUS_F_OLD_PORT), "p1");
	assert_string_equal(bus_str(&ev, BUS_F_PORT), "p2");
	assert_int_equal(bus_read(bus, &rd, &ev, &lost), 0);
	assert_int_equal(ev.desc->row, BUS_EV_HUB_MAC_CLASH);
	for (int i = 0; i < 50; i++) {
		rig_in_hex(&r, 1 + i % 2, ALL A DATA);
		rig_clear(&r);
	}
	rig_tick(&r, 1);
	while (bus_read(bus, &rd, &ev, &lost) == 0)
		n++;
	assert_int_equal(n, 8);
	rig_fini(&r);
	bus_free(bus);
}

TEST(a_hub_freed_before_its_ports_were_released_leaks_nothing)
{
	struct rig r;
	struct hub_port_conf c;

	three(&r);
	c = rig_conf(&r, 1, HUB_PORT_ETHER, NULL);
	assert_int_equal(hub_port_set(r.h, r.port[1].num, &c), 0);
	hub_port_del(r.h, r.port[1].num);
	rig_fini(&r); /* reclaims after hub_free() */
	hub_free(NULL);
}

/* An IPv4 frame with TCP: runs are made of these. */
#define TCP4 "0800 4500002800000000 4006 0000 0a000001 0a000002 0000000000"

TEST(a_run_ends_with_the_first_frame_that_differs)
{
	static const char *const hex[] = {
		B A TCP4, B A TCP4,	/* a run to port 1 */
		C A TCP4,		/* another header: to port 2 */
		B A TCP4,		/* and again */
		A B TCP4,		/* B moved here ... */
		B A TCP4,		/* ... so that this goes nowhere */
		B A DATA,
	};
	struct buf *b[N_OF(hex)];
	uint8_t raw[64];
	struct rig r;

	three(&r);
	rig_in_hex(&r, 1, ALL B DATA);
	rig_in_hex(&r, 2, ALL C DATA);
	rig_clear(&r);
	for (unsigned i = 0; i < N_OF(hex); i++)
		b[i] = rig_buf(&r, raw, test_hex(hex[i], raw, sizeof(raw)));
	drop_reset();
	hub_input(r.h, 0, r.port[0].num, b, N_OF(hex));
	rig_expect(&r, 1, 3);
	rig_expect(&r, 2, 1);
	rig_expect(&r, 0, 0);
	assert_int_equal(drop_sum(DROP_HUB_SELF), 3);
	rig_fini(&r);
}
