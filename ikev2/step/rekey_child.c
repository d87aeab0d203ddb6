/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/rekey_child.c - CREATE_CHILD_SA for child SAs (RFC 7296 1.3.1,
 * 1.3.3, 2.8, 2.8.1, 2.25).
 *
 *   HDR, SK{ N(REKEY_SA), [N+], SA, Ni, [KEi], TSi, TSr }  -->
 *             <--  HDR, SK{ [N+], SA, Nr, [KEr], TSi, TSr }
 *
 * The new SA receives before the old one stops: the responder installs it, then
 * answers; the initiator installs it, then deletes the old one.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"
#include "ikev2/neg/collide.h"
#include "ikev2/step/step.h"
#include "ikev2/trace_note.h"

enum spi_group
ike_child_group(const struct ike_sa *sa)
{
	if (sa->is_child_plain)
		return SPI_GROUP_NONE;
	return sa->child_group != SPI_GROUP_NONE ? sa->child_group :
	    sa->suite.group;
}

/* ---- our request --------------------------------------------------------- */

bool
ike_rekey_child_prepare(struct ike_sa *sa, struct ike_task *t,
			enum spi_group *group)
{
	struct ike_child *c = ike_child_by_id(sa->ike, t->child_id);

	if (c == NULL || c->sa != sa || c->state != IKE_CHILD_UP)
		return false;
	t->offer.mode = c->mode;
	t->offer.local = c->local;
	t->offer.remote = c->remote;
	ike_lane_inherit(c, &t->offer);
	t->offer.group = *group = ike_child_group(sa);
	return true;
}

bool
ike_new_child_prepare(struct ike_sa *sa, struct ike_task *t,
		      enum spi_group *group)
{
	char why[IKE_WHY_MAX];

	bool is_rest = sa->n_child > 0 || sa->link->is_single;

	if (is_rest ? !ike_child_rest(sa, &t->offer) :
	    ike_child_offer(sa, &t->offer, why) != 0)
		return false;
	t->offer.group = *group = ike_child_group(sa);
	return true;
}

int
ike_rekey_child_send(struct ike_sa *sa, struct ike_task *t)
{
	struct ike_child *c = NULL;
	struct ike_build b;
	struct arena a;
	uint8_t spi[4];
	int err;

	if (t->type == IKE_TASK_REKEY_CHILD) {
		c = ike_child_by_id(sa->ike, t->child_id);
		if (c == NULL || c->sa != sa || c->state != IKE_CHILD_UP)
			return ERR_STATE;	/* deleted while we made a key */
	}
	if ((err = rng_bytes(t->nonce, sizeof(t->nonce))) != 0 ||
	    (err = ike_offer_spi(sa, &t->offer)) != 0)
		return err;
	arena_init(&a, IKE_ARENA_MAX);
	ike_out_open(sa, &b);
	if (c != NULL) {
		be32_put(spi, c->spi_in);
		ike_build_notify(&b, IKE_PROTO_ESP, IKE_N_REKEY_SA,
		    (struct view){ spi, 4 }, (struct view){ NULL, 0 });
	}
	ike_child_payloads(sa, &b, &a, &t->offer, (struct view){ t->nonce,
	    sizeof(t->nonce) }, t->dh);
	err = ike_out_request(sa, &b, IKE_XCHG_CREATE_CHILD_SA);
	arena_fini(&a);
	return err;
}

static void
retry(struct ike_sa *sa, struct ike_task *t, uint64_t in_ms)
{
	uint8_t r = 0;

	if (rng_bytes(&r, 1) != 0)
		r = 0;
	/* different times on both ends, or they meet again */
	ike_task_add_later(sa, t->type, t->child_id, in_ms + in_ms * r / 256);
}

/* Another group was asked for, and it is in our suite. */
static bool
other_group(struct ike_sa *sa, struct ike_task *t)
{
	if (!ike_prop_has_group(sa->link->realm->conf.suite, t->offer.group) ||
	    ++sa->n_ke_again > IKE_INIT_AGAIN_MAX)
		return false;
	sa->child_group = t->offer.group;
	retry(sa, t, 0);
	return true;
}

/* The first child SA, of IKE_AUTH, never tells whether the peer is configured
 * for a key exchange of child SAs: many are not, and refuse one (1.3.1). */
static bool
without_ke(struct ike_sa *sa, struct ike_task *t)
{
	if (t->offer.group == SPI_GROUP_NONE)
		return false;
	sa->is_child_plain = true;
	retry(sa, t, 0);
	return true;
}

bool
ike_child_retry(struct ike_sa *sa, struct ike_task *t, uint16_t notify)
{
	switch (notify) {
	case IKE_N_TEMPORARY_FAILURE:
	case IKE_N_STATE_NOT_FOUND:
		retry(sa, t, IKE_TEMP_MS);
		return true;
	case IKE_N_INVALID_KE_PAYLOAD:
		return other_group(sa, t);
	case IKE_N_NO_PROPOSAL_CHOSEN:
		return without_ke(sa, t);
	default:
		return false;
	}
}

/* Another one is in its place, made by the peer: it ends, by a Delete of the
 * peer, or of ours if that never comes. */
static void
superseded(struct ike *ike, struct ike_child *old)
{
	if (!ike_child_move(old, IKE_EV_CHILD_REPLACED))
		return;
	tmr_stop(&ike->tmr, &old->soft);
	if (tmr_start(&ike->tmr, &old->hard, ike->now_ms + IKE_COLLIDE_MS) != 0)
		log_warn("ike", "child %u: no timer", old->id);
}

/* The peer refuses, but replaced the same child SA itself while we waited: there
 * is nothing left to try again (2.8.1 has met its end, with one new child SA). */
static bool
is_settled(struct ike_sa *sa, const struct ike_task *t, struct ike_child *c,
	   uint16_t notify)
{
	if (t->twin_nonce_len == 0 || c == NULL || c->sa != sa ||
	    c->state != IKE_CHILD_UP)
		return false;
	switch (notify) {
	case 0:
	case IKE_N_INVALID_SYNTAX:
	case IKE_N_CHILD_SA_NOT_FOUND:
		return false;
	default:
		superseded(sa->ike, c);
		return true;
	}
}

/* The peer does not know it, but asked for it itself a moment ago: what it replaces
 * is not deleted yet, so our answer has not been read there. */
static bool
is_on_its_way(const struct ike_sa *sa, const struct ike_child *c)
{
	if (c == NULL || c->sa != sa || c->is_initiator || !c->is_heir)
		return false;
	LIST_FOREACH(it, &sa->children)
		if (CONTAINER_OF(it, struct ike_child, node)->state ==
		    IKE_CHILD_REKEYED)
			return true;
	return false;
}

void
ike_rekey_child_failed(struct ike_sa *sa, struct ike_task *t, uint16_t notify,
		       const char *why)
{
	struct ike_child *c = ike_child_by_id(sa->ike, t->child_id);

	if (is_settled(sa, t, c, notify) || ike_child_retry(sa, t, notify))
		return;
	if (notify == IKE_N_CHILD_SA_NOT_FOUND && is_on_its_way(sa, c)) {
		retry(sa, t, IKE_TEMP_MS);
		return;
	}
	switch (notify) {
	case IKE_N_CHILD_SA_NOT_FOUND:	/* 2.25: it is gone there */
		if (c != NULL && c->sa == sa)
			ike_child_kill(c);
		if (sa->n_child == 0)
			ike_task_add(sa, IKE_TASK_NEW_CHILD, 0);
		ike_lane_fill(sa, 0);
		ike_link_update(sa->link);
		return;
	case IKE_N_INVALID_SYNTAX:
	case 0:
		/* the ends disagree about what exists: begin anew */
		ike_sa_delete(sa, why);
		return;
	default:
		break;
	}
	/* the old one serves until its hard limit */
	ike_trace_rekey(sa->link, why);
	log_notice("ike", "%s: rekeying failed: %s", sa->link->id_text, why);
}

void
ike_new_child_failed(struct ike_sa *sa, struct ike_task *t, uint16_t notify,
		     const char *why)
{
	if (ike_child_retry(sa, t, notify))
		return;
	if (notify == IKE_N_SINGLE_PAIR_REQUIRED && !sa->link->is_single) {
		sa->link->is_single = true;
		ike_task_add(sa, t->type, 0);
		return;
	}
	if (sa->n_child > 0 && notify != 0 && notify != IKE_N_INVALID_SYNTAX) {
		/* what there is goes on; the peer does not want the rest */
		sa->is_rest_refused = true;
		log_notice("ike", "%s: no child SA for further selectors: %s",
			   sa->link->id_text, why);
		return;
	}
	ike_sa_delete(sa, why);
}

/* ---- the peer's request -------------------------------------------------- */

static bool
is_busy_with(const struct ike_sa *sa, enum ike_task_type type)
{
	return sa->task != NULL && sa->task->type == type;
}

enum ike_verdict
ike_step_create_check(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	bool is_ike = m->form == IKE_FORM_IKE_REKEY;

	(void)ike;
	if (!sa->is_authenticated)
		return ike_drop(m, DROP_IKE_EXCH);
	/* 2.25.1, 2.25.2 */
	if (sa->state != IKE_SA_UP ||
	    (!is_ike && is_busy_with(sa, IKE_TASK_REKEY_IKE)) ||
	    (is_ike && (is_busy_with(sa, IKE_TASK_REKEY_CHILD) ||
			is_busy_with(sa, IKE_TASK_NEW_CHILD) ||
			is_busy_with(sa, IKE_TASK_NEW_LANE) ||
			is_busy_with(sa, IKE_TASK_DEL_CHILD))))
		return ike_fail(m, IKE_N_TEMPORARY_FAILURE, "busy");
	/* RFC 9370 2.2.4: a series is under way, of ours or of the peer */
	if (sa->follow != NULL || (m->form != IKE_FORM_CHILD_NEW &&
	    sa->task != NULL && sa->task->follow != NULL))
		return ike_fail(m, IKE_N_TEMPORARY_FAILURE, "busy");
	if (is_ike && sa->link->n_sa >= IKE_LINK_SA_MAX)
		return ike_fail(m, IKE_N_TEMPORARY_FAILURE, "too many IKE SAs");
	if (!is_ike && sa->n_child >= (m->form == IKE_FORM_CHILD_REKEY ?
				       IKE_CHILD_REKEY_MAX : IKE_CHILD_MAX))
		return ike_fail(m, ike_lane_is_asked(sa, m) ?
				IKE_N_TS_MAX_QUEUE : IKE_N_NO_ADDITIONAL_SAS,
				"too many child SAs");
	if (rng_bytes(m->nonce, sizeof(m->nonce)) != 0)
		return ike_fail(m, IKE_N_TEMPORARY_FAILURE, "no random numbers");
	return V_NEXT;
}

/* The peer replaced it while our own rekeying of it is under way. */
static bool
has_twin(const struct ike_sa *sa, const struct ike_child *c)
{
	return is_busy_with(sa, IKE_TASK_REKEY_CHILD) &&
	    sa->task->child_id == c->id && sa->task->twin_nonce_len > 0;
}

/* 2.25, 3.10.1: the answer names the SPI that was asked for. */
static enum ike_verdict
not_found(struct ike_msg *m, const struct ike_ntf *n)
{
	ike_fail(m, IKE_N_CHILD_SA_NOT_FOUND, "no such child SA");
	if (n == NULL || n->proto != IKE_PROTO_ESP || n->spi.len != 4)
		return V_FAIL;
	memcpy(m->fail_spi, n->spi.p, n->spi.len);
	m->fail_spi_len = n->spi.len;
	return V_FAIL;
}

/* The answer on its way to us may name an SPI that the peer asks for already. */
bool
ike_rekey_child_making(const struct ike_sa *sa)
{
	return is_busy_with(sa, IKE_TASK_REKEY_CHILD) ||
	    is_busy_with(sa, IKE_TASK_NEW_CHILD) ||
	    is_busy_with(sa, IKE_TASK_NEW_LANE);
}

enum ike_verdict
ike_step_rekey_find(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	const struct ike_ntf *n = ike_ntf_find(m->p, IKE_N_REKEY_SA);
	struct ike_child *c;

	(void)ike;
	if (m->form != IKE_FORM_CHILD_REKEY)
		return V_NEXT;
	if (n == NULL || n->proto != IKE_PROTO_ESP || n->spi.len != 4)
		return not_found(m, n);
	c = ike_rekey_sa_child(sa, be32_get(n->spi.p));
	if (c == NULL && ike_rekey_child_making(sa))
		return ike_fail(m, IKE_N_TEMPORARY_FAILURE, "busy");
	if (c == NULL || c->is_over)
		return not_found(m, n);
	/* 2.25.1: we are closing it; 2.8.1: it was replaced already */
	if (c->state != IKE_CHILD_UP || has_twin(sa, c))
		return ike_fail(m, IKE_N_TEMPORARY_FAILURE, "busy");
	m->child_id = c->id;
	return V_NEXT;
}

enum ike_verdict
ike_step_child_choose(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	return ike_child_choose(sa, m, IKE_KE_MAYBE,
				ike_child_by_id(ike, m->child_id));
}

enum ike_verdict
ike_step_child_ke(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	(void)ike;
	if (m->choice.group == SPI_GROUP_NONE)
		return V_NEXT;
	if (ike_job_start(sa, IKE_JOB_MSG, m->choice.group, &m->dh,
			  m->p->ke->data) != 0)
		return ike_fail(m, IKE_N_TEMPORARY_FAILURE, "out of memory");
	return V_WAIT;
}

bool
ike_rekey_child_meets(struct ike_sa *sa, const struct ike_msg *m)
{
	struct view lower = ike_nonce_lower(ike_peer_nonce(m),
	    (struct view){ m->nonce, sizeof(m->nonce) });
	struct ike_task *t = sa->task;

	if (m->child_id == 0 || !is_busy_with(sa, IKE_TASK_REKEY_CHILD) ||
	    t->child_id != m->child_id)
		return false;
	memcpy(t->twin_nonce, lower.p, lower.len);
	t->twin_nonce_len = lower.len;
	return true;
}

/* The peer replaced old by made; does that meet a rekeying of ours? */
static void
peer_replaced(struct ike_sa *sa, struct ike_child *old, struct ike_msg *m)
{
	if (!ike_rekey_child_meets(sa, m))
		superseded(sa->ike, old);
}

enum ike_verdict
ike_step_child_reply(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_child_make mk = {
		.offer = &m->offer, .choice = &m->choice,
		.in = { .ni = ike_peer_nonce(m),
			.nr = { m->nonce, sizeof(m->nonce) },
			.dh = { m->secret, m->secret_len },
			.more = ike_more_secrets(m) },
		.is_initiator = false
	};
	struct ike_child *old = ike_child_by_id(ike, m->child_id);
	struct ike_build b;

	if (m->job_err != 0) {
		drop_count(DROP_IKE_KE, 1);
		return ike_fail(m, IKE_N_INVALID_SYNTAX,
				"the peer's key exchange value is invalid");
	}
	if (sa->state != IKE_SA_UP || (m->child_id != 0 && old == NULL))
		return ike_fail(m, IKE_N_TEMPORARY_FAILURE, "busy");
	if (ike_child_new(sa, &mk, &m->made) != 0)
		return ike_fail(m, IKE_N_NO_ADDITIONAL_SAS,
				"child SA not installed");
	m->offer.esp_spi = 0;		/* the child's now */
	wipe(m->secret, sizeof(m->secret));
	ike_out_open(sa, &b);
	if (m->follow != NULL)
		ike_follow_last(&b, m);
	else
		ike_child_answer_payloads(sa, m, &b, (struct view){ m->nonce,
		    sizeof(m->nonce) }, m->dh);
	if (ike_out_reply(sa, m, &b) != 0) {
		ike_child_kill(m->made);
		return ike_drop(m, DROP_IKE_BUSY);
	}
	if (old != NULL) {
		peer_replaced(sa, old, m);
		ike->stats.n_rekey++;
		ike_trace_rekey(sa->link, NULL);
		ike->ops.link_event(ike->ops.ctx, sa->link->id,
				    IKE_LINK_REKEYED, "child");
	}
	ike_lane_fill(sa, IKE_LANE_LATER_MS);
	ike_link_update(sa->link);
	return V_DONE;
}

/* ---- the peer's answer --------------------------------------------------- */

enum ike_verdict
ike_step_child_answer(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_task *t = sa->task;
	enum ike_verdict v;

	(void)ike;
	if (t == NULL || t->is_moot || sa->state != IKE_SA_UP)
		return V_DONE;
	if (t->type != IKE_TASK_REKEY_CHILD && t->type != IKE_TASK_NEW_CHILD &&
	    t->type != IKE_TASK_NEW_LANE)
		return ike_fail(m, 0, "the peer answered another request");
	if (m->p->nonce->len == sizeof(t->nonce) &&
	    ct_equal(m->p->nonce->p, t->nonce, sizeof(t->nonce)))
		return ike_fail(m, 0, "the peer sent our own nonce");
	if ((v = ike_child_check(sa, m, &t->offer)) != V_NEXT) {
		m->fail = 0;
		return v;
	}
	if (t->offer.group != SPI_GROUP_NONE && (m->p->ke == NULL ||
	    m->p->ke->group != ike_group_wire(t->offer.group)))
		return ike_fail(m, 0, "the peer left the key exchange out");
	return V_NEXT;
}

enum ike_verdict
ike_step_child_derive(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_task *t = sa->task;
	int err;

	(void)ike;
	if (t->offer.group == SPI_GROUP_NONE)
		return V_NEXT;
	err = ike_job_start(sa, IKE_JOB_MSG, t->offer.group, &t->dh,
			    m->p->ke->data);
	if (err != 0)
		return ike_fail(m, 0, "no key exchange: %s", err_text(err));
	return V_WAIT;
}

/* 2.8.1: which of the two replacements stays?  True when ours does. */
static bool
ours_stays(const struct ike_task *t, const struct ike_msg *m)
{
	struct view lower = ike_nonce_lower((struct view){ t->nonce,
	    sizeof(t->nonce) }, ike_peer_nonce(m));

	return t->twin_nonce_len == 0 || ike_nonce_compare(lower, (struct view){
	    t->twin_nonce, t->twin_nonce_len }) > 0;
}

/* old is NULL when the peer deleted it meanwhile. */
static void
we_replaced(struct ike_sa *sa, struct ike_child *old, struct ike_child *made,
	    bool is_ours)
{
	if (!is_ours)
		ike_child_retire(made);
	if (old == NULL)
		return;
	if (is_ours)
		ike_child_retire(old);
	else
		superseded(sa->ike, old);
}

enum ike_verdict
ike_step_child_take(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_task *t = sa->task;
	struct ike_child_make mk = {
		.offer = &t->offer, .choice = &m->choice,
		.in = { .ni = { t->nonce, sizeof(t->nonce) },
			.nr = ike_peer_nonce(m),
			.dh = { m->secret, m->secret_len },
			.more = ike_more_secrets(m) },
		.is_initiator = true
	};
	bool is_equal = ike_lane_is_equal(sa, &t->offer);
	struct ike_child *old;
	int err;

	if (m->job_err != 0) {
		drop_count(DROP_IKE_KE, 1);
		return ike_fail(m, 0, "the peer's key exchange value is invalid");
	}
	if (t->is_moot || sa->state != IKE_SA_UP)
		return V_DONE;
	/* the peer has it already: only a new start makes the ends agree */
	if ((err = ike_child_new(sa, &mk, &m->made)) != 0)
		return ike_fail(m, 0, "child SA not installed: %s",
				err_text(err));
	t->offer.esp_spi = 0;
	if (t->type == IKE_TASK_REKEY_CHILD) {
		old = ike_child_by_id(ike, t->child_id);
		we_replaced(sa, old, m->made, ours_stays(t, m));
		ike->stats.n_rekey++;
		ike_trace_rekey(sa->link, NULL);
		ike->ops.link_event(ike->ops.ctx, sa->link->id,
				    IKE_LINK_REKEYED, "child");
	} else if (t->type == IKE_TASK_NEW_LANE && !is_equal) {
		/* RFC 9611 3: no lane of the bundle; it goes again */
		we_replaced(sa, NULL, m->made, false);
		ike_lane_enough(sa, t->child_id);
	}
	ike_delete_overtook(sa, t, m->made);
	ike_lane_fill(sa, 0);
	ike_child_fill(sa);
	ike_reauth_done(sa);	/* the first one of a childless IKE SA */
	ike_link_update(sa->link);
	return V_DONE;
}
