/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/eap/run.c - one EAP conversation, either end.
 *
 *   server:  NEW --start--> ASKED_ID --Identity--> METHOD --(DONE)--> OK
 *   client:  NEW --Identity--> METHOD --(DONE)--> PROVED --Success--> OK
 *   relay:   NEW --start--> ASKED_ID --Identity--> RELAY --(Accept)--> OK
 *   WAIT is METHOD or RELAY with is_waiting; any state --anything else--> NO
 *
 * A client believes a Success in PROVED only: one that comes earlier ends it
 * (RFC 3748 4.2, SECURITY-CHECKLIST H4).
 *
 * Thread: the only one.
 */
#include "secure-proc/eap/run.h"
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"

enum state {
	S_NEW,
	S_ASKED_ID,
	S_METHOD,
	S_RELAY,
	S_READY,
	S_PROVED,
	S_OK,
	S_NO
};

struct sec_eap {
	enum state state;
	struct sec_eap_conf conf;
	const struct spi_eap *method;
	struct spi_eap_run *run;
	bool has_begun;		/* the method took a message: no Nak after it */
	bool is_waiting;
	uint8_t id;		/* of the last request */
	uint32_t refused;	/* bit i: conf.method[i] was refused by a Nak */
	unsigned n_in;
	uint32_t session_s;	/* of an Accept */
	char user[SPI_EAP_USER_MAX + 1];	/* claimed */
	struct spi_eap_result res;
};

typedef enum sec_eap_end take_fn(struct sec_eap *e, const struct spi_eap_msg *m,
				 struct wcur *out);

static void
put(struct wcur *out, uint8_t code, uint8_t id, uint8_t type, struct view data)
{
	const struct spi_eap_msg m = { code, id, type, data };

	spi_eap_enc(out, &m);
}

/* It is over.  A server says Failure, a client nothing: RFC 3748 has no such
 * message in its direction. */
static enum sec_eap_end
fail(struct sec_eap *e, struct wcur *out, const char *why)
{
	const struct view none = { NULL, 0 };

	if (e->res.why[0] == '\0')
		str_copy(e->res.why, sizeof(e->res.why), why);
	wipe(e->res.msk, sizeof(e->res.msk));
	e->state = S_NO;
	e->is_waiting = false;
	if (e->conf.is_server && out->len == 0)
		put(out, SPI_EAP_FAILURE, e->id, 0, none);
	return SEC_EAP_NO;
}

static bool
is_zero(const uint8_t *p, size_t n)
{
	uint8_t all = 0;

	for (size_t i = 0; i < n; i++)
		all |= p[i];
	return all == 0;
}

static struct view
view_of(const char *text)
{
	return (struct view){ (const uint8_t *)text, strlen(text) };
}

/* ---- the method's answers --------------------------------------------------- */

static enum sec_eap_end
method_done(struct sec_eap *e, const struct wcur *data, struct wcur *out)
{
	const struct view none = { NULL, 0 };

	if (is_zero(e->res.msk, sizeof(e->res.msk)))
		return fail(e, out, "the method made no session key");
	if (e->conf.is_server) {
		/* 4.2: the identifier of the response it answers */
		put(out, SPI_EAP_SUCCESS, e->id, 0, none);
		e->state = S_OK;
		return SEC_EAP_OK;
	}
	put(out, SPI_EAP_RESPONSE, e->id, e->method->type, wcur_done(data));
	e->state = S_PROVED;
	return SEC_EAP_MORE;
}

static enum sec_eap_end
method_more(struct sec_eap *e, const struct wcur *data, struct wcur *out)
{
	if (e->conf.is_server) {
		e->id++;
		put(out, SPI_EAP_REQUEST, e->id, e->method->type,
		    wcur_done(data));
	} else {
		put(out, SPI_EAP_RESPONSE, e->id, e->method->type,
		    wcur_done(data));
	}
	return out->err == 0 ? SEC_EAP_MORE :
	    fail(e, out, "the message is too long");
}

/* A client's method could be over. */
static enum sec_eap_end
method_ready(struct sec_eap *e, const struct wcur *data, struct wcur *out)
{
	if (e->conf.is_server)
		return fail(e, out, "message out of order");
	if (is_zero(e->res.msk, sizeof(e->res.msk)))
		return fail(e, out, "the method made no session key");
	e->state = S_READY;
	return method_more(e, data, out);
}

static enum sec_eap_end
method_ended(struct sec_eap *e, enum spi_eap_end end, struct wcur *data,
	     struct wcur *out)
{
	if (data->err != 0)
		return fail(e, out, "the message is too long");
	switch (end) {
	case SPI_EAP_MORE:
		return method_more(e, data, out);
	case SPI_EAP_DONE:
		return method_done(e, data, out);
	case SPI_EAP_READY:
		return method_ready(e, data, out);
	case SPI_EAP_WAIT:
		e->is_waiting = true;
		return SEC_EAP_WAIT;
	case SPI_EAP_FAIL:
		/* a client's last word of the method, where it has one */
		if (!e->conf.is_server && data->len > 0)
			put(out, SPI_EAP_RESPONSE, e->id, e->method->type,
			    wcur_done(data));
		return fail(e, out, "the method failed");
	case SPI_EAP_IGNORE:
		break;
	}
	return fail(e, out, "message out of order");
}

/* A server's identifier of the request to come stands in what the method makes,
 * so the method is told before. */
static enum sec_eap_end
method_step(struct sec_eap *e, struct view in, struct wcur *out)
{
	uint8_t buf[SPI_EAP_MTU], id = e->id;
	struct wcur data;
	enum spi_eap_end end;
	enum sec_eap_end r;

	if (e->conf.is_server)
		id++;
	wcur_init(&data, buf, sizeof(buf));
	end = e->method->step(e->run, id, in, &data, &e->res);
	r = method_ended(e, end, &data, out);
	wipe(buf, sizeof(buf));
	return r;
}

static int
method_open(struct sec_eap *e, const struct spi_eap *method)
{
	const struct spi_eap_conf c = {
		.is_server = e->conf.is_server, .host = e->conf.host,
		.ctx = e->conf.ctx, .user = view_of(e->user),
		.name = e->conf.name, .tls = e->conf.tls,
	};

	if (e->method != NULL)
		e->method->close(e->run);
	e->run = NULL;
	e->method = NULL;
	e->has_begun = false;
	if (method->open(&c, &e->run) != 0)
		return ERR_NOMEM;
	e->method = method;
	return 0;
}

/* ---- server ----------------------------------------------------------------- */

/* Identities are text; what a log or a file could stumble over is none. */
static bool
user_take(struct sec_eap *e, struct view v)
{
	if (v.len == 0 || v.len > SPI_EAP_USER_MAX)
		return false;
	for (size_t i = 0; i < v.len; i++) {
		if (v.p[i] < 0x20 || v.p[i] == 0x7f)
			return false;
	}
	memcpy(e->user, v.p, v.len);
	e->user[v.len] = '\0';
	return true;
}

static enum sec_eap_end
server_method(struct sec_eap *e, unsigned i, struct wcur *out)
{
	const struct view none = { NULL, 0 };

	if (method_open(e, e->conf.method[i]) != 0)
		return fail(e, out, "out of memory");
	e->state = S_METHOD;
	return method_step(e, none, out);
}

/* Any answer, a Nak too, is for the RADIUS server. */
static enum sec_eap_end
server_relay(struct sec_eap *e, const struct spi_eap_msg *m UNUSED,
	     struct wcur *out UNUSED)
{
	e->is_waiting = true;
	return SEC_EAP_RELAY;
}

static enum sec_eap_end
server_identity(struct sec_eap *e, const struct spi_eap_msg *m,
		struct wcur *out)
{
	if (!user_take(e, m->data))
		return fail(e, out, "no usable user name");
	if (e->conf.came != NULL)
		e->conf.came(e->conf.ctx, view_of(e->user), &e->conf);
	if (e->conf.is_relay) {
		e->state = S_RELAY;
		return server_relay(e, m, out);
	}
	if (e->conf.n_method == 0)
		return fail(e, out, "no method for this user");
	return server_method(e, 0, out);
}

static enum sec_eap_end
server_response(struct sec_eap *e, const struct spi_eap_msg *m,
		struct wcur *out)
{
	if (m->type != e->method->type)
		return fail(e, out, "answer of another method");
	e->has_begun = true;
	return method_step(e, m->data, out);
}

/* 5.3.1: the types the client would take.  Only ours count, only before the
 * method has begun, and each is offered once: nobody is talked down a list. */
static enum sec_eap_end
server_nak(struct sec_eap *e, const struct spi_eap_msg *m, struct wcur *out)
{
	if (e->has_begun)
		return fail(e, out, "Nak in the middle of a method");
	for (unsigned i = 0; i < e->conf.n_method; i++) {
		const struct spi_eap *is = e->conf.method[i];

		if (is == e->method)
			e->refused |= 1u << i;
		if ((e->refused >> i & 1) != 0 || m->data.len == 0 ||
		    memchr(m->data.p, is->type, m->data.len) == NULL)
			continue;
		return server_method(e, i, out);
	}
	return fail(e, out, "the client takes none of our methods");
}

/* ---- client ----------------------------------------------------------------- */

static enum sec_eap_end
client_identity(struct sec_eap *e, const struct spi_eap_msg *m,
		struct wcur *out)
{
	put(out, SPI_EAP_RESPONSE, m->id, SPI_EAP_IDENTITY, view_of(e->user));
	return SEC_EAP_MORE;
}

/* 5.2: to be answered, with nothing; what it says is a stranger's. */
static enum sec_eap_end
client_notification(struct sec_eap *e, const struct spi_eap_msg *m,
		    struct wcur *out)
{
	const struct view none = { NULL, 0 };

	(void)e;
	put(out, SPI_EAP_RESPONSE, m->id, SPI_EAP_NOTIFICATION, none);
	return SEC_EAP_MORE;
}

static enum sec_eap_end
client_nak(struct sec_eap *e, const struct spi_eap_msg *m, struct wcur *out)
{
	uint8_t types[SEC_EAP_METHODS];

	for (unsigned i = 0; i < e->conf.n_method; i++)
		types[i] = e->conf.method[i]->type;
	put(out, SPI_EAP_RESPONSE, m->id, SPI_EAP_NAK,
	    (struct view){ types, e->conf.n_method });
	return SEC_EAP_MORE;
}

static enum sec_eap_end
client_request(struct sec_eap *e, const struct spi_eap_msg *m,
	       struct wcur *out)
{
	if (e->method != NULL && m->type != e->method->type)
		return fail(e, out, "the server changes the method");
	for (unsigned i = 0; e->method == NULL && i < e->conf.n_method; i++) {
		if (e->conf.method[i]->type == m->type &&
		    method_open(e, e->conf.method[i]) != 0)
			return fail(e, out, "out of memory");
	}
	if (e->method == NULL)
		return client_nak(e, m, out);
	if (e->state == S_NEW)
		e->state = S_METHOD;
	return method_step(e, m->data, out);
}

static enum sec_eap_end
client_success(struct sec_eap *e, const struct spi_eap_msg *m, struct wcur *out)
{
	(void)m;
	(void)out;
	e->state = S_OK;
	return SEC_EAP_OK;
}

static enum sec_eap_end
client_failure(struct sec_eap *e, const struct spi_eap_msg *m, struct wcur *out)
{
	(void)m;
	return fail(e, out, "the server refused us");
}

/* ---- what may come when ----------------------------------------------------- */

#define ANY 0	/* of type: every type not named in a row above */

static const struct row {
	bool is_server;
	enum state state;
	uint8_t code, type;
	take_fn *take;
} row[] = {
	{ true,  S_ASKED_ID, SPI_EAP_RESPONSE, SPI_EAP_IDENTITY, server_identity },
	{ true,  S_METHOD,   SPI_EAP_RESPONSE, SPI_EAP_NAK,	 server_nak },
	{ true,  S_METHOD,   SPI_EAP_RESPONSE, ANY,		 server_response },
	{ true,  S_RELAY,    SPI_EAP_RESPONSE, ANY,		 server_relay },

	{ false, S_NEW,	     SPI_EAP_REQUEST,  SPI_EAP_IDENTITY, client_identity },
	{ false, S_NEW,	     SPI_EAP_REQUEST,  SPI_EAP_NOTIFICATION, client_notification },
	{ false, S_NEW,	     SPI_EAP_REQUEST,  ANY,		 client_request },
	{ false, S_NEW,	     SPI_EAP_FAILURE,  ANY,		 client_failure },
	{ false, S_METHOD,   SPI_EAP_REQUEST,  SPI_EAP_NOTIFICATION, client_notification },
	{ false, S_METHOD,   SPI_EAP_REQUEST,  ANY,		 client_request },
	{ false, S_METHOD,   SPI_EAP_FAILURE,  ANY,		 client_failure },
	{ false, S_READY,    SPI_EAP_REQUEST,  SPI_EAP_NOTIFICATION, client_notification },
	{ false, S_READY,    SPI_EAP_REQUEST,  ANY,		 client_request },
	{ false, S_READY,    SPI_EAP_SUCCESS,  ANY,		 client_success },
	{ false, S_READY,    SPI_EAP_FAILURE,  ANY,		 client_failure },
	{ false, S_PROVED,   SPI_EAP_SUCCESS,  ANY,		 client_success },
	{ false, S_PROVED,   SPI_EAP_FAILURE,  ANY,		 client_failure },
};

static take_fn *
row_find(const struct sec_eap *e, const struct spi_eap_msg *m)
{
	for (size_t i = 0; i < N_OF(row); i++) {
		if (row[i].is_server == e->conf.is_server &&
		    row[i].state == e->state && row[i].code == m->code &&
		    (row[i].type == ANY || row[i].type == m->type))
			return row[i].take;
	}
	return NULL;
}

/* ---- public ----------------------------------------------------------------- */

int
sec_eap_open(const struct sec_eap_conf *c, struct sec_eap **out)
{
	struct sec_eap *e;
	int err = 0;

	if (c->n_method > SEC_EAP_METHODS || (c->is_relay && !c->is_server) ||
	    (c->n_method == 0 && !c->is_relay))
		return ERR_RANGE;
	if ((e = secret_alloc(sizeof(*e))) == NULL)
		return ERR_NOMEM;
	e->conf = *c;
	if (!c->is_server && !user_take(e, c->user))
		err = ERR_SYNTAX;
	else if (c->name.len > SPI_EAP_USER_MAX)
		err = ERR_LONG;
	/* a server's first identifier is not to be guessed */
	else if (c->is_server)
		err = rng_bytes(&e->id, 1);
	if (err != 0) {
		secret_free(e);
		return err;
	}
	*out = e;
	return 0;
}

void
sec_eap_close(struct sec_eap *e)
{
	if (e != NULL && e->method != NULL)
		e->method->close(e->run);
	secret_free(e);
}

enum sec_eap_end
sec_eap_start(struct sec_eap *e, struct wcur *out)
{
	const struct view none = { NULL, 0 };

	if (!e->conf.is_server || e->state != S_NEW)
		return fail(e, out, "wrong order");
	put(out, SPI_EAP_REQUEST, e->id, SPI_EAP_IDENTITY, none);
	e->state = S_ASKED_ID;
	return SEC_EAP_MORE;
}

enum sec_eap_end
sec_eap_input(struct sec_eap *e, struct view in, struct wcur *out)
{
	struct spi_eap_msg m;
	take_fn *take;

	if (e->state == S_OK || e->state == S_NO || e->is_waiting)
		return fail(e, out, "the conversation is over");
	if (++e->n_in > SEC_EAP_ROUNDS)
		return fail(e, out, "too many messages");
	if (spi_eap_dec(in, &m) != 0)
		return fail(e, out, "malformed EAP message");
	if (e->conf.is_server && m.id != e->id)
		return fail(e, out, "the identifier is not that of the request");
	if ((take = row_find(e, &m)) == NULL)
		return fail(e, out, m.code == SPI_EAP_SUCCESS ?
			    "Success before the method has finished" :
			    "EAP message out of order");
	if (m.code == SPI_EAP_REQUEST)
		e->id = m.id;
	return take(e, &m, out);
}

enum sec_eap_end
sec_eap_go_on(struct sec_eap *e, int err, const char *why, struct wcur *out)
{
	uint8_t buf[SPI_EAP_MTU];
	struct wcur data;
	enum sec_eap_end r;
	enum spi_eap_end end;

	if (!e->is_waiting || e->method == NULL || e->method->go_on == NULL)
		return fail(e, out, "nothing was asked");
	e->is_waiting = false;
	wcur_init(&data, buf, sizeof(buf));
	end = e->method->go_on(e->run, err, why, &data, &e->res);
	r = method_ended(e, end, &data, out);
	wipe(buf, sizeof(buf));
	return r;
}

/* ---- what a RADIUS server says ----------------------------------------------- */

/* RFC 3579 2.6.3: a challenge carries a Request. */
static enum sec_eap_end
relay_challenge(struct sec_eap *e, const struct spi_eap_msg *m, struct view raw,
		struct wcur *out)
{
	if (m->code != SPI_EAP_REQUEST)
		return fail(e, out, "the RADIUS server's challenge has no "
			    "request of EAP");
	e->id = m->id;
	wcur_view(out, raw);
	return out->err == 0 ? SEC_EAP_MORE :
	    fail(e, out, "the message is too long");
}

/* ... an Accept carries Success; without a key nobody is proved to be the one
 * at the other end of the IKE SA (RFC 7296 2.16). */
static enum sec_eap_end
relay_accept(struct sec_eap *e, const struct spi_eap_msg *m,
	     const struct spi_radius_answer *a, const char *user,
	     struct wcur *out)
{
	const struct view none = { NULL, 0 };

	if (m->code != SPI_EAP_SUCCESS)
		return fail(e, out, "the RADIUS server accepts and has no "
			    "Success of EAP");
	if (!a->has_msk || is_zero(a->msk, sizeof(a->msk)))
		return fail(e, out, "the RADIUS server accepts and gives no key "
			    "(MS-MPPE): only methods with keys will do");
	put(out, SPI_EAP_SUCCESS, m->id, 0, none);
	memcpy(e->res.msk, a->msk, sizeof(e->res.msk));
	e->session_s = a->timeout_s;
	str_copy(e->res.user, sizeof(e->res.user), user != NULL ? user :
		 e->user);
	e->state = S_OK;
	return SEC_EAP_OK;
}

enum sec_eap_end
sec_eap_relayed(struct sec_eap *e, const struct spi_radius_answer *a,
		const char *user, const char *why, struct wcur *out)
{
	struct spi_eap_msg m;

	if (!e->is_waiting || e->state != S_RELAY)
		return fail(e, out, "nothing was asked");
	e->is_waiting = false;
	if (a == NULL)
		return fail(e, out, why);
	if (a->code == SPI_RADIUS_REJECT)
		return fail(e, out, "the RADIUS server refused");
	if (spi_eap_dec((struct view){ a->eap, a->eap_len }, &m) != 0)
		return fail(e, out, "the RADIUS server's answer has no message "
			    "of EAP");
	if (a->code == SPI_RADIUS_ACCEPT)
		return relay_accept(e, &m, a, user, out);
	return relay_challenge(e, &m, (struct view){ a->eap, a->eap_len }, out);
}

struct view
sec_eap_msk(const struct sec_eap *e)
{
	if (e->state != S_OK)
		return (struct view){ NULL, 0 };
	return (struct view){ e->res.msk, sizeof(e->res.msk) };
}

uint32_t
sec_eap_session_s(const struct sec_eap *e)
{
	return e->state == S_OK ? e->session_s : 0;
}

const char *
sec_eap_claim(const struct sec_eap *e)
{
	return e->user;
}

const char *
sec_eap_user(const struct sec_eap *e)
{
	return e->state == S_OK ? e->res.user : "";
}

const char *
sec_eap_why(const struct sec_eap *e)
{
	return e->res.why;
}

const struct spi_eap *
sec_eap_method(const struct sec_eap *e)
{
	return e->method;
}
