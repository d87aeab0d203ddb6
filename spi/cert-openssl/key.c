/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/cert-openssl/key.c - keys: kinds, public forms, keys at a URI.
 *
 * Thread: one at a time for each key.
 */
#include "spi/cert-openssl/cert_openssl.h"
#define ERR_STATE ossl_err_state_type
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#undef ERR_STATE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RSA_BITS_MIN 2048	/* RFC 8247 and 112 bits of strength */
#define RSA_BITS_MAX 8192	/* more only costs time; ours */
#define RSA_E_MIN    65537
#define KEY_HEAP     (1u << 18)	/* bytes of locked memory for private keys */
#define KEY_HEAP_MIN 32

static enum spi_key_kind
rsa_kind(const EVP_PKEY *k)
{
	enum spi_key_kind kind = SPI_KEY_NONE;
	int bits = EVP_PKEY_get_bits(k);
	BIGNUM *e = NULL;

	if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
		return SPI_KEY_NONE;
	if (EVP_PKEY_get_bn_param(k, OSSL_PKEY_PARAM_RSA_E, &e) != 1)
		return SPI_KEY_NONE;
	if (BN_is_odd(e) && BN_num_bits(e) <= 64 &&
	    BN_get_word(e) >= RSA_E_MIN)
		kind = SPI_KEY_RSA;
	BN_free(e);
	return kind;
}

/* Named curves only. */
static enum spi_key_kind
ec_kind(const EVP_PKEY *k)
{
	static const struct {
		const char *name;
		enum spi_key_kind kind;
	} curve[] = {
		{ "prime256v1", SPI_KEY_EC256 }, { "P-256", SPI_KEY_EC256 },
		{ "secp384r1", SPI_KEY_EC384 }, { "P-384", SPI_KEY_EC384 },
		{ "secp521r1", SPI_KEY_EC521 }, { "P-521", SPI_KEY_EC521 },
	};
	char form[32] = "", name[64];
	size_t n = 0;

	if (EVP_PKEY_get_utf8_string_param(k, OSSL_PKEY_PARAM_EC_ENCODING, form,
	    sizeof(form), &n) == 1 && strcmp(form, "explicit") == 0)
		return SPI_KEY_NONE;
	if (EVP_PKEY_get_group_name(k, name, sizeof(name), &n) != 1)
		return SPI_KEY_NONE;
	for (unsigned i = 0; i < N_OF(curve); i++)
		if (strcmp(curve[i].name, name) == 0)
			return curve[i].kind;
	return SPI_KEY_NONE;
}

enum spi_key_kind
ossl_key_kind(const EVP_PKEY *k)
{
	if (EVP_PKEY_is_a(k, "RSA") || EVP_PKEY_is_a(k, "RSA-PSS"))
		return rsa_kind(k);
	if (EVP_PKEY_is_a(k, "EC"))
		return ec_kind(k);
	if (EVP_PKEY_is_a(k, "ED25519"))
		return SPI_KEY_ED25519;
	if (EVP_PKEY_is_a(k, "ED448"))
		return SPI_KEY_ED448;
	return SPI_KEY_NONE;
}

int
ossl_key_wrap(EVP_PKEY *k, struct spi_pkey **out)
{
	struct spi_pkey *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		EVP_PKEY_free(k);
		return ERR_NOMEM;
	}
	p->k = k;
	*out = p;
	return 0;
}

/* ---- a key at a URI --------------------------------------------------------- */

/* For PEM and PKCS#8: never a prompt; without a passphrase it is an error. */
int
ossl_pass_give(char *buf, int size, int rw UNUSED, void *view)
{
	const struct view *pass = view;

	if (pass == NULL || pass->len == 0 || size <= 0 ||
	    pass->len > (size_t)size)
		return -1;
	memcpy(buf, pass->p, pass->len);
	return (int)pass->len;
}

/* The provider a URI's scheme belongs to, where it is not built in. */
static void
provider_for(const char *uri)
{
	static const struct {
		const char *scheme, *provider;
	} known[] = {
		{ "pkcs11:", "pkcs11" },
		{ "handle:", "tpm2" },
		{ "object:", "tpm2" },
	};

	for (unsigned i = 0; i < N_OF(known); i++) {
		const char *scheme = known[i].scheme;

		if (strncmp(uri, scheme, strlen(scheme)) != 0)
			continue;
		/* Loading one by name stops the default one from coming by
		 * itself. */
		(void)OSSL_PROVIDER_load(NULL, "default");
		(void)OSSL_PROVIDER_load(NULL, known[i].provider);
	}
}

static EVP_PKEY *
store_find(OSSL_STORE_CTX *s)
{
	EVP_PKEY *k = NULL;

	while (k == NULL && !OSSL_STORE_eof(s)) {
		OSSL_STORE_INFO *info = OSSL_STORE_load(s);

		if (info == NULL)
			break;
		if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
			k = OSSL_STORE_INFO_get1_PKEY(info);
		OSSL_STORE_INFO_free(info);
	}
	return k;
}

int
ossl_key_uri(const char *uri, struct view pass, struct spi_pkey **out,
	     char *why)
{
	UI_METHOD *ui = UI_UTIL_wrap_read_pem_callback(ossl_pass_give, 0);
	OSSL_STORE_CTX *s = NULL;
	EVP_PKEY *k = NULL;
	int err = ERR_NOMEM;

	if (ui == NULL)
		return ERR_NOMEM;
	provider_for(uri);
	s = OSSL_STORE_open(uri, ui, &pass, NULL, NULL);
	if (s != NULL) {
		(void)OSSL_STORE_expect(s, OSSL_STORE_INFO_PKEY);
		k = store_find(s);
	}
	if (k == NULL) {
		const char *lib = ERR_reason_error_string(ERR_peek_last_error());

		snprintf(why, SPI_CERT_WHY_MAX, "no private key there: %s",
		    lib != NULL ? lib : s == NULL ? "no provider for this "
		    "kind of URI" : "nothing found");
		err = ERR_NOTFOUND;
	} else if (ossl_key_kind(k) == SPI_KEY_NONE) {
		snprintf(why, SPI_CERT_WHY_MAX, "not a key that can be used: "
		    "RSA of 2048 to 8192 bits, P-256, P-384, P-521, Ed25519 "
		    "or Ed448");
		EVP_PKEY_free(k);
		err = ERR_ALG;
	} else {
		err = ossl_key_wrap(k, out);
	}
	OSSL_STORE_close(s);
	UI_destroy_method(ui);
	ERR_clear_error();
	return err;
}

/* ---- the rest ------------------------------------------------------------------ */

int
ossl_key_public(struct view bytes, struct spi_pkey **out)
{
	const uint8_t *p = bytes.p;
	EVP_PKEY *k;
	BIO *b;

	if (bytes.len == 0 || bytes.len > INT32_MAX)
		return ERR_SYNTAX;
	k = d2i_PUBKEY(NULL, &p, (long)bytes.len);
	if (k != NULL && p != bytes.p + bytes.len) {
		EVP_PKEY_free(k);
		return ERR_TRAIL;
	}
	if (k == NULL && (b = BIO_new_mem_buf(bytes.p, (int)bytes.len)) != NULL) {
		k = PEM_read_bio_PUBKEY(b, NULL, NULL, NULL);
		BIO_free(b);
	}
	ERR_clear_error();
	if (k == NULL)
		return ERR_SYNTAX;
	if (ossl_key_kind(k) == SPI_KEY_NONE) {
		EVP_PKEY_free(k);
		return ERR_ALG;
	}
	return ossl_key_wrap(k, out);
}

void
ossl_key_free(struct spi_pkey *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(k->k);
	free(k);
}

enum spi_key_kind
ossl_key_kind_of(const struct spi_pkey *k)
{
	return ossl_key_kind(k->k);
}

int
ossl_key_spki(const struct spi_pkey *k, uint8_t **out, size_t *len)
{
	uint8_t *der = NULL;
	int n = i2d_PUBKEY(k->k, &der);

	ERR_clear_error();
	if (n <= 0)
		return ERR_CRYPTO;
	if ((*out = malloc((size_t)n)) != NULL)
		memcpy(*out, der, (size_t)n);
	OPENSSL_free(der);
	if (*out == NULL)
		return ERR_NOMEM;
	*len = (size_t)n;
	return 0;
}

bool
ossl_key_is_of(const struct spi_pkey *k, const struct spi_cert *c)
{
	EVP_PKEY *of = X509_get0_pubkey(c->x);
	bool is = of != NULL && EVP_PKEY_eq(of, k->k) == 1;

	ERR_clear_error();
	return is;
}

bool
ossl_key_same(const struct spi_pkey *a, const struct spi_pkey *b)
{
	bool is = EVP_PKEY_eq(a->k, b->k) == 1;

	ERR_clear_error();
	return is;
}

void
ossl_lock_keys(void)
{
	/* Without it keys are in ordinary memory, kept out of dumps. */
	if (CRYPTO_secure_malloc_initialized() == 0)
		(void)CRYPTO_secure_malloc_init(KEY_HEAP, KEY_HEAP_MIN);
	ERR_clear_error();
}
