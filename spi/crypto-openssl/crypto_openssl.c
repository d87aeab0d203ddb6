/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/crypto-openssl/crypto_openssl.c - the crypto provider on OpenSSL 3 EVP.
 *
 * Algorithms are fetched once (OpenSSL's implicit fetch per call costs more
 * than the hash itself) and kept until the process ends.
 *
 * Thread: any.  Fetched algorithms are immutable; contexts live in one call.
 */
#include "spi/crypto-openssl/crypto_openssl.h"

/* OpenSSL has a type of this name; ours is an error. */
#define ERR_STATE ossl_err_state_type
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#undef ERR_STATE
#include <pthread.h>

#include "daemon/base/err.h"
#include "daemon/base/secret.h"

#define N_HASH	 (SPI_HASH_SHA512 + 1)
#define N_CIPHER (SPI_CIPHER_AES_CBC_256 + 1)

static const struct {
	const char *name;
	size_t len;
} hash_info[N_HASH] = {
	[SPI_HASH_SHA1] = { "SHA1", 20 },
	[SPI_HASH_SHA256] = { "SHA2-256", 32 },
	[SPI_HASH_SHA384] = { "SHA2-384", 48 },
	[SPI_HASH_SHA512] = { "SHA2-512", 64 },
};

static const struct {
	const char *name;
	size_t key_len;
	bool is_aead;
} cipher_info[N_CIPHER] = {
	[SPI_CIPHER_AES_GCM_128] = { "AES-128-GCM", 16, true },
	[SPI_CIPHER_AES_GCM_256] = { "AES-256-GCM", 32, true },
	[SPI_CIPHER_CHACHA20_POLY1305] = { "ChaCha20-Poly1305", 32, true },
	[SPI_CIPHER_AES_CBC_128] = { "AES-128-CBC", 16, false },
	[SPI_CIPHER_AES_CBC_256] = { "AES-256-CBC", 32, false },
};

static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;
static EVP_MD *md[N_HASH];
static EVP_CIPHER *cipher[N_CIPHER];
static EVP_MAC *hmac_alg;

static void
fetch_all(void)
{
	for (unsigned i = 1; i < N_HASH; i++)
		md[i] = EVP_MD_fetch(NULL, hash_info[i].name, NULL);
	for (unsigned i = 1; i < N_CIPHER; i++)
		cipher[i] = EVP_CIPHER_fetch(NULL, cipher_info[i].name, NULL);
	hmac_alg = EVP_MAC_fetch(NULL, "HMAC", NULL);
}

/* ---- hashes -------------------------------------------------------------- */

static int
ossl_hash(enum spi_hash h, const struct view *part, unsigned n, uint8_t *out)
{
	EVP_MD_CTX *ctx;
	int err = ERR_CRYPTO;

	pthread_once(&fetch_once, fetch_all);
	if (h == SPI_HASH_NONE || h >= N_HASH || md[h] == NULL)
		return ERR_ALG;
	if ((ctx = EVP_MD_CTX_new()) == NULL)
		return ERR_NOMEM;
	if (EVP_DigestInit_ex2(ctx, md[h], NULL) != 1)
		goto out;
	for (unsigned i = 0; i < n; i++)
		if (EVP_DigestUpdate(ctx, part[i].p, part[i].len) != 1)
			goto out;
	if (EVP_DigestFinal_ex(ctx, out, NULL) == 1)
		err = 0;
out:
	EVP_MD_CTX_free(ctx);
	return err;
}

static int
ossl_hmac(enum spi_hash h, struct view key, const struct view *part, unsigned n,
	  uint8_t *out)
{
	static const uint8_t empty[1];
	OSSL_PARAM param[2];
	EVP_MAC_CTX *ctx;
	size_t len = 0;
	int err = ERR_CRYPTO;

	pthread_once(&fetch_once, fetch_all);
	if (h == SPI_HASH_NONE || h >= N_HASH || hmac_alg == NULL)
		return ERR_ALG;
	if ((ctx = EVP_MAC_CTX_new(hmac_alg)) == NULL)
		return ERR_NOMEM;
	param[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
	    (char *)(uintptr_t)hash_info[h].name, 0);
	param[1] = OSSL_PARAM_construct_end();
	if (EVP_MAC_init(ctx, key.len > 0 ? key.p : empty, key.len, param) != 1)
		goto out;
	for (unsigned i = 0; i < n; i++)
		if (EVP_MAC_update(ctx, part[i].p, part[i].len) != 1)
			goto out;
	if (EVP_MAC_final(ctx, out, &len, hash_info[h].len) == 1 &&
	    len == hash_info[h].len)
		err = 0;
out:
	EVP_MAC_CTX_free(ctx);
	return err;
}

/* ---- ciphers ------------------------------------------------------------- */

static int
aead_start(EVP_CIPHER_CTX **out, enum spi_cipher c, bool is_seal,
	   const uint8_t *key, const uint8_t *nonce, struct view aad)
{
	EVP_CIPHER_CTX *ctx;
	int n;

	pthread_once(&fetch_once, fetch_all);
	if (c == SPI_CIPHER_NONE || c >= N_CIPHER || cipher[c] == NULL ||
	    !cipher_info[c].is_aead)
		return ERR_ALG;
	if ((ctx = EVP_CIPHER_CTX_new()) == NULL)
		return ERR_NOMEM;
	if (EVP_CipherInit_ex2(ctx, cipher[c], key, nonce, is_seal, NULL) != 1 ||
	    (aad.len > 0 &&
	     EVP_CipherUpdate(ctx, NULL, &n, aad.p, (int)aad.len) != 1)) {
		EVP_CIPHER_CTX_free(ctx);
		return ERR_CRYPTO;
	}
	*out = ctx;
	return 0;
}

static int
ossl_aead_seal(enum spi_cipher c, const uint8_t *key, const uint8_t *nonce,
	       struct view aad, uint8_t *data, size_t len, uint8_t *tag)
{
	EVP_CIPHER_CTX *ctx;
	int n = 0, m = 0, err;

	if ((err = aead_start(&ctx, c, true, key, nonce, aad)) != 0)
		return err;
	if ((len > 0 && EVP_EncryptUpdate(ctx, data, &n, data, (int)len) != 1) ||
	    EVP_EncryptFinal_ex(ctx, data + n, &m) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SPI_AEAD_TAG,
				tag) != 1)
		err = ERR_CRYPTO;
	EVP_CIPHER_CTX_free(ctx);
	return err;
}

static int
ossl_aead_open(enum spi_cipher c, const uint8_t *key, const uint8_t *nonce,
	       struct view aad, uint8_t *data, size_t len, const uint8_t *tag)
{
	uint8_t tag_copy[SPI_AEAD_TAG];
	EVP_CIPHER_CTX *ctx;
	int n = 0, m = 0, err;

	if ((err = aead_start(&ctx, c, false, key, nonce, aad)) != 0)
		return err;
	for (size_t i = 0; i < SPI_AEAD_TAG; i++)
		tag_copy[i] = tag[i];
	if (EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, SPI_AEAD_TAG,
				tag_copy) != 1 ||
	    (len > 0 && EVP_DecryptUpdate(ctx, data, &n, data, (int)len) != 1) ||
	    EVP_DecryptFinal_ex(ctx, data + n, &m) != 1)
		err = ERR_ICV;
	EVP_CIPHER_CTX_free(ctx);
	return err;
}

static int
ossl_cbc(enum spi_cipher c, bool is_encrypt, const uint8_t *key,
	 const uint8_t *iv, uint8_t *data, size_t len)
{
	EVP_CIPHER_CTX *ctx;
	int n = 0, m = 0, err = ERR_CRYPTO;

	pthread_once(&fetch_once, fetch_all);
	if (c == SPI_CIPHER_NONE || c >= N_CIPHER || cipher[c] == NULL ||
	    cipher_info[c].is_aead || len % SPI_CBC_BLOCK != 0)
		return ERR_ALG;
	if ((ctx = EVP_CIPHER_CTX_new()) == NULL)
		return ERR_NOMEM;
	if (EVP_CipherInit_ex2(ctx, cipher[c], key, iv, is_encrypt, NULL) == 1 &&
	    EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
	    EVP_CipherUpdate(ctx, data, &n, data, (int)len) == 1 &&
	    EVP_CipherFinal_ex(ctx, data + n, &m) == 1 &&
	    (size_t)(n + m) == len)
		err = 0;
	EVP_CIPHER_CTX_free(ctx);
	return err;
}

/* ---- the provider -------------------------------------------------------- */

/* One use of each algorithm: what is missing shows at start, not in a tunnel. */
static int
ossl_self_test(void)
{
	uint8_t out[SPI_HASH_MAX], key[64] = { 0 }, block[16] = { 0 };
	struct view one = { key, sizeof(key) };
	int err = 0;

	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	for (enum spi_hash h = SPI_HASH_SHA1; err == 0 && h < N_HASH; h++)
		if ((err = ossl_hash(h, &one, 1, out)) == 0)
			err = ossl_hmac(h, one, &one, 1, out);
	for (enum spi_cipher c = 1; err == 0 && c < N_CIPHER; c++)
		err = cipher_info[c].is_aead ?
		    ossl_aead_seal(c, key, key, one, block, 16, out) :
		    ossl_cbc(c, true, key, key, block, 16);
	for (enum spi_group g = 1; err == 0 && g < SPI_GROUP_KEM_FIRST; g++) {
		struct spi_dh_key *a = NULL, *b = NULL;
		uint8_t secret[SPI_DH_SECRET_MAX];
		size_t len;

		if ((err = ossl_dh_new(g, &a)) == 0 &&
		    (err = ossl_dh_new(g, &b)) == 0)
			err = ossl_dh_derive(a, ossl_dh_public(b), secret, &len);
		ossl_dh_free(a);
		ossl_dh_free(b);
		wipe(secret, sizeof(secret));
	}
	ossl_kem_self_test();
	return err == 0 ? 0 : ERR_CRYPTO;
}

static const struct spi_crypto provider = {
	.name = "openssl",
	.self_test = ossl_self_test,
	.hash = ossl_hash,
	.hmac = ossl_hmac,
	.aead_seal = ossl_aead_seal,
	.aead_open = ossl_aead_open,
	.cbc = ossl_cbc,
	.dh_new = ossl_dh_new,
	.dh_free = ossl_dh_free,
	.dh_public = ossl_dh_public,
	.dh_derive = ossl_dh_derive,
	.kem_answer = ossl_kem_answer,
	.group_usable = ossl_group_usable,
	.dh_load = ossl_dh_load,
};

size_t
spi_hash_len(enum spi_hash h)
{
	return h < N_HASH ? hash_info[h].len : 0;
}

size_t
spi_cipher_key_len(enum spi_cipher c)
{
	return c < N_CIPHER ? cipher_info[c].key_len : 0;
}

bool
spi_cipher_is_aead(enum spi_cipher c)
{
	return c < N_CIPHER && cipher_info[c].is_aead;
}

static const struct spi_crypto *in_use = &provider;

const struct spi_crypto *
spi_crypto(void)
{
	return in_use;
}

void
spi_crypto_use(const struct spi_crypto *p)
{
	in_use = p != NULL ? p : &provider;
}
