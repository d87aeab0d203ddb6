/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_pass.c - any bytes as a question about a password, and as its
 * answer; what decodes encodes to the same bytes.
 */
#include <stdlib.h>
#include <string.h>
#include "daemon/ipc/pass.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t buf[PASS_BYTES_MAX];
	struct pass_answer a;
	struct pass_ask q;
	int n;

	if (pass_ask_dec(data, size, &q) == 0) {
		n = pass_ask_enc(&q, buf, sizeof(buf));
		if (n < 0 || (size_t)n != size || memcmp(buf, data, size) != 0)
			abort();
	}
	if (pass_answer_dec(data, size, &a) == 0) {
		n = pass_answer_enc(&a, buf, sizeof(buf));
		if (n < 0 || (size_t)n != size || memcmp(buf, data, size) != 0)
			abort();
	}
	return 0;
}
