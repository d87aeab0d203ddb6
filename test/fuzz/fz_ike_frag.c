/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_ike_frag.c - putting fragments together (RFC 7383).
 *
 * Input: records { flags, body of an SKF payload with length in front }.  Flags:
 * 1 = the message is a response, 2 = the next message id, 4 = a first payload
 * is named, 8 = ten seconds pass.  The text is taken as if its ICV were right.
 * Whatever was put together must be what was given, and all memory comes back.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/rng.h"
#include "ikev2/step/step.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
one(struct ike *ike, struct ike_sa *sa, uint8_t flags, struct view body)
{
	struct ike_msg *m = calloc(1, sizeof(*m));
	struct ike_sk sk;
	struct view text;

	if (m == NULL)
		return;
	m->ike = ike;
	m->h.is_response = (flags & 1) != 0;
	m->h.msgid = (flags & 2) != 0 ? 1 : 0;
	m->h.xchg = IKE_XCHG_IKE_AUTH;
	m->clear.sk_first = (flags & 4) != 0 ? IKE_PL_IDI : IKE_PL_NONE;
	arena_init(&m->arena, IKE_ARENA_MAX);
	if ((flags & 8) != 0)
		ike->now_ms += 10000;
	if (dec_sk(body, IKE_PL_SKF, m->clear.sk_first, 0, 0, &sk) == 0) {
		m->frag = sk;
		text = sk.ct;
		if (ike_frag_admits(sa, m) && ike_frag_take(sa, m, &text) == 0 &&
		    (text.len > IKE_MAX_MSG_BYTES || text.p != m->whole))
			abort();
	}
	ike_msg_free(m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ike_conf conf = { .port = 500, .natt_port = 4500,
		.max_halfopen = 8, .can_raw_esp = true, .frag_bytes = 1280 };
	struct ike_ops ops = { 0 };
	struct rng_det det;
	struct ike_sa *sa;
	struct ike *ike;
	struct view body;
	struct cur c;
	uint8_t flags;
	uint16_t len;

	rng_det_init(&det, 1);
	rng_set_source(rng_det_source, &det);
	if (ike_new(&ike, &conf, &ops, 1000) != 0)
		return 0;
	if ((sa = ike_sa_new(ike, true)) == NULL)
		goto out;
	sa->remote.ip.family = 4;
	sa->has_frag = true;
	sa->frag_bytes = 1280;
	cur_init(&c, data, size);
	while (cur_u8(&c, &flags) == 0 && cur_u16(&c, &len) == 0 &&
	       cur_view(&c, MIN((size_t)len, cur_left(&c)), &body) == 0)
		one(ike, sa, flags, body);
	ike_frag_forget(sa);
	if (ike->frag_held != 0)
		abort();
out:
	ike_free(ike);
	rng_set_source(NULL, NULL);
	return 0;
}
