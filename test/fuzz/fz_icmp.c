/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_icmp.c - ICMP errors about our datagrams.
 *
 * Input: the family (even: IPv4), then the message.
 */
#include <stdlib.h>
#include <string.h>
#include "daemon/core/icmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ip_addr from = { .family = 6, .b = { 0xfe, 0x80 } };
	struct icmp_error e = { 0 };
	uint8_t *copy;

	if (size == 0)
		return 0;
	copy = malloc(size);		/* of exactly this size, for ASan */
	memcpy(copy, data + 1, size - 1);
	if (icmp_decode(data[0] % 2 == 0 ? 4 : 6, &from,
			(struct view){ copy, size - 1 }, &e) == 0 &&
	    (e.kind == ICMP_NONE || e.to.ip.family == 0 ||
	     (e.mtu != 0 && e.kind != ICMP_BIG)))
		abort();
	free(copy);
	return 0;
}
