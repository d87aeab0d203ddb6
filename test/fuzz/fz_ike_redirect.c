/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_ike_redirect.c - a gateway of REDIRECT (RFC 5685).  What was read
 * is written to the same bytes, without what followed it.
 */
#include <stdlib.h>
#include <string.h>
#include "ikev2/neg/redirect.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	uint8_t out[IKE_GW_DATA_MAX];
	struct view nonce;
	struct ike_gw gw;
	size_t n;

	if (ike_gw_read((struct view){ p, len }, &gw, &nonce) != 0)
		return 0;
	n = ike_gw_write(&gw, out);
	if (n + nonce.len != len || memcmp(out, p, n) != 0)
		abort();
	return 0;
}
