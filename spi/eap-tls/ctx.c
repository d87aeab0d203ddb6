/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/eap-tls/ctx.c - our certificate, key and rules for EAP-TLS.
 *
 * Thread: the caller's, before confinement.
 */
#include "spi/eap-tls/eap_tls.h"
#define ERR_STATE ossl_err_state_type
#include <openssl/pem.h>
#undef ERR_STATE
#include <limits.h>
#include <stdlib.h>
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "spi/spi_eap.h"

/* What RFC 9325 4.2 recommends of TLS 1.2; 1.3 has nothing else. */
#define HINT_MAX   64	/* names of authorities shown; ours */
#define CIPHERS_12 "ECDHE+AESGCM:ECDHE+CHACHA20"

/* Whether a certificate is good is not the library's to say: it is looked at
 * by the host, before anything that follows is sent. */
static int
take_any(X509_STORE_CTX *c, void *arg)
{
	(void)arg;
	X509_STORE_CTX_set_error(c, X509_V_OK);
	return 1;
}

/* No passphrase is asked for at a terminal. */
static int
no_pass(char *buf, int size, int rw, void *arg)
{
	(void)buf;
	(void)size;
	(void)rw;
	(void)arg;
	return 0;
}

static BIO *
bio_of(struct view v)
{
	return v.len > 0 && v.len <= INT_MAX ?
	    BIO_new_mem_buf(v.p, (int)v.len) : NULL;
}

static int
chain_load(SSL_CTX *ctx, struct view pem)
{
	BIO *b = bio_of(pem);
	unsigned n = 0;
	bool is_ok = b != NULL;
	X509 *x;

	while (is_ok && (x = PEM_read_bio_X509(b, NULL, no_pass, NULL)) != NULL) {
		is_ok = n == 0 ? SSL_CTX_use_certificate(ctx, x) == 1 :
		    SSL_CTX_add1_chain_cert(ctx, x) == 1;
		X509_free(x);
		n++;
	}
	BIO_free(b);
	return is_ok && n > 0 ? 0 : ERR_KEYFILE;
}

static int
key_load(SSL_CTX *ctx, struct view pem)
{
	BIO *b = bio_of(pem);
	EVP_PKEY *k = b == NULL ? NULL :
	    PEM_read_bio_PrivateKey(b, NULL, no_pass, NULL);
	int err = 0;

	if (k == NULL || SSL_CTX_use_PrivateKey(ctx, k) != 1 ||
	    SSL_CTX_check_private_key(ctx) != 1)
		err = ERR_KEYFILE;
	EVP_PKEY_free(k);
	BIO_free(b);
	return err;
}

/* One name more, unless there are many: a client that gets no hint of its own
 * authority chooses by itself.  Takes x. */
static int
hint_add(SSL_CTX *ctx, X509 *x, unsigned *n)
{
	bool is_ok = *n >= HINT_MAX || SSL_CTX_add_client_CA(ctx, x) == 1;

	X509_free(x);
	(*n)++;
	return is_ok ? 0 : ERR_NOMEM;
}

/* A file is PEM with any number of certificates, or DER with one; what else is in
 * it is not for here. */
static int
hint_file(SSL_CTX *ctx, struct view file, unsigned *n)
{
	const unsigned char *p = file.p;
	unsigned before = *n;
	BIO *b = bio_of(file);
	int err = 0;
	X509 *x;

	while (err == 0 && b != NULL &&
	       (x = PEM_read_bio_X509(b, NULL, no_pass, NULL)) != NULL)
		err = hint_add(ctx, x, n);
	BIO_free(b);
	if (err == 0 && *n == before && file.len <= LONG_MAX &&
	    (x = d2i_X509(NULL, &p, (long)file.len)) != NULL)
		err = hint_add(ctx, x, n);
	return err != 0 || *n > before ? err : ERR_KEYFILE;
}

/* Names of authorities for the CertificateRequest: many clients choose by it. */
static int
hints_load(SSL_CTX *ctx, const struct spi_eap_tls_conf *c)
{
	unsigned n = 0;
	int err = 0;

	for (unsigned i = 0; err == 0 && i < c->n_anchor; i++)
		err = hint_file(ctx, c->anchor[i], &n);
	return err;
}

static bool
rules_set(SSL_CTX *ctx, const struct spi_eap_tls_conf *c)
{
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
			    SSL_OP_NO_RENEGOTIATION |
			    SSL_OP_CIPHER_SERVER_PREFERENCE);
	/* Servers of 1.2 that do not know RFC 5746, as strongSwan's: there is
	 * no renegotiation, and the server has proved itself to IKE before. */
	if (!c->is_server)
		SSL_CTX_set_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER |
			   SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, take_any, NULL);
	SSL_CTX_set_max_cert_list(ctx, EAP_TLS_MAX);
	return SSL_CTX_set_min_proto_version(ctx, c->is_12_permitted ?
	    TLS1_2_VERSION : TLS1_3_VERSION) == 1 &&
	    SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1 &&
	    SSL_CTX_set_num_tickets(ctx, 0) == 1 &&
	    SSL_CTX_set_max_early_data(ctx, 0) == 1 &&
	    SSL_CTX_set_cipher_list(ctx, CIPHERS_12) == 1;
}

/* A client that shows none. */
static bool
has_none(const struct spi_eap_tls_conf *c)
{
	return !c->is_server && c->chain.len == 0 && c->key.len == 0;
}

int
spi_eap_tls_new(const struct spi_eap_tls_conf *c, struct spi_eap_tls **out,
		char *why)
{
	struct spi_eap_tls *t = calloc(1, sizeof(*t));
	int err = ERR_NOMEM;

	if (t == NULL)
		return ERR_NOMEM;
	t->is_server = c->is_server;
	t->ctx = SSL_CTX_new(c->is_server ? TLS_server_method() :
			     TLS_client_method());
	if (t->ctx == NULL)
		goto out;
	err = ERR_CRYPTO;
	str_copy(why, SPI_EAP_WHY_MAX, "TLS as it should be is not possible "
		 "with this library");
	if (!rules_set(t->ctx, c))
		goto out;
	str_copy(why, SPI_EAP_WHY_MAX, "no usable certificate in PEM");
	if (!has_none(c) && (err = chain_load(t->ctx, c->chain)) != 0)
		goto out;
	str_copy(why, SPI_EAP_WHY_MAX, "no usable private key in PEM, or it is "
		 "not that of the certificate");
	if (!has_none(c) && (err = key_load(t->ctx, c->key)) != 0)
		goto out;
	str_copy(why, SPI_EAP_WHY_MAX, "an authority's certificate is not "
		 "usable");
	if ((err = hints_load(t->ctx, c)) != 0)
		goto out;
	why[0] = '\0';
	*out = t;
	t = NULL;
out:
	spi_eap_tls_free(t);
	return err;
}

void
spi_eap_tls_free(struct spi_eap_tls *t)
{
	if (t == NULL)
		return;
	SSL_CTX_free(t->ctx);
	free(t);
}
