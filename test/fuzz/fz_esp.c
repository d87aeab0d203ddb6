/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_esp.c - esp_input() with keys that stay.
 *
 * First byte: which pair (bits 0 to 2), and whether the rest is a packet as it
 * comes (bit 7 clear) or a text that is sealed first (bit 7 set: 8 bytes of
 * sequence number, then what is enciphered), so that what lies behind the ICV
 * is reached too.  Checked beside the sanitizers: what is delivered lies in its
 * buffer, a sealed packet comes back once, and no buffer is lost.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/base/buf.h"
#include "daemon/base/cur.h"
#include "esp/esp_int.h"
#include "esp/pkt.h"

#define N_PAIR	 8
#define TEXT_MAX 1500

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct esp *esp;
static struct buf_pool *pool;
static unsigned n_got;

static void
on_send(void *ctx UNUSED, unsigned worker UNUSED,
	const struct vpn_path *path UNUSED, struct buf **pkts, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		buf_put(pkts[i]);
}

static void
on_deliver(void *ctx UNUSED, unsigned worker UNUSED, uint32_t link UNUSED,
	   struct buf **frames, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const struct buf *b = frames[i];

		if (b->data < b->base ||
		    b->data + b->len > b->base + b->room || b->len < 14)
			abort();
		buf_put(frames[i]);
		n_got++;
	}
}

static struct buf *
on_buf(void *ctx UNUSED, unsigned worker UNUSED)
{
	return buf_new(pool);
}

static void
on_event(void *ctx UNUSED, unsigned worker UNUSED,
	 const struct esp_event *ev UNUSED)
{
}

static const struct vpn_keys keys = { { 1, 2, 3, 4 }, { 5, 6, 7, 8 } };

static void
pair(unsigned i)
{
	static const enum vpn_alg algs[4] = {
		VPN_ALG_AES_GCM_256, VPN_ALG_CHACHA20_POLY1305,
		VPN_ALG_AES_CBC_128_SHA256, VPN_ALG_AES_GCM_128
	};
	struct ip_addr any4 = { .family = 4 }, end4 = any4;
	struct vpn_child c = {
		.id = i + 1,
		.esp_spi_in = 0x01010100 + (i << 6),
		.esp_spi_out = 0x02020200,
		.alg = algs[i % 4],
		.is_esn = i % 2 == 0,
		.mode = i < 4 ? VPN_MODE_ETHER : VPN_MODE_IP,
		.path = { .encap = VPN_ENCAP_UDP },
		.keys_in = &keys,
		.keys_out = &keys,
		.n_ts_local = 1,
		.n_ts_remote = 1,
	};

	memset(end4.b, 0xff, 4);
	c.ts_local[0] = c.ts_remote[0] =
	    (struct vpn_ts){ any4, end4, i == 5 ? 17 : 0, 0, 65535 };
	if (i == 5)
		c.ts_local[0].port_hi = 99;
	if (esp_spi_reserve(esp, c.esp_spi_in) != 0 ||
	    esp_child_add(esp, i, &c) != 0)
		abort();
}

static void
start(void)
{
	struct esp_io io = { NULL, on_send, on_deliver, on_buf, on_event,
			     NULL, NULL, NULL };

	if (buf_pool_new(&pool, 16, BUF_ROOM_DEFAULT) != 0 ||
	    esp_new(&esp, 1, &io, NULL, NULL) != 0)
		abort();
	for (unsigned i = 0; i < N_PAIR; i++)
		pair(i);
}

/* A packet around a text; an empty buffer when the text is not one. */
static void
seal(struct esp_child *c, struct buf *b, const uint8_t *p, size_t len)
{
	struct spi_esp_op op = { .n_part = 1 };
	struct spi_esp_ctx *ctx;
	uint64_t seq;
	uint8_t *out;

	/* Providers need not seal nothing: a trailer is always there. */
	if (len <= 8 || (len - 8) % c->info->block_len != 0)
		return;
	seq = c->is_esn ? be64_get(p) : be32_get(p);
	p += 8;
	len = MIN(len - 8, (size_t)TEXT_MAX / 16 * 16);
	out = buf_append(b, ESP_HDR_LEN + c->info->iv_len + len +
				c->info->icv_len);
	be32_put(out, c->esp_spi_in);
	be32_put(out + 4, (uint32_t)seq);
	op.iv = out + ESP_HDR_LEN;
	memset(out + ESP_HDR_LEN, 0, c->info->iv_len);
	op.out = out + ESP_HDR_LEN + c->info->iv_len;
	op.icv = op.out + len;
	memcpy(op.out, p, len);
	op.part[0] = (struct view){ op.out, len };
	esp_pkt_aad(&op, c->info, c->is_esn, c->esp_spi_in, seq);
	if (c->provider->ctx_new(&ctx, c->alg, &keys, true) != 0 ||
	    c->provider->seal(ctx, &op, 1) != 1 || op.err != 0)
		abort();
	c->provider->ctx_free(ctx);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct esp_child *c;
	struct buf *b[2];

	if (esp == NULL)
		start();
	if (size == 0)
		return 0;
	c = esp_sad_id(esp->sad, 1 + data[0] % N_PAIR);
	esp_replay_init(&c->replay);
	b[0] = buf_new(pool);
	if ((data[0] & 0x80) != 0) {
		seal(c, b[0], data + 1, size - 1);
	} else {
		size = MIN(size - 1, (size_t)TEXT_MAX);
		memcpy(buf_append(b[0], size), data + 1, size);
	}
	b[0]->kind = VPN_ENCAP_UDP;
	b[1] = buf_copy(pool, b[0]);
	n_got = 0;
	esp_input(esp, 0, b, 2);
	if (n_got > 1 || buf_pool_used(pool) != 0)
		abort();
	return 0;
}
