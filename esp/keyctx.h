/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/keyctx.h - ready cipher contexts, one per worker and SA.
 *
 * Each worker makes its own the first time it seals or opens for an SA (that
 * call allocates, none after it does) and is the only one to use it: no lock,
 * and no key schedule per packet.  They hang on the SA, which a rekey replaces
 * and never changes, so a context cannot meet another generation's key.  They
 * end with the SA, once every worker was quiet.
 */
#ifndef TAPIR_ESP_KEYCTX_H
#define TAPIR_ESP_KEYCTX_H

#include "esp/sa.h"

/** Context of the calling worker; NULL when it could not be made.
 * Thread: worker. */
struct spi_esp_ctx *esp_keyctx_seal(struct esp_child *c, unsigned worker);
struct spi_esp_ctx *esp_keyctx_open(struct esp_child *c, unsigned worker);
/** Free all workers' contexts of an SA no worker knows any more.
 * Thread: loop. */
void esp_keyctx_fini(struct esp_child *c);

#endif
