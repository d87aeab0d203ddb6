/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/vhub/t_crowd.c - a hub with hundreds of ports, and everything wrong
 * that can be sent to it: memory stays bounded, drops have names.
 */
#include "test/unit/vhub/rig.h"
#include "test/unit/vhub/mcmake.h"

#define PORTS	400
#define ROOM	(65535 + 512)

struct crowd {
	struct rig r;
	struct buf_pool *big;
	struct rig_port port[PORTS];
	uint32_t num[PORTS];
	uint64_t n_out[PORTS], n_all;
};
struct ear {
	struct crowd *c;
	unsigned i;
};
static struct ear ears[PORTS];

/* Counts and lets go: nothing is kept. */
static void
on_out(void *ctx, unsigned worker, struct buf **b, unsigned n)
{
	struct ear *e = ctx;

	(void)worker;
	for (unsigned i = 0; i < n; i++)
		buf_put(b[i]);
	e->c->n_out[e->i] += n;
	e->c->n_all += n;
}

static void
begin(struct crowd *c, unsigned n_port, bool isolated)
{
	struct hub_conf hc = { .name = "crowd", .has_bridge = true,
		.n_worker = 1, .buf_new = rig_buf_new, .ctx = &c->r,
		.snoop = HUB_SNOOP_STRICT };

	memset(c, 0, sizeof(*c));
	rig_init(&c->r, true);
	hub_free(c->r.h);
	assert_int_equal(hub_new(&c->r.h, &hc), 0);
	assert_int_equal(buf_pool_new(&c->big, 4, ROOM), 0);
	for (unsigned i = 0; i < n_port; i++) {
		struct hub_port_conf pc = { .kind = i == 0 ? HUB_PORT_TAP :
			HUB_PORT_ETHER };

		ears[i] = (struct ear){ c, i };
		pc.ops.ctx = &ears[i];
		pc.ops.out = on_out;
		pc.policy.is_isolated = isolated && i > 0;
		assert_int_equal(hub_port_add(c->r.h, &pc, &c->num[i]), 0);
	}
	rig_tick(&c->r, 1);
}

static void
finish(struct crowd *c)
{
	assert_int_equal(buf_pool_used(c->big), 0);
	rig_fini(&c->r);
	buf_pool_free(c->big);
}

static void
in(struct crowd *c, unsigned port, const uint8_t *p, size_t n)
{
	struct buf *b = buf_new(n > 1500 ? c->big : c->r.pool);

	assert_non_null(b);
	if (n > 0)
		memcpy(buf_append(b, n), p, n);
	hub_input(c->r.h, 0, c->num[port], &b, 1);
}

/* From host k of a port to host j of another. */
static size_t
host_frame(uint8_t *f, unsigned to, uint8_t j, unsigned from, uint8_t k)
{
	static const uint8_t tail[] = { 0x88, 0xb6, 1, 2, 3, 4 };

	memcpy(f, (uint8_t[]){ 2, 1, 0, (uint8_t)(to >> 8), (uint8_t)to, j }, 6);
	memcpy(f + 6, (uint8_t[]){ 2, 1, 0, (uint8_t)(from >> 8),
	    (uint8_t)from, k }, 6);
	memcpy(f + 12, tail, sizeof(tail));
	return 18;
}

static unsigned
n_known(const struct crowd *c)
{
	struct hub_mac_info info;
	uint32_t it = 0;
	unsigned n = 0;

	while (hub_mac_next(c->r.h, &it, &info))
		n += !info.is_static;
	return n;
}

TEST(four_hundred_offices_reach_each_other_without_flooding)
{
	static struct crowd c;
	uint8_t f[64];

	begin(&c, PORTS, false);
	for (unsigned i = 0; i < PORTS; i++)
		for (uint8_t k = 0; k < 5; k++) {
			size_t n = host_frame(f, 0xffff, 1, i, k);

			memset(f, 0xff, 6);
			in(&c, i, f, n);
		}
	assert_int_equal(c.n_all, PORTS * 5 * (PORTS - 1));
	assert_int_equal(n_known(&c), PORTS * 5);
	c.n_all = 0;
	memset(c.n_out, 0, sizeof(c.n_out));
	for (unsigned i = 0; i < PORTS; i++)
		for (unsigned d = 1; d < 20; d++)
			in(&c, i, f, host_frame(f, (i + d) % PORTS, 2, i, 3));
	assert_int_equal(c.n_all, PORTS * 19);
	for (unsigned i = 0; i < PORTS; i++)
		assert_int_equal(c.n_out[i], 19);
	finish(&c);
}

TEST(isolated_offices_cost_one_copy_of_a_broadcast)
{
	static struct crowd c;
	uint8_t f[64];
	size_t n;

	begin(&c, PORTS, true);
	n = host_frame(f, 1, 1, 7, 1);
	memset(f, 0xff, 6);
	in(&c, 7, f, n);
	assert_int_equal(c.n_all, 1);
	assert_int_equal(c.n_out[0], 1);
	in(&c, 0, f, host_frame(f, 7, 1, 0, 1));
	assert_int_equal(c.n_out[7], 1);
	finish(&c);
}

TEST(a_million_addresses_from_many_ports_stay_bounded)
{
	static struct crowd c;
	uint8_t f[64];

	begin(&c, 20, false);
	for (uint32_t i = 0; i < 1000000; i++) {
		size_t n = host_frame(f, 0, 0, 0, 0);

		be32_put(f + 7, i * 2654435761u);
		memcpy(f, (uint8_t[]){ 2, 1, 0, 0, 1, 1 }, 6);
		if (i == 0) { /* so that nothing else is flooded */
			memcpy(f + 6, (uint8_t[]){ 2, 1, 0, 0, 1, 1 }, 6);
			in(&c, 1, f, n);
			continue;
		}
		in(&c, 2 + i % 18, f, n);
	}
	assert_true(n_known(&c) <= HUB_MAC_MAX);
	assert_true(drop_sum(DROP_HUB_TABLE) + drop_sum(DROP_HUB_LIMIT) >
	    900000);
	/* Who was known before still is, and gets what is his. */
	assert_int_equal(c.n_out[1], 999999);
	rig_tick(&c.r, 301);
	assert_int_equal(n_known(&c), 0);
	finish(&c);
}

TEST(frames_of_every_length_pass_or_have_a_name)
{
	static struct crowd c;
	static uint8_t f[65535];
	uint64_t want = 0;

	begin(&c, 3, false);
	for (size_t i = 0; i < sizeof(f); i++)
		f[i] = (uint8_t)(i * 7);
	host_frame(f, 9, 9, 1, 1);
	for (size_t n = 0; n <= sizeof(f); n = n < 2000 ? n + 1 : n + 613) {
		uint64_t before = c.n_all;

		in(&c, 1, f, n);
		want += n < 14 ? 1 : 0;
		assert_int_equal(c.n_all - before, n < 14 ? 0 : 2);
	}
	in(&c, 1, f, sizeof(f));
	assert_int_equal(drop_sum(DROP_HUB_RUNT), want);
	finish(&c);
}

TEST(stacks_of_tags_are_carried_or_named)
{
	static struct crowd c;
	uint8_t f[1500];

	begin(&c, 3, false);
	memset(f, 0, sizeof(f));
	host_frame(f, 9, 9, 1, 1);
	for (size_t depth = 0; depth < 370; depth++) {
		uint64_t before = c.n_all;
		size_t n = 14 + 4 * depth;

		for (size_t i = 0; i < depth; i++)
			be32_put(f + 12 + 4 * i, 0x81000001);
		be16_put(f + n - 2, 0x88b6);
		in(&c, 1, f, n);
		assert_int_equal(c.n_all - before, 2);
		/* Cut within a tag: nobody can say what it is. */
		in(&c, 1, f, n - 1);
		assert_int_equal(c.n_all - before, depth > 2 ? 4 : 2);
	}
	finish(&c);
}

/* Bytes at random behind headers that look right. */
TEST(lies_of_arp_nd_igmp_and_mld_fill_nothing)
{
	static struct crowd c;
	struct rng_det rng;
	struct hub_neigh_info nb;
	struct hub_group_info g;
	uint32_t it = 0, n_neigh = 0, n_group = 0;
	uint8_t f[200], p[200];

	begin(&c, 6, false);
	rng_det_init(&rng, test_seed());
	for (uint32_t i = 0; i < 60000; i++) {
		uint64_t x = rng_det_u64(&rng);
		unsigned port = 1 + i % 5;
		size_t n = host_frame(f, 0, 0, port, (uint8_t)x);

		memset(f, 0xff, 6);
		if (i % 3 == 0) { /* ARP: another address each time */
			n = 14 + 28;
			memcpy(f + 12, "\x08\x06\0\1\x08\0\6\4\0\1", 10);
			memcpy(f + 22, f + 6, 6);
			be32_put(f + 28, 0x0a000000 | (x >> 32 & 0xffffff));
			memset(f + 32, 0, 10);
		} else if (i % 3 == 1) { /* IGMP: another group */
			n = mk_igmp(p, "10.0.0.9", "239.1.1.1",
			    "16 00 0000 ef010101");
			be32_put(p + 28, 0xef000000 | (x >> 32 & 0xffffff));
			be16_put(p + 26, 0);
			be16_put(p + 26, ip_sum(p + 24, 8));
			memcpy(f, "\1\0\x5e\1\1\1", 6);
			be16_put(f + 12, 0x0800);
			memcpy(f + 14, p, n);
			n += 14;
		} else { /* whatever, as IPv6 with options */
			n = mk_mld(p, "fe80::1", "ff02::16", "8f00000000000001");
			for (size_t k = 40; k < n + 40; k++)
				p[k] = (uint8_t)rng_det_u64(&rng);
			be16_put(f + 12, 0x86dd);
			memcpy(f, "\x33\x33\0\0\0\x16", 6);
			memcpy(f + 14, p, n);
			n += 14;
		}
		in(&c, port, f, n);
	}
	while (hub_neigh_next(c.r.h, &it, &nb))
		n_neigh++;
	it = 0;
	while (hub_group_next(c.r.h, &it, &g))
		n_group++;
	assert_true(n_neigh > 3000 && n_neigh <= HUB_NEIGH_MAX);
	assert_true(n_group > 0 && n_group <= 5 * HUB_PORT_GROUP_MAX);
	finish(&c);
}

TEST(ports_that_come_and_go_leave_nothing_behind)
{
	static struct crowd c;
	uint8_t f[64];

	begin(&c, PORTS, false);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 1; i < PORTS; i++) {
			size_t n = host_frame(f, 1, 1, i, 1);

			memset(f, 0xff, 6);
			in(&c, i, f, n);
		}
		for (unsigned i = 1; i < PORTS; i++)
			hub_port_del(c.r.h, c.num[i]);
		assert_int_equal(n_known(&c), 0);
		thr_reclaim_all();
		for (unsigned i = 1; i < PORTS; i++) {
			struct hub_port_conf pc = { .kind = HUB_PORT_ETHER };

			pc.ops.ctx = &ears[i];
			pc.ops.out = on_out;
			assert_int_equal(hub_port_add(c.r.h, &pc, &c.num[i]), 0);
		}
	}
	finish(&c);
}
