/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/serve_auth.c - handlers of messages about who somebody is: our AUTH
 * data, the peer's, PPKs, what we say of certificates, QCD tokens.
 *
 * A VERIFY that needs the verify child is answered when the child has answered.
 *
 * Thread: the only one.
 */
#include <stdlib.h>
#include <string.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/map.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "secure-proc/keys/ppk.h"
#include "secure-proc/keys/mark.h"
#include "secure-proc/keys/token.h"
#include "secure-proc/serve_priv.h"
#include "secure-proc/verify/wire.h"

#define CERTREQ_MAX 8192 /* bytes of CERTREQ bodies, as secure.def has it */

/* ---- AUTH and PPK ------------------------------------------------------------ */

/* What we ask of this peer, as initiator. */
static struct view
certreq_of(struct sec_serve *s, const struct sec_auth *a, uint8_t *buf,
	   size_t cap)
{
	const struct conf_peer *p =
	    &s->c.conf->realm[a->realm].peer[a->peer];
	struct view v = { buf, 0 };

	if (s->c.trust != NULL && a->is_initiator && !a->is_resumed &&
	    p->auth == CONF_AUTH_CERT)
		v.len = sec_trust_certreq(s->c.trust, a->realm, a->peer, buf,
		    cap);
	return v;
}

/* We are to log in by EAP: nobody is bothered who would get no password. */
static int
begin_eap(struct sec_serve *s, struct sa *sa, char why[WHY_MAX])
{
	const char *user;

	if (!sec_word_is_asked(s, sa->auth.realm, &user) ||
	    sec_talk_has_word(s, sa->auth.realm))
		return sec_talk_begin(s, sa);
	sa->auth.phase = SEC_P_FAILED;
	str_add(why, WHY_MAX, "the password of %.100s is to be typed", user);
	return ERR_PASSWORD;
}

int
sec_on_sign(struct sec_serve *s, const struct ipc_msg *m, struct sa *sa)
{
	char why[WHY_MAX] = "";
	uint8_t certreq[CERTREQ_MAX];
	struct sec_signed out;
	struct ipc_msg a;
	int err;

	out.not_after = 0;
	err = sec_auth_sign(&s->keys, &sa->auth, &m->u.sign, &out, why,
	    sizeof(why));
	if (err == 0 && sa->auth.is_resumed && sec_auth_is_done(&sa->auth) &&
	    (err = sec_ticket_spend(s, &sa->auth)) != 0) {
		sa->auth.phase = SEC_P_FAILED;
		wipe(&out, sizeof(out));
	}
	if (err != 0)
		return sec_refuse(s, m, err, why);
	if (sa->auth.is_eap && sa->auth.is_initiator &&
	    (err = begin_eap(s, sa, why)) != 0)
		return sec_refuse(s, m, err, why);
	ipc_msg_answer(&a, m, 0, NULL);
	a.u.sign_ok.id_own = (struct view){ out.id_own, out.id_own_len };
	a.u.sign_ok.id_peer = (struct view){ out.id_peer, out.id_peer_len };
	a.u.sign_ok.method = out.method;
	a.u.sign_ok.cert = out.cert;
	a.u.sign_ok.not_after = (uint64_t)out.not_after;
	a.u.sign_ok.eap_only = sa->auth.is_eap && (sa->auth.is_initiator ?
	    s->c.conf->realm[sa->auth.realm].me.only : sa->auth.is_alone);
	a.u.sign_ok.certreq = certreq_of(s, &sa->auth, certreq,
	    sizeof(certreq));
	a.u.sign_ok.auth = (struct view){ out.auth, out.auth_len };
	return sec_answer(s, &a, NULL, 0);
}

int
sec_on_ppk(struct sec_serve *s, const struct ipc_msg *m, struct sa *sa)
{
	char why[WHY_MAX] = "";
	struct sec_ppk out;
	struct ipc_msg a;
	int err;

	(void)sa;
	err = sec_ppk_mix(&s->keys, &m->u.ppk, &out, why, sizeof(why));
	ipc_msg_answer(&a, m, err, why);
	a.u.ppk_ok.is_required = out.is_required;
	if (err == 0) {
		a.u.ppk_ok.ppk_id = (struct view){ out.id, out.id_len };
		a.u.ppk_ok.sk_d = (struct view){ out.sk_d, out.len };
		a.u.ppk_ok.sk_pi = (struct view){ out.sk_pi, out.p_len };
		a.u.ppk_ok.sk_pr = (struct view){ out.sk_pr, out.p_len };
		a.u.ppk_ok.confirm = (struct view){ out.confirm, out.n_confirm };
	}
	err = sec_answer(s, &a, NULL, 0);
	wipe(&out, sizeof(out));
	return err;
}

int
sec_check_ask(struct sec_serve *s, const struct ipc_msg *m, struct sa *sa,
	      const struct sec_check *q, const char *id, const struct sec_shown *shown)
{
	struct asked *a;
	int err;

	if (s->c.link == NULL)
		return ERR_STATE;
	if ((a = calloc(1, sizeof(*a))) == NULL)
		return ERR_NOMEM;
	a->number = ++s->last_number;
	a->ticket = m->ticket;
	a->handle = m->handle;
	a->is_eap = m->type == IPC_EAP;
	a->is_standing = m->type == IPC_STANDS;
	if (shown != NULL) {
		a->realm = m->u.stands.realm;
		a->peer = m->u.stands.peer;
		memcpy(a->key, shown->mark, sizeof(a->key));
	}
	str_copy(a->id, sizeof(a->id), id);
	a->n_peer = MIN(q->id.len, sizeof(a->id_peer));
	memcpy(a->id_peer, q->id.p, a->n_peer);
	a->n_own = MIN(q->id_own.len, sizeof(a->id_own));
	if (a->n_own > 0)
		memcpy(a->id_own, q->id_own.p, a->n_own);
	if ((err = sec_shown_certs(q->cert, &a->cert, &a->n_cert)) != 0 ||
	    (err = map_add(s->asked, &a->number, a)) != 0)
		goto fail;
	if (sa != NULL)
		sa->asked = a->number;
	err = sec_link_ask(s->c.link, a->number, q, clk_ms());
	if (err == 0)
		return 0;
	map_remove(s->asked, &a->number);
	if (sa != NULL)
		sa->asked = 0;
fail:
	free(a->cert);
	free(a);
	return err;
}

/* Hand a VERIFY to the child. */
static int
verify_ask(struct sec_serve *s, const struct ipc_msg *m, struct sa *sa,
	   const struct sec_auth_asked *with, const char *id)
{
	const struct ipc_verify *v = &m->u.verify;
	const struct sec_check q = {
		.realm = sa->auth.realm, .peer = sa->auth.peer,
		.now = clk_wall_s(), .method = v->method, .id = v->id_peer,
		.id_own = v->id_own,
		.cert = v->cert, .auth = v->auth, .init_msg = v->init_msg,
		.nonce = v->nonce,
		.maced_id = { with->maced_id, with->maced_id_len },
	};

	return sec_check_ask(s, m, sa, &q, id, NULL);
}

/* Move the IKE SA on by what the child said. */
static int
verified(struct sec_serve *s, struct sa *sa, const struct asked *q,
	 const struct sec_checked *c, char *why, size_t cap)
{
	const struct sec_auth_told told = {
		.err = c->err, .realm = c->realm, .peer = c->peer,
		.id_peer = { q->id_peer, q->n_peer },
		.id_own = { q->id_own, q->n_own },
	};

	sa->asked = 0;
	return sec_auth_verified(&s->keys, &sa->auth, &told, why, cap);
}

/* With EAP nobody is authenticated yet, and EAP_VERIFY_OK says it. */
static void
tell_place(const struct sa *sa, struct ipc_msg *a)
{
	a->u.verify_ok.realm = sa->auth.is_eap ? UINT32_MAX : sa->auth.realm;
	a->u.verify_ok.peer = sa->auth.is_eap ? UINT32_MAX : sa->auth.peer;
}

static bool
told_again(const struct sec_checked *c, struct sec_checked *closed)
{
	if (c->err != ERR_AGAIN)
		return false;
	*closed = *c;
	closed->err = ERR_CLOSED;
	return true;
}

/* By certificate. */
static struct view
shown_cert(struct sec_serve *s, struct sa *sa, const struct asked *q,
	   const struct sec_checked *c, uint8_t *buf)
{
	struct sec_shown x = { .kind = SEC_SHOWN_CERT,
		.id_peer = { q->id_peer, q->n_peer },
		.id_own = { q->id_own, q->n_own },
		.cert = { q->cert, q->n_cert } };

	memcpy(x.mark, c->key, sizeof(x.mark));
	return sec_shown_note(s, sa, &x, buf);
}

static int
checked_ok(struct sec_serve *s, const struct ipc_msg *req, struct sa *sa,
	   const struct asked *q, const struct sec_checked *c)
{
	uint8_t shown[SEC_SHOWN_MAX];
	struct ipc_msg a;

	ipc_msg_answer(&a, req, 0, NULL);
	tell_place(sa, &a);
	a.u.verify_ok.not_after = (uint64_t)c->not_after;
	sa->auth.not_after_s = (uint64_t)c->not_after;
	memcpy(a.u.verify_ok.id_text, q->id, strlen(q->id) + 1);
	memcpy(a.u.verify_ok.subject, c->subject, strlen(c->subject) + 1);
	a.u.verify_ok.shown = shown_cert(s, sa, q, c, shown);
	return sec_answer(s, &a, NULL, 0);
}

/* The child has looked. */
void
sec_on_checked(void *ctx, uint64_t number, const struct sec_checked *c)
{
	struct sec_serve *s = ctx;
	struct sec_checked closed;
	struct asked *q = map_remove(s->asked, &number);
	char why[WHY_MAX], told[WHY_MAX];
	struct ipc_msg req;
	struct sa *sa;
	int err = 0;

	if (number == SEC_SAID_LISTS)
		err = sec_lists_changed(s);
	else if (q != NULL && q->is_standing)
		err = sec_stands_checked(s, q, c);
	if (err != 0)
		s->fatal = err;
	if (q == NULL || q->is_standing)
		goto out;
	ipc_msg_init(&req, q->is_eap ? IPC_EAP : IPC_VERIFY);
	req.ticket = q->ticket;
	req.handle = q->handle;
	sa = q->is_closed ? NULL : map_find(s->sa, &q->handle);
	/* ERR_AGAIN says to tapird that it may ask the same again: it may not */
	if (told_again(c, &closed))
		c = &closed;
	if (sa == NULL) {
		err = sec_refuse(s, &req, ERR_STATE, "the IKE SA is gone");
	} else if (q->is_eap) {
		sa->asked = 0;
		err = sec_talk_checked(s, &req, sa, q, c);
	} else if ((err = verified(s, sa, q, c, told, sizeof(told))) != 0) {
		snprintf(why, sizeof(why), "peer \"%.60s\": %.180s", q->id,
		    told[0] != '\0' ? told : c->why);
		err = sec_refuse(s, &req, err, why);
	} else {
		err = checked_ok(s, &req, sa, q, c);
	}
	if (err != 0)
		s->fatal = err;
out:
	if (q != NULL)
		free(q->cert);
	free(q);
}

/* By pre-shared key, or by a ticket: then it is what was shown the first time. */
static struct view
shown_psk(struct sec_serve *s, struct sa *sa, const struct ipc_verify *v,
	  uint8_t *buf)
{
	struct sec_shown x = { .kind = SEC_SHOWN_PSK, .id_peer = v->id_peer,
		.id_own = v->id_own };

	if (sa->auth.is_eap)		/* later */
		return (struct view){ NULL, 0 };
	if (sa->auth.is_resumed)
		return sec_showns_find(s->showns, (struct view){ sa->shown,
		    sa->has_shown ? sizeof(sa->shown) : 0 });
	sec_mark_of(s, sec_store_psk(s->keys.store, sa->auth.realm,
	    sa->auth.peer), x.mark);
	return sec_shown_note(s, sa, &x, buf);
}

int
sec_on_verify(struct sec_serve *s, const struct ipc_msg *m, struct sa *sa)
{
	char why[WHY_MAX] = "", id[SEC_ID_TEXT_MAX];
	uint8_t shown[SEC_SHOWN_MAX];
	struct sec_auth_asked asked;
	struct ipc_msg a;
	int err;

	err = sec_auth_verify(&s->keys, &sa->auth, &m->u.verify, id, &asked,
	    why, sizeof(why));
	if (err == 0 && sa->auth.is_eap && !sa->auth.is_initiator &&
	    (err = sec_talk_begin(s, sa)) != 0)
		return sec_refuse(s, m, err, "too many log in at once");
	if ((err == 0 || err == ERR_AGAIN) && sa->auth.is_eap)
		sec_talk_id(sa, m->u.verify.id_peer, m->u.verify.id_own);
	if (err == ERR_AGAIN) {
		err = verify_ask(s, m, sa, &asked, id);
		wipe(&asked, sizeof(asked));
		if (err == 0)
			return s->fatal;
		(void)!sec_auth_verified(&s->keys, &sa->auth,
		    &(struct sec_auth_told){ .err = err }, why, sizeof(why));
		return sec_refuse(s, m, err, err == ERR_FULL ? "too many "
		    "certificates wait to be looked at" : NULL);
	}
	if (err != 0)
		return sec_refuse(s, m, err, why);
	ipc_msg_answer(&a, m, 0, NULL);
	tell_place(sa, &a);
	a.u.verify_ok.not_after = sa->auth.not_after_s;	/* of a ticket */
	a.u.verify_ok.shown = shown_psk(s, sa, &m->u.verify, shown);
	memcpy(a.u.verify_ok.id_text, id, strlen(id) + 1);
	return sec_answer(s, &a, NULL, 0);
}

/* ---- certificates ------------------------------------------------------------ */

int
sec_on_ca_list(struct sec_serve *s, const struct ipc_msg *m,
	       struct sa *sa UNUSED)
{
	uint8_t certreq[CERTREQ_MAX], ann[512];
	struct ipc_msg a;

	ipc_msg_answer(&a, m, 0, NULL);
	a.u.ca_list_ok.certreq.p = certreq;
	a.u.ca_list_ok.auth_ann.p = ann;
	if (s->c.trust != NULL)
		a.u.ca_list_ok.certreq.len = sec_trust_certreq(s->c.trust,
		    UINT32_MAX, UINT32_MAX, certreq, sizeof(certreq));
	a.u.ca_list_ok.auth_ann.len = sec_trust_methods(s->c.trust, s->c.conf,
	    ann, sizeof(ann));
	return sec_answer(s, &a, NULL, 0);
}

/* ---- quick crash detection, RFC 6290 ----------------------------------------- */

int
sec_on_token(struct sec_serve *s, const struct ipc_msg *m,
	     struct sa *sa UNUSED)
{
	const struct ipc_token *q = &m->u.token;
	uint8_t token[SEC_TOKEN_LEN];
	struct ipc_msg a;
	int err;

	if (s->c.token == NULL)
		return sec_refuse(s, m, ERR_UNSUP, "no tokens are made here");
	if (q->ispi == 0 || q->rspi == 0)
		return sec_refuse(s, m, ERR_RANGE, NULL);
	if ((err = sec_token_make(s->c.token, q->ispi, q->rspi, token)) != 0)
		return sec_refuse(s, m, err, NULL);
	ipc_msg_answer(&a, m, 0, NULL);
	a.u.token_ok.token = (struct view){ token, sizeof(token) };
	return sec_answer(s, &a, NULL, 0);
}

/* ---- fingerprints ------------------------------------------------------------ */

int
sec_on_mark(struct sec_serve *s, const struct ipc_msg *m, struct sa *sa UNUSED)
{
	const struct ipc_mark *q = &m->u.mark;
	const struct conf_realm *r = sec_realm_at(s, q->realm);
	char mark[SEC_MARK_DIGITS + 1] = "";
	const char *me, *peer;
	struct ipc_msg a;
	int err;

	if (r == NULL || q->peer >= r->n_peer)
		return sec_refuse(s, m, ERR_NOTFOUND, "no such peer");
	me = r->me.id != NULL ? r->me.id : "";
	peer = r->peer[q->peer].id != NULL ? r->peer[q->peer].id : "";
	err = sec_mark_make(sec_store_psk(s->keys.store, q->realm, q->peer), me,
			    peer, SEC_MARK_ROUNDS, mark);
	if (err != 0)
		return sec_refuse(s, m, err, NULL);
	ipc_msg_answer(&a, m, 0, NULL);
	a.u.mark_ok.realm = q->realm;
	a.u.mark_ok.peer = q->peer;
	str_copy(a.u.mark_ok.mark, sizeof(a.u.mark_ok.mark), mark);
	return sec_answer(s, &a, NULL, 0);
}
