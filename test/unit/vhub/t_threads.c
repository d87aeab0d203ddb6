/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/vhub/t_threads.c - two workers send while the loop changes ports.
 */
#include "test/unit/vhub/rig.h"
#include "test/unit/vhub/mcmake.h"
#include <stdatomic.h>

#define N_BATCH 3000

struct crowd {
	struct hub *h;
	struct buf_pool *pool[2];
	atomic_uint n_left;
	atomic_ullong n_out;
	uint32_t port[4];
};
struct worker {
	struct crowd *c;
	unsigned num;
};

static struct buf *
new(void *ctx, unsigned worker)
{
	return buf_new(((struct crowd *)ctx)->pool[worker]);
}

static void
out(void *ctx, unsigned worker, struct buf **b, unsigned n)
{
	struct crowd *c = ctx;

	(void)worker;
	for (unsigned i = 0; i < n; i++)
		buf_put(b[i]);
	c->n_out += n;
}

/* A question, a report or data of one of eight groups. */
static size_t
multicast(uint8_t *f, uint64_t x)
{
	uint8_t p[200];
	size_t n = mk_igmp(p, "10.1.0.1", "224.0.0.1", x % 3 == 0 ?
	    "11 64 0000 00000000 02 7d 0000" : "16 00 0000 ef010100");

	if (x % 3 != 0) {
		p[19] = p[31] = (uint8_t)(x / 3 % 8);
		memcpy(p + 16, "\xef\1\1", 3);
		memset(p + 26, 0, 2);
		be16_put(p + 26, ip_sum(p + 24, 8));
		p[9] = x % 3 == 1 ? 2 : 17;
	}
	memcpy(f, "\1\0\x5e", 3);
	f[3] = p[17] & 0x7f;
	memcpy(f + 4, p + 18, 2);
	be16_put(f + 12, 0x0800);
	memcpy(f + 14, p, n);
	return 14 + n;
}

/* Frames between few addresses, ARP among them, from every port in turn. */
static void
work(void *ctx)
{
	struct worker *w = ctx;
	struct rng_det rng;
	struct buf *b[8];

	thr_register();
	rng_det_init(&rng, w->num + 1);
	for (unsigned k = 0; k < N_BATCH; k++) {
		unsigned n = 0;

		for (unsigned i = 0; i < 8; i++) {
			uint8_t f[80] = { 2, 0, 0, 0, 0 };
			uint64_t x = rng_det_u64(&rng);
			size_t len = 60;

			f[5] = (uint8_t)(x % 16);
			f[6] = 2;
			f[11] = (uint8_t)(x / 16 % 16);
			if (x % 5 == 0)
				memset(f, 0xff, 6);
			if (x % 3 == 0)
				len = 14 + rig_ipv4(f + 14, "10.1.0.1",
				    "10.2.0.1");
			be16_put(f + 12, x % 3 == 0 ? 0x0800 : 0x0806);
			if (x % 3 != 0)
				test_hex("0001 0800 06 04 0001 020000000000"
				    "0a010001 000000000000 0a020001", f + 14,
				    46);
			f[27] = f[11];
			f[31] = f[11] + 1;
			if (x % 7 == 0)
				len = multicast(f, x / 7);
			if (x % 11 == 0) {
				memmove(f + 16, f + 12, len - 12);
				be32_put(f + 12, 0x81000000u | (x >> 32 & 3));
				len += 4;
			}
			if ((b[n] = buf_new(w->c->pool[w->num])) == NULL)
				continue;
			memcpy(buf_append(b[n++], len), f, len);
		}
		hub_input(w->c->h, w->num, w->c->port[k % 4], b, n);
		hub_work(w->c->h, w->num);
		thr_quiet();
	}
	w->c->n_left--;
	thr_unregister();
}

TEST(workers_and_the_loop_do_not_disturb_each_other)
{
	struct crowd c = { .n_left = 2 };
	struct hub_conf hc = { .name = "t", .n_worker = 2, .buf_new = new,
		.ctx = &c, .has_bridge = true, .snoop = HUB_SNOOP_STRICT };
	struct hub_port_conf pc = { .ops = { &c, out },
		.policy = { .rate = { 1000, 1000, 1000 } } };
	struct worker w[2] = { { &c, 0 }, { &c, 1 } };
	struct thr *t[2];
	struct hub_mac_info mi;
	struct hub_neigh_info ni;
	struct hub_port_info pi;
	struct hub_group_info gi;
	uint32_t extra, it;
	uint64_t now = 1000;
	struct ip_net net;

	assert_int_equal(ip_net_parse("10.2.0.0/16", &net), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(buf_pool_new(&c.pool[i], 256,
		    BUF_ROOM_DEFAULT), 0);
	assert_int_equal(hub_new(&c.h, &hc), 0);
	for (unsigned i = 0; i < 4; i++) {
		pc.kind = i == 0 ? HUB_PORT_TAP : i == 3 ? HUB_PORT_IP :
		    HUB_PORT_ETHER;
		pc.n_ts = i == 3;
		pc.ts[0] = vpn_ts_from_net(&net);
		assert_int_equal(hub_port_add(c.h, &pc, &c.port[i]), 0);
	}
	for (int i = 0; i < 2; i++)
		assert_int_equal(thr_start(&t[i], "w", work, &w[i]), 0);
	for (unsigned k = 0; c.n_left > 0; k++) {
		pc.kind = k % 2 ? HUB_PORT_IP : HUB_PORT_ETHER;
		pc.n_ts = k % 2;
		if (hub_port_add(c.h, &pc, &extra) == 0)
			hub_port_del(c.h, extra);
		assert_int_equal(hub_port_set(c.h, c.port[2], &pc), 0);
		hub_tick(c.h, now += 1000);
		it = 0;
		while (hub_mac_next(c.h, &it, &mi))
			;
		it = 0;
		while (hub_neigh_next(c.h, &it, &ni))
			;
		it = 0;
		while (hub_port_next(c.h, &it, &pi))
			;
		it = 0;
		while (hub_group_next(c.h, &it, &gi))
			;
		thr_reclaim();
	}
	for (int i = 0; i < 2; i++)
		thr_join(t[i]);
	hub_free(c.h);
	thr_reclaim_all();
	assert_true(c.n_out > 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(buf_pool_used(c.pool[i]), 0);
		buf_pool_free(c.pool[i]);
	}
}
