/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/reauth.c - authenticate anew, make before break (RFC 7296 2.8.3).
 *
 *   old:  ==== soft end ============ retired .... Delete
 *   new:       IKE_SA_INIT IKE_AUTH ==========================
 *
 * Who dials a link whose realm wants it begins a second IKE SA when the first is
 * due for new keys.  Once its child SA stands, nothing is sent on the old ones
 * any more; they receive until the peer has surely changed over.
 */
#include "daemon/base/log.h"
#include "ikev2/step/step.h"

/* Longer than a peer of ours hesitates to send on a new child SA; ours. */
#define OVERLAP_MS 6000
#define SOON_MS	   1000

static bool
is_connecting(const struct ike_link *link)
{
	LIST_FOREACH(it, &link->sas) {
		struct ike_sa *sa = CONTAINER_OF(it, struct ike_sa, link_node);

		if (sa->state == IKE_SA_INIT_I || sa->state == IKE_SA_AUTH_I ||
		    (sa->state == IKE_SA_UP && !sa->had_child))
			return true;
	}
	return false;
}

bool
ike_reauth_is_wanted(const struct ike_sa *sa)
{
	return sa->link != NULL && sa->link->is_wanted &&
	    (sa->link->realm->conf.is_reauth || sa->login_ms != 0);
}

void
ike_reauth_start(struct ike_sa *sa)
{
	struct ike_link *link = sa->link;
	struct net_ep remote = sa->remote;

	sa->is_outgoing = true;
	if (is_connecting(link))
		return;
	remote.port = ike_link_port(link);
	if (ike_init_start(link, &sa->local.ip, &remote) != 0)
		log_warn("ike", "%s: not authenticated anew: out of memory",
			 link->id_text);
}

void
ike_reauth_keep(struct ike_sa *heir)
{
	uint64_t now_ms = heir->ike->now_ms, due_ms;

	if (heir->is_succeeded) {
		tmr_stop(&heir->ike->tmr, &heir->soft);
		tmr_stop(&heir->ike->tmr, &heir->alive);
	}
	if (!ike_reauth_is_wanted(heir) || !tmr_is_set(&heir->soft))
		return;
	due_ms = heir->up_ms +
	    (uint64_t)heir->link->realm->conf.ike_life_s * 850;
	if (heir->login_ms != 0 && (heir->login_ms < due_ms ||
	    heir->link->realm->conf.ike_life_s == 0))
		due_ms = heir->login_ms;
	if (tmr_start(&heir->ike->tmr, &heir->soft,
		      MAX(due_ms, now_ms + SOON_MS)) != 0)
		log_warn("ike", "SA %u: no timer: out of memory", heir->handle);
}

static void
retire(struct ike_sa *old)
{
	struct ike *ike = old->ike;

	old->is_succeeded = true;
	LIST_FOREACH(it, &old->children) {
		struct ike_child *c = CONTAINER_OF(it, struct ike_child, node);

		if (c->state != IKE_CHILD_UP ||
		    !ike_child_move(c, IKE_EV_CHILD_REPLACED))
			continue;
		tmr_stop(&ike->tmr, &c->soft);
		ike->ops.child_retire(ike->ops.ctx, c->id);
	}
	tmr_stop(&ike->tmr, &old->soft);
	tmr_stop(&ike->tmr, &old->alive);
	ike_task_add_later(old, IKE_TASK_DEL_IKE, 0, OVERLAP_MS);
	ike_task_pump(old);
}

/* Has sa been made in place of old?  One that we dialled while old stood, if only
 * because old had not got its child SA in time, replaces it too; else two would
 * replace two for ever. */
static bool
is_replaced(const struct ike_sa *old, const struct ike_sa *sa)
{
	return old->is_outgoing || (ike_reauth_is_wanted(sa) &&
	    sa->up_ms >= old->up_ms + IKE_CROSS_MS);
}

void
ike_reauth_done(struct ike_sa *sa)
{
	if (sa->state != IKE_SA_UP || sa->n_child == 0 || sa->link == NULL)
		return;
	LIST_FOREACH(it, &sa->link->sas) {
		struct ike_sa *old = CONTAINER_OF(it, struct ike_sa, link_node);

		if (old != sa && old->state == IKE_SA_UP &&
		    !old->is_succeeded && is_replaced(old, sa))
			retire(old);
	}
}
