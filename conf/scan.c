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

#define MARK_STEP 1024	/* marks the table grows by; ours */

struct scanner {
	const char *p, *end;
	const char *seen;		/* columns of this line are counted to */
	unsigned col;
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
	if (*s->p++ != '\n')
		return;
	s->line++;
	s->seen = s->p;
	s->col = 1;
}

/* Columns are characters, not bytes. */
static struct conf_pos
here(struct scanner *s)
{
	for (; s->seen < s->p; s->seen++)
		s->col += ((unsigned char)*s->seen & 0xc0) != 0x80;
	return (struct conf_pos){
	    .line = s->line, .col = (uint16_t)MIN(s->col, UINT16_MAX),
	    .file = (uint16_t)s->out->file};
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
mark_add(struct scanner *s, struct view name, bool is_attr, struct conf_pos pos)
{
	struct conf_mark *more;

	if (s->out->n == CONF_NODE_MAX) {
		conf_err_add(s->errs, pos, CONF_E_SIZE,
			     "more than %u elements and attributes; this is "
			     "the limit of one file", CONF_NODE_MAX);
		return ERR_CONF;
	}
	if (s->out->n == s->out->cap) {
		more = realloc(s->out->mark, (s->out->cap + MARK_STEP) *
			       sizeof(*more));
		if (more == NULL)
			return ERR_NOMEM;
		s->out->mark = more;
		s->out->cap += MARK_STEP;
	}
	s->out->mark[s->out->n++] = (struct conf_mark){
	    .name = name, .pos = pos, .is_attr = is_attr};
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
	conf_err_add(s->errs, here(s), CONF_E_ENCODING,
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
	struct conf_pos pos = here(s);
	struct view name = name_here(s);
	struct conf_mark *m;
	const char *from;
	char quote;
	int err;

	if (name.len == 0) {		/* a stray '=' or '/' */
		step(s);
		return 0;
	}
	if ((err = mark_add(s, name, true, pos)) != 0)
		return err;
	skip_space(s);
	if (s->p == s->end || *s->p != '=')
		return 0;
	step(s);
	skip_space(s);
	if (s->p == s->end || (*s->p != '"' && *s->p != '\''))
		return 0;
	quote = *s->p;
	from = s->p + 1;
	do
		step(s);
	while (s->p < s->end && *s->p != quote);
	if (s->p == s->end)
		return 0;
	m = &s->out->mark[s->out->n - 1];
	m->value = (struct view){(const uint8_t *)from, (size_t)(s->p - from)};
	m->quote = quote;
	step(s);
	return 0;
}

static int
scan_start(struct scanner *s)
{
	struct conf_pos pos = here(s);
	unsigned me = s->out->n;
	const char *begin = s->p;
	int err;

	s->p++;
	if ((err = mark_add(s, name_here(s), false, pos)) != 0)
		return err;
	s->out->mark[me].begin = begin;
	s->out->mark[me].depth = s->depth;
	for (;;) {
		skip_space(s);
		if (s->p == s->end)
			return 0;
		if (at(s, "/>")) {
			s->p += 2;
			s->out->mark[me].is_empty = true;
			s->out->mark[me].inner = s->out->mark[me].end = s->p;
			return 0;
		}
		if (*s->p == '>')
			break;
		if ((err = scan_attr(s)) != 0)
			return err;
	}
	s->p++;
	s->out->mark[me].inner = s->p;
	if (s->depth == CONF_DEPTH_MAX) {
		conf_err_add(s->errs, pos, CONF_E_SIZE,
			     "elements are nested more than %u deep",
			     CONF_DEPTH_MAX);
		return ERR_CONF;
	}
	s->open[s->depth++] = me;
	return 0;
}

static void
scan_end(struct scanner *s)
{
	const char *close = s->p;
	struct conf_mark *m;

	skip_past(s, ">");
	if (s->depth == 0)
		return;
	m = &s->out->mark[s->open[--s->depth]];
	m->close = close;
	m->end = s->p;
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
		conf_err_add(s->errs, here(s), CONF_E_DOCTYPE,
			     "a DOCTYPE or other <! declaration is not allowed; "
			     "leave it out");
		return ERR_CONF;
	}
	if (at(s, "<?"))
		return scan_instruction(s);
	if (at(s, "</")) {
		scan_end(s);
		return 0;
	}
	return scan_start(s);
}

int
conf_scan(const char *text, size_t len, unsigned file, struct conf_scan *out,
	  struct conf_errs *errs)
{
	struct scanner s = {
	    .p = text, .seen = text, .col = 1, .end = text + len, .line = 1, .out = out,
	    .errs = errs};
	struct conf_mark *m;
	int err;

	*out = (struct conf_scan){.file = file};
	while (s.p < s.end) {
		if (*s.p == '<') {
			if ((err = scan_markup(&s)) != 0)
				return err;
			continue;
		}
		if (!is_space(*s.p) && s.depth > 0) {
			m = &out->mark[s.open[s.depth - 1]];
			if (m->text.line == 0)
				m->text = here(&s);
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
