/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/wire/pl_auth.c - Authentication payload, RFC 7296 section 3.8.
 *
 *                      1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+-----------------------------------------------+
 * | Auth Method   |                RESERVED                       |
 * +---------------+-----------------------------------------------+
 * ~                      Authentication Data                      ~
 * +---------------------------------------------------------------+
 *
 * Pure.
 */
#include "ikev2/wire/wire.h"

int
dec_auth(struct cur *c, struct ike_auth *out)
{
	struct ike_auth auth;
	int err;

	if ((err = cur_u8(c, &auth.method)) != 0 ||
	    (err = cur_skip(c, 3)) != 0)		/* RESERVED */
		return err;
	cur_rest(c, &auth.data);
	if (auth.data.len == 0)
		return ERR_SHORT;
	*out = auth;
	return 0;
}

void
enc_auth(struct wcur *w, const struct ike_auth *auth)
{
	wcur_u8(w, auth->method);
	wcur_zero(w, 3);
	wcur_view(w, auth->data);
}
