/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/scan.c - a first look at an XML text: lines, bounds, no DOCTYPE.
 *
 * Knows comments, CDATA, processing instructions, tags and quotes, no more.
 * What it cannot follow it leaves to libxml2, which then refuses the text.
 *
 * Thread: any.
 */
#include "conf/scan.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "conf/tree.h"
#include "daemon/base/err.h"

struct scanner {
	const char *p, *end;
	unsigned line;
	unsigned depth;
	unsigned open[CONF_DEPTH_MAX];	/* marks of the open elements */
	struct conf_scan *out;
	struct conf_errs *errs;
};

static bool
at(const struct scanner *s, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(s->end - s->p) >= n && memcmp(s->p, word, n) == 0;
}

static void
step(struct scanner *s)
{
	if (*s->p == '\n')
		s->line++;
	s->p++;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
skip_space(struct scanner *s)
{
	while (s->p < s->end && is_space(*s->p))
		step(s);
}

/* Go behind the next `word`; to the end when there is none. */
static void
skip_past(struct scanner *s, const char *word)
{
	while (s->p < s->end && !at(s, word))
		step(s);
	if (s->p < s->end)
		s->p += strlen(word);
}

static struct view
name_here(struct scanner *s)
{
	const char *from = s->p;

	while (s->p < s->end && !is_space(*s->p) && *s->p != '>' &&
	       *s->p != '=' && *s->p != '/')
		s->p++;
	return (struct view){(const uint8_t *)from, (size_t)(s->p - from)};
}

static int
mark_add(struct scanner *s, struct view name, bool is_attr, unsigned line)
{
	if (s->out->n == CONF_NODE_MAX) {
		conf_err_add(s->errs, line,
			     "more than %u elements and attributes; this is "
			     "the limit of one file", CONF_NODE_MAX);
		return ERR_CONF;
	}
	s->out->mark[s->out->n++] = (struct conf_mark){
	    .name = name, .line = line, .is_attr = is_attr};
	return 0;
}

/* The encoding of "<?xml ... encoding=...?>" must be what we read it as. */
static int
xml_decl(struct scanner *s, const char *from)
{
	static const char key[] = "encoding";
	const char *p = from, *end = s->p;
	size_t n = 0;
	char quote;

	while (end - p > (ptrdiff_t)sizeof(key) &&
	       memcmp(p, key, sizeof(key) - 1) != 0)
		p++;
	if (end - p <= (ptrdiff_t)sizeof(key))
		return 0;
	for (p += sizeof(key) - 1; p < end && (is_space(*p) || *p == '='); p++)
		;
	if (p == end || (*p != '"' && *p != '\''))
		return 0;
	for (quote = *p++; p + n < end && p[n] != quote; n++)
		;
	if ((n == 5 && strncasecmp(p, "UTF-8", n) == 0) ||
	    (n == 8 && strncasecmp(p, "US-ASCII", n) == 0))
		return 0;
	conf_err_add(s->errs, s->line,
		     "the encoding must be UTF-8; save the file as UTF-8");
	return ERR_CONF;
}

static int
scan_instruction(struct scanner *s)
{
	const char *from = s->p;
	bool is_decl = at(s, "<?xml") && s->end - s->p > 5 && is_space(s->p[5]);

	skip_past(s, "?>");
	return is_decl ? xml_decl(s, from) : 0;
}

/* One "name = 'value'" of a start tag. */
static int
scan_attr(struct scanner *s)
{
	unsigned line = s->line;
	struct view name = name_here(s);
	char quote;
	int err;

	if (name.len == 0) {		/* a stray '=' or '/' */
		step(s);
		return 0;
	}
	if ((err = mark_add(s, name, true, line)) != 0)
		return err;
	skip_space(s);
	if (s->p == s->end || *s->p != '=')
		return 0;
	step(s);
	skip_space(s);
	if (s->p == s->end || (*s->p != '"' && *s->p != '\''))
		return 0;
	quote = *s->p;
	do
		step(s);
	while (s->p < s->end && *s->p != quote);
	if (s->p < s->end)
		step(s);
	return 0;
}

static int
scan_start(struct scanner *s)
{
	unsigned line = s->line, me = s->out->n;
	int err;

	s->p++;
	if ((err = mark_add(s, name_here(s), false, line)) != 0)
		return err;
	for (;;) {
		skip_space(s);
		if (s->p == s->end)
			return 0;
		if (at(s, "/>")) {
			s->p += 2;
			return 0;
		}
		if (*s->p == '>')
			break;
		if ((err = scan_attr(s)) != 0)
			return err;
	}
	s->p++;
	if (s->depth == CONF_DEPTH_MAX) {
		conf_err_add(s->errs, line,
			     "elements are nested more than %u deep",
			     CONF_DEPTH_MAX);
		return ERR_CONF;
	}
	s->open[s->depth++] = me;
	return 0;
}

static int
scan_markup(struct scanner *s)
{
	if (at(s, "<!--")) {
		s->p += 4;
		skip_past(s, "-->");
		return 0;
	}
	if (at(s, "<![CDATA[")) {
		skip_past(s, "]]>");
		return 0;
	}
	if (at(s, "<!")) {
		conf_err_add(s->errs, s->line,
			     "a DOCTYPE or other <! declaration is not allowed; "
			     "leave it out");
		return ERR_CONF;
	}
	if (at(s, "<?"))
		return scan_instruction(s);
	if (at(s, "</")) {
		skip_past(s, ">");
		if (s->depth > 0)
			s->depth--;
		return 0;
	}
	return scan_start(s);
}

int
conf_scan(const char *text, size_t len, struct conf_scan *out,
	  struct conf_errs *errs)
{
	struct scanner s = {
	    .p = text, .end = text + len, .line = 1, .out = out, .errs = errs};
	struct conf_mark *m;
	int err;

	*out = (struct conf_scan){0};
	out->mark = calloc(CONF_NODE_MAX, sizeof(*out->mark));
	if (out->mark == NULL)
		return ERR_NOMEM;
	while (s.p < s.end) {
		if (*s.p == '<') {
			if ((err = scan_markup(&s)) != 0)
				return err;
			continue;
		}
		if (!is_space(*s.p) && s.depth > 0) {
			m = &out->mark[s.open[s.depth - 1]];
			if (m->text_line == 0)
				m->text_line = s.line;
		}
		step(&s);
	}
	return 0;
}

void
conf_scan_fini(struct conf_scan *s)
{
	free(s->mark);
	*s = (struct conf_scan){0};
}
