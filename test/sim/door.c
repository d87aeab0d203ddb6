/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/sim/door.c - the thread that judges strangers' requests under attack: it
 * comes late, knows nothing of the engine but the level, and sends by itself.
 */
#include "test/sim/world.h"

#include <string.h>

#include "ikev2/crypt/puzzle.h"
#include "ikev2/gate.h"

#define AUTH_BITS 9

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

size_t
sim_puzzle_add(uint8_t *p, size_t len, size_t cap)
{
	static const uint8_t puzzle[] = { IKE_PL_NONE, 0, 0, 11, 0, 0, 0x40, 0x32,
					  0, IKE_PRF_HMAC_SHA2_256, AUTH_BITS };
	struct ike_chain ch;
	struct ike_perr perr;

	if (len < IKE_HDR_LEN + 4 || p[18] != IKE_XCHG_IKE_SA_INIT ||
	    p[16] != IKE_PL_SA || (p[19] & 0x20) == 0 ||
	    len + sizeof(puzzle) > cap ||
	    ike_chain_decode((struct view){ p + IKE_HDR_LEN, len - IKE_HDR_LEN },
			     p[16], &ch, &perr) != 0)
		return len;
	p[ch.pl[ch.n - 1].body.p - p - 4] = IKE_PL_N;
	memcpy(p + len, puzzle, sizeof(puzzle));
	be32_put(p + 24, (uint32_t)(len + sizeof(puzzle)));
	return len + sizeof(puzzle);
}

void
sim_puzzle_see(struct sim_host *h, struct view data)
{
	const struct ike_sa *sa;
	uint8_t s[IKE_NONCE_MAX + 8];
	struct ike_ps ps;
	unsigned least;
	struct cur c;

	if (data.p[18] != IKE_XCHG_IKE_AUTH || data.p[16] != IKE_PL_PS ||
	    h->other->ike == NULL || (sa = ike_sa_by_spi(h->other->ike,
	    be64_get(data.p + 8))) == NULL || sa->setup == NULL)
		return;
	cur_init(&c, data.p + 32, be16_get(data.p + 30) - 4u);
	memcpy(s, sa->setup->nr, sa->setup->nr_len);
	be64_put(s + sa->setup->nr_len, sa->rspi);
	if (dec_ps(&c, &ps) == 0 && ike_puzzle_check(IKE_PRF_HMAC_SHA2_256,
	    (struct view){ s, sa->setup->nr_len + 8 }, AUTH_BITS, &ps,
	    &least) == 0)
		h->n_auth_ps++;
}
