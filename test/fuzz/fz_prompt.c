/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_prompt.c - any bytes as a typed password, and as its
 * answer; what decodes encodes to the same bytes.
 */
#include <stdlib.h>
#include <string.h>
#include "daemon/ipc/prompt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t buf[PROMPT_BYTES_MAX];
	struct prompt_answer a;
	struct prompt_ask q;
	int n;

	if (prompt_ask_dec(data, size, &q) == 0) {
		n = prompt_ask_enc(&q, buf, sizeof(buf));
		if (n < 0 || (size_t)n != size || memcmp(buf, data, size) != 0)
			abort();
	}
	if (prompt_answer_dec(data, size, &a) == 0) {
		n = prompt_answer_enc(&a, buf, sizeof(buf));
		if (n < 0 || (size_t)n != size || memcmp(buf, data, size) != 0)
			abort();
	}
	return 0;
}
