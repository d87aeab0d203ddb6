/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/refuse.c - the peer answers with an error (RFC 7296 2.21).
 */
#include "ikev2/step/step.h"

static enum ike_verdict
refused(struct ike_sa *sa, struct ike_msg *m, const char *what)
{
	const struct ike_ntf *n = ike_ntf_error(m->p);
	char buf[IKE_WORD_MAX];

	if (n == NULL)
		return ike_drop(m, DROP_IKE_GRAMMAR);
	sa->is_refused = true;
	ike_fail(m, n->type, "the peer refuses %s: %s", what,
		 ike_notify_text(n->type, buf));
	if (n->type == IKE_N_INVALID_KE_PAYLOAD && n->data.len == 2) {
		m->fail_data[0] = n->data.p[0];
		m->fail_data[1] = n->data.p[1];
		m->fail_len = 2;
	}
	return V_FAIL;
}

enum ike_verdict
ike_step_auth_refused(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	const struct ike_setup *st = sa->setup;
	const struct ike_ntf *n = ike_ntf_error(m->p);

	(void)ike;
	/* in words of IKE what others say by EAP: the password is wrong */
	if (n != NULL && n->type == IKE_N_AUTHENTICATION_FAILED && st != NULL &&
	    st->has_word && !st->is_eap_done && sa->link != NULL)
		ike_link_ask(sa->link);
	return refused(sa, m, "to authenticate us");
}

enum ike_verdict
ike_step_create_refused(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	(void)ike;
	enum ike_verdict v = refused(sa, m, "the new SA");

	if (v == V_FAIL && m->fail_len == 2 && sa->task != NULL)
		sa->task->offer.group =
		    ike_group_from_wire(be16_get(m->fail_data));
	return v;
}
