/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/spi/plugin_bad.c - a plug-in that is wrong in one way.
 *
 * Built once for each way, with -DWRONG=...; its seal() does nothing, so that
 * one which is right in everything else fails its self-test.
 */
#include <stdlib.h>
#include "daemon/base/err.h"
#include "spi/spi_esp.h"

#define MAGIC	1
#define VERSION 2
#define KIND	3
#define SIZE	4
#define TABLE	5
#define NAME	6
#define HOLE	7
#define SYMBOL	8
#define LINK	9
#define UNSUP	10
#define SEAL	11
#define HEAD	12

#if WRONG == SYMBOL
#define tapir_plugin other_plugin
extern const struct spi_plugin other_plugin;
#endif
#if WRONG == LINK
int of_nobody(void);
#endif

static int
bad_init(void)
{
#if WRONG == LINK
	return of_nobody();
#else
	return WRONG == UNSUP ? ERR_UNSUP : 0;
#endif
}

static bool
bad_has_alg(enum vpn_alg alg UNUSED)
{
	return true;
}

static int
bad_ctx_new(struct spi_esp_ctx **out, enum vpn_alg alg UNUSED,
	    const struct vpn_keys *keys UNUSED, bool is_seal UNUSED)
{
	*out = malloc(1);
	return *out != NULL ? 0 : ERR_NOMEM;
}

static void
bad_ctx_free(struct spi_esp_ctx *c)
{
	free(c);
}

static unsigned
bad_run(struct spi_esp_ctx *c UNUSED, struct spi_esp_op *ops, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		ops[i].err = 0;
		ops[i].is_done = true;
	}
	return n;
}

static unsigned
bad_poll(struct spi_esp_ctx *c UNUSED)
{
	return 0;
}

static const struct spi_esp bad = {
	.head = { SPI_VERSION + (WRONG == HEAD),
		  WRONG == NAME ? "good" : "bad", "wrong" },
	.init = bad_init,
	.has_alg = bad_has_alg,
	.ctx_new = bad_ctx_new,
	.ctx_free = bad_ctx_free,
	.seal = bad_run,
	.open = bad_run,
	.poll = WRONG == HOLE ? NULL : bad_poll,
};

const struct spi_plugin tapir_plugin = {
	.magic = SPI_PLUGIN_MAGIC ^ (WRONG == MAGIC),
	.version = SPI_VERSION + (WRONG == VERSION),
	.kind = SPI_KIND_ESP + (WRONG == KIND),
	.size = sizeof(bad) + (WRONG == SIZE),
	.table = WRONG == TABLE ? NULL : &bad,
};
