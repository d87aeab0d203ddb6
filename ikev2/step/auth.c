/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/auth.c - IKE_AUTH (RFC 7296 1.2, 2.15).
 *
 *   HDR, SK{ IDi, [CERT..], [CERTREQ..], [N..], [IDr], AUTH, SAi2, TSi,
 *            TSr }  -->
 *             <--  HDR, SK{ IDr, [CERT..], AUTH, [N..], SAr2, TSi, TSr }
 *
 * The secure process computes and checks AUTH; the engine sees no key of it.
 * An initiator asks SIGN, then VERIFY; a responder VERIFY, which also says who
 * the peer is and so which realm, then SIGN.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/log.h"
#include "daemon/base/str.h"
#include "ikev2/step/step.h"
#include "ikev2/trace_note.h"

static enum ike_prf
prf_id(enum spi_hash h)
{
	switch (h) {
	case SPI_HASH_SHA256:
		return IKE_PRF_SHA256;
	case SPI_HASH_SHA384:
		return IKE_PRF_SHA384;
	case SPI_HASH_SHA512:
		return IKE_PRF_SHA512;
	default:
		return IKE_PRF_NONE;
	}
}

enum ike_prf
ike_auth_prf(const struct ike_sa *sa)
{
	return prf_id(sa->suite.prf);
}

struct ike_ask
ike_auth_base(struct ike_sa *sa, enum ike_ask_type type, bool is_own)
{
	const struct ike_setup *st = sa->setup;
	bool of_initiator = sa->is_initiator == is_own;
	const struct ike_bytes *msg = is_own ? &st->own_msg : &st->peer_msg;
	struct ike_ask ask = {
		.type = type, .handle = sa->handle,
		.is_initiator = sa->is_initiator,
		.realm = UINT32_MAX, .peer = UINT32_MAX,
		.prf = prf_id(sa->suite.prf),
		.init_msg = { msg->p, msg->len },
		/* 2.15: the nonce of the other side */
		.nonce = of_initiator ? (struct view){ st->nr, st->nr_len } :
		    (struct view){ st->ni, st->ni_len },
		.sk_p = { sa->keys->p[of_initiator ? 0 : 1],
			  spi_hash_len(sa->suite.prf) },
		.int_auth = ike_inter_auth(sa)
	};

	if (sa->link != NULL && sa->is_initiator) {
		ask.realm = sa->link->realm->conf.index;
		ask.peer = sa->link->peer->index;
	}
	return ask;
}

/* What the secure process answers once an IKE SA; who asks again is broken, to it,
 * and it ends.  So no peer may bring us to do it. */
static uint32_t
once_bit(enum ike_ask_type t)
{
	return t == IKE_ASK_SIGN || t == IKE_ASK_VERIFY ||
	    t == IKE_ASK_PPK || t == IKE_ASK_OPEN ? 1u << t : 0;
}

int
ike_auth_ask(struct ike_sa *sa, struct ike_ask *ask)
{
	struct ike_setup *st = sa->setup;
	uint32_t bit = once_bit(ask->type);
	struct ike *ike = sa->ike;
	int err;

	if (st != NULL && (st->asked & bit) != 0)
		return ERR_EXISTS;

	ask->ticket = (uint64_t)sa->handle << 32 | ++ike->last_serial;
	sa->park_ticket = ask->ticket;
	sa->is_asked = true;
	if ((err = ike->ops.ask(ike->ops.ctx, ask)) != 0)
		return err;
	sa->ask_handle = sa->handle;
	if (st != NULL) {
		st->asked |= bit;
		st->asking = bit;
	}
	return 0;
}

enum ike_verdict
ike_auth_put(struct ike_sa *sa, struct ike_msg *m, struct ike_ask *ask)
{
	int err = ike_auth_ask(sa, ask);

	if (err == 0)
		return V_WAIT;
	if (m->h.is_response)
		return ike_fail(m, 0, "the secure process cannot be asked now");
	if (err == ERR_EXISTS)
		return ike_fail(m, IKE_N_TEMPORARY_FAILURE,
				"the secure process was asked already");
	return ike_drop(m, DROP_IKE_BUSY);	/* the peer repeats it */
}

/* ---- our AUTH ------------------------------------------------------------ */

enum ike_verdict
ike_step_auth_sign(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_ask ask = ike_auth_base(sa, IKE_ASK_SIGN, true);
	const struct ike_setup *st = sa->setup;

	(void)ike;
	ike_token_ask(sa);		/* answered before */
	ask.peer_hashes = st->peer_hashes;
	ask.certreq = (struct view){ st->certreq.p, st->certreq.len };
	ask.auth_ann = (struct view){ st->auth_ann.p, st->auth_ann.len };
	if (ike_auth_ask(sa, &ask) == 0)
		return V_WAIT;
	return ike_fail(m, m->h.is_response ? 0 : IKE_N_TEMPORARY_FAILURE,
			"the secure process cannot be asked now");
}

enum ike_verdict
ike_step_auth_signed(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	const struct ike_ans *ans = m->ans;
	struct ike_setup *st = sa->setup;
	bool is_bare;

	(void)ike;
	if (ans->err == ERR_PASSWORD && sa->is_initiator && sa->link != NULL)
		ike_link_ask(sa->link);
	if (ans->err != 0)
		return ike_fail(m, m->h.is_response ? 0 :
				IKE_N_AUTHENTICATION_FAILED, "%s", ans->why);
	st->is_eap = sa->is_initiator && ans->method == 0;
	st->is_eap_only = ans->eap_only;
	/* only who comes by EAP is answered so */
	is_bare = !sa->is_initiator && ans->eap_only && ans->method == 0 &&
	    m->form == IKE_FORM_AUTH_EAP_FIRST;
	if (ans->id_own.len < 4 || ans->id_own.len > IKE_ID_BODY_MAX ||
	    ans->id_peer.len > sizeof(st->id_peer) ||
	    (ans->auth.len == 0) != (st->is_eap || is_bare))
		return ike_fail(m, IKE_N_AUTHENTICATION_FAILED,
				"the secure process gave no usable answer");
	m->own_id.p = arena_dup(&m->arena, ans->id_own.p, ans->id_own.len);
	m->own_id.len = ans->id_own.len;
	m->own_auth.p = arena_dup(&m->arena, ans->auth.p, ans->auth.len);
	m->own_auth.len = ans->auth.len;
	m->own_method = ans->method;
	sa->own_end_s = ans->not_after_s;
	if (m->own_id.p == NULL || (m->own_auth.p == NULL && ans->auth.len > 0) ||
	    ike_cert_signed(m, ans) != 0)
		return ike_fail(m, IKE_N_TEMPORARY_FAILURE, "out of memory");
	if (ans->id_peer.len > 0)
		memcpy(st->id_peer, ans->id_peer.p, ans->id_peer.len);
	st->id_peer_len = ans->id_peer.len;
	m->ans = NULL;
	return V_NEXT;
}

static void
add_id(struct ike_build *b, uint8_t id_type, const struct ike_msg *m)
{
	ike_build_begin(b, id_type, false);
	wcur_view(&b->w, m->own_id);
	ike_build_end(b);
}

static void
add_auth(struct ike_build *b, const struct ike_msg *m)
{
	struct ike_auth auth = { m->own_method, m->own_auth };

	ike_build_begin(b, IKE_PL_AUTH, false);
	enc_auth(&b->w, &auth);
	ike_build_end(b);
}

enum ike_verdict
ike_step_auth_request(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_setup *st = sa->setup;
	bool is_childless = !st->is_eap && ike_childless_is_wanted(sa);
	struct view none = { NULL, 0 };
	struct ike_build b;
	int err;

	(void)ike;
	if (!is_childless && ike_child_offer(sa, &st->offer, m->why) != 0)
		return V_FAIL;
	ike_config_widen(sa, &st->offer);
	if (!is_childless && (err = ike_offer_spi(sa, &st->offer)) != 0)
		return ike_fail(m, 0, "no ESP SPI: %s", err_text(err));
	ike_out_open(sa, &b);
	add_id(&b, IKE_PL_IDI, m);
	ike_cert_add(sa, &b, m);
	ike_contact_add(sa, &b);
	if (st->id_peer_len > 0) {
		ike_build_begin(&b, IKE_PL_IDR, false);
		wcur_bytes(&b.w, st->id_peer, st->id_peer_len);
		ike_build_end(&b);
	}
	if (!st->is_eap) {
		add_auth(&b, m);
		ike_token_add(sa, &b);
	} else if (st->is_eap_only) {
		ike_build_notify(&b, IKE_PROTO_NONE, IKE_N_EAP_ONLY_AUTHENTICATION,
				 none, none);
	}
	ike_ppk_id_add(sa, &b);
	ike_config_add(sa, &b, &m->arena);
	ike_resume_ask(sa, &b);
	ike_roam_add(sa, &b);
	if (!is_childless)
		ike_child_payloads(sa, &b, &m->arena, &st->offer,
				   (struct view){ NULL, 0 }, NULL);
	sa->task->type = IKE_TASK_AUTH;
	if ((err = ike_out_request(sa, &b, IKE_XCHG_IKE_AUTH)) != 0)
		return ike_fail(m, 0, "IKE_AUTH not sent: %s", err_text(err));
	return V_KEEP;
}

void
ike_auth_failed(struct ike_sa *sa, struct ike_task *t, uint16_t notify,
		const char *why)
{
	struct ike_link *link = sa->link;
	struct ike *ike = sa->ike;

	(void)t;
	if (link != NULL) {
		ike_link_why(link, "%s", why);
		ike_trace_out(sa, sa->is_refused ? IKE_BY_PEER : IKE_BY_US,
			      notify == IKE_N_TS_UNACCEPTABLE ?
			      IKE_STAGE_CHILD : IKE_STAGE_AUTH, notify, why);
		if (notify == IKE_N_AUTHENTICATION_FAILED) {
			ike->stats.n_auth_failed++;
			ike->ops.link_event(ike->ops.ctx, link->id,
					    IKE_LINK_AUTH_FAILED, link->why);
		}
		ike_link_failed(link);
	}
	ike_sa_kill(sa, NULL);
}

/* ---- the peer's AUTH ----------------------------------------------------- */

enum ike_verdict
ike_step_auth_begin(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	(void)ike;
	/* RFC 9370 2.2.3: all key exchanges come before */
	if (sa->state == IKE_SA_INIT_R && ike_inter_is_due(sa))
		return ike_fail(m, IKE_N_INVALID_SYNTAX,
				"the peer left a key exchange out");
	if (sa->state == IKE_SA_INIT_R && !ike_sa_move(sa, IKE_EV_AUTH_IN))
		return ike_drop(m, DROP_IKE_EXCH);
	/* who it is was said, and is not said again as somebody else */
	if (sa->setup->eap_first != NULL)
		return ike_fail(m, IKE_N_INVALID_SYNTAX, "the peer begins "
				"anew while it logs in by EAP");
	return V_NEXT;
}

/* The secure process compares as well, with what is configured. */
static bool
is_expected(const struct ike_setup *st, const struct ike_id *id)
{
	const size_t head = 4;		/* type and RESERVED, which is ignored */
	const uint8_t *want = st->id_peer + head;
	bool is_name = id->type == IKE_ID_FQDN || id->type == IKE_ID_RFC822_ADDR;

	if (st->id_peer_len == 0)
		return true;
	if (id->type != st->id_peer[0])
		return false;
	if (id->type == IKE_ID_DER_ASN1_DN)	/* written in several ways */
		return true;
	if (id->raw.len != st->id_peer_len)
		return false;
	/* a host name in capitals is the same (RFC 4945 3.1.2) */
	if (is_name)
		return strncasecmp((const char *)id->data.p, (const char *)want,
				   id->data.len) == 0;
	return memcmp(id->data.p, want, id->data.len) == 0;
}

/* The identity a peer claims, for people. */
static void
claim_text(const struct ike_id *id, char out[IKE_ID_TEXT_MAX])
{
	struct ip_addr ip;

	if (id->type != IKE_ID_IPV4_ADDR && id->type != IKE_ID_IPV6_ADDR) {
		str_escape(out, IKE_ID_TEXT_MAX, id->data.p, id->data.len);
		return;
	}
	ip = ip_from(id->data.p, id->data.len);
	ip_text(&ip, out);
}

/* May one more refusal be told now?  Strangers cause them. */
static bool
refusal_is_told(struct ike *ike)
{
	if (ike->now_ms - ike->refused_ms >= 1000) {
		ike->refused_ms = ike->now_ms;
		ike->refused_n = 0;
	}
	return ike->refused_n++ < IKE_REFUSED_PER_S;
}

/* A responder refuses: one answer for wrong secret, unknown identity, wrong
 * realm (H6); the reason stays here. */
enum ike_verdict
ike_auth_refuse_peer(struct ike_sa *sa, struct ike_msg *m, const char *why)
{
	struct ike *ike = sa->ike;
	char text[IKE_ID_TEXT_MAX];

	ike->stats.n_auth_failed++;
	drop_count(DROP_IKE_AUTH, 1);
	if (refusal_is_told(ike)) {
		claim_text(m->p->idi, text);
		ike_trace_stranger(ike, m, text, IKE_STAGE_AUTH,
				   IKE_N_AUTHENTICATION_FAILED, why);
		ike->ops.auth_refused(ike->ops.ctx, &sa->remote, text, why);
	}
	return ike_fail(m, IKE_N_AUTHENTICATION_FAILED, "%s", why);
}

/* An initiator does not take the peer for who it dialled, 2.21.2. */
static enum ike_verdict
refuse_responder(struct ike_sa *sa, struct ike_msg *m, const char *why)
{
	drop_count(DROP_IKE_AUTH, 1);
	ike_out_bye(sa, IKE_N_AUTHENTICATION_FAILED);
	return ike_fail(m, IKE_N_AUTHENTICATION_FAILED, "%s", why);
}

enum ike_verdict
ike_auth_refuse_gateway(struct ike_sa *sa, struct ike_msg *m)
{
	const struct ike_ans *ans = m->ans;

	if (ans->err != ERR_AUTH && ans->err != ERR_NOTFOUND && ans->err != 0)
		return ike_fail(m, 0, "%s", ans->why);
	return refuse_responder(sa, m, ans->why[0] != '\0' ? ans->why :
				"the peer's credentials are wrong");
}

/* RFC 5998: it leaves it to EAP to prove who it is, and may. */
static bool
is_bare_gateway(const struct ike_sa *sa, const struct ike_msg *m)
{
	return m->h.is_response && m->form == IKE_FORM_AUTH_EAP_FIRST &&
	    m->p->auth == NULL && sa->setup->is_eap && sa->setup->is_eap_only;
}

enum ike_verdict
ike_step_auth_verify(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	const struct ike_id *id = m->h.is_response ? m->p->idr : m->p->idi;
	struct ike_ask ask = ike_auth_base(sa, IKE_ASK_VERIFY, false);
	const char *why;
	int err;

	(void)ike;
	if (m->h.is_response && !is_expected(sa->setup, id)) {
		char text[IKE_ID_TEXT_MAX], said[IKE_WHY_MAX];

		claim_text(id, text);
		snprintf(said, sizeof(said), "the peer calls itself %.80s",
			 text);
		return refuse_responder(sa, m, said);
	}
	if (is_bare_gateway(sa, m)) {
		ask.by_eap = true;
		ask.id_peer = id->raw;
		return ike_auth_ask(sa, &ask) == 0 ? V_WAIT :
		    ike_fail(m, 0, "the secure process cannot be asked now");
	}
	if (m->p->auth == NULL || (m->h.is_response &&
	    sa->setup->is_eap != (m->form == IKE_FORM_AUTH_EAP_FIRST) &&
	    !(sa->setup->is_eap && ike_redirect_said(sa, m))))
		return refuse_responder(sa, m, m->p->auth == NULL ?
					"the gateway does not prove who it is" :
					sa->setup->is_eap ?
					"the gateway does not ask for EAP" :
					"the peer wants EAP of us, which is not "
					"configured");
	ask.id_peer = id->raw;
	if (!m->h.is_response && m->p->idr != NULL)
		ask.id_own = m->p->idr->raw;
	ask.method = m->p->auth->method;
	ask.auth = ike_ppk_auth(sa, m);
	if ((err = ike_cert_shown(m, &ask.cert, &why)) == ERR_UNSUP)
		return m->h.is_response ? refuse_responder(sa, m, why) :
		    ike_auth_refuse_peer(sa, m, why);
	if (err != 0)
		return m->h.is_response ? ike_fail(m, 0, "%s", err_text(err)) :
		    ike_drop(m, DROP_IKE_BUSY);
	return ike_auth_put(sa, m, &ask);
}

static enum ike_verdict
wrong_auth(struct ike_sa *sa, struct ike_msg *m)
{
	return ike_auth_refuse_peer(sa, m, m->ans->why[0] != '\0' ? m->ans->why :
			   "the peer's credentials are wrong");
}

/* The link of an authenticated peer; made on demand for patterns. */
static int
find_link(struct ike *ike, const struct ike_ans *ans, struct ike_link **out)
{
	struct ike_realm *r = ike_realm_by_index(ike, ans->realm);
	struct ike_link *link;

	if (r == NULL || ans->peer >= r->conf.n_peer ||
	    r->peer[ans->peer].is_removed)
		return ERR_NOTFOUND;
	link = ike_link_of_peer(ike, ans->realm, ans->peer, ans->id_text);
	if (link == NULL)
		return ike_link_new(ike, r, &r->peer[ans->peer], ans->id_text,
				    out);
	*out = link;
	return 0;
}

void
ike_auth_note_proof(struct ike_link *link, const struct ike_msg *m)
{
	const struct ike_ans *ans = m->ans;

	str_copy(link->id_text, sizeof(link->id_text), ans->id_text);
	str_copy(link->subject, sizeof(link->subject), ans->subject);
	link->not_after_s = ans->not_after_s;
	ike_shown_keep(link, ans->shown);
	link->peer_method = m->p->auth != NULL ? m->p->auth->method :
	    IKE_METHOD_EAP;
}

/* A peer that opens one SA after the other loses the oldest. */
static void
make_room(struct ike_link *link, const struct ike_sa *sa)
{
	LIST_FOREACH_SAFE(it, next, &link->sas) {
		struct ike_sa *old = CONTAINER_OF(it, struct ike_sa,
						  link_node);

		if (link->n_sa <= IKE_LINK_SA_MAX)
			return;
		if (old != sa && old->is_authenticated)
			ike_sa_delete(old, NULL);
	}
}

enum ike_verdict
ike_auth_enter(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	const struct ike_ans *ans = m->ans;
	struct ike_link *link;
	char suite[96];

	if (ans->err == ERR_AGAIN)	/* too many at once; the peer repeats it */
		return ike_drop(m, DROP_IKE_BUSY);
	if (ans->err != 0 && ans->err != ERR_AUTH && ans->err != ERR_NOTFOUND)
		return ike_fail(m, IKE_N_TEMPORARY_FAILURE, "%s", ans->why);
	if (ans->err != 0)
		return wrong_auth(sa, m);
	if (find_link(ike, ans, &link) != 0)
		return wrong_auth(sa, m);
	ike_sa_bind(sa, link);
	if (link->is_held)
		return ike_fail(m, IKE_N_TEMPORARY_FAILURE,
				"taken down by command");
	if (ike_drain_shuts(ike, link->realm))
		return ike_fail(m, IKE_N_TEMPORARY_FAILURE,
				"this gateway is drained");
	if (!ike_prop_permits(link->realm->conf.suite, &sa->suite)) {
		drop_count(DROP_IKE_NOPROP, 1);
		return ike_fail(m, IKE_N_NO_PROPOSAL_CHOSEN,
				"suite %s of the peer is not permitted in this realm",
				ike_suite_text(&sa->suite, suite, sizeof(suite)));
	}
	if (ike_ppk_is_missing(sa))
		return ike_fail(m, IKE_N_AUTHENTICATION_FAILED,
				"the peer does not use its PPK");
	if (ike_ppk_is_foreign(sa))	/* RFC 9867 3.1 */
		return ike_fail(m, IKE_N_AUTHENTICATION_FAILED,
				"the peer uses a PPK that is not its own");
	if (ike_sa_authenticate(sa, ans, NULL) != 0)
		return wrong_auth(sa, m);
	ike_auth_note_proof(link, m);
	if (!ike_roam_fits(sa, m))
		return ike_fail(m, IKE_N_UNEXPECTED_NAT_DETECTED,
				"the peer permits no NAT, and there is one");
	ike_roam_begin(sa, m);
	make_room(link, sa);
	m->ans = NULL;
	return V_NEXT;
}

enum ike_verdict
ike_step_auth_realm(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	enum ike_verdict v = ike_auth_enter(ike, sa, m);

	if (v == V_NEXT)
		ike_token_take(sa, m);
	return v;
}

static void
commit_up(struct ike_sa *sa)
{
	sa->ike->stats.n_auth_ok++;
	ike_sa_up(sa);
}

enum ike_verdict
ike_step_auth_accept(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	(void)ike;
	if (m->ans->err != 0 || ike_sa_authenticate(sa, m->ans, NULL) != 0)
		return ike_auth_refuse_gateway(sa, m);
	if (sa->link != NULL)
		ike_auth_note_proof(sa->link, m);
	ike_roam_begin(sa, m);
	ike_token_take(sa, m);
	(void)ike_until_take(sa, m);
	m->ans = NULL;
	return V_NEXT;
}

/* ---- the answer ---------------------------------------------------------- */

/* Install the first child SA; a failure becomes a notify in the answer. */
static void
make_child(struct ike_sa *sa, struct ike_msg *m)
{
	const struct ike_setup *st = sa->setup;
	struct ike_child_make mk = {
		.offer = &m->offer, .choice = &m->choice,
		.in = { .ni = { st->ni, st->ni_len },
			.nr = { st->nr, st->nr_len } },
		.is_initiator = false
	};
	int err;

	if (m->child_fail != 0 || m->form == IKE_FORM_AUTH_CHILDLESS)
		return;
	if ((err = ike_child_new(sa, &mk, &m->made)) != 0) {
		snprintf(m->why, sizeof(m->why), "child SA not installed: %s",
			 err_text(err));
		m->child_fail = IKE_N_NO_ADDITIONAL_SAS;
		ike_offer_drop(sa->ike, &m->offer);
		return;
	}
	m->offer.esp_spi = 0;	/* the child's now */
}

void
ike_auth_payloads(struct ike_sa *sa, struct ike_build *b,
		  const struct ike_msg *m)
{
	add_id(b, IKE_PL_IDR, m);
	if (m->own_auth.len > 0) {	/* else EAP is to prove us, RFC 5998 */
		ike_cert_add(sa, b, m);
		add_auth(b, m);
	}
	ike_ppk_id_add(sa, b);
}

void
ike_auth_answer(struct ike_sa *sa, struct ike_build *b, const struct ike_msg *m)
{
	if (m->request == NULL)
		ike_auth_payloads(sa, b, m);
	else
		add_auth(b, m);	/* the rest went with the first answer */
}

enum ike_verdict
ike_step_auth_reply(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct view none = { NULL, 0 };
	struct ike_build b;
	struct ike_link *link = sa->link;

	make_child(sa, m);
	ike_out_open(sa, &b);
	ike_auth_answer(sa, &b, m);
	ike_contact_add(sa, &b);
	ike_token_add(sa, &b);
	ike_until_add(sa, &b);
	ike_config_reply(sa, m, &b);
	ike_resume_add(m, &b);
	ike_roam_add(sa, &b);
	if (m->child_fail != 0)
		ike_build_notify(&b, IKE_PROTO_NONE, m->child_fail, none, none);
	else if (m->made != NULL)
		ike_child_answer_payloads(sa, m, &b, none, NULL);
	/* commit: nothing of the SA was final before */
	if (!ike_sa_move(sa, IKE_EV_AUTH_OK))
		return ike_drop(m, DROP_IKE_EXCH);
	commit_up(sa);
	if (ike_out_reply(sa, m, &b) != 0) {
		ike_sa_kill(sa, "the answer could not be sent");
		return V_DONE;
	}
	(void)ike;
	if (m->child_fail != 0) {
		log_rl(LOG_NOTICE, "ike", "%s: no child SA: %s", link->id_text,
		       m->why);
		ike_link_why(link, "%s", m->why);
		ike_trace_in(sa, IKE_STAGE_CHILD, m->child_fail, m->why);
		ike_delete_if_childless(sa, NULL);
	}
	ike_link_update(link);
	ike_lane_fill(sa, IKE_LANE_LATER_MS);
	ike_contact_crossing(sa);
	return V_DONE;
}
