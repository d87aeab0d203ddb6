/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/wire/pl_nonce.c - Nonce payload, RFC 7296 section 3.9.
 *
 * +---------------------------------------------------------------+
 * ~                  Nonce Data (16 to 256 bytes)                 ~
 * +---------------------------------------------------------------+
 *
 * Pure.
 */
#include "ikev2/wire/wire.h"

int
dec_nonce(struct cur *c, struct view *out)
{
	struct view v;

	cur_rest(c, &v);
	if (v.len < IKE_MIN_NONCE)
		return ERR_SHORT;
	if (v.len > IKE_MAX_NONCE)
		return ERR_LONG;
	*out = v;
	return 0;
}

void
enc_nonce(struct wcur *w, struct view nonce)
{
	wcur_view(w, nonce);
}
