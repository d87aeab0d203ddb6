/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/ipc/pass.c - the question about a password, as bytes.
 */
#include "daemon/ipc/pass.h"
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"

enum { TYPE_ASK = 2, TYPE_ANSWER = 3, TYPE_STILL = 4 };

static int
dec_head(struct cur *c, uint8_t *type, uint32_t *id)
{
	int err = cur_u8(c, type);

	return err != 0 ? err : cur_u32(c, id);
}

int
pass_ask_enc(const struct pass_ask *a, void *buf, size_t cap)
{
	struct wcur w;

	wcur_init(&w, buf, cap);
	wcur_u8(&w, a->is_still ? TYPE_STILL : TYPE_ASK);
	wcur_u32(&w, a->id);
	wcur_text(&w, a->name);
	if (!a->is_still) {
		wcur_text(&w, a->word);
		wcur_text(&w, a->code);
		wcur_text(&w, a->source);
	}
	return w.err != 0 ? w.err : (int)w.len;
}

int
pass_ask_dec(const void *p, size_t len, struct pass_ask *out)
{
	struct pass_ask a = { .id = 0 };
	struct cur c;
	uint8_t type;
	int err;

	cur_init(&c, p, len);
	if ((err = dec_head(&c, &type, &a.id)) == 0 && type != TYPE_ASK &&
	    type != TYPE_STILL)
		err = ERR_SYNTAX;
	a.is_still = err == 0 && type == TYPE_STILL;
	if (err == 0)
		err = cur_text(&c, a.name, sizeof(a.name));
	if (err == 0 && !a.is_still &&
	    (err = cur_text(&c, a.word, sizeof(a.word))) == 0 &&
	    (err = cur_text(&c, a.code, sizeof(a.code))) == 0)
		err = cur_text(&c, a.source, sizeof(a.source));
	if (err == 0 && (err = cur_end(&c)) == 0)
		*out = a;
	wipe(&a, sizeof(a));
	return err;
}

int
pass_answer_enc(const struct pass_answer *a, void *buf, size_t cap)
{
	struct wcur w;

	wcur_init(&w, buf, cap);
	wcur_u8(&w, TYPE_ANSWER);
	wcur_u32(&w, a->id);
	wcur_u8(&w, (uint8_t)a->verdict);
	wcur_u8(&w, (uint8_t)a->role);
	wcur_u32(&w, a->wait_s);
	wcur_u64(&w, a->stamp);
	return w.err != 0 ? w.err : (int)w.len;
}

int
pass_answer_dec(const void *p, size_t len, struct pass_answer *out)
{
	struct pass_answer a;
	uint8_t type, verdict, role;
	struct cur c;
	int err;

	cur_init(&c, p, len);
	if ((err = dec_head(&c, &type, &a.id)) != 0 ||
	    (err = cur_u8(&c, &verdict)) != 0 ||
	    (err = cur_u8(&c, &role)) != 0 ||
	    (err = cur_u32(&c, &a.wait_s)) != 0 ||
	    (err = cur_u64(&c, &a.stamp)) != 0 || (err = cur_end(&c)) != 0)
		return err;
	if (type != TYPE_ANSWER || verdict >= PASS_END || role >= PASS_ROLE_END)
		return ERR_SYNTAX;
	a.verdict = (enum pass_verdict)verdict;
	a.role = (enum pass_role)role;
	*out = a;
	return 0;
}
