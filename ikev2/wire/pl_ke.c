/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/wire/pl_ke.c - Key Exchange payload, RFC 7296 section 3.4.
 *
 *                      1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-------------------------------+-------------------------------+
 * |   Diffie-Hellman Group Num    |           RESERVED            |
 * +-------------------------------+-------------------------------+
 * ~                       Key Exchange Data                       ~
 * +---------------------------------------------------------------+
 *
 * Pure.
 */
#include "ikev2/wire/wire.h"

int
dec_ke(struct cur *c, struct ike_ke *out)
{
	struct ike_ke ke;
	int err;

	if ((err = cur_u16(c, &ke.group)) != 0 ||
	    (err = cur_skip(c, 2)) != 0)		/* RESERVED */
		return err;
	cur_rest(c, &ke.data);
	if (ke.data.len == 0)
		return ERR_SHORT;
	*out = ke;
	return 0;
}

void
enc_ke(struct wcur *w, const struct ike_ke *ke)
{
	wcur_u16(w, ke->group);
	wcur_zero(w, 2);
	wcur_view(w, ke->data);
}
