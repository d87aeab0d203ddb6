/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/spi_esp.h - the cryptography of ESP packets, as an exchangeable provider.
 *
 * A context holds the key of one SA and one direction; it belongs to one
 * worker at a time and is kept, so that a packet costs an IV and no key
 * schedule.  Work comes in batches of operations.  A provider may complete
 * them later (a device, another world): it then answers with fewer than n and
 * the rest is fetched by poll().  Until an operation is complete, the
 * operation and the memory it names belong to the provider.
 *
 *   AEAD:        nonce = salt | iv;  aad as given;  icv = tag
 *   CBC + HMAC:  icv = HMAC(aad | iv | ciphertext | tail), cut to length
 */
#ifndef TAPIR_SPI_SPI_ESP_H
#define TAPIR_SPI_SPI_ESP_H

#include "daemon/base/base.h"
#include "daemon/base/vpn.h"
#include "spi/spi.h"

#define SPI_ESP_AAD_MAX	 12	/* SPI and 64-bit sequence number */
#define SPI_ESP_TAIL_MAX 4	/* high half of an extended number */
#define SPI_ESP_PARTS	 3	/* prefix, packet, trailer */

struct spi_esp_op {
	struct view part[SPI_ESP_PARTS]; /* input in order; may be out itself */
	unsigned n_part;		/* open: 1 */
	uint8_t *out;			/* as many bytes as the parts have */
	const uint8_t *iv;		/* iv_len of the algorithm */
	uint8_t *icv;			/* seal writes it, open compares it */
	uint8_t aad[SPI_ESP_AAD_MAX];
	uint8_t aad_len;
	uint8_t tail_len;		/* 0 for AEAD */
	uint8_t tail[SPI_ESP_TAIL_MAX];
	bool is_done;			/* complete; err holds */
	int err;			/* 0, ERR_ICV, ERR_CRYPTO */
};

struct spi_esp_ctx;

struct spi_esp {
	struct spi_head head;

	/** Fetch everything that is needed later, so that no file is opened
	 * after confinement; may be called again.  0, ERR_UNSUP (this
	 * machine lacks what the provider needs) or ERR_CRYPTO. */
	int (*init)(void);
	/** True when init() found the algorithm. */
	bool (*has_alg)(enum vpn_alg alg);

	/** Context for one direction; the keys are copied.
	 * 0, ERR_ALG, ERR_NOMEM or ERR_CRYPTO. */
	int (*ctx_new)(struct spi_esp_ctx **out, enum vpn_alg alg,
		       const struct vpn_keys *keys, bool is_seal);
	/** Nothing may be outstanding.  Keys are wiped; NULL is fine. */
	void (*ctx_free)(struct spi_esp_ctx *c);

	/** Start n operations; @return how many are complete already.  Each
	 * complete one has is_done and its own err.  In place (out equals
	 * part[0].p) or apart, never overlapping in another way. */
	unsigned (*seal)(struct spi_esp_ctx *c, struct spi_esp_op *ops,
			 unsigned n);
	/** As seal.  After an error out is undefined and must not be used. */
	unsigned (*open)(struct spi_esp_ctx *c, struct spi_esp_op *ops,
			 unsigned n);
	/** Wait a little; @return how many more became complete. */
	unsigned (*poll)(struct spi_esp_ctx *c);
};

/** The built-in providers, in order of preference; NULL at the end. */
const struct spi_esp *spi_esp_at(unsigned i);
/** Try a provider with known answers for every algorithm it claims, one by one
 * and in a batch; AES-GCM is obligatory (RFC 8221).  0 or ERR_CRYPTO.  Not on
 * the packet path. */
MUST_USE int spi_esp_check(const struct spi_esp *p);
/** init(), then the check.  0, ERR_UNSUP or ERR_CRYPTO.
 * Thread: the loop, at start-up. */
MUST_USE int spi_esp_try(const struct spi_esp *p);
/** Fetch the provider of that name when it is a plug-in (spi/plugin.h), from
 * the compiled-in directory; nothing to do for NULL and for a built-in one.
 * Says in the log why not.  Call it while files can still be opened; from then
 * on spi_esp_get() knows the name.
 * 0 or what spi_plugin_load() answers.  Thread: the loop, at start-up. */
MUST_USE int spi_esp_load(const char *name);
/** The named provider, or with NULL the first built-in one that works; checked.
 * 0, ERR_NOTFOUND (no such name, or a plug-in that was not loaded), ERR_UNSUP
 * (not on this machine) or ERR_CRYPTO (failed its check).
 * Thread: the loop, at start-up. */
MUST_USE int spi_esp_get(const char *name, const struct spi_esp **out);
/** The same from a list of the caller's, NULL at its end. */
MUST_USE int spi_esp_pick(const struct spi_esp *const *list, const char *name,
			  const struct spi_esp **out);

#endif
