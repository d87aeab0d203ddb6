/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/eap-tls/avp.c - what is in the tunnel of EAP-TTLS: EAP messages as AVPs,
 * RFC 5281 section 10.
 *
 *   +---------------------------------------------------------------+
 *   |                           AVP Code                            |
 *   +---------------+-----------------------------------------------+
 *   |V M            |  AVP Length, from the code to before padding  |
 *   +---------------+-----------------------------------------------+
 *   |   Vendor-ID (with V)                                          |
 *   +---------------------------------------------------------------+
 *   |   data ...                                padding to 4 bytes
 *
 * Thread: any; nothing is kept.
 */
#include "spi/eap-tls/eap_tls.h"
#include "daemon/base/cur.h"
#include "daemon/base/err.h"

#define AVP_EAP	   79		/* RFC 5281 10.1: codes of RADIUS */
#define AVP_VENDOR 0x80u
#define AVP_MUST   0x40u

static size_t
padding(size_t len)
{
	return (4 - len % 4) % 4;
}

void
eap_avp_put(struct wcur *w, struct view eap)
{
	wcur_u32(w, AVP_EAP);
	wcur_u32(w, (uint32_t)AVP_MUST << 24 | (uint32_t)(8 + eap.len));
	wcur_view(w, eap);
	wcur_zero(w, padding(eap.len));
}

static int
avp_take(struct cur *c, struct view *eap)
{
	uint32_t code, len, vendor = 0;
	size_t head = 8;
	struct view v;

	if (cur_u32(c, &code) != 0 || cur_u32(c, &len) != 0)
		return ERR_SHORT;
	if ((len >> 24 & AVP_VENDOR) != 0) {
		head = 12;
		if (cur_u32(c, &vendor) != 0)
			return ERR_SHORT;
	}
	if ((len & 0xffffff) < head ||
	    cur_view(c, (len & 0xffffff) - head, &v) != 0)
		return ERR_SHORT;
	/* behind the last one padding may be missing */
	if (cur_skip(c, MIN(padding(v.len), cur_left(c))) != 0)
		return ERR_SHORT;
	if (vendor == 0 && code == AVP_EAP) {
		if (eap->p != NULL)
			return ERR_SYNTAX;	/* 11.2.1: one in a message */
		*eap = v;
		return 0;
	}
	return (len >> 24 & AVP_MUST) != 0 ? ERR_UNSUP : 0;
}

int
eap_avps_take(struct view in, struct view *eap)
{
	struct cur c;
	int err = 0;

	*eap = (struct view){ NULL, 0 };
	cur_init(&c, in.p, in.len);
	while (err == 0 && cur_left(&c) > 0)
		err = avp_take(&c, eap);
	return err;
}
