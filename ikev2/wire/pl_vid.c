/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/wire/pl_vid.c - Vendor ID payload, RFC 7296 section 3.12.
 *
 * +---------------------------------------------------------------+
 * ~                        Vendor ID (VID)                        ~
 * +---------------------------------------------------------------+
 *
 * Any bytes; an empty one says nothing and is let through.  Pure.
 */
#include "ikev2/wire/wire.h"

int
dec_vid(struct cur *c, struct view *out)
{
	cur_rest(c, out);
	return 0;
}

void
enc_vid(struct wcur *w, struct view vid)
{
	wcur_view(w, vid);
}
