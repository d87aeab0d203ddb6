/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_arp.c - the decoders of Ethernet, ARP, IP and neighbour
 * discovery on any bytes; what ARP decodes encodes to the same bytes.
 */
#include <stdlib.h>
#include <string.h>
#include "vhub/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Views must lie inside the input. */
static void
inside(struct view all, struct view part)
{
	if (part.len > all.len || (part.len > 0 && (part.p < all.p ||
	    part.p + part.len > all.p + all.len)))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view v = { data, size };
	uint8_t out[ARP_FRAME];
	struct ip_head ip;
	struct arp a;
	struct eth e;
	struct wcur w;
	struct nd n;

	if (eth_dec(v, &e) == 0) {
		inside(v, e.data);
		v = e.data;
	}
	if (arp_dec(v, &a) == 0) {
		wcur_init(&w, out, sizeof(out));
		arp_enc(&w, &(struct eth_to){ a.target_mac, 0 }, &a);
		if (w.err != 0 || memcmp(out + ETH_HEAD, v.p, 28) != 0)
			abort();
	}
	if (ip_dec(v, &ip) == 0 && (ip.total_len > v.len ||
	    ip.head_len > ip.total_len))
		abort();
	if (nd_dec(v, &n) == 0 && n.type != ND_SOLICIT && n.type != ND_ADVERT)
		abort();
	return 0;
}
