/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/eap-tls/wire.c - TLS between two buffers in memory, for the methods of EAP
 * that are built on it.
 *
 *   pieces of EAP --> frag.in --> to --> TLS --> from --> frag.out --> pieces
 *
 * The library checks that the other end has the key of its certificate; whether
 * that certificate is good is asked of the host (look).
 *
 * Thread: that of the conversation.
 */
#include "spi/eap-tls/eap_tls.h"
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "spi/spi_eap.h"

#define CHAIN_MAX  8		/* certificates looked at; ours */
#define EXPORT_LEN 128		/* RFC 9190 2.3: MSK and EMSK */

bool
eap_wire_is_13(const struct eap_wire *w)
{
	return SSL_version(w->ssl) == TLS1_3_VERSION;
}

int
eap_wire_key(struct eap_wire *w, const char *label_12, uint8_t type,
	     uint8_t *msk)
{
	static const char label_13[] = "EXPORTER_EAP_TLS_Key_Material";
	uint8_t key[EXPORT_LEN];
	int ok;

	if (eap_wire_is_13(w))
		ok = SSL_export_keying_material(w->ssl, key, sizeof(key),
		    label_13, sizeof(label_13) - 1, &type, 1, 1);
	else
		ok = SSL_export_keying_material(w->ssl, key, sizeof(key),
		    label_12, strlen(label_12), NULL, 0, 0);
	if (ok == 1)
		memcpy(msk, key, SPI_EAP_MSK);
	wipe(key, sizeof(key));
	return ok == 1 ? 0 : ERR_CRYPTO;
}

int
eap_wire_collect(struct eap_wire *w)
{
	char *p = NULL;
	long n = BIO_get_mem_data(w->from, &p);
	int err;

	if (n <= 0)
		return 0;
	err = eap_frag_give(&w->frag, (const uint8_t *)p, (size_t)n);
	(void)BIO_reset(w->from);
	return err;
}

void
eap_wire_mute(struct eap_wire *w)
{
	(void)BIO_reset(w->from);
}

int
eap_wire_feed(struct eap_wire *w)
{
	size_t len = w->frag.in_len;
	int n = BIO_write(w->to, w->frag.in, (int)len);

	eap_frag_taken(&w->frag);
	return n >= 0 && (size_t)n == len ? 0 : ERR_NOMEM;
}

/* Leaf first, as they came. */
static unsigned
chain_get(const struct eap_wire *w, uint8_t *der[CHAIN_MAX],
	  struct view view[CHAIN_MAX])
{
	X509 *leaf = SSL_get0_peer_certificate(w->ssl);
	STACK_OF(X509) *more = SSL_get_peer_cert_chain(w->ssl);
	int n_more = more != NULL ? sk_X509_num(more) : 0;
	unsigned n = 0;

	for (int i = -1; leaf != NULL && i < n_more && n < CHAIN_MAX; i++) {
		X509 *x = i < 0 ? leaf : sk_X509_value(more, i);
		int len;

		/* a client's chain has the leaf once more */
		if (i >= 0 && X509_cmp(x, leaf) == 0)
			continue;
		der[n] = NULL;
		if ((len = i2d_X509(x, &der[n])) <= 0)
			break;
		view[n] = (struct view){ der[n], (size_t)len };
		n++;
	}
	return n;
}

int
eap_wire_look(struct eap_wire *w, const struct spi_eap_conf *c)
{
	uint8_t *der[CHAIN_MAX];
	struct view view[CHAIN_MAX];
	unsigned n = chain_get(w, der, view);
	int err = n > 0 ? c->host->look(c->ctx, view, n) : ERR_NOTFOUND;

	for (unsigned i = 0; i < n; i++)
		OPENSSL_free(der[i]);
	return err;
}

enum eap_shake
eap_wire_shake(struct eap_wire *w)
{
	int ret;

	ERR_clear_error();	/* SSL_get_error() looks there */
	ret = SSL_do_handshake(w->ssl);
	if (ret != 1 && SSL_get_error(w->ssl, ret) != SSL_ERROR_WANT_READ)
		return EAP_SHAKE_NO;
	if (!w->has_looked && SSL_get0_peer_certificate(w->ssl) != NULL)
		return EAP_SHAKE_LOOK;
	return ret == 1 || BIO_ctrl_pending(w->from) > 0 ? EAP_SHAKE_ON :
	    EAP_SHAKE_SHORT;
}

static int
buffers_make(struct eap_wire *w)
{
	w->to = BIO_new(BIO_s_mem());
	w->from = BIO_new(BIO_s_mem());
	if (w->to == NULL || w->from == NULL) {
		BIO_free(w->to);
		BIO_free(w->from);
		return ERR_NOMEM;
	}
	/* empty means: more comes later */
	BIO_set_mem_eof_return(w->to, -1);
	BIO_set_mem_eof_return(w->from, -1);
	SSL_set_bio(w->ssl, w->to, w->from);
	return 0;
}

int
eap_wire_open(struct eap_wire *w, const struct spi_eap_tls *t)
{
	w->ssl = SSL_new(t->ctx);
	if (w->ssl == NULL || buffers_make(w) != 0)
		return ERR_NOMEM;
	if (t->is_server)
		SSL_set_accept_state(w->ssl);
	else
		SSL_set_connect_state(w->ssl);
	return 0;
}

void
eap_wire_fini(struct eap_wire *w)
{
	SSL_free(w->ssl);	/* and both buffers */
	eap_frag_fini(&w->frag);
}
