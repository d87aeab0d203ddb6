/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/conf/t_print.c - parse(print(c)) == c; examples; manual page.
 *
 * Run from the root of the tree.
 */
#include "test/lib/test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "conf/conf.h"

static struct conf_errs errs;

static struct conf *
good(const char *text)
{
	struct conf *c = NULL;
	int err = conf_parse(text, strlen(text), "t.xml", NULL, &c, &errs);

	conf_errs_print(&errs, stderr);
	assert_int_equal(err, 0);
	return c;
}

static char *
file_text(const char *path)
{
	char *text = NULL;
	size_t len = 0;

	assert_int_equal(conf_read(path, &text, &len, &errs), 0);
	assert_int_equal(strlen(text), len);
	return text;
}

static void
round_trip(const char *text)
{
	struct conf *a = good(text), *b;
	char *printed = NULL, *twice = NULL;

	assert_int_equal(conf_print(a, &printed), 0);
	b = good(printed);
	assert_true(conf_equal(a, b));
	assert_int_equal(conf_print(b, &twice), 0);
	assert_string_equal(printed, twice);
	conf_free(a);
	conf_free(b);
	free(printed);
	free(twice);
}

#define BASE "<me id='a' psk='k'/><peer id='b' at='192.0.2.1'/></realm></vpn>"

TEST(the_printed_text_parses_to_an_equal_configuration)
{
	round_trip("<vpn><realm name='r'>" BASE);
	round_trip("<vpn workers='3' cpus='0-2' rule='spi' log='error' port='1'"
		   " priority='7'"
		   " nat-port='2' cookie-threshold='0' half-open-max='16'"
		   " packet-ring='no' puzzle-threshold='0' puzzle-bits='9'"
		   " esp-provider='card' fragment='576'>"
		   "<realm name='r' tap='t' bridge='b' mode='ether' mtu='1280'"
		   " address='fd00::1/64,10.0.0.1/8' suite='compat'"
		   " encap='esp' resources='off' mobike='no' resume='no'"
		   " childless='yes' reauth='yes'"
		   " child-bytes='5' child-packets='1000' dpd='1' dead='2' child-life='10'"
		   " ike-life='30'>" BASE);
	round_trip("<vpn><realm name='r' isolate='yes' macs='3' macs-full='drop'"
		   " vlans='1-4' untagged='filter' guard='yes' stp='pass'"
		   " lldp='pass' loop='off' multicast='strict' storm-broadcast='0'>"
		   "<me id='a' psk='k'/><peer id='b' isolate='no' vlans='7'/>"
		   "<peer id='c' storm-unknown='1'/>"
		   "<static mac='02:00:00:00:00:01' peer='b'/>"
		   "<static mac='02:00:00:00:00:02'/>"
		   "<net remote='10.0.0.0/8'/></realm></vpn>");
	round_trip("<vpn><realm name='r' mode='ip'><match id='*.x'/>"
		   "<match id='y@z'/><me id='keyid:a &amp; &lt;&quot;b' psk='k'/>"
		   "<peer id='*' name='all' psk='l' ppk='p.1' mode='auto' encap='udp'"
		   " resources='3'/>"
		   "<peer id='2001:db8::1' at='h.example:7' dial='no'>"
		   "<net local='10.0.0.1-10.0.0.6[udp/53]'/>"
		   "<net remote='::/0 0.0.0.0/0[47] 10.0.0.0/9[tcp/80-90]'/>"
		   "</peer><net remote='10.0.0.0/8'/></realm></vpn>");
}

TEST(printed_special_characters_stay_inside_their_attribute)
{
	struct conf *c = good("<vpn><realm name='r'><me id='keyid:\"/&gt;&amp;'"
			      " psk='k'/></realm></vpn>");
	char *text = NULL;

	assert_int_equal(conf_print(c, &text), 0);
	assert_null(strstr(text, "\"/>&"));
	conf_free(c);
	c = good(text);
	assert_string_equal(c->realm[0].me.id, "keyid:\"/>&");
	conf_free(c);
	free(text);
}

TEST(equal_means_the_same_and_not_the_same_spelling)
{
	struct conf *a = good("<vpn><realm name='r' address='10.0.0.1/24'>" BASE);
	struct conf *b = good("<vpn port='500'>\n<realm address=' 10.0.0.1/24 '"
			      " tap='tap-r' name='r'>" BASE);
	struct conf *c = good("<vpn><realm name='r' address='10.0.0.2/24'>" BASE);

	assert_true(conf_equal(a, b));
	assert_false(conf_equal(a, c));
	conf_free(a);
	conf_free(b);
	conf_free(c);
}

TEST(examples_are_right_and_survive_printing)
{
	static const char *const example[] = {"two-offices", "ip-mode",
					      "three-sites"};
	char path[80], *text;

	for (unsigned i = 0; i < N_OF(example); i++) {
		snprintf(path, sizeof(path), "conf/example/%s.xml", example[i]);
		text = file_text(path);
		round_trip(text);
		free(text);
	}
}

TEST(the_option_table_is_complete_in_itself)
{
	const struct conf_opt *o;
	unsigned i;

	for (i = 0; (o = conf_opt_at(i)) != NULL; i++) {
		assert_non_null(o->element);
		assert_true(strlen(o->name) > 0 && strlen(o->help) > 10);
		assert_true(o->lo <= o->hi);
	}
	assert_true(i > 30);
	assert_string_equal(conf_rule_name(CONF_RULE_QUEUE), "queue");
}
