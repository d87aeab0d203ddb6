/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/wire/pl_sa.c - Security Association payload, RFC 7296 section 3.3.
 *
 *  proposal, 3.3.1        1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+---------------+-------------------------------+
 * | Last: 0 or 2  |   RESERVED    |        Proposal Length        |
 * +---------------+---------------+---------------+---------------+
 * | Proposal Num  |  Protocol ID  |    SPI Size   | Num Transforms|
 * +---------------+---------------+---------------+---------------+
 * ~                              SPI                              ~
 * +---------------------------------------------------------------+
 * ~                           transforms                          ~
 *
 *  transform, 3.3.2
 * +---------------+---------------+-------------------------------+
 * | Last: 0 or 3  |   RESERVED    |        Transform Length       |
 * +---------------+---------------+-------------------------------+
 * |Transform Type |   RESERVED    |          Transform ID         |
 * +---------------+---------------+-------------------------------+
 * ~                           attributes                          ~
 *
 *  attribute, 3.3.5
 * +-+-----------------------------+-------------------------------+
 * |F|       Attribute Type        |  F=0: Length   F=1: Value     |
 * +-+-----------------------------+-------------------------------+
 * ~  F=0: Value                                                   ~
 *
 * What we do not understand is kept and marked, so that negotiation can pass
 * over the transform or the proposal and still take another (3.3.6).
 * Pure; one pass; arrays from the arena.
 */
#include "ikev2/wire/wire.h"

#define LAST		0
#define MORE_PROPOSALS	2
#define MORE_TRANSFORMS	3
#define PROP_HDR_LEN	8
#define TR_HDR_LEN	8
#define ATTR_TV		0x8000
#define IKE_SPI_LEN	8
#define ESP_SPI_LEN	4

/* What the payload has given so far, against the bounds. */
struct room {
	struct ike_prop *prop;
	struct ike_tr *tr;
	unsigned n_prop, n_tr;
};

static int
read_attrs(struct cur *c, struct ike_tr *tr)
{
	unsigned n = 0, n_key_len = 0;
	uint16_t type, value;
	int err;

	while (cur_left(c) > 0) {
		if (n++ == IKE_MAX_TR_ATTRS)
			return ERR_LIMIT;
		if ((err = cur_u16(c, &type)) != 0 ||
		    (err = cur_u16(c, &value)) != 0)
			return err;
		if ((type & ATTR_TV) == 0) {
			/* No long attribute is defined; Key Length must not
			 * come as one (3.3.5). */
			if ((err = cur_skip(c, value)) != 0)
				return err;
			tr->is_odd = true;
			continue;
		}
		if (type != (ATTR_TV | IKE_ATTR_KEY_LENGTH)) {
			tr->is_odd = true;
			continue;
		}
		if (n_key_len++ > 0 || value == 0)
			tr->is_odd = true;
		tr->key_bits = value;
	}
	return 0;
}

static int
read_transform(struct cur *c, struct ike_tr *tr, uint8_t *last)
{
	struct cur sub;
	uint16_t len;
	int err;

	if ((err = cur_u8(c, last)) != 0 ||
	    (err = cur_skip(c, 1)) != 0 ||
	    (err = cur_u16(c, &len)) != 0 ||
	    (err = cur_u8(c, &tr->type)) != 0 ||
	    (err = cur_skip(c, 1)) != 0 ||
	    (err = cur_u16(c, &tr->id)) != 0)
		return err;
	if (len < TR_HDR_LEN)
		return ERR_SHORT;
	if ((err = cur_sub(c, (size_t)len - TR_HDR_LEN, &sub)) != 0)
		return err;
	return read_attrs(&sub, tr);
}

/* SPI sizes of the protocols we know, 3.3.1. */
static int
check_spi(uint8_t proto, size_t spi_len)
{
	switch (proto) {
	case IKE_PROTO_IKE:
		return spi_len == 0 || spi_len == IKE_SPI_LEN ? 0 : ERR_SYNTAX;
	case IKE_PROTO_AH:
	case IKE_PROTO_ESP:
		return spi_len == ESP_SPI_LEN ? 0 : ERR_SYNTAX;
	default:
		return 0;
	}
}

/* The transforms of one proposal; "last" must agree with count and length. */
static int
read_transforms(struct cur *c, struct room *r, struct ike_prop *prop,
		unsigned n_tr)
{
	uint8_t last;
	unsigned i;
	int err;

	if (n_tr == 0)
		return ERR_SYNTAX;		/* one or more, 3.3.1 */
	prop->tr = r->tr + r->n_tr;
	prop->n_tr = n_tr;
	for (i = 0; i < n_tr; i++) {
		if (r->n_tr == IKE_MAX_TRANSFORMS)
			return ERR_LIMIT;
		/* Each takes TR_HDR_LEN bytes, so the array has room. */
		if (cur_left(c) < TR_HDR_LEN)
			return ERR_SHORT;
		if ((err = read_transform(c, r->tr + r->n_tr++, &last)) != 0)
			return err;
		if (last != (i + 1 < n_tr ? MORE_TRANSFORMS : LAST))
			return ERR_SYNTAX;
	}
	return cur_end(c);
}

static int
read_proposal(struct cur *c, struct room *r, uint8_t *last)
{
	struct ike_prop *prop = r->prop + r->n_prop;
	uint8_t spi_len, n_tr;
	struct cur sub;
	uint16_t len;
	int err;

	if ((err = cur_u8(c, last)) != 0 ||
	    (err = cur_skip(c, 1)) != 0 ||
	    (err = cur_u16(c, &len)) != 0)
		return err;
	if (len < PROP_HDR_LEN)
		return ERR_SHORT;
	if ((err = cur_sub(c, (size_t)len - 4, &sub)) != 0 ||
	    (err = cur_u8(&sub, &prop->num)) != 0 ||
	    (err = cur_u8(&sub, &prop->proto)) != 0 ||
	    (err = cur_u8(&sub, &spi_len)) != 0 ||
	    (err = cur_u8(&sub, &n_tr)) != 0 ||
	    (err = cur_view(&sub, spi_len, &prop->spi)) != 0 ||
	    (err = check_spi(prop->proto, spi_len)) != 0)
		return err;
	r->n_prop++;
	return read_transforms(&sub, r, prop, n_tr);
}

/* All of them; r has room for as many as the bytes can hold, or the bounds. */
static int
read_proposals(struct cur *c, struct room *r)
{
	uint8_t last;
	int err;

	do {
		if (r->n_prop == IKE_MAX_PROPOSALS)
			return ERR_LIMIT;
		if (cur_left(c) < PROP_HDR_LEN)
			return ERR_SHORT;
		if ((err = read_proposal(c, r, &last)) != 0)
			return err;
		if (last != LAST && last != MORE_PROPOSALS)
			return ERR_SYNTAX;
	} while (last == MORE_PROPOSALS);
	return cur_end(c);
}

int
dec_sa(struct arena *a, struct cur *c, struct ike_props *out)
{
	size_t n_prop = MIN(cur_left(c) / PROP_HDR_LEN, IKE_MAX_PROPOSALS);
	size_t n_tr = MIN(cur_left(c) / TR_HDR_LEN, IKE_MAX_TRANSFORMS);
	struct room r = { 0 };
	int err;

	if (n_prop == 0)
		return ERR_SHORT;		/* one or more, 3.3 */
	if ((r.prop = arena_alloc(a, n_prop * sizeof(*r.prop))) == NULL ||
	    (r.tr = arena_alloc(a, n_tr * sizeof(*r.tr))) == NULL)
		return ERR_NOMEM;
	if ((err = read_proposals(c, &r)) != 0)
		return err;
	*out = (struct ike_props){ .n = r.n_prop, .prop = r.prop };
	return 0;
}

uint32_t
ike_sa_prfs(struct view body)
{
	struct ike_prop prop[IKE_MAX_PROPOSALS] = { 0 };
	struct ike_tr tr[IKE_MAX_TRANSFORMS] = { 0 };
	struct room r = { .prop = prop, .tr = tr };
	uint32_t set = 0;
	struct cur c;

	cur_init(&c, body.p, body.len);
	if (read_proposals(&c, &r) != 0)
		return 0;
	for (unsigned i = 0; i < r.n_tr; i++)
		if (tr[i].type == IKE_TRT_PRF && tr[i].id < 32)
			set |= 1u << tr[i].id;
	return set;
}

static void
write_transform(struct wcur *w, const struct ike_tr *tr, bool is_last)
{
	wcur_u8(w, is_last ? LAST : MORE_TRANSFORMS);
	wcur_u8(w, 0);
	wcur_u16(w, tr->key_bits != 0 ? TR_HDR_LEN + 4 : TR_HDR_LEN);
	wcur_u8(w, tr->type);
	wcur_u8(w, 0);
	wcur_u16(w, tr->id);
	if (tr->key_bits != 0) {
		wcur_u16(w, ATTR_TV | IKE_ATTR_KEY_LENGTH);
		wcur_u16(w, tr->key_bits);
	}
}

void
enc_sa(struct wcur *w, const struct ike_props *sa)
{
	unsigned i, j;

	if (sa->n == 0 || sa->n > IKE_MAX_PROPOSALS)
		w->err = ERR_LONG;
	for (i = 0; i < sa->n && w->err == 0; i++) {
		const struct ike_prop *p = &sa->prop[i];
		size_t begin = w->len, len_at;

		if (p->n_tr == 0 || p->n_tr > IKE_MAX_TRANSFORMS ||
		    p->spi.len > IKE_MAX_SPI) {
			w->err = ERR_LONG;
			return;
		}
		wcur_u8(w, i + 1 < sa->n ? MORE_PROPOSALS : LAST);
		wcur_u8(w, 0);
		len_at = wcur_hole(w, 2);
		wcur_u8(w, p->num);
		wcur_u8(w, p->proto);
		wcur_u8(w, (uint8_t)p->spi.len);
		wcur_u8(w, (uint8_t)p->n_tr);
		wcur_view(w, p->spi);
		for (j = 0; j < p->n_tr; j++)
			write_transform(w, &p->tr[j], j + 1 == p->n_tr);
		/* 128 transforms of 12 bytes: fits 16 bits */
		wcur_put16(w, len_at, (uint16_t)(w->len - begin));
	}
}
