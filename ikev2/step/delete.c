/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/delete.c - INFORMATIONAL: Delete of child and IKE SAs, errors told
 * afterwards, and the answer to a liveness check (RFC 7296 1.4, 1.4.1, 2.25).
 */
#include <stdio.h>
#include <string.h>

#include "daemon/base/log.h"
#include "ikev2/step/step.h"
#include "ikev2/trace_note.h"

#define ANSWER_SPIS IKE_MAX_DELETE_SPIS

static void
add_delete(struct ike_build *b, uint8_t proto, const uint32_t *spi, unsigned n)
{
	uint8_t raw[4 * ANSWER_SPIS];
	struct ike_del d = { .proto = proto, .n_spi = n,
			     .spis = { raw, (size_t)4 * n } };

	for (unsigned i = 0; i < n; i++)
		be32_put(raw + 4 * i, spi[i]);
	ike_build_begin(b, IKE_PL_D, false);
	enc_delete(&b->w, &d);
	ike_build_end(b);
}

void
ike_delete_if_childless(struct ike_sa *sa, const char *why)
{
	struct ike_link *link = sa->link;

	if (sa->state != IKE_SA_UP || sa->n_child > 0 || link == NULL)
		return;
	if (why != NULL)
		ike_link_why(link, "%s", why);
	/* who dials begins anew; the other end waits for what the peer does */
	ike_task_add_later(sa, IKE_TASK_DEL_IKE, IKE_DEL_IF_CHILDLESS,
			   link->is_wanted ? 0 : IKE_CHILDLESS_MS);
	ike_link_update(link);
}

/* ---- child SAs, our Delete ----------------------------------------------- */

bool
ike_delete_child_prepare(struct ike_sa *sa, struct ike_task *t,
			 enum spi_group *group)
{
	struct ike_child *c = ike_child_by_id(sa->ike, t->child_id);

	(void)group;
	return c != NULL && c->sa == sa &&
	    (c->state == IKE_CHILD_DELETING ||	/* not sent the first time */
	     ike_child_move(c, IKE_EV_CHILD_DELETE));
}

int
ike_delete_child_send(struct ike_sa *sa, struct ike_task *t)
{
	struct ike_child *c = ike_child_by_id(sa->ike, t->child_id);
	struct ike_build b;

	if (c == NULL)
		return ERR_STATE;
	ike_out_open(sa, &b);
	add_delete(&b, IKE_PROTO_ESP, &c->spi_in, 1);
	return ike_out_request(sa, &b, IKE_XCHG_INFORMATIONAL);
}

static void
child_deleted(struct ike_sa *sa, struct ike_task *t)
{
	struct ike_child *c = ike_child_by_id(sa->ike, t->child_id);

	/* an heir of the IKE SA may have it by now */
	if (c != NULL) {
		sa = c->sa;
		ike_child_over(c);
	}
	ike_lane_fill(sa, 0);
	ike_delete_if_childless(sa, "the child SA reached the end of its life");
}

void
ike_delete_child_failed(struct ike_sa *sa, struct ike_task *t, uint16_t notify,
			const char *why)
{
	(void)notify;
	(void)why;
	child_deleted(sa, t);	/* whatever the answer: ours is gone */
}

/* ---- the IKE SA, our Delete ---------------------------------------------- */

int
ike_delete_sa_send(struct ike_sa *sa, struct ike_task *t)
{
	struct ike_link *link = sa->link;
	struct ike_build b;

	if (t->child_id == IKE_DEL_IF_CHILDLESS && sa->n_child > 0)
		return ERR_STATE;
	if (sa->state == IKE_SA_UP || sa->state == IKE_SA_REKEYED) {
		while (!list_is_empty(&sa->children))
			ike_child_kill(CONTAINER_OF(sa->children.next,
						    struct ike_child, node));
		if (!ike_sa_move(sa, IKE_EV_DELETE) ||
		    tmr_start(&sa->ike->tmr, &sa->life, sa->ike->now_ms +
			      IKE_CLOSED_MS) != 0)
			return ERR_STATE;
		tmr_stop(&sa->ike->tmr, &sa->soft);
		tmr_stop(&sa->ike->tmr, &sa->alive);
		ike_sa_bind(sa, NULL);
		if (link != NULL)
			ike_link_update(link);
	}
	ike_out_open(sa, &b);
	add_delete(&b, IKE_PROTO_IKE, NULL, 0);
	return ike_out_request(sa, &b, IKE_XCHG_INFORMATIONAL);
}

void
ike_delete_sa_failed(struct ike_sa *sa, struct ike_task *t, uint16_t notify,
		     const char *why)
{
	(void)t;
	(void)notify;
	(void)why;
	ike_sa_kill(sa, NULL);
}

/* ---- the peer's request -------------------------------------------------- */

/* Our half of a child SA that the peer deleted. */
static void
half_gone(struct ike_sa *sa, struct ike_child *c)
{
	ike_lane_lost(sa, c);
	if (c->state == IKE_CHILD_UP)
		sa->rest_ms = sa->ike->now_ms + IKE_REST_MS;
	ike_child_kill(c);
}

/* An SPI that we do not know yet, when the answer that names it is to come. */
static void
remember(struct ike_sa *sa, uint32_t spi)
{
	struct ike_task *t = sa->task;

	if (ike_rekey_child_making(sa))
		t->gone[t->n_gone++ % IKE_GONE_MAX] = spi;
}

void
ike_delete_overtook(struct ike_sa *sa, const struct ike_task *t,
		    struct ike_child *made)
{
	unsigned n = MIN(t->n_gone, (unsigned)IKE_GONE_MAX);

	for (unsigned i = 0; i < n; i++) {
		if (t->gone[i] != made->spi_out)
			continue;
		half_gone(sa, made);
		ike_delete_if_childless(sa, "the peer deleted the child SA");
		return;
	}
}

/* Children the peer deletes: take ours down and name them in the answer, unless
 * a Delete of ours for the same pair is under way (1.4.1). */
static unsigned
delete_children(struct ike_sa *sa, const struct ike_del *d, uint32_t *spi,
		unsigned n)
{
	for (unsigned i = 0; i < d->n_spi; i++) {
		struct ike_child *c = ike_rekey_sa_child(sa, ike_del_spi(d, i));

		if (c == NULL) {
			remember(sa, ike_del_spi(d, i));
			continue;
		}
		if (c->state != IKE_CHILD_DELETING && n < ANSWER_SPIS)
			spi[n++] = c->spi_in;
		half_gone(sa, c);
	}
	return n;
}

static const char *
ending(const struct ike_msg *m, char *buf)
{
	const struct ike_ntf *n = ike_ntf_error(m->p);
	char word[IKE_WORD_MAX];

	if (n == NULL)
		return "the peer closed the connection";
	snprintf(buf, IKE_WHY_MAX, "the peer closed the connection: %s",
		 ike_notify_text(n->type, word));
	return buf;
}

static bool
ends_sa(const struct ike_msg *m)
{
	for (unsigned i = 0; i < m->p->n_del; i++)
		if (m->p->del[i].proto == IKE_PROTO_IKE)
			return true;
	/* 2.21.2, 2.21.3: fatal without a Delete */
	return ike_ntf_find(m->p, IKE_N_AUTHENTICATION_FAILED) != NULL ||
	    ike_ntf_find(m->p, IKE_N_INVALID_SYNTAX) != NULL;
}

enum ike_verdict
ike_step_info_request(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	uint32_t spi[ANSWER_SPIS];
	bool is_end = ends_sa(m), had_child = sa->n_child > 0;
	char why[IKE_WHY_MAX];
	struct ike_build b;
	unsigned n = 0;

	(void)ike;
	if (ike_ntf_find(m->p, IKE_N_INVALID_SELECTORS) != NULL)
		log_rl(LOG_NOTICE, "ike", "%s: the peer got a packet outside of "
		       "the selectors agreed on", sa->link != NULL ?
		       sa->link->id_text : "?");
	ike_token_take(sa, m);		/* RFC 6290 4.3, 4.4 */
	if (ike_until_take(sa, m) && sa->state == IKE_SA_UP)
		ike_until_arm(sa);	/* RFC 4478 2 */
	ike_size_take(sa, m);
	for (unsigned i = 0; i < m->p->n_del && !is_end; i++)
		if (m->p->del[i].proto == IKE_PROTO_ESP)
			n = delete_children(sa, &m->p->del[i], spi, n);
	ike_out_open(sa, &b);
	if (n > 0)
		add_delete(&b, IKE_PROTO_ESP, spi, n);
	ike_roam_take(sa, m, &b);
	if (ike_out_reply(sa, m, &b) != 0)
		return ike_drop(m, DROP_IKE_BUSY);
	if (is_end) {
		ike_resume_ended(sa);
		if (sa->state == IKE_SA_UP)
			ike_rekey_sa_settle(sa);
		if (ike_ntf_find(m->p, IKE_N_AUTHENTICATION_FAILED) != NULL)
			ike_trace_refused(sa, IKE_N_AUTHENTICATION_FAILED,
					  ending(m, why));
		ike_sa_close(sa, ending(m, why));
		return V_DONE;
	}
	ike_redirect_take(sa, m);
	if (had_child && sa->n_child == 0)
		ike_delete_if_childless(sa, "the peer deleted the child SA");
	return V_DONE;
}

/* ---- the peer's answer --------------------------------------------------- */

enum ike_verdict
ike_step_info_answer(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	struct ike_task *t = sa->task;

	if (t == NULL || t->is_moot)
		return V_DONE;
	ike_roam_told(sa, t, m);
	if (sa->state == IKE_SA_DEAD)
		return V_DONE;
	if (t->type == IKE_TASK_DEL_CHILD)
		child_deleted(sa, t);
	else if (t->type == IKE_TASK_DEL_IKE)
		ike_sa_kill(sa, NULL);
	else if (t->type == IKE_TASK_PING && ike->ops.ping != NULL &&
		 sa->link != NULL)
		ike->ops.ping(ike->ops.ctx, sa->link->id, sa->out.n_try);
	else if (t->type == IKE_TASK_SIZE)
		ike_size_answered(sa, t);
	return V_DONE;
}
