/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/schema.c - the tables as an XML Schema, for editors that complete and
 * mark what is wrong while it is typed.
 *
 * It knows names, words and ranges; what belongs together only tapir check does.
 *
 * Thread: any.
 */
#include "conf/tree.h"

static void
put_help(FILE *f, const char *indent, const char *help)
{
	fprintf(f, "%s<xs:annotation><xs:documentation>", indent);
	conf_xml_put(f, help);
	fputs("</xs:documentation></xs:annotation>\n", f);
}

static void
put_range(FILE *f, const struct conf_opt *o)
{
	fprintf(f, "<xs:simpleType><xs:restriction base=\"xs:unsignedInt\">"
		"<xs:minInclusive value=\"%llu\"/><xs:maxInclusive "
		"value=\"%llu\"/></xs:restriction></xs:simpleType>",
		(unsigned long long)o->lo, (unsigned long long)o->hi);
}

static void
put_words(FILE *f, const char *words)
{
	char word[32];

	fputs("<xs:simpleType><xs:restriction base=\"xs:string\">", f);
	for (unsigned i = 0; conf_word_at(words, i, word, sizeof(word)); i++)
		fprintf(f, "<xs:enumeration value=\"%s\"/>", word);
	fputs("</xs:restriction></xs:simpleType>", f);
}

static void
put_union(FILE *f, const char *words, const struct conf_opt *o)
{
	fputs("<xs:simpleType><xs:union>", f);
	put_words(f, words);
	put_range(f, o);
	fputs("</xs:union></xs:simpleType>", f);
}

static void
put_option(FILE *f, const struct conf_row *row)
{
	const struct conf_opt *o = &row->opt;

	fprintf(f, "      <xs:attribute name=\"%s\"", o->name);
	if (row->kind != K_VERSION && *o->def != '\0') {
		fputs(" default=\"", f);
		conf_xml_put(f, o->def);
		fputc('"', f);
	}
	fputs(">\n", f);
	put_help(f, "        ", o->help);
	fputs("        ", f);
	if (row->kind == K_VERSION || row->kind == K_UINT)
		put_range(f, o);
	else if (row->kind == K_UINT0)
		put_union(f, "0", o);
	else if (row->kind == K_COUNT)
		put_union(f, o->words, o);
	else if (row->kind == K_ENUM || row->kind == K_BOOL)
		put_words(f, o->words);
	else
		fputs("<xs:simpleType><xs:restriction base=\"xs:string\"/>"
		      "</xs:simpleType>", f);
	fputs("\n      </xs:attribute>\n", f);
}

/* All children in any order; how many of each tapir check says. */
static void
put_children(FILE *f, int scope)
{
	bool has_one = false;

	for (int s = 0; s < CONF_IN_END; s++) {
		if (!(conf_elems[s].parents & (1u << scope)) ||
		    conf_elems[s].needs != NULL)
			continue;
		if (!has_one)
			fputs("      <xs:choice minOccurs=\"0\" "
			      "maxOccurs=\"unbounded\">\n", f);
		has_one = true;
		fprintf(f, "        <xs:element name=\"%s\" type=\"%s-in-%s\"/>\n",
			conf_elems[s].name, conf_elems[s].name,
			conf_elems[scope].name);
	}
	if (has_one)
		fputs("      </xs:choice>\n", f);
}

static void
put_type(FILE *f, int scope, const char *parent)
{
	fprintf(f, "  <xs:complexType name=\"%s%s%s\">\n",
		conf_elems[scope].name, *parent != '\0' ? "-in-" : "", parent);
	put_help(f, "      ", conf_elems[scope].help);
	put_children(f, scope);
	for (unsigned i = 0; i < conf_n_rows; i++)
		if (conf_rows[i].scope == (enum conf_scope)scope &&
		    conf_rows[i].kind != K_LATER)
			put_option(f, &conf_rows[i]);
	fputs("  </xs:complexType>\n", f);
}

void
conf_schema(FILE *f)
{
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	      "<!-- Written by: tapir schema -->\n"
	      "<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\">\n"
	      "  <xs:element name=\"vpn\" type=\"vpn\"/>\n", f);
	for (int s = 0; s < CONF_IN_END; s++) {
		if (conf_elems[s].needs != NULL)
			continue;
		if (conf_elems[s].parents == 0)
			put_type(f, s, "");
		for (int p = 0; p < CONF_IN_END; p++)
			if (conf_elems[s].parents & (1u << p))
				put_type(f, s, conf_elems[p].name);
	}
	fputs("</xs:schema>\n", f);
}
