/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/wire/pl_notify.c - Notify payload, RFC 7296 section 3.10.
 *
 *                      1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+---------------+-------------------------------+
 * |  Protocol ID  |   SPI Size    |      Notify Message Type      |
 * +---------------+---------------+-------------------------------+
 * ~                Security Parameter Index (SPI)                 ~
 * +---------------------------------------------------------------+
 * ~                       Notification Data                       ~
 * +---------------------------------------------------------------+
 *
 * Pure.
 */
#include "ikev2/wire/wire.h"

#define FIRST_STATUS 16384	/* 3.10.1 */
#define CHILD_SPI_LEN 4

/* Data lengths of the notifies whose data we read. */
static const struct shape {
	uint16_t type;
	uint16_t min_bytes, max_bytes;
} shapes[] = {
	{ IKE_N_UNSUPPORTED_CRITICAL_PAYLOAD,	1,  1 },	/* 2.5 */
	{ IKE_N_INVALID_KE_PAYLOAD,		2,  2 },	/* 1.2 */
	{ IKE_N_SET_WINDOW_SIZE,		4,  4 },	/* 2.3 */
	{ IKE_N_NAT_DETECTION_SOURCE_IP,	20, 20 },	/* 2.23 */
	{ IKE_N_NAT_DETECTION_DESTINATION_IP,	20, 20 },
	{ IKE_N_COOKIE,				1,  64 },	/* 2.6 */
	{ IKE_N_ADDITIONAL_IP4_ADDRESS,		4,  4 },	/* RFC 4555 */
	{ IKE_N_ADDITIONAL_IP6_ADDRESS,		16, 16 },
	{ IKE_N_COOKIE2,			8,  64 },
	{ IKE_N_PUZZLE,				3,  3 },	/* RFC 8019 */
};

static int
check_shape(const struct ike_ntf *n)
{
	size_t i;

	if (n->type == IKE_N_REKEY_SA &&		/* 1.3.3 */
	    (n->spi.len != CHILD_SPI_LEN ||
	     (n->proto != IKE_PROTO_ESP && n->proto != IKE_PROTO_AH)))
		return ERR_SYNTAX;
	for (i = 0; i < N_OF(shapes); i++)
		if (shapes[i].type == n->type &&
		    (n->data.len < shapes[i].min_bytes ||
		     n->data.len > shapes[i].max_bytes))
			return ERR_SYNTAX;
	return 0;
}

int
dec_notify(struct cur *c, struct ike_ntf *out)
{
	struct ike_ntf n;
	uint8_t spi_len;
	int err;

	if ((err = cur_u8(c, &n.proto)) != 0 ||
	    (err = cur_u8(c, &spi_len)) != 0 ||
	    (err = cur_u16(c, &n.type)) != 0 ||
	    (err = cur_view(c, spi_len, &n.spi)) != 0)
		return err;
	cur_rest(c, &n.data);
	if (n.spi.len == 0)
		n.proto = IKE_PROTO_NONE;	/* MUST be ignored, 3.10 */
	if ((err = check_shape(&n)) != 0)
		return err;
	*out = n;
	return 0;
}

void
enc_notify(struct wcur *w, const struct ike_ntf *n)
{
	if (n->spi.len > IKE_MAX_SPI) {
		w->err = ERR_LONG;
		return;
	}
	/* RFC 6290 4.1: the one notify with a protocol and no SPI */
	wcur_u8(w, n->type == IKE_N_QCD_TOKEN ? IKE_PROTO_IKE :
		n->spi.len > 0 ? n->proto : IKE_PROTO_NONE);
	wcur_u8(w, (uint8_t)n->spi.len);
	wcur_u16(w, n->type);
	wcur_view(w, n->spi);
	wcur_view(w, n->data);
}

bool
ike_ntf_is_error(uint16_t type)
{
	return type < FIRST_STATUS;
}
