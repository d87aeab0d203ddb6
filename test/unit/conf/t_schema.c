/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/conf/t_schema.c - the schema accepts the examples and marks what is
 * wrong in names and words.
 *
 * Run from the root of the tree.
 */
#include "test/lib/test.h"
#include <dirent.h>
#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "conf/conf.h"

static xmlSchema *schema;

static void
quiet(void *ctx, const char *fmt, ...)
{
	(void)ctx, (void)fmt;
}

static void
load(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	xmlSchemaParserCtxt *p;

	if (schema != NULL) {
		fclose(f);
		free(text);
		return;
	}
	assert_non_null(f);
	conf_schema(f);
	fclose(f);
	p = xmlSchemaNewMemParserCtxt(text, (int)size);
	schema = xmlSchemaParse(p);
	xmlSchemaFreeParserCtxt(p);
	free(text);
	assert_non_null(schema);
}

static bool
is_valid(xmlDoc *doc, bool is_loud)
{
	xmlSchemaValidCtxt *v = xmlSchemaNewValidCtxt(schema);
	int rc;

	assert_non_null(doc);
	if (!is_loud)
		xmlSchemaSetValidErrors(v, quiet, quiet, NULL);
	rc = xmlSchemaValidateDoc(v, doc);
	xmlSchemaFreeValidCtxt(v);
	xmlFreeDoc(doc);
	return rc == 0;
}

TEST(every_example_is_valid)
{
	DIR *d = opendir("conf/example");
	struct dirent *e;
	unsigned n = 0;
	char path[600];

	load();
	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		if (strlen(e->d_name) < 4 ||
		    strcmp(e->d_name + strlen(e->d_name) - 4, ".xml") != 0)
			continue;
		snprintf(path, sizeof(path), "conf/example/%s", e->d_name);
		assert_true(is_valid(xmlReadFile(path, NULL, 0), true));
		n++;
	}
	closedir(d);
	assert_true(n >= 4);
}

TEST(a_printed_configuration_is_valid)
{
	static const char text[] = "<vpn workers='2'><realm name='r' mtu='0'"
	    " resources='auto' vlans='1-4'><match id='*.x'/><me id='a' psk='k'/>"
	    "<peer id='b' at='192.0.2.1' resources='3'><net remote='10.0.0.0/8'/>"
	    "</peer><static mac='02:00:00:00:00:01'/></realm></vpn>";
	static struct conf_errs errs;
	struct conf *c = NULL;
	char *printed = NULL;

	load();
	assert_int_equal(conf_parse(text, strlen(text), "t", NULL, &c, &errs),
			 0);
	assert_int_equal(conf_print(c, &printed), 0);
	assert_true(is_valid(xmlReadMemory(printed, (int)strlen(printed), NULL,
					   NULL, 0), true));
	conf_free(c);
	free(printed);
}

TEST(wrong_names_words_and_numbers_are_marked)
{
	static const char *const bad[] = {
		"<config/>", "<vpn prot='1'/>", "<vpn><peer/></vpn>",
		"<vpn port='0'/>", "<vpn port='x'/>", "<vpn log='loud'/>",
		"<vpn><realm name='r' mtu='5'/></vpn>",
		"<vpn><realm name='r' resources='1'/></vpn>",
		"<vpn><realm name='r'><me><net/></me></realm></vpn>",
		"<vpn>text</vpn>",
	};

	load();
	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(is_valid(xmlReadMemory(bad[i], (int)strlen(bad[i]),
						    NULL, NULL, 0), false));
	xmlSchemaFree(schema);
	schema = NULL;
}
