/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/wire/build.c - write a message or the content of an SK payload.
 *
 * The type of a payload is written one place earlier: into the header or into
 * the payload before it.  next_at remembers where.
 *
 *   header [next .. len] | next C len body | next C len body
 *            ^------- first patched -^-------- then patched
 *
 * Pure.
 */
#include "ikev2/wire/wire.h"

#define HDR_NEXT_AT	16
#define HDR_LEN_AT	24
#define CRITICAL	0x80

void
ike_build_init(struct ike_build *b, uint8_t *buf, size_t cap,
	       const struct ike_hdr *h)
{
	struct ike_hdr hdr = *h;

	ike_build_init_inner(b, buf, cap);
	hdr.next = IKE_PL_NONE;
	hdr.len = 0;
	ike_hdr_encode(&b->w, &hdr);
	b->has_hdr = true;
	b->next_at = HDR_NEXT_AT;
}

void
ike_build_init_inner(struct ike_build *b, uint8_t *buf, size_t cap)
{
	*b = (struct ike_build){ .first = IKE_PL_NONE };
	wcur_init(&b->w, buf, cap);
}

/* Say in the place before that a payload of this type follows here. */
static void
link_payload(struct ike_build *b, uint8_t pl_type)
{
	if (b->has_hdr || b->first != IKE_PL_NONE)
		wcur_put8(&b->w, b->next_at, pl_type);
	if (b->first == IKE_PL_NONE)
		b->first = pl_type;
	b->next_at = b->w.len;
}

size_t
ike_build_begin(struct ike_build *b, uint8_t pl_type, bool is_critical)
{
	if (b->err != 0 || b->w.err != 0)
		return 0;
	if (b->is_open || b->is_sealed || pl_type == IKE_PL_NONE) {
		b->err = ERR_INTERNAL;
		return 0;
	}
	link_payload(b, pl_type);
	b->pl_at = b->w.len;
	b->is_open = true;
	wcur_u8(&b->w, IKE_PL_NONE);
	wcur_u8(&b->w, is_critical ? CRITICAL : 0);
	wcur_u16(&b->w, 0);
	return b->pl_at;
}

void
ike_build_end(struct ike_build *b)
{
	size_t len;

	if (b->w.err != 0 || b->err != 0)
		return;
	if (!b->is_open) {
		b->err = ERR_INTERNAL;
		return;
	}
	len = b->w.len - b->pl_at;
	if (len > UINT16_MAX) {
		b->w.err = ERR_LONG;
		return;
	}
	wcur_put16(&b->w, b->pl_at + 2, (uint16_t)len);
	b->is_open = false;
}

void
ike_build_notify(struct ike_build *b, uint8_t proto, uint16_t type,
		 struct view spi, struct view data)
{
	struct ike_ntf n = {
		.proto = proto, .type = type, .spi = spi, .data = data
	};

	ike_build_begin(b, IKE_PL_N, false);
	enc_notify(&b->w, &n);
	ike_build_end(b);
}

void
ike_build_sk(struct ike_build *b, uint8_t inner_first, const struct ike_sk *skf,
	     size_t iv_len, size_t ct_len, size_t icv_len,
	     struct ike_sk_room *room)
{
	struct ike_sk_room r = { 0 };

	*room = r;
	if (iv_len > IKE_MAX_MSG_BYTES || ct_len > IKE_MAX_MSG_BYTES ||
	    icv_len > IKE_MAX_MSG_BYTES) {
		b->w.err = ERR_LONG;
		return;
	}
	ike_build_begin(b, skf != NULL ? IKE_PL_SKF : IKE_PL_SK, false);
	if (b->err != 0 || b->w.err != 0)
		return;
	wcur_put8(&b->w, b->pl_at, inner_first);
	if (skf != NULL) {
		wcur_u16(&b->w, skf->frag_num);
		wcur_u16(&b->w, skf->frag_total);
	}
	r.aad_len = r.iv_at = b->w.len;
	r.ct_at = r.iv_at + iv_len;
	r.icv_at = r.ct_at + ct_len;
	r.msg_len = r.icv_at + icv_len;
	wcur_zero(&b->w, iv_len + ct_len + icv_len);
	ike_build_end(b);
	b->is_sealed = true;
	if (b->err == 0 && b->w.err == 0)
		*room = r;
}

int
ike_build_finish(struct ike_build *b, struct view *out)
{
	if (b->err == 0 && b->w.err == 0 && b->is_open)
		b->err = ERR_INTERNAL;
	if (b->err != 0)
		return b->err;
	if (b->w.err == 0 && b->w.len > IKE_MAX_MSG_BYTES)
		b->w.err = ERR_LONG;
	if (b->w.err != 0)
		return b->w.err;
	if (b->has_hdr)
		wcur_put32(&b->w, HDR_LEN_AT, (uint32_t)b->w.len);
	*out = wcur_done(&b->w);
	return 0;
}
