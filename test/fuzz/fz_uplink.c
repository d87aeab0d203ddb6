/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_uplink.c - what the kernel says of links, addresses and routes.
 */
#include <stdlib.h>
#include <string.h>
#include "daemon/core/uplink.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static bool
is_own(void *ctx, const char *ifname)
{
	(void)ctx;
	return strncmp(ifname, "tap-", 4) == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static struct uplink_list l;
	uint64_t *copy = malloc(len + 8);	/* as aligned as the real one */
	struct view v = { (uint8_t *)copy, len };

	if (copy == NULL)
		return 0;
	memcpy(copy, p, len);
	memset(&l, 0, sizeof(l));
	(void)uplink_read(&l, v, is_own, NULL);
	if (l.n > UPLINK_MAX || l.n_up > UPLINK_MAX)
		abort();
	(void)uplink_has_gateway(v, 2);
	free(copy);
	return 0;
}
