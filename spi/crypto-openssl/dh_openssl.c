/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/crypto-openssl/dh_openssl.c - key exchange on OpenSSL 3 EVP.
 *
 * The KE payload holds, per group (RFC 7296 3.4, RFC 5903 7, RFC 8031 2):
 *
 *   X25519   32 bytes u                 secret: 32 bytes
 *   ECP      x | y, without the 0x04    secret: x only
 *   MODP     y, padded to the prime     secret: padded to the prime
 *   ML-KEM   encapsulation key; the     secret: 32 bytes
 *            answer is the ciphertext
 *
 * Received values are checked as RFC 6989 section 2 asks; OpenSSL checks an
 * encapsulation key as FIPS 203 section 7.2 asks.  ML-KEM is there from OpenSSL
 * 3.5 on, which is found out when the program starts.
 */
#include "spi/crypto-openssl/crypto_openssl.h"

/* OpenSSL has a type of this name; ours is an error. */
#define ERR_STATE ossl_err_state_type
#include <openssl/core_names.h>
#include <openssl/dh.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#undef ERR_STATE
#include <stdlib.h>
#include <string.h>

#include "daemon/base/err.h"
#include "daemon/base/secret.h"

enum group_kind { KIND_X, KIND_EC, KIND_MODP, KIND_KEM };

static const struct {
	enum group_kind kind;
	const char *type, *name;
	size_t public_len, secret_len, answer_len; /* 0: as public_len */
} info[SPI_GROUP_END] = {
	[SPI_GROUP_X25519] = { KIND_X, "X25519", NULL, 32, 32, 0 },
	[SPI_GROUP_ECP_256] = { KIND_EC, "EC", "P-256", 64, 32, 0 },
	[SPI_GROUP_ECP_384] = { KIND_EC, "EC", "P-384", 96, 48, 0 },
	[SPI_GROUP_MODP_2048] = { KIND_MODP, "DH", "modp_2048", 256, 256, 0 },
	[SPI_GROUP_MODP_3072] = { KIND_MODP, "DH", "modp_3072", 384, 384, 0 },
	[SPI_GROUP_ML_KEM_512] = { KIND_KEM, "ML-KEM-512", NULL, 800, 32, 768 },
	[SPI_GROUP_ML_KEM_768] = { KIND_KEM, "ML-KEM-768", NULL, 1184, 32,
				   1088 },
	[SPI_GROUP_ML_KEM_1024] = { KIND_KEM, "ML-KEM-1024", NULL, 1568, 32,
				    1568 },
};

struct spi_dh_key {
	enum spi_group group;
	EVP_PKEY *pkey;			/* NULL for the answer of a KEM */
	size_t public_len;
	uint8_t public[SPI_DH_PUBLIC_MAX];
};

static bool
group_known(enum spi_group g)
{
	return g > SPI_GROUP_NONE && g < SPI_GROUP_END;
}

/* Copy the public value out in the form of a KE payload. */
static int
store_public(struct spi_dh_key *k)
{
	size_t want = info[k->group].public_len;
	size_t skip = info[k->group].kind == KIND_EC ? 1 : 0;
	unsigned char *enc = NULL;
	size_t n = EVP_PKEY_get1_encoded_public_key(k->pkey, &enc);
	int err = ERR_CRYPTO;

	if (enc != NULL && n == want + skip) {
		memcpy(k->public, enc + skip, want);
		k->public_len = want;
		err = 0;
	}
	OPENSSL_free(enc);
	return err;
}

static EVP_PKEY *
generate(enum spi_group g)
{
	OSSL_PARAM param[2];
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, info[g].type, NULL);
	EVP_PKEY *pkey = NULL;

	param[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
	    (char *)(uintptr_t)info[g].name, 0);
	param[1] = OSSL_PARAM_construct_end();
	if (ctx != NULL && EVP_PKEY_keygen_init(ctx) == 1 &&
	    (info[g].name == NULL || EVP_PKEY_CTX_set_params(ctx, param) == 1) &&
	    EVP_PKEY_generate(ctx, &pkey) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

static int
key_wrap(enum spi_group g, EVP_PKEY *pkey, struct spi_dh_key **out)
{
	struct spi_dh_key *k;
	int err;

	if (pkey == NULL)
		return ERR_CRYPTO;
	if ((k = calloc(1, sizeof(*k))) == NULL) {
		EVP_PKEY_free(pkey);
		return ERR_NOMEM;
	}
	k->group = g;
	k->pkey = pkey;
	if ((err = store_public(k)) != 0) {
		ossl_dh_free(k);
		return err;
	}
	*out = k;
	return 0;
}

/* An empty key of the group that takes the peer's encoded value. */
static EVP_PKEY *
peer_key(struct spi_dh_key *k, struct view peer)
{
	uint8_t enc[SPI_DH_PUBLIC_MAX + 1];
	EVP_PKEY *pkey;

	if (info[k->group].kind == KIND_X)
		return EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL,
						      peer.p, peer.len);
	if ((pkey = EVP_PKEY_new()) == NULL)
		return NULL;
	if (EVP_PKEY_copy_parameters(pkey, k->pkey) != 1)
		goto bad;
	if (info[k->group].kind == KIND_EC) {
		enc[0] = POINT_CONVERSION_UNCOMPRESSED;
		memcpy(enc + 1, peer.p, peer.len);
		peer = (struct view){ enc, peer.len + 1 };
	}
	if (EVP_PKEY_set1_encoded_public_key(pkey, peer.p, peer.len) == 1)
		return pkey;
bad:
	EVP_PKEY_free(pkey);
	return NULL;
}

static bool
peer_is_valid(enum spi_group g, EVP_PKEY *peer)
{
	EVP_PKEY_CTX *ctx;
	bool ok;

	if (info[g].kind == KIND_X)
		return true;	/* every string is a value; the secret is checked */
	if ((ctx = EVP_PKEY_CTX_new_from_pkey(NULL, peer, NULL)) == NULL)
		return false;
	/* RFC 6989 2.1: 1 < r < p-1 is enough for safe primes; 2.3: on curve. */
	ok = (info[g].kind == KIND_MODP ? EVP_PKEY_public_check_quick(ctx) :
	      EVP_PKEY_public_check(ctx)) == 1;
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

static int
derive(struct spi_dh_key *k, EVP_PKEY *peer, uint8_t *secret, size_t *len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	size_t n = SPI_DH_SECRET_MAX;
	int err = ERR_KE;

	if (ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
	    (info[k->group].kind != KIND_MODP ||
	     EVP_PKEY_CTX_set_dh_pad(ctx, 1) == 1) &&
	    EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) == 1 &&
	    EVP_PKEY_derive(ctx, secret, &n) == 1 &&
	    n == info[k->group].secret_len) {
		*len = n;
		err = 0;
	}
	EVP_PKEY_CTX_free(ctx);
	return err;
}

static bool
is_all_zero(const uint8_t *p, size_t n)
{
	uint8_t acc = 0;

	while (n-- > 0)
		acc |= *p++;
	return acc == 0;
}

static EVP_PKEY *
load_ec(enum spi_group g, struct view priv)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	OSSL_PARAM *param = NULL;
	BIGNUM *d = BN_bin2bn(priv.p, (int)priv.len, NULL);
	EC_GROUP *grp = EC_GROUP_new_by_curve_name(
	    g == SPI_GROUP_ECP_256 ? NID_X9_62_prime256v1 : NID_secp384r1);
	EC_POINT *pt = grp != NULL ? EC_POINT_new(grp) : NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	uint8_t enc[SPI_DH_PUBLIC_MAX + 1];
	EVP_PKEY *pkey = NULL;
	size_t n;

	if (bld == NULL || d == NULL || pt == NULL || ctx == NULL ||
	    EC_POINT_mul(grp, pt, d, NULL, NULL, NULL) != 1)
		goto out;
	n = EC_POINT_point2oct(grp, pt, POINT_CONVERSION_UNCOMPRESSED, enc,
			       sizeof(enc), NULL);
	if (OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME,
					    info[g].name, 0) != 1 ||
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, d) != 1 ||
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, enc,
					     n) != 1 ||
	    (param = OSSL_PARAM_BLD_to_param(bld)) == NULL ||
	    EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, param) != 1)
		pkey = NULL;
out:
	OSSL_PARAM_free(param);
	OSSL_PARAM_BLD_free(bld);
	BN_clear_free(d);
	EC_POINT_free(pt);
	EC_GROUP_free(grp);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

int
ossl_dh_new(enum spi_group g, struct spi_dh_key **out)
{
	if (!group_known(g))
		return ERR_ALG;
	return key_wrap(g, generate(g), out);
}

int
ossl_dh_load(enum spi_group g, struct view priv, struct spi_dh_key **out)
{
	if (g == SPI_GROUP_X25519)
		return key_wrap(g, EVP_PKEY_new_raw_private_key_ex(NULL,
		    "X25519", NULL, priv.p, priv.len), out);
	if (group_known(g) && info[g].kind == KIND_EC)
		return key_wrap(g, load_ec(g, priv), out);
	return ERR_ALG;
}

void
ossl_dh_free(struct spi_dh_key *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(k->pkey);	/* OpenSSL clears private numbers */
	wipe(k, sizeof(*k));
	free(k);
}

struct view
ossl_dh_public(const struct spi_dh_key *k)
{
	return (struct view){ k->public, k->public_len };
}

/* The initiator's part: the secret out of the answer. */
static int
kem_open(struct spi_dh_key *k, struct view ct, uint8_t *secret, size_t *len)
{
	EVP_PKEY_CTX *ctx;
	size_t n = SPI_DH_SECRET_MAX;
	int err = ERR_KE;

	if (k->pkey == NULL || ct.len != info[k->group].answer_len)
		return ERR_KE;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	if (ctx != NULL && EVP_PKEY_decapsulate_init(ctx, NULL) == 1 &&
	    EVP_PKEY_decapsulate(ctx, secret, &n, ct.p, ct.len) == 1 &&
	    n == info[k->group].secret_len) {
		*len = n;
		err = 0;
	}
	EVP_PKEY_CTX_free(ctx);
	return err;
}

int
ossl_kem_answer(enum spi_group g, struct view peer, struct spi_dh_key **out,
		uint8_t *secret, size_t *secret_len)
{
	size_t ct_len = SPI_DH_PUBLIC_MAX, n = SPI_DH_SECRET_MAX;
	EVP_PKEY_CTX *ctx = NULL;
	struct spi_dh_key *k;
	EVP_PKEY *pkey;
	int err = ERR_KE;

	if (!spi_group_is_kem(g))
		return ERR_ALG;
	if (peer.len != info[g].public_len)
		return ERR_KE;
	if ((k = calloc(1, sizeof(*k))) == NULL)
		return ERR_NOMEM;
	k->group = g;
	pkey = EVP_PKEY_new_raw_public_key_ex(NULL, info[g].type, NULL, peer.p,
					      peer.len);
	if (pkey != NULL &&
	    (ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL)) != NULL &&
	    EVP_PKEY_encapsulate_init(ctx, NULL) == 1 &&
	    EVP_PKEY_encapsulate(ctx, k->public, &ct_len, secret, &n) == 1 &&
	    ct_len == info[g].answer_len && n == info[g].secret_len) {
		k->public_len = ct_len;
		*secret_len = n;
		*out = k;
		err = 0;
	}
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	if (err != 0)
		ossl_dh_free(k);
	return err;
}

static bool kem_works[SPI_GROUP_END];	/* written at start only */

void
ossl_kem_self_test(void)
{
	for (enum spi_group g = SPI_GROUP_KEM_FIRST; g < SPI_GROUP_END; g++) {
		uint8_t s1[SPI_DH_SECRET_MAX], s2[SPI_DH_SECRET_MAX];
		struct spi_dh_key *a = NULL, *b = NULL;
		size_t n1 = 0, n2 = 0;

		kem_works[g] = ossl_dh_new(g, &a) == 0 &&
		    ossl_kem_answer(g, ossl_dh_public(a), &b, s1, &n1) == 0 &&
		    ossl_dh_derive(a, ossl_dh_public(b), s2, &n2) == 0 &&
		    n1 == n2 && ct_equal(s1, s2, n1);
		ossl_dh_free(a);
		ossl_dh_free(b);
		wipe(s1, sizeof(s1));
		wipe(s2, sizeof(s2));
	}
}

bool
ossl_group_usable(enum spi_group g)
{
	return group_known(g) && (!spi_group_is_kem(g) || kem_works[g]);
}

int
ossl_dh_derive(struct spi_dh_key *k, struct view peer, uint8_t *secret,
	       size_t *secret_len)
{
	EVP_PKEY *pkey;
	int err;

	if (info[k->group].kind == KIND_KEM)
		return kem_open(k, peer, secret, secret_len);
	if (peer.len != info[k->group].public_len ||
	    memcmp(peer.p, k->public, peer.len) == 0)
		return ERR_KE;
	if ((pkey = peer_key(k, peer)) == NULL)
		return ERR_KE;
	err = peer_is_valid(k->group, pkey) ?
	    derive(k, pkey, secret, secret_len) : ERR_KE;
	if (err == 0 && is_all_zero(secret, *secret_len))
		err = ERR_KE;	/* RFC 7748 6.1 */
	EVP_PKEY_free(pkey);
	return err;
}

bool
spi_group_is_kem(enum spi_group g)
{
	return g >= SPI_GROUP_KEM_FIRST && g < SPI_GROUP_END;
}

size_t
spi_group_answer_len(enum spi_group g)
{
	return spi_group_is_kem(g) ? info[g].answer_len :
	    spi_group_public_len(g);
}

size_t
spi_group_public_len(enum spi_group g)
{
	return group_known(g) ? info[g].public_len : 0;
}
