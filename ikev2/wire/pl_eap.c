/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/wire/pl_eap.c - EAP payload, RFC 7296 section 3.16: the frame of the
 * EAP message, RFC 3748 section 4.
 *
 *                      1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+---------------+-------------------------------+
 * |     Code      | Identifier    |           Length              |
 * +---------------+---------------+-------------------------------+
 * |     Type      | Type_Data...          (request and response)
 * +---------------+----------------
 *
 * Pure.
 */
#include "ikev2/wire/wire.h"

#define EAP_HDR_LEN 4

static int
read_type(struct cur *c, struct ike_eap *eap)
{
	int err;

	if (eap->code == IKE_EAP_SUCCESS || eap->code == IKE_EAP_FAILURE)
		return cur_end(c);
	if (eap->code != IKE_EAP_REQUEST && eap->code != IKE_EAP_RESPONSE)
		return ERR_RANGE;
	if ((err = cur_u8(c, &eap->type)) != 0)
		return err;
	cur_rest(c, &eap->data);
	return 0;
}

int
dec_eap(struct cur *c, struct ike_eap *out)
{
	struct ike_eap eap = { 0 };
	struct cur sub;
	uint16_t len;
	int err;

	cur_rest(c, &eap.raw);
	cur_init(&sub, eap.raw.p, eap.raw.len);
	if ((err = cur_u8(&sub, &eap.code)) != 0 ||
	    (err = cur_u8(&sub, &eap.id)) != 0 ||
	    (err = cur_u16(&sub, &len)) != 0)
		return err;
	if (len != eap.raw.len)
		return ERR_SYNTAX;
	if ((err = read_type(&sub, &eap)) != 0)
		return err;
	*out = eap;
	return 0;
}

void
enc_eap(struct wcur *w, const struct ike_eap *eap)
{
	bool has_type = eap->code == IKE_EAP_REQUEST ||
	    eap->code == IKE_EAP_RESPONSE;
	size_t len = EAP_HDR_LEN + (has_type ? 1 + eap->data.len : 0);

	if (len > UINT16_MAX) {
		w->err = ERR_LONG;
		return;
	}
	wcur_u8(w, eap->code);
	wcur_u8(w, eap->id);
	wcur_u16(w, (uint16_t)len);
	if (!has_type)
		return;
	wcur_u8(w, eap->type);
	wcur_view(w, eap->data);
}
