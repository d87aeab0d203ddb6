/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/verify/wire.c - questions to the verify child and its answers.
 *
 * Thread: any.
 */
#include "secure-proc/verify/wire.h"
#include <string.h>
#include "daemon/base/cur.h"
#include "daemon/base/err.h"

static void
put_text(struct wcur *w, const char *text)
{
	wcur_block(w, (struct view){ (const uint8_t *)text, strlen(text) });
}

/* Control characters become '?': the text ends up in a log. */
static int
get_text(struct cur *c, char *out, size_t cap)
{
	struct view v;
	int err;

	if ((err = cur_block(c, &v)) != 0)
		return err;
	if (v.len >= cap)
		return ERR_LONG;
	for (size_t i = 0; i < v.len; i++)
		out[i] = v.p[i] < 0x20 || v.p[i] >= 0x7f ? '?' : (char)v.p[i];
	out[v.len] = '\0';
	return 0;
}

int
sec_ask_enc(uint64_t number, const struct sec_check *q, uint8_t *out,
	    size_t cap, size_t *len)
{
	struct wcur w;

	wcur_init(&w, out, cap);
	wcur_u64(&w, number);
	wcur_u32(&w, q->realm);
	wcur_u32(&w, q->peer);
	wcur_u64(&w, (uint64_t)q->now);
	wcur_u8(&w, (uint8_t)(q->is_tls | q->is_standing << 1));
	wcur_u8(&w, q->method);
	wcur_block(&w, q->id);
	wcur_block(&w, q->id_own);
	wcur_block(&w, q->cert);
	wcur_block(&w, q->auth);
	wcur_block(&w, q->init_msg);
	wcur_block(&w, q->nonce);
	wcur_block(&w, q->maced_id);
	*len = w.len;
	return w.err != 0 ? ERR_LONG : 0;
}

int
sec_ask_dec(struct view in, uint64_t *number, struct sec_check *q)
{
	uint8_t how;
	uint64_t now;
	struct cur c;
	int err;

	cur_init(&c, in.p, in.len);
	if ((err = cur_u64(&c, number)) != 0 ||
	    (err = cur_u32(&c, &q->realm)) != 0 ||
	    (err = cur_u32(&c, &q->peer)) != 0 ||
	    (err = cur_u64(&c, &now)) != 0 ||
	    (err = cur_u8(&c, &how)) != 0 ||
	    (err = cur_u8(&c, &q->method)) != 0 ||
	    (err = cur_block(&c, &q->id)) != 0 ||
	    (err = cur_block(&c, &q->id_own)) != 0 ||
	    (err = cur_block(&c, &q->cert)) != 0 ||
	    (err = cur_block(&c, &q->auth)) != 0 ||
	    (err = cur_block(&c, &q->init_msg)) != 0 ||
	    (err = cur_block(&c, &q->nonce)) != 0 ||
	    (err = cur_block(&c, &q->maced_id)) != 0)
		return err;
	q->now = (int64_t)now;
	q->is_tls = (how & 1) != 0;
	q->is_standing = (how & 2) != 0;
	return cur_end(&c);
}

int
sec_answer_enc(uint64_t number, const struct sec_checked *a, uint8_t *out,
	       size_t cap, size_t *len)
{
	struct wcur w;

	wcur_init(&w, out, cap);
	wcur_u64(&w, number);
	wcur_u32(&w, (uint32_t)a->err);
	wcur_u32(&w, a->realm);
	wcur_u32(&w, a->peer);
	wcur_u64(&w, (uint64_t)a->not_after);
	wcur_bytes(&w, a->key, sizeof(a->key));
	put_text(&w, a->why);
	put_text(&w, a->subject);
	*len = w.len;
	return w.err != 0 ? ERR_LONG : 0;
}

int
sec_answer_dec(struct view in, uint64_t *number, struct sec_checked *a)
{
	uint64_t not_after;
	uint32_t code;
	struct cur c;
	int err;

	memset(a, 0, sizeof(*a));
	cur_init(&c, in.p, in.len);
	if ((err = cur_u64(&c, number)) != 0 ||
	    (err = cur_u32(&c, &code)) != 0 ||
	    (err = cur_u32(&c, &a->realm)) != 0 ||
	    (err = cur_u32(&c, &a->peer)) != 0 ||
	    (err = cur_u64(&c, &not_after)) != 0 ||
	    (err = cur_copy(&c, a->key, sizeof(a->key))) != 0 ||
	    (err = get_text(&c, a->why, sizeof(a->why))) != 0 ||
	    (err = get_text(&c, a->subject, sizeof(a->subject))) != 0)
		return err;
	a->err = (int32_t)code;
	a->not_after = (int64_t)not_after;
	if (a->err > 0 || a->err <= -(int32_t)ERR_IDX_END)
		return ERR_RANGE;
	return cur_end(&c);
}
