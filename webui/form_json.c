/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/form_json.c - one flat object of JSON -> an object (RFC 8259).
 *
 * Values are texts, integers, true, false, null (as if it were not there); no
 * value is an object or an array, so nothing nests.
 */
#include "webui/form.h"
#include <string.h>
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"

/* The body was found to be UTF-8 before. */
struct reader {
	struct cur c;
	size_t n;			/* bytes of text[] */
	uint64_t nulls;			/* which pairs have no value */
	uint8_t text[UI_OBJ_BYTES];	/* the string just read */
};
_Static_assert(UI_PAIR_MAX <= 64, "a bit for each pair");

/* The next byte without taking it; 0 at the end. */
static uint8_t
peek(const struct reader *r)
{
	struct cur c = r->c;
	uint8_t b = 0;

	return cur_u8(&c, &b) == 0 ? b : 0;
}

static uint8_t
take(struct reader *r)
{
	uint8_t b = 0;

	return cur_u8(&r->c, &b) == 0 ? b : 0;
}

static void
blanks(struct reader *r)
{
	while (peek(r) == ' ' || peek(r) == '\t' || peek(r) == '\n' ||
	    peek(r) == '\r')
		(void)take(r);
}

static bool
is_next(struct reader *r, uint8_t b)
{
	blanks(r);
	if (peek(r) != b)
		return false;
	(void)take(r);
	return true;
}

static void
put(struct reader *r, uint32_t b)
{
	r->text[r->n++] = (uint8_t)b; /* never longer than what was read */
}

static void
put_code(struct reader *r, uint32_t cp)
{
	if (cp < 0x80) {
		put(r, cp);
	} else if (cp < 0x800) {
		put(r, 0xc0 | cp >> 6);
		put(r, 0x80 | (cp & 0x3f));
	} else if (cp < 0x10000) {
		put(r, 0xe0 | cp >> 12);
		put(r, 0x80 | (cp >> 6 & 0x3f));
		put(r, 0x80 | (cp & 0x3f));
	} else {
		put(r, 0xf0 | cp >> 18);
		put(r, 0x80 | (cp >> 12 & 0x3f));
		put(r, 0x80 | (cp >> 6 & 0x3f));
		put(r, 0x80 | (cp & 0x3f));
	}
}

static int
hex4(struct reader *r, uint32_t *out)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++) {
		uint8_t b = take(r);

		if (b >= '0' && b <= '9')
			v = v << 4 | (uint32_t)(b - '0');
		else if ((b | 0x20) >= 'a' && (b | 0x20) <= 'f')
			v = v << 4 | (uint32_t)((b | 0x20) - 'a' + 10);
		else
			return ERR_SYNTAX;
	}
	*out = v;
	return 0;
}

/* Behind \u: one code point, of one or two escapes. */
static int
unicode(struct reader *r)
{
	uint32_t a = 0, b = 0;

	if (hex4(r, &a) != 0 || a == 0 || (a >= 0xdc00 && a < 0xe000))
		return ERR_SYNTAX;
	if (a >= 0xd800 && a < 0xdc00) {
		if (take(r) != '\\' || take(r) != 'u' || hex4(r, &b) != 0 ||
		    b < 0xdc00 || b >= 0xe000)
			return ERR_SYNTAX;
		a = 0x10000 + ((a - 0xd800) << 10) + (b - 0xdc00);
	}
	put_code(r, a);
	return 0;
}

static int
escape(struct reader *r)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	uint8_t b = take(r);
	const char *at;

	if (b == 'u')
		return unicode(r);
	if (b == 0 || (at = strchr(from, b)) == NULL)
		return ERR_SYNTAX;
	put(r, (uint8_t)to[at - from]);
	return 0;
}

/* A string, its first quote taken. */
static int
string(struct reader *r)
{
	uint8_t b;
	int err;

	r->n = 0;
	while ((b = take(r)) != '"') {
		if (b < ' ')
			return ERR_SYNTAX; /* also the end */
		if (b != '\\')
			put(r, b);
		else if ((err = escape(r)) != 0)
			return err;
	}
	return 0;
}

/* An integer, or a word. */
static int
bare(struct reader *r)
{
	uint8_t b;

	r->n = 0;
	while (b = peek(r), (b >= 'a' && b <= 'z') || (b >= '0' && b <= '9') ||
	    b == '-')
		put(r, take(r));
	if (r->n == 0)
		return ERR_SYNTAX;
	b = r->text[0];
	if (b >= 'a') {
		static const char *const word[] = { "true", "false", "null" };

		for (unsigned i = 0; i < N_OF(word); i++)
			if (r->n == strlen(word[i]) &&
			    memcmp(r->text, word[i], r->n) == 0)
				return 0;
		return ERR_SYNTAX;
	}
	for (size_t i = b == '-'; i < r->n; i++)
		if (r->text[i] < '0' || r->text[i] > '9' ||
		    (r->text[i] == '0' && i == (b == '-') && r->n > i + 1))
			return ERR_SYNTAX; /* RFC 8259 6: no leading zero */
	return r->n > (b == '-') ? 0 : ERR_SYNTAX;
}

static int
member(struct reader *r, struct ui_obj *out)
{
	uint8_t key[64];
	struct view k = { key, 0 };
	bool is_text;
	int err;

	if (!is_next(r, '"') || (err = string(r)) != 0)
		return ERR_SYNTAX;
	if (r->n == 0 || r->n > sizeof(key))
		return ERR_SYNTAX;
	memcpy(key, r->text, r->n);
	k.len = r->n;
	if (!is_next(r, ':'))
		return ERR_SYNTAX;
	is_text = is_next(r, '"');
	if ((err = is_text ? string(r) : bare(r)) != 0)
		return err;
	if (!is_text && r->n == 4 && memcmp(r->text, "null", 4) == 0)
		r->nulls |= UINT64_C(1) << out->n; /* may not come again either */
	return ui_obj_add(out, k, (struct view){ r->text, r->n });
}

/* What is null is as if it were not there. */
static void
nulls_drop(const struct reader *r, struct ui_obj *out)
{
	unsigned n = 0;

	for (unsigned i = 0; i < out->n; i++)
		if ((r->nulls >> i & 1) == 0)
			out->pair[n++] = out->pair[i];
	out->n = n;
}

int
ui_obj_json(struct view body, struct ui_obj *out)
{
	struct reader r;
	int err = ERR_SYNTAX;

	r.n = 0;
	r.nulls = 0;
	cur_init(&r.c, body.p, body.len);
	if (!is_next(&r, '{'))
		return ERR_SYNTAX;
	if (is_next(&r, '}')) {
		err = 0;
	} else {
		do {
			err = member(&r, out);
		} while (err == 0 && is_next(&r, ','));
		if (err == 0 && !is_next(&r, '}'))
			err = ERR_SYNTAX;
	}
	nulls_drop(&r, out);
	blanks(&r);
	if (err == 0 && cur_left(&r.c) > 0)
		err = ERR_SYNTAX;
	wipe(r.text, sizeof(r.text));
	return err;
}
