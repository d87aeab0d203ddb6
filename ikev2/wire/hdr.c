/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/wire/hdr.c - the IKE header, RFC 7296 section 3.1.
 *
 *                      1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------------------------------------------------------+
 * |                   IKE SA Initiator's SPI (8)                  |
 * +---------------------------------------------------------------+
 * |                   IKE SA Responder's SPI (8)                  |
 * +---------------+-------+-------+---------------+---------------+
 * |  Next Payload | Major | Minor | Exchange Type |X X R V I X X X|
 * +---------------+-------+-------+---------------+---------------+
 * |                          Message ID                           |
 * +---------------------------------------------------------------+
 * |                            Length                             |
 * +---------------------------------------------------------------+
 *
 * Pure.
 */
#include "ikev2/wire/wire.h"

#define FLAG_I	0x08
#define FLAG_V	0x10
#define FLAG_R	0x20
#define MAJOR	2
#define MINOR	0

/* The fixed fields; says nothing about their values. */
static int
read_fields(struct cur *c, struct ike_hdr *h)
{
	uint8_t version, flags;
	int err;

	if ((err = cur_u64(c, &h->ispi)) != 0 ||
	    (err = cur_u64(c, &h->rspi)) != 0 ||
	    (err = cur_u8(c, &h->next)) != 0 ||
	    (err = cur_u8(c, &version)) != 0 ||
	    (err = cur_u8(c, &h->xchg)) != 0 ||
	    (err = cur_u8(c, &flags)) != 0 ||
	    (err = cur_u32(c, &h->msgid)) != 0 ||
	    (err = cur_u32(c, &h->len)) != 0)
		return err;
	h->major = version >> 4;
	h->minor = version & 0x0f;		/* ignored, 2.5 */
	h->is_initiator = (flags & FLAG_I) != 0; /* X bits ignored, 3.1 */
	h->is_version = (flags & FLAG_V) != 0;
	h->is_response = (flags & FLAG_R) != 0;
	return 0;
}

int
ike_hdr_decode(struct view dgram, struct ike_hdr *out)
{
	struct ike_hdr h;
	struct cur c;
	int err;

	cur_init(&c, dgram.p, dgram.len);
	if ((err = read_fields(&c, &h)) != 0)
		return err;
	if (h.major != MAJOR) {
		/* The layout beyond the version is another version's: the
		 * caller may use the SPIs and the message id to answer. */
		*out = h;
		return ERR_VERSION;
	}
	if (h.len < IKE_HDR_LEN || h.len > dgram.len)
		return ERR_SHORT;
	if (h.len < dgram.len)
		return ERR_TRAIL;
	/* 1.5: INVALID_SPI without protection has no SPIs to name */
	if (h.ispi == 0 && (h.xchg != IKE_XCHG_INFORMATIONAL || h.is_response))
		return ERR_RANGE;
	*out = h;
	return 0;
}

void
ike_hdr_encode(struct wcur *w, const struct ike_hdr *h)
{
	wcur_u64(w, h->ispi);
	wcur_u64(w, h->rspi);
	wcur_u8(w, h->next);
	wcur_u8(w, MAJOR << 4 | MINOR);
	wcur_u8(w, h->xchg);
	wcur_u8(w, (uint8_t)((h->is_initiator ? FLAG_I : 0) |
			     (h->is_response ? FLAG_R : 0)));
	wcur_u32(w, h->msgid);
	wcur_u32(w, h->len);
}
