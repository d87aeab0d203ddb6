/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/form_xml.c - one element of XML -> an object.
 *
 * A declaration may stand in front and is taken off: libxml2 would look up the
 * encoding that it names, for which the C library opens files, and the fence ends a
 * process that does.  A DOCTYPE, comments, CDATA and processing instructions are
 * refused before libxml2 sees the text, so there are no entities but the five of XML.
 */
#include "webui/form.h"
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>
#include "daemon/base/err.h"

#define XML_FLAGS (XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | \
		   XML_PARSE_NOCDATA)

/* The declaration, XML 1.0 2.8: what may stand in it, and with which value. */
static const struct {
	const char *name, *value[2];
} said[] = {
	{ "version", { "1.0", "1.0" } },
	{ "encoding", { "UTF-8", "utf-8" } },
	{ "standalone", { "yes", "no" } },
};

static bool
is_blank(uint8_t b)
{
	return b == ' ' || b == '\t' || b == '\n' || b == '\r';
}

/* Is the next this text?  Then it is taken. */
static bool
take(struct view *v, const char *text)
{
	size_t n = strlen(text);

	if (v->len < n || memcmp(v->p, text, n) != 0)
		return false;
	v->p += n;
	v->len -= n;
	return true;
}

static bool
blanks(struct view *v)
{
	size_t before = v->len;

	while (v->len > 0 && is_blank(v->p[0])) {
		v->p++;
		v->len--;
	}
	return v->len < before;
}

/* One of the two values, in quotes of either kind. */
static bool
value_take(struct view *v, const char *const value[2])
{
	const char *quote = take(v, "\"") ? "\"" : take(v, "'") ? "'" : NULL;

	return quote != NULL && (take(v, value[0]) || take(v, value[1])) &&
	    take(v, quote);
}

/* Take the declaration off; false: it is none, or says what we do not read. */
static bool
declaration_take(struct view *v)
{
	if (!take(v, "<?xml"))
		return true;
	for (unsigned i = 0; i < N_OF(said); i++) {
		struct view at = *v;

		if (!blanks(&at) || !take(&at, said[i].name))
			continue;
		(void)blanks(&at);
		if (!take(&at, "="))
			return false;
		(void)blanks(&at);
		if (!value_take(&at, said[i].value))
			return false;
		*v = at;
	}
	(void)blanks(v);
	return take(v, "?>");
}

/* Anything of XML that a command does not need? */
static bool
has_markup(struct view v)
{
	for (size_t i = 0; i + 1 < v.len; i++)
		if (v.p[i] == '<' && (v.p[i + 1] == '!' || v.p[i + 1] == '?'))
			return true;
	return false;
}

static struct view
text_view(const xmlChar *t)
{
	return (struct view){ t, t != NULL ? strlen((const char *)t) : 0 };
}

static int
attrs_take(xmlNode *root, struct ui_obj *out)
{
	int err = 0;

	for (xmlAttr *a = root->properties; a != NULL && err == 0; a = a->next) {
		xmlChar *value = xmlNodeListGetString(root->doc, a->children, 1);

		err = a->ns != NULL ? ERR_SYNTAX :
		    ui_obj_add(out, text_view(a->name), text_view(value));
		if (value != NULL)
			memset(value, 0, strlen((const char *)value));
		xmlFree(value);
	}
	return err;
}

int
ui_obj_xml(struct view body, const char *name, struct ui_obj *out)
{
	xmlDoc *doc;
	xmlNode *root;
	int err = ERR_SYNTAX;

	if (!declaration_take(&body) || has_markup(body))
		return ERR_SYNTAX;
	doc = xmlReadMemory((const char *)body.p, (int)body.len, NULL, "UTF-8",
			    XML_FLAGS);
	if (doc == NULL)
		return ERR_SYNTAX;
	root = xmlDocGetRootElement(doc);
	if (root != NULL && root->children == NULL && root->ns == NULL &&
	    root->nsDef == NULL &&
	    strcmp((const char *)root->name, name) == 0)
		err = attrs_take(root, out);
	xmlFreeDoc(doc);
	return err;
}
