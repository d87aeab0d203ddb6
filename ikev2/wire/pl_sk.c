/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/wire/pl_sk.c - Encrypted payload, RFC 7296 section 3.14, and
 * Encrypted Fragment payload, RFC 7383 section 2.5: framing only.
 *
 *                      1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-------------------------------+-------------------------------+
 * |    SKF: Fragment Number       |    SKF: Total Fragments       |
 * +-------------------------------+-------------------------------+
 * ~                     Initialization Vector                     ~
 * +---------------------------------------------------------------+
 * ~        Encrypted: payloads, padding, Pad Length (ct)          ~
 * +---------------------------------------------------------------+
 * ~                  Integrity Checksum Data (icv)                ~
 * +---------------------------------------------------------------+
 *
 * Pure.
 */
#include "ikev2/wire/wire.h"

/* RFC 7383 2.5: 1 <= number <= total; only the first names what is inside. */
static int
read_frag(struct cur *c, uint8_t first, struct ike_sk *sk)
{
	int err;

	if ((err = cur_u16(c, &sk->frag_num)) != 0 ||
	    (err = cur_u16(c, &sk->frag_total)) != 0)
		return err;
	if (sk->frag_num == 0 || sk->frag_num > sk->frag_total)
		return ERR_RANGE;
	if (sk->frag_total > IKE_MAX_FRAGMENTS)
		return ERR_LIMIT;
	if (sk->frag_num > 1 && first != IKE_PL_NONE)
		return ERR_SYNTAX;
	return 0;
}

int
dec_sk(struct view body, uint8_t pl_type, uint8_t first, size_t iv_len,
       size_t icv_len, struct ike_sk *out)
{
	struct ike_sk sk = { 0 };
	struct cur c;
	size_t left;
	int err;

	cur_init(&c, body.p, body.len);
	if (pl_type == IKE_PL_SKF && (err = read_frag(&c, first, &sk)) != 0)
		return err;
	if ((err = cur_view(&c, iv_len, &sk.iv)) != 0)
		return err;
	left = cur_left(&c);
	if (left <= icv_len)		/* Pad Length at least */
		return ERR_SHORT;
	if ((err = cur_view(&c, left - icv_len, &sk.ct)) != 0)
		return err;
	cur_rest(&c, &sk.icv);
	*out = sk;
	return 0;
}
