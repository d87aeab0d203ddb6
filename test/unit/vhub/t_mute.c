/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/vhub/t_mute.c - a LAN that lets no foreign addresses pass is told,
 * and a LAN that is well is not.
 */
#include "test/unit/vhub/rig.h"

#define TAP "0200000000f0"
#define LAN "0200000000b1"	/* a host of the LAN: 10.0.0.1 */
#define PC "0200000000b2"	/* another: 10.0.0.3 */
#define FAR "020000000001"	/* a host behind the tunnel: 10.0.0.2 */
#define ALL "ffffffffffff"
#define ZERO "000000000000"
#define REQ "0806 0001 0800 06 04 0001"
#define REP "0806 0001 0800 06 04 0002"
#define DATA "88b6 0102030405060708"

struct mute_rig {
	struct rig r;
	struct bus_reader rd;
};

/* TAP 0 with a bridge behind, peers 1 and 2; both hosts were heard. */
static void
begin(struct mute_rig *m)
{
	struct hub_conf c = { .name = "branches", .has_bridge = true,
		.loop = HUB_LOOP_OFF, .n_worker = 2, .buf_new = rig_buf_new,
		.ctx = &m->r, .tell = rig_tell };

	rig_init(&m->r, true);
	hub_free(m->r.h);
	assert_int_equal(hub_new(&m->r.h, &c), 0);
	assert_int_equal(bus_new(&m->r.bus), 0);
	bus_reader_init(&m->rd, 0);
	rig_add(&m->r, 0, HUB_PORT_TAP, "02:00:00:00:00:f0", NULL);
	rig_add(&m->r, 1, HUB_PORT_ETHER, NULL, NULL);
	rig_add(&m->r, 2, HUB_PORT_ETHER, NULL, NULL);
	rig_tick(&m->r, 100);
	rig_in_hex(&m->r, 0, ALL LAN REQ LAN "0a000001" ZERO "0a000063");
	rig_in_hex(&m->r, 0, ALL PC REQ PC "0a000003" ZERO "0a000063");
	rig_in_hex(&m->r, 1, ALL FAR REQ FAR "0a000002" ZERO "0a000063");
	rig_tick(&m->r, 30); /* the hub does not answer for them any more */
	rig_clear(&m->r);
}

static void
finish(struct mute_rig *m)
{
	rig_fini(&m->r);
	bus_free(m->r.bus);
}

static bool
told(struct mute_rig *m, struct bus_rec *ev)
{
	uint64_t lost;

	while (bus_read(m->r.bus, &m->rd, ev, &lost) == 0)
		if (ev->desc->row == BUS_EV_HUB_MUTE)
			return true;
	return false;
}

/* FAR asks for 10.0.0.1, n times, a second apart. */
static void
ask(struct mute_rig *m, unsigned n)
{
	while (n-- > 0) {
		rig_in_hex(&m->r, 1, ALL FAR REQ FAR "0a000002" ZERO
		    "0a000001");
		rig_tick(&m->r, 1);
		rig_clear(&m->r);
	}
}

TEST(a_host_that_speaks_but_answers_nobody_is_told_with_what_to_do)
{
	struct mute_rig m;
	struct bus_rec ev;

	begin(&m);
	ask(&m, 2);
	rig_in_hex(&m.r, 0, ALL LAN DATA); /* it is there */
	assert_false(told(&m, &ev));
	ask(&m, 2);
	assert_true(told(&m, &ev));
	assert_string_equal(bus_str(&ev, BUS_F_REALM), "branches");
	assert_string_equal(bus_str(&ev, BUS_F_MAC), "02:00:00:00:00:b1");
	assert_non_null(strstr(bus_str(&ev, BUS_F_HINT), "forged transmits"));
	/* Once an hour. */
	for (int i = 0; i < 10; i++) {
		rig_in_hex(&m.r, 0, ALL LAN REQ LAN "0a000001" ZERO "0a000063");
		ask(&m, 12);
	}
	assert_false(told(&m, &ev));
	finish(&m);
}

TEST(a_host_that_is_silent_is_off_and_not_mute)
{
	struct mute_rig m;
	struct bus_rec ev;

	begin(&m);
	ask(&m, 100);
	assert_false(told(&m, &ev));
	finish(&m);
}

TEST(a_host_that_answers_is_well)
{
	struct mute_rig m;
	struct bus_rec ev;

	begin(&m);
	for (int i = 0; i < 3; i++) {
		rig_in_hex(&m.r, 0, ALL LAN DATA);
		ask(&m, 2);
		rig_in_hex(&m.r, 0, FAR LAN REP LAN "0a000001" FAR "0a000002");
		ask(&m, 2);
	}
	assert_false(told(&m, &ev));
	finish(&m);
}

TEST(a_host_that_asks_and_asks_and_never_gets_through_is_told)
{
	struct mute_rig m;
	struct bus_rec ev;

	begin(&m);
	for (int i = 0; i < 5; i++) {
		rig_in_hex(&m.r, 0, ALL PC REQ PC "0a000003" ZERO "0a000002");
		rig_tick(&m.r, 1);
	}
	assert_true(told(&m, &ev));
	assert_string_equal(bus_str(&ev, BUS_F_MAC), "02:00:00:00:00:b2");
	finish(&m);
}

TEST(a_scan_of_many_addresses_or_of_nobody_is_no_sign)
{
	struct mute_rig m;
	struct bus_rec ev;

	begin(&m);
	/* For hosts nobody knows. */
	for (int i = 0; i < 20; i++) {
		rig_in_hex(&m.r, 0, ALL PC REQ PC "0a000003" ZERO "0a000077");
		rig_tick(&m.r, 1);
	}
	/* Each of many once: 10.0.0.2 and more behind the tunnel. */
	for (unsigned i = 0; i < 20; i++) {
		char hex[128];

		snprintf(hex, sizeof(hex), ALL "0200000001%02x" REQ
		    "0200000001%02x" "0a0001%02x" ZERO "0a000063", i, i, i);
		rig_in_hex(&m.r, 1, hex);
		snprintf(hex, sizeof(hex), ALL PC REQ PC "0a000003" ZERO
		    "0a0001%02x", i);
		rig_in_hex(&m.r, 0, hex);
		rig_tick(&m.r, 1);
		rig_clear(&m.r);
	}
	assert_false(told(&m, &ev));
	finish(&m);
}

TEST(this_machine_itself_and_realms_without_a_bridge_are_not_watched)
{
	struct mute_rig m;
	struct bus_rec ev;

	begin(&m);
	rig_in_hex(&m.r, 0, ALL TAP REQ TAP "0a0000fe" ZERO "0a000063");
	rig_tick(&m.r, 20);
	for (int i = 0; i < 10; i++) {
		rig_in_hex(&m.r, 1, ALL FAR REQ FAR "0a000002" ZERO "0a0000fe");
		rig_in_hex(&m.r, 0, ALL TAP REQ TAP "0a0000fe" ZERO "0a000002");
		rig_tick(&m.r, 1);
		rig_clear(&m.r);
	}
	assert_false(told(&m, &ev));
	finish(&m);
}
