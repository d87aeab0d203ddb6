/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_eth.c - any frames and packets into every kind of port.
 *
 * Input: records { control, length, bytes }.  Control: bits 0-1 the port, bit 2
 * a tick, bit 3 no buffer free, bit 4 (of the first) a bridge realm through which
 * BPDUs pass, bit 5 the frame is held by somebody else too, bit 6 the port is
 * replaced before, bit 7 and now guards its Ethernet peer.
 */
#include <stdlib.h>
#include <string.h>
#include "daemon/base/buf.h"
#include "daemon/base/cur.h"
#include "daemon/base/rng.h"
#include "daemon/base/thr.h"
#include "vhub/hub.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct rig {
	struct buf_pool *pool;
	bool is_dry;
};

static struct buf *
new(void *ctx, unsigned worker)
{
	struct rig *r = ctx;

	(void)worker;
	return r->is_dry ? NULL : buf_new(r->pool);
}

static void
out(void *ctx, unsigned worker, struct buf **b, unsigned n)
{
	uint8_t copy[512];

	(void)ctx;
	(void)worker;
	for (unsigned i = 0; i < n; i++) {
		/* All of it is readable. */
		memcpy(copy, b[i]->data, b[i]->len);
		buf_put(b[i]);
	}
}

static void
port_conf(struct hub_port_conf *c, unsigned i, bool has_guard)
{
	static const char *const nets[] = { "10.2.0.0/16", "10.1.0.9/32",
		"0.0.0.0/0", "2001:db8:2::/64" };

	memset(c, 0, sizeof(*c));
	c->kind = i == 0 ? HUB_PORT_TAP : i == 1 ? HUB_PORT_ETHER : HUB_PORT_IP;
	c->mac = (struct mac){ { 2, 0, 0, 0, 0, (uint8_t)(0xa0 + i) } };
	c->ops.out = out;
	if (i == 1)
		memset(&c->mac, 0, sizeof(c->mac));
	c->policy.has_guard = c->policy.has_ip_guard = i == 1 && has_guard;
	for (unsigned k = 0; (i >= 2 || has_guard) && k < 4; k++) {
		struct ip_net net;

		if (ip_net_parse(nets[k], &net) != 0)
			abort();
		if (i == 2 || k == 2)
			c->ts[c->n_ts++] = vpn_ts_from_net(&net);
	}
}

static void
feed(struct hub *h, struct rig *r, uint32_t port, struct view v, bool shared)
{
	struct buf *b = buf_new(r->pool);
	uint8_t *p;

	if (b == NULL)
		abort(); /* something leaked */
	p = buf_append(b, v.len);
	if (v.len > 0)
		memcpy(p, v.p, v.len);
	if (shared)
		buf_get(b);
	hub_input(h, 0, port, &b, 1);
	if (!shared)
		return;
	/* Nobody writes what somebody else holds. */
	if (b->len != v.len || (v.len > 0 && memcmp(b->data, v.p, v.len) != 0))
		abort();
	buf_put(b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rig r = { NULL, false };
	struct hub_conf hc = { .name = "fuzz", .n_worker = 1, .buf_new = new,
		.ctx = &r };
	struct hub_port_conf pc;
	struct rng_det rng;
	struct hub *h;
	struct cur c;
	uint32_t port[4];
	uint64_t now = 1000;
	uint8_t ctl = 0, len = 0;
	struct view v;

	cur_init(&c, data, size);
	rng_det_init(&rng, 1);
	rng_set_source(rng_det_source, &rng);
	hc.has_bridge = size > 0 && (data[0] & 0x10) != 0;
	hc.pass_stp = hc.has_bridge;
	hc.snoop = HUB_SNOOP_STRICT;
	if (buf_pool_new(&r.pool, 80, 512) != 0 || hub_new(&h, &hc) != 0)
		abort();
	for (unsigned i = 0; i < 4; i++) {
		port_conf(&pc, i, false);
		if (hub_port_add(h, &pc, &port[i]) != 0)
			abort();
	}
	while (cur_u8(&c, &ctl) == 0 && cur_u8(&c, &len) == 0) {
		if (cur_view(&c, len, &v) != 0)
			cur_rest(&c, &v);
		r.is_dry = (ctl & 8) != 0;
		if (ctl & 4 && hub_tick(h, now += 1000))
			hub_work(h, 0);
		if (ctl & 64) {
			port_conf(&pc, ctl & 3, (ctl & 0x80) != 0);
			if (hub_port_set(h, port[ctl & 3], &pc) != 0)
				abort();
			thr_reclaim_all();
		}
		feed(h, &r, port[ctl & 3], v, (ctl & 32) != 0);
	}
	hub_free(h);
	thr_reclaim_all();
	if (buf_pool_used(r.pool) != 0)
		abort();
	buf_pool_free(r.pool);
	return 0;
}
