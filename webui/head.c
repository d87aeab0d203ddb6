/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/head.c - the strict check of a request's head.
 *
 *   method SP path[?query] SP HTTP/1.1 CRLF
 *   name: value CRLF
 *   CRLF
 */
#include "webui/head.h"
#include <string.h>
#include <strings.h>
#include "daemon/base/cur.h"
#include "daemon/base/err.h"

#define PATH_BYTES_MAX 512 /* longest target; ours */
#define LENGTH_DIGITS  10

static const char *const field_name[UI_F_END] = {
	[UI_F_HOST] = "host",
	[UI_F_LENGTH] = "content-length",
	[UI_F_AUTH] = "authorization",
	[UI_F_TYPE] = "content-type",
	[UI_F_ACCEPT] = "accept",
	[UI_F_ORIGIN] = "origin",
	[UI_F_SITE] = "sec-fetch-site",
	[UI_F_MODE] = "sec-fetch-mode",
	[UI_F_DEST] = "sec-fetch-dest",
	[UI_F_ENCODING] = "accept-encoding",
	[UI_F_IF_NONE] = "if-none-match",
	[UI_F_IF_MATCH] = "if-match",
	[UI_F_EXPECT] = "expect",
	[UI_F_TRANSFER] = "transfer-encoding",
	[UI_F_CONNECTION] = "connection",
};

/* ---- views --------------------------------------------------------------- */

bool
ui_view_is(struct view v, const char *text)
{
	return v.p != NULL && v.len == strlen(text) &&
	    memcmp(v.p, text, v.len) == 0;
}

bool
ui_view_is_ci(struct view v, const char *text)
{
	return v.p != NULL && v.len == strlen(text) &&
	    strncasecmp((const char *)v.p, text, v.len) == 0;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static struct view
trimmed(struct view v)
{
	while (v.len > 0 && is_blank(v.p[0])) {
		v.p++;
		v.len--;
	}
	while (v.len > 0 && is_blank(v.p[v.len - 1]))
		v.len--;
	return v;
}

/* Cut v at the first c: what stands before it; v becomes what is behind. */
static struct view
cut(struct view *v, uint8_t c)
{
	const uint8_t *at = v->len > 0 ? memchr(v->p, c, v->len) : NULL;
	struct view first = *v;

	if (at == NULL) {
		v->p += v->len;
		v->len = 0;
		return first;
	}
	first.len = (size_t)(at - v->p);
	v->len -= first.len + 1;
	v->p = at + 1;
	return first;
}

/* Is there a weight of zero among these parameters: "not this" (RFC 9110 12.4.2)? */
static bool
is_unwanted(struct view params)
{
	while (params.len > 0) {
		struct view one = trimmed(cut(&params, ';')), name;
		bool is_zero = true;

		name = cut(&one, '=');
		for (size_t i = 0; i < one.len; i++)
			is_zero &= one.p[i] == (i == 1 ? '.' : '0');
		if (ui_view_is_ci(name, "q") && one.len > 0 && is_zero)
			return true;
	}
	return false;
}

bool
ui_list_has(struct view list, const char *word)
{
	struct view item;

	if (list.p == NULL)
		return false;
	while (list.len > 0) {
		item = cut(&list, ',');
		if (ui_view_is_ci(trimmed(cut(&item, ';')), word))
			return !is_unwanted(item);
	}
	return false;
}

bool
ui_list_has_tag(struct view list, const char *tag)
{
	struct view item;

	if (list.p == NULL)
		return false;
	while (list.len > 0) {
		item = trimmed(cut(&list, ','));
		if (ui_view_is(item, "*"))
			return true;
		if (item.len > 2 && memcmp(item.p, "W/", 2) == 0) {
			item.p += 2;
			item.len -= 2;
		}
		if (ui_view_is(item, tag))
			return true;
	}
	return false;
}

bool
ui_query_get(struct view query, const char *name, struct view *out)
{
	struct view item, key;

	while (query.len > 0) {
		item = cut(&query, '&');
		key = cut(&item, '=');
		if (ui_view_is(key, name)) {
			*out = item;
			return true;
		}
	}
	return false;
}

/* ---- lines --------------------------------------------------------------- */

/* Is this a character of a token, RFC 9110 5.6.2? */
static bool
is_token(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') ||
	    (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* Characters our paths and queries are made of: no escapes. */
static bool
is_target(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') ||
	    (c != '\0' && strchr("-._~/?=&+@:,", c) != NULL);
}

/* The next line without its CRLF.  0, ERR_AGAIN, or 400 for a bare CR or LF, or
 * a control character. */
static int
line_next(struct cur *c, struct view *line)
{
	struct cur at = *c;
	struct view all;
	size_t n = 0;

	cur_rest(&at, &all);
	for (; n < all.len; n++) {
		if (all.p[n] == '\r')
			break;
		if ((all.p[n] < ' ' && all.p[n] != '\t') || all.p[n] == 0x7f)
			return 400;
	}
	if (n + 1 >= all.len)
		return ERR_AGAIN;
	if (all.p[n + 1] != '\n')
		return 400;
	if (cur_view(c, n, line) != 0 || cur_skip(c, 2) != 0)
		return 400; /* not reached: both were there */
	return 0;
}

static int
method_of(struct view v, enum ui_method *out)
{
	static const struct {
		const char *name;
		enum ui_method method;
	} known[] = {
		{ "GET", UI_GET }, { "HEAD", UI_HEAD }, { "POST", UI_POST },
		{ "PUT", UI_PUT }, { "DELETE", UI_DELETE },
	};

	for (unsigned i = 0; i < N_OF(known); i++)
		if (ui_view_is(v, known[i].name)) {
			*out = known[i].method;
			return 0;
		}
	if (v.len == 0)
		return 400;
	for (size_t i = 0; i < v.len; i++)
		if (!is_token(v.p[i]))
			return 400;
	return 501; /* RFC 9110 9.1 */
}

/* A path from the root, without empty, "." and ".." parts. */
static int
path_check(struct view path)
{
	struct view part, rest = path;

	if (path.len == 0 || path.p[0] != '/')
		return 400;
	(void)cut(&rest, '/');
	while (rest.len > 0) {
		part = cut(&rest, '/');
		if (part.len == 0 || part.p[0] == '.')
			return 400;
	}
	return 0;
}

static int
first_line(struct view line, struct ui_head *h)
{
	struct view method = cut(&line, ' '), target = cut(&line, ' ');
	int bad;

	if ((bad = method_of(method, &h->method)) != 0)
		return bad;
	if (!ui_view_is(line, "HTTP/1.1"))
		return line.len == 8 && memcmp(line.p, "HTTP/", 5) == 0 ? 505 :
		    400;
	if (target.len > PATH_BYTES_MAX)
		return 414;
	for (size_t i = 0; i < target.len; i++)
		if (!is_target(target.p[i]))
			return 400;
	h->path = cut(&target, '?');
	h->query = target;
	return path_check(h->path);
}

static int
field_take(struct view line, struct ui_head *h)
{
	struct view value = line, name = cut(&value, ':');

	if (name.len == 0 || name.len == line.len)
		return 400;
	for (size_t i = 0; i < name.len; i++)
		if (!is_token(name.p[i]))
			return 400; /* folded lines begin with a blank */
	for (int f = 0; f < UI_F_END; f++) {
		if (!ui_view_is_ci(name, field_name[f]))
			continue;
		if (h->field[f].p != NULL)
			return 400;
		h->field[f] = trimmed(value);
	}
	return 0;
}

/* ---- the whole ----------------------------------------------------------- */

static int
length_of(struct view v, uint64_t *out)
{
	uint64_t n = 0;

	if (v.len == 0)
		return 400;
	for (size_t i = 0; i < v.len; i++)
		if (v.p[i] < '0' || v.p[i] > '9')
			return 400;
	if (v.len > LENGTH_DIGITS)
		return 413;
	for (size_t i = 0; i < v.len; i++)
		n = n * 10 + (uint64_t)(v.p[i] - '0');
	*out = n;
	return n <= UI_BODY_MAX ? 0 : 413;
}

/* What the fields say together. */
static int
whole_check(struct ui_head *h)
{
	const struct view *f = h->field;
	bool has_body = (h->method & (UI_POST | UI_PUT)) != 0;
	int bad;

	if (f[UI_F_HOST].p == NULL || f[UI_F_HOST].len == 0)
		return 400; /* RFC 9112 3.2 */
	if (f[UI_F_TRANSFER].p != NULL)
		return f[UI_F_LENGTH].p != NULL ? 400 : 501; /* RFC 9112 6.1 */
	if (f[UI_F_EXPECT].p != NULL &&
	    !ui_view_is_ci(f[UI_F_EXPECT], "100-continue"))
		return 417;
	if (f[UI_F_LENGTH].p == NULL)
		return 0; /* none, RFC 9112 6.3 */
	if ((bad = length_of(f[UI_F_LENGTH], &h->body_bytes)) != 0)
		return bad;
	return has_body || h->body_bytes == 0 ? 0 : 400;
}

/* Everything of a head of at most UI_HEAD_MAX bytes. */
static int
head_read(struct cur *c, struct ui_head *h)
{
	struct view line;
	unsigned n = 0;
	int bad;

	if ((bad = line_next(c, &line)) != 0 ||
	    (bad = first_line(line, h)) != 0)
		return bad;
	for (;;) {
		if ((bad = line_next(c, &line)) != 0)
			return bad;
		if (line.len == 0)
			break;
		if (++n > UI_FIELD_MAX)
			return 431;
		if ((bad = field_take(line, h)) != 0)
			return bad;
	}
	h->head_bytes = cur_at(c);
	return whole_check(h);
}

int
ui_head_parse(const void *p, size_t len, struct ui_head *out)
{
	struct ui_head h = { 0 };
	struct cur c;
	int bad;

	cur_init(&c, p, MIN(len, (size_t)UI_HEAD_MAX));
	bad = head_read(&c, &h);
	if (bad == ERR_AGAIN)
		return len < UI_HEAD_MAX ? ERR_AGAIN : 431;
	if (bad == 0)
		*out = h;
	return bad;
}
