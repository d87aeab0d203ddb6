/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_gre.c - IP in GRE, in and out.
 *
 * First byte: next header.  The rest is a payload; what unwraps is wrapped again,
 * and gives the same packet with the shortest header.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "esp/encap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
round_trip(struct view text, uint8_t next)
{
	enum drop why = DROP_END;
	struct esp_flow f = { 0 }, g = { 0 };
	struct esp_wrap w;
	struct view in;

	if (esp_encap_gre.unwrap(text, next, &in, &f, &why) != 0) {
		if (why != DROP_ESP_NEXT && why != DROP_GRE &&
		    why != DROP_GRE_TYPE && why != DROP_ESP_INNER)
			abort();
		return;
	}
	if (next != 47 || in.p < text.p + ESP_GRE_LEN ||
	    in.p + in.len > text.p + text.len)
		abort();
	/* no flag but that of the checksum passes */
	if ((text.p[0] & 0x7c) != 0 || (text.p[1] & 7) != 0)
		abort();
	if (esp_encap_gre.wrap(in, &w, &g) != 0 || w.next != next ||
	    w.len != in.len || w.hdr_len != ESP_GRE_LEN ||
	    memcmp(w.hdr + 2, text.p + 2, 2) != 0)
		abort();
	if (f.has_ports != g.has_ports || f.proto != g.proto ||
	    f.dst_port != g.dst_port)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of its own size: the sanitizer sees each byte beyond. */
	uint8_t *copy;

	if (size == 0)
		return 0;
	if ((copy = malloc(size)) == NULL)
		return 0;
	memcpy(copy, data, size);
	round_trip((struct view){ copy + 1, size - 1 }, copy[0]);
	free(copy);
	return 0;
}
