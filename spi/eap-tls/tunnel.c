/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/eap-tls/tunnel.c - a password in a TLS tunnel, as a client: EAP-TTLS version
 * 0 (RFC 5281) and PEAP version 0 ([MS-PEAP]), both with EAP-MSCHAPv2 inside and
 * keys with TLS 1.3 by RFC 9427.  Servers of it are RADIUS servers, to whom a
 * gateway carries it unread.
 *
 *   server                                       client
 *     Start                             -->
 *     ...                       TLS handshake              ...
 *     (Finished)                        -->
 *   TTLS:                               <--   [ EAP Response/Identity ]
 *   PEAP:                               <--   nothing
 *     [ EAP Request/Identity ]          -->
 *                                       <--   [ EAP Response/Identity ]
 *     [ EAP Request/MSCHAPv2 ]          -->
 *     ...                         in the tunnel            ...
 *   PEAP:
 *     [ Result ]                        -->
 *                                       <--   [ Result ]
 *
 * Nothing about the user is said in the tunnel before the host has said that the
 * server's certificate is good.  The server proves by MSCHAPv2 that it knows the
 * password, too; after that, with PEAP after its protected Result, a Success may
 * come, or more in the tunnel (an EAP Success, a ticket, which is not used).
 *
 * PEAP's binding of the methods (Cryptobinding) is not made; a server that
 * requires it refuses.
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

#define VERSION	   0x07u	/* bits of the flags */
#define TUNNEL_MAX (SPI_EAP_IN_MAX + 1024) /* bytes in a message; ours */

/* What is otherwise in the two. */
struct tunnel {
	uint8_t type;
	const char *label;	/* of the key, TLS 1.2 */
	const char *no_start;
};

enum phase {
	P_START,	/* waits for Start */
	P_SHAKE,	/* handshake */
	P_WAIT,		/* our Finished was the last word: theirs is next */
	P_INSIDE,	/* in the tunnel */
	P_PROVED,	/* each has proved itself: Success may come */
	P_OVER
};

struct spi_eap_run {
	const struct tunnel *kind;
	bool is_known;			/* MSCHAPv2 has finished */
	enum phase phase;
	struct spi_eap_conf conf;
	char user[SPI_EAP_USER_MAX + 1];
	struct eap_wire w;
	struct spi_eap_run *inside;	/* MSCHAPv2's own, or NULL */
};

extern const struct spi_eap spi_eap_mschapv2;
extern const struct spi_eap spi_eap_ttls;
extern const struct spi_eap spi_eap_peap;

static const struct tunnel ttls = {
	SPI_EAP_TTLS, "ttls keying material",		/* RFC 5281 8 */
	"EAP-TTLS does not begin with Start"
};
static const struct tunnel peap = {
	SPI_EAP_PEAP, "client EAP encryption",		/* [MS-PEAP] 3.1.5.7 */
	"PEAP does not begin with Start"
};

static enum spi_eap_end
fail(struct spi_eap_run *r, struct spi_eap_result *res, const char *why)
{
	r->phase = P_OVER;
	if (res->why[0] == '\0')
		str_copy(res->why, sizeof(res->why), why);
	return SPI_EAP_FAIL;
}

/* The next piece; with nothing to send, an empty message. */
static enum spi_eap_end
send_piece(struct spi_eap_run *r, struct wcur *out)
{
	eap_frag_put(&r->w.frag, out, SPI_EAP_MTU - 5);
	return r->phase == P_PROVED ? SPI_EAP_READY : SPI_EAP_MORE;
}

/* ---- in the tunnel ------------------------------------------------------------- */

static enum spi_eap_end
send_inside(struct spi_eap_run *r, const struct wcur *eap, struct wcur *out,
	    struct spi_eap_result *res)
{
	uint8_t buf[SPI_EAP_MTU + 16];
	struct wcur w;

	wcur_init(&w, buf, sizeof(buf));
	if (r->kind == &ttls)
		eap_avp_put(&w, wcur_done(eap));
	else
		eap_peap_put(&w, wcur_done(eap));
	if (eap->err != 0 || w.err != 0)
		return fail(r, res, "the message is too long");
	if (SSL_write(r->w.ssl, buf, (int)w.len) != (int)w.len ||
	    eap_wire_collect(&r->w) != 0)
		return fail(r, res, "TLS cannot go on");
	return send_piece(r, out);
}

static void
put(struct wcur *out, uint8_t id, uint8_t type, struct view data)
{
	const struct spi_eap_msg m = { SPI_EAP_RESPONSE, id, type, data };

	spi_eap_enc(out, &m);
}

static int
prove(struct spi_eap_run *r, struct spi_eap_result *res)
{
	int err = eap_wire_key(&r->w, r->kind->label, r->kind->type, res->msk);

	if (err != 0)
		return err;
	str_copy(res->user, sizeof(res->user), r->user);
	r->phase = P_PROVED;
	return 0;
}

/* MSCHAPv2 has finished: PEAP says in the tunnel what came of it. */
static enum spi_eap_end
inside_done(struct spi_eap_run *r, struct spi_eap_result *res)
{
	r->is_known = true;
	if (r->kind == &peap)
		return SPI_EAP_MORE;
	return prove(r, res) == 0 ? SPI_EAP_READY :
	    fail(r, res, "the session key cannot be computed");
}

/* A message of MSCHAPv2, whose own key is not used (RFC 5281 8). */
static enum spi_eap_end
inside_step(struct spi_eap_run *r, const struct spi_eap_msg *m, struct wcur *eap,
	    struct spi_eap_result *res)
{
	const struct spi_eap_conf c = {
		.host = r->conf.host, .ctx = r->conf.ctx,
		.user = { (const uint8_t *)r->user, strlen(r->user) },
	};
	struct spi_eap_result is = { .why = "" };
	uint8_t buf[SPI_EAP_MTU];
	enum spi_eap_end end;
	struct wcur w;

	if (r->inside == NULL && spi_eap_mschapv2.open(&c, &r->inside) != 0)
		return fail(r, res, "out of memory");
	wcur_init(&w, buf, sizeof(buf));
	end = spi_eap_mschapv2.step(r->inside, m->id, m->data, &w, &is);
	if (w.len > 0)
		put(eap, m->id, m->type, wcur_done(&w));
	wipe(buf, sizeof(buf));
	wipe(is.msk, sizeof(is.msk));
	if (end == SPI_EAP_DONE)
		return inside_done(r, res);
	if (end == SPI_EAP_MORE)
		return SPI_EAP_MORE;
	return fail(r, res, is.why);
}

/* PEAP's Result, which is answered by the same. */
static enum spi_eap_end
inside_result(struct spi_eap_run *r, const struct spi_eap_msg *m,
	      struct wcur *eap, struct spi_eap_result *res)
{
	uint8_t buf[EAP_PEAP_RESULT_LEN];
	bool is_good = false;
	struct wcur w;

	if (eap_peap_result(m->data, &is_good) != 0)
		return fail(r, res, "malformed Result in the tunnel");
	if (is_good && !r->is_known)
		return fail(r, res, "Success before the method has finished");
	wcur_init(&w, buf, sizeof(buf));
	eap_peap_result_put(&w, is_good);
	put(eap, m->id, m->type, wcur_done(&w));
	if (!is_good)
		return fail(r, res, "the server refused us");
	return prove(r, res) == 0 ? SPI_EAP_READY :
	    fail(r, res, "the session key cannot be computed");
}

static enum spi_eap_end
inside_request(struct spi_eap_run *r, const struct spi_eap_msg *m,
	       struct wcur *eap, struct spi_eap_result *res)
{
	static const uint8_t ours = SPI_EAP_MSCHAPV2;
	const struct view none = { NULL, 0 };

	switch (m->type) {
	case SPI_EAP_MSCHAPV2:
		return inside_step(r, m, eap, res);
	case SPI_EAP_IDENTITY:
		put(eap, m->id, m->type, (struct view){
			(const uint8_t *)r->user, strlen(r->user) });
		return SPI_EAP_MORE;
	case SPI_EAP_NOTIFICATION:
		put(eap, m->id, m->type, none);
		return SPI_EAP_MORE;
	case SPI_EAP_TLV:
		if (r->kind == &peap)
			return inside_result(r, m, eap, res);
		break;
	default:
		break;
	}
	if (r->inside != NULL)
		return fail(r, res, "the server changes the method in the "
			    "tunnel");
	put(eap, m->id, SPI_EAP_NAK, (struct view){ &ours, 1 });
	return SPI_EAP_MORE;
}

static enum spi_eap_end
inside_take(struct spi_eap_run *r, const struct spi_eap_msg *m, struct wcur *out,
	    struct spi_eap_result *res)
{
	uint8_t buf[SPI_EAP_MTU];
	enum spi_eap_end end;
	struct wcur eap;

	if (m->code == SPI_EAP_FAILURE)
		return fail(r, res, "the server refused us");
	if (m->code == SPI_EAP_SUCCESS)
		return r->phase == P_PROVED ? send_piece(r, out) :
		    fail(r, res, "Success before the method has finished");
	wcur_init(&eap, buf, sizeof(buf));
	end = inside_request(r, m, &eap, res);
	/* a last word, too */
	if (eap.len > 0 && send_inside(r, &eap, out, res) == SPI_EAP_FAIL)
		end = SPI_EAP_FAIL;
	wipe(buf, sizeof(buf));
	return end;
}

/* What the tunnel held. */
static enum spi_eap_end
avps_take(struct spi_eap_run *r, struct view in, struct wcur *out,
	  struct spi_eap_result *res)
{
	struct spi_eap_msg m;
	struct view eap;
	int err = eap_avps_take(in, &eap);

	if (err == ERR_UNSUP)
		return fail(r, res, "the server wants something in the tunnel "
			    "that we do not know");
	if (err != 0)
		return fail(r, res, "malformed message in the tunnel");
	if (eap.p == NULL)
		return send_piece(r, out);
	if (spi_eap_dec(eap, &m) != 0 || m.code == SPI_EAP_RESPONSE)
		return fail(r, res, "malformed EAP message in the tunnel");
	return inside_take(r, &m, out, res);
}

static enum spi_eap_end
peap_take(struct spi_eap_run *r, uint8_t id, struct view in, struct wcur *out,
	  struct spi_eap_result *res)
{
	struct spi_eap_msg m;

	if (in.len == 0)	/* a ticket */
		return send_piece(r, out);
	if (eap_peap_take(in, id, &m) != 0)
		return fail(r, res, "malformed message in the tunnel");
	return inside_take(r, &m, out, res);
}

static enum spi_eap_end
tunnel_take(struct spi_eap_run *r, uint8_t id, struct wcur *out,
	    struct spi_eap_result *res)
{
	uint8_t buf[TUNNEL_MAX];
	enum spi_eap_end end;
	size_t len = 0;
	int n;

	ERR_clear_error();	/* SSL_get_error() looks there */
	while ((n = SSL_read(r->w.ssl, buf + len, (int)(sizeof(buf) - len))) > 0)
		if ((len += (size_t)n) == sizeof(buf))
			return fail(r, res, "the message in the tunnel is too "
				    "long");
	if (SSL_get_error(r->w.ssl, n) != SSL_ERROR_WANT_READ)
		return fail(r, res, "the server refused us in the tunnel");
	end = r->kind == &ttls ?
	    avps_take(r, (struct view){ buf, len }, out, res) :
	    peap_take(r, id, (struct view){ buf, len }, out, res);
	wipe(buf, sizeof(buf));
	return end;
}

/* RFC 5281 11.2.1: the client begins; with PEAP the server does. */
static enum spi_eap_end
begin_inside(struct spi_eap_run *r, struct wcur *out, struct spi_eap_result *res)
{
	uint8_t buf[SPI_EAP_USER_MAX + 8];
	struct wcur eap;

	r->phase = P_INSIDE;
	if (r->kind == &peap)
		return send_piece(r, out);
	wcur_init(&eap, buf, sizeof(buf));
	put(&eap, 0, SPI_EAP_IDENTITY, (struct view){
		(const uint8_t *)r->user, strlen(r->user) });
	return send_inside(r, &eap, out, res);
}

/* ---- handshake ------------------------------------------------------------------ */

/* After each advance, once the certificate is good. */
static enum spi_eap_end
advanced(struct spi_eap_run *r, struct wcur *out, struct spi_eap_result *res)
{
	bool is_done = SSL_is_init_finished(r->w.ssl) == 1;

	if (is_done && !r->w.has_looked)
		return fail(r, res, "the server has no certificate");
	if (eap_wire_collect(&r->w) != 0)
		return fail(r, res, "the TLS message is too long");
	if (is_done && !eap_frag_is_sending(&r->w.frag))
		return begin_inside(r, out, res);
	if (is_done)
		r->phase = r->kind == &ttls ? P_WAIT : P_INSIDE;
	return send_piece(r, out);
}

static enum spi_eap_end
shake(struct spi_eap_run *r, struct wcur *out, struct spi_eap_result *res)
{
	const char *reason;

	switch (eap_wire_shake(&r->w)) {
	case EAP_SHAKE_LOOK:
		return eap_wire_look(&r->w, &r->conf) == 0 ? SPI_EAP_WAIT :
		    fail(r, res, "the certificate cannot be looked at now");
	case EAP_SHAKE_ON:
		return advanced(r, out, res);
	case EAP_SHAKE_SHORT:
		return fail(r, res, "TLS message incomplete");
	case EAP_SHAKE_NO:
		break;
	}
	reason = ERR_reason_error_string(ERR_peek_error());
	snprintf(res->why, sizeof(res->why), "TLS: %s", reason != NULL ?
		 reason : "no agreement with the other end");
	if (eap_wire_collect(&r->w) == 0)
		(void)send_piece(r, out);	/* an alert, or nothing */
	return fail(r, res, "TLS failed");
}

/* ---- messages -------------------------------------------------------------------- */

static enum spi_eap_end
whole(struct spi_eap_run *r, uint8_t id, struct wcur *out,
      struct spi_eap_result *res)
{
	bool is_empty = r->w.frag.in_len == 0;
	char byte;

	if (is_empty && r->phase == P_WAIT)
		return begin_inside(r, out, res);
	/* what it was sent last was received */
	if (is_empty && r->kind == &peap && r->phase == P_INSIDE)
		return send_piece(r, out);
	if (is_empty && r->phase != P_PROVED)
		return fail(r, res, "empty TLS message");
	if (!is_empty && eap_wire_feed(&r->w) != 0)
		return fail(r, res, "out of memory");
	if (r->phase == P_SHAKE)
		return shake(r, out, res);
	if (r->phase == P_WAIT) {
		/* tickets, or a server that begins */
		r->phase = P_INSIDE;
		if (SSL_peek(r->w.ssl, &byte, 1) <= 0)
			return begin_inside(r, out, res);
	}
	return tunnel_take(r, id, out, res);
}

/* What the server adds to Start are hints, which we do not need. */
static enum spi_eap_end
begin(struct spi_eap_run *r, struct view in, struct wcur *out,
      struct spi_eap_result *res)
{
	if (in.len < 1 || (in.p[0] & ~VERSION) != EAP_TLS_F_START)
		return fail(r, res, r->kind->no_start);
	r->phase = P_SHAKE;
	return shake(r, out, res);
}

static enum spi_eap_end
step(struct spi_eap_run *r, uint8_t id, struct view in, struct wcur *out,
     struct spi_eap_result *res)
{
	uint8_t flags;

	if (r->phase == P_OVER)
		return fail(r, res, "the conversation is over");
	if (r->phase == P_START)
		return begin(r, in, out, res);
	switch (eap_frag_take(&r->w.frag, in, &flags)) {
	case EAP_PIECE_ACK:
	case EAP_PIECE_MORE:
		return send_piece(r, out);
	case EAP_PIECE_WHOLE:
		if ((flags & (EAP_TLS_F_START | VERSION)) != 0)
			break;
		return whole(r, id, out, res);
	case EAP_PIECE_BAD:
		break;
	}
	return fail(r, res, "malformed message of a tunnel");
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

/* ---- one conversation ------------------------------------------------------------- */

static void
run_close(struct spi_eap_run *r)
{
	if (r == NULL)
		return;
	spi_eap_mschapv2.close(r->inside);
	eap_wire_fini(&r->w);
	free(r);
}

static int
open_as(const struct tunnel *kind, const struct spi_eap_conf *c,
	struct spi_eap_run **out)
{
	struct spi_eap_run *r;

	if (c->is_server || c->tls == NULL || c->tls->is_server ||
	    c->host->look == NULL || c->host->nt_hash == NULL)
		return ERR_UNSUP;
	if (c->user.len > SPI_EAP_USER_MAX)
		return ERR_LONG;
	if ((r = calloc(1, sizeof(*r))) == NULL)
		return ERR_NOMEM;
	r->kind = kind;
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
ttls_open(const struct spi_eap_conf *c, struct spi_eap_run **out)
{
	return open_as(&ttls, c, out);
}

static int
peap_open(const struct spi_eap_conf *c, struct spi_eap_run **out)
{
	return open_as(&peap, c, out);
}

static int
init(void)
{
	if (OPENSSL_init_ssl(0, NULL) != 1)
		return ERR_UNSUP;
	return spi_eap_mschapv2.init();
}

const struct spi_eap spi_eap_ttls = {
	.head = { SPI_VERSION, "ttls", "a password in a TLS tunnel" },
	.type = SPI_EAP_TTLS,
	.flags = SPI_EAP_F_MUTUAL | SPI_EAP_F_TLS,
	.init = init,
	.open = ttls_open,
	.close = run_close,
	.step = step,
	.go_on = go_on,
};

const struct spi_eap spi_eap_peap = {
	.head = { SPI_VERSION, "peap", "a password in a TLS tunnel" },
	.type = SPI_EAP_PEAP,
	.flags = SPI_EAP_F_MUTUAL | SPI_EAP_F_TLS,
	.init = init,
	.open = peap_open,
	.close = run_close,
	.step = step,
	.go_on = go_on,
};
