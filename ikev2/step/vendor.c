/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/step/vendor.c - vendor id: is the peer one of us (RFC 7296 3.12)?
 *
 * It decides only what we offer first: EtherIP to our own kind.
 */
#include <string.h>

#include "ikev2/step/step.h"

/* First 16 bytes of SHA-256("tapir (TAP over IPsec) 1"). */
static const uint8_t own_vid[IKE_VID_LEN] = {
	0xef, 0xdd, 0x0c, 0x78, 0xd9, 0x83, 0x1f, 0x5c,
	0xfd, 0x17, 0xd4, 0x57, 0xce, 0xcf, 0xbc, 0xd2
};

void
ike_vendor_add(struct ike_build *b)
{
	ike_build_begin(b, IKE_PL_V, false);
	enc_vid(&b->w, (struct view){ own_vid, sizeof(own_vid) });
	ike_build_end(b);
}

enum ike_verdict
ike_step_vendor(struct ike *ike, struct ike_sa *sa, struct ike_msg *m)
{
	(void)ike;
	for (unsigned i = 0; i < m->p->n_vid; i++)
		if (m->p->vid[i].len == sizeof(own_vid) &&
		    memcmp(m->p->vid[i].p, own_vid, sizeof(own_vid)) == 0)
			sa->is_tapir = true;
	return V_NEXT;
}
