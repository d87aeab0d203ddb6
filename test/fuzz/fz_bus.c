/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_bus.c - any bytes as a bus record; what decodes prints, and
 * encodes to the same bytes.
 */
#include <stdlib.h>
#include <string.h>
#include "daemon/bus/bus_text.h"
#include "daemon/bus/bus_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char line[BUS_SENTENCE_MAX];
	uint8_t buf[BUS_WIRE_MAX];
	struct bus_rec r;
	static FILE *null;
	int n;

	if (null == NULL)
		null = fopen("/dev/null", "w");
	if (bus_dec(data, size, &r) != 0)
		return 0;
	n = bus_enc_buf(&r, buf, sizeof(buf));
	if (n < 0 || (size_t)n != size || memcmp(buf, data, size) != 0)
		abort();
	bus_event_text(&r, line, sizeof(line));
	if (null != NULL)
		bus_rec_json(&r, null);
	return 0;
}
