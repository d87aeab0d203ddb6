/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_doc.c - any bytes as a record with a document; what decodes encodes
 * to the same bytes.
 */
#include <stdlib.h>
#include <string.h>
#include "daemon/bus/doc_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t buf[DOC_WIRE_MAX];
	struct bus_rec r;
	struct view doc;
	int n;

	if (doc_dec(data, size, &r, &doc) != 0)
		return 0;
	n = doc_enc(&r, doc, buf, sizeof(buf));
	if (n < 0 || (size_t)n != size || memcmp(buf, data, size) != 0)
		abort();
	return 0;
}
