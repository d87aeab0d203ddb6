/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_pass.c - any bytes as a question about a password, a proof or a link,
 * and as its answer; what decodes encodes to the same bytes.
 */
#include <stdlib.h>
#include <string.h>
#include "daemon/ipc/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
same(const uint8_t *data, size_t size, const uint8_t *buf, int n)
{
	if (n < 0 || (size_t)n != size || memcmp(buf, data, size) != 0)
		abort();
}

static void
proof(const uint8_t *data, size_t size)
{
	uint8_t buf[PROOF_BYTES_MAX];
	struct proof_ask q;
	struct proof_answer a;
	struct proof_link_ask lq;
	struct proof_link_answer la;

	if (proof_ask_dec(data, size, &q) == 0)
		same(data, size, buf, proof_ask_enc(&q, buf, sizeof(buf)));
	if (proof_answer_dec(data, size, &a) == 0)
		same(data, size, buf, proof_answer_enc(&a, buf, sizeof(buf)));
	if (proof_link_ask_dec(data, size, &lq) == 0)
		same(data, size, buf, proof_link_ask_enc(&lq, buf, sizeof(buf)));
	if (proof_link_answer_dec(data, size, &la) == 0)
		same(data, size, buf, proof_link_answer_enc(&la, buf,
							    sizeof(buf)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t buf[PASS_BYTES_MAX];
	struct pass_answer a;
	struct pass_ask q;

	if (pass_ask_dec(data, size, &q) == 0)
		same(data, size, buf, pass_ask_enc(&q, buf, sizeof(buf)));
	if (pass_answer_dec(data, size, &a) == 0)
		same(data, size, buf, pass_answer_enc(&a, buf, sizeof(buf)));
	proof(data, size);
	return 0;
}
