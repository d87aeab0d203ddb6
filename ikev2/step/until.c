/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/until.c - how long an authentication holds (RFC 4478).
 *
 *   responder: who let the peer in says for how long.  It is told, and the IKE SA
 *              ends then, rekeyed or not.
 *                             <--  HDR, SK{ .., N(AUTH_LIFETIME: seconds) }
 *   initiator: authenticates anew before, make before break (reauth.c).
 *
 * ike_sa.end_ms is the responder's, login_ms the initiator's.
 */
#include "daemon/base/log.h"
#include "ikev2/step/step.h"

#define SECONDS_LEN 4
/* A shorter one is not kept to: the peer ends the SA, and we dial again with the
 * pauses of a connection that fails.  Section 3 speaks of 300 s; ours. */
#define LEAST_S	    30u

void
ike_until_limit(struct ike_sa *sa, uint32_t session_s)
{
	if (session_s > 0)
		sa->end_ms = sa->ike->now_ms + (uint64_t)session_s * 1000;
}

void
ike_until_add(const struct ike_sa *sa, struct ike_build *b)
{
	const struct view none = { NULL, 0 };
	uint64_t now_ms = sa->ike->now_ms;
	uint8_t left[SECONDS_LEN];

	if (sa->end_ms == 0)
		return;
	be32_put(left, (uint32_t)MIN((MAX(sa->end_ms, now_ms) - now_ms) / 1000,
				     (uint64_t)UINT32_MAX));
	ike_build_notify(b, IKE_PROTO_NONE, IKE_N_AUTH_LIFETIME, none,
			 (struct view){ left, sizeof(left) });
}

bool
ike_until_take(struct ike_sa *sa, const struct ike_msg *m)
{
	const struct ike_ntf *n = ike_ntf_find(m->p, IKE_N_AUTH_LIFETIME);
	uint64_t life_ms;

	if (n == NULL || n->data.len != SECONDS_LEN)
		return false;
	life_ms = (uint64_t)MAX(be32_get(n->data.p), LEAST_S) * 1000;
	sa->login_ms = sa->ike->now_ms + life_ms / 100 * 85;
	return true;
}

void
ike_until_inherit(struct ike_sa *heir, const struct ike_sa *old)
{
	heir->end_ms = old->end_ms;
	heir->login_ms = old->login_ms;
}

bool
ike_until_is_over(const struct ike_sa *sa)
{
	return sa->end_ms != 0 && sa->ike->now_ms >= sa->end_ms;
}

void
ike_until_arm(struct ike_sa *sa)
{
	struct tmr_set *set = &sa->ike->tmr;
	int err = 0;

	if (sa->end_ms != 0 && (!tmr_is_set(&sa->life) ||
	    sa->end_ms < sa->life.at_ms))
		err = tmr_start(set, &sa->life, sa->end_ms);
	if (err == 0 && sa->login_ms != 0 && ike_reauth_is_wanted(sa) &&
	    (!tmr_is_set(&sa->soft) || sa->login_ms < sa->soft.at_ms))
		err = tmr_start(set, &sa->soft, sa->login_ms);
	if (err != 0)
		log_warn("ike", "SA %u: no timer: out of memory", sa->handle);
}
