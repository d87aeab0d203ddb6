/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/alive.c - INFORMATIONAL requests that need no answer but one: the
 * liveness check (RFC 7296 2.4), and INVALID_SELECTORS (3.10.1).
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
	ike_roam_ask_nat(sa, &b);
	return ike_out_request(sa, &b, IKE_XCHG_INFORMATIONAL);
}

int
ike_ping_send(struct ike_sa *sa, struct ike_task *t)
{
	struct ike *ike = sa->ike;
	int err = ike_alive_send(sa, t);

	if (err == 0 && ike->ops.ping != NULL && sa->link != NULL)
		ike->ops.ping(ike->ops.ctx, sa->link->id, 0);
	return err;
}

int
ike_ping(struct ike *ike, uint32_t link_id, uint64_t now_ms)
{
	struct ike_sa *sa;
	int err;

	ike->now_ms = MAX(ike->now_ms, now_ms);
	if ((err = ike_link_up_sa(ike, link_id, &sa)) != 0)
		return err;
	ike_task_add(sa, IKE_TASK_PING, 0);
	ike_task_pump(sa);
	ike_reap(ike);
	return 0;
}

int
ike_tell_sel_send(struct ike_sa *sa, struct ike_task *t)
{
	const struct ike_child *c = ike_child_by_id(sa->ike, t->child_id);
	struct ike_build b;
	uint8_t spi[4];

	if (c == NULL || c->sa != sa)
		return ERR_STATE;
	be32_put(spi, c->spi_in);
	ike_out_open(sa, &b);
	ike_build_notify(&b, IKE_PROTO_ESP, IKE_N_INVALID_SELECTORS,
			 (struct view){ spi, sizeof(spi) },
			 (struct view){ c->sel_head, c->n_sel_head });
	return ike_out_request(sa, &b, IKE_XCHG_INFORMATIONAL);
}
