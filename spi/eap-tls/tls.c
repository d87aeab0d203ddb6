/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/eap-tls/tls.c - EAP-TLS, both ends: TLS 1.3 (RFC 9190), TLS 1.2 (RFC 5216).
 *
 *   server                                       client
 *     Start                             -->
 *                                       <--   ClientHello
 *     ServerHello ... Finished          -->
 *                                       <--   Certificate ... Finished
 *     1.3: a protected zero byte        -->
 *     1.2: Finished                     -->
 *                                       <--   nothing
 *
 * TLS runs over two buffers in memory.  The library checks that the other end
 * has the key of its certificate; whether that certificate is good is asked of
 * the host (look), and nothing that was made after it was seen is sent before
 * the answer is yes: no Finished of a server, no certificate of a client.
 *
 * No resumption, no early data, no renegotiation: a conversation stands alone.
 *
 * Thread: that of the conversation.
 */
#include "spi/eap-tls/eap_tls.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "spi/spi_eap.h"

#define CHAIN_MAX    8		/* certificates looked at; ours */
#define EXPORT_LEN   128	/* RFC 9190 2.3: MSK and EMSK */
#define COMMIT	     0x00	/* RFC 9190 2.1.1: protected success */

enum phase {
	P_START,	/* server: nothing sent; client: waits for Start */
	P_SHAKE,	/* handshake */
	P_COMMIT,	/* client, 1.3: waits for the zero byte;
			 * server: its last message is on its way */
	P_ALERT,	/* server: an alert is on its way, then it is over */
	P_OVER
};

struct spi_eap_run {
	enum phase phase;
	struct spi_eap_conf conf;
	char user[SPI_EAP_USER_MAX + 1];
	SSL *ssl;
	BIO *to, *from;		/* into TLS, out of TLS; the SSL has them */
	struct eap_frag frag;
	bool has_looked;	/* the host has said yes */
};

extern const struct spi_eap spi_eap_tls;

static enum spi_eap_end
fail(struct spi_eap_run *r, struct spi_eap_result *res, const char *why)
{
	r->phase = P_OVER;
	if (res->why[0] == '\0')
		str_copy(res->why, sizeof(res->why), why);
	return SPI_EAP_FAIL;
}

static bool
is_13(const struct spi_eap_run *r)
{
	return SSL_version(r->ssl) == TLS1_3_VERSION;
}

/* ---- the end ---------------------------------------------------------------- */

static int
export_key(struct spi_eap_run *r, uint8_t msk[SPI_EAP_MSK])
{
	static const char label_13[] = "EXPORTER_EAP_TLS_Key_Material";
	static const char label_12[] = "client EAP encryption";
	static const uint8_t type = SPI_EAP_TLS;
	uint8_t key[EXPORT_LEN];
	int ok;

	if (is_13(r))
		ok = SSL_export_keying_material(r->ssl, key, sizeof(key),
		    label_13, sizeof(label_13) - 1, &type, 1, 1);
	else
		ok = SSL_export_keying_material(r->ssl, key, sizeof(key),
		    label_12, sizeof(label_12) - 1, NULL, 0, 0);
	if (ok == 1)
		memcpy(msk, key, SPI_EAP_MSK);
	wipe(key, sizeof(key));
	return ok == 1 ? 0 : ERR_CRYPTO;
}

static enum spi_eap_end
done(struct spi_eap_run *r, struct spi_eap_result *res)
{
	if (!r->has_looked || !SSL_is_init_finished(r->ssl))
		return fail(r, res, "TLS has not finished");
	if (export_key(r, res->msk) != 0)
		return fail(r, res, "the session key cannot be computed");
	str_copy(res->user, sizeof(res->user), r->user);
	r->phase = P_OVER;
	return SPI_EAP_DONE;
}

/* ---- TLS --------------------------------------------------------------------- */

/* What TLS wants to send becomes what we send in pieces. */
static int
collect(struct spi_eap_run *r)
{
	char *p = NULL;
	long n = BIO_get_mem_data(r->from, &p);
	int err;

	if (n <= 0)
		return 0;
	err = eap_frag_give(&r->frag, (const uint8_t *)p, (size_t)n);
	(void)BIO_reset(r->from);
	return err;
}

/* Leaf first, as they came. */
static unsigned
chain_get(struct spi_eap_run *r, uint8_t *der[CHAIN_MAX],
	  struct view view[CHAIN_MAX])
{
	X509 *leaf = SSL_get0_peer_certificate(r->ssl);
	STACK_OF(X509) *more = SSL_get_peer_cert_chain(r->ssl);
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

static enum spi_eap_end
look(struct spi_eap_run *r, struct spi_eap_result *res)
{
	uint8_t *der[CHAIN_MAX];
	struct view view[CHAIN_MAX];
	unsigned n = chain_get(r, der, view);
	int err = n > 0 ? r->conf.host->look(r->conf.ctx, view, n) :
	    ERR_NOTFOUND;

	for (unsigned i = 0; i < n; i++)
		OPENSSL_free(der[i]);
	return err == 0 ? SPI_EAP_WAIT :
	    fail(r, res, "the certificate cannot be looked at now");
}

/* The next piece; with nothing to send, an empty message. */
static enum spi_eap_end
send_piece(struct spi_eap_run *r, struct wcur *out)
{
	eap_frag_put(&r->frag, out, SPI_EAP_MTU - 5);
	return SPI_EAP_MORE;
}

/* After each advance of the handshake, once the certificate is good. */
static enum spi_eap_end
advanced(struct spi_eap_run *r, struct wcur *out, struct spi_eap_result *res)
{
	static const uint8_t commit = COMMIT;

	if (SSL_is_init_finished(r->ssl)) {
		if (!r->has_looked)
			return fail(r, res, "the other end has no certificate");
		if (r->conf.is_server && is_13(r) &&
		    SSL_write(r->ssl, &commit, 1) != 1)
			return fail(r, res, "TLS cannot go on");
		r->phase = P_COMMIT;
	}
	if (collect(r) != 0)
		return fail(r, res, "the TLS message is too long");
	/* a client of 1.2 has heard the last word; 1.3 waits for one more */
	if (r->phase == P_COMMIT && !r->conf.is_server && !is_13(r)) {
		(void)send_piece(r, out);
		return done(r, res);
	}
	return send_piece(r, out);
}

/* TLS refuses.  What it says about it is the last that is sent. */
static enum spi_eap_end
refused(struct spi_eap_run *r, struct wcur *out, struct spi_eap_result *res)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	snprintf(res->why, sizeof(res->why), "TLS: %s", reason != NULL ?
		 reason : "no agreement with the other end");
	if (collect(r) != 0)
		return fail(r, res, "TLS failed");
	/* a server waits for the answer to its alert; a client answers the
	 * other end's with nothing, so that the other end can finish */
	if (r->conf.is_server && !eap_frag_is_sending(&r->frag))
		return fail(r, res, "TLS failed");
	(void)send_piece(r, out);
	if (r->conf.is_server) {
		r->phase = P_ALERT;
		return SPI_EAP_MORE;
	}
	return fail(r, res, "TLS failed");
}

static enum spi_eap_end
shake(struct spi_eap_run *r, struct wcur *out, struct spi_eap_result *res)
{
	int ret;

	ERR_clear_error();	/* SSL_get_error() looks there */
	ret = SSL_do_handshake(r->ssl);
	if (ret != 1 && SSL_get_error(r->ssl, ret) != SSL_ERROR_WANT_READ)
		return refused(r, out, res);
	if (!r->has_looked && SSL_get0_peer_certificate(r->ssl) != NULL)
		return look(r, res);
	if (ret != 1 && BIO_ctrl_pending(r->from) == 0)
		return fail(r, res, "TLS message incomplete");
	return advanced(r, out, res);
}

/* Client, 1.3: the zero byte, and nothing else. */
static enum spi_eap_end
commit_take(struct spi_eap_run *r, struct wcur *out, struct spi_eap_result *res)
{
	uint8_t byte[2];
	int n = SSL_read(r->ssl, byte, sizeof(byte));

	if (n != 1 || byte[0] != COMMIT || SSL_pending(r->ssl) > 0)
		return fail(r, res, "the server refuses our certificate");
	(void)BIO_reset(r->from);	/* nothing of it is sent */
	(void)send_piece(r, out);
	return done(r, res);
}

/* ---- messages ---------------------------------------------------------------- */

static enum spi_eap_end
whole(struct spi_eap_run *r, struct wcur *out, struct spi_eap_result *res)
{
	size_t len = r->frag.in_len;
	int n = 0;

	/* what a server sent last is answered with nothing */
	if (r->conf.is_server && r->phase == P_COMMIT)
		return len == 0 ? done(r, res) :
		    fail(r, res, "the client refuses our certificate");
	if (len == 0)
		return fail(r, res, "empty TLS message");
	n = BIO_write(r->to, r->frag.in, (int)len);
	eap_frag_taken(&r->frag);
	if (n < 0 || (size_t)n != len)
		return fail(r, res, "out of memory");
	if (r->phase == P_COMMIT)
		return commit_take(r, out, res);
	return shake(r, out, res);
}

static enum spi_eap_end
begin(struct spi_eap_run *r, struct view in, struct wcur *out,
      struct spi_eap_result *res)
{
	if (r->conf.is_server) {
		wcur_u8(out, EAP_TLS_F_START);
		r->phase = P_SHAKE;
		return SPI_EAP_MORE;
	}
	if (in.len != 1 || (in.p[0] & 0xe0) != EAP_TLS_F_START)
		return fail(r, res, "EAP-TLS does not begin with Start");
	r->phase = P_SHAKE;
	return shake(r, out, res);
}

static enum spi_eap_end
step(struct spi_eap_run *r, uint8_t id, struct view in, struct wcur *out,
     struct spi_eap_result *res)
{
	uint8_t flags;

	(void)id;
	if (r->phase == P_OVER)
		return fail(r, res, "the conversation is over");
	if (r->phase == P_ALERT)
		return fail(r, res, "TLS failed");
	if (r->phase == P_START)
		return begin(r, in, out, res);
	switch (eap_frag_take(&r->frag, in, &flags)) {
	case EAP_PIECE_ACK:
		return send_piece(r, out);
	case EAP_PIECE_MORE:
		/* nothing is left to send: an acknowledgement */
		return send_piece(r, out);
	case EAP_PIECE_WHOLE:
		if ((flags & EAP_TLS_F_START) != 0)
			break;
		return whole(r, out, res);
	case EAP_PIECE_BAD:
		break;
	}
	return fail(r, res, "malformed message of EAP-TLS");
}

static enum spi_eap_end
go_on(struct spi_eap_run *r, int err, const char *why, struct wcur *out,
      struct spi_eap_result *res)
{
	if (r->phase != P_SHAKE || r->has_looked)
		return fail(r, res, "nothing was asked");
	if (err != 0) {
		(void)BIO_reset(r->from);	/* it has no right to hear it */
		return fail(r, res, why);
	}
	r->has_looked = true;
	return advanced(r, out, res);
}

/* ---- one conversation -------------------------------------------------------- */

static void
run_close(struct spi_eap_run *r)
{
	if (r == NULL)
		return;
	SSL_free(r->ssl);	/* and both buffers */
	eap_frag_fini(&r->frag);
	free(r);
}

static int
buffers_make(struct spi_eap_run *r)
{
	r->to = BIO_new(BIO_s_mem());
	r->from = BIO_new(BIO_s_mem());
	if (r->to == NULL || r->from == NULL) {
		BIO_free(r->to);
		BIO_free(r->from);
		return ERR_NOMEM;
	}
	/* empty means: more comes later */
	BIO_set_mem_eof_return(r->to, -1);
	BIO_set_mem_eof_return(r->from, -1);
	SSL_set_bio(r->ssl, r->to, r->from);
	return 0;
}

static int
run_open(const struct spi_eap_conf *c, struct spi_eap_run **out)
{
	struct spi_eap_run *r;

	if (c->tls == NULL || c->tls->is_server != c->is_server ||
	    c->host->look == NULL)
		return ERR_UNSUP;
	if (c->user.len > SPI_EAP_USER_MAX)
		return ERR_LONG;
	if ((r = calloc(1, sizeof(*r))) == NULL)
		return ERR_NOMEM;
	r->conf = *c;
	if (c->user.len > 0)
		memcpy(r->user, c->user.p, c->user.len);
	r->ssl = SSL_new(c->tls->ctx);
	if (r->ssl == NULL || buffers_make(r) != 0) {
		run_close(r);
		return ERR_NOMEM;
	}
	if (c->is_server)
		SSL_set_accept_state(r->ssl);
	else
		SSL_set_connect_state(r->ssl);
	*out = r;
	return 0;
}

static int
init(void)
{
	return OPENSSL_init_ssl(0, NULL) == 1 ? 0 : ERR_UNSUP;
}

const struct spi_eap spi_eap_tls = {
	.head = { SPI_VERSION, "tls", "certificates on both sides" },
	.type = SPI_EAP_TLS,
	.flags = SPI_EAP_F_MUTUAL | SPI_EAP_F_ALONE | SPI_EAP_F_TLS,
	.init = init,
	.open = run_open,
	.close = run_close,
	.step = step,
	.go_on = go_on,
};
