/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_capture.c - any bytes as a captured packet; what decodes encodes to
 * the same bytes.
 */
#include <stdlib.h>
#include <string.h>
#include "daemon/bus/cap_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t head[CAP_HEAD];
	struct cap_pkt p;
	struct wcur w;

	if (cap_dec(data, size, &p) != 0)
		return 0;
	wcur_init(&w, head, sizeof(head));
	cap_enc_head(&w, &p);
	if (p.bytes.len + CAP_HEAD != size || wcur_done(&w).len != CAP_HEAD ||
	    memcmp(head, data, CAP_HEAD) != 0)
		abort();
	return 0;
}
