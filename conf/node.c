/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/node.c - what the files of the checker share: errors, copies, and an
 * element of the tree with its attributes.
 *
 * Thread: the caller's.
 */
#include "conf/check.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "daemon/base/str.h"

#define ROWS_MAX 64 /* options of one element */

/* ---- errors and small helpers ------------------------------------------------ */

__attribute__((format(printf, 4, 0))) static void
err_vadd(struct conf_errs *errs, struct conf_pos pos, enum conf_code code,
	 const char *fmt, va_list ap)
{
	struct conf_err *e;

	if (errs->n == CONF_ERR_MAX) {
		errs->n_more++;
		return;
	}
	e = &errs->e[errs->n++];
	e->file = pos.file;
	e->line = pos.line;
	e->col = pos.col;
	e->code = code;
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
}

void
conf_err_add(struct conf_errs *errs, struct conf_pos pos, enum conf_code code,
	     const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_vadd(errs, pos, code, fmt, ap);
	va_end(ap);
}

void
conf_bad(struct checker *k, struct conf_pos pos, enum conf_code code,
	 const char *fmt, ...)
{
	va_list ap;

	k->n_bad++;
	va_start(ap, fmt);
	err_vadd(k->errs, pos, code, fmt, ap);
	va_end(ap);
}

const char *
conf_keep(struct checker *k, const char *text)
{
	const char *t = arena_dup(k->mem, text, strlen(text) + 1);

	if (t != NULL)
		return t;
	k->is_oom = true;
	return "";
}

void *
conf_keep_array(struct checker *k, unsigned n, size_t size)
{
	void *p = arena_alloc(k->mem, n > 0 ? n * size : 1);

	if (p == NULL)
		k->is_oom = true;
	return p;
}

const char *
conf_quote(const char *value, char *out)
{
	size_t n = strlen(value);

	str_escape(out, QUOTE_MAX, value, n);
	if (strlen(out) == QUOTE_MAX - 1)
		memcpy(out + QUOTE_MAX - 4, "...", 4);
	return out;
}

const struct conf_attr *
conf_node_attr(const struct conf_node *n, const char *name)
{
	for (unsigned i = 0; i < n->n_attr; i++)
		if (strcmp(n->attr[i].name, name) == 0)
			return &n->attr[i];
	return NULL;
}

const struct conf_row *
conf_row_find(enum conf_scope scope, const char *name)
{
	for (unsigned i = 0; i < conf_n_rows; i++)
		if (conf_rows[i].scope == scope &&
		    strcmp(conf_rows[i].opt.name, name) == 0)
			return &conf_rows[i];
	return NULL;
}

bool
conf_list_next(const char **p, char *out, size_t cap)
{
	static const char sep[] = " ,\t\r\n";
	const char *from = *p + strspn(*p, sep);
	size_t n = strcspn(from, sep);

	*p = from + n;
	if (n == 0)
		return false;
	if (n >= cap)
		n = cap - 1;
	memcpy(out, from, n);
	out[n] = '\0';
	return true;
}

bool
conf_word_next(const char **p, char *out, size_t cap)
{
	return conf_list_next(p, out, cap);
}

bool
conf_has_later(const struct conf_node *n, enum conf_scope scope)
{
	const struct conf_row *row;

	for (unsigned i = 0; n != NULL && i < n->n_attr; i++) {
		row = conf_row_find(scope, n->attr[i].name);
		if (row != NULL && row->kind == K_LATER)
			return true;
	}
	return false;
}

static int
scope_of(const char *name)
{
	for (int s = 0; s < CONF_IN_END; s++)
		if (strcmp(conf_elems[s].name, name) == 0)
			return s;
	return -1;
}

bool
conf_node_is(const struct conf_node *n, enum conf_scope scope)
{
	return strcmp(n->name, conf_elems[scope].name) == 0;
}

unsigned
conf_node_count(const struct conf_node *n, enum conf_scope scope)
{
	unsigned n_found = 0;

	for (const struct conf_node *c = n->child; c != NULL; c = c->next)
		n_found += conf_node_is(c, scope);
	return MIN(n_found, conf_elems[scope].max);
}

const struct conf_node *
conf_node_child(const struct conf_node *n, enum conf_scope scope)
{
	for (const struct conf_node *c = n->child; c != NULL; c = c->next)
		if (conf_node_is(c, scope))
			return c;
	return NULL;
}

/* ---- any element ------------------------------------------------------------- */

/* An unknown word: what it is, what it may be. */
static void
unknown(struct checker *k, struct conf_pos pos, enum conf_code code,
	const char *head, const char *word, const char *const *names, unsigned n)
{
	const char *close = str_closest(word, names, n);
	char list[200] = "";

	for (unsigned i = 0; i < n; i++)
		str_add(list, sizeof(list), " %s", names[i]);
	if (n == 0)
		str_add(list, sizeof(list), " nothing");
	if (close != NULL)
		conf_bad(k, pos, code, "%s; did you mean \"%s\"?  Allowed:%s", head,
			 close, list);
	else
		conf_bad(k, pos, code, "%s; allowed:%s", head, list);
}

static void
unknown_attr(struct checker *k, const struct conf_attr *a, enum conf_scope s)
{
	char head[2 * QUOTE_MAX], q[QUOTE_MAX];
	const char *name[ROWS_MAX];
	unsigned n = 0;

	for (unsigned i = 0; i < conf_n_rows && n < ROWS_MAX; i++)
		if (conf_rows[i].scope == s)
			name[n++] = conf_rows[i].opt.name;
	snprintf(head, sizeof(head), "unknown option \"%s\" of <%s>",
		 conf_quote(a->name, q), conf_elems[s].name);
	unknown(k, a->pos, CONF_E_OPTION, head, a->name, name, n);
}

/* A child that does not belong into s: unknown, or misplaced. */
static void
wrong_child(struct checker *k, const struct conf_node *c, enum conf_scope s)
{
	char head[2 * QUOTE_MAX], q[QUOTE_MAX];
	const char *name[CONF_IN_END];
	unsigned n = 0;
	int known = scope_of(c->name);

	for (int i = 0; i < CONF_IN_END; i++)
		if (conf_elems[i].parents & (1u << s))
			name[n++] = conf_elems[i].name;
	conf_quote(c->name, q);
	if (known >= 0)
		snprintf(head, sizeof(head), "<%s> does not belong into <%s>",
			 q, conf_elems[s].name);
	else
		snprintf(head, sizeof(head), "unknown element <%s> in <%s>", q,
			 conf_elems[s].name);
	unknown(k, c->pos, known >= 0 ? CONF_E_MISPLACED : CONF_E_ELEMENT,
		head, known >= 0 ? "" : c->name, name, n);
}

/* Say what is wrong with the children of n as such; their content is the
 * business of who takes them. */
static void
check_children(struct checker *k, const struct conf_node *n, enum conf_scope s)
{
	unsigned seen[CONF_IN_END] = {0};
	int cs;

	for (const struct conf_node *c = n->child; c != NULL; c = c->next) {
		cs = scope_of(c->name);
		if (cs < 0 || !(conf_elems[cs].parents & (1u << s))) {
			wrong_child(k, c, s);
			continue;
		}
		if (conf_elems[cs].needs != NULL)
			conf_bad(k, c->pos, CONF_E_LATER, "<%s> is not available in this "
				 "version (needs %s)", c->name,
				 conf_elems[cs].needs);
		else if (++seen[cs] == conf_elems[cs].max + 1)
			conf_bad(k, c->pos, CONF_E_MANY, "too many <%s> in one <%s>; at "
				 "most %u", c->name, conf_elems[s].name,
				 conf_elems[cs].max);
	}
}

void
conf_node_fill(struct checker *k, const struct conf_node *n, enum conf_scope s,
	       void *obj)
{
	const struct conf_row *row;

	for (unsigned i = 0; i < conf_n_rows; i++)
		if (conf_rows[i].scope == s)
			conf_field_default(&conf_rows[i], obj);
	for (unsigned i = 0; i < n->n_attr; i++) {
		row = conf_row_find(s, n->attr[i].name);
		if (row != NULL)
			conf_field_set(k, row, &n->attr[i], obj);
		else
			unknown_attr(k, &n->attr[i], s);
	}
	check_children(k, n, s);
}
