/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/esp-ipsecmb/esp_ipsecmb.c - ESP cryptography by Intel's libipsec-mb.
 *
 * The library chooses its code by the CPU's features; a CPU without AES
 * instructions is told apart in init() and left to the next provider.  All
 * packets complete at once: poll() has nothing to do.
 *
 * Thread: a context belongs to one worker; init() to the loop at start-up.
 */
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "spi/esp-ipsecmb/mb.h"

#define NEEDED_FEATURES \
	(IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ | IMB_FEATURE_SSE4_2)

/* Release 2 has no emulation of AES instructions any more. */
#ifdef IMB_FEATURE_AESNI_EMU
#define AESNI_EMU IMB_FEATURE_AESNI_EMU
#else
#define AESNI_EMU 0
#endif

extern const struct spi_esp spi_esp_ipsecmb;

/* Rows by vpn_alg. */
static const struct mb_alg algs[VPN_ALG_END] = {
	[VPN_ALG_AES_GCM_128] = { MB_GCM, 16, IMB_AUTH_NULL },
	[VPN_ALG_AES_GCM_256] = { MB_GCM, 32, IMB_AUTH_NULL },
	[VPN_ALG_CHACHA20_POLY1305] = { MB_CHACHA, 32, IMB_AUTH_NULL },
	[VPN_ALG_AES_CBC_128_SHA256] = { MB_CBC, 16, IMB_AUTH_HMAC_SHA_256 },
	[VPN_ALG_AES_CBC_128_SHA384] = { MB_CBC, 16, IMB_AUTH_HMAC_SHA_384 },
	[VPN_ALG_AES_CBC_128_SHA512] = { MB_CBC, 16, IMB_AUTH_HMAC_SHA_512 },
	[VPN_ALG_AES_CBC_256_SHA256] = { MB_CBC, 32, IMB_AUTH_HMAC_SHA_256 },
	[VPN_ALG_AES_CBC_256_SHA384] = { MB_CBC, 32, IMB_AUTH_HMAC_SHA_384 },
	[VPN_ALG_AES_CBC_256_SHA512] = { MB_CBC, 32, IMB_AUTH_HMAC_SHA_512 },
};

static bool is_ready;		/* owner: the loop at start-up */

const struct mb_alg *
mb_alg(enum vpn_alg alg)
{
	if (alg <= VPN_ALG_NONE || alg >= VPN_ALG_END ||
	    algs[alg].kind == MB_NONE)
		return NULL;
	return &algs[alg];
}

bool
mb_is_usable(uint64_t features)
{
	if ((features & AESNI_EMU) != 0 ||
	    (features & NEEDED_FEATURES) != NEEDED_FEATURES)
		return false;
	/* A release that tests itself must have passed. */
	return (features & IMB_FEATURE_SELF_TEST) == 0 ||
	       (features & IMB_FEATURE_SELF_TEST_PASS) != 0;
}

static int
mb_init(void)
{
	IMB_MGR *m;
	int err = 0;

	if (is_ready)
		return 0;
	if ((err = mb_burst_init()) != 0)
		return ERR_CRYPTO;
	if ((m = alloc_mb_mgr(0)) == NULL)
		return ERR_CRYPTO;
	if (!mb_is_usable(m->features | IMB_FEATURE_SELF_TEST_PASS)) {
		err = ERR_UNSUP;
		goto out;
	}
	init_mb_mgr_auto(m, NULL);
	if (!mb_is_usable(m->features)) {
		err = ERR_CRYPTO;
		goto out;
	}
	mb_gcm_init(m);
	is_ready = true;
out:
	free_mb_mgr(m);
	return err;
}

static bool
mb_has_alg(enum vpn_alg alg)
{
	return is_ready && mb_alg(alg) != NULL;
}

static void
mb_ctx_free(struct spi_esp_ctx *c)
{
	if (c == NULL)
		return;
	wipe(c, sizeof(*c));
	free(c);
}

static int
keys_set(struct spi_esp_ctx *c, const struct vpn_keys *keys,
	 size_t integ_key_len)
{
	switch (c->alg->kind) {
	case MB_GCM:
		mb_gcm_key(c, keys->encr);
		return 0;
	case MB_CHACHA:
		memcpy(c->key.chacha, keys->encr, sizeof(c->key.chacha));
		return mb_burst_ready();
	default:
		return mb_cbc_key(c, keys->encr, keys->integ, integ_key_len);
	}
}

static int
mb_ctx_new(struct spi_esp_ctx **out, enum vpn_alg alg,
	   const struct vpn_keys *keys, bool is_seal)
{
	const struct vpn_alg_info *info = vpn_alg_info(alg);
	struct spi_esp_ctx *c;
	int err;

	if (info == NULL || !mb_has_alg(alg))
		return ERR_ALG;
	if ((c = aligned_alloc(MB_ALIGN, sizeof(*c))) == NULL)
		return ERR_NOMEM;
	memset(c, 0, sizeof(*c));
	c->alg = mb_alg(alg);
	c->is_seal = is_seal;
	c->iv_len = info->iv_len;
	c->icv_len = info->icv_len;
	if (info->salt_len == MB_SALT_LEN)
		memcpy(c->salt, keys->encr + info->encr_key_len, MB_SALT_LEN);
	if ((err = keys_set(c, keys, info->integ_key_len)) != 0) {
		mb_ctx_free(c);
		return err;
	}
	*out = c;
	return 0;
}

static unsigned
mb_run(struct spi_esp_ctx *c, struct spi_esp_op *ops, unsigned n)
{
	if (LIKELY(c->alg->kind == MB_GCM))
		mb_gcm_run(c, ops, n);
	else
		mb_burst_run(c, ops, n);
	return n;
}

static unsigned
mb_poll(struct spi_esp_ctx *c UNUSED)
{
	return 0;
}

const struct spi_esp spi_esp_ipsecmb = {
	.head = { SPI_VERSION, "ipsecmb",
		  "Intel multi-buffer library, x86-64 with AES instructions" },
	.init = mb_init,
	.has_alg = mb_has_alg,
	.ctx_new = mb_ctx_new,
	.ctx_free = mb_ctx_free,
	.seal = mb_run,
	.open = mb_run,
	.poll = mb_poll,
};
