/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/wire/pl_ps.c - puzzles and their solutions, RFC 8019 section 8.
 *
 *  PUZZLE notification data, 8.1  2
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3
 * +-------------------------------+---------------+
 * |              PRF              |  Difficulty   |
 * +-------------------------------+---------------+
 *
 *  Puzzle Solution payload, 8.2: four keys of equal length
 * +---------------+---------------+---------------+---------------+
 * ~     key 1     |     key 2     |     key 3     |     key 4     ~
 * +---------------+---------------+---------------+---------------+
 *
 * Pure.
 */
#include "ikev2/wire/wire.h"

int
dec_puzzle(struct cur *c, struct ike_puzzle *out)
{
	struct ike_puzzle p;
	int err;

	if ((err = cur_u16(c, &p.prf)) != 0 ||
	    (err = cur_u8(c, &p.bits)) != 0 ||
	    (err = cur_end(c)) != 0)
		return err;
	*out = p;
	return 0;
}

void
enc_puzzle(struct wcur *w, const struct ike_puzzle *puzzle)
{
	wcur_u16(w, puzzle->prf);
	wcur_u8(w, puzzle->bits);
}

int
dec_ps(struct cur *c, struct ike_ps *out)
{
	struct view keys;

	cur_rest(c, &keys);
	if (keys.len == 0)
		return ERR_SHORT;
	if (keys.len % IKE_PS_KEYS != 0)
		return ERR_SYNTAX;
	if (keys.len > (size_t)IKE_PS_KEYS * IKE_PS_KEY_MAX)
		return ERR_LONG;
	*out = (struct ike_ps){ keys.len / IKE_PS_KEYS, keys };
	return 0;
}

void
enc_ps(struct wcur *w, const struct ike_ps *ps)
{
	if (ps->keys.len == 0 || ps->keys.len != ps->key_len * IKE_PS_KEYS) {
		w->err = ERR_LONG;
		return;
	}
	wcur_view(w, ps->keys);
}
