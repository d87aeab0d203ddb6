/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_http.c - any bytes as the head of a request; what is taken has no
 * byte that another parser could read differently.
 */
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "webui/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ui_head h;
	struct view v;
	int bad = ui_head_parse(data, size, &h);

	if (bad != 0) {
		if (bad != ERR_AGAIN && (bad < 400 || bad > 599))
			abort();
		return 0;
	}
	if (h.head_bytes > size || h.body_bytes > UI_BODY_MAX ||
	    h.path.p[0] != '/' || h.field[UI_F_HOST].len == 0 ||
	    h.field[UI_F_TRANSFER].p != NULL)
		abort();
	for (size_t i = 0; i < h.head_bytes; i++) {
		if (data[i] == '\0' || (data[i] == '\r') !=
		    (i + 1 < h.head_bytes && data[i + 1] == '\n'))
			abort();
		if (data[i] == '\n' && i + 1 < h.head_bytes &&
		    (data[i + 1] == ' ' || data[i + 1] == '\t'))
			abort();
	}
	if (memmem(h.path.p, h.path.len, "/.", 2) != NULL ||
	    memmem(h.path.p, h.path.len, "//", 2) != NULL)
		abort();
	for (int f = 0; f < UI_F_END; f++)
		(void)ui_list_has(h.field[f], "gzip");
	(void)ui_query_get(h.query, "after", &v);
	return 0;
}
