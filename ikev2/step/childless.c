/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/childless.c - an IKE SA before its first child SA (RFC 6023).
 *
 *   HDR, SAi1, KEi, Ni  -->  <--  HDR, SAr1, KEr, Nr, N(CHILDLESS_IKEV2_SUPPORTED)
 *   HDR, SK{ IDi, AUTH }  -->     <--  HDR, SK{ IDr, AUTH }
 *   HDR, SK{ SA, Ni, KEi, TSi, TSr }  -->  ...
 *
 * The first child SA is then made by CREATE_CHILD_SA, with a key exchange of its
 * own.  As responder we take both; as initiator we do so where the realm wants
 * it, or once a peer has refused the child SA in IKE_AUTH and said it can.
 */
#include "ikev2/step/step.h"

#define NOTIFY_LEN (IKE_PL_HDR_LEN + 4)

void
ike_childless_add(struct ike_build *b, size_t cap)
{
	struct view none = { NULL, 0 };

	/* a stranger never gets more than it sent */
	if (b->w.len + NOTIFY_LEN <= cap)
		ike_build_notify(b, IKE_PROTO_NONE,
				 IKE_N_CHILDLESS_IKEV2_SUPPORTED, none, none);
}

enum ike_verdict
ike_step_childless(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	(void)ike;
	sa->can_childless =
	    ike_ntf_find(m->p, IKE_N_CHILDLESS_IKEV2_SUPPORTED) != NULL;
	return V_NEXT;
}

bool
ike_childless_is_wanted(const struct ike_sa *sa)
{
	return sa->can_childless && (sa->link->realm->conf.is_childless ||
				     sa->link->needs_childless);
}

bool
ike_childless_refused(struct ike_sa *sa, uint16_t notify)
{
	if (!sa->can_childless || sa->link->needs_childless ||
	    (notify != IKE_N_INVALID_SYNTAX &&
	     notify != IKE_N_NO_ADDITIONAL_SAS))
		return false;
	sa->link->needs_childless = true;
	return true;
}

enum ike_verdict
ike_step_childless_asked(struct ike *ike, struct ike_sa *sa,
			 struct ike_msg *m)
{
	(void)ike;
	/* our request had an SA payload: its answer says yes or why not */
	return sa->setup->offer.esp_spi != 0 && !ike_redirect_said(sa, m) ?
	    ike_drop(m, DROP_IKE_GRAMMAR) :
	    V_NEXT;
}

enum ike_verdict
ike_step_childless_up(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	(void)m;
	if (!ike_sa_move(sa, IKE_EV_AUTH_OK))
		return V_DONE;
	ike_task_end(sa);
	ike->stats.n_auth_ok++;
	ike_sa_up(sa);
	ike_task_add(sa, IKE_TASK_NEW_CHILD, 0);
	ike_link_update(sa->link);
	return V_KEEP;
}
