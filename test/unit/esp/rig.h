/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/esp/rig.h - two ends of ESP against byte arrays.
 *
 *   frame -> end[0] --send--> wire[] -> end[1] --deliver--> got[]
 */
#ifndef TEST_UNIT_ESP_RIG_H
#define TEST_UNIT_ESP_RIG_H

#include "test/lib/test.h"
#include <string.h>
#include "daemon/base/buf.h"
#include "daemon/base/clk.h"
#include "daemon/base/cur.h"
#include "daemon/base/drop.h"
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"
#include "daemon/base/thr.h"
#include "esp/esp.h"
#include "esp/esp_int.h"
#include "esp/pkt.h"

#define RIG_MAX	  512
#define RIG_LINK  7
#define RIG_POOL  1024

struct rig_end {
	struct esp *esp;
	struct buf *wire[RIG_MAX];	/* what io.send got */
	unsigned n_wire, n_send;
	struct vpn_path path;		/* of the last io.send */
	struct buf *got[RIG_MAX];	/* what io.deliver got */
	uint32_t got_link[RIG_MAX];
	unsigned n_got, n_deliver;
	struct esp_event ev[RIG_MAX];
	unsigned n_ev;
	bool is_dry;			/* buf_new fails */
};

static struct buf_pool *rig_pool UNUSED;
static struct buf_pool *rig_bigs UNUSED, *rig_slices UNUSED;
static bool rig_has_trains UNUSED;	/* set before rig_open() */
static struct rig_end rig[2] UNUSED;
static uint64_t rig_now_ms UNUSED = 100000;

static uint64_t
rig_clock(void *ctx UNUSED)
{
	return rig_now_ms * 1000000;
}

static void
rig_on_send(void *ctx, unsigned worker UNUSED, const struct vpn_path *path,
	    struct buf **pkts, unsigned n)
{
	struct rig_end *r = ctx;

	assert_in_range(n, 1, ESP_BATCH_MAX);
	r->n_send++;
	r->path = *path;
	for (unsigned i = 0; i < n; i++)
		r->wire[r->n_wire++] = pkts[i];
}

static void
rig_on_deliver(void *ctx, unsigned worker UNUSED, uint32_t link,
	       struct buf **frames, unsigned n)
{
	struct rig_end *r = ctx;

	assert_in_range(n, 1, ESP_BATCH_MAX);
	r->n_deliver++;
	for (unsigned i = 0; i < n; i++) {
		r->got_link[r->n_got] = link;
		r->got[r->n_got++] = frames[i];
	}
}

static struct buf *
rig_on_buf(void *ctx, unsigned worker UNUSED)
{
	struct rig_end *r = ctx;

	return r->is_dry ? NULL : buf_new(rig_pool);
}

static struct buf *
rig_on_big(void *ctx, unsigned worker UNUSED)
{
	struct rig_end *r = ctx;

	return r->is_dry ? NULL : buf_new(rig_bigs);
}

/* What fits every path; 0 = not known. */
static size_t rig_room UNUSED;

static size_t
rig_on_room(void *ctx UNUSED, unsigned worker UNUSED,
	    const struct vpn_path *path UNUSED)
{
	return rig_room;
}

static struct buf *
rig_on_slice(void *ctx UNUSED, unsigned worker UNUSED, struct buf *parent,
	     uint8_t *p, size_t len)
{
	return buf_slice(rig_slices, parent, p, len);
}

static void
rig_on_event(void *ctx, unsigned worker UNUSED, const struct esp_event *ev)
{
	struct rig_end *r = ctx;

	r->ev[r->n_ev++] = *ev;
}

static UNUSED void
rig_open(unsigned n_worker)
{
	clk_set_source(rig_clock, NULL);
	drop_reset();
	assert_int_equal(buf_pool_new(&rig_pool, RIG_POOL, BUF_ROOM_DEFAULT),
			 0);
	assert_int_equal(buf_pool_new(&rig_bigs, 64, 66368), 0);
	assert_int_equal(buf_pool_new(&rig_slices, 2048, 0), 0);
	for (unsigned i = 0; i < 2; i++) {
		struct esp_io io = { &rig[i], rig_on_send, rig_on_deliver,
				     rig_on_buf, rig_on_event, NULL, NULL,
				     rig_on_room };

		if (rig_has_trains) {
			io.big_new = rig_on_big;
			io.slice = rig_on_slice;
		}
		memset(&rig[i], 0, sizeof(rig[i]));
		assert_int_equal(esp_new(&rig[i].esp, n_worker, &io, NULL,
					 NULL), 0);
	}
}

/* Let go of all that was sent or delivered. */
static UNUSED void
rig_clear(struct rig_end *r)
{
	for (unsigned i = 0; i < r->n_wire; i++)
		buf_put(r->wire[i]);
	for (unsigned i = 0; i < r->n_got; i++)
		buf_put(r->got[i]);
	r->n_wire = r->n_got = r->n_send = r->n_deliver = r->n_ev = 0;
}

static UNUSED void
rig_close(void)
{
	for (unsigned i = 0; i < 2; i++) {
		rig_clear(&rig[i]);
		esp_free(rig[i].esp);
	}
	assert_int_equal(buf_pool_used(rig_pool), 0);
	assert_int_equal(buf_pool_used(rig_slices), 0);
	assert_int_equal(buf_pool_used(rig_bigs), 0);
	buf_pool_free(rig_slices);
	buf_pool_free(rig_bigs);
	assert_int_equal(secret_used(), 0);
	buf_pool_free(rig_pool);
	clk_set_source(NULL, NULL);
}

static UNUSED struct buf *
rig_buf(const void *p, size_t len)
{
	struct buf *b = buf_new(rig_pool);

	assert_non_null(b);
	memcpy(buf_append(b, len), p, len);
	return b;
}

static UNUSED struct buf *
rig_hex(const char *text)
{
	uint8_t raw[2048];

	return rig_buf(raw, test_hex(text, raw, sizeof(raw)));
}

/* An Ethernet frame of len bytes, filled with tag. */
static UNUSED struct buf *
rig_frame(size_t len, uint8_t tag)
{
	uint8_t raw[2048];

	memset(raw, tag, len);
	return rig_buf(raw, len);
}

/* An IPv4 packet 10.1.0.x -> 10.2.0.y with UDP ports and a payload. */
static UNUSED struct buf *
rig_ip(uint8_t x, uint8_t y, uint16_t sport, uint16_t dport, size_t payload)
{
	uint8_t raw[2048] = { 0x45 };

	be16_put(raw + 2, (uint16_t)(28 + payload));
	raw[8] = 64;
	raw[9] = 17;
	memcpy(raw + 12, (uint8_t[]){ 10, 1, 0, x, 10, 2, 0, y }, 8);
	be16_put(raw + 20, sport);
	be16_put(raw + 22, dport);
	be16_put(raw + 24, (uint16_t)(8 + payload));
	return rig_buf(raw, 28 + payload);
}

static UNUSED struct vpn_ts
rig_ts(const char *net)
{
	struct ip_net n;

	assert_int_equal(ip_net_parse(net, &n), 0);
	return vpn_ts_from_net(&n);
}

static UNUSED struct net_ep
rig_ep(const char *text)
{
	struct net_ep ep;

	assert_int_equal(net_ep_parse(text, &ep), 0);
	return ep;
}

/* Key of direction dir of a pair: counting bytes from 16 * (dir + 1). */
static UNUSED const struct vpn_keys *
rig_keys(unsigned dir)
{
	static struct vpn_keys keys[2];

	for (size_t i = 0; i < sizeof(keys[dir].encr); i++)
		keys[dir].encr[i] = (uint8_t)(i + 16 * (dir + 1));
	for (size_t i = 0; i < sizeof(keys[dir].integ); i++)
		keys[dir].integ[i] = (uint8_t)(i * 3 + dir);
	return &keys[dir];
}

/* Description of a pair at an end.  Direction i is what end i sends; its SPI
 * is (0x10000 * id + 0x4000 * i) << 6, owned by worker 0; id < 1024. */
static UNUSED struct vpn_child
rig_child(unsigned end, uint32_t id, enum vpn_alg alg, enum vpn_mode mode)
{
	struct vpn_child c = {
		.id = id,
		.peer = RIG_LINK,
		.esp_spi_in = (0x10000 * id + 0x4000 * !end) << 6,
		.esp_spi_out = (0x10000 * id + 0x4000 * end) << 6,
		.alg = alg,
		.is_esn = true,
		.is_initiator = true,
		.mode = mode,
		.keys_in = rig_keys(!end),
		.keys_out = rig_keys(end),
		.n_ts_local = 1,
		.n_ts_remote = 1,
	};

	c.path.remote = rig_ep(end == 0 ? "192.0.2.2:4500" : "192.0.2.1:4500");
	c.path.encap = VPN_ENCAP_UDP;
	c.ts_local[0] = rig_ts(end == 0 ? "10.1.0.0/16" : "10.2.0.0/16");
	c.ts_remote[0] = rig_ts(end == 0 ? "10.2.0.0/16" : "10.1.0.0/16");
	return c;
}

static UNUSED void
rig_install(unsigned end, const struct vpn_child *c)
{
	assert_int_equal(esp_spi_reserve(rig[end].esp, c->esp_spi_in), 0);
	assert_int_equal(esp_child_add(rig[end].esp, RIG_LINK, c), 0);
}

/* One pair at both ends. */
static UNUSED void
rig_pair(uint32_t id, enum vpn_alg alg, enum vpn_mode mode, bool is_esn)
{
	for (unsigned i = 0; i < 2; i++) {
		struct vpn_child c = rig_child(i, id, alg, mode);

		c.is_esn = is_esn;
		rig_install(i, &c);
	}
}

static UNUSED struct esp_child *
rig_sa(unsigned end, uint32_t id)
{
	struct esp_child *c = esp_sad_id(rig[end].esp->sad, id);

	assert_non_null(c);
	return c;
}

static UNUSED void
rig_out(unsigned end, struct buf *b)
{
	esp_output(rig[end].esp, 0, RIG_LINK, &b, 1);
}

/* Hand packets to an end as if they came by UDP from the other one. */
static UNUSED void
rig_in_n(unsigned end, struct buf **b, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		b[i]->from = rig_ep(end == 0 ? "192.0.2.2:4500" :
					       "192.0.2.1:4500");
		b[i]->kind = VPN_ENCAP_UDP;
	}
	esp_input(rig[end].esp, 0, b, n);
}

static UNUSED void
rig_in(unsigned end, struct buf *b)
{
	rig_in_n(end, &b, 1);
}

/* The only packet an end has sent, taken out. */
static UNUSED struct buf *
rig_take(unsigned end)
{
	assert_int_equal(rig[end].n_wire, 1);
	rig[end].n_wire = 0;
	return rig[end].wire[0];
}

/* Seal a text (trailer and all) with any number as end 0 would for pair id. */
static UNUSED struct buf *
rig_seal(uint32_t id, uint64_t seq, const void *text, size_t len)
{
	struct esp_child *c = rig_sa(0, id);
	struct buf *b = buf_new(rig_pool);
	struct spi_esp_op op = { .n_part = 1 };
	struct spi_esp_ctx *ctx;
	uint8_t *p, iiv[8];

	assert_int_equal(c->provider->ctx_new(&ctx, vpn_alg_explicit(c->alg),
					      rig_keys(0), true), 0);
	p = buf_append(b, ESP_HDR_LEN + c->info->iv_len + len +
			      c->info->icv_len);
	be32_put(p, c->esp_spi_out);
	be32_put(p + 4, (uint32_t)seq);
	memset(p + ESP_HDR_LEN, 0x5a, c->info->iv_len);
	be64_put(iiv, seq);
	op.iv = c->info->iv_len == 0 ? iiv : p + ESP_HDR_LEN;
	op.out = p + ESP_HDR_LEN + c->info->iv_len;
	op.icv = op.out + len;
	memcpy(op.out, text, len);
	op.part[0] = (struct view){ op.out, len };
	esp_pkt_aad(&op, c->info, c->is_esn, c->esp_spi_out, seq);
	assert_int_equal(c->provider->seal(ctx, &op, 1), 1);
	assert_int_equal(op.err, 0);
	c->provider->ctx_free(ctx);
	return b;
}

/* A good EtherIP text with a frame of 16 bytes. */
static UNUSED struct buf *
rig_good(uint32_t id, uint64_t seq)
{
	static const uint8_t text[32] = {
		0x30, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 8, 0,
		0xab, 0xcd, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
		12, ESP_NEXT_ETHERIP
	};

	return rig_seal(id, seq, text, sizeof(text));
}

static UNUSED void
rig_drops(enum drop d, uint64_t n)
{
	for (int i = 0; i < DROP_END; i++)
		if (drop_sum((enum drop)i) != ((enum drop)i == d ? n : 0))
			fail_msg("%s: %llu, not %llu", drop_key((enum drop)i),
				 (unsigned long long)drop_sum((enum drop)i),
				 (unsigned long long)((enum drop)i == d ? n :
									  0));
	drop_reset();
}

static UNUSED void
rig_same(const struct buf *b, const void *p, size_t len)
{
	assert_int_equal(b->len, len);
	assert_memory_equal(b->data, p, len);
}

#endif
