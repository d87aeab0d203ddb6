/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/wire/chain.c - a run of payloads, RFC 7296 section 3.2.
 *
 *                      1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +---------------+-+-------------+-------------------------------+
 * | Next Payload  |C|  RESERVED   |        Payload Length         |
 * +---------------+-+-------------+-------------------------------+
 *
 *   header.next -> payload -> payload -> ... -> 0
 *   header.next -> payload -> SK (its next names what lies inside)
 *
 * Payload Length counts these four bytes.  SK and SKF end the run.
 * Pure.
 */
#include "ikev2/wire/priv.h"

#define CRITICAL 0x80

int
perr_set(struct ike_perr *perr, int err, uint8_t pl_type)
{
	*perr = (struct ike_perr){ .err = err, .pl_type = pl_type };
	if (err == ERR_CRITICAL) {
		perr->notify = IKE_N_UNSUPPORTED_CRITICAL_PAYLOAD;
		perr->n_data = 1;
		perr->data[0] = pl_type;
	} else if (err != ERR_NOMEM) {
		perr->notify = IKE_N_INVALID_SYNTAX;
	}
	return err;
}

bool
ike_pl_is_known(uint8_t type)
{
	return (type >= IKE_PL_SA && type <= IKE_PL_EAP) || type == IKE_PL_SKF ||
	    type == IKE_PL_PS;
}

/* One payload; next receives the type of the one after it. */
static int
read_payload(struct cur *c, struct ike_pl *pl, uint8_t *next)
{
	uint8_t flags;
	uint16_t len;
	int err;

	if ((err = cur_u8(c, next)) != 0 ||
	    (err = cur_u8(c, &flags)) != 0 ||
	    (err = cur_u16(c, &len)) != 0)
		return err;
	if (len < IKE_PL_HDR_LEN)
		return ERR_SHORT;
	pl->is_critical = (flags & CRITICAL) != 0;
	return cur_view(c, (size_t)len - IKE_PL_HDR_LEN, &pl->body);
}

int
ike_chain_decode(struct view body, uint8_t first, struct ike_chain *out,
		 struct ike_perr *perr)
{
	struct ike_pl pl;
	struct cur c;
	uint8_t type, next;
	unsigned n_seen;
	int err;

	cur_init(&c, body.p, body.len);
	out->n = 0;
	out->sk_first = IKE_PL_NONE;
	for (type = first, n_seen = 0; type != IKE_PL_NONE; type = next) {
		if (n_seen++ == IKE_MAX_PAYLOADS)
			return perr_set(perr, ERR_LIMIT, type);
		if ((err = read_payload(&c, &pl, &next)) != 0)
			return perr_set(perr, err, type);
		if (!ike_pl_is_known(type)) {
			if (pl.is_critical)		/* MUST, 2.5 */
				return perr_set(perr, ERR_CRITICAL, type);
			continue;
		}
		pl.type = type;
		out->pl[out->n++] = pl;
		if (type == IKE_PL_SK || type == IKE_PL_SKF) {
			out->sk_first = next;
			break;
		}
	}
	if ((err = cur_end(&c)) != 0)
		return perr_set(perr, err, type);
	return 0;
}
