/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/wire/pl_id.c - Identification payloads, RFC 7296 section 3.5.
 *
 *                      1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+-----------------------------------------------+
 * |   ID Type     |                 RESERVED                      |
 * +---------------+-----------------------------------------------+
 * ~                   Identification Data                         ~
 * +---------------------------------------------------------------+
 *
 * AUTH signs these bytes as received, RESERVED included (2.15): they are kept
 * as raw.
 * Pure.
 */
#include "ikev2/wire/wire.h"

#define IPV4_LEN 4
#define IPV6_LEN 16

/* Names must not contain terminators (3.5); we refuse all control
 * characters, so that a name can be compared and printed as a whole. */
static int
check_name(struct view v)
{
	size_t i;

	if (v.len == 0)
		return ERR_SHORT;
	for (i = 0; i < v.len; i++)
		if (v.p[i] < 0x20 || v.p[i] == 0x7f)
			return ERR_SYNTAX;
	return 0;
}

static int
check_data(uint8_t type, struct view v)
{
	switch (type) {
	case IKE_ID_IPV4_ADDR:
		return v.len == IPV4_LEN ? 0 : ERR_SYNTAX;
	case IKE_ID_IPV6_ADDR:
		return v.len == IPV6_LEN ? 0 : ERR_SYNTAX;
	case IKE_ID_FQDN:
	case IKE_ID_RFC822_ADDR:
		return check_name(v);
	case IKE_ID_NULL:
		return v.len == 0 ? 0 : ERR_SYNTAX;	/* RFC 7619 2.2 */
	default:
		return v.len > 0 ? 0 : ERR_SHORT;
	}
}

int
dec_id(struct cur *c, struct ike_id *out)
{
	struct ike_id id;
	struct cur sub;
	int err;

	cur_rest(c, &id.raw);
	cur_init(&sub, id.raw.p, id.raw.len);
	if ((err = cur_u8(&sub, &id.type)) != 0 ||
	    (err = cur_skip(&sub, 3)) != 0)		/* RESERVED */
		return err;
	cur_rest(&sub, &id.data);
	if ((err = check_data(id.type, id.data)) != 0)
		return err;
	*out = id;
	return 0;
}

void
enc_id(struct wcur *w, const struct ike_id *id)
{
	wcur_u8(w, id->type);
	wcur_zero(w, 3);
	wcur_view(w, id->data);
}
