/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/alive.c - liveness: an empty INFORMATIONAL request (RFC 7296 2.4).
 *
 * The answer needs no step of its own: that it was authentic is all it says.
 */
#include "ikev2/step/step.h"

int
ike_alive_send(struct ike_sa *sa, struct ike_task *t)
{
	struct ike_build b;

	(void)t;
	ike_out_open(sa, &b);
	return ike_out_request(sa, &b, IKE_XCHG_INFORMATIONAL);
}
