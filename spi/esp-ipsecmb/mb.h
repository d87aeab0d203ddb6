/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/esp-ipsecmb/mb.h - inside of the libipsec-mb ESP provider.
 *
 * The Makefile compiles this header alone to learn whether the provider can
 * be built; so it refuses other machines and older libraries by itself.
 */
#ifndef TAPIR_SPI_ESP_IPSECMB_MB_H
#define TAPIR_SPI_ESP_IPSECMB_MB_H

#include "spi/spi_esp.h"
/* Without it the library's key structs are declared unaligned, while its
 * code loads from them with aligned instructions. */
#ifndef LINUX
#define LINUX 1
#endif
#include <intel-ipsec-mb.h>
#include <string.h>

#ifndef __x86_64__
#error "libipsec-mb: x86-64 only"
#endif
#if IMB_VERSION_NUM < 0x10300
#error "libipsec-mb: 1.3 is the first release with the burst interface"
#endif

#define MB_NONCE_LEN 12
#define MB_SALT_LEN  4
#define MB_TAG_LEN   16	/* of the AEADs */
#define MB_BLOCK_LEN 16
#define MB_ALIGN     64

enum mb_kind { MB_NONE, MB_GCM, MB_CHACHA, MB_CBC };

/* What the library wants to know of an algorithm. */
struct mb_alg {
	enum mb_kind kind;
	uint8_t key_len;
	IMB_HASH_ALG hash;
};

struct mb_cbc_key {
	uint8_t enc[MB_BLOCK_LEN * 15] __attribute__((aligned(16)));
	uint8_t dec[MB_BLOCK_LEN * 15] __attribute__((aligned(16)));
	uint8_t ipad[64] __attribute__((aligned(16)));
	uint8_t opad[64] __attribute__((aligned(16)));
};

struct spi_esp_ctx {
	union {
		struct gcm_key_data gcm;
		struct mb_cbc_key cbc;
		uint8_t chacha[32];
	} key __attribute__((aligned(MB_ALIGN)));
	struct gcm_context_data gcm_run;	/* of the packet at hand */
	aes_gcm_enc_dec_t gcm_one;
	aes_gcm_init_t gcm_init;
	aes_gcm_enc_dec_update_t gcm_update;
	aes_gcm_enc_dec_finalize_t gcm_final;
	const struct mb_alg *alg;
	uint8_t salt[MB_SALT_LEN];
	uint8_t iv_len;
	uint8_t icv_len;
	bool is_seal;
};

/** Facts of an algorithm; NULL when there is none. */
const struct mb_alg *mb_alg(enum vpn_alg alg);
/** Whether a manager with these features (IMB_FEATURE_*) is worth having: the
 * emulation of AES instructions is slow and reads tables by the key. */
bool mb_is_usable(uint64_t features);

/** Bytes of all parts. */
static inline size_t
mb_op_len(const struct spi_esp_op *op)
{
	size_t n = 0;

	for (unsigned i = 0; i < op->n_part; i++)
		n += op->part[i].len;
	return n;
}

/** The input in one piece: where it lies, or parts put together in out (where
 * they may lie already). */
static inline struct view
mb_op_whole(const struct spi_esp_op *op)
{
	uint8_t *at = op->out;

	if (LIKELY(op->n_part == 1))
		return op->part[0];
	for (unsigned i = 0; i < op->n_part; i++) {
		if (op->part[i].p != at && op->part[i].len > 0)
			memcpy(at, op->part[i].p, op->part[i].len);
		at += op->part[i].len;
	}
	return (struct view){ op->out, (size_t)(at - op->out) };
}

/* AES-GCM: direct calls, no state but the context's.  Any thread. */

/** Take the library's functions from m.  Thread: the loop at start-up. */
void mb_gcm_init(const IMB_MGR *m);
/** Expand the key and choose the functions; alg and is_seal are set. */
void mb_gcm_key(struct spi_esp_ctx *c, const uint8_t *key);
/** Seal or open n packets, as struct spi_esp says. */
void mb_gcm_run(struct spi_esp_ctx *c, struct spi_esp_op *ops, unsigned n);

/* The rest: jobs for the multi-buffer manager of the calling thread. */

/** Once, before any other; 0 or ERR_NOMEM.  Thread: the loop at start-up. */
MUST_USE int mb_burst_init(void);
/** Make the calling thread's manager, unless it has one.  It lives as long as
 * the thread.  0, ERR_NOMEM or ERR_CRYPTO. */
MUST_USE int mb_burst_ready(void);
/** Expand the keys of AES-CBC with HMAC; alg is set.  0, ERR_NOMEM or
 * ERR_CRYPTO. */
MUST_USE int mb_cbc_key(struct spi_esp_ctx *c, const uint8_t *encr,
			const uint8_t *integ, size_t integ_len);
/** Seal or open n packets, as struct spi_esp says. */
void mb_burst_run(struct spi_esp_ctx *c, struct spi_esp_op *ops, unsigned n);

#endif
