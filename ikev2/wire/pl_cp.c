/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/wire/pl_cp.c - Configuration payload, RFC 7296 section 3.15.
 *
 *                      1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+-----------------------------------------------+
 * |   CFG Type    |                    RESERVED                   |
 * +-+-------------+---------------+-------------------------------+
 * |R|         Attribute Type      |            Length             |
 * +-+-----------------------------+-------------------------------+
 * ~                             Value                             ~
 *
 * Pure; arrays from the arena.
 */
#include "ikev2/wire/wire.h"

#define ATTR_HDR_LEN	4
#define ATTR_TYPE_MASK	0x7fff

/* Attributes of fixed size; any of them may be empty in a request, 3.15.1. */
static const struct {
	uint16_t type;
	uint16_t len_bytes;
} sizes[] = {
	{ IKE_CA_INTERNAL_IP4_ADDRESS,	4 },
	{ IKE_CA_INTERNAL_IP4_NETMASK,	4 },
	{ IKE_CA_INTERNAL_IP4_DNS,	4 },
	{ IKE_CA_INTERNAL_IP4_NBNS,	4 },
	{ IKE_CA_INTERNAL_IP4_DHCP,	4 },
	{ IKE_CA_INTERNAL_IP6_ADDRESS,	17 },
	{ IKE_CA_INTERNAL_IP6_DNS,	16 },
	{ IKE_CA_INTERNAL_IP6_DHCP,	16 },
	{ IKE_CA_INTERNAL_IP4_SUBNET,	8 },
	{ IKE_CA_INTERNAL_IP6_SUBNET,	17 },
};

static int
check_size(const struct ike_cp_attr *at)
{
	size_t i;

	if (at->value.len == 0)
		return 0;
	if (at->type == IKE_CA_SUPPORTED_ATTRIBUTES)
		return at->value.len % 2 == 0 ? 0 : ERR_SYNTAX;
	for (i = 0; i < N_OF(sizes); i++)
		if (sizes[i].type == at->type)
			return at->value.len == sizes[i].len_bytes
			    ? 0 : ERR_SYNTAX;
	return 0;
}

static int
read_attr(struct cur *c, struct ike_cp_attr *at)
{
	uint16_t len;
	int err;

	if ((err = cur_u16(c, &at->type)) != 0 ||
	    (err = cur_u16(c, &len)) != 0 ||
	    (err = cur_view(c, len, &at->value)) != 0)
		return err;
	at->type &= ATTR_TYPE_MASK;		/* R is ignored */
	return check_size(at);
}

int
dec_cp(struct arena *a, struct cur *c, struct ike_cp *out)
{
	struct ike_cp_attr *attr = NULL;
	struct ike_cp cp = { 0 };
	size_t n_max;
	int err;

	if ((err = cur_u8(c, &cp.type)) != 0 ||
	    (err = cur_skip(c, 3)) != 0)		/* RESERVED */
		return err;
	n_max = MIN(cur_left(c) / ATTR_HDR_LEN, IKE_MAX_CP_ATTRS);
	if (n_max > 0 &&
	    (attr = arena_alloc(a, n_max * sizeof(*attr))) == NULL)
		return ERR_NOMEM;
	while (cur_left(c) > 0) {
		if (cp.n == IKE_MAX_CP_ATTRS)
			return ERR_LIMIT;
		if (cur_left(c) < ATTR_HDR_LEN)
			return ERR_SHORT;
		if ((err = read_attr(c, &attr[cp.n])) != 0)
			return err;
		cp.n++;
	}
	cp.attr = attr;
	*out = cp;
	return 0;
}

void
enc_cp(struct wcur *w, const struct ike_cp *cp)
{
	unsigned i;

	if (cp->n > IKE_MAX_CP_ATTRS)
		w->err = ERR_LONG;
	wcur_u8(w, cp->type);
	wcur_zero(w, 3);
	for (i = 0; i < cp->n && w->err == 0; i++) {
		const struct ike_cp_attr *at = &cp->attr[i];

		if (at->value.len > UINT16_MAX) {
			w->err = ERR_LONG;
			return;
		}
		wcur_u16(w, at->type & ATTR_TYPE_MASK);
		wcur_u16(w, (uint16_t)at->value.len);
		wcur_view(w, at->value);
	}
}
