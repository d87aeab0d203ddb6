/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/bus/bus_wire.c - records as bytes; the drawing is in bus_wire.h.
 *
 * Thread: none shared.  No allocation.
 */
#include "daemon/bus/bus_wire.h"
#include <string.h>

static void
enc_val(struct wcur *w, const struct bus_rec *r, unsigned i)
{
	const struct bus_val *v = &r->val[i];

	switch (bus_field_kind(r->desc->field[i])) {
	case BUS_KIND_U64:
	case BUS_KIND_I64:
		wcur_u64(w, v->num);
		break;
	case BUS_KIND_BOOL:
		wcur_u8(w, v->num != 0);
		break;
	case BUS_KIND_STR:
		wcur_u16(w, v->len);
		wcur_bytes(w, r->text + v->off, v->len);
		break;
	}
}

static int
dec_str(struct cur *c, struct bus_rec *r, struct bus_val *v)
{
	uint16_t len = 0;
	struct view text;
	int err;

	if ((err = cur_u16(c, &len)) != 0)
		return err;
	if (len == 0)
		return 0; /* fits even when text[] is full */
	if (len > BUS_STR_MAX || (size_t)r->used + len + 1 > BUS_TEXT_MAX)
		return ERR_LONG;
	if ((err = cur_view(c, len, &text)) != 0)
		return err;
	if (memchr(text.p, '\0', len) != NULL)
		return ERR_SYNTAX;
	memcpy(r->text + r->used, text.p, len);
	r->text[r->used + len] = '\0';
	v->off = r->used;
	v->len = len;
	r->used = (uint16_t)(r->used + len + 1);
	return 0;
}

static int
dec_val(struct cur *c, struct bus_rec *r, unsigned i)
{
	struct bus_val *v = &r->val[i];
	uint8_t flag = 0;
	int err;

	switch (bus_field_kind(r->desc->field[i])) {
	case BUS_KIND_U64:
	case BUS_KIND_I64:
		return cur_u64(c, &v->num);
	case BUS_KIND_BOOL:
		if ((err = cur_u8(c, &flag)) != 0)
			return err;
		v->num = flag;
		return flag <= 1 ? 0 : ERR_SYNTAX;
	case BUS_KIND_STR:
		return dec_str(c, r, v);
	}
	return ERR_INTERNAL;
}

int
bus_enc(struct wcur *w, const struct bus_rec *r)
{
	wcur_u8(w, (uint8_t)r->desc->class);
	wcur_u16(w, r->desc->num);
	wcur_u32(w, r->tag);
	wcur_u64(w, r->seq);
	wcur_u64(w, r->time_ms);
	for (unsigned i = 0; i < r->desc->n_field; i++)
		enc_val(w, r, i);
	return w->err;
}

int
bus_enc_buf(const struct bus_rec *r, void *buf, size_t cap)
{
	struct wcur w;
	int err;

	wcur_init(&w, buf, cap);
	if ((err = bus_enc(&w, r)) != 0)
		return err;
	return (int)w.len;
}

int
bus_dec(const void *p, size_t len, struct bus_rec *out)
{
	const struct bus_desc *d;
	struct bus_rec r;
	struct cur c;
	uint16_t num = 0;
	uint8_t class = 0;
	int err;

	cur_init(&c, p, len);
	if ((err = cur_u8(&c, &class)) != 0 || (err = cur_u16(&c, &num)) != 0)
		return err;
	if ((d = bus_desc_find((enum bus_class)class, num)) == NULL)
		return ERR_NOTFOUND;
	bus_rec_init(&r, d->row);
	if ((err = cur_u32(&c, &r.tag)) != 0 ||
	    (err = cur_u64(&c, &r.seq)) != 0 ||
	    (err = cur_u64(&c, &r.time_ms)) != 0)
		return err;
	for (unsigned i = 0; i < d->n_field; i++)
		if ((err = dec_val(&c, &r, i)) != 0)
			return err;
	if ((err = cur_end(&c)) != 0)
		return err;
	memcpy(out, &r, offsetof(struct bus_rec, text) + r.used);
	return 0;
}
