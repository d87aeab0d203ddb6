/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/neg/collide.c - who wins when both ends rekey at once.
 *
 * RFC 7296 2.8.1: of the two new SAs, the one whose exchange holds the lowest of
 * the four nonces is redundant, and the end that began it closes it.
 */
#include "ikev2/neg/collide.h"

#include <string.h>

int
ike_nonce_compare(struct view a, struct view b)
{
	int c = memcmp(a.p, b.p, MIN(a.len, b.len));

	if (c != 0)
		return c;
	return a.len < b.len ? -1 : a.len > b.len;
}

struct view
ike_nonce_lower(struct view ni, struct view nr)
{
	return ike_nonce_compare(ni, nr) < 0 ? ni : nr;
}
