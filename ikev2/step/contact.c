/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/contact.c - INITIAL_CONTACT (RFC 7296 2.4) and crossing dials.
 *
 * When both ends dial at once, two IKE SAs come up between the same peers.  Both
 * ends see both pairs of SPIs, so both know which one stays: the one with the
 * smaller initiator's SPI.  Who began the other deletes it.
 */
#include "daemon/base/log.h"
#include "ikev2/step/step.h"

static bool
is_young(const struct ike_sa *sa)
{
	return sa->ike->now_ms - sa->up_ms < IKE_CROSS_MS;
}

void
ike_contact_add(struct ike_sa *sa, struct ike_build *b)
{
	struct view none = { NULL, 0 };

	LIST_FOREACH(it, &sa->link->sas) {
		struct ike_sa *other = CONTAINER_OF(it, struct ike_sa,
						    link_node);

		/* one that we dial may stand already at the other end */
		if (other != sa && (other->state == IKE_SA_UP ||
		    (!sa->is_initiator && other->is_initiator)))
			return;
	}
	ike_build_notify(b, IKE_PROTO_NONE, IKE_N_INITIAL_CONTACT, none, none);
}

/* The peer knows of no SA but sa.  Did it lose this one? */
static bool
is_lost(const struct ike_sa *other, const struct ike_sa *sa)
{
	/* In an answer: what stood before we dialled (to authenticate anew), and
	 * not just so, since the peer may have dialled that. */
	if (sa->is_initiator)
		return other->up_ms < sa->made_ms &&
		    sa->made_ms - other->up_ms >= IKE_CROSS_MS;
	/* Began the peer this SA before ours stood?  Then both dialled at once.
	 * Later it would have known ours, had it not been restarted. */
	return !other->is_initiator || sa->made_ms > other->up_ms;
}

enum ike_verdict
ike_step_contact(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	(void)ike;
	if (ike_ntf_find(m->p, IKE_N_INITIAL_CONTACT) == NULL)
		return V_NEXT;
	LIST_FOREACH_SAFE(it, next, &sa->link->sas) {
		struct ike_sa *other = CONTAINER_OF(it, struct ike_sa,
						    link_node);

		if (other == sa || (other->state != IKE_SA_UP &&
				    other->state != IKE_SA_REKEYED))
			continue;
		if (!is_lost(other, sa))
			continue;
		log_info("ike", "SA %u: the peer began anew", other->handle);
		ike_sa_kill(other, NULL);
	}
	return V_NEXT;
}

void
ike_contact_crossing(struct ike_sa *sa)
{
	if (sa->state != IKE_SA_UP || sa->link == NULL)
		return;
	LIST_FOREACH_SAFE(it, next, &sa->link->sas) {
		struct ike_sa *other = CONTAINER_OF(it, struct ike_sa,
						    link_node);
		struct ike_sa *loser;

		if (other == sa)
			continue;
		if (other->state == IKE_SA_INIT_I) {
			ike_sa_kill(other, NULL); /* nobody misses it */
			continue;
		}
		if (other->state != IKE_SA_UP || !is_young(other) ||
		    other->is_initiator == sa->is_initiator)
			continue;
		loser = other->ispi > sa->ispi ? other : sa;
		/* a little later, so that no end is without an SA meanwhile */
		if (loser->is_initiator)
			ike_task_add_later(loser, IKE_TASK_DEL_IKE, 0, 1000);
		ike_task_pump(loser);
	}
}
