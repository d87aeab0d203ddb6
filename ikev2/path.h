/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/path.h - what happens when a message arrives: lists of steps.
 */
#ifndef TAPIR_IKEV2_PATH_H
#define TAPIR_IKEV2_PATH_H

#include "daemon/base/base.h"
#include "ikev2/state.h"
#include "ikev2/wire/rules.h"

struct ike;
struct ike_sa;
struct ike_msg;

enum ike_verdict {
	V_NEXT,	/* go on with the next step */
	V_DONE,	/* the message is dealt with; a response ends its task */
	V_KEEP,	/* likewise, but the task goes on with another request */
	V_DROP,	/* drop it, counted under m->drop */
	V_FAIL,	/* answer with m->fail, or the task fails */
	V_WAIT	/* parked; goes on with the next step when the answer is there */
};

/** A step.  sa is NULL until a step of an IKE_SA_INIT request made one
 * (then m->heir holds it). */
typedef enum ike_verdict ike_step_fn(struct ike *ike, struct ike_sa *sa,
				     struct ike_msg *m);

/**
 * The list for a message; NULL when the exchange is not possible in this state.
 *
 * @param state  of the SA; IKE_SA_NONE for an IKE_SA_INIT request.
 */
ike_step_fn *const *ike_path_find(uint8_t xchg, bool is_response,
				  enum ike_form form, enum ike_sa_state state);

#endif
