/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/ipc/pass.c - the question about a password, as bytes.
 */
#include "daemon/ipc/pass.h"
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"

enum { TYPE_ASK = 2, TYPE_ANSWER = 3, TYPE_STILL = 4, TYPE_LINK = 5 };
static const uint8_t types[] = {
	[PASS_WORD] = TYPE_ASK, [PASS_STILL] = TYPE_STILL,
	[PASS_LINK] = TYPE_LINK,
};

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
	wcur_u8(&w, types[a->kind]);
	wcur_u32(&w, a->id);
	if (a->kind != PASS_LINK)
		wcur_text(&w, a->name);
	if (a->kind != PASS_STILL)
		wcur_text(&w, a->word);
	if (a->kind == PASS_WORD)
		wcur_text(&w, a->code);
	if (a->kind != PASS_STILL)
		wcur_text(&w, a->source);
	return w.err != 0 ? w.err : (int)w.len;
}

static int
dec_kind(struct cur *c, struct pass_ask *a)
{
	uint8_t type;
	int err = dec_head(c, &type, &a->id);

	if (err != 0)
		return err;
	for (unsigned i = 0; i < N_OF(types); i++)
		if (types[i] == type) {
			a->kind = (enum pass_kind)i;
			return 0;
		}
	return ERR_SYNTAX;
}

int
pass_ask_dec(const void *p, size_t len, struct pass_ask *out)
{
	struct pass_ask a = { .id = 0 };
	struct cur c;
	int err;

	cur_init(&c, p, len);
	err = dec_kind(&c, &a);
	if (err == 0 && a.kind != PASS_LINK)
		err = cur_text(&c, a.name, sizeof(a.name));
	if (err == 0 && a.kind != PASS_STILL)
		err = cur_text(&c, a.word, sizeof(a.word));
	if (err == 0 && a.kind == PASS_WORD)
		err = cur_text(&c, a.code, sizeof(a.code));
	if (err == 0 && a.kind != PASS_STILL)
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
	wcur_u64(&w, a->proof);
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
	    (err = cur_u64(&c, &a.stamp)) != 0 ||
	    (err = cur_u64(&c, &a.proof)) != 0 || (err = cur_end(&c)) != 0)
		return err;
	if (type != TYPE_ANSWER || verdict >= PASS_END || role >= PASS_ROLE_END)
		return ERR_SYNTAX;
	a.verdict = (enum pass_verdict)verdict;
	a.role = (enum pass_role)role;
	*out = a;
	return 0;
}
