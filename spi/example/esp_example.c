/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/example/esp_example.c - an ESP provider as a plug-in: the AEADs, by EVP.
 *
 * Built as esp-example.so (make plugins).  It calls nothing of the program,
 * only what it brings along; doc/spi.md explains each function.
 */
#define ERR_STATE OPENSSL_ERR_STATE /* a type of theirs, an error of ours */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#undef ERR_STATE
#include <string.h>
#include "daemon/base/err.h"
#include "spi/spi_esp.h"

#define SALT_LEN 4
#define IV_LEN	 8
#define ICV_LEN	 16

static const struct {
	const char *name;
	size_t key_len;
} algs[VPN_ALG_END] = {
	[VPN_ALG_AES_GCM_128] = { "AES-128-GCM", 16 },
	[VPN_ALG_AES_GCM_256] = { "AES-256-GCM", 32 },
	[VPN_ALG_CHACHA20_POLY1305] = { "ChaCha20-Poly1305", 32 },
};
static EVP_CIPHER *ciphers[VPN_ALG_END]; /* written by init() only */

struct spi_esp_ctx {
	EVP_CIPHER_CTX *evp;		 /* has the key */
	uint8_t nonce[SALT_LEN + IV_LEN]; /* has the salt */
};

static int
example_init(void)
{
	for (int a = 0; a < VPN_ALG_END; a++)
		if (algs[a].name != NULL && ciphers[a] == NULL)
			ciphers[a] = EVP_CIPHER_fetch(NULL, algs[a].name, NULL);
	return ciphers[VPN_ALG_AES_GCM_128] != NULL ? 0 : ERR_CRYPTO;
}

static bool
example_has_alg(enum vpn_alg alg)
{
	return alg > VPN_ALG_NONE && alg < VPN_ALG_END && ciphers[alg] != NULL;
}

static void
example_ctx_free(struct spi_esp_ctx *c)
{
	if (c != NULL)
		EVP_CIPHER_CTX_free(c->evp);	/* wipes the key */
	OPENSSL_clear_free(c, sizeof(*c));
}

static int
example_ctx_new(struct spi_esp_ctx **out, enum vpn_alg alg,
		const struct vpn_keys *keys, bool is_seal)
{
	struct spi_esp_ctx *c;

	if (!example_has_alg(alg))
		return ERR_ALG;
	if ((c = OPENSSL_zalloc(sizeof(*c))) == NULL)
		return ERR_NOMEM;
	memcpy(c->nonce, keys->encr + algs[alg].key_len, SALT_LEN);
	c->evp = EVP_CIPHER_CTX_new();
	if (c->evp == NULL || EVP_CipherInit_ex(c->evp, ciphers[alg], NULL,
						keys->encr, NULL, is_seal) != 1) {
		example_ctx_free(c);
		return ERR_CRYPTO;
	}
	*out = c;
	return 0;
}

static int
one(struct spi_esp_ctx *c, struct spi_esp_op *op, bool is_seal)
{
	uint8_t *out = op->out;
	int n;

	memcpy(c->nonce + SALT_LEN, op->iv, IV_LEN);
	if (EVP_CipherInit_ex(c->evp, NULL, NULL, NULL, c->nonce, -1) != 1 ||
	    EVP_CipherUpdate(c->evp, NULL, &n, op->aad, op->aad_len) != 1)
		return ERR_CRYPTO;
	for (unsigned i = 0; i < op->n_part; i++, out += n)
		if (EVP_CipherUpdate(c->evp, out, &n, op->part[i].p,
				     (int)op->part[i].len) != 1)
			return ERR_CRYPTO;
	if (!is_seal && EVP_CIPHER_CTX_ctrl(c->evp, EVP_CTRL_AEAD_SET_TAG,
					    ICV_LEN, op->icv) != 1)
		return ERR_CRYPTO;
	if (EVP_CipherFinal_ex(c->evp, out, &n) != 1)
		return is_seal ? ERR_CRYPTO : ERR_ICV;
	if (is_seal && EVP_CIPHER_CTX_ctrl(c->evp, EVP_CTRL_AEAD_GET_TAG,
					   ICV_LEN, op->icv) != 1)
		return ERR_CRYPTO;
	return 0;
}

static unsigned
example_seal(struct spi_esp_ctx *c, struct spi_esp_op *ops, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		ops[i].err = one(c, &ops[i], true);
		ops[i].is_done = true;
	}
	return n;
}

static unsigned
example_open(struct spi_esp_ctx *c, struct spi_esp_op *ops, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		ops[i].err = one(c, &ops[i], false);
		ops[i].is_done = true;
	}
	return n;
}

static unsigned
example_poll(struct spi_esp_ctx *c UNUSED)
{
	return 0;	/* nothing is ever outstanding */
}

static const struct spi_esp example = {
	.head = { SPI_VERSION, "example", "the AEADs by EVP, as a plug-in" },
	.init = example_init,
	.has_alg = example_has_alg,
	.ctx_new = example_ctx_new,
	.ctx_free = example_ctx_free,
	.seal = example_seal,
	.open = example_open,
	.poll = example_poll,
};

const struct spi_plugin tapir_plugin = {
	SPI_PLUGIN_MAGIC, SPI_VERSION, SPI_KIND_ESP, sizeof(example), &example,
};
