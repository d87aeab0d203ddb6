/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/cert-openssl/sig.c - signatures over a list of parts.
 *
 * EVP does all of it; only the two ways to write an ECDSA signature are turned
 * into each other here (RFC 4754 has r | s, RFC 7427 the DER form).
 *
 * Thread: one at a time for each key.
 */
#include "spi/cert-openssl/cert_openssl.h"
#define ERR_STATE ossl_err_state_type
#include <openssl/ec.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#undef ERR_STATE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EC_RAW_MAX 132	/* two numbers of P-521 */
#define EC_DER_MAX 150
#define ED_BYTES_MAX (1u << 17)	/* a message signed in one call; ours */

static const EVP_MD *
md_of(const struct spi_sig *how)
{
	switch (how->hash) {
	case SPI_SIG_SHA256:
		return EVP_sha256();
	case SPI_SIG_SHA384:
		return EVP_sha384();
	case SPI_SIG_SHA512:
		return EVP_sha512();
	default:
		return NULL;
	}
}

static bool
form_fits(enum spi_key_kind kind, const struct spi_sig *how)
{
	switch (how->form) {
	case SPI_SIG_PKCS1:
	case SPI_SIG_PSS:
		return kind == SPI_KEY_RSA && md_of(how) != NULL;
	case SPI_SIG_ECDSA:
	case SPI_SIG_ECDSA_RAW:
		return (kind == SPI_KEY_EC256 || kind == SPI_KEY_EC384 ||
		    kind == SPI_KEY_EC521) && md_of(how) != NULL;
	case SPI_SIG_ED:
		return (kind == SPI_KEY_ED25519 || kind == SPI_KEY_ED448) &&
		    how->hash == SPI_SIG_IDENTITY;
	}
	return false;
}

/* Bytes of one number of a raw ECDSA signature. */
static int
ec_half(enum spi_key_kind kind)
{
	return kind == SPI_KEY_EC256 ? 32 : kind == SPI_KEY_EC384 ? 48 : 66;
}

/* How to begin, the same for both directions. */
static int
pad_set(EVP_PKEY_CTX *p, const struct spi_sig *how)
{
	if (how->form == SPI_SIG_PKCS1)
		return EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PADDING);
	if (how->form != SPI_SIG_PSS)
		return 1;
	if (EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PSS_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_rsa_mgf1_md(p, md_of(how)) != 1)
		return 0;
	return EVP_PKEY_CTX_set_rsa_pss_saltlen(p, RSA_PSS_SALTLEN_DIGEST);
}

/* Ed25519 wants its message at once.  *out is malloc()ed. */
static int
parts_join(const struct view *part, unsigned n, uint8_t **out, size_t *len)
{
	size_t sum = 0, at = 0;
	uint8_t *all;

	for (unsigned i = 0; i < n; i++) {
		if (part[i].len > ED_BYTES_MAX - sum)
			return ERR_LONG;
		sum += part[i].len;
	}
	if ((all = malloc(sum + 1)) == NULL)
		return ERR_NOMEM;
	for (unsigned i = 0; i < n; i++) {
		if (part[i].len > 0)
			memcpy(all + at, part[i].p, part[i].len);
		at += part[i].len;
	}
	*out = all;
	*len = sum;
	return 0;
}

static int
der_to_raw(const uint8_t *der, size_t len, int half, uint8_t *out)
{
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &der, (long)len);
	int ok = 0;

	if (s != NULL)
		ok = BN_bn2binpad(ECDSA_SIG_get0_r(s), out, half) == half &&
		    BN_bn2binpad(ECDSA_SIG_get0_s(s), out + half, half) == half;
	ECDSA_SIG_free(s);
	return ok ? 0 : ERR_CRYPTO;
}

static int
raw_to_der(struct view raw, int half, uint8_t *out, size_t *len)
{
	ECDSA_SIG *s = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw.p, half, NULL);
	BIGNUM *t = BN_bin2bn(raw.p + half, half, NULL);
	uint8_t *p = out;
	int n = -1;

	if (s != NULL && r != NULL && t != NULL &&
	    ECDSA_SIG_set0(s, r, t) == 1) {
		r = t = NULL;
		if (i2d_ECDSA_SIG(s, NULL) <= EC_DER_MAX)
			n = i2d_ECDSA_SIG(s, &p);
	}
	BN_free(r);
	BN_free(t);
	ECDSA_SIG_free(s);
	if (n <= 0)
		return ERR_CRYPTO;
	*len = (size_t)n;
	return 0;
}

/* Where a key lives it signs: one that cannot be taken out of a TPM still gives its
 * public half to any provider, and the first that knows the algorithm would have
 * taken it. */
static int
sign_begin(EVP_MD_CTX *c, EVP_PKEY_CTX **p, const struct spi_sig *how,
	   EVP_PKEY *k)
{
	const OSSL_PROVIDER *home = EVP_PKEY_get0_provider(k);
	const EVP_MD *md = md_of(how);
	char query[128] = "";

	if (home != NULL)
		snprintf(query, sizeof(query), "?provider=%.100s",
		    OSSL_PROVIDER_get0_name(home));
	return EVP_DigestSignInit_ex(c, p, md != NULL ? EVP_MD_get0_name(md) :
	    NULL, NULL, query[0] != '\0' ? query : NULL, k, NULL) == 1 ? 0 :
	    ERR_CRYPTO;
}

static int
sign_parts(EVP_MD_CTX *c, struct spi_pkey *k, const struct spi_sig *how,
	   const struct view *part, unsigned n, uint8_t *out, size_t *len)
{
	EVP_PKEY_CTX *p = NULL;
	uint8_t *all = NULL;
	size_t all_len = 0;
	int err;

	if (sign_begin(c, &p, how, k->k) != 0 ||
	    pad_set(p, how) != 1)
		return ERR_CRYPTO;
	if (how->form == SPI_SIG_ED) {
		if ((err = parts_join(part, n, &all, &all_len)) != 0)
			return err;
		err = EVP_DigestSign(c, out, len, all, all_len) == 1 ? 0 :
		    ERR_CRYPTO;
		free(all);
		return err;
	}
	for (unsigned i = 0; i < n; i++)
		if (EVP_DigestSignUpdate(c, part[i].p, part[i].len) != 1)
			return ERR_CRYPTO;
	return EVP_DigestSignFinal(c, out, len) == 1 ? 0 : ERR_CRYPTO;
}

static int
check_parts(EVP_MD_CTX *c, struct spi_pkey *k, const struct spi_sig *how,
	    const struct view *part, unsigned n, struct view sig)
{
	EVP_PKEY_CTX *p = NULL;
	uint8_t *all = NULL;
	size_t all_len = 0;
	int err;

	if (EVP_DigestVerifyInit(c, &p, md_of(how), NULL, k->k) != 1 ||
	    pad_set(p, how) != 1)
		return ERR_AUTH;
	if (how->form == SPI_SIG_ED) {
		if ((err = parts_join(part, n, &all, &all_len)) != 0)
			return err;
		err = EVP_DigestVerify(c, sig.p, sig.len, all, all_len) == 1 ?
		    0 : ERR_AUTH;
		free(all);
		return err;
	}
	for (unsigned i = 0; i < n; i++)
		if (EVP_DigestVerifyUpdate(c, part[i].p, part[i].len) != 1)
			return ERR_CRYPTO;
	return EVP_DigestVerifyFinal(c, sig.p, sig.len) == 1 ? 0 : ERR_AUTH;
}

/* ---- public ------------------------------------------------------------------ */

int
ossl_sign(struct spi_pkey *k, const struct spi_sig *how,
	  const struct view *part, unsigned n, uint8_t *out, size_t *len)
{
	enum spi_key_kind kind = ossl_key_kind(k->k);
	uint8_t raw[EC_RAW_MAX];
	EVP_MD_CTX *c;
	int err;

	if (!form_fits(kind, how))
		return ERR_ALG;
	if ((c = EVP_MD_CTX_new()) == NULL)
		return ERR_NOMEM;
	*len = SPI_SIG_MAX;
	err = sign_parts(c, k, how, part, n, out, len);
	EVP_MD_CTX_free(c);
	if (err == 0 && how->form == SPI_SIG_ECDSA_RAW) {
		err = der_to_raw(out, *len, ec_half(kind), raw);
		if (err == 0) {
			*len = (size_t)(2 * ec_half(kind));
			memcpy(out, raw, *len);
		}
	}
	ERR_clear_error();
	return err;
}

int
ossl_check(struct spi_pkey *k, const struct spi_sig *how,
	   const struct view *part, unsigned n, struct view sig)
{
	enum spi_key_kind kind = ossl_key_kind(k->k);
	uint8_t der[EC_DER_MAX];
	EVP_MD_CTX *c;
	int err = 0;

	if (!form_fits(kind, how) || sig.len == 0 || sig.len > SPI_SIG_MAX)
		return ERR_AUTH;
	if (how->form == SPI_SIG_ECDSA_RAW) {
		if (sig.len != (size_t)(2 * ec_half(kind)) ||
		    raw_to_der(sig, ec_half(kind), der, &sig.len) != 0)
			return ERR_AUTH;
		sig.p = der;
	}
	if ((c = EVP_MD_CTX_new()) == NULL)
		return ERR_NOMEM;
	err = check_parts(c, k, how, part, n, sig);
	EVP_MD_CTX_free(c);
	ERR_clear_error();
	return err;
}
