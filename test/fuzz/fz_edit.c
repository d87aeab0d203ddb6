/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_edit.c - any bytes as a configuration in which one thing is
 * changed: the first line is the path, the second the value.
 *
 * What was set is found again, and taking it out works.
 */
#include <stdlib.h>
#include <string.h>
#include "conf/edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
on_each(void *ctx, const char *path, const char *value)
{
	*(size_t *)ctx += strlen(path) + strlen(value);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct edit e;
	char path[300] = "", value[300] = "", *now = NULL, *less = NULL;
	const char *p = (const char *)data, *nl[2];
	size_t len, less_len, n = 0;

	nl[0] = memchr(p, '\n', size);
	nl[1] = nl[0] == NULL ? NULL :
	    memchr(nl[0] + 1, '\n', size - (size_t)(nl[0] + 1 - p));
	if (nl[1] == NULL || nl[0] - p >= (ptrdiff_t)sizeof(path) ||
	    nl[1] - nl[0] >= (ptrdiff_t)sizeof(value))
		return 0;
	memcpy(path, p, (size_t)(nl[0] - p));
	memcpy(value, nl[0] + 1, (size_t)(nl[1] - nl[0] - 1));
	size -= (size_t)(nl[1] + 1 - p);
	p = nl[1] + 1;
	if (edit_each(p, size, on_each, &n) != 0 ||
	    edit_change(p, size, path, value, &now, &len, &e) != 0)
		return 0;
	if (strlen(now) > len)
		abort();
	if (edit_change(now, len, path, NULL, &less, &less_len, &e) == 0 &&
	    less_len >= len)
		abort();
	free(now);
	free(less);
	return 0;
}
