/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/ipc/prompt.c - a typed password as bytes.
 */
#include "daemon/ipc/prompt.h"
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"

enum { TYPE_NEEDED = 1, TYPE_WORD = 2, TYPE_ANSWER = 3 };

static int
dec_head(struct cur *c, uint8_t *type, uint32_t *id)
{
	int err = cur_u8(c, type);

	return err != 0 ? err : cur_u32(c, id);
}

int
prompt_ask_enc(const struct prompt_ask *a, void *buf, size_t cap)
{
	struct wcur w;

	wcur_init(&w, buf, cap);
	wcur_u8(&w, a->has_word ? TYPE_WORD : TYPE_NEEDED);
	wcur_u32(&w, a->id);
	wcur_text(&w, a->realm);
	if (a->has_word)
		wcur_text(&w, a->word);
	return w.err != 0 ? w.err : (int)w.len;
}

int
prompt_ask_dec(const void *p, size_t len, struct prompt_ask *out)
{
	struct prompt_ask a = { .id = 0 };
	struct cur c;
	uint8_t type;
	int err;

	cur_init(&c, p, len);
	if ((err = dec_head(&c, &type, &a.id)) == 0 && type != TYPE_NEEDED &&
	    type != TYPE_WORD)
		err = ERR_SYNTAX;
	a.has_word = err == 0 && type == TYPE_WORD;
	if (err == 0)
		err = cur_text(&c, a.realm, sizeof(a.realm));
	if (err == 0 && a.has_word)
		err = cur_text(&c, a.word, sizeof(a.word));
	if (err == 0 && (err = cur_end(&c)) == 0)
		*out = a;
	wipe(&a, sizeof(a));
	return err;
}

int
prompt_answer_enc(const struct prompt_answer *a, void *buf, size_t cap)
{
	struct wcur w;

	wcur_init(&w, buf, cap);
	wcur_u8(&w, TYPE_ANSWER);
	wcur_u32(&w, a->id);
	wcur_u8(&w, (uint8_t)a->verdict);
	wcur_text(&w, a->user);
	return w.err != 0 ? w.err : (int)w.len;
}

int
prompt_answer_dec(const void *p, size_t len, struct prompt_answer *out)
{
	struct prompt_answer a;
	uint8_t type, verdict;
	struct cur c;
	int err;

	cur_init(&c, p, len);
	if ((err = dec_head(&c, &type, &a.id)) != 0 ||
	    (err = cur_u8(&c, &verdict)) != 0 ||
	    (err = cur_text(&c, a.user, sizeof(a.user))) != 0 ||
	    (err = cur_end(&c)) != 0)
		return err;
	if (type != TYPE_ANSWER || verdict >= PROMPT_END)
		return ERR_SYNTAX;
	a.verdict = (enum prompt_verdict)verdict;
	*out = a;
	return 0;
}
