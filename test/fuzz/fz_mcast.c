/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_mcast.c - IGMP and MLD in any packet, and what it does to the
 * table of groups.
 */
#include <stdlib.h>
#include <string.h>
#include "daemon/base/cur.h"
#include "daemon/base/rng.h"
#include "vhub/mcast.h"
#include "vhub/snoop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The checksum cannot be guessed: half of the inputs get a right one. */
static void
mend(uint8_t *p, size_t n, const struct ip_head *ip)
{
	size_t at = ip->head_len, len = ip->total_len - at;

	if (ip->dst.family == 6) {
		size_t opts = len >= 8 ? 8 + p[at + 1] * (size_t)8 : len;

		if (ip->proto != 0 || opts + 4 > len || at + opts + 4 > n)
			return;
		at += opts;
		len -= opts;
		memset(p + at + 2, 0, 2);
		be16_put(p + at + 2, ip_sum_icmpv6(&ip->src, &ip->dst, p + at,
		    len));
		return;
	}
	if (len < 4)
		return;
	memset(p + at + 2, 0, 2);
	be16_put(p + at + 2, ip_sum(p + at, len));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t p[2048];
	struct rng_det rng;
	struct ip_head ip;
	struct mc_msg m;
	struct ip_addr group;
	struct snoop *s;
	struct snoop_key k;
	struct port_set set = { { 0 } };
	bool is_join;
	unsigned n = 0;

	if (size < 1 || size > sizeof(p))
		return 0;
	memcpy(p, data + 1, size - 1);
	if (ip_dec((struct view){ p, size - 1 }, &ip) != 0)
		return 0;
	if (data[0] & 1)
		mend(p, size - 1, &ip);
	if (mc_dec((struct view){ p, size - 1 }, &ip, &m) != 0)
		return 0;
	rng_det_init(&rng, 1);
	rng_set_source(rng_det_source, &rng);
	if (snoop_new(&s) != 0)
		abort();
	k = (struct snoop_key){ m.group, data[0] };
	if (m.kind == MC_QUERY)
		snoop_router(s, &k, 3, true, m.hold_s, 100);
	while (mc_next(&m, &group, &is_join) > 0) {
		if (!ip_is_multicast(&group) || ++n > sizeof(p))
			abort();
		k.group = group;
		if (is_join)
			snoop_join(s, &k, 5, 100);
		if (is_join && !snoop_is_local(&group) &&
		    snoop_route(s, &k, false, 130, &set))
			abort(); /* nobody asks */
	}
	snoop_age(s, 1u << 20);
	if (snoop_count(s) != 0)
		abort();
	snoop_free(s);
	return 0;
}
