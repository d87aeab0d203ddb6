/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/vhub/t_loop.c - loops are found, cut, told, and forgotten; storms
 * are limited.
 */
#include "test/unit/vhub/rig.h"
#include "vhub/priv.h"

#define A "020000000001"
#define B "020000000002"
#define C "020000000003"
#define ALL "ffffffffffff"
#define DATA "88b6 0102030405060708"

static uint64_t clock_ns;

static uint64_t
test_clock(void *ctx)
{
	(void)ctx;
	return clock_ns;
}

struct loop_rig {
	struct rig r;
	struct bus *bus;
	struct bus_reader rd;
};

/* TAP 0, peers 1 to 3. */
static void
begin(struct loop_rig *l, enum hub_loop mode)
{
	struct hub_conf c = { .name = "branches", .has_bridge = true,
		.n_worker = 2, .buf_new = rig_buf_new, .loop = mode };

	rig_init(&l->r, true);
	hub_free(l->r.h);
	assert_int_equal(bus_new(&l->bus), 0);
	l->r.bus = l->bus;
	bus_reader_init(&l->rd, 0);
	c.tell = rig_tell;
	c.ctx = &l->r;
	assert_int_equal(hub_new(&l->r.h, &c), 0);
	rig_add(&l->r, 0, HUB_PORT_TAP, "02:00:00:00:00:f0", NULL);
	for (unsigned i = 1; i < 4; i++)
		rig_add(&l->r, i, HUB_PORT_ETHER, NULL, NULL);
	rig_tick(&l->r, 100);
}

static void
finish(struct loop_rig *l)
{
	rig_fini(&l->r);
	bus_free(l->bus);
}

/* The next event of this kind, or none. */
static bool
told(struct loop_rig *l, enum bus_row row, struct bus_rec *ev)
{
	uint64_t lost;

	while (bus_read(l->bus, &l->rd, ev, &lost) == 0)
		if (ev->desc->row == row)
			return true;
	return false;
}

/* The probe that port i sent last; 60 bytes. */
static void
probe_of(struct loop_rig *l, unsigned i, uint8_t *out)
{
	struct rig_port *p = &l->r.port[i];

	for (unsigned k = p->n_out; k-- > 0;)
		if (p->out[k]->len == 60 && p->out[k]->data[12] == 0x88 &&
		    p->out[k]->data[13] == 0xb5) {
			memcpy(out, p->out[k]->data, 60);
			return;
		}
	fail_msg("port %u sent no probe", i);
}

static unsigned
n_probes(struct loop_rig *l, unsigned i)
{
	unsigned n = 0;

	for (unsigned k = 0; k < l->r.port[i].n_out; k++)
		n += l->r.port[i].out[k]->data[13] == 0xb5;
	return n;
}

/* Something is flooded, time goes by, probes leave. */
static void
probe_all(struct loop_rig *l)
{
	rig_clear(&l->r);
	rig_in_hex(&l->r, 3, ALL B DATA);
	rig_tick(&l->r, 6);
	hub_work(l->r.h, 0);
}

static bool
is_blocked(struct loop_rig *l, unsigned i)
{
	struct hub_port_info info;
	uint32_t it = 0;

	while (hub_port_next(l->r.h, &it, &info))
		if (info.port == l->r.port[i].num)
			return info.is_blocked;
	fail();
	return false;
}

TEST(probes_leave_by_every_port_when_there_was_flooding)
{
	struct loop_rig l;

	begin(&l, HUB_LOOP_PROBE);
	assert_false(hub_tick(l.r.h, l.r.now_ms += 60000)); /* nothing goes on */
	rig_in_hex(&l.r, 1, ALL A DATA);
	assert_true(hub_tick(l.r.h, l.r.now_ms += 1000));
	hub_work(l.r.h, 0);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(n_probes(&l, i), 1);
	hub_work(l.r.h, 0); /* once */
	assert_int_equal(n_probes(&l, 0), 1);
	/* Not more often than each 5 s. */
	rig_in_hex(&l.r, 1, ALL A DATA);
	assert_false(hub_tick(l.r.h, l.r.now_ms += 4000));
	assert_true(hub_tick(l.r.h, l.r.now_ms += 1000));
	finish(&l);
}

TEST(a_probe_is_safe_for_switches)
{
	struct loop_rig l;
	uint8_t a[60], b[60], again[60];

	begin(&l, HUB_LOOP_PROBE);
	probe_all(&l);
	probe_of(&l, 1, a);
	probe_of(&l, 2, b);
	assert_int_equal(a[0] & 3, 3);	 /* a local group */
	assert_int_equal(a[6] & 3, 2);	 /* from a local address */
	assert_memory_equal(a + 6, b + 6, 6);
	assert_memory_not_equal(a + 26, b + 26, 16); /* tokens differ */
	probe_all(&l);
	probe_of(&l, 1, again);
	assert_memory_not_equal(a + 26, again + 26, 16);
	finish(&l);
}

TEST(a_loop_between_tap_and_tunnel_blocks_the_tunnel)
{
	struct loop_rig l;
	struct bus_rec ev;
	uint8_t p[60];

	begin(&l, HUB_LOOP_PROBE);
	rig_in_hex(&l.r, 1, ALL A DATA); /* A was learned there */
	probe_all(&l);
	probe_of(&l, 0, p);
	rig_in(&l.r, 1, p, sizeof(p));
	assert_int_equal(drop_sum(DROP_HUB_PROBE), 1);
	assert_true(is_blocked(&l, 1)); /* at once, before any tick */
	rig_clear(&l.r);
	rig_in_hex(&l.r, 1, ALL A DATA);
	rig_in_hex(&l.r, 0, ALL B DATA);
	assert_int_equal(drop_sum(DROP_HUB_BLOCKED), 1);
	rig_expect(&l.r, 0, 0);
	rig_expect(&l.r, 1, 0);
	rig_expect(&l.r, 2, 1); /* the others go on */
	rig_tick(&l.r, 1);
	assert_true(told(&l, BUS_EV_HUB_LOOP, &ev));
	assert_string_equal(bus_str(&ev, BUS_F_PORT), "p1");
	assert_string_equal(bus_str(&ev, BUS_F_OLD_PORT), "p0");
	assert_string_equal(bus_str(&ev, BUS_F_NAME), "p1");
	assert_string_equal(bus_str(&ev, BUS_F_REALM), "branches");
	/* What was learned on it is forgotten: known addresses flood. */
	rig_clear(&l.r);
	rig_in_hex(&l.r, 0, A B DATA);
	rig_expect(&l.r, 2, 1);
	finish(&l);
}

TEST(the_other_way_round_the_tunnel_is_blocked_as_well)
{
	struct loop_rig l;
	uint8_t p[60];

	begin(&l, HUB_LOOP_PROBE);
	probe_all(&l);
	probe_of(&l, 2, p);
	rig_in(&l.r, 0, p, sizeof(p));
	assert_true(is_blocked(&l, 2));
	assert_false(is_blocked(&l, 0));
	finish(&l);
}

TEST(of_two_tunnels_one_is_blocked_whichever_way_the_probe_goes)
{
	struct loop_rig l;
	uint8_t p1[60], p2[60];

	begin(&l, HUB_LOOP_PROBE);
	probe_all(&l);
	probe_of(&l, 1, p1);
	probe_of(&l, 2, p2);
	rig_in(&l.r, 2, p1, sizeof(p1));
	rig_in(&l.r, 1, p2, sizeof(p2));
	assert_false(is_blocked(&l, 1));
	assert_true(is_blocked(&l, 2));
	finish(&l);
}

/* Of the probes that port i sent, the one in a VLAN (0 = untagged), or NULL. */
static struct buf *
probe_in(struct loop_rig *l, unsigned i, unsigned vlan)
{
	struct rig_port *p = &l->r.port[i];

	for (unsigned k = 0; k < p->n_out; k++) {
		const uint8_t *f = p->out[k]->data;
		bool is_tagged = f[12] == 0x81 && f[13] == 0;

		if (is_tagged && f[16] == 0x88 && f[17] == 0xb5 &&
		    ((unsigned)f[14] << 8 | f[15]) == vlan)
			return p->out[k];
		if (vlan == 0 && f[12] == 0x88 && f[13] == 0xb5)
			return p->out[k];
	}
	return NULL;
}

TEST(a_ring_in_one_vlan_of_a_trunk_is_found_and_stays_cut)
{
	struct loop_rig l;
	struct buf *b;
	uint8_t p[64];

	begin(&l, HUB_LOOP_PROBE);
	rig_in_hex(&l.r, 1, ALL A "8100 6014" DATA); /* VLAN 20, some priority */
	rig_clear(&l.r);
	rig_tick(&l.r, 6);
	hub_work(l.r.h, 0);
	for (unsigned i = 0; i < 4; i++) {
		assert_non_null(probe_in(&l, i, 0));
		assert_non_null(b = probe_in(&l, i, 20));
		assert_int_equal(b->len, 64);
		assert_null(probe_in(&l, i, 10));
	}
	memcpy(p, probe_in(&l, 0, 20)->data, sizeof(p));
	rig_in(&l.r, 2, p, sizeof(p));
	assert_true(is_blocked(&l, 2));
	/* The VLAN is silent now, but still probed. */
	for (int i = 0; i < 100; i++) {
		rig_clear(&l.r);
		rig_tick(&l.r, 1);
		hub_work(l.r.h, 0);
		assert_non_null(b = probe_in(&l, 0, 20));
		memcpy(p, b->data, sizeof(p));
		rig_in(&l.r, 2, p, sizeof(p));
		assert_true(is_blocked(&l, 2));
	}
	for (int i = 0; i < 60; i++) { /* now it is gone */
		rig_tick(&l.r, 1);
		hub_work(l.r.h, 0);
		rig_clear(&l.r);
	}
	assert_false(is_blocked(&l, 2));
	finish(&l);
}

TEST(probes_keep_to_the_vlans_of_a_port)
{
	struct loop_rig l;
	struct hub_port_conf c;
	uint8_t p[64];

	begin(&l, HUB_LOOP_PROBE);
	c = rig_conf(&l.r, 2, HUB_PORT_ETHER, NULL);
	c.policy.has_vlans = true;
	c.policy.vlans[0] = 1 | 1u << 10;
	assert_int_equal(hub_port_set(l.r.h, l.r.port[2].num, &c), 0);
	rig_in_hex(&l.r, 1, ALL A "8100 0014" DATA);
	rig_in_hex(&l.r, 1, ALL A "8100 000a" DATA);
	rig_clear(&l.r);
	rig_tick(&l.r, 6);
	hub_work(l.r.h, 0);
	assert_non_null(probe_in(&l, 2, 10));
	assert_null(probe_in(&l, 2, 20));
	/* What comes in VLAN 20 all the same is no ring that passes here. */
	memcpy(p, probe_in(&l, 0, 20)->data, sizeof(p));
	rig_in(&l.r, 2, p, sizeof(p));
	assert_false(is_blocked(&l, 2));
	assert_int_equal(drop_sum(DROP_HUB_VLAN), 1);
	finish(&l);
}

TEST(of_many_vlans_each_has_its_turn)
{
	struct loop_rig l;
	bool has_seen[101] = { false };
	char hex[64];

	begin(&l, HUB_LOOP_PROBE);
	for (int round = 0; round < 8; round++) {
		for (unsigned v = 1; v <= 100; v++) { /* all flood all the time */
			snprintf(hex, sizeof(hex), ALL A "8100 %04x" DATA, v);
			rig_in_hex(&l.r, 1, hex);
			rig_clear(&l.r);
		}
		rig_tick(&l.r, 6);
		hub_work(l.r.h, 0);
		assert_true(l.r.port[0].n_out <= 16);
		for (unsigned v = 1; v <= 100; v++)
			has_seen[v] |= probe_in(&l, 0, v) != NULL;
	}
	for (unsigned v = 1; v <= 100; v++)
		assert_true(has_seen[v]);
	finish(&l);
}

TEST(forged_old_and_reflected_probes_block_nothing)
{
	struct loop_rig l;
	struct bus_rec ev;
	uint8_t p[60], q[60];

	begin(&l, HUB_LOOP_PROBE);
	probe_all(&l);
	probe_of(&l, 1, p);
	memcpy(q, p, sizeof(q));
	q[41] ^= 1; /* the token */
	rig_in(&l.r, 2, q, sizeof(q));
	memcpy(q, p, sizeof(q));
	q[21] = 3; /* as if of port 3 */
	rig_in(&l.r, 2, q, sizeof(q));
	q[20] = 0xff; /* of none */
	rig_in(&l.r, 2, q, sizeof(q));
	memset(q + 26, 0, 16); /* of a port that never sent one */
	rig_in(&l.r, 2, q, sizeof(q));
	rig_in(&l.r, 1, p, sizeof(p)); /* by whom it was sent to */
	for (unsigned i = 0; i < 4; i++)
		assert_false(is_blocked(&l, i));
	rig_tick(&l.r, 1);
	assert_true(told(&l, BUS_EV_HUB_REFLECT, &ev));
	assert_string_equal(bus_str(&ev, BUS_F_PORT), "p1");
	probe_all(&l);
	probe_all(&l); /* two newer ones */
	rig_in(&l.r, 2, p, sizeof(p));
	assert_false(is_blocked(&l, 2));
	finish(&l);
}

TEST(short_probes_are_frames_like_others)
{
	struct loop_rig l;
	uint8_t p[60];

	begin(&l, HUB_LOOP_PROBE);
	probe_all(&l);
	probe_of(&l, 1, p);
	rig_clear(&l.r);
	for (size_t n = 14; n < 42; n++)
		rig_in(&l.r, 2, p, n);
	rig_expect(&l.r, 1, 42 - 14);
	assert_false(is_blocked(&l, 2));
	finish(&l);
}

TEST(probes_of_other_hubs_pass_within_their_own_bound)
{
	struct loop_rig l;
	uint8_t p[60] = { 3, 0x74, 0x61, 0x70, 0x69, 0x72, 2, 9, 9, 9, 9, 9,
		0x88, 0xb5, 0x54, 0x41, 0x50, 0x52, 1 };
	struct hub_mac_info info;
	uint32_t it = 0, n = 0;

	clock_ns = 5000000000ull;
	clk_set_source(test_clock, NULL);
	begin(&l, HUB_LOOP_PROBE);
	for (int i = 0; i < 250; i++)
		rig_in(&l.r, 1, p, sizeof(p));
	rig_expect(&l.r, 0, 100);
	assert_int_equal(drop_sum(DROP_HUB_STORM), 150);
	while (hub_mac_next(l.r.h, &it, &info))
		n += !info.is_static;
	assert_int_equal(n, 0); /* their source is nobody's address */
	finish(&l);
	clk_set_source(NULL, NULL);
}

TEST(a_blocked_port_is_tried_again_and_waits_longer_at_a_relapse)
{
	struct loop_rig l;
	struct bus_rec ev;
	uint8_t p[60];
	uint64_t first;

	begin(&l, HUB_LOOP_PROBE);
	probe_all(&l);
	probe_of(&l, 0, p);
	rig_in(&l.r, 1, p, sizeof(p));
	rig_tick(&l.r, 1);
	assert_true(told(&l, BUS_EV_HUB_LOOP, &ev));
	first = bus_u64(&ev, BUS_F_RETRY_S);
	assert_int_equal(first, 10);
	/* As long as probes come back it stays blocked. */
	for (int i = 0; i < 120; i++) {
		rig_clear(&l.r);
		assert_true(hub_tick(l.r.h, l.r.now_ms += 1000));
		hub_work(l.r.h, 0);
		probe_of(&l, 0, p);
		rig_in(&l.r, 1, p, sizeof(p));
		assert_true(is_blocked(&l, 1));
	}
	/* The loop was opened. */
	rig_in_hex(&l.r, 0, ALL A DATA); /* A came by the other way */
	rig_in_hex(&l.r, 2, ALL B DATA);
	for (int i = 0; i < 9; i++)
		rig_tick(&l.r, 1);
	assert_true(is_blocked(&l, 1));
	for (int i = 0; i < 4; i++)
		rig_tick(&l.r, 1);
	assert_false(is_blocked(&l, 1));
	rig_clear(&l.r);
	rig_in_hex(&l.r, 0, A C DATA); /* not "where it came from" */
	rig_expect(&l.r, 1, 1);
	rig_clear(&l.r);
	rig_in_hex(&l.r, 0, B C DATA); /* no part of the loop: known as ever */
	rig_expect(&l.r, 1, 0);
	rig_expect(&l.r, 2, 1);
	assert_true(told(&l, BUS_EV_HUB_LOOP_OVER, &ev));
	rig_clear(&l.r);
	rig_in_hex(&l.r, 1, ALL A DATA);
	rig_expect(&l.r, 0, 1);
	/* And closed again soon after. */
	probe_all(&l);
	probe_of(&l, 0, p);
	rig_in(&l.r, 1, p, sizeof(p));
	rig_tick(&l.r, 1);
	assert_true(told(&l, BUS_EV_HUB_LOOP, &ev));
	assert_int_equal(bus_u64(&ev, BUS_F_RETRY_S), 2 * first);
	finish(&l);
}

TEST(isolated_ports_make_no_loop_with_each_other)
{
	struct port_live la = { .is_told = false }, lb = { .is_told = false };
	struct port a = { .num = 1, .live = &la }, b = { .num = 2, .live = &lb },
	    tap = { .num = 7 };

	a.conf.kind = b.conf.kind = HUB_PORT_ETHER;
	tap.conf.kind = HUB_PORT_TAP;
	assert_ptr_equal(loop_choose(HUB_LOOP_PROBE, &a, &b), &b);
	assert_ptr_equal(loop_choose(HUB_LOOP_PROBE, &b, &a), &b);
	assert_ptr_equal(loop_choose(HUB_LOOP_PROBE, &tap, &a), &a);
	assert_ptr_equal(loop_choose(HUB_LOOP_PROBE, &a, &tap), &a);
	assert_null(loop_choose(HUB_LOOP_PROBE, &a, &a));
	assert_ptr_equal(loop_choose(HUB_LOOP_STRICT, &a, &a), &a);
	a.conf.policy.is_isolated = b.conf.policy.is_isolated = true;
	assert_null(loop_choose(HUB_LOOP_PROBE, &a, &b));
	assert_ptr_equal(loop_choose(HUB_LOOP_PROBE, &tap, &a), &a);
}

/* 50 addresses that are now here, now there. */
static void
flap(struct loop_rig *l)
{
	for (int k = 0; k < 4; k++)
		for (int i = 0; i < 50; i++) {
			uint8_t f[32] = { 2, 0, 0, 0, 0, 0xf0, 2, 1, 0, 0, 0,
				(uint8_t)i, 0x88, 0xb6 };

			rig_in(&l->r, k % 2 ? 2 : 1, f, sizeof(f));
			rig_clear(&l->r);
		}
}

TEST(addresses_that_move_to_and_fro_are_told_and_probed)
{
	struct loop_rig l;
	struct bus_rec ev;

	begin(&l, HUB_LOOP_PROBE);
	flap(&l);
	assert_true(hub_tick(l.r.h, l.r.now_ms += 1000)); /* probe now */
	assert_true(told(&l, BUS_EV_HUB_FLAP, &ev));
	assert_string_equal(bus_str(&ev, BUS_F_OLD_PORT), "p1");
	assert_string_equal(bus_str(&ev, BUS_F_PORT), "p2");
	assert_int_equal(bus_u64(&ev, BUS_F_VALUE), 150);
	assert_false(is_blocked(&l, 1) || is_blocked(&l, 2));
	flap(&l);
	rig_tick(&l.r, 1);
	assert_false(told(&l, BUS_EV_HUB_FLAP, &ev)); /* once a minute */
	finish(&l);
}

TEST(strict_mode_blocks_for_them)
{
	struct loop_rig l;

	begin(&l, HUB_LOOP_STRICT);
	flap(&l);
	rig_tick(&l.r, 1);
	assert_false(is_blocked(&l, 1));
	assert_true(is_blocked(&l, 2));
	finish(&l);
	begin(&l, HUB_LOOP_OFF);
	flap(&l);
	assert_false(hub_tick(l.r.h, l.r.now_ms += 10000));
	assert_false(is_blocked(&l, 2));
	finish(&l);
}

/* ---- storms -------------------------------------------------------------------- */

static void
limit(struct loop_rig *l, unsigned i, uint32_t broadcast, uint32_t multicast,
      uint32_t unknown)
{
	struct hub_port_conf c = rig_conf(&l->r, i, HUB_PORT_ETHER, NULL);

	c.policy.rate[HUB_BROADCAST] = broadcast;
	c.policy.rate[HUB_MULTICAST] = multicast;
	c.policy.rate[HUB_UNKNOWN] = unknown;
	assert_int_equal(hub_port_set(l->r.h, l->r.port[i].num, &c), 0);
}

static unsigned
send_n(struct loop_rig *l, unsigned i, const char *hex, unsigned n)
{
	unsigned passed = 0;

	for (unsigned k = 0; k < n; k++) {
		rig_in_hex(&l->r, i, hex);
		passed += l->r.port[0].n_out;
		rig_clear(&l->r);
	}
	return passed;
}

TEST(each_kind_of_flooding_has_its_rate_and_a_second_of_burst)
{
	struct loop_rig l;
	struct bus_rec ev;

	clock_ns = 5000000000ull;
	clk_set_source(test_clock, NULL);
	begin(&l, HUB_LOOP_PROBE);
	limit(&l, 1, 10, 20, 30);
	rig_in_hex(&l.r, 1, "0200000000f0" A DATA); /* known: not a flood */
	rig_clear(&l.r);
	assert_int_equal(send_n(&l, 1, ALL A DATA, 100), 10);
	assert_int_equal(send_n(&l, 1, "01005e7f0001" A DATA, 100), 20);
	assert_int_equal(send_n(&l, 1, "02eeeeeeeeee" A DATA, 100), 30);
	assert_int_equal(send_n(&l, 1, "0200000000f0" A DATA, 100), 100);
	assert_int_equal(drop_sum(DROP_HUB_STORM), 240);
	/* Others are not held up by it. */
	assert_int_equal(send_n(&l, 2, ALL B DATA, 100), 100);
	clock_ns += 500000000; /* half a second: half the rate */
	assert_int_equal(send_n(&l, 1, ALL A DATA, 100), 5);
	clock_ns += 60000000000ull; /* no more than a second is saved */
	assert_int_equal(send_n(&l, 1, ALL A DATA, 100), 10);
	rig_tick(&l.r, 1);
	assert_true(told(&l, BUS_EV_HUB_STORM, &ev));
	assert_string_equal(bus_str(&ev, BUS_F_PORT), "p1");
	assert_string_equal(bus_str(&ev, BUS_F_WHAT), "broadcast");
	assert_int_equal(bus_u64(&ev, BUS_F_N_DROP), 90 + 95 + 90);
	assert_int_equal(bus_u64(&ev, BUS_F_LIMIT), 10);
	finish(&l);
	clk_set_source(NULL, NULL);
}

TEST(a_super_frame_counts_as_its_segments)
{
	struct loop_rig l;
	uint8_t f[1000] = { 1, 0, 0x5e, 1, 2, 3, 2, 0, 0, 0, 0, 1, 8, 0 };
	struct buf *b;

	clock_ns = 5000000000ull;
	clk_set_source(test_clock, NULL);
	begin(&l, HUB_LOOP_PROBE);
	limit(&l, 1, 0, 10, 0);
	for (int i = 0; i < 3; i++) {
		b = rig_buf(&l.r, f, sizeof(f));
		b->seg_len = 200;
		hub_input(l.r.h, 0, l.r.port[1].num, &b, 1);
	}
	rig_expect(&l.r, 0, 2);
	assert_int_equal(send_n(&l, 1, ALL A DATA, 100), 100 + 2);
	finish(&l);
	clk_set_source(NULL, NULL);
}

TEST(after_a_block_the_next_probe_does_not_wait)
{
	struct loop_rig l;
	uint8_t p[60];

	begin(&l, HUB_LOOP_PROBE);
	probe_all(&l);
	probe_of(&l, 0, p);
	rig_in(&l.r, 1, p, sizeof(p));
	rig_tick(&l.r, 1);
	while (is_blocked(&l, 1)) {
		rig_clear(&l.r);
		assert_true(hub_tick(l.r.h, l.r.now_ms += 1000));
		hub_work(l.r.h, 0);
	}
	/* At once, and each second for a while, flooding or not. */
	assert_true(n_probes(&l, 1) > 0);
	for (int i = 0; i < 9; i++)
		assert_true(hub_tick(l.r.h, l.r.now_ms += 1000));
	hub_work(l.r.h, 0);
	rig_tick(&l.r, 2);
	hub_work(l.r.h, 0);
	assert_false(hub_tick(l.r.h, l.r.now_ms += 6000));
	finish(&l);
}

TEST(copies_of_a_flood_have_a_bound_of_their_own)
{
	struct loop_rig l;
	struct hub_port_conf c;
	struct bus_rec ev;

	clock_ns = 5000000000ull;
	clk_set_source(test_clock, NULL);
	begin(&l, HUB_LOOP_PROBE);
	c = rig_conf(&l.r, 1, HUB_PORT_ETHER, NULL);
	c.policy.rate[HUB_COPIES] = 300; /* to 3 ports: 100 frames */
	assert_int_equal(hub_port_set(l.r.h, l.r.port[1].num, &c), 0);
	/* A tenth of a second at once, and the frame that goes beyond. */
	assert_int_equal(send_n(&l, 1, ALL A DATA, 100), 11);
	assert_int_equal(send_n(&l, 1, "01005e7f0001" A DATA, 100), 0);
	assert_int_equal(send_n(&l, 1, "02eeeeeeeeee" A DATA, 100), 0);
	assert_int_equal(send_n(&l, 1, "0200000000f0" A DATA, 50), 50);
	assert_int_equal(send_n(&l, 2, ALL B DATA, 100), 100);
	clock_ns += 100000000; /* a tenth: ten frames */
	assert_int_equal(send_n(&l, 1, ALL A DATA, 100), 10);
	rig_tick(&l.r, 1);
	assert_true(told(&l, BUS_EV_HUB_STORM, &ev));
	assert_string_equal(bus_str(&ev, BUS_F_WHAT),
	    "flooded (copies counted)");
	assert_int_equal(bus_u64(&ev, BUS_F_LIMIT), 300);
	assert_int_equal(drop_sum(DROP_HUB_STORM), 89 + 100 + 100 + 90);
	finish(&l);
	clk_set_source(NULL, NULL);
}

/* The is_new byte of the probe port i sent last. */
static unsigned
newness(struct loop_rig *l, unsigned i)
{
	uint8_t p[60];

	probe_of(l, i, p);
	return p[19];
}

TEST(other_hubs_are_told_when_a_port_is_blocked_or_forwards_again)
{
	struct loop_rig l;
	uint8_t p[60];

	begin(&l, HUB_LOOP_PROBE);
	probe_all(&l);
	assert_int_equal(newness(&l, 2), 0);
	probe_of(&l, 0, p);
	rig_in(&l.r, 1, p, sizeof(p));
	rig_clear(&l.r);
	rig_tick(&l.r, 1);
	hub_work(l.r.h, 0);
	assert_int_equal(newness(&l, 2), 1);
	rig_clear(&l.r);
	rig_tick(&l.r, 1);
	hub_work(l.r.h, 0);
	assert_int_equal(newness(&l, 2), 0); /* once */
	while (is_blocked(&l, 1)) {
		rig_clear(&l.r);
		rig_tick(&l.r, 1);
		hub_work(l.r.h, 0);
	}
	assert_int_equal(newness(&l, 2), 1);
	finish(&l);
}

TEST(what_another_hub_tells_is_heeded_within_bounds)
{
	struct loop_rig l, other;
	uint8_t p[60];

	begin(&other, HUB_LOOP_PROBE);
	probe_all(&other);
	probe_of(&other, 1, p);
	finish(&other);
	begin(&l, HUB_LOOP_PROBE);
	p[41] ^= 0x55; /* no token of ours */
	for (unsigned i = 0; i < 4; i++) {
		rig_in_hex(&l.r, 1, ALL A DATA);
		p[19] = i != 0;
		rig_in(&l.r, 2, p, sizeof(p));
		rig_expect(&l.r, 3, 2); /* and it goes on to others */
		rig_tick(&l.r, 1);
		rig_clear(&l.r);
		rig_in_hex(&l.r, 3, A B DATA);
		/* Nothing new, new, and again at once. */
		rig_expect(&l.r, 0, i == 1);
		rig_clear(&l.r);
	}
	finish(&l);
}
