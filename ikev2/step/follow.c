/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/follow.c - additional key exchanges after CREATE_CHILD_SA (RFC 9370
 * 2.2.4).
 *
 *   CREATE_CHILD_SA  { SA, Ni, KEi, .. }  -->
 *                        <--  { SA, Nr, KEr, .., N(ADDITIONAL_KEY_EXCHANGE) }
 *   IKE_FOLLOWUP_KE  { KEi(1), N(ADDITIONAL_KEY_EXCHANGE) }  -->
 *                        <--  { KEr(1) [, N(ADDITIONAL_KEY_EXCHANGE)] }
 *
 * The new SA is made when the last of them is done, on both ends.  What was
 * agreed on before waits in a struct ike_follow: with our task, or with the SA
 * when the peer asked.  A responder has one at a time, and not for long.
 */
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"
#include "ikev2/neg/collide.h"
#include "ikev2/step/step.h"

/* ---- state --------------------------------------------------------------- */

void
ike_follow_free(struct ike *ike, struct ike_follow *f)
{
	struct ike_sa *heir;

	if (f == NULL)
		return;
	ike_offer_drop(ike, &f->offer);
	heir = f->heir != 0 ? ike_sa_by_handle(ike, f->heir) : NULL;
	if (heir != NULL && heir->state == IKE_SA_NONE)
		ike_sa_kill(heir, NULL);
	secret_free(f);
}

void
ike_follow_forget(struct ike_sa *sa)
{
	struct ike_follow *f = sa->follow;

	tmr_stop(&sa->ike->tmr, &sa->follow_tmr);
	sa->follow = NULL;
	if (f != NULL && f->form == IKE_FORM_IKE_REKEY && sa->twin_handle == 0)
		sa->twin_nonce_len = 0;	/* nothing to compare with any more */
	ike_follow_free(sa->ike, f);
}

/* RFC 9370 2.2.4: the peer never came back; what it began to replace is
 * replaced by us then. */
void
ike_follow_over(void *ctx)
{
	struct ike_sa *sa = ctx;
	struct ike_follow *f = sa->follow;
	uint32_t child_id = f != NULL ? f->child_id : 0;

	ike_follow_forget(sa);
	if (child_id == 0 || sa->state != IKE_SA_UP)
		return;
	ike_task_add(sa, IKE_TASK_REKEY_CHILD, child_id);
	ike_task_pump(sa);
}

static bool
has_addke(const struct ike_suite *s)
{
	return ike_addke_next(s->addke, 0) < IKE_ADDKE_MAX;
}

unsigned
ike_follow_kems(const struct ike_sa *sa, bool is_ours)
{
	unsigned all = sa->ike->conf.kems | IKE_ADDKE_KNOWN;

	return !is_ours ? all : has_addke(&sa->suite) ? all : 0;
}

int
ike_follow_offer(const struct ike_sa *sa, struct arena *a,
		 struct ike_props *io)
{
	if (!has_addke(&sa->suite) || sa->ike->conf.kems == 0)
		return 0;
	return ike_prop_offer_addke(a, sa->ike->conf.kems, io);
}

static enum spi_group
due(struct ike_follow *f)
{
	f->at = ike_addke_next(f->choice.addke, f->at);
	return f->at < IKE_ADDKE_MAX ? f->choice.addke[f->at] : SPI_GROUP_NONE;
}

struct view
ike_peer_nonce(const struct ike_msg *m)
{
	return m->follow != NULL ?
	    (struct view){ m->follow->nonce, m->follow->nonce_len } :
	    *m->p->nonce;
}

struct view
ike_more_secrets(const struct ike_msg *m)
{
	return m->follow != NULL ?
	    (struct view){ m->follow->more, m->follow->more_len } :
	    (struct view){ NULL, 0 };
}

/* What CREATE_CHILD_SA agreed on. */
static struct ike_follow *
follow_new(const struct ike_msg *m)
{
	struct ike_follow *f = secret_alloc(sizeof(*f));

	if (f == NULL || m->secret_len > sizeof(f->first)) {
		secret_free(f);
		return NULL;
	}
	memset(f, 0, sizeof(*f));
	f->choice = m->choice;
	memcpy(f->nonce, m->p->nonce->p, m->p->nonce->len);
	f->nonce_len = m->p->nonce->len;
	memcpy(f->first, m->secret, m->secret_len);
	f->first_len = m->secret_len;
	return f;
}

/* One more is done; its secret is in m. */
static int
secret_take(struct ike_follow *f, struct ike_msg *m)
{
	if (m->job_err != 0)
		return m->job_err;
	if (f->more_len + m->secret_len > sizeof(f->more))
		return ERR_LIMIT;
	memcpy(f->more + f->more_len, m->secret, m->secret_len);
	f->more_len += m->secret_len;
	wipe(m->secret, sizeof(m->secret));
	f->at++;
	return 0;
}

/* All are done: m goes on as if it were the one of CREATE_CHILD_SA. */
static void
restore(struct ike_msg *m, struct ike_follow *f)
{
	m->follow = f;
	m->choice = f->choice;
	memcpy(m->secret, f->first, f->first_len);
	m->secret_len = f->first_len;
	m->job_err = 0;
}

static void
add_ke(struct ike_build *b, enum spi_group g, const struct spi_dh_key *dh)
{
	struct ike_ke ke = { ike_group_wire(g), spi_crypto()->dh_public(dh) };

	ike_build_begin(b, IKE_PL_KE, false);
	enc_ke(&b->w, &ke);
	ike_build_end(b);
}

static void
add_link(struct ike_build *b, const struct ike_follow *f)
{
	ike_build_notify(b, IKE_PROTO_NONE, IKE_N_ADDITIONAL_KEY_EXCHANGE,
			 (struct view){ NULL, 0 },
			 (struct view){ f->link, f->link_len });
}

/* ---- as initiator of the exchange ---------------------------------------- */

/* The blob to send back; the next exchange is impossible without it. */
static bool
link_take(struct ike_follow *f, const struct ike_msg *m)
{
	const struct ike_ntf *n = ike_ntf_find(m->p,
	    IKE_N_ADDITIONAL_KEY_EXCHANGE);

	if (n == NULL || n->data.len > sizeof(f->link))
		return false;
	memcpy(f->link, n->data.p, n->data.len);
	f->link_len = n->data.len;
	return true;
}

/* RFC 9370 2.2.4: of two rekeyings that met, the one with the lowest nonce stops
 * here, because there is nothing yet to delete. */
static bool
ours_stops(struct ike_sa *sa, const struct ike_msg *m)
{
	const struct ike_task *t = sa->task;
	bool is_ike = t->type == IKE_TASK_REKEY_IKE;
	struct view twin = is_ike ?
	    (struct view){ sa->twin_nonce, sa->twin_nonce_len } :
	    (struct view){ t->twin_nonce, t->twin_nonce_len };
	struct view lower = ike_nonce_lower((struct view){ t->nonce,
	    sizeof(t->nonce) }, *m->p->nonce);

	return twin.len > 0 && ike_nonce_compare(lower, twin) < 0;
}

static enum ike_verdict
key_start(struct ike_sa *sa, struct ike_msg *m, enum spi_group g)
{
	spi_crypto()->dh_free(m->dh);	/* of the exchange before */
	m->dh = NULL;
	if (ike_job_start(sa, IKE_JOB_MSG, g, &m->dh,
			  (struct view){ NULL, 0 }) != 0)
		return ike_fail(m, 0, "out of memory");
	return V_WAIT;
}

enum ike_verdict
ike_step_follow_begin(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_task *t = sa->task;

	(void)ike;
	if (m->job_err != 0 || t == NULL || t->is_moot ||
	    ike_addke_next(m->choice.addke, 0) == IKE_ADDKE_MAX)
		return V_NEXT;
	if (ours_stops(sa, m))
		return V_DONE;
	ike_follow_forget(sa);		/* the peer stops its own */
	if ((t->follow = follow_new(m)) == NULL)
		return ike_fail(m, 0, "out of memory");
	if (!link_take(t->follow, m))
		return ike_fail(m, 0, "the peer does not say how its key "
				"exchanges are linked");
	return key_start(sa, m, due(t->follow));
}

enum ike_verdict
ike_step_follow_request(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_task *t = sa->task;
	struct ike_build b;
	enum spi_group g;
	int err;

	(void)ike;
	if (t == NULL || t->follow == NULL ||
	    (g = due(t->follow)) == SPI_GROUP_NONE)
		return V_NEXT;
	if (t->is_moot || sa->state != IKE_SA_UP)
		return V_DONE;
	if (m->job_err != 0 || m->dh == NULL)
		return ike_fail(m, 0, "no key exchange: %s",
				err_text(m->job_err));
	spi_crypto()->dh_free(t->dh);
	t->dh = m->dh;
	m->dh = NULL;
	ike_out_open(sa, &b);
	add_ke(&b, g, t->dh);
	add_link(&b, t->follow);
	if ((err = ike_out_request(sa, &b, IKE_XCHG_IKE_FOLLOWUP_KE)) != 0)
		return ike_fail(m, 0, "IKE_FOLLOWUP_KE not sent: %s",
				err_text(err));
	return V_KEEP;
}

enum ike_verdict
ike_step_follow_answer(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_task *t = sa->task;
	enum spi_group g;

	(void)ike;
	if (t == NULL || t->is_moot || sa->state != IKE_SA_UP)
		return V_DONE;
	if (t->follow == NULL || (g = due(t->follow)) == SPI_GROUP_NONE ||
	    m->p->ke->group != ike_group_wire(g) ||
	    m->p->ke->data.len != spi_group_answer_len(g)) {
		drop_count(DROP_IKE_KE, 1);
		return ike_fail(m, 0, "the peer's additional key exchange is "
				"not the one agreed on");
	}
	if (ike_job_start(sa, IKE_JOB_MSG, g, &t->dh, m->p->ke->data) != 0)
		return ike_fail(m, 0, "out of memory");
	return V_WAIT;
}

enum ike_verdict
ike_step_follow_next(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_task *t = sa->task;
	enum spi_group g;
	int err;

	(void)ike;
	if (t == NULL || t->is_moot || sa->state != IKE_SA_UP)
		return V_DONE;
	if ((err = secret_take(t->follow, m)) != 0) {
		drop_count(DROP_IKE_KE, 1);
		return ike_fail(m, 0, "additional key exchange failed: %s",
				err_text(err));
	}
	if ((g = due(t->follow)) == SPI_GROUP_NONE)
		return V_NEXT;
	if (!link_take(t->follow, m))
		return ike_fail(m, 0, "the peer does not say how its key "
				"exchanges are linked");
	return key_start(sa, m, g);
}

enum ike_verdict
ike_step_follow_take(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_task *t = sa->task;

	restore(m, t->follow);
	t->follow = NULL;		/* the message's now */
	return t->type == IKE_TASK_REKEY_IKE ? ike_step_sa_take(ike, sa, m) :
	    ike_step_child_take(ike, sa, m);
}

/* ---- as responder -------------------------------------------------------- */

/* A new link, and time for the peer to come back with it. */
static int
expect_more(struct ike_sa *sa, struct ike_follow *f)
{
	struct ike *ike = sa->ike;
	int err;

	f->link_len = IKE_FOLLOW_LINK;
	if ((err = rng_bytes(f->link, f->link_len)) != 0)
		return err;
	return tmr_start(&ike->tmr, &sa->follow_tmr, ike->now_ms +
			 IKE_FOLLOW_MS);
}

static int
park(struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_follow *f = follow_new(m);
	int err;

	if (f == NULL)
		return ERR_NOMEM;
	f->form = m->form;
	f->child_id = m->child_id;
	f->heir = m->heir != NULL ? m->heir->handle : 0;
	memcpy(f->own_nonce, m->nonce, sizeof(f->own_nonce));
	f->offer = m->offer;
	if ((err = expect_more(sa, f)) != 0) {
		memset(&f->offer, 0, sizeof(f->offer));
		f->heir = 0;
		ike_follow_free(sa->ike, f);
		return err;
	}
	m->offer.esp_spi = 0;		/* goes with f from here on */
	sa->follow = f;
	return 0;
}

enum ike_verdict
ike_step_follow_offer(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct view own = { m->nonce, sizeof(m->nonce) };
	bool is_ike = m->form == IKE_FORM_IKE_REKEY;
	struct ike_build b;

	if (m->job_err != 0 ||
	    ike_addke_next(m->choice.addke, 0) == IKE_ADDKE_MAX)
		return V_NEXT;		/* the next step sees what is wrong */
	if (sa->state != IKE_SA_UP)
		return ike_fail(m, IKE_N_TEMPORARY_FAILURE, "busy");
	if (is_ike && (m->heir = ike_sa_new(ike, false)) == NULL)
		return ike_fail(m, IKE_N_TEMPORARY_FAILURE, "busy");
	if (is_ike)
		m->heir->ispi = m->choice.ike_spi;
	ike_out_open(sa, &b);
	if (is_ike)
		ike_sa_answer_payloads(m->heir, m, &b);
	else
		ike_child_answer_payloads(sa, m, &b, own, m->dh);
	if (park(sa, m) != 0) {
		if (is_ike)
			ike_sa_kill(m->heir, NULL);
		return ike_fail(m, IKE_N_TEMPORARY_FAILURE, "out of memory");
	}
	add_link(&b, sa->follow);
	if (ike_out_reply(sa, m, &b) != 0) {
		ike_follow_forget(sa);
		return ike_drop(m, DROP_IKE_BUSY);
	}
	if (!is_ike)
		ike_rekey_child_meets(sa, m);
	else if (sa->task != NULL && sa->task->type == IKE_TASK_REKEY_IKE)
		ike_rekey_sa_meets(sa, m, 0);
	return V_DONE;
}

/* The message is an answer to the link we gave, in time. */
static bool
is_linked(const struct ike_sa *sa, const struct ike_msg *m)
{
	const struct ike_ntf *n = ike_ntf_find(m->p,
	    IKE_N_ADDITIONAL_KEY_EXCHANGE);
	const struct ike_follow *f = sa->follow;

	return f != NULL && sa->state == IKE_SA_UP && n != NULL &&
	    n->data.len == f->link_len &&
	    ct_equal(n->data.p, f->link, f->link_len);
}

enum ike_verdict
ike_step_follow_check(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	enum spi_group g;

	(void)ike;
	if (!is_linked(sa, m))
		return ike_fail(m, IKE_N_STATE_NOT_FOUND,
				"no key exchange is under way");
	g = due(sa->follow);
	if (m->p->ke->group != ike_group_wire(g) ||
	    m->p->ke->data.len != spi_group_public_len(g)) {
		ike_follow_forget(sa);
		m->drop = DROP_IKE_KE;
		return ike_fail(m, IKE_N_INVALID_SYNTAX, "the peer's additional "
				"key exchange is not the one agreed on");
	}
	if (ike_job_start(sa, IKE_JOB_MSG, g, &m->dh, m->p->ke->data) != 0)
		return ike_drop(m, DROP_IKE_BUSY);
	return V_WAIT;
}

/* Not the last one: answer, and wait for the next. */
static enum ike_verdict
go_on(struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_build b;

	ike_out_open(sa, &b);
	add_ke(&b, m->follow_group, m->dh);
	if (expect_more(sa, sa->follow) != 0) {
		ike_follow_forget(sa);
		return ike_fail(m, IKE_N_TEMPORARY_FAILURE, "out of memory");
	}
	add_link(&b, sa->follow);
	if (ike_out_reply(sa, m, &b) != 0) {
		ike_follow_forget(sa);
		return ike_drop(m, DROP_IKE_BUSY);
	}
	return V_DONE;
}

void
ike_follow_last(struct ike_build *b, const struct ike_msg *m)
{
	add_ke(b, m->follow_group, m->dh);
}

enum ike_verdict
ike_step_follow_reply(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_follow *f = sa->follow;

	if (f == NULL)			/* given up meanwhile */
		return ike_fail(m, IKE_N_STATE_NOT_FOUND,
				"no key exchange is under way");
	m->follow_group = due(f);
	if (secret_take(f, m) != 0) {
		ike_follow_forget(sa);
		m->drop = DROP_IKE_KE;
		return ike_fail(m, IKE_N_INVALID_SYNTAX, "the peer's additional "
				"key exchange value is invalid");
	}
	if (due(f) != SPI_GROUP_NONE)
		return go_on(sa, m);
	tmr_stop(&ike->tmr, &sa->follow_tmr);
	sa->follow = NULL;		/* the message's now */
	restore(m, f);
	m->child_id = f->child_id;
	memcpy(m->nonce, f->own_nonce, sizeof(m->nonce));
	m->offer = f->offer;
	f->offer.esp_spi = 0;
	return f->form == IKE_FORM_IKE_REKEY ? ike_step_sa_reply(ike, sa, m) :
	    ike_step_child_reply(ike, sa, m);
}
