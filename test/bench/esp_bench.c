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
#include "esp/esp.h"
#include "spi/spi_esp.h"

#define ROUNDS 4000

static struct buf *wire[ESP_BATCH_MAX];
static unsigned n_wire, n_got;
static struct buf_pool *pool;

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
		buf_put(frames[i]);
	n_got += n;
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
	struct esp_io io = { NULL, on_send, on_deliver, on_buf, on_event };
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

static void
run_all(const char *p)
{
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

	if (buf_pool_new(&pool, 256, BUF_ROOM_DEFAULT) != 0)
		return 1;
	for (unsigned i = 0; (p = spi_esp_at(i)) != NULL; i++)
		if (p->init() == 0)
			run_all(p->head.name);
	buf_pool_free(pool);
	return 0;
}
