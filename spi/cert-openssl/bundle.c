/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/cert-openssl/bundle.c - files of ours: PEM with anything in it, DER, or
 * PKCS#12.
 *
 * Which of them it is, is seen from the bytes: "-----BEGIN" is PEM; else the
 * forms of DER are tried, the narrow ones first.
 *
 * Thread: one at a time.
 */
#include "spi/cert-openssl/cert_openssl.h"
#define ERR_STATE ossl_err_state_type
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#undef ERR_STATE
#include <stdio.h>
#include <string.h>

#define PASS_MAX 1024	/* bytes of a passphrase; ours */

struct reader {
	const struct spi_bundle_to *to;
	struct view pass;
	char *why;
	unsigned n;		/* things handed over */
};

static int
fail(struct reader *r, int err, const char *text)
{
	snprintf(r->why, SPI_CERT_WHY_MAX, "%s", text);
	ERR_clear_error();
	return err;
}

/* What is handed over is taken, even on error. */
static int
give_cert(struct reader *r, X509 *x)
{
	struct spi_cert *c;
	int err;

	if ((err = ossl_cert_wrap(x, &c)) != 0)
		return fail(r, err, "has a certificate that cannot be read");
	r->n++;
	return r->to->cert(r->to->ctx, c);
}

static int
give_key(struct reader *r, EVP_PKEY *k)
{
	struct spi_pkey *p;
	int err;

	if (ossl_key_kind(k) == SPI_KEY_NONE) {
		EVP_PKEY_free(k);
		return fail(r, ERR_ALG, "holds a key that cannot be used: RSA "
		    "of 2048 to 8192 bits, P-256, P-384, P-521, Ed25519 or "
		    "Ed448");
	}
	if ((err = ossl_key_wrap(k, &p)) != 0)
		return err;
	r->n++;
	if (r->to->key != NULL)
		return r->to->key(r->to->ctx, p);
	ossl_key_free(p);
	return 0;
}

static int
give_crl(struct reader *r, X509_CRL *x)
{
	struct spi_crl *c;
	int err;

	if ((err = ossl_crl_wrap(x, &c)) != 0)
		return err;
	r->n++;
	if (r->to->crl != NULL)
		return r->to->crl(r->to->ctx, c);
	ossl_crl_free(c);
	return 0;
}

static int
locked(struct reader *r)
{
	return fail(r, ERR_PERM, r->pass.len == 0 ?
	    "is encrypted: name the file with its passphrase: pass=\"FILE\"" :
	    "is encrypted with another passphrase");
}

/* ---- PEM ---------------------------------------------------------------------- */

/* A private key block: decoded again by the library, which knows all forms. */
static int
pem_key(struct reader *r, const char *name, const char *header,
	const uint8_t *data, long len)
{
	BIO *b = BIO_new(BIO_s_mem());
	EVP_PKEY *k = NULL;

	if (b == NULL)
		return ERR_NOMEM;
	if (PEM_write_bio(b, name, header, data, len) > 0)
		k = PEM_read_bio_PrivateKey(b, NULL, ossl_pass_give, &r->pass);
	BIO_free(b);
	if (k != NULL)
		return give_key(r, k);
	if (strstr(name, "ENCRYPTED") != NULL || header[0] != '\0')
		return locked(r);
	return fail(r, ERR_SYNTAX, "holds a private key that cannot be read");
}

static int
pem_block(struct reader *r, const char *name, const char *header,
	  const uint8_t *data, long len)
{
	const uint8_t *p = data;
	X509_CRL *crl;
	X509 *x;

	if (strcmp(name, PEM_STRING_X509) == 0 ||
	    strcmp(name, PEM_STRING_X509_OLD) == 0 ||
	    strcmp(name, PEM_STRING_X509_TRUSTED) == 0) {
		x = strcmp(name, PEM_STRING_X509_TRUSTED) == 0 ?
		    d2i_X509_AUX(NULL, &p, len) : d2i_X509(NULL, &p, len);
		if (x == NULL)
			return fail(r, ERR_SYNTAX, "has a certificate that "
			    "cannot be read");
		return give_cert(r, x);
	}
	if (strcmp(name, PEM_STRING_X509_CRL) == 0) {
		if ((crl = d2i_X509_CRL(NULL, &p, len)) == NULL)
			return fail(r, ERR_SYNTAX, "has a CRL that cannot be "
			    "read");
		return give_crl(r, crl);
	}
	if (strstr(name, "PRIVATE KEY") != NULL)
		return r->to->key != NULL ?
		    pem_key(r, name, header, data, len) : 0;
	return 0;		/* parameters, requests: not ours */
}

static int
pem_read(struct reader *r, struct view bytes)
{
	BIO *b = BIO_new_mem_buf(bytes.p, (int)bytes.len);
	char *name = NULL, *header = NULL;
	uint8_t *data = NULL;
	long len = 0;
	int err = b != NULL ? 0 : ERR_NOMEM;

	while (err == 0 && PEM_read_bio(b, &name, &header, &data, &len) == 1) {
		err = pem_block(r, name, header, data, len);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(data, (size_t)len);
	}
	BIO_free(b);
	ERR_clear_error();
	if (err == 0 && r->n == 0)
		return fail(r, ERR_SYNTAX, "has nothing in it that can be used");
	return err;
}

/* ---- DER ---------------------------------------------------------------------- */

static int
p12_read(struct reader *r, PKCS12 *p12)
{
	STACK_OF(X509) *ca = NULL;
	EVP_PKEY *k = NULL;
	X509 *x = NULL;
	char pass[PASS_MAX] = "";
	int err = 0;

	if (r->pass.len >= sizeof(pass))
		return fail(r, ERR_LONG, "has too long a passphrase");
	if (r->pass.len > 0)
		memcpy(pass, r->pass.p, r->pass.len);
	if (PKCS12_parse(p12, pass, &k, &x, &ca) != 1) {
		OPENSSL_cleanse(pass, sizeof(pass));
		if (ERR_GET_REASON(ERR_peek_last_error()) ==
		    PKCS12_R_MAC_VERIFY_FAILURE)
			return locked(r);
		return fail(r, ERR_SYNTAX, "is PKCS#12 in a form that is out "
		    "of use: export it again with AES");
	}
	OPENSSL_cleanse(pass, sizeof(pass));
	if (k != NULL && r->to->key != NULL)
		err = give_key(r, k);
	else
		EVP_PKEY_free(k);
	if (x != NULL && err == 0)
		err = give_cert(r, x);
	else
		X509_free(x);
	while (ca != NULL && sk_X509_num(ca) > 0) {
		x = sk_X509_shift(ca);
		if (err == 0)
			err = give_cert(r, x);
		else
			X509_free(x);
	}
	sk_X509_free(ca);
	return err;
}

static int
der_key(struct reader *r, struct view bytes, bool *is_ours)
{
	const uint8_t *p = bytes.p;
	EVP_PKEY *k = d2i_AutoPrivateKey(NULL, &p, (long)bytes.len);
	X509_SIG *sealed;
	BIO *b;

	*is_ours = true;
	if (k != NULL)
		return give_key(r, k);
	p = bytes.p;
	if ((sealed = d2i_X509_SIG(NULL, &p, (long)bytes.len)) == NULL) {
		*is_ours = false;
		return 0;
	}
	X509_SIG_free(sealed);
	if ((b = BIO_new_mem_buf(bytes.p, (int)bytes.len)) == NULL)
		return ERR_NOMEM;
	k = d2i_PKCS8PrivateKey_bio(b, NULL, ossl_pass_give, &r->pass);
	BIO_free(b);
	return k != NULL ? give_key(r, k) : locked(r);
}

static int
der_read(struct reader *r, struct view bytes)
{
	const uint8_t *p = bytes.p;
	bool is_ours = false;
	X509_CRL *crl;
	PKCS12 *p12;
	X509 *x;
	int err;

	if ((x = d2i_X509(NULL, &p, (long)bytes.len)) != NULL)
		return give_cert(r, x);
	p = bytes.p;
	if ((crl = d2i_X509_CRL(NULL, &p, (long)bytes.len)) != NULL)
		return give_crl(r, crl);
	p = bytes.p;
	if ((p12 = d2i_PKCS12(NULL, &p, (long)bytes.len)) != NULL) {
		err = p12_read(r, p12);
		PKCS12_free(p12);
		return err;
	}
	if (r->to->key != NULL) {
		err = der_key(r, bytes, &is_ours);
		if (is_ours)
			return err;
	}
	return fail(r, ERR_SYNTAX, "is neither PEM nor DER nor PKCS#12");
}

int
ossl_bundle_read(struct view bytes, struct view pass,
		 const struct spi_bundle_to *to, char *why)
{
	struct reader r = { .to = to, .pass = pass, .why = why };
	int err;

	why[0] = '\0';
	if (bytes.len == 0 || bytes.len > INT32_MAX)
		return fail(&r, ERR_SYNTAX, "is empty");
	err = memmem(bytes.p, bytes.len, "-----BEGIN ", 11) != NULL ?
	    pem_read(&r, bytes) : der_read(&r, bytes);
	ERR_clear_error();
	return err;
}
