/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/serve_eap.c - handlers of EAP: messages in and out, and both AUTH
 * with the key that came of it (RFC 7296 2.16).
 *
 *   EAP  --> conversation (eap/run.c) --> EAP_OK
 *              |  users, password: eap/realms.c; guessing: eap/limit.c
 *              |- certificates: the verify child, whose answer goes on
 *              '- RADIUS: its child (serve_radius.c), whose answer goes on
 *
 * Where the peer is comes from tapird and counts for limits only.
 *
 * Thread: the only one.
 */
#include <stdlib.h>
#include <string.h>
#include "daemon/base/clk.h"
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "secure-proc/eap/typed.h"
#include "secure-proc/serve_talk.h"

#define CHAIN_MAX  8	/* certificates of TLS looked at; as spi/eap-tls */
#define CHAIN_SIZE 65535

static struct view
view_of(const char *text)
{
	return (struct view){ (const uint8_t *)text, strlen(text) };
}

bool
sec_talk_try(struct talk *t, bool is_somebody)
{
	t->attempt = (struct sec_try){
		.realm = t->sa->auth.realm,
		.user = view_of(sec_eap_claim(t->eap)),
		.from = view_of(t->from), .is_somebody = is_somebody,
	};
	return sec_limit_take(t->s->limit, &t->attempt, clk_ms());
}

/* ---- what a method asks for -------------------------------------------------- */

/* Our password: what somebody typed comes before what is in a file. */
static struct view
word_of(struct sec_serve *s, uint32_t realm, uint32_t *serial)
{
	const struct sec_eap_realm *r = sec_eaps_of(s->c.eap, realm);
	struct view v = { NULL, 0 };

	*serial = 0;
	if (s->typed != NULL)
		v = sec_typed_get(s->typed, realm, clk_ms(), serial);
	if (v.len == 0 && r != NULL && r->password != NULL)
		v = (struct view){ r->password, r->password_len };
	return v;
}

static int
own_hash(struct talk *t, uint8_t out[SPI_EAP_NT_HASH])
{
	struct view v = word_of(t->s, t->sa->auth.realm, &t->typed);

	if (v.len == 0)
		return ERR_NOTFOUND;
	t->has_word = true;
	return spi_eap_nt_hash(v, out);
}

static int
nt_hash(void *ctx, struct view user, uint8_t out[SPI_EAP_NT_HASH])
{
	struct talk *t = ctx;
	bool is_somebody;

	if (!t->realm->is_server)
		return own_hash(t, out);
	t->has_tried = true;
	is_somebody = !t->is_stranger && t->realm->users != NULL &&
	    sec_users_nt_hash(t->realm->users, user, out) == 0;
	t->is_early = !sec_talk_try(t, is_somebody);
	t->is_local = is_somebody && !t->is_early;
	if (t->is_local) {
		sec_mark_of(t->s, (struct view){ out, SPI_EAP_NT_HASH },
		    t->mark);
		return 0;
	}
	wipe(out, SPI_EAP_NT_HASH);
	return ERR_NOTFOUND;
}

/* Certificates as the bodies of CERT payloads, each behind its length. */
static size_t
chain_put(uint8_t *buf, const struct view *der, unsigned n)
{
	struct wcur w;

	wcur_init(&w, buf, CHAIN_SIZE);
	for (unsigned i = 0; i < n; i++) {
		if (der[i].len >= UINT16_MAX)
			return 0;
		wcur_u16(&w, (uint16_t)(der[i].len + 1));
		wcur_u8(&w, SEC_CERT_X509);
		wcur_view(&w, der[i]);
	}
	return w.err == 0 ? w.len : 0;
}

/* Whose certificate it has to be: a gateway's is known by then, unless another
 * asks behind it; a client's is that of the user it says it is. */
static int
name_wanted(const struct talk *t, uint8_t *out, size_t *len)
{
	const struct conf_realm *r = sec_realm_at(t->s, t->sa->auth.realm);

	/* RFC 5998: where nothing else proves the gateway it is its own */
	if (t->sa->auth.is_initiator && !t->sa->auth.is_alone && r != NULL &&
	    r->me.eap_server != NULL)
		return sec_id_enc(r->me.eap_server, out, SEC_ID_BODY_MAX, len);
	if (t->sa->auth.is_initiator) {
		memcpy(out, t->id_peer, t->id_peer_len);
		*len = t->id_peer_len;
		return 0;
	}
	return sec_id_enc(sec_eap_claim(t->eap), out, SEC_ID_BODY_MAX, len);
}

static int
look(void *ctx, const struct view *der, unsigned n)
{
	struct talk *t = ctx;
	uint8_t chain[CHAIN_SIZE], id[SEC_ID_BODY_MAX];
	struct sec_check q = {
		.realm = t->sa->auth.realm, .peer = t->sa->auth.peer,
		.now = clk_wall_s(), .is_tls = true, .id = { id, 0 },
		.cert = { chain, chain_put(chain, der, n) },
	};
	struct ipc_msg m;
	int err;

	if (t->is_stranger)
		return ERR_NOTFOUND;
	if (q.cert.len == 0 || n > CHAIN_MAX)
		return ERR_LONG;
	if ((err = name_wanted(t, id, &q.id.len)) != 0)
		return err;
	ipc_msg_init(&m, IPC_EAP);
	m.ticket = t->ticket;
	m.handle = t->sa->handle;
	return sec_check_ask(t->s, &m, t->sa, &q, sec_eap_claim(t->eap), NULL);
}

static const struct spi_eap_host host = { .nt_hash = nt_hash, .look = look };

int
sec_talk_place(const struct talk *t, struct view user, struct sec_place *out,
	       char *why, size_t cap)
{
	struct sec_id peer, own;
	struct sec_comer who = { .peer = &peer, .eap = user };

	if (sec_id_dec((struct view){ t->id_peer, t->id_peer_len },
	    &peer) != 0)
		return ERR_SYNTAX;
	if (t->id_own_len > 0) {
		if (sec_id_dec((struct view){ t->id_own, t->id_own_len },
		    &own) != 0)
			return ERR_SYNTAX;
		who.own = &own;
	}
	return sec_id_by_eap(t->s->c.conf, &who, out, why, cap);
}

/* Who is nobody goes on, and is refused where and as somebody with a wrong
 * password is (H6). */
static int
settle(struct talk *t, struct view user)
{
	struct sec_place at;
	int err;

	err = sec_talk_place(t, user, &at, t->stranger, sizeof(t->stranger));
	if (err != 0)
		return err;
	if (at.peer->auth != CONF_AUTH_EAP)
		return ERR_AUTH;
	return sec_auth_settle(&t->sa->auth, at.realm->index, at.peer->index);
}

/* RFC 5998: where EAP alone proves the gateway, only methods that do. */
static void
keep_alone(const struct talk *t, struct sec_eap_conf *io)
{
	unsigned n = 0;

	if (!t->sa->auth.is_alone)
		return;
	for (unsigned i = 0; i < io->n_method; i++)
		if ((io->method[i]->flags & SPI_EAP_F_ALONE) != 0)
			io->method[n++] = io->method[i];
	io->n_method = n;
	io->is_relay = false;	/* a server elsewhere proves nothing of us */
}

/* The realm that its EAP identity chose may want more than the one before. */
static bool
is_bare(const struct talk *t)
{
	const struct conf_realm *r = sec_realm_at(t->s, t->sa->auth.realm);

	return t->sa->auth.is_alone && (r == NULL || !r->eap.only);
}

static void
came(void *ctx, struct view user, struct sec_eap_conf *io)
{
	struct talk *t = ctx;
	const struct sec_eap_realm *r;

	t->is_stranger = settle(t, user) != 0;
	r = sec_eaps_of(t->s->c.eap, t->sa->auth.realm);
	if (t->is_stranger || r == NULL || !r->is_server || is_bare(t)) {
		t->is_stranger = true;
		if (t->stranger[0] == '\0')
			str_copy(t->stranger, sizeof(t->stranger),
			    "no realm for this identity of EAP");
		return;
	}
	t->realm = r;
	memcpy(io->method, r->method, sizeof(io->method));
	io->n_method = r->n_method;
	io->tls = r->tls;
	io->is_relay = r->is_relay;
	keep_alone(t, io);
}

/* ---- life of a conversation -------------------------------------------------- */

int
sec_talk_begin(struct sec_serve *s, struct sa *sa)
{
	struct talk *t;

	if (s->n_talk >= SEC_TALK_MAX)
		return ERR_FULL;
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return ERR_NOMEM;
	t->s = s;
	t->sa = sa;
	t->server = SEC_RADIUS_ANY;
	sa->talk = t;
	s->n_talk++;
	return 0;
}

void
sec_talk_id(struct sa *sa, struct view id_peer, struct view id_own)
{
	struct talk *t = sa->talk;

	if (t == NULL || id_peer.len > sizeof(t->id_peer) ||
	    id_own.len > sizeof(t->id_own))
		return;
	memcpy(t->id_peer, id_peer.p, id_peer.len);
	t->id_peer_len = id_peer.len;
	if (id_own.len > 0)
		memcpy(t->id_own, id_own.p, id_own.len);
	t->id_own_len = id_own.len;
}

bool
sec_talk_has_word(struct sec_serve *s, uint32_t realm)
{
	uint32_t serial;

	return word_of(s, realm, &serial).len > 0;
}

/* What was typed and is not proved right is not used again: whoever counts wrong
 * passwords counts them for a person, not for a program. */
static void
word_used(struct talk *t)
{
	if (t->typed != 0)
		sec_typed_used(t->s->typed, t->sa->auth.realm, t->typed,
			       t->is_right);
	t->typed = 0;
}

void
sec_talk_end(struct sec_serve *s, struct sa *sa)
{
	if (sa->talk == NULL)
		return;
	word_used(sa->talk);
	sec_eap_close(sa->talk->eap);
	free(sa->talk->cert);
	wipe(sa->talk, sizeof(*sa->talk));
	free(sa->talk);
	sa->talk = NULL;
	s->n_talk--;
}

static int
talk_open(struct talk *t)
{
	const struct conf_realm *r = sec_realm_at(t->s, t->sa->auth.realm);
	struct sec_eap_conf c = {
		.is_server = !t->sa->auth.is_initiator,
		.host = &host, .ctx = t, .came = came,
	};

	t->realm = sec_eaps_of(t->s->c.eap, t->sa->auth.realm);
	if (r == NULL || t->realm == NULL ||
	    t->realm->is_server != c.is_server)
		return ERR_NOTFOUND;
	memcpy(c.method, t->realm->method, sizeof(c.method));
	c.n_method = t->realm->n_method;
	c.tls = t->realm->tls;
	c.is_relay = t->realm->is_relay;
	if (c.is_server)
		c.name = view_of(r->me.id);
	else
		c.user = view_of(r->me.eap);
	keep_alone(t, &c);
	return sec_eap_open(&c, &t->eap);
}

/* ---- messages ---------------------------------------------------------------- */

/* Why, for the people of this end. */
static void
say_why(const struct talk *t, char *out, size_t cap)
{
	const char *claim = sec_eap_claim(t->eap);
	char shown[2 * SPI_EAP_USER_MAX];

	out[0] = '\0';
	str_escape(shown, sizeof(shown), (const uint8_t *)claim, strlen(claim));
	if (claim[0] != '\0' && t->realm->is_server)
		str_add(out, cap, "user \"%.80s\": ", shown);
	if (t->is_stranger)
		str_add(out, cap, "%s", t->stranger);
	else if (t->is_early)
		str_add(out, cap, "too many failures before, not looked at");
	else if (!t->realm->is_server && !t->has_word &&
		 !t->realm->has_cert)
		str_add(out, cap, "EAP: there is no password of %.80s here: "
			"%s", shown, sec_eap_why(t->eap));
	else
		str_add(out, cap, "%s%s", t->realm->is_server ? "" :
			"EAP: ", sec_eap_why(t->eap));
}

int
sec_talk_tell(struct talk *t, const struct ipc_msg *m, enum sec_eap_end end,
	      struct wcur *out)
{
	struct ipc_msg a;

	if (end == SEC_EAP_WAIT || end == SEC_EAP_RELAY)
		return t->s->fatal;
	ipc_msg_answer(&a, m, 0, NULL);
	a.u.eap_ok.eap = wcur_done(out);
	a.u.eap_ok.end = end == SEC_EAP_MORE ? IPC_TALK_MORE :
	    end == SEC_EAP_OK ? IPC_TALK_OK : IPC_TALK_NO;
	a.u.eap_ok.has_word = t->has_word;
	t->is_right = end == SEC_EAP_OK;
	/* a server that refuses may have a last word before it is over */
	if (end == SEC_EAP_NO || (end == SEC_EAP_MORE && t->realm->is_server &&
	    sec_eap_why(t->eap)[0] != '\0'))
		say_why(t, a.u.eap_ok.said, sizeof(a.u.eap_ok.said));
	if (end == SEC_EAP_OK && t->has_tried)
		sec_limit_good(t->s->limit, &t->attempt, clk_ms());
	if (end == SEC_EAP_NO)
		word_used(t);
	if (end != SEC_EAP_MORE)
		sec_auth_talked(&t->sa->auth, end == SEC_EAP_OK);
	return sec_answer(t->s, &a, NULL, 0);
}

int
sec_on_eap(struct sec_serve *s, const struct ipc_msg *m, struct sa *sa)
{
	const struct ipc_eap *q = &m->u.eap;
	uint8_t buf[SEC_TALK_EAP];
	enum sec_eap_end end;
	struct talk *t;
	struct wcur w;
	int err;

	if (sa == NULL || sec_auth_talks(&sa->auth) != 0 || sa->talk == NULL)
		return sec_refuse(s, m, ERR_STATE, "no EAP is expected of this "
				  "IKE SA");
	t = sa->talk;
	if (sa->asked != 0)
		return sec_refuse(s, m, ERR_STATE, "an EAP message waits");
	str_copy(t->from, sizeof(t->from), q->from);
	t->ticket = m->ticket;
	wcur_init(&w, buf, sizeof(buf));
	if (t->eap == NULL && (err = talk_open(t)) != 0) {
		sec_auth_talked(&sa->auth, false);
		return sec_refuse(s, m, err, err == ERR_NOTFOUND ? "this realm "
				  "has no EAP" : NULL);
	}
	if (q->eap.len == 0)
		end = sec_eap_start(t->eap, &w);
	else
		end = sec_eap_input(t->eap, q->eap, &w);
	if (end == SEC_EAP_RELAY)
		end = sec_talk_relay(t, m, q->eap, &w);
	err = sec_talk_tell(t, m, end, &w);
	wipe(buf, sizeof(buf));
	return err;
}

int
sec_talk_checked(struct sec_serve *s, const struct ipc_msg *q, struct sa *sa,
		 struct asked *asked, const struct sec_checked *c)
{
	struct talk *t = sa->talk;
	uint8_t buf[SEC_TALK_EAP];
	struct wcur w;
	int err;

	if (t == NULL || t->eap == NULL)
		return sec_refuse(s, q, ERR_STATE, NULL);
	wcur_init(&w, buf, sizeof(buf));
	if (c->err == 0 && t->realm->is_server) {
		str_copy(t->subject, sizeof(t->subject), c->subject);
		t->not_after = c->not_after;
		memcpy(t->mark, c->key, sizeof(t->mark));
		free(t->cert);
		t->cert = asked->cert;
		t->n_cert = asked->n_cert;
		asked->cert = NULL;
	}
	err = sec_talk_tell(t, q, sec_eap_go_on(t->eap, c->err, c->why, &w),
	    &w);
	wipe(buf, sizeof(buf));
	return err;
}

/* ---- AUTH by the key of it --------------------------------------------------- */

/* One that has begun; who asks for its key before that gets none at all. */
static struct talk *
talk_of(struct sec_serve *s, struct sa *sa)
{
	if (sa == NULL || sa->talk == NULL)
		return NULL;
	if (sa->talk->eap != NULL)
		return sa->talk;
	sec_auth_talked(&sa->auth, false);
	sec_talk_end(s, sa);
	return NULL;
}

int
sec_on_eap_sign(struct sec_serve *s, const struct ipc_msg *m, struct sa *sa)
{
	const struct ipc_eap_sign *q = &m->u.eap_sign;
	struct sec_bind b = {
		.init_msg = q->init_msg, .nonce = q->nonce, .sk_p = q->sk_p,
		.int_auth = q->int_auth, .prf = q->prf,
	};
	uint8_t auth[SEC_PRF_MAX];
	struct ipc_msg a;
	struct talk *t;
	size_t len = 0;
	int err;

	if ((t = talk_of(s, sa)) == NULL)
		return sec_refuse(s, m, ERR_STATE, "there was no EAP");
	b.msk = sec_eap_msk(t->eap);
	err = sec_auth_bind_sign(&s->keys, &sa->auth, &b, auth, &len);
	if (sec_auth_is_done(&sa->auth) || err != 0)
		sec_talk_end(s, sa);
	if (err != 0)
		return sec_refuse(s, m, err, NULL);
	ipc_msg_answer(&a, m, 0, NULL);
	a.u.eap_sign_ok.auth = (struct view){ auth, len };
	err = sec_answer(s, &a, NULL, 0);
	wipe(auth, sizeof(auth));
	return err;
}

/* A rule about EAP, or an address as identity, lets the two differ. */
static bool
is_same_name(const struct talk *t)
{
	const char *user = sec_eap_user(t->eap);
	struct sec_id id;

	return sec_id_dec((struct view){ t->id_peer, t->id_peer_len },
	    &id) == 0 &&
	    (id.type == SEC_ID_FQDN || id.type == SEC_ID_RFC822_ADDR) &&
	    id.data.len == strlen(user) &&
	    memcmp(id.data.p, user, id.data.len) == 0;
}

/* What a user showed; a gateway has done so before. */
static struct view
shown_of(struct sec_serve *s, struct sa *sa, const struct talk *t, uint8_t *buf)
{
	struct sec_shown x = { .kind = t->cert != NULL ? SEC_SHOWN_TLS :
		t->is_local ? SEC_SHOWN_PASSWORD : SEC_SHOWN_USER,
		.id_peer = { t->id_peer, t->id_peer_len },
		.id_own = { t->id_own, t->id_own_len },
		.user = view_of(sec_eap_user(t->eap)),
		.cert = { t->cert, t->n_cert } };

	if (sa->auth.is_initiator)
		return (struct view){ NULL, 0 };
	memcpy(x.mark, t->mark, sizeof(x.mark));
	return sec_shown_note(s, sa, &x, buf);
}

int
sec_on_eap_verify(struct sec_serve *s, const struct ipc_msg *m, struct sa *sa)
{
	const struct ipc_eap_verify *q = &m->u.eap_verify;
	struct sec_bind b = {
		.init_msg = q->init_msg, .nonce = q->nonce, .sk_p = q->sk_p,
		.int_auth = q->int_auth, .prf = q->prf,
	};
	uint8_t shown[SEC_SHOWN_MAX];
	struct ipc_msg a;
	struct talk *t;
	int err;

	if ((t = talk_of(s, sa)) == NULL)
		return sec_refuse(s, m, ERR_STATE, "there was no EAP");
	b.msk = sec_eap_msk(t->eap);
	b.id_peer = (struct view){ t->id_peer, t->id_peer_len };
	err = sec_auth_bind_check(&sa->auth, &b, q->method, q->auth);
	if (err != 0) {
		sec_talk_end(s, sa);
		return sec_refuse(s, m, err, err == ERR_AUTH ? "AUTH does not "
				  "belong to the key that EAP made: is "
				  "somebody in between?" : NULL);
	}
	if (!sa->auth.is_initiator && is_same_name(t))
		sec_auth_name_proved(&sa->auth, (uint64_t)t->not_after);
	ipc_msg_answer(&a, m, 0, NULL);
	a.u.eap_verify_ok.realm = sa->auth.realm;
	a.u.eap_verify_ok.peer = sa->auth.peer;
	a.u.eap_verify_ok.not_after = (uint64_t)t->not_after;
	a.u.eap_verify_ok.session_s = sec_eap_session_s(t->eap);
	if (!sa->auth.is_initiator)
		str_escape(a.u.eap_verify_ok.id_text,
			   sizeof(a.u.eap_verify_ok.id_text),
			   (const uint8_t *)sec_eap_user(t->eap),
			   strlen(sec_eap_user(t->eap)));
	memcpy(a.u.eap_verify_ok.subject, t->subject, strlen(t->subject) + 1);
	a.u.eap_verify_ok.shown = shown_of(s, sa, t, shown);
	if (sec_auth_is_done(&sa->auth))
		sec_talk_end(s, sa);
	return sec_answer(s, &a, NULL, 0);
}
