/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_diary.c - frames between tapird and its diary.  What decodes must
 * encode to the same bytes.
 */
#include <stdlib.h>
#include <string.h>
#include "daemon/diary/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static struct diary_frame f;
	uint8_t buf[DIARY_FRAME_MAX];
	int n;

	if (diary_dec(p, len, &f) != 0)
		return 0;
	n = diary_enc(&f, buf, sizeof(buf));
	if (n < 0 || (size_t)n != len || memcmp(buf, p, len) != 0)
		abort();
	return 0;
}
