/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/task.c - requests of ours, one at a time (window of one, 2.3).
 *
 * A task waits in the list, is under way (a key is being made, the request is
 * out, its answer is being worked on), and ends with ike_task_end() or
 * ike_task_failed().
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/base/secret.h"
#include "ikev2/engine.h"
#include "ikev2/step/step.h"

/* How each kind begins and fails. */
static const struct {
	const char *name;
	/* send the request; a key exchange value is there when wants_key() */
	int (*send)(struct ike_sa *sa, struct ike_task *t);
	/* false: the task has become pointless */
	bool (*prepare)(struct ike_sa *sa, struct ike_task *t,
			enum spi_group *key_group);
	void (*failed)(struct ike_sa *sa, struct ike_task *t, uint16_t notify,
		       const char *why);
} kind[] = {
	[IKE_TASK_INIT] = { "IKE_SA_INIT", ike_init_send, ike_init_prepare,
			    ike_init_failed },
	[IKE_TASK_AUTH] = { "IKE_AUTH", NULL, NULL, ike_auth_failed },
	[IKE_TASK_ALIVE] = { "liveness check", ike_alive_send, NULL, NULL },
	[IKE_TASK_PING] = { "ping", ike_ping_send, NULL, NULL },
	[IKE_TASK_DEL_CHILD] = { "Delete of a child SA", ike_delete_child_send,
				 ike_delete_child_prepare,
				 ike_delete_child_failed },
	[IKE_TASK_DEL_IKE] = { "Delete of the IKE SA", ike_delete_sa_send, NULL,
			       ike_delete_sa_failed },
	[IKE_TASK_REKEY_CHILD] = { "rekeying of a child SA",
				   ike_rekey_child_send,
				   ike_rekey_child_prepare,
				   ike_rekey_child_failed },
	[IKE_TASK_REKEY_IKE] = { "rekeying of the IKE SA", ike_rekey_sa_send,
				 ike_rekey_sa_prepare, ike_rekey_sa_failed },
	[IKE_TASK_NEW_CHILD] = { "new child SA", ike_rekey_child_send,
				 ike_new_child_prepare, ike_new_child_failed },
	[IKE_TASK_TELL_SEL] = { "notice of wrong selectors", ike_tell_sel_send,
				NULL, NULL },
	[IKE_TASK_TELL_TOKEN] = { "QCD token", ike_token_send, NULL, NULL },
	[IKE_TASK_SIZE] = { "probe of the path", ike_size_send,
			    ike_size_prepare, NULL },
	[IKE_TASK_TELL_SIZE] = { "size of the path", ike_tell_size_send, NULL,
				 NULL },
	[IKE_TASK_ROAM] = { "notice of our address", ike_roam_update_send,
			    ike_roam_prepare, NULL },
	[IKE_TASK_PROVE] = { "question about the peer's address",
			     ike_prove_send, ike_prove_prepare, NULL },
	[IKE_TASK_TELL_ADDRS] = { "list of our addresses", ike_tell_addrs_send,
				  NULL, NULL },
	[IKE_TASK_REDIRECT] = { "redirection", ike_redirect_send, NULL, NULL },
	[IKE_TASK_NEW_LANE] = { "further child SA", ike_rekey_child_send,
				ike_new_lane_prepare, ike_new_lane_failed },
};

void
ike_task_free(struct ike_sa *sa, struct ike_task *t)
{
	struct ike_sa *heir = t->heir != 0 ?
	    ike_sa_by_handle(sa->ike, t->heir) : NULL;

	list_remove(&t->node);
	if (heir != NULL && heir->state == IKE_SA_NONE)
		ike_sa_kill(heir, NULL);
	ike_offer_drop(sa->ike, &t->offer);
	ike_follow_free(sa->ike, t->follow);
	spi_crypto()->dh_free(t->dh);
	wipe(t, sizeof(*t));
	free(t);
	sa->n_task--;
}

static struct ike_task *
find(struct ike_sa *sa, enum ike_task_type type, uint32_t child_id)
{
	LIST_FOREACH(it, &sa->tasks) {
		struct ike_task *t = CONTAINER_OF(it, struct ike_task, node);

		if (t->type == type && t->child_id == child_id)
			return t;
	}
	return NULL;
}

void
ike_task_add_later(struct ike_sa *sa, enum ike_task_type type, uint32_t child_id,
		   uint64_t in_ms)
{
	struct ike_task *t;

	if (sa->task != NULL && sa->task->type == type && in_ms == 0 &&
	    sa->task->child_id == child_id && !sa->task->is_moot)
		return;
	if ((t = find(sa, type, child_id)) != NULL) {
		t->from_ms = MIN(t->from_ms, sa->ike->now_ms + in_ms);
		return;
	}
	if (sa->n_task >= IKE_TASK_MAX ||
	    (t = calloc(1, sizeof(*t))) == NULL) {
		log_rl(LOG_WARN, "ike", "SA %u: %s left out: too much to do",
		       sa->handle, kind[type].name);
		return;
	}
	t->type = type;
	t->child_id = child_id;
	t->from_ms = sa->ike->now_ms + in_ms;
	list_init(&t->node);
	/* taking down overtakes building up */
	if (type == IKE_TASK_DEL_IKE)
		list_add_head(&sa->tasks, &t->node);
	else
		list_add_tail(&sa->tasks, &t->node);
	sa->n_task++;
}

void
ike_task_add(struct ike_sa *sa, enum ike_task_type type, uint32_t child_id)
{
	ike_task_add_later(sa, type, child_id, 0);
}

void
ike_task_add_first(struct ike_sa *sa, enum ike_task_type type)
{
	struct ike_task *t;

	ike_task_add(sa, type, 0);
	if ((t = find(sa, type, 0)) == NULL)
		return;
	list_remove(&t->node);
	list_add_head(&sa->tasks, &t->node);
}

/* May a task run in the SA's state? */
static bool
permitted(const struct ike_sa *sa, enum ike_task_type type)
{
	switch (sa->state) {
	case IKE_SA_INIT_I:
		return type == IKE_TASK_INIT;
	case IKE_SA_UP:
		return true;
	case IKE_SA_REKEYED:	/* the peer may not know yet that it is */
		return type == IKE_TASK_DEL_IKE || type == IKE_TASK_ROAM;
	case IKE_SA_DELETING:
		return type == IKE_TASK_DEL_IKE;
	default:
		return false;
	}
}

static struct ike_task *
next_due(struct ike_sa *sa, uint64_t *wait_until)
{
	*wait_until = UINT64_MAX;
	LIST_FOREACH_SAFE(it, next, &sa->tasks) {
		struct ike_task *t = CONTAINER_OF(it, struct ike_task, node);

		if (t->from_ms <= sa->ike->now_ms)
			return t;
		*wait_until = MIN(*wait_until, t->from_ms);
	}
	return NULL;
}

/* Begin: 0 when it is under way. */
static int
begin(struct ike_sa *sa, struct ike_task *t)
{
	enum spi_group group = SPI_GROUP_NONE;

	list_remove(&t->node);
	sa->task = t;
	if (!permitted(sa, t->type) ||
	    (kind[t->type].prepare != NULL &&
	     !kind[t->type].prepare(sa, t, &group)))
		return ERR_STATE;
	if (group != SPI_GROUP_NONE && t->dh == NULL)
		return ike_job_start(sa, IKE_JOB_TASK, group, &t->dh,
				     (struct view){ NULL, 0 });
	return kind[t->type].send(sa, t);
}

/* It could not be sent, for want of memory or the like: later. */
static void
begin_failed(struct ike_sa *sa, int err)
{
	struct ike_task *t = sa->task;

	if (err == ERR_STATE || t->is_moot) {	/* has become pointless */
		ike_task_end(sa);
		return;
	}
	log_warn("ike", "SA %u: %s failed: %s", sa->handle, kind[t->type].name,
		 err_text(err));
	sa->task = NULL;
	sa->task_ticket = 0;
	t->from_ms = sa->ike->now_ms + IKE_TEMP_MS;
	list_add_tail(&sa->tasks, &t->node);
}

void
ike_task_pump(struct ike_sa *sa)
{
	uint64_t until;

	/* 2.25.2: while the peer replaces the SA nothing new begins on it */
	if (sa->parked != NULL && !sa->parked->h.is_response &&
	    sa->parked->form == IKE_FORM_IKE_REKEY)
		return;
	while (sa->task == NULL && !sa->out.is_busy &&
	       sa->state != IKE_SA_DEAD && sa->state != IKE_SA_CLOSED) {
		struct ike_task *t = next_due(sa, &until);
		int err;

		if (t == NULL) {
			if (until != UINT64_MAX &&
			    tmr_start(&sa->ike->tmr, &sa->again, until) != 0)
				log_warn("ike", "SA %u: no timer", sa->handle);
			return;
		}
		if ((err = begin(sa, t)) == 0)
			return;
		begin_failed(sa, err);
	}
}

void
ike_task_job(struct ike_sa *sa, int err)
{
	if (err == 0 && sa->task->is_moot)
		err = ERR_STATE;
	if (err == 0)
		err = kind[sa->task->type].send(sa, sa->task);
	if (err == 0)
		return;
	begin_failed(sa, err);
	ike_task_pump(sa);
}

void
ike_task_end(struct ike_sa *sa)
{
	if (sa->task == NULL)
		return;
	ike_task_free(sa, sa->task);
	sa->task = NULL;
	sa->task_ticket = 0;
}

void
ike_task_failed(struct ike_sa *sa, uint16_t notify, const char *why)
{
	struct ike_task *t = sa->task;

	if (t == NULL)
		return;
	sa->task = NULL;	/* what follows may begin another */
	sa->task_ticket = 0;
	if (!t->is_moot) {
		log_info("ike", "SA %u: %s failed: %s", sa->handle,
			 kind[t->type].name, why);
		if (kind[t->type].failed != NULL)
			kind[t->type].failed(sa, t, notify, why);
	}
	ike_task_free(sa, t);
}
