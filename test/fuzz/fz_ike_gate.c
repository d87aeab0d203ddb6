/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_ike_gate.c - the judge of IKE_SA_INIT requests.
 *
 * First byte: cookies or puzzles; then a datagram.  Nobody gets more than it sent,
 * and nobody gets in without a cookie.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/rng.h"
#include "ikev2/gate.h"
#include "ikev2/wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW_MS 1000000

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ike_gate_want want = { .bits = 9, .chance = 50 };
	struct ike_gate_seat seat = { .has_keys = false };
	uint8_t answer[IKE_GATE_ANSWER_MAX];
	enum ike_gate_verdict v;
	struct ike_proof proof;
	struct ike_gate *g;
	struct rng_det det;
	struct net_ep from;
	size_t len = 0;

	if (size < 1 || net_ep_parse("198.51.100.2:500", &from) != 0)
		return 0;
	rng_det_init(&det, 1);
	rng_set_source(rng_det_source, &det);
	if (ike_gate_new(&g) != 0)
		return 0;
	want.level = data[0] & 1 ? IKE_GATE_PUZZLE : IKE_GATE_COOKIE;
	ike_gate_set(g, &want);
	v = ike_gate_judge(g, &seat, NULL, &from, (struct view){ data + 1,
			   size - 1 }, NOW_MS, answer, &len, &proof);
	if (v == IKE_GATE_ANSWER && (len > size - 1 || len > sizeof(answer)))
		abort();
	if (v == IKE_GATE_ADMIT && !proof.has_cookie)
		abort();
	ike_gate_free(g);
	rng_set_source(NULL, NULL);
	return 0;
}
