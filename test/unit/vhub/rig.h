/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/vhub/rig.h - a hub, its ports, and what came out of them.
 */
#ifndef TAPIR_TEST_VHUB_RIG_H
#define TAPIR_TEST_VHUB_RIG_H

#include "test/lib/test.h"
#include <stdio.h>
#include <string.h>
#include "daemon/base/buf.h"
#include "daemon/base/clk.h"
#include "daemon/base/cur.h"
#include "daemon/base/drop.h"
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "daemon/base/thr.h"
#include "daemon/bus/bus.h"
#include "vhub/hub.h"

#define RIG_PORTS 8
#define RIG_OUT	  300

struct rig_port {
	uint32_t num;
	unsigned n_out, n_call;
	struct buf *out[RIG_OUT];	/* held until rig_clear() */
};
struct rig {
	struct hub *h;
	struct buf_pool *pool;
	struct rng_det rng;
	uint64_t now_ms;
	bool is_dry;			/* buf_new gives nothing */
	struct bus *bus;		/* NULL: nobody listens */
	struct rig_port port[RIG_PORTS];
};

static UNUSED struct buf *
rig_buf_new(void *ctx, unsigned worker)
{
	struct rig *r = ctx;

	(void)worker;
	return r->is_dry ? NULL : buf_new(r->pool);
}

static UNUSED void
rig_out(void *ctx, unsigned worker, struct buf **b, unsigned n)
{
	struct rig_port *p = ctx;

	(void)worker;
	assert_true(n > 0 && n <= HUB_BATCH_MAX);
	p->n_call++;
	for (unsigned i = 0; i < n; i++) {
		assert_true(p->n_out < RIG_OUT);
		p->out[p->n_out++] = b[i];
	}
}

static UNUSED void
rig_tell(void *ctx, struct bus_rec *ev)
{
	struct rig *r = ctx;

	if (r->bus != NULL)
		bus_publish(r->bus, ev);
}

/* addr: of the TAP, NULL = none. */
static UNUSED void
rig_init_addr(struct rig *r, bool has_bridge, const char *addr)
{
	struct hub_conf c = { .name = "test", .has_bridge = has_bridge,
		.loop = HUB_LOOP_OFF,
		.n_worker = 2, .buf_new = rig_buf_new, .ctx = r };

	memset(r, 0, sizeof(*r));
	rng_det_init(&r->rng, 1);
	rng_set_source(rng_det_source, &r->rng);
	drop_reset();
	assert_int_equal(buf_pool_new(&r->pool, 512, BUF_ROOM_DEFAULT), 0);
	if (addr != NULL)
		assert_int_equal(ip_net_parse(addr, &c.addr[c.n_addr++]), 0);
	assert_int_equal(hub_new(&r->h, &c), 0);
	r->now_ms = 1000000;
	hub_tick(r->h, r->now_ms);
}

static UNUSED void
rig_init(struct rig *r, bool has_bridge)
{
	rig_init_addr(r, has_bridge, NULL);
}

static UNUSED void
rig_clear(struct rig *r)
{
	for (unsigned i = 0; i < RIG_PORTS; i++) {
		for (unsigned k = 0; k < r->port[i].n_out; k++)
			buf_put(r->port[i].out[k]);
		r->port[i].n_out = r->port[i].n_call = 0;
	}
}

/* Everything must be back: a leaked buffer or reference fails here. */
static UNUSED void
rig_fini(struct rig *r)
{
	rig_clear(r);
	hub_free(r->h);
	thr_reclaim_all();
	assert_int_equal(buf_pool_used(r->pool), 0);
	buf_pool_free(r->pool);
	rng_set_source(NULL, NULL);
}

static UNUSED struct hub_port_conf
rig_conf(struct rig *r, unsigned i, enum hub_port_kind kind, const char *mac)
{
	struct hub_port_conf c = { .kind = kind };

	snprintf(c.name, sizeof(c.name), "p%u", i);
	if (mac != NULL)
		assert_int_equal(mac_parse(mac, &c.mac), 0);
	c.ops.ctx = &r->port[i];
	c.ops.out = rig_out;
	return c;
}

/* nets: "10.2.0.0/16 10.9.0.1" */
static UNUSED void
rig_nets(struct hub_port_conf *c, const char *nets)
{
	char text[256], *save = NULL;

	snprintf(text, sizeof(text), "%s", nets);
	c->n_ts = 0;
	for (char *t = strtok_r(text, " ", &save); t != NULL;
	     t = strtok_r(NULL, " ", &save)) {
		struct ip_net net;

		assert_int_equal(ip_net_parse(t, &net), 0);
		c->ts[c->n_ts++] = vpn_ts_from_net(&net);
	}
}

static UNUSED void
rig_add(struct rig *r, unsigned i, enum hub_port_kind kind, const char *mac,
	const char *nets)
{
	struct hub_port_conf c = rig_conf(r, i, kind, mac);

	if (nets != NULL)
		rig_nets(&c, nets);
	assert_int_equal(hub_port_add(r->h, &c, &r->port[i].num), 0);
}

static UNUSED struct buf *
rig_buf(struct rig *r, const void *p, size_t n)
{
	struct buf *b = buf_new(r->pool);

	assert_non_null(b);
	memcpy(buf_append(b, n), p, n);
	return b;
}

static UNUSED void
rig_in(struct rig *r, unsigned i, const void *p, size_t n)
{
	struct buf *b = rig_buf(r, p, n);

	hub_input(r->h, 0, r->port[i].num, &b, 1);
}

static UNUSED void
rig_in_hex(struct rig *r, unsigned i, const char *hex)
{
	uint8_t b[256];

	rig_in(r, i, b, test_hex(hex, b, sizeof(b)));
}

/* Port i sent exactly these frames (as hexadecimal texts). */
static UNUSED void
rig_expect(struct rig *r, unsigned i, unsigned n)
{
	if (r->port[i].n_out != n)
		fail_msg("port %u sent %u frames, not %u", i,
		    r->port[i].n_out, n);
}

static UNUSED void
rig_expect_hex(struct rig *r, unsigned i, unsigned k, const char *hex)
{
	uint8_t want[256];
	size_t n = test_hex(hex, want, sizeof(want));

	assert_true(k < r->port[i].n_out);
	assert_int_equal(r->port[i].out[k]->len, n);
	assert_memory_equal(r->port[i].out[k]->data, want, n);
}

static UNUSED void
rig_tick(struct rig *r, uint64_t by_s)
{
	r->now_ms += by_s * 1000;
	hub_tick(r->h, r->now_ms);
}

/* 46 bytes of an IPv4 packet (26 of payload) from src to dst. */
static UNUSED size_t
rig_ipv4(uint8_t *out, const char *src, const char *dst)
{
	struct ip_addr s, d;
	struct wcur w;

	assert_int_equal(ip_parse(src, &s), 0);
	assert_int_equal(ip_parse(dst, &d), 0);
	wcur_init(&w, out, 64);
	wcur_u32(&w, 0x4500002e);
	wcur_u32(&w, 0);
	wcur_u32(&w, 0x40110000);
	wcur_bytes(&w, s.b, 4);
	wcur_bytes(&w, d.b, 4);
	for (int i = 0; i < 26; i++)
		wcur_u8(&w, (uint8_t)i);
	return w.len;
}

static UNUSED size_t
rig_ipv6(uint8_t *out, const char *src, const char *dst)
{
	struct ip_addr s, d;
	struct wcur w;

	assert_int_equal(ip_parse(src, &s), 0);
	assert_int_equal(ip_parse(dst, &d), 0);
	wcur_init(&w, out, 64);
	wcur_u32(&w, 0x60000000);
	wcur_u32(&w, 0x00081140);
	wcur_bytes(&w, s.b, 16);
	wcur_bytes(&w, d.b, 16);
	wcur_u64(&w, 0x1122334455667788);
	return w.len;
}

#endif
