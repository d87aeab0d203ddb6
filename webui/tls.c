/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/tls.c - TLS 1.3, and the one digest that is needed.
 */
#define ERR_STATE ossl_err_state_type /* a type of theirs, an error of ours */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#undef ERR_STATE
#include "webui/tls.h"
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"

#define PEM_BYTES_MAX (256u << 10) /* of one file; ours */

/* The whole file as memory that is wiped with it. */
static BIO *
file_bio(int fd)
{
	BIO *b = fd >= 0 ? BIO_new(BIO_s_secmem()) : NULL;
	uint8_t part[4096];
	size_t total = 0;
	ssize_t n;

	while (b != NULL && (n = read(fd, part, sizeof(part))) > 0) {
		total += (size_t)n;
		if (total > PEM_BYTES_MAX || BIO_write(b, part, (int)n) != n) {
			BIO_free(b);
			b = NULL;
		}
	}
	wipe(part, sizeof(part));
	return b;
}

static bool
chain_use(SSL_CTX *ctx, BIO *b)
{
	X509 *x = b != NULL ? PEM_read_bio_X509(b, NULL, NULL, NULL) : NULL;
	bool is_ok = x != NULL && SSL_CTX_use_certificate(ctx, x) == 1;

	X509_free(x);
	while (is_ok && (x = PEM_read_bio_X509(b, NULL, NULL, NULL)) != NULL)
		if (SSL_CTX_add0_chain_cert(ctx, x) != 1) {
			X509_free(x);
			is_ok = false;
		}
	ERR_clear_error(); /* "no start line" ends the file */
	return is_ok;
}

static bool
key_use(SSL_CTX *ctx, BIO *b)
{
	EVP_PKEY *k = b != NULL ?
	    PEM_read_bio_PrivateKey(b, NULL, NULL, NULL) : NULL;
	bool is_ok = k != NULL && SSL_CTX_use_PrivateKey(ctx, k) == 1 &&
	    SSL_CTX_check_private_key(ctx) == 1;

	EVP_PKEY_free(k);
	return is_ok;
}

static bool
ca_use(SSL_CTX *ctx, BIO *b)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	unsigned n = 0;
	X509 *x;

	while (b != NULL && (x = PEM_read_bio_X509(b, NULL, NULL, NULL)) != NULL) {
		n += X509_STORE_add_cert(store, x) == 1 &&
		    SSL_CTX_add_client_CA(ctx, x) == 1;
		X509_free(x);
	}
	ERR_clear_error();
	return n > 0;
}

static const char *
fill(SSL_CTX *ctx, int cert, int key, int ca, bool is_must)
{
	BIO *c = file_bio(cert), *k = file_bio(key), *a = file_bio(ca);
	const char *bad = NULL;

	if (!chain_use(ctx, c))
		bad = "its certificate cannot be read as PEM";
	else if (!key_use(ctx, k))
		bad = "its private key cannot be read as PEM, or is not that of "
		    "the certificate";
	else if (ca >= 0 && !ca_use(ctx, a))
		bad = "the authority of clients cannot be read as PEM";
	else if (ca >= 0)
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER |
		    (is_must ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
	BIO_free(c);
	BIO_free(k);
	BIO_free(a);
	return bad;
}

int
ui_tls_new(struct ssl_ctx_st **out, int cert, int key, int ca, bool is_must,
	   char *why, size_t cap)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	const char *bad;

	why[0] = '\0';
	if (ctx == NULL)
		return ERR_NOMEM;
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1) {
		SSL_CTX_free(ctx);
		return ERR_CRYPTO;
	}
	(void)SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
				  SSL_OP_NO_RENEGOTIATION);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_verify_depth(ctx, 8);
	if ((bad = fill(ctx, cert, key, ca, is_must)) != NULL) {
		str_add(why, cap, "%s", bad);
		SSL_CTX_free(ctx);
		return ERR_KEYFILE;
	}
	*out = ctx;
	return 0;
}

void
ui_tls_free(struct ssl_ctx_st *ctx)
{
	SSL_CTX_free(ctx);
}

struct bufferevent *
ui_tls_bev(struct event_base *base, int fd, struct ssl_ctx_st *ctx)
{
	SSL *ssl = SSL_new(ctx);
	struct bufferevent *bev;

	if (ssl == NULL)
		return NULL;
	bev = bufferevent_openssl_socket_new(base, fd, ssl,
	    BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (bev == NULL) {
		SSL_free(ssl);
		return NULL;
	}
	bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	return bev;
}

int
ui_sha256(const void *p, size_t n, uint8_t out[32])
{
	unsigned len = 0;

	return EVP_Digest(p, n, out, &len, EVP_sha256(), NULL) == 1 &&
	    len == 32 ? 0 : ERR_CRYPTO;
}
