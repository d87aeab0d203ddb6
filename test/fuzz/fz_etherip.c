/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_etherip.c - both encapsulations, in and out.
 *
 * First byte: next header.  The rest is a payload; what unwraps is wrapped
 * again and must give the same header and length.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "esp/encap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
round_trip(const struct esp_encap *e, struct view text, uint8_t next)
{
	enum drop why = DROP_END;
	struct esp_flow f = { 0 }, g = { 0 };
	struct esp_wrap w;
	struct view in;

	if (e->unwrap(text, next, &in, &f, &why) != 0) {
		if (why >= DROP_END)
			abort();
		return;
	}
	if (in.p < text.p || in.p + in.len > text.p + text.len)
		abort();
	if (e->wrap(in, &w, &g) != 0 || w.next != next || w.len != in.len ||
	    w.hdr_len != (size_t)(in.p - text.p) ||
	    memcmp(w.hdr, text.p, w.hdr_len) != 0)
		abort();
	if (e->has_sel && (f.has_ports != g.has_ports || f.proto != g.proto ||
			   f.dst_port != g.dst_port))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of its own size: the sanitizer sees each byte beyond. */
	uint8_t *copy;
	struct view text;

	if (size == 0)
		return 0;
	if ((copy = malloc(size)) == NULL)
		return 0;
	memcpy(copy, data, size);
	text = (struct view){ copy + 1, size - 1 };
	round_trip(&esp_encap_etherip, text, copy[0]);
	round_trip(&esp_encap_ip, text, copy[0]);
	free(copy);
	return 0;
}
