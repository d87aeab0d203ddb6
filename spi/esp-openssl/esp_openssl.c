/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/esp-openssl/esp_openssl.c - ESP cryptography by OpenSSL's EVP.
 *
 * Ciphers are fetched once.  A context keeps its key schedule; per packet only
 * the IV is set.  Everything completes at once: poll() has nothing to do.
 *
 * Thread: a context belongs to one worker; init() to the loop at start-up.
 */
#include "spi/spi_esp.h"
#define ERR_STATE OPENSSL_ERR_STATE /* a type of theirs, an error of ours */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#undef ERR_STATE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/secret.h"

#define NONCE_LEN 12
#define SALT_LEN  4
#define HASH_MAX  64

extern const struct spi_esp spi_esp_openssl;

/* Algorithm names as EVP_CIPHER_fetch() wants them; rows by vpn_alg. */
static const struct {
	const char *cipher;
	const char *digest;	/* NULL: AEAD */
} names[VPN_ALG_END] = {
	[VPN_ALG_AES_GCM_128] = { "AES-128-GCM", NULL },
	[VPN_ALG_AES_GCM_256] = { "AES-256-GCM", NULL },
	[VPN_ALG_CHACHA20_POLY1305] = { "ChaCha20-Poly1305", NULL },
	[VPN_ALG_AES_CBC_128_SHA256] = { "AES-128-CBC", "SHA2-256" },
	[VPN_ALG_AES_CBC_128_SHA384] = { "AES-128-CBC", "SHA2-384" },
	[VPN_ALG_AES_CBC_128_SHA512] = { "AES-128-CBC", "SHA2-512" },
	[VPN_ALG_AES_CBC_256_SHA256] = { "AES-256-CBC", "SHA2-256" },
	[VPN_ALG_AES_CBC_256_SHA384] = { "AES-256-CBC", "SHA2-384" },
	[VPN_ALG_AES_CBC_256_SHA512] = { "AES-256-CBC", "SHA2-512" },
};

/* Owner: the loop at start-up; immutable once workers run. */
static EVP_CIPHER *ciphers[VPN_ALG_END];
static EVP_MAC *hmac;

struct spi_esp_ctx {
	EVP_CIPHER_CTX *cipher;
	EVP_MAC_CTX *mac;	/* NULL: AEAD */
	uint8_t nonce[NONCE_LEN]; /* salt, then the IV of the packet */
	uint8_t iv_len;
	uint8_t icv_len;
	bool is_seal;
};

/* Called again it writes nothing: others may be at work by then. */
static int
ossl_init(void)
{
	static bool is_done;

	if (is_done)
		return 0;
	if (hmac == NULL && (hmac = EVP_MAC_fetch(NULL, "HMAC", NULL)) == NULL)
		return ERR_CRYPTO;
	for (int a = VPN_ALG_NONE + 1; a < VPN_ALG_END; a++)
		if (ciphers[a] == NULL)
			ciphers[a] = EVP_CIPHER_fetch(NULL, names[a].cipher,
						      NULL);
	is_done = ciphers[VPN_ALG_AES_GCM_128] != NULL;
	return is_done ? 0 : ERR_CRYPTO;
}

static bool
ossl_has_alg(enum vpn_alg alg)
{
	return alg > VPN_ALG_NONE && alg < VPN_ALG_END && ciphers[alg] != NULL;
}

static int
mac_new(struct spi_esp_ctx *c, enum vpn_alg alg, const uint8_t *key, size_t len)
{
	char digest[16];
	OSSL_PARAM par[2];

	/* OSSL_PARAM takes no const text. */
	snprintf(digest, sizeof(digest), "%s", names[alg].digest);
	par[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
						  digest, 0);
	par[1] = OSSL_PARAM_construct_end();
	if ((c->mac = EVP_MAC_CTX_new(hmac)) == NULL)
		return ERR_NOMEM;
	return EVP_MAC_init(c->mac, key, len, par) == 1 ? 0 : ERR_CRYPTO;
}

static int
cipher_new(struct spi_esp_ctx *c, enum vpn_alg alg, const uint8_t *key)
{
	if ((c->cipher = EVP_CIPHER_CTX_new()) == NULL)
		return ERR_NOMEM;
	if (EVP_CipherInit_ex(c->cipher, ciphers[alg], NULL, key, NULL,
			      c->is_seal) != 1)
		return ERR_CRYPTO;
	if (names[alg].digest != NULL &&
	    EVP_CIPHER_CTX_set_padding(c->cipher, 0) != 1)
		return ERR_CRYPTO;
	return 0;
}

static void
ossl_ctx_free(struct spi_esp_ctx *c)
{
	if (c == NULL)
		return;
	EVP_CIPHER_CTX_free(c->cipher);	/* cleanses the key schedule */
	EVP_MAC_CTX_free(c->mac);
	wipe(c, sizeof(*c));
	free(c);
}

static int
ossl_ctx_new(struct spi_esp_ctx **out, enum vpn_alg alg,
	     const struct vpn_keys *keys, bool is_seal)
{
	const struct vpn_alg_info *info = vpn_alg_info(alg);
	struct spi_esp_ctx *c;
	int err;

	if (info == NULL || !ossl_has_alg(alg))
		return ERR_ALG;
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return ERR_NOMEM;
	c->is_seal = is_seal;
	c->iv_len = info->iv_len;
	c->icv_len = info->icv_len;
	if (info->salt_len == SALT_LEN)
		memcpy(c->nonce, keys->encr + info->encr_key_len, SALT_LEN);
	if ((err = cipher_new(c, alg, keys->encr)) != 0)
		goto fail;
	if (names[alg].digest != NULL &&
	    (err = mac_new(c, alg, keys->integ, info->integ_key_len)) != 0)
		goto fail;
	*out = c;
	return 0;
fail:
	ossl_ctx_free(c);
	return err;
}

/* All parts through the cipher into out; *len is what came out. */
static int
update(struct spi_esp_ctx *c, const struct spi_esp_op *op, size_t *len)
{
	size_t at = 0;
	int n;

	for (unsigned i = 0; i < op->n_part; i++) {
		if (op->part[i].len == 0)
			continue;
		if (EVP_CipherUpdate(c->cipher, op->out + at, &n,
				     op->part[i].p,
				     (int)op->part[i].len) != 1)
			return ERR_CRYPTO;
		at += (size_t)n;
	}
	*len = at;
	return 0;
}

static size_t
op_len(const struct spi_esp_op *op)
{
	size_t n = 0;

	for (unsigned i = 0; i < op->n_part; i++)
		n += op->part[i].len;
	return n;
}

/* Nonce and AAD of one packet; the key stays. */
static int
aead_start(struct spi_esp_ctx *c, const struct spi_esp_op *op)
{
	int n;

	memcpy(c->nonce + SALT_LEN, op->iv, NONCE_LEN - SALT_LEN);
	if (EVP_CipherInit_ex(c->cipher, NULL, NULL, NULL, c->nonce, -1) != 1 ||
	    EVP_CipherUpdate(c->cipher, NULL, &n, op->aad, op->aad_len) != 1)
		return ERR_CRYPTO;
	return 0;
}

static int
aead_seal(struct spi_esp_ctx *c, struct spi_esp_op *op)
{
	size_t len;
	int n, err;

	if ((err = aead_start(c, op)) != 0 || (err = update(c, op, &len)) != 0)
		return err;
	if (len != op_len(op) ||
	    EVP_CipherFinal_ex(c->cipher, op->out + len, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(c->cipher, EVP_CTRL_AEAD_GET_TAG, c->icv_len,
				op->icv) != 1)
		return ERR_CRYPTO;
	return 0;
}

static int
aead_open(struct spi_esp_ctx *c, struct spi_esp_op *op)
{
	size_t len;
	int n, err;

	if ((err = aead_start(c, op)) != 0)
		return err;
	if (EVP_CIPHER_CTX_ctrl(c->cipher, EVP_CTRL_AEAD_SET_TAG, c->icv_len,
				op->icv) != 1)
		return ERR_CRYPTO;
	if ((err = update(c, op, &len)) != 0)
		return err;
	/* Compares in constant time. */
	return EVP_CipherFinal_ex(c->cipher, op->out + len, &n) == 1 ?
	    0 : ERR_ICV;
}

/* Full HMAC of a packet whose ciphertext is at text. */
static int
packet_mac(struct spi_esp_ctx *c, const struct spi_esp_op *op,
	   const uint8_t *text, size_t len, uint8_t *out)
{
	size_t n;

	/* No key: the one of ctx_new() again. */
	if (EVP_MAC_init(c->mac, NULL, 0, NULL) != 1 ||
	    EVP_MAC_update(c->mac, op->aad, op->aad_len) != 1 ||
	    EVP_MAC_update(c->mac, op->iv, c->iv_len) != 1 ||
	    EVP_MAC_update(c->mac, text, len) != 1 ||
	    (op->tail_len > 0 &&
	     EVP_MAC_update(c->mac, op->tail, op->tail_len) != 1) ||
	    EVP_MAC_final(c->mac, out, &n, HASH_MAX) != 1 || n < c->icv_len)
		return ERR_CRYPTO;
	return 0;
}

static int
cbc_crypt(struct spi_esp_ctx *c, struct spi_esp_op *op)
{
	size_t len;
	int n, err;

	if (EVP_CipherInit_ex(c->cipher, NULL, NULL, NULL, op->iv, -1) != 1)
		return ERR_CRYPTO;
	if ((err = update(c, op, &len)) != 0)
		return err;
	if (len != op_len(op) ||
	    EVP_CipherFinal_ex(c->cipher, op->out + len, &n) != 1 || n != 0)
		return ERR_CRYPTO;
	return 0;
}

static int
cbc_seal(struct spi_esp_ctx *c, struct spi_esp_op *op)
{
	uint8_t full[HASH_MAX];
	int err;

	if ((err = cbc_crypt(c, op)) != 0 ||
	    (err = packet_mac(c, op, op->out, op_len(op), full)) != 0)
		return err;
	memcpy(op->icv, full, c->icv_len);
	return 0;
}

static int
cbc_open(struct spi_esp_ctx *c, struct spi_esp_op *op)
{
	uint8_t full[HASH_MAX];
	int err;

	err = packet_mac(c, op, op->part[0].p, op->part[0].len, full);
	if (err != 0)
		return err;
	if (!ct_equal(full, op->icv, c->icv_len))
		return ERR_ICV;
	return cbc_crypt(c, op);
}

static unsigned
ossl_seal(struct spi_esp_ctx *c, struct spi_esp_op *ops, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		ops[i].err = c->mac == NULL ? aead_seal(c, &ops[i]) :
					      cbc_seal(c, &ops[i]);
		ops[i].is_done = true;
	}
	return n;
}

static unsigned
ossl_open(struct spi_esp_ctx *c, struct spi_esp_op *ops, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		ops[i].err = c->mac == NULL ? aead_open(c, &ops[i]) :
					      cbc_open(c, &ops[i]);
		ops[i].is_done = true;
	}
	return n;
}

static unsigned
ossl_poll(struct spi_esp_ctx *c UNUSED)
{
	return 0;
}

const struct spi_esp spi_esp_openssl = {
	.head = { SPI_VERSION, "openssl", "OpenSSL EVP, any machine" },
	.init = ossl_init,
	.has_alg = ossl_has_alg,
	.ctx_new = ossl_ctx_new,
	.ctx_free = ossl_ctx_free,
	.seal = ossl_seal,
	.open = ossl_open,
	.poll = ossl_poll,
};
