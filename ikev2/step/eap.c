/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/eap.c - IKE_AUTH with EAP (RFC 7296 2.16).
 *
 *   HDR, SK{ IDi, [N..], [IDr], [CP], SAi2, TSi, TSr }  -->
 *                         <--  HDR, SK{ IDr, [CERT..], AUTH, EAP }
 *   HDR, SK{ EAP }  -->
 *                         <--  HDR, SK{ EAP }          as often as it takes
 *   HDR, SK{ AUTH }  -->
 *                         <--  HDR, SK{ AUTH, [CP], SAr2, TSi, TSr }
 *
 * The secure process has the conversation: an EAP message goes in, the next one
 * comes out, and both AUTH of the end are made with the key that it keeps.  What
 * the first request asks for is answered by the last response, so a responder
 * keeps that message.  Nobody is authenticated, and no link is bound by a
 * responder, before the last AUTH was right.
 */
#include <string.h>

#include "daemon/base/str.h"
#include "ikev2/step/step.h"

static const struct view none;

static void
add_eap(struct ike_build *b, struct view eap)
{
	ike_build_begin(b, IKE_PL_EAP, false);
	wcur_view(&b->w, eap);
	ike_build_end(b);
}

static void
add_auth(struct ike_build *b, struct view auth)
{
	struct ike_auth a = { IKE_AUTH_PSK, auth };

	ike_build_begin(b, IKE_PL_AUTH, false);
	enc_auth(&b->w, &a);
	ike_build_end(b);
}

static enum ike_verdict
ask_eap(struct ike_sa *sa, struct ike_msg *m, struct view eap)
{
	char from[IP_TEXT_MAX];
	struct ike_ask ask = ike_auth_base(sa, IKE_ASK_EAP, true);

	ip_text(&sa->remote.ip, from);
	ask.eap = eap;
	ask.from = (struct view){ (const uint8_t *)from, strlen(from) };
	return ike_auth_put(sa, m, &ask);
}

/* ---- as responder -------------------------------------------------------- */

enum ike_verdict
ike_step_eap_claim(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_ask ask = ike_auth_base(sa, IKE_ASK_VERIFY, false);

	(void)ike;
	if (m->len > IKE_EAP_FIRST_MAX)
		return ike_fail(m, IKE_N_INVALID_SYNTAX,
				"the peer's first message is too long");
	ask.by_eap = true;
	ask.eap_only = ike_ntf_find(m->p, IKE_N_EAP_ONLY_AUTHENTICATION) != NULL;
	ask.id_peer = m->p->idi->raw;
	if (m->p->idr != NULL)
		ask.id_own = m->p->idr->raw;
	return ike_auth_put(sa, m, &ask);
}

enum ike_verdict
ike_step_eap_admit(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	(void)ike;
	if (m->ans->err == ERR_AGAIN)
		return ike_drop(m, DROP_IKE_BUSY);
	if (m->ans->err == ERR_AUTH || m->ans->err == ERR_NOTFOUND)
		return ike_auth_refuse_peer(sa, m, m->ans->why);
	if (m->ans->err != 0)
		return ike_fail(m, IKE_N_TEMPORARY_FAILURE, "%s", m->ans->why);
	m->ans = NULL;
	return V_NEXT;
}

enum ike_verdict
ike_step_eap_first(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	(void)ike;
	return ask_eap(sa, m, none);
}

enum ike_verdict
ike_step_eap_offer(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	const struct ike_ans *ans = m->ans;
	struct ike_setup *st = sa->setup;
	struct ike_build b;

	if (ans->err != 0 || ans->eap_end != IKE_EAP_MORE)
		return ike_fail(m, IKE_N_TEMPORARY_FAILURE, "%s", ans->why);
	ike_out_open(sa, &b);
	ike_auth_payloads(sa, &b, m);
	add_eap(&b, ans->eap);
	if (ike_out_reply(sa, m, &b) != 0 ||
	    tmr_start(&ike->tmr, &sa->life, ike->now_ms + IKE_EAP_MS) != 0) {
		ike_sa_kill(sa, "the answer could not be sent");
		return V_DONE;
	}
	/* the last answer is about what this one asks for */
	st->eap_first = m;
	m->ans = NULL;
	return V_DONE;
}

enum ike_verdict
ike_step_eap_ask(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	const struct ike_setup *st = sa->setup;

	(void)ike;
	if (sa->is_initiator ? !st->is_eap :
	    st->eap_first == NULL || st->is_eap_done)
		return ike_fail(m, IKE_N_INVALID_SYNTAX,
				"the peer sends EAP, which was not agreed on");
	return ask_eap(sa, m, m->p->eap->raw);
}

/* Who was refused, and why: the reason stays here. */
static void
tell_refused(struct ike_sa *sa, struct ike_msg *m, const char *why)
{
	const struct ike_pls *p = m->p;

	if (sa->setup->is_eap_told)
		return;
	sa->setup->is_eap_told = true;
	m->p = &sa->setup->eap_first->inner;
	(void)ike_auth_refuse_peer(sa, m, why);
	m->p = p;
}

enum ike_verdict
ike_step_eap_reply(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	const struct ike_ans *ans = m->ans;
	bool is_over = ans->err == 0 && ans->eap_end == IKE_EAP_NO;
	struct ike_build b;

	(void)ike;
	if (ans->err == ERR_AGAIN)
		return ike_drop(m, DROP_IKE_BUSY);
	/* some clients say no more once they hear that it was wrong */
	if (ans->err == 0 && (is_over || ans->why[0] != '\0'))
		tell_refused(sa, m, ans->why);
	/* our own trouble is not to look like a wrong password */
	if (ans->err != 0 || ans->eap.len == 0)
		return ike_fail(m, ans->err == 0 || ans->err == ERR_AUTH ?
				IKE_N_AUTHENTICATION_FAILED :
				IKE_N_TEMPORARY_FAILURE, "%s", ans->why);
	ike_out_open(sa, &b);
	add_eap(&b, ans->eap);
	sa->setup->is_eap_done = ans->eap_end == IKE_EAP_OK;
	if (ike_out_reply(sa, m, &b) != 0)
		ike_sa_kill(sa, "the answer could not be sent");
	else if (is_over)
		ike_sa_close(sa, ans->why);
	m->ans = NULL;
	return V_DONE;
}

enum ike_verdict
ike_step_eap_verify(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_ask ask = ike_auth_base(sa, IKE_ASK_EAP_VERIFY, false);

	(void)ike;
	if (!sa->setup->is_eap_done)
		return ike_fail(m, IKE_N_AUTHENTICATION_FAILED,
				"the peer sends AUTH before EAP has succeeded");
	ask.method = m->p->auth->method;
	ask.auth = m->p->auth->data;
	return ike_auth_put(sa, m, &ask);
}

enum ike_verdict
ike_step_eap_enter(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	const struct ike_pls *last = m->p;
	uint32_t session_s = m->ans->session_s;
	enum ike_verdict v;

	m->p = &sa->setup->eap_first->inner;
	v = ike_auth_enter(ike, sa, m);
	m->p = last;
	if (v != V_NEXT)
		return v;
	ike_token_take(sa, m);
	ike_until_limit(sa, session_s);
	return v;
}

enum ike_verdict
ike_step_eap_sign(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_ask ask = ike_auth_base(sa, IKE_ASK_EAP_SIGN, true);

	(void)ike;
	return ike_auth_put(sa, m, &ask);
}

static enum ike_verdict
take_own_auth(struct ike_msg *m)
{
	const struct ike_ans *ans = m->ans;

	if (ans->err != 0 || ans->auth.len == 0)
		return ike_fail(m, m->h.is_response ? 0 :
				IKE_N_AUTHENTICATION_FAILED, "%s", ans->why);
	m->own_auth.p = arena_dup(&m->arena, ans->auth.p, ans->auth.len);
	m->own_auth.len = ans->auth.len;
	m->own_method = IKE_AUTH_PSK;
	m->ans = NULL;
	return m->own_auth.p != NULL ? V_NEXT :
	    ike_fail(m, IKE_N_TEMPORARY_FAILURE, "out of memory");
}

enum ike_verdict
ike_step_eap_signed(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	enum ike_verdict v = take_own_auth(m);

	(void)ike;
	if (v != V_NEXT)
		return v;
	/* from here on it is about what the first request asked for */
	m->request = sa->setup->eap_first;
	sa->setup->eap_first = NULL;
	m->p = &m->request->inner;
	return V_NEXT;
}

/* ---- as initiator -------------------------------------------------------- */

enum ike_verdict
ike_step_eap_gateway(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	const struct ike_ans *ans = m->ans;
	struct ike_link *link = sa->link;

	(void)ike;
	if (ans->err != 0)
		return ike_auth_refuse_gateway(sa, m);
	/* what it proved; we have not yet */
	if (link != NULL)
		ike_auth_note_proof(link, m);
	m->ans = NULL;
	return V_NEXT;
}

static enum ike_verdict
send_on(struct ike_sa *sa, struct ike_msg *m, struct ike_build *b)
{
	int err = ike_out_request(sa, b, IKE_XCHG_IKE_AUTH);

	if (err != 0)
		return ike_fail(m, 0, "IKE_AUTH not sent: %s", err_text(err));
	return V_KEEP;
}

enum ike_verdict
ike_step_eap_next(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	const struct ike_ans *ans = m->ans;
	struct ike_build b;

	(void)ike;
	if (ans->err != 0)
		return ike_fail(m, 0, "%s", ans->why);
	sa->setup->has_word = ans->has_word;
	if (ans->eap_end == IKE_EAP_NO) {
		/* a wrong password is not said twice: somebody counts */
		if (ans->has_word && sa->link != NULL)
			ike_link_ask(sa->link);
		sa->is_refused = m->p->eap->code == IKE_EAP_FAILURE;
		ike_out_bye(sa, IKE_N_AUTHENTICATION_FAILED);
		return ike_fail(m, IKE_N_AUTHENTICATION_FAILED, "%s", ans->why);
	}
	if (ans->eap_end == IKE_EAP_OK) {
		m->ans = NULL;
		return V_NEXT;
	}
	ike_out_open(sa, &b);
	add_eap(&b, ans->eap);
	return send_on(sa, m, &b);
}

enum ike_verdict
ike_step_eap_request(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	enum ike_verdict v = take_own_auth(m);
	struct ike_build b;

	(void)ike;
	if (v != V_NEXT)
		return v;
	ike_out_open(sa, &b);
	add_auth(&b, m->own_auth);
	ike_token_add(sa, &b);
	sa->setup->is_eap_done = true;
	return send_on(sa, m, &b);
}

enum ike_verdict
ike_step_eap_check(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_ask ask = ike_auth_base(sa, IKE_ASK_EAP_VERIFY, false);

	(void)ike;
	if (!sa->setup->is_eap_done)
		return ike_fail(m, 0, "the gateway sends AUTH before EAP has "
				"succeeded");
	ask.method = m->p->auth->method;
	ask.auth = m->p->auth->data;
	return ike_auth_put(sa, m, &ask);
}

enum ike_verdict
ike_step_eap_accept(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	(void)ike;
	if (m->ans->err != 0 || ike_sa_authenticate(sa, m->ans, NULL) != 0)
		return ike_auth_refuse_gateway(sa, m);
	ike_roam_begin(sa, m);
	ike_token_take(sa, m);
	(void)ike_until_take(sa, m);
	m->ans = NULL;
	return V_NEXT;
}
