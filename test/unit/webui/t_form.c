/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/webui/t_form.c - commands and records as XML and JSON.
 */
#include "webui/form.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "test/lib/test.h"

static int
parse(enum ui_form form, const char *text, struct ui_obj *o)
{
	return ui_obj_parse(form, (struct view){ (const uint8_t *)text,
			    strlen(text) }, "command", o);
}

/* Parse and make a command; 0 or the first error. */
static int
command(enum ui_form form, const char *text, struct bus_rec *cmd, uint32_t *tag)
{
	struct ui_obj o;
	char why[256];
	int err = parse(form, text, &o);

	return err != 0 ? err : ui_obj_command(&o, cmd, tag, why, sizeof(why));
}

TEST(both_forms_are_the_same_command)
{
	static const char *const text[] = {
		[UI_XML] = "<?xml version=\"1.0\"?>\n<command command=\"up\" "
		    "tag=\"9\" realm=\"a&lt;b\" peer='\xe6\x9d\xb1&#x4eac;'/>\n",
		[UI_JSON] = " {\"command\" : \"up\",\"tag\":9, \"realm\":\"a<b\","
		    "\"peer\":\"\xe6\x9d\xb1\\u4eac\"}\n",
	};

	for (int f = 0; f < UI_FORM_END; f++) {
		struct bus_rec cmd;
		uint32_t tag;

		assert_int_equal(command((enum ui_form)f, text[f], &cmd, &tag), 0);
		assert_int_equal(cmd.desc->row, BUS_CMD_UP);
		assert_int_equal(tag, 9);
		assert_string_equal(bus_str(&cmd, BUS_F_REALM), "a<b");
		assert_string_equal(bus_str(&cmd, BUS_F_PEER),
				    "\xe6\x9d\xb1\xe4\xba\xac");
	}
}

TEST(kinds_of_fields_are_looked_at)
{
	struct bus_rec cmd;
	uint32_t tag;

	assert_int_equal(command(UI_JSON, "{\"command\":\"log\",\"follow\":false,"
				 "\"after_seq\":18446744073709551615}", &cmd,
				 &tag), 0);
	assert_true(bus_u64(&cmd, BUS_F_AFTER_SEQ) == UINT64_MAX);
	assert_int_equal(tag, 0);
	assert_int_equal(command(UI_JSON, "{\"command\":\"log\",\"follow\":1}",
				 &cmd, &tag), ERR_SYNTAX);
	assert_int_equal(command(UI_JSON, "{\"command\":\"log\","
				 "\"after_seq\":18446744073709551616}", &cmd,
				 &tag), ERR_SYNTAX);
	assert_int_equal(command(UI_JSON, "{\"command\":\"up\",\"port\":\"x\"}",
				 &cmd, &tag), ERR_SYNTAX);
	assert_int_equal(command(UI_JSON, "{\"command\":\"u\"}", &cmd, &tag),
			 ERR_NOTFOUND);
	assert_int_equal(command(UI_JSON, "{\"tag\":1}", &cmd, &tag), ERR_SYNTAX);
	assert_int_equal(command(UI_JSON, "{\"command\":\"up\","
				 "\"tag\":4294967296}", &cmd, &tag), ERR_SYNTAX);
}

TEST(a_misspelt_command_is_answered_with_the_nearest)
{
	struct ui_obj o;
	struct bus_rec cmd;
	uint32_t tag;
	char why[256];

	assert_int_equal(parse(UI_JSON, "{\"command\":\"statsu\"}", &o), 0);
	assert_int_equal(ui_obj_command(&o, &cmd, &tag, why, sizeof(why)),
			 ERR_NOTFOUND);
	assert_non_null(strstr(why, "did you mean status?"));
}

TEST(json_that_is_not_one_flat_object_is_refused)
{
	static const char *const bad[] = {
		"", "{", "}", "[]", "1", "\"a\"", "{}x", "{\"a\"}", "{\"a\":}",
		"{\"a\":1,}", "{,\"a\":1}", "{\"a\":1 \"b\":2}", "{a:1}",
		"{\"a\":{}}", "{\"a\":[]}", "{\"a\":[1]}", "{\"a\":{\"b\":1}}",
		"{\"a\":01}", "{\"a\":-}", "{\"a\":1.5}", "{\"a\":1e5}",
		"{\"a\":tru}", "{\"a\":True}", "{\"a\":NaN}", "{\"a\":'b'}",
		"{\"a\":\"b\",\"a\":\"c\"}", "{\"a\":\"\x01\"}",
		"{\"a\":\"\\x41\"}", "{\"a\":\"\\u12\"}", "{\"a\":\"\\u0000\"}",
		"{\"a\":\"\\ud800\"}", "{\"a\":\"\\udc00\"}",
		"{\"a\":\"\\ud800\\u0041\"}", "{\"a\":\"b", "{\"a\":\"b\\",
		"{\"\":1}", "\xef\xbb\xbf{}", "{\"a\":\"\xff\"}",
		"{\"a\":\"\xc0\x80\"}", "{\"a\":\"\xed\xa0\x80\"}", "{}{}",
		"/**/{}", "{\"a\":1}//", "{\"a\":null,\"a\":1}",
		"{\"a\":1,\"a\":null}", "{\"a\":null,\"a\":null}",
	};
	struct ui_obj o;

	for (unsigned i = 0; i < N_OF(bad); i++)
		if (parse(UI_JSON, bad[i], &o) != ERR_SYNTAX) {
			print_error("taken: %s\n", bad[i]);
			fail();
		}
	assert_int_equal(parse(UI_JSON, "{}", &o), 0);
	assert_int_equal(parse(UI_JSON, "{\"a\":null,\"b\":-5,\"c\":\"\\ud83d"
			       "\\ude00\\n\"}", &o), 0);
	assert_null(ui_obj_get(&o, "a"));
	assert_string_equal(ui_obj_get(&o, "b"), "-5");
	assert_string_equal(ui_obj_get(&o, "c"), "\xf0\x9f\x98\x80\n");
}

TEST(xml_that_is_not_one_plain_element_is_refused)
{
	static const char *const bad[] = {
		"", "x", "<a/>", "<command", "<command>", "<command>x</command>",
		"<command><b/></command>", "<command a='1' a='2'/>",
		"<command/><command/>", "<command a=1/>",
		"<!DOCTYPE command><command/>",
		"<!DOCTYPE c [<!ENTITY a 'b'>]><command a='&a;'/>",
		"<?xml version='1.0'?><!DOCTYPE x SYSTEM 'file:///etc/passwd'>"
		"<command/>",
		"<command a='&a;'/>", "<command a='&#0;'/>", "<command a='<'/>",
		"<!-- x --><command/>", "<command/><!-- x -->",
		"<?x y?><command/>", "<command/><?x y?>",
		"<command><![CDATA[x]]></command>",
		"<command xmlns='urn:x'/>", "<command xmlns:a='b' a:c='d'/>",
		"<a:command xmlns:a='b'/>",
		"<command xmlns:xi='http://www.w3.org/2001/XInclude'>"
		"<xi:include href='/etc/passwd' parse='text'/></command>",
		"<command a='\xff'/>", "<command a='\xed\xa0\x80'/>",
	};
	struct ui_obj o;

	for (unsigned i = 0; i < N_OF(bad); i++)
		if (parse(UI_XML, bad[i], &o) != ERR_SYNTAX) {
			print_error("taken: %s\n", bad[i]);
			fail();
		}
	assert_int_equal(parse(UI_XML, "<command />", &o), 0);
	assert_int_equal(parse(UI_XML, "<command></command>", &o), 0);
}

TEST(another_encoding_does_not_come_in_by_its_declaration)
{
	static const uint8_t utf16[] = {
		0xff, 0xfe, '<', 0, 'c', 0, '/', 0, '>', 0,
	};
	struct ui_obj o;

	assert_int_equal(ui_obj_parse(UI_XML, (struct view){ utf16,
			 sizeof(utf16) }, "c", &o), ERR_SYNTAX);
	/* read as UTF-8 whatever it says */
	assert_int_equal(parse(UI_XML, "<?xml version='1.0' encoding='UTF-7'?>"
			       "<command a='+ADw-'/>", &o), 0);
	assert_string_equal(ui_obj_get(&o, "a"), "+ADw-");
}

TEST(bodies_have_a_limit)
{
	static char text[UI_OBJ_BYTES + 32];
	struct ui_obj o;

	memset(text, ' ', sizeof(text) - 1);
	text[0] = '{';
	text[UI_OBJ_BYTES - 1] = '}';
	text[UI_OBJ_BYTES] = '\0';
	assert_int_equal(parse(UI_JSON, text, &o), 0);
	text[UI_OBJ_BYTES] = ' ';
	text[UI_OBJ_BYTES + 1] = '\0';
	assert_int_equal(parse(UI_JSON, text, &o), ERR_LONG);
	text[0] = '\0';
	for (int i = 0; i <= UI_PAIR_MAX; i++)
		str_add(text, sizeof(text), "%c\"k%d\":1", i > 0 ? ',' : '{', i);
	str_add(text, sizeof(text), "}");
	assert_int_equal(parse(UI_JSON, text, &o), ERR_LONG);
}

static char *
written(enum ui_form form, const struct bus_rec *r)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	assert_non_null(f);
	ui_rec_write(f, form, r);
	fclose(f);
	return text;
}

TEST(a_strangers_markup_stays_text)
{
	struct bus_rec r;
	char *text;

	bus_rec_init(&r, BUS_EV_AUTH_FAILED);
	bus_set_str(&r, BUS_F_ID, "\"/><script>alert('1')</script>&\x01\xff\n");
	text = written(UI_XML, &r);
	assert_null(strstr(text, "<script"));
	assert_non_null(strstr(text, "&#34;/&#62;&#60;script"));
	assert_non_null(strstr(text, "\xef\xbf\xbd\xef\xbf\xbd&#10;"));
	free(text);
	text = written(UI_JSON, &r);
	assert_non_null(strstr(text, "\\\"/><script>"));
	assert_non_null(strstr(text, "\\u0001\\ufffd\\u000a"));
	free(text);
}

TEST(every_row_is_written_in_both_forms_with_all_its_fields)
{
	static const enum bus_class class[] = { BUS_EVENT, BUS_RESULT };

	for (unsigned k = 0; k < N_OF(class); k++) {
		const struct bus_desc *d;
		unsigned it = 0;

		while ((d = bus_desc_next(class[k], &it)) != NULL)
			for (int f = 0; f < UI_FORM_END; f++) {
				struct bus_rec r;
				char *text, key[80];

				bus_rec_init(&r, d->row);
				text = written((enum ui_form)f, &r);
				for (unsigned i = 0; i < d->n_field; i++) {
					snprintf(key, sizeof(key), f == UI_JSON ?
						 "\"%s\":" : " %s=\"",
						 bus_field_key(d->field[i]));
					assert_non_null(strstr(text, key));
				}
				free(text);
			}
	}
}
