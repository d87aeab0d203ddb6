/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/keyctx.c - ready cipher contexts, one per worker and SA.
 */
#include "esp/keyctx.h"

static struct spi_esp_ctx *
make(struct esp_child *c, bool is_seal)
{
	struct spi_esp_ctx *ctx = NULL;

	if (c->provider->ctx_new(&ctx, vpn_alg_explicit(c->alg),
				 &c->keys[is_seal ? 1 : 0], is_seal) != 0)
		return NULL;
	return ctx;
}

struct spi_esp_ctx *
esp_keyctx_seal(struct esp_child *c, unsigned worker)
{
	struct esp_keyctx *k = &c->ctx[worker];

	if (UNLIKELY(k->seal == NULL))
		k->seal = make(c, true);
	return k->seal;
}

struct spi_esp_ctx *
esp_keyctx_open(struct esp_child *c, unsigned worker)
{
	struct esp_keyctx *k = &c->ctx[worker];

	if (UNLIKELY(k->open == NULL))
		k->open = make(c, false);
	return k->open;
}

void
esp_keyctx_fini(struct esp_child *c)
{
	for (unsigned w = 0; w < c->n_worker; w++) {
		c->provider->ctx_free(c->ctx[w].seal);
		c->provider->ctx_free(c->ctx[w].open);
		c->ctx[w].seal = c->ctx[w].open = NULL;
	}
}
