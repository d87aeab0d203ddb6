/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/form_xml.c - one element of XML -> an object.
 *
 * A declaration may stand in front; a DOCTYPE, comments, CDATA and processing
 * instructions are refused before libxml2 sees the text, so there are no
 * entities but the five of XML.
 */
#include "webui/form.h"
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>
#include "daemon/base/err.h"

#define XML_FLAGS (XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | \
		   XML_PARSE_NOCDATA)

/* Does it begin with a declaration? */
static bool
is_declared(struct view v)
{
	static const char word[] = "<?xml ";

	return v.len >= sizeof(word) - 1 &&
	    memcmp(v.p, word, sizeof(word) - 1) == 0;
}

/* Anything of XML that a command does not need? */
static bool
has_markup(struct view v)
{
	for (size_t i = 0; i + 1 < v.len; i++)
		if (v.p[i] == '<' && (v.p[i + 1] == '!' ||
		    (v.p[i + 1] == '?' && (i > 0 || !is_declared(v)))))
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

	if (has_markup(body))
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
