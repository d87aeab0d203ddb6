/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_mss.c - the MSS of any packet lowered, its sender told that it is
 * too large: nothing else changes, the answer is one the hub itself can read.
 */
#include <stdlib.h>
#include <string.h>
#include "vhub/frame.h"
#include "vhub/icmp.h"
#include "vhub/mss.h"

#define LONGEST 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
lower(const uint8_t *data, size_t size)
{
	uint8_t *p = malloc(size + 1);
	size_t n_diff = 0;

	if (p == NULL)
		return;
	memcpy(p, data, size);
	if (mss_lower(p, size, 1400, 0)) {
		for (size_t i = 0; i < size; i++)
			n_diff += p[i] != data[i];
		/* two bytes of the option, two of the checksum */
		if (n_diff == 0 || n_diff > 4 || mss_lower(p, size, 1400, 0))
			abort();
	} else if (memcmp(p, data, size) != 0) {
		abort();
	}
	free(p);
}

static void
answer(struct view v)
{
	size_t n = icmp_too_big_len(v);
	uint8_t out[ICMP_MAX];
	struct ip_head ip, back;
	struct wcur w;

	if (icmp_may_tell(v) != ICMP_TELL)
		return;
	if (n > sizeof(out) || ip_dec(v, &ip) != 0)
		abort();
	wcur_init(&w, out, n);
	icmp_too_big(&w, v, 1400);
	if (w.err != 0 || w.len != n ||
	    ip_dec((struct view){ out, n }, &back) != 0 ||
	    !ip_equal(&back.src, &ip.dst) || !ip_equal(&back.dst, &ip.src) ||
	    icmp_may_tell((struct view){ out, n }) == ICMP_TELL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > LONGEST)
		return 0;
	lower(data, size);
	answer((struct view){ data, size });
	return 0;
}
