/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/cert-openssl/cert_openssl.h - what the files of this provider share.
 */
#ifndef TAPIR_SPI_CERT_OPENSSL_H
#define TAPIR_SPI_CERT_OPENSSL_H

/* OpenSSL has a type of this name; ours is an error. */
#define ERR_STATE ossl_err_state_type
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#undef ERR_STATE

#include "daemon/base/err.h"
#include "spi/spi_cert.h"

struct spi_cert {
	X509 *x;
	struct view der;	/* own copy */
	GENERAL_NAMES *san;	/* NULL: none */
	bool is_broken;		/* an extension that cannot be read */
};
struct spi_pkey {
	EVP_PKEY *k;
};
struct spi_crl {
	X509_CRL *x;
};

/* key.c */
enum spi_key_kind ossl_key_kind(const EVP_PKEY *k);
MUST_USE int ossl_key_wrap(EVP_PKEY *k, struct spi_pkey **out); /* takes */
int ossl_key_uri(const char *uri, struct view pass, struct spi_pkey **out,
		 char *why);
int ossl_key_public(struct view bytes, struct spi_pkey **out);
void ossl_key_free(struct spi_pkey *k);
enum spi_key_kind ossl_key_kind_of(const struct spi_pkey *k);
int ossl_key_spki(const struct spi_pkey *k, uint8_t **out, size_t *len);
bool ossl_key_is_of(const struct spi_pkey *k, const struct spi_cert *c);
bool ossl_key_same(const struct spi_pkey *a, const struct spi_pkey *b);
void ossl_lock_keys(void);
int ossl_pass_give(char *buf, int size, int rw, void *view);

/* sig.c */
int ossl_sign(struct spi_pkey *k, const struct spi_sig *how,
	      const struct view *part, unsigned n, uint8_t *out, size_t *len);
int ossl_check(struct spi_pkey *k, const struct spi_sig *how,
	       const struct view *part, unsigned n, struct view sig);

/* bundle.c */
int ossl_bundle_read(struct view bytes, struct view pass,
		     const struct spi_bundle_to *to, char *why);

/* cert.c */
MUST_USE int ossl_cert_wrap(X509 *x, struct spi_cert **out); /* takes */
void ossl_cert_free(struct spi_cert *c);
int64_t ossl_time(const ASN1_TIME *t);

/* path.c */
int ossl_path_build(const struct spi_path_ask *q, struct spi_cert_path *out,
		    char *why);

/* revoke.c */
int ossl_crl_read(struct view der, struct spi_crl **out);
MUST_USE int ossl_crl_wrap(X509_CRL *x, struct spi_crl **out); /* takes */
void ossl_crl_free(struct spi_crl *c);
bool ossl_crl_is_newer(const struct spi_crl *a, const struct spi_crl *b);
bool ossl_crl_is_by(const struct spi_crl *crl, const struct spi_cert *issuer);
enum spi_status ossl_crl_look(const struct spi_crl *crl,
			      const struct spi_cert *c,
			      const struct spi_cert *issuer, int64_t now);
enum spi_status ossl_ocsp_look(struct view der, const struct spi_cert *c,
			       const struct spi_cert *issuer, int64_t now);

#endif
