/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/ppk.c - post-quantum pre-shared keys in IKE_AUTH (RFC 8784), and
 * which way is taken; the other is ppk_int.c.
 *
 *   IKE_SA_INIT  N(USE_PPK)  -->                    <--  N(USE_PPK)
 *   IKE_AUTH     .., N(PPK_IDENTITY)  -->           <--  .., N(PPK_IDENTITY)
 *
 * Between the two SK_d, SK_pi and SK_pr are mixed with the PPK; the secure
 * process does it, so that the PPK is never here.  A peer that has one must use
 * it: we never send NO_PPK_AUTH, and accept it from peers without a PPK only.
 */
#include <string.h>

#include "daemon/base/log.h"
#include "ikev2/step/step.h"

static const struct view none;

/* ---- negotiation --------------------------------------------------------- */

void
ike_ppk_add(struct ike_sa *sa, struct ike_build *b)
{
	bool has = sa->is_initiator && sa->link->peer->has_ppk;

	if (has || sa->setup->is_ppk)
		ike_build_notify(b, IKE_PROTO_NONE, IKE_N_USE_PPK, none, none);
	if ((has && sa->ike->conf.has_ppk_int) || sa->setup->is_ppk_int)
		ike_build_notify(b, IKE_PROTO_NONE, IKE_N_USE_PPK_INT, none,
				 none);
}

/* RFC 9867 3.1: it needs the exchange as well. */
static bool
is_int_said(const struct ike_sa *sa, const struct ike_msg *m)
{
	return sa->ike->conf.has_ppk_int && ike_inter_said(m) &&
	    ike_ntf_find(m->p, IKE_N_USE_PPK_INT) != NULL;
}

bool
ike_ppk_said(const struct ike_sa *sa, const struct ike_msg *m)
{
	return is_int_said(sa, m) || ike_ntf_find(m->p, IKE_N_USE_PPK) != NULL;
}

enum ike_verdict
ike_step_ppk(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	bool has = sa->is_initiator ? sa->link->peer->has_ppk : ike->has_ppk;
	struct ike_setup *st = sa->setup;

	/* one of the two, RFC 9867 3.1: the one that protects IKE_AUTH too */
	st->is_ppk_int = has && is_int_said(sa, m);
	st->is_ppk = has && !st->is_ppk_int &&
	    ike_ntf_find(m->p, IKE_N_USE_PPK) != NULL;
	return V_NEXT;
}

/* ---- mixing -------------------------------------------------------------- */

enum ike_verdict
ike_step_ppk_ask(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	size_t n = spi_hash_len(sa->suite.prf);
	struct ike_ask ask = {
		.type = IKE_ASK_PPK, .handle = sa->handle,
		.is_initiator = sa->is_initiator,
		.realm = UINT32_MAX, .peer = UINT32_MAX,
		.prf = ike_auth_prf(sa), .sk_d = { sa->keys->d, n },
		.sk_pi = { sa->keys->p[0], n }, .sk_pr = { sa->keys->p[1], n }
	};
	const struct ike_ntf *id;

	(void)ike;
	if (!sa->setup->is_ppk)
		return V_NEXT;
	if (sa->is_initiator) {
		ask.realm = sa->link->realm->conf.index;
		ask.peer = sa->link->peer->index;
	} else {
		id = ike_ntf_find(m->p, IKE_N_PPK_IDENTITY);
		/* RFC 8784 3: said, and not done */
		if (id == NULL || id->data.len < 2 ||
		    id->data.len > IKE_PPK_ID_MAX)
			return ike_fail(m, IKE_N_AUTHENTICATION_FAILED,
					"the peer names no PPK");
		ask.ppk_id = id->data;
		ask.id_peer = m->p->idi->raw;
		if (m->p->idr != NULL)
			ask.id_own = m->p->idr->raw;
	}
	return ike_auth_put(sa, m, &ask);
}

static enum ike_verdict
refused(struct ike_sa *sa, struct ike_msg *m)
{
	const struct ike_ans *ans = m->ans;

	if (m->h.is_response)
		return ike_fail(m, 0, "%s", ans->why);
	/* a peer without a PPK here may offer to do without */
	if (ans->err == ERR_NOTFOUND && !ans->is_ppk_required &&
	    ike_ntf_find(m->p, IKE_N_NO_PPK_AUTH) != NULL) {
		sa->setup->is_ppk = false;
		m->ans = NULL;
		return V_NEXT;
	}
	/* nothing is mixed yet, so the peer may repeat it; and nobody is told that
	 * his key is wrong for trouble of ours */
	if (ans->err == ERR_AGAIN)
		return ike_drop(m, DROP_IKE_BUSY);
	if (ans->err != ERR_AUTH && ans->err != ERR_NOTFOUND)
		return ike_fail(m, IKE_N_TEMPORARY_FAILURE, "%s", ans->why);
	log_rl(LOG_WARN, "ike", "PPK of a peer: %s", ans->why);
	sa->ike->stats.n_auth_failed++;
	drop_count(DROP_IKE_AUTH, 1);
	return ike_fail(m, IKE_N_AUTHENTICATION_FAILED, "%s", ans->why);
}

enum ike_verdict
ike_step_ppk_mixed(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	size_t n = spi_hash_len(sa->suite.prf);
	const struct ike_ans *ans = m->ans;
	struct ike_setup *st = sa->setup;

	(void)ike;
	if (!st->is_ppk)
		return V_NEXT;
	if (ans->err != 0)
		return refused(sa, m);
	if (ans->sk_d.len != n || ans->sk_pi.len != n || ans->sk_pr.len != n ||
	    ans->ppk_id.len > sizeof(st->ppk_id))
		return ike_fail(m, IKE_N_AUTHENTICATION_FAILED,
				"the secure process gave no usable answer");
	memcpy(sa->keys->d, ans->sk_d.p, n);
	memcpy(sa->keys->p[0], ans->sk_pi.p, n);
	memcpy(sa->keys->p[1], ans->sk_pr.p, n);
	if (ans->ppk_id.len > 0)
		memcpy(st->ppk_id, ans->ppk_id.p, ans->ppk_id.len);
	st->ppk_id_len = ans->ppk_id.len;
	st->is_mixed = true;
	m->ans = NULL;
	return V_NEXT;
}

/* ---- IKE_AUTH ------------------------------------------------------------ */

void
ike_ppk_id_add(const struct ike_sa *sa, struct ike_build *b)
{
	const struct ike_setup *st = sa->setup;

	if (st->is_mixed && !st->is_ppk_int)	/* the answer names it without data */
		ike_build_notify(b, IKE_PROTO_NONE, IKE_N_PPK_IDENTITY, none,
				 sa->is_initiator ? (struct view){ st->ppk_id,
				 st->ppk_id_len } : none);
}

struct view
ike_ppk_auth(const struct ike_sa *sa, const struct ike_msg *m)
{
	const struct ike_ntf *n = ike_ntf_find(m->p, IKE_N_NO_PPK_AUTH);

	return !m->h.is_response && !sa->setup->is_mixed && n != NULL &&
	    n->data.len > 0 ? n->data : m->p->auth->data;
}

bool
ike_ppk_is_missing(const struct ike_sa *sa)
{
	return sa->link->peer->has_ppk && !sa->setup->is_mixed;
}
