/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/ipc/proof.c - proofs and links, as bytes.
 */
#include "daemon/ipc/proof.h"
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"

enum { TYPE_ASK = 6, TYPE_ANSWER = 7, TYPE_LINK_ASK = 8, TYPE_LINK_ANSWER = 9 };

static void
enc_head(struct wcur *w, void *buf, size_t cap, uint8_t type, uint32_t id)
{
	wcur_init(w, buf, cap);
	wcur_u8(w, type);
	wcur_u32(w, id);
}

static int
enc_end(const struct wcur *w)
{
	return w->err != 0 ? w->err : (int)w->len;
}

static int
dec_head(struct cur *c, const void *p, size_t len, uint8_t want, uint32_t *id)
{
	uint8_t type;
	int err;

	cur_init(c, p, len);
	if ((err = cur_u8(c, &type)) == 0 && type != want)
		err = ERR_SYNTAX;
	return err != 0 ? err : cur_u32(c, id);
}

/* ---- the supervisor ---------------------------------------------------------- */

int
proof_ask_enc(const struct proof_ask *a, void *buf, size_t cap)
{
	struct wcur w;

	enc_head(&w, buf, cap, TYPE_ASK, a->id);
	wcur_u64(&w, a->proof);
	return enc_end(&w);
}

int
proof_ask_dec(const void *p, size_t len, struct proof_ask *out)
{
	struct proof_ask a;
	struct cur c;
	int err;

	if ((err = dec_head(&c, p, len, TYPE_ASK, &a.id)) == 0 &&
	    (err = cur_u64(&c, &a.proof)) == 0 && (err = cur_end(&c)) == 0)
		*out = a;
	return err;
}

int
proof_answer_enc(const struct proof_answer *a, void *buf, size_t cap)
{
	struct wcur w;

	enc_head(&w, buf, cap, TYPE_ANSWER, a->id);
	wcur_u8(&w, (uint8_t)a->verdict);
	wcur_text(&w, a->name);
	return enc_end(&w);
}

int
proof_answer_dec(const void *p, size_t len, struct proof_answer *out)
{
	struct proof_answer a;
	uint8_t verdict;
	struct cur c;
	int err;

	if ((err = dec_head(&c, p, len, TYPE_ANSWER, &a.id)) != 0 ||
	    (err = cur_u8(&c, &verdict)) != 0 ||
	    (err = cur_text(&c, a.name, sizeof(a.name))) != 0 ||
	    (err = cur_end(&c)) != 0)
		return err;
	if (verdict >= PASS_END)
		return ERR_SYNTAX;
	a.verdict = (enum pass_verdict)verdict;
	*out = a;
	return 0;
}

/* ---- links ------------------------------------------------------------------- */

int
proof_link_ask_enc(const struct proof_link_ask *a, void *buf, size_t cap)
{
	struct wcur w;

	enc_head(&w, buf, cap, TYPE_LINK_ASK, a->id);
	wcur_u8(&w, (uint8_t)a->role);
	return enc_end(&w);
}

int
proof_link_ask_dec(const void *p, size_t len, struct proof_link_ask *out)
{
	struct proof_link_ask a;
	uint8_t role;
	struct cur c;
	int err;

	if ((err = dec_head(&c, p, len, TYPE_LINK_ASK, &a.id)) != 0 ||
	    (err = cur_u8(&c, &role)) != 0 || (err = cur_end(&c)) != 0)
		return err;
	if (role >= PASS_ROLE_END)
		return ERR_SYNTAX;
	a.role = (enum pass_role)role;
	*out = a;
	return 0;
}

int
proof_link_answer_enc(const struct proof_link_answer *a, void *buf, size_t cap)
{
	struct wcur w;

	enc_head(&w, buf, cap, TYPE_LINK_ANSWER, a->id);
	wcur_u32(&w, a->left_s);
	wcur_text(&w, a->token);
	return enc_end(&w);
}

int
proof_link_answer_dec(const void *p, size_t len, struct proof_link_answer *out)
{
	struct proof_link_answer a;
	struct cur c;
	int err;

	if ((err = dec_head(&c, p, len, TYPE_LINK_ANSWER, &a.id)) == 0 &&
	    (err = cur_u32(&c, &a.left_s)) == 0 &&
	    (err = cur_text(&c, a.token, sizeof(a.token))) == 0 &&
	    (err = cur_end(&c)) == 0)
		*out = a;
	wipe(&a, sizeof(a));
	return err;
}
