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
 * Nothing that was made after the other end's certificate was seen is sent
 * before the host has said that it is good: no Finished of a server, no
 * certificate of a client (wire.c).
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
#include "daemon/base/str.h"
#include "spi/spi_eap.h"

#define COMMIT 0x00		/* RFC 9190 2.1.1: protected success */

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
	struct eap_wire w;
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

/* ---- the end ---------------------------------------------------------------- */

static enum spi_eap_end
done(struct spi_eap_run *r, struct spi_eap_result *res)
{
	if (!r->w.has_looked || !SSL_is_init_finished(r->w.ssl))
		return fail(r, res, "TLS has not finished");
	if (eap_wire_key(&r->w, "client EAP encryption", SPI_EAP_TLS,
	    res->msk) != 0)
		return fail(r, res, "the session key cannot be computed");
	str_copy(res->user, sizeof(res->user), r->user);
	r->phase = P_OVER;
	return SPI_EAP_DONE;
}

/* ---- TLS --------------------------------------------------------------------- */

static enum spi_eap_end
look(struct spi_eap_run *r, struct spi_eap_result *res)
{
	return eap_wire_look(&r->w, &r->conf) == 0 ? SPI_EAP_WAIT :
	    fail(r, res, "the certificate cannot be looked at now");
}

/* The next piece; with nothing to send, an empty message. */
static enum spi_eap_end
send_piece(struct spi_eap_run *r, struct wcur *out)
{
	eap_frag_put(&r->w.frag, out, SPI_EAP_MTU - 5);
	return SPI_EAP_MORE;
}

/* After each advance of the handshake, once the certificate is good. */
static enum spi_eap_end
advanced(struct spi_eap_run *r, struct wcur *out, struct spi_eap_result *res)
{
	static const uint8_t commit = COMMIT;

	if (SSL_is_init_finished(r->w.ssl)) {
		if (!r->w.has_looked)
			return fail(r, res, "the other end has no certificate");
		if (r->conf.is_server && eap_wire_is_13(&r->w) &&
		    SSL_write(r->w.ssl, &commit, 1) != 1)
			return fail(r, res, "TLS cannot go on");
		r->phase = P_COMMIT;
	}
	if (eap_wire_collect(&r->w) != 0)
		return fail(r, res, "the TLS message is too long");
	/* a client of 1.2 has heard the last word; 1.3 waits for one more */
	if (r->phase == P_COMMIT && !r->conf.is_server &&
	    !eap_wire_is_13(&r->w)) {
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
	if (eap_wire_collect(&r->w) != 0)
		return fail(r, res, "TLS failed");
	/* a server waits for the answer to its alert; a client answers the
	 * other end's with nothing, so that the other end can finish */
	if (r->conf.is_server && !eap_frag_is_sending(&r->w.frag))
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
	switch (eap_wire_shake(&r->w)) {
	case EAP_SHAKE_LOOK:
		return look(r, res);
	case EAP_SHAKE_ON:
		return advanced(r, out, res);
	case EAP_SHAKE_SHORT:
		return fail(r, res, "TLS message incomplete");
	case EAP_SHAKE_NO:
		break;
	}
	return refused(r, out, res);
}

/* Client, 1.3: the zero byte, and nothing else. */
static enum spi_eap_end
commit_take(struct spi_eap_run *r, struct wcur *out, struct spi_eap_result *res)
{
	uint8_t byte[2];
	int n = SSL_read(r->w.ssl, byte, sizeof(byte));

	if (n != 1 || byte[0] != COMMIT || SSL_pending(r->w.ssl) > 0)
		return fail(r, res, "the server refuses our certificate");
	eap_wire_mute(&r->w);	/* nothing of it is sent */
	(void)send_piece(r, out);
	return done(r, res);
}

/* ---- messages ---------------------------------------------------------------- */

static enum spi_eap_end
whole(struct spi_eap_run *r, struct wcur *out, struct spi_eap_result *res)
{
	size_t len = r->w.frag.in_len;

	/* what a server sent last is answered with nothing */
	if (r->conf.is_server && r->phase == P_COMMIT)
		return len == 0 ? done(r, res) :
		    fail(r, res, "the client refuses our certificate");
	if (len == 0)
		return fail(r, res, "empty TLS message");
	if (eap_wire_feed(&r->w) != 0)
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
	switch (eap_frag_take(&r->w.frag, in, &flags)) {
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
	if (r->phase != P_SHAKE || r->w.has_looked)
		return fail(r, res, "nothing was asked");
	if (err != 0) {
		eap_wire_mute(&r->w);	/* it has no right to hear it */
		return fail(r, res, why);
	}
	r->w.has_looked = true;
	return advanced(r, out, res);
}

/* ---- one conversation -------------------------------------------------------- */

static void
run_close(struct spi_eap_run *r)
{
	if (r == NULL)
		return;
	eap_wire_fini(&r->w);
	free(r);
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
	if (eap_wire_open(&r->w, c->tls) != 0) {
		run_close(r);
		return ERR_NOMEM;
	}
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
