/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/sim/door.c - the thread that judges strangers' requests under attack: it
 * comes late, knows nothing of the engine but the level, and sends by itself.
 */
#include "test/sim/world.h"

#include "ikev2/gate.h"

bool
sim_door_takes(struct sim_host *h, const struct sim_event *e)
{
	return h->level != IKE_GATE_OPEN &&
	    ike_gate_is_mine((struct view){ e->p, e->len });
}

void
sim_door_judge(struct sim_host *h, const struct sim_event *e)
{
	struct view data = { e->p, e->len };
	uint8_t answer[IKE_GATE_ANSWER_MAX];
	struct ike_proof proof;
	size_t len = 0;

	switch (ike_gate_judge(ike_gate_of(h->ike), &h->seat, NULL, &e->from,
			       data, h->w->now_ms, answer, &len, &proof)) {
	case IKE_GATE_ADMIT:
		(void)sim_alloc_runs(h);
		ike_input_proven(h->ike, &e->to, &e->from, e->is_natt, data,
				 &proof, h->w->now_ms);
		(void)sim_alloc_runs(NULL);
		break;
	case IKE_GATE_ANSWER:
		sim_send(h, &e->to, &e->from, e->is_natt,
			 (struct view){ answer, len });
		break;
	case IKE_GATE_DROP:
		break;
	}
}
