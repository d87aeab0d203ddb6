/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/parse.c - text -> tree with line numbers, by libxml2 behind our checks.
 *
 * Before the parser: size, encoding, depth, number of nodes, no DOCTYPE
 * (scan.c).  In the parser: no network, no entities, no huge mode.  After it:
 * the tree is copied, so that libxml2 ends in this file.
 *
 * Thread: any; see conf_parse().
 */
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdlib.h>
#include <string.h>
#include "conf/scan.h"
#include "conf/tree.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"

/* IGNORE_ENC and "UTF-8" below: the text is UTF-8, whatever it says, so that
 * nothing can hide from the scan behind another encoding. */
#define XML_OPTIONS                                                            \
	(XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_IGNORE_ENC |          \
	 XML_PARSE_BIG_LINES)

#if LIBXML_VERSION >= 21200
typedef const xmlError xml_error_arg;
#else
typedef xmlError xml_error_arg;
#endif

/* The first error: later ones only follow from it. */
struct first_error {
	bool is_set;
	int code;
	struct conf_pos pos;
	char why[200];
	char name[80];
};

struct builder {
	struct arena *mem;
	const struct conf_scan *scan;
	unsigned i_mark;
	struct conf_errs *errs;
	bool is_oom;
};

static const char *
dup_text(struct builder *b, const char *text)
{
	const char *d = arena_dup(b->mem, text, strlen(text) + 1);

	if (d == NULL) {
		b->is_oom = true;
		return "";
	}
	return d;
}

/* "prefix:name" or "name". */
static const char *
dup_qname(struct builder *b, const xmlNs *ns, const xmlChar *name)
{
	size_t n_prefix, n_name = strlen((const char *)name);
	char *d;

	if (ns == NULL || ns->prefix == NULL)
		return dup_text(b, (const char *)name);
	n_prefix = strlen((const char *)ns->prefix);
	d = arena_alloc(b->mem, n_prefix + 1 + n_name + 1);
	if (d == NULL) {
		b->is_oom = true;
		return "";
	}
	memcpy(d, ns->prefix, n_prefix);
	d[n_prefix] = ':';
	memcpy(d + n_prefix + 1, name, n_name + 1);
	return d;
}

/* The mark of the next element of the document; NULL: the scan lost its way. */
static const struct conf_mark *
mark_next(struct builder *b)
{
	while (b->i_mark < b->scan->n && b->scan->mark[b->i_mark].is_attr)
		b->i_mark++;
	return b->i_mark < b->scan->n ? &b->scan->mark[b->i_mark++] : NULL;
}

/* Place of an attribute: its mark follows that of its element. */
static struct conf_pos
attr_pos(const struct builder *b, unsigned from, const char *name,
	 struct conf_pos pos)
{
	const struct conf_mark *m;

	for (unsigned i = from; i < b->scan->n; i++) {
		m = &b->scan->mark[i];
		if (!m->is_attr)
			break;
		if (m->name.len == strlen(name) &&
		    memcmp(m->name.p, name, m->name.len) == 0)
			return m->pos;
	}
	return pos;
}

static void
copy_attrs(struct builder *b, xmlNode *x, struct conf_node *n)
{
	unsigned from = b->i_mark, i = 0;
	struct conf_attr *a;
	xmlChar *value;
	unsigned count = 0;

	for (xmlAttr *xa = x->properties; xa != NULL; xa = xa->next)
		count++;
	for (xmlNs *ns = x->nsDef; ns != NULL; ns = ns->next)
		count++;
	if (count == 0)
		return;
	a = arena_alloc(b->mem, count * sizeof(*a));
	if (a == NULL) {
		b->is_oom = true;
		return;
	}
	for (xmlAttr *xa = x->properties; xa != NULL; xa = xa->next, i++) {
		a[i].name = dup_qname(b, xa->ns, xa->name);
		value = xmlNodeListGetString(x->doc, xa->children, 1);
		a[i].value = dup_text(b, value ? (const char *)value : "");
		xmlFree(value);
		a[i].pos = attr_pos(b, from, a[i].name, n->pos);
	}
	for (xmlNs *ns = x->nsDef; ns != NULL; ns = ns->next, i++) {
		a[i].name = "xmlns";	/* no element knows it */
		a[i].value = "";
		a[i].pos = attr_pos(b, from, "xmlns", n->pos);
	}
	n->attr = a;
	n->n_attr = count;
}

static bool
is_blank(const xmlChar *t)
{
	return t == NULL ||
	       t[strspn((const char *)t, " \t\r\n")] == '\0';
}

/* Recursion is bounded by the scan's CONF_DEPTH_MAX, and here again. */
static struct conf_node *
copy_node(struct builder *b, xmlNode *x, unsigned depth)
{
	struct conf_node *n = arena_alloc(b->mem, sizeof(*n));
	const struct conf_mark *m = mark_next(b);
	struct conf_node **tail;
	bool has_text = false;

	if (n == NULL) {
		b->is_oom = true;
		return NULL;
	}
	n->pos = m != NULL ? m->pos : (struct conf_pos){
	    .line = (unsigned)xmlGetLineNo(x),
	    .file = (uint16_t)b->scan->file};
	n->name = dup_qname(b, x->ns, x->name);
	copy_attrs(b, x, n);
	tail = &n->child;
	for (xmlNode *c = x->children; c != NULL && !b->is_oom; c = c->next) {
		if (c->type == XML_COMMENT_NODE || c->type == XML_PI_NODE)
			continue;
		if (c->type != XML_ELEMENT_NODE) {
			has_text |= c->type != XML_TEXT_NODE ||
				    !is_blank(c->content);
			continue;
		}
		if (depth == CONF_DEPTH_MAX)
			continue;
		*tail = copy_node(b, c, depth + 1);
		if (*tail == NULL)
			break;
		tail = &(*tail)->next;
	}
	if (has_text) {
		conf_err_add(b->errs,
			     m != NULL && m->text.line ? m->text : n->pos,
			     CONF_E_TEXT, "text between the tags of <%.40s> is not allowed; "
			     "values are attributes", n->name);
	}
	return n;
}

/* libxml2's error handler: keeps the first error, prints nothing. */
static void
on_error(void *data, xml_error_arg *e)
{
	struct first_error *first = ((xmlParserCtxt *)data)->_private;
	const char *why = e->message != NULL ? e->message : "";
	const char *name = e->str1 != NULL ? e->str1 : "";

	if (first->is_set || e->level < XML_ERR_ERROR)
		return;
	first->is_set = true;
	first->code = e->code;
	first->pos.line = e->line > 0 ? (unsigned)e->line : 0;
	first->pos.col = (uint16_t)MIN(MAX(e->int2, 0), UINT16_MAX);
	str_escape(first->why, sizeof(first->why), why, strcspn(why, "\r\n"));
	str_escape(first->name, sizeof(first->name), name, strlen(name));
}

static int
report(const struct first_error *e, struct conf_errs *errs)
{
	if (e->code == XML_ERR_NO_MEMORY)
		return ERR_NOMEM;
	if (e->code == XML_ERR_ATTRIBUTE_REDEFINED)
		conf_err_add(errs, e->pos, CONF_E_TWICE,
			     "attribute \"%s\" is written twice in one element; "
			     "keep one", e->name);
	else
		conf_err_add(errs, e->pos, CONF_E_XML, "not well-formed XML: %s",
			     e->why[0] != '\0' ? e->why : "syntax error");
	return ERR_CONF;
}

static int
check_bytes(const char *text, size_t len, unsigned file,
	    struct conf_errs *errs)
{
	const struct conf_pos whole = {.file = (uint16_t)file};
	size_t n_blank = 0;

	while (n_blank < len && strchr(" \t\r\n", text[n_blank]) != NULL &&
	       text[n_blank] != '\0')
		n_blank++;
	if (n_blank == len)
		conf_err_add(errs, whole, CONF_E_MISSING, "empty; a configuration has a <vpn> "
			     "element");
	else if (len > CONF_BYTES_MAX)
		conf_err_add(errs, whole, CONF_E_SIZE, "larger than %u bytes; this is the limit "
			     "of a configuration", CONF_BYTES_MAX);
	else if (len >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 ||
			      memcmp(text, "\xfe\xff", 2) == 0))
		conf_err_add(errs, whole, CONF_E_ENCODING, "UTF-16 text; save the file as UTF-8");
	else if (len > 0 && memchr(text, '\0', len) != NULL)
		conf_err_add(errs, whole, CONF_E_ENCODING, "holds NUL bytes: not a text, or not "
			     "UTF-8; save the file as UTF-8");
	else
		return 0;
	return ERR_CONF;
}

static int
build(xmlDoc *doc, const struct conf_scan *scan, struct arena *mem,
      struct conf_node **root, struct conf_errs *errs)
{
	struct builder b = {.mem = mem, .scan = scan, .errs = errs};
	xmlNode *x = xmlDocGetRootElement(doc);
	struct conf_node *n;

	if (x == NULL || doc->intSubset != NULL) {
		conf_err_add(errs, (struct conf_pos){
			.file = (uint16_t)scan->file}, CONF_E_MISSING,
			     "no <vpn> element");
		return ERR_CONF;
	}
	n = copy_node(&b, x, 0);
	if (b.is_oom)
		return ERR_NOMEM;
	*root = n;		/* bad text does not hide the other errors */
	return 0;
}

/* What a text that is broken says up to there; NULL: nothing that helps. */
static void
build_broken(const char *text, size_t len, const struct conf_scan *scan,
	     struct arena *mem, struct conf_node **root)
{
	struct conf_errs *quiet = calloc(1, sizeof(*quiet));
	struct first_error first = {0};
	xmlParserCtxt *ctxt = xmlNewParserCtxt();
	xmlDoc *doc = NULL;

	if (ctxt != NULL && quiet != NULL) {
		ctxt->_private = &first;
		ctxt->sax->serror = on_error;
		doc = xmlCtxtReadMemory(ctxt, text, (int)len, NULL, "UTF-8",
					XML_OPTIONS | XML_PARSE_RECOVER);
	}
	if (doc != NULL && build(doc, scan, mem, root, quiet) != 0)
		*root = NULL;
	xmlFreeDoc(doc);
	xmlFreeParserCtxt(ctxt);
	free(quiet);
}

int
conf_tree_parse(const char *text, size_t len, unsigned file, struct arena *mem,
		struct conf_node **root, struct conf_errs *errs)
{
	struct conf_scan scan = {0};
	struct first_error first = {.pos.file = (uint16_t)file};
	xmlParserCtxt *ctxt = NULL;
	xmlDoc *doc = NULL;
	int err;

	*root = NULL;
	if ((err = check_bytes(text, len, file, errs)) != 0 ||
	    (err = conf_scan(text, len, file, &scan, errs)) != 0)
		goto out;
	ctxt = xmlNewParserCtxt();
	if (ctxt == NULL) {
		err = ERR_NOMEM;
		goto out;
	}
	ctxt->_private = &first;
	ctxt->sax->serror = on_error;
	doc = xmlCtxtReadMemory(ctxt, text, (int)len, NULL, "UTF-8",
				XML_OPTIONS);
	if (doc == NULL) {
		err = report(&first, errs);
		if (err == ERR_CONF)
			build_broken(text, len, &scan, mem, root);
		goto out;
	}
	err = build(doc, &scan, mem, root, errs);
out:
	xmlFreeDoc(doc);
	xmlFreeParserCtxt(ctxt);
	conf_scan_fini(&scan);
	return err;
}
