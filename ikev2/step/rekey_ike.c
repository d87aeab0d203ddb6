/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/rekey_ike.c - CREATE_CHILD_SA for the IKE SA (RFC 7296 1.3.2, 2.8.2,
 * 2.18).
 *
 *   HDR, SK{ SA, Ni, KEi }  -->
 *        <--  HDR, SK{ SA, Nr, KEr }
 *
 * The heir inherits the children; who began the exchange deletes the old SA.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"
#include "ikev2/neg/collide.h"
#include "ikev2/step/step.h"
#include "ikev2/trace_note.h"

/* ---- the heir ------------------------------------------------------------ */

/* Everything that goes over from the old SA but children and questions. */
static int
heir_make(const struct ike_sa *old, struct ike_sa *heir,
	  const struct ike_suite *suite, const struct ike_keymat_in *in)
{
	int err;

	if (heir->keys == NULL &&
	    (heir->keys = secret_alloc(sizeof(*heir->keys))) == NULL)
		return ERR_NOMEM;
	heir->suite = *suite;
	if ((err = ike_keymat_rekey(suite, old->suite.prf, old->keys->d, in,
				    heir->keys)) != 0 ||
	    (err = ike_sa_authenticate(heir, NULL, old)) != 0)
		return err;
	heir->local = old->local;
	heir->remote = old->remote;
	heir->is_natt = old->is_natt;
	heir->is_nat_here = old->is_nat_here;
	heir->is_nat_there = old->is_nat_there;
	heir->is_faked = old->is_faked;
	heir->is_tapir = old->is_tapir;
	heir->encap = old->encap;
	heir->has_frag = old->has_frag;
	heir->frag_bytes = old->frag_bytes;
	ike_size_inherit(heir, old);
	ike_roam_inherit(heir, old);
	heir->can_redirect = old->can_redirect;
	heir->is_elsewhere = old->is_elsewhere;
	heir->is_child_plain = old->is_child_plain;
	heir->had_child = old->had_child;
	heir->is_outgoing = old->is_outgoing;
	heir->is_succeeded = old->is_succeeded;
	heir->is_rest_refused = old->is_rest_refused;
	heir->rest_ms = old->rest_ms;
	heir->own_end_s = old->own_end_s;
	ike_until_inherit(heir, old);
	heir->lane_max = old->lane_max;
	heir->lane_ms = old->lane_ms;
	heir->lane_pause_ms = old->lane_pause_ms;
	ike_sa_bind(heir, old->link);
	if (!ike_sa_move(heir, IKE_EV_HEIR))
		return ERR_STATE;
	ike_sa_up(heir);
	heir->up_ms = old->up_ms;
	ike_reauth_keep(heir);
	return 0;
}

/* Waiting requests about children go along, and so does the end that was
 * decided when dials crossed.  That we moved is said on both: the peer has the
 * new SA once it hears our answer, and asks for that where we were. */
static void
move_tasks(struct ike_sa *from, struct ike_sa *to)
{
	uint64_t now_ms = from->ike->now_ms;

	LIST_FOREACH_SAFE(it, next, &from->tasks) {
		struct ike_task *t = CONTAINER_OF(it, struct ike_task, node);

		if (t->type == IKE_TASK_DEL_CHILD ||
		    t->type == IKE_TASK_REKEY_CHILD ||
		    t->type == IKE_TASK_NEW_CHILD ||
		    t->type == IKE_TASK_NEW_LANE ||
		    t->type == IKE_TASK_DEL_IKE)
			ike_task_add_later(to, t->type, t->child_id,
			    t->from_ms - MIN(t->from_ms, now_ms));
		if (t->type != IKE_TASK_ROAM)
			ike_task_free(from, t);
	}
}

static void
replace(struct ike_sa *old, struct ike_sa *heir)
{
	struct ike *ike = old->ike;

	if (!ike_sa_move(old, IKE_EV_REPLACED))
		return;
	ike_child_inherit(old, heir);
	move_tasks(old, heir);
	heir->ask_handle = old->ask_handle;
	old->ask_handle = 0;
	tmr_stop(&ike->tmr, &old->soft);
	tmr_stop(&ike->tmr, &old->alive);
	/* if the peer's Delete never comes, ours does */
	if (tmr_start(&ike->tmr, &old->life, ike->now_ms + IKE_COLLIDE_MS) != 0)
		log_warn("ike", "SA %u: no timer", old->handle);
	ike->stats.n_rekey++;
	ike_trace_rekey(heir->link, NULL);
	ike->ops.link_event(ike->ops.ctx, heir->link->id, IKE_LINK_REKEYED, "ike");
	ike_link_update(heir->link);
	ike_task_pump(heir);
}

void
ike_rekey_sa_settle(struct ike_sa *sa)
{
	struct ike_sa *twin = sa->twin_handle != 0 ?
	    ike_sa_by_handle(sa->ike, sa->twin_handle) : NULL;

	if (twin != NULL && twin->state == IKE_SA_UP)
		replace(sa, twin);
}

/* The peer uses sa as the one that stays of two that met: then so do we, though
 * no answer to our own rekeying told us yet.  spi_out: of a child SA that would
 * come along; 0 = any. */
static void
settle_into(struct ike_sa *sa, uint32_t spi_out)
{
	if (sa->n_child > 0 || sa->link == NULL)
		return;
	LIST_FOREACH(it, &sa->link->sas) {
		struct ike_sa *old = CONTAINER_OF(it, struct ike_sa, link_node);

		if (old->twin_handle != sa->handle ||
		    old->state != IKE_SA_UP || (spi_out != 0 &&
		    ike_child_by_out(old, spi_out) == NULL))
			continue;
		ike_rekey_sa_settle(old);
		return;
	}
}

struct ike_child *
ike_rekey_sa_child(struct ike_sa *sa, uint32_t spi_out)
{
	struct ike_child *c = ike_child_by_out(sa, spi_out);

	if (c != NULL || sa->n_child > 0)
		return c;
	settle_into(sa, spi_out);
	return ike_child_by_out(sa, spi_out);
}

/* ---- our request --------------------------------------------------------- */

bool
ike_rekey_sa_prepare(struct ike_sa *sa, struct ike_task *t,
		     enum spi_group *group)
{
	t->offer.group = *group = sa->sa_group != SPI_GROUP_NONE ?
	    sa->sa_group : sa->suite.group;
	return true;
}

static void
add_payloads(struct ike_build *b, const struct ike_props *props,
	     struct view nonce, enum spi_group group,
	     const struct spi_dh_key *dh)
{
	struct ike_ke ke = { ike_group_wire(group), spi_crypto()->dh_public(dh) };

	ike_build_begin(b, IKE_PL_SA, false);
	enc_sa(&b->w, props);
	ike_build_end(b);
	ike_build_begin(b, IKE_PL_NONCE, false);
	enc_nonce(&b->w, nonce);
	ike_build_end(b);
	ike_build_begin(b, IKE_PL_KE, false);
	enc_ke(&b->w, &ke);
	ike_build_end(b);
}

int
ike_rekey_sa_send(struct ike_sa *sa, struct ike_task *t)
{
	struct ike_sa *heir = t->heir != 0 ?
	    ike_sa_by_handle(sa->ike, t->heir) : ike_sa_new(sa->ike, true);
	struct ike_props props;
	struct ike_build b;
	struct arena a;
	uint8_t spi[8];
	int err;

	if (heir == NULL)
		return ERR_NOMEM;
	t->heir = heir->handle;		/* goes with the task if we fail */
	/* now, since the answer must not fail for want of memory */
	if (heir->keys == NULL &&
	    (heir->keys = secret_alloc(sizeof(*heir->keys))) == NULL)
		return ERR_NOMEM;
	if ((err = rng_bytes(t->nonce, sizeof(t->nonce))) != 0)
		return err;
	arena_init(&a, IKE_ARENA_MAX);
	be64_put(spi, heir->ispi);
	err = ike_prop_offer_ike(&a, sa->link->realm->conf.suite,
				 (struct view){ spi, 8 }, &props);
	if (err == 0)
		err = ike_follow_offer(sa, &a, &props);
	if (err == 0) {
		ike_out_open(sa, &b);
		add_payloads(&b, &props, (struct view){ t->nonce,
		    sizeof(t->nonce) }, t->offer.group, t->dh);
		err = ike_out_request(sa, &b, IKE_XCHG_CREATE_CHILD_SA);
	}
	arena_fini(&a);
	return err;
}

void
ike_rekey_sa_failed(struct ike_sa *sa, struct ike_task *t, uint16_t notify,
		    const char *why)
{
	uint8_t r = 0;

	/* the peer's own rekeying came first: its SA is the heir */
	ike_rekey_sa_settle(sa);
	if (sa->state != IKE_SA_UP)
		return;
	if (rng_bytes(&r, 1) != 0)
		r = 0;
	if (notify == IKE_N_TEMPORARY_FAILURE ||
	    notify == IKE_N_STATE_NOT_FOUND) {
		ike_task_add_later(sa, t->type, 0, IKE_TEMP_MS +
				   (uint64_t)IKE_TEMP_MS * r / 256);
		return;
	}
	if (notify == IKE_N_INVALID_KE_PAYLOAD &&
	    ike_prop_has_group(sa->link->realm->conf.suite, t->offer.group) &&
	    ++sa->n_ke_again <= IKE_INIT_AGAIN_MAX) {
		sa->sa_group = t->offer.group;
		ike_task_add(sa, t->type, 0);
		return;
	}
	if (notify == 0 || notify == IKE_N_INVALID_SYNTAX)
		ike_sa_delete(sa, why);	/* what exists is not agreed on */
	else
		ike_trace_rekey(sa->link, why);
	/* else it serves until its hard limit, then we begin anew */
}

/* ---- the peer's request -------------------------------------------------- */

enum ike_verdict
ike_step_sa_choose(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	enum vpn_suite suite = sa->link->realm->conf.suite;

	unsigned kems = ike_follow_kems(sa, false);

	if ((ike_prop_keep_ike(m->p->sa, &sa->suite, suite, kems,
			       m->p->ke->group, &m->choice) != 0 &&
	     ike_prop_choose_ike(m->p->sa, suite, kems, m->p->ke->group, true,
				 &m->choice) != 0) ||
	    m->choice.ike_spi == 0 ||
	    ike_sa_by_spi(ike, m->choice.ike_spi) != NULL) {
		m->drop = DROP_IKE_NOPROP;
		return ike_fail(m, IKE_N_NO_PROPOSAL_CHOSEN,
				"no proposal in common");
	}
	if (m->p->ke->group != ike_group_wire(m->choice.ike.group))
		return ike_fail16(m, IKE_N_INVALID_KE_PAYLOAD,
				  ike_group_wire(m->choice.ike.group));
	/* 2.8.2: one heir at a time, however often it is asked for */
	if (sa->twin_handle != 0 &&
	    ike_sa_by_handle(ike, sa->twin_handle) != NULL)
		return ike_fail(m, IKE_N_TEMPORARY_FAILURE, "busy");
	return V_NEXT;
}

enum ike_verdict
ike_step_sa_ke(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	(void)ike;
	if (ike_job_start(sa, IKE_JOB_MSG, m->choice.ike.group, &m->dh,
			  m->p->ke->data) != 0)
		return ike_fail(m, IKE_N_TEMPORARY_FAILURE, "out of memory");
	return V_WAIT;
}

void
ike_sa_answer_payloads(const struct ike_sa *heir, struct ike_msg *m,
		       struct ike_build *b)
{
	struct ike_props props;
	uint8_t spi[8];
	int err;

	be64_put(spi, heir->rspi);
	if ((err = ike_prop_answer_ike(&m->arena, &m->choice,
				       (struct view){ spi, 8 }, &props)) != 0)
		b->err = err;
	else
		add_payloads(b, &props, (struct view){ m->nonce,
		    sizeof(m->nonce) }, m->choice.ike.group, m->dh);
}

/* Answer on the old SA with the heir's SPI. */
static int
answer(struct ike_sa *sa, const struct ike_sa *heir, struct ike_msg *m)
{
	struct ike_build b;

	ike_out_open(sa, &b);
	if (m->follow != NULL)
		ike_follow_last(&b, m);
	else
		ike_sa_answer_payloads(heir, m, &b);
	return ike_out_reply(sa, m, &b);
}

void
ike_rekey_sa_meets(struct ike_sa *sa, const struct ike_msg *m, uint32_t heir)
{
	struct view lower = ike_nonce_lower(ike_peer_nonce(m),
	    (struct view){ m->nonce, sizeof(m->nonce) });

	sa->twin_handle = heir;
	memcpy(sa->twin_nonce, lower.p, lower.len);
	sa->twin_nonce_len = lower.len;
}

/* The SA that takes over; its SPI may have been told already. */
static struct ike_sa *
heir_of(struct ike *ike, const struct ike_msg *m)
{
	return m->follow != NULL ? ike_sa_by_handle(ike, m->follow->heir) :
	    ike_sa_new(ike, false);
}

enum ike_verdict
ike_step_sa_reply(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct view nr = { m->nonce, sizeof(m->nonce) };
	struct ike_keymat_in in = { .ni = ike_peer_nonce(m), .nr = nr,
		.dh = { m->secret, m->secret_len },
		.more = ike_more_secrets(m) };
	struct ike_sa *heir;

	if (m->job_err != 0) {
		drop_count(DROP_IKE_KE, 1);
		return ike_fail(m, IKE_N_INVALID_SYNTAX,
				"the peer's key exchange value is invalid");
	}
	settle_into(sa, 0);
	if (sa->state != IKE_SA_UP || (heir = heir_of(ike, m)) == NULL)
		return ike_fail(m, IKE_N_TEMPORARY_FAILURE, "busy");
	in.ispi = heir->ispi = m->choice.ike_spi;
	in.rspi = heir->rspi;
	if (heir_make(sa, heir, &m->choice.ike, &in) != 0 ||
	    answer(sa, heir, m) != 0) {
		ike_sa_kill(heir, NULL);
		return ike_fail(m, IKE_N_TEMPORARY_FAILURE, "busy");
	}
	ike_token_ask(heir);
	wipe(m->secret, sizeof(m->secret));
	if (sa->task != NULL && sa->task->type == IKE_TASK_REKEY_IKE) {
		/* 2.8.2: decided when our own answer is there */
		ike_rekey_sa_meets(sa, m, heir->handle);
		return V_DONE;
	}
	replace(sa, heir);
	return V_DONE;
}

/* ---- the peer's answer --------------------------------------------------- */

enum ike_verdict
ike_step_sa_answer(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_task *t = sa->task;

	if (t == NULL || t->is_moot || sa->state != IKE_SA_UP)
		return V_DONE;
	if (t->type != IKE_TASK_REKEY_IKE)
		return ike_fail(m, 0, "the peer answered another request");
	if (ike_prop_check_ike(m->p->sa, sa->link->realm->conf.suite,
			       ike_follow_kems(sa, true), true,
			       &m->choice) != 0 ||
	    m->choice.ike.group != t->offer.group || m->choice.ike_spi == 0 ||
	    m->p->ke->group != ike_group_wire(t->offer.group))
		return ike_fail(m, 0, "the peer chose what we did not offer");
	if (ike_sa_by_spi(ike, m->choice.ike_spi) != NULL)
		return ike_fail(m, 0, "the peer sent an SPI of ours");
	if (m->p->nonce->len == sizeof(t->nonce) &&
	    ct_equal(m->p->nonce->p, t->nonce, sizeof(t->nonce)))
		return ike_fail(m, 0, "the peer sent our own nonce");
	return V_NEXT;
}

enum ike_verdict
ike_step_sa_derive(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	(void)ike;
	if (ike_job_start(sa, IKE_JOB_MSG, sa->task->offer.group, &sa->task->dh,
			  m->p->ke->data) != 0)
		return ike_fail(m, 0, "out of memory");
	return V_WAIT;
}

enum ike_verdict
ike_step_sa_take(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_task *t = sa->task;
	struct ike_sa *heir = ike_sa_by_handle(ike, t->heir), *twin = NULL;
	struct ike_keymat_in in = {
		.ni = { t->nonce, sizeof(t->nonce) }, .nr = ike_peer_nonce(m),
		.dh = { m->secret, m->secret_len }, .more = ike_more_secrets(m)
	};
	struct view lower = ike_nonce_lower(in.ni, in.nr);

	if (m->job_err != 0 || heir == NULL) {
		drop_count(DROP_IKE_KE, 1);
		return ike_fail(m, 0, "the peer's key exchange value is invalid");
	}
	if (t->is_moot || sa->state != IKE_SA_UP)
		return V_DONE;
	heir->rspi = m->choice.ike_spi;
	in.ispi = heir->ispi;
	in.rspi = heir->rspi;
	if (heir_make(sa, heir, &m->choice.ike, &in) != 0)
		return ike_fail(m, 0, "the new IKE SA could not be made");
	ike_token_take(heir, m);	/* RFC 6290 4.3 */
	ike_token_ask(heir);
	if (sa->twin_handle != 0)
		twin = ike_sa_by_handle(ike, sa->twin_handle);
	if (twin != NULL && twin->state == IKE_SA_UP &&
	    ike_nonce_compare(lower, (struct view){ sa->twin_nonce,
			      sa->twin_nonce_len }) < 0) {
		/* ours holds the lowest nonce: it goes, the peer deletes the old */
		replace(sa, twin);
		ike_sa_delete(heir, NULL);
		return V_DONE;
	}
	replace(sa, heir);
	ike_task_add(sa, IKE_TASK_DEL_IKE, 0);
	if (twin != NULL && twin->state == IKE_SA_UP) {
		/* the peer's to delete, unless it never saw our answer */
		ike_task_add_later(twin, IKE_TASK_DEL_IKE, IKE_DEL_IF_CHILDLESS,
				   IKE_CHILDLESS_MS);
		ike_task_pump(twin);
	}
	return V_DONE;
}
