/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/edit.c - change one thing in the text of a configuration.
 *
 * The marks of scan.c say where everything is; what is put in or taken out is
 * one piece of the text.  Whether the result is right is for conf_parse().
 */
#include "conf/edit.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "conf/check.h"
#include "conf/scan.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"

#define ROWS_MAX  64	/* options of one element */
#define PARTS_MAX 4
#define PART_MAX  (CONF_ID_MAX + 1)
#define NONE	  UINT32_MAX

/* A path, taken apart: from <vpn> down, then the option. */
struct way {
	unsigned n;			/* elements below <vpn> */
	struct {
		enum conf_scope scope;
		char name[PART_MAX];	/* of a realm, of a peer */
	} step[3];
	const struct conf_row *option;	/* NULL: the element is meant */
};

struct editor {
	const char *text;
	size_t len;
	struct conf_scan scan;
	struct edit *out;
};

__attribute__((format(printf, 2, 3))) static int
refuse(struct editor *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->out->why, sizeof(e->out->why), fmt, ap);
	va_end(ap);
	return ERR_SYNTAX;
}

/* ---- marks ---------------------------------------------------------------------- */

static bool
is_named(const struct conf_mark *m, const char *name)
{
	return m->name.len == strlen(name) &&
	    memcmp(m->name.p, name, m->name.len) == 0;
}

/* The next child of an element behind mark i (i = the element: its first). */
static uint32_t
child_next(const struct editor *e, uint32_t parent, uint32_t i)
{
	const struct conf_mark *m = e->scan.mark;

	for (i++; i < e->scan.n; i++) {
		if (m[i].is_attr)
			continue;
		if (m[i].depth <= m[parent].depth)
			return NONE;
		if (m[i].depth == m[parent].depth + 1)
			return i;
	}
	return NONE;
}

static uint32_t
attr_of(const struct editor *e, uint32_t elem, const char *name)
{
	for (uint32_t i = elem + 1; i < e->scan.n && e->scan.mark[i].is_attr;
	     i++)
		if (is_named(&e->scan.mark[i], name))
			return i;
	return NONE;
}

/* The value behind its entities; only the five of XML and numbers below 128. */
static void
decode(struct view v, char *out, size_t cap)
{
	static const struct {
		const char *name;
		char c;
	} ent[] = { { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' },
		    { "&quot;", '"' }, { "&apos;", '\'' } };
	const char *p = (const char *)v.p, *end = p + v.len;
	size_t n = 0;

	while (p < end && n + 1 < cap) {
		unsigned i = 0, c = 0;
		int used = 0;

		while (i < N_OF(ent) && strncmp(p, ent[i].name, MIN(
		       strlen(ent[i].name), (size_t)(end - p))) != 0)
			i++;
		if (*p == '&' && i < N_OF(ent)) {
			out[n++] = ent[i].c;
			p += strlen(ent[i].name);
		} else if (*p == '&' && (sscanf(p, "&#%3u;%n", &c, &used) == 1 ||
			   sscanf(p, "&#x%2x;%n", &c, &used) == 1) &&
			   used > 0 && c < 128) {
			out[n++] = (char)c;
			p += used;
		} else {
			out[n++] = *p++;
		}
	}
	out[n] = '\0';
}

static bool
has_value(const struct editor *e, uint32_t elem, const char *attr,
	  const char *want)
{
	char value[EDIT_VALUE_MAX];
	uint32_t a = attr_of(e, elem, attr);

	if (a == NONE || e->scan.mark[a].value.p == NULL)
		return false;
	decode(e->scan.mark[a].value, value, sizeof(value));
	return strcmp(value, want) == 0;
}

/* Is this the element of a step? */
static bool
fits(const struct editor *e, uint32_t elem, const struct way *w, unsigned i)
{
	enum conf_scope s = w->step[i].scope;

	if (!is_named(&e->scan.mark[elem], conf_elems[s].name))
		return false;
	if (s == CONF_IN_REALM)
		return has_value(e, elem, "name", w->step[i].name);
	if (s != CONF_IN_PEER)
		return true;
	return has_value(e, elem, "name", w->step[i].name) ||
	    (attr_of(e, elem, "name") == NONE &&
	     has_value(e, elem, "id", w->step[i].name));
}

/* ---- paths ---------------------------------------------------------------------- */

static int
scope_named(const char *name, enum conf_scope parent)
{
	for (int s = 0; s < CONF_IN_END; s++)
		if (strcmp(conf_elems[s].name, name) == 0 &&
		    (conf_elems[s].parents & (1u << parent)) != 0 &&
		    conf_elems[s].needs == NULL)
			return s;
	return -1;
}

static enum conf_scope
here(const struct way *w)
{
	return w->n == 0 ? CONF_IN_VPN : w->step[w->n - 1].scope;
}

/* One part: an element by its kind, a realm or peer by its name, at the end an
 * option. */
static int
part_take(struct editor *e, struct way *w, const char *part, bool is_last)
{
	enum conf_scope at = here(w), next;
	int s = scope_named(part, at);

	if (is_last && (w->option = conf_row_find(at, part)) != NULL)
		return 0;
	if (s >= 0 && s != CONF_IN_REALM && s != CONF_IN_PEER)
		next = (enum conf_scope)s;
	else if (at == CONF_IN_VPN)
		next = CONF_IN_REALM;
	else if (at == CONF_IN_REALM)
		next = CONF_IN_PEER;
	else
		return refuse(e, "<%s> has no option %s", conf_elems[at].name,
			      part);
	if (w->n == N_OF(w->step))
		return refuse(e, "the path is too long");
	w->step[w->n].scope = next;
	str_copy(w->step[w->n].name, sizeof(w->step[0].name), part);
	w->n++;
	return 0;
}

static int
way_read(struct editor *e, const char *path, struct way *w)
{
	char part[PART_MAX];
	size_t n;
	int err;

	*w = (struct way){ 0 };
	for (;;) {
		n = strcspn(path, "/");
		if (n == 0 || n >= sizeof(part))
			return refuse(e, "a path is like log, branches/mtu or "
				      "branches/osaka/at");
		memcpy(part, path, n);
		part[n] = '\0';
		if ((err = part_take(e, w, part, path[n] == '\0')) != 0)
			return err;
		if (path[n] == '\0')
			return 0;
		path += n + 1;
	}
}

/* Follow it: the element as deep as it goes, and how many steps that were. */
static int
walk(struct editor *e, const struct way *w, uint32_t *elem, unsigned *n)
{
	uint32_t at = 0, found;

	while (at < e->scan.n && e->scan.mark[at].is_attr)
		at++;
	if (at == e->scan.n || !is_named(&e->scan.mark[at], "vpn"))
		return refuse(e, "the file has no <vpn>");
	for (*n = 0; *n < w->n; (*n)++) {
		found = NONE;
		for (uint32_t i = child_next(e, at, at); i != NONE;
		     i = child_next(e, at, i)) {
			if (!fits(e, i, w, *n))
				continue;
			if (found != NONE)
				return refuse(e, "there are several <%s>: "
					      "change them in the file",
					      conf_elems[w->step[*n].scope].name);
			found = i;
		}
		if (found == NONE)
			break;
		at = found;
	}
	*elem = at;
	return 0;
}

/* ---- texts ---------------------------------------------------------------------- */

static int
begin(struct editor *e, const char *text, size_t len, struct edit *out)
{
	struct conf_errs *errs = calloc(1, sizeof(*errs));
	int err;

	*out = (struct edit){ .def = "" };
	*e = (struct editor){ .text = text, .len = len, .out = out };
	if (errs == NULL)
		return ERR_NOMEM;
	conf_errs_init(errs, "");
	err = conf_scan(text, len, 0, &e->scan, errs);
	if (err == ERR_CONF)
		str_copy(out->why, sizeof(out->why), errs->n > 0 ?
			 errs->e[0].text : "the file cannot be read");
	free(errs);
	return err;
}

/* Replace n bytes at p by put. */
static int
splice(const struct editor *e, const char *p, size_t n, const char *put,
       char **now, size_t *now_len)
{
	size_t at = (size_t)(p - e->text), n_put = strlen(put);
	size_t len = e->len - n + n_put;
	char *t = malloc(len + 1);

	if (t == NULL)
		return ERR_NOMEM;
	memcpy(t, e->text, at);
	memcpy(t + at, put, n_put);
	memcpy(t + at + n_put, p + n, e->len - at - n);
	t[len] = '\0';
	*now = t;
	*now_len = len;
	return 0;
}

static void
add_value(char *out, size_t cap, const char *v, char quote)
{
	for (; *v != '\0'; v++) {
		if (*v == '&')
			str_add(out, cap, "&amp;");
		else if (*v == '<')
			str_add(out, cap, "&lt;");
		else if (*v == quote)
			str_add(out, cap, quote == '"' ? "&quot;" : "&apos;");
		else
			str_add(out, cap, "%c", *v);
	}
}

/* The blanks in front of a place in its line; "" when more is there. */
static void
indent_of(const struct editor *e, const char *p, char *out, size_t cap)
{
	const char *from = p;

	out[0] = '\0';
	while (from > e->text && (from[-1] == ' ' || from[-1] == '\t'))
		from--;
	if (from == e->text || from[-1] == '\n')
		str_add(out, cap, "%.*s", (int)(p - from), from);
}

/* ---- changes -------------------------------------------------------------------- */

#define PIECE_MAX (8 * EDIT_VALUE_MAX)

static int
attr_put(struct editor *e, uint32_t elem, const char *name, const char *value,
	 char **now, size_t *now_len)
{
	char piece[PIECE_MAX] = "";
	uint32_t a = attr_of(e, elem, name), last = elem;
	const struct conf_mark *m;
	const char *p;

	if (a != NONE && e->scan.mark[a].value.p != NULL) {
		m = &e->scan.mark[a];
		add_value(piece, sizeof(piece), value, m->quote);
		return splice(e, (const char *)m->value.p, m->value.len, piece,
			      now, now_len);
	}
	while (last + 1 < e->scan.n && e->scan.mark[last + 1].is_attr)
		last++;
	m = &e->scan.mark[last];
	p = last == elem || m->value.p == NULL ?
	    (const char *)m->name.p + m->name.len :
	    (const char *)m->value.p + m->value.len + 1;
	str_add(piece, sizeof(piece), " %s=\"", name);
	add_value(piece, sizeof(piece), value, '"');
	str_add(piece, sizeof(piece), "\"");
	return splice(e, p, 0, piece, now, now_len);
}

/* "<peer id=... at=.../>" for the last step, inside of the others that lack. */
static void
elements(const struct way *w, unsigned from, const char *value,
	 const char *indent, char *out, size_t cap)
{
	static const char *const key[CONF_IN_END] = {
		[CONF_IN_REALM] = "name", [CONF_IN_PEER] = "id",
	};
	bool is_last = from + 1 == w->n;
	enum conf_scope s = w->step[from].scope;
	char deeper[80] = "";

	str_add(deeper, sizeof(deeper), "%s  ", indent);
	str_add(out, cap, "%s<%s", indent, conf_elems[s].name);
	if (key[s] != NULL) {
		str_add(out, cap, " %s=\"", key[s]);
		add_value(out, cap, w->step[from].name, '"');
		str_add(out, cap, "\"");
	}
	if (!is_last) {
		str_add(out, cap, ">\n");
		elements(w, from + 1, value, deeper, out, cap);
		str_add(out, cap, "\n%s</%s>", indent, conf_elems[s].name);
		return;
	}
	if (w->option != NULL && (key[s] == NULL ||
	    strcmp(key[s], w->option->opt.name) != 0)) {
		str_add(out, cap, " %s=\"", w->option->opt.name);
		add_value(out, cap, value, '"');
		str_add(out, cap, "\"");
	}
	str_add(out, cap, s == CONF_IN_REALM ? "></realm>" : "/>");
}

/* Put what lacks below elem, behind the last of its kind. */
static int
element_put(struct editor *e, uint32_t elem, const struct way *w, unsigned from,
	    const char *value, char **now, size_t *now_len)
{
	const struct conf_mark *m = &e->scan.mark[elem];
	char piece[PIECE_MAX] = "", indent[64], own[64];
	uint32_t like = NONE, last = NONE;

	for (uint32_t i = child_next(e, elem, elem); i != NONE;
	     i = child_next(e, elem, i)) {
		last = i;
		if (is_named(&e->scan.mark[i],
			     conf_elems[w->step[from].scope].name))
			like = i;
	}
	like = like != NONE ? like : last;
	indent_of(e, m->begin, own, sizeof(own));
	indent[0] = '\0';
	str_add(indent, sizeof(indent), "%s  ", own);
	if (like != NONE && e->scan.mark[like].end != NULL) {
		indent_of(e, e->scan.mark[like].begin, indent, sizeof(indent));
		str_add(piece, sizeof(piece), "\n");
		elements(w, from, value, indent, piece, sizeof(piece));
		return splice(e, e->scan.mark[like].end, 0, piece, now, now_len);
	}
	if (m->is_empty) {		/* "/>" becomes ">...</name>" */
		str_add(piece, sizeof(piece), ">\n");
		elements(w, from, value, indent, piece, sizeof(piece));
		str_add(piece, sizeof(piece), "\n%s</%.*s>", own,
			(int)m->name.len, (const char *)m->name.p);
		return splice(e, m->inner - 2, 2, piece, now, now_len);
	}
	if (m->inner == NULL || m->close == NULL)
		return refuse(e, "the file is not well-formed: tapir check says "
			      "where");
	str_add(piece, sizeof(piece), "\n");
	elements(w, from, value, indent, piece, sizeof(piece));
	if (memchr(m->inner, '\n', (size_t)(m->close - m->inner)) == NULL)
		str_add(piece, sizeof(piece), "\n%s", own);
	return splice(e, m->inner, 0, piece, now, now_len);
}

/* With the blanks before it; a line it had for itself goes, too. */
static int
cut(struct editor *e, const char *p, const char *end, bool is_element,
    char **now, size_t *now_len)
{
	const char *from = p, *to = end;

	while (from > e->text && (from[-1] == ' ' || from[-1] == '\t'))
		from--;
	if (!is_element) {
		while (from > e->text && strchr(" \t\r\n", from[-1]) != NULL)
			from--;
		return splice(e, from, (size_t)(end - from), "", now, now_len);
	}
	while (to < e->text + e->len && (*to == ' ' || *to == '\t' ||
					 *to == '\r'))
		to++;
	if ((from == e->text || from[-1] == '\n') && to < e->text + e->len &&
	    *to == '\n')
		return splice(e, from, (size_t)(to + 1 - from), "", now, now_len);
	return splice(e, p, (size_t)(end - p), "", now, now_len);
}

static int
take_out(struct editor *e, uint32_t elem, const struct way *w, char **now,
	 size_t *now_len)
{
	const struct conf_mark *m = &e->scan.mark[elem];
	uint32_t a;

	if (w->option == NULL) {
		if (m->end == NULL || w->n == 0)
			return refuse(e, "the file cannot be taken apart here");
		return cut(e, m->begin, m->end, true, now, now_len);
	}
	a = attr_of(e, elem, w->option->opt.name);
	if (a == NONE || e->scan.mark[a].value.p == NULL)
		return ERR_NOTFOUND;
	m = &e->scan.mark[a];
	return cut(e, (const char *)m->name.p, (const char *)m->value.p +
		   m->value.len + 1, false, now, now_len);
}

/* A value for something that is no option. */
static int
no_option(struct editor *e, const struct way *w, const char *path, unsigned n)
{
	enum conf_scope s = w->n < 2 ? CONF_IN_VPN : w->step[w->n - 2].scope;
	const char *word[ROWS_MAX], *near, *last = w->step[w->n - 1].name;
	unsigned n_word = 0;

	for (unsigned i = 0; i < conf_n_rows && n_word < ROWS_MAX; i++)
		if (conf_rows[i].scope == s)
			word[n_word++] = conf_rows[i].opt.name;
	near = str_closest(last, word, n_word);
	if (n < w->n && near != NULL)
		return refuse(e, "<%s> has no option %.40s; did you mean %s?",
			      conf_elems[s].name, last, near);
	return refuse(e, "%.100s is no option: name one of it, like %.100s/%s",
		      path, path, here(w) == CONF_IN_PEER ? "at" : "name");
}

/* ---- the face ------------------------------------------------------------------- */

static int
look(struct editor *e, const char *path, struct way *w, uint32_t *elem,
     unsigned *n)
{
	struct edit *out = e->out;
	uint32_t a;
	int err;

	if ((err = way_read(e, path, w)) != 0 ||
	    (err = walk(e, w, elem, n)) != 0)
		return err;
	out->is_option = w->option != NULL;
	out->def = w->option != NULL ? w->option->opt.def : "";
	if (*n < w->n) {
		out->found = *n + 1 == w->n && *n > 0 ? EDIT_PARENT :
		    EDIT_NOTHING;
		return 0;
	}
	out->found = EDIT_ELEMENT;
	a = w->option != NULL ? attr_of(e, *elem, w->option->opt.name) : NONE;
	if (a != NONE && e->scan.mark[a].value.p != NULL) {
		out->found = EDIT_OPTION;
		decode(e->scan.mark[a].value, out->value, sizeof(out->value));
	}
	return 0;
}

int
edit_find(const char *text, size_t len, const char *path, struct edit *out)
{
	struct editor e;
	struct way w;
	uint32_t elem;
	unsigned n;
	int err = begin(&e, text, len, out);

	if (err == 0)
		err = look(&e, path, &w, &elem, &n);
	conf_scan_fini(&e.scan);
	return err;
}

int
edit_change(const char *text, size_t len, const char *path, const char *value,
	    char **now, size_t *now_len, struct edit *out)
{
	struct editor e;
	struct way w;
	uint32_t elem;
	unsigned n;
	int err = begin(&e, text, len, out);

	if (err != 0 || (err = look(&e, path, &w, &elem, &n)) != 0)
		goto out;
	if (value != NULL && strlen(value) >= EDIT_VALUE_MAX)
		err = refuse(&e, "the value is too long");
	else if (value == NULL && n < w.n)
		err = ERR_NOTFOUND;
	else if (value == NULL)
		err = take_out(&e, elem, &w, now, now_len);
	else if (w.option == NULL)
		err = no_option(&e, &w, path, n);
	else if (n < w.n)
		err = element_put(&e, elem, &w, n, value, now, now_len);
	else
		err = attr_put(&e, elem, w.option->opt.name, value, now,
			       now_len);
out:
	conf_scan_fini(&e.scan);
	return err;
}

/* What a path calls an element: its name, its id, or its kind. */
static void
called(const struct editor *e, uint32_t elem, char *out, size_t cap)
{
	const struct conf_mark *m = &e->scan.mark[elem];
	uint32_t a = NONE;

	if (is_named(m, "realm") || is_named(m, "peer"))
		a = attr_of(e, elem, "name");
	if (a == NONE && is_named(m, "peer"))
		a = attr_of(e, elem, "id");
	if (a != NONE && e->scan.mark[a].value.p != NULL)
		decode(e->scan.mark[a].value, out, cap);
	else {
		out[0] = '\0';
		str_add(out, cap, "%.*s", (int)m->name.len,
			(const char *)m->name.p);
	}
}

int
edit_each(const char *text, size_t len, edit_each_fn *fn, void *ctx)
{
	char part[CONF_DEPTH_MAX + 1][PART_MAX], path[PARTS_MAX * PART_MAX];
	char value[EDIT_VALUE_MAX];
	struct edit unused;
	struct editor e;
	unsigned depth = 0;
	int err = begin(&e, text, len, &unused);

	for (uint32_t i = 0; err == 0 && i < e.scan.n; i++) {
		const struct conf_mark *m = &e.scan.mark[i];

		if (!m->is_attr) {
			depth = m->depth;
			called(&e, i, part[depth], PART_MAX);
			continue;
		}
		if (m->value.p == NULL)
			continue;
		path[0] = '\0';
		for (unsigned d = 1; d <= depth; d++)
			str_add(path, sizeof(path), "%s/", part[d]);
		str_add(path, sizeof(path), "%.*s", (int)m->name.len,
			(const char *)m->name.p);
		decode(m->value, value, sizeof(value));
		fn(ctx, path, value);
	}
	conf_scan_fini(&e.scan);
	return err;
}
