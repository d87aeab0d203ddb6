/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/diary/frame.c - what passes between tapird and its diary, as bytes.
 *
 * Thread: any.
 */
#include "daemon/diary/frame.h"
#include <string.h>
#include "daemon/base/cur.h"
#include "daemon/base/err.h"

#define ERR_BIAS 256	/* errors are negative */

/* ---- writing ------------------------------------------------------------- */

static void
put_text(struct wcur *w, const char *text, size_t cap)
{
	size_t len = strnlen(text, cap - 1);

	wcur_u16(w, (uint16_t)len);
	wcur_bytes(w, text, len);
}

int
diary_enc_line(enum log_level lv, uint64_t time_ms, const char *who,
	       const char *text, void *buf, size_t cap)
{
	struct wcur w;

	wcur_init(&w, buf, cap);
	wcur_u8(&w, DIARY_LINE);
	wcur_u8(&w, (uint8_t)lv);
	wcur_u64(&w, time_ms);
	put_text(&w, who, DIARY_NAME_MAX);
	put_text(&w, text, LOG_LINE_MAX);
	return w.err != 0 ? w.err : (int)w.len;
}

int
diary_enc(const struct diary_frame *f, void *buf, size_t cap)
{
	struct wcur w;
	int err = 0;

	wcur_init(&w, buf, cap);
	wcur_u8(&w, (uint8_t)f->kind);
	switch (f->kind) {
	case DIARY_EVENT:
		err = bus_enc(&w, &f->rec);
		break;
	case DIARY_LINE:
		return diary_enc_line(f->level, f->time_ms, f->word, f->text,
				      buf, cap);
	case DIARY_QUERY:
		wcur_u32(&w, f->id);
		wcur_u64(&w, f->since_ms);
		wcur_u32(&w, f->limit);
		put_text(&w, f->realm, sizeof(f->realm));
		put_text(&w, f->peer, sizeof(f->peer));
		break;
	case DIARY_ROW:
		wcur_u32(&w, f->id);
		err = bus_enc(&w, &f->rec);
		break;
	case DIARY_END:
		wcur_u32(&w, f->id);
		wcur_u16(&w, (uint16_t)(f->err + ERR_BIAS));
		break;
	case DIARY_NOTE:
		wcur_u8(&w, (uint8_t)f->level);
		put_text(&w, f->word, sizeof(f->word));
		put_text(&w, f->text, sizeof(f->text));
		break;
	}
	if (err != 0 || w.err != 0)
		return err != 0 ? err : w.err;
	return (int)w.len;
}

/* ---- reading ------------------------------------------------------------- */

static int
get_text(struct cur *c, char *out, size_t cap)
{
	struct view v;
	uint16_t len;
	int err;

	if ((err = cur_u16(c, &len)) != 0 || (err = cur_view(c, len, &v)) != 0)
		return err;
	if (v.len >= cap)
		return ERR_LONG;
	if (v.len > 0 && memchr(v.p, '\0', v.len) != NULL)
		return ERR_SYNTAX;
	if (v.len > 0)
		memcpy(out, v.p, v.len);
	out[v.len] = '\0';
	return 0;
}

static int
get_level(struct cur *c, enum log_level *lv)
{
	uint8_t v;
	int err;

	if ((err = cur_u8(c, &v)) != 0)
		return err;
	*lv = (enum log_level)v;
	return v <= LOG_DEBUG ? 0 : ERR_SYNTAX;
}

static int
get_rec(struct cur *c, struct bus_rec *r)
{
	struct view v;

	cur_rest(c, &v);
	return bus_dec(v.p, v.len, r);
}

static int
get_line(struct cur *c, struct diary_frame *f)
{
	int err;

	if ((err = get_level(c, &f->level)) != 0 ||
	    (err = cur_u64(c, &f->time_ms)) != 0 ||
	    (err = get_text(c, f->word, sizeof(f->word))) != 0)
		return err;
	return get_text(c, f->text, sizeof(f->text));
}

static int
get_query(struct cur *c, struct diary_frame *f)
{
	int err;

	if ((err = cur_u32(c, &f->id)) != 0 ||
	    (err = cur_u64(c, &f->since_ms)) != 0 ||
	    (err = cur_u32(c, &f->limit)) != 0 ||
	    (err = get_text(c, f->realm, sizeof(f->realm))) != 0)
		return err;
	return get_text(c, f->peer, sizeof(f->peer));
}

static int
get_note(struct cur *c, struct diary_frame *f)
{
	int err;

	if ((err = get_level(c, &f->level)) != 0 ||
	    (err = get_text(c, f->word, sizeof(f->word))) != 0)
		return err;
	return get_text(c, f->text, sizeof(f->text));
}

static int
get_end(struct cur *c, struct diary_frame *f)
{
	uint16_t v;
	int err;

	if ((err = cur_u32(c, &f->id)) != 0 || (err = cur_u16(c, &v)) != 0)
		return err;
	f->err = (int)v - ERR_BIAS;
	return v <= ERR_BIAS ? 0 : ERR_SYNTAX;
}

int
diary_dec(const void *p, size_t len, struct diary_frame *f)
{
	struct cur c;
	uint8_t kind;
	int err;

	cur_init(&c, p, len);
	if ((err = cur_u8(&c, &kind)) != 0)
		return err;
	f->kind = (enum diary_kind)kind;
	switch (kind) {
	case DIARY_EVENT:
		err = get_rec(&c, &f->rec);
		break;
	case DIARY_LINE:
		err = get_line(&c, f);
		break;
	case DIARY_QUERY:
		err = get_query(&c, f);
		break;
	case DIARY_ROW:
		if ((err = cur_u32(&c, &f->id)) == 0)
			err = get_rec(&c, &f->rec);
		break;
	case DIARY_END:
		err = get_end(&c, f);
		break;
	case DIARY_NOTE:
		err = get_note(&c, f);
		break;
	default:
		return ERR_SYNTAX;
	}
	return err != 0 ? err : cur_end(&c);
}
