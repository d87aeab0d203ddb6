/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/bench/esp_bench.c - nanoseconds per packet through both ESP pipelines,
 * with each provider of this machine.
 *
 *   make build/test/bench/esp_bench && build/test/bench/esp_bench
 *
 * One thread, no network: what is sealed is opened again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/base/buf.h"
#include "daemon/base/clk.h"
#include "daemon/base/cur.h"
#include "esp/esp.h"
#include "esp/gro.h"
#include "spi/spi_esp.h"

#define ROUNDS	 4000
#define BIG_ROOM (65536 + 832)	/* as core's: a super-frame or a train */
#define SUPERS	 3		/* super-frames in one call: 192 KiB */

static struct buf *wire[ESP_BATCH_MAX];
static unsigned n_wire, n_got;
static struct buf_pool *pool, *bigs, *slices;
static struct esp_gro gro;
static bool has_gro;		/* what is delivered is coalesced */

static void
on_send(void *ctx UNUSED, unsigned worker UNUSED,
	const struct vpn_path *path UNUSED, struct buf **pkts, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		wire[n_wire++] = pkts[i];
}
static void
on_deliver(void *ctx UNUSED, unsigned worker UNUSED, uint32_t link UNUSED,
	   struct buf **frames, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!has_gro)
			buf_put(frames[i]);
		else if (!esp_gro_add(&gro, frames[i]))
			exit(1);
	n_got += n;
}
static struct buf *
on_buf(void *ctx UNUSED, unsigned worker UNUSED)
{
	return buf_new(pool);
}
static struct buf *
on_big(void *ctx UNUSED, unsigned worker UNUSED)
{
	return buf_new(bigs);
}
static struct buf *
on_slice(void *ctx UNUSED, unsigned worker UNUSED, struct buf *parent,
	 uint8_t *p, size_t len)
{
	return buf_slice(slices, parent, p, len);
}
static void
on_event(void *ctx UNUSED, unsigned worker UNUSED,
	 const struct esp_event *ev UNUSED)
{
}

static void
pair(struct esp *e, enum vpn_alg alg)
{
	struct vpn_keys keys = { { 1, 2, 3 }, { 4, 5, 6 } };
	struct vpn_child c = {
		.id = 1,
		.esp_spi_in = 0x10000,
		.esp_spi_out = 0x10000,
		.alg = alg,
		.is_esn = true,
		.is_initiator = true,
		.mode = VPN_MODE_ETHER,
		.path = { .encap = VPN_ENCAP_ESP },
		.keys_in = &keys,
		.keys_out = &keys,
	};

	if (esp_spi_reserve(e, 0x10000) != 0 || esp_child_add(e, 1, &c) != 0)
		exit(1);
}

static void
run(const char *provider, enum vpn_alg alg, unsigned batch, unsigned len,
    bool is_shared)
{
	struct esp_io io = { NULL, on_send, on_deliver, on_buf, on_event, NULL,
			     NULL, NULL };
	struct buf *b[ESP_BATCH_MAX], *hold[ESP_BATCH_MAX];
	uint64_t seal = 0, open = 0, at, n;
	struct esp *e;

	if (esp_new(&e, 1, &io, provider, NULL) != 0)
		exit(1);
	pair(e, alg);
	n_got = 0;
	for (unsigned r = 0; r < ROUNDS; r++) {
		for (unsigned i = 0; i < batch; i++) {
			b[i] = buf_new(pool);
			memset(buf_append(b[i], len), 1, len);
			hold[i] = is_shared ? buf_get(b[i]) : NULL;
		}
		n_wire = 0;
		at = clk_ns();
		esp_output(e, 0, 1, b, batch);
		seal += clk_ns() - at;
		for (unsigned i = 0; i < batch; i++)
			buf_put(hold[i]);
		at = clk_ns();
		esp_input(e, 0, wire, n_wire);
		open += clk_ns() - at;
	}
	n = (uint64_t)ROUNDS * batch;
	printf("%-8s %-20s batch %2u len %4u %s  seal %6.0f ns  open %6.0f ns\n",
	       provider, vpn_alg_info(alg)->name, batch, len,
	       is_shared ? "shared" : "alone ", (double)seal / (double)n,
	       (double)open / (double)n);
	if (n_got != n)
		exit(1);
	esp_free(e);
}

/* A frame as a TAP gives it: TCP over IPv4, or UDP with is_udp. */
static void
super(struct buf *b, bool is_udp, unsigned seg, unsigned n)
{
	unsigned l4 = is_udp ? 8 : 32, len = 14 + 20 + l4 + seg * n;
	uint8_t *p = buf_append(b, len);

	memset(p, 2, len);
	be16_put(p + 12, 0x0800);
	p[14] = 0x45;
	be16_put(p + 16, (uint16_t)(len - 14));
	be16_put(p + 20, 0x4000);
	p[23] = is_udp ? 17 : 6;
	if (!is_udp) {
		p[46] = 0x80;
		p[47] = 0x10;
	}
	b->seg_len = (uint16_t)seg;
}

/* Trains become slices, slices frames, frames super-frames. */
static unsigned
receive(struct esp *e)
{
	struct buf *part[ESP_BATCH_MAX];
	unsigned n = 0, packets = 0;

	esp_gro_init(&gro, true);
	for (unsigned i = 0; i < n_wire; i++) {
		struct buf *b = wire[i];
		uint32_t seg = b->seg_len != 0 ? b->seg_len : b->len;

		for (uint32_t at = 0; at < b->len; at += seg) {
			part[n++] = buf_slice(slices, b, b->data + at,
			    MIN(seg, b->len - at));
			packets++;
			if (n == ESP_BATCH_MAX) {
				esp_input(e, 0, part, n);
				n = 0;
			}
		}
		buf_put(b);
	}
	if (n > 0)
		esp_input(e, 0, part, n);
	return packets;
}

static void
give_back(void)
{
	for (unsigned i = 0; i < gro.n; i++) {
		struct buf *b = gro.item[i].head, *next;

		esp_gro_finish(&gro.item[i]);
		for (; b != NULL; b = next) {
			next = b->next;
			buf_put(b);
		}
	}
	esp_gro_clear(&gro);
}

/* Super-frames, cut and sealed; opened and coalesced. */
static void
run_super(const char *provider, enum vpn_alg alg, bool is_udp, unsigned seg,
	  unsigned n_seg)
{
	struct esp_io io = { NULL, on_send, on_deliver, on_buf, on_event,
			     on_big, on_slice, NULL };
	uint64_t seal = 0, open = 0, n = 0, at;
	struct buf *b[SUPERS];
	struct esp *e;

	if (esp_new(&e, 1, &io, provider, NULL) != 0)
		exit(1);
	pair(e, alg);
	has_gro = true;
	n_got = 0;
	for (unsigned r = 0; r < ROUNDS; r++) {
		for (unsigned i = 0; i < SUPERS; i++) {
			b[i] = buf_new(bigs);
			super(b[i], is_udp, seg, n_seg);
		}
		n_wire = 0;
		at = clk_ns();
		esp_output(e, 0, 1, b, SUPERS);
		seal += clk_ns() - at;
		at = clk_ns();
		n += receive(e);
		give_back();
		open += clk_ns() - at;
	}
	printf("%-8s %-20s %s of %2u * %4u  seal %6.1f ns %.3f ns/B"
	       "  open %6.1f ns %.3f ns/B\n", provider, vpn_alg_info(alg)->name,
	       is_udp ? "USO" : "TSO", n_seg, seg, (double)seal / (double)n,
	       (double)seal / (double)n / seg, (double)open / (double)n,
	       (double)open / (double)n / seg);
	if (n_got != n || n != (uint64_t)ROUNDS * SUPERS * n_seg)
		exit(1);
	has_gro = false;
	esp_free(e);
}

static void
run_all(const char *p)
{
	run_super(p, VPN_ALG_AES_GCM_128, false, 1346, 48);
	run_super(p, VPN_ALG_AES_GCM_256, false, 1346, 48);
	run_super(p, VPN_ALG_AES_GCM_256, true, 18, 64);
	run(p, VPN_ALG_AES_GCM_128, 64, 64, false);
	run(p, VPN_ALG_AES_GCM_128, 1, 64, false);
	run(p, VPN_ALG_AES_GCM_128, 64, 1400, false);
	run(p, VPN_ALG_AES_GCM_128, 64, 1400, true);
	run(p, VPN_ALG_AES_GCM_256, 64, 64, false);
	run(p, VPN_ALG_AES_GCM_256, 64, 1400, false);
	run(p, VPN_ALG_AES_GCM_256, 64, 1400, true);
	run(p, VPN_ALG_CHACHA20_POLY1305, 64, 1400, false);
	run(p, VPN_ALG_AES_CBC_256_SHA256, 64, 1400, false);
	run(p, VPN_ALG_AES_CBC_256_SHA256, 1, 1400, false);
	run(p, VPN_ALG_AES_CBC_256_SHA512, 64, 1400, false);
}

int
main(void)
{
	const struct spi_esp *p;

	if (buf_pool_new(&pool, 256, BUF_ROOM_DEFAULT) != 0 ||
	    buf_pool_new(&bigs, 64, BIG_ROOM) != 0 ||
	    buf_pool_new(&slices, 1024, 0) != 0)
		return 1;
	for (unsigned i = 0; (p = spi_esp_at(i)) != NULL; i++)
		if (p->init() == 0)
			run_all(p->head.name);
	buf_pool_free(slices);
	buf_pool_free(bigs);
	buf_pool_free(pool);
	return 0;
}
