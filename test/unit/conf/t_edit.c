/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/conf/t_edit.c - one thing changes, every other byte stays.
 */
#include "test/lib/test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "conf/conf.h"
#include "conf/edit.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"

static struct edit edit;

static const char text[] =
    "<?xml version='1.0'?>\n"
    "<!-- <realm name='branches' mtu='1'/> -->\n"
    "<vpn log='info'\t>\r\n"
    "\t<realm   name=\"branches\"\n"
    "\t\tdpd = '7' ><!-- of all --> <me id='tokyo' psk='k'/>\n"
    "\t\t<peer id='osaka'  at='192.0.2.1'/>   <!-- first -->\n"
    "\t\t<peer id='x@y' name=\"kobe\"></peer>\n"
    "\t</realm>\n"
    "  <realm name='lone'><me id='l' psk='k'/><peer id='p'/></realm>\n"
    "</vpn>\n";

/* The text with from replaced by to, once. */
static char *
with(const char *from, const char *to)
{
	static char out[4096];
	const char *p = strstr(text, from);

	assert_non_null(p);
	snprintf(out, sizeof(out), "%.*s%s%s", (int)(p - text), text, to,
		 p + strlen(from));
	return out;
}

static void
becomes(const char *path, const char *value, const char *from, const char *to)
{
	char *now = NULL, *want = with(from, to);
	size_t len = 0;
	int err = edit_change(text, strlen(text), path, value, &now, &len,
			      &edit);

	if (err != 0)
		fprintf(stderr, "%s: %s\n", path, edit.why);
	assert_int_equal(err, 0);
	assert_string_equal(now, want);
	assert_int_equal(len, strlen(want));
	free(now);
}

TEST(a_value_is_found_by_its_path)
{
	static const struct {
		const char *path;
		enum edit_found found;
		const char *value;
	} row[] = {
		{ "log", EDIT_OPTION, "info" },
		{ "port", EDIT_ELEMENT, "" },
		{ "branches/dpd", EDIT_OPTION, "7" },
		{ "branches/mtu", EDIT_ELEMENT, "" },
		{ "branches/me/id", EDIT_OPTION, "tokyo" },
		{ "branches/osaka/at", EDIT_OPTION, "192.0.2.1" },
		{ "branches/kobe/id", EDIT_OPTION, "x@y" },
		{ "branches/nara/at", EDIT_PARENT, "" },
		{ "branches/osaka/net/remote", EDIT_PARENT, "" },
		{ "nowhere/mtu", EDIT_NOTHING, "" },
		{ "branches/osaka", EDIT_ELEMENT, "" },
	};

	for (unsigned i = 0; i < N_OF(row); i++) {
		assert_int_equal(edit_find(text, strlen(text), row[i].path,
					   &edit), 0);
		assert_int_equal(edit.found, row[i].found);
		assert_string_equal(edit.value, row[i].value);
	}
	assert_int_equal(edit_find(text, strlen(text), "port", &edit), 0);
	assert_string_equal(edit.def, "500");
}

TEST(a_value_is_replaced_in_its_quotes)
{
	becomes("log", "debug", "log='info'", "log='debug'");
	becomes("branches/dpd", "9", "dpd = '7' ", "dpd = '9' ");
	becomes("branches/osaka/at", "osaka.example", "at='192.0.2.1'",
		"at='osaka.example'");
	becomes("branches/kobe/id", "a&b<\"'", "id='x@y'",
		"id='a&amp;b&lt;\"&apos;'");
	becomes("branches/kobe/name", "'\"", "name=\"kobe\"",
		"name=\"'&quot;\"");
}

TEST(an_option_is_added_behind_the_others)
{
	becomes("port", "501", "log='info'", "log='info' port=\"501\"");
	becomes("branches/mtu", "1400", "dpd = '7'", "dpd = '7' mtu=\"1400\"");
	becomes("branches/kobe/mode", "ip", "name=\"kobe\"",
		"name=\"kobe\" mode=\"ip\"");
}

TEST(a_peer_is_added_as_those_beside_it_stand)
{
	becomes("branches/nara/at", "192.0.2.9", "name=\"kobe\"></peer>",
		"name=\"kobe\"></peer>\n\t\t<peer id=\"nara\" at=\"192.0.2.9\"/>");
	becomes("branches/osaka/net/remote", "10.2.0.0/16",
		"at='192.0.2.1'/>", "at='192.0.2.1'>\n\t\t  "
		"<net remote=\"10.2.0.0/16\"/>\n\t\t</peer>");
	becomes("branches/kobe/net/local", "10.1.0.0/16", "name=\"kobe\"></peer>",
		"name=\"kobe\">\n\t\t  <net local=\"10.1.0.0/16\"/>\n\t\t</peer>");
}

TEST(what_is_taken_out_leaves_no_hole)
{
	becomes("log", NULL, " log='info'", "");
	becomes("branches/dpd", NULL, "\n\t\tdpd = '7'", "");
	becomes("branches/osaka/at", NULL, "  at='192.0.2.1'", "");
	becomes("branches/kobe", NULL, "\t\t<peer id='x@y' name=\"kobe\"></peer>\n",
		"");
	becomes("branches/osaka", NULL, "<peer id='osaka'  at='192.0.2.1'/>", "");
	becomes("lone", NULL, "  <realm name='lone'><me id='l' psk='k'/>"
		"<peer id='p'/></realm>\n", "");
}

TEST(what_makes_no_sense_is_refused_with_a_sentence)
{
	static const char *const bad[] = { "", "/", "a//b", "branches/",
		"branches/brigde", "branches/osaka/encapp", "branches/osaka",
		"branches/me", "branches/osaka/net/remote/x" };
	char *now = NULL;
	size_t len;

	for (unsigned i = 0; i < N_OF(bad); i++) {
		assert_int_equal(edit_change(text, strlen(text), bad[i], "x",
					     &now, &len, &edit), ERR_SYNTAX);
		assert_true(strlen(edit.why) > 5);
	}
	assert_int_equal(edit_change(text, strlen(text), "branches/brigde", "x",
				     &now, &len, &edit), ERR_SYNTAX);
	assert_non_null(strstr(edit.why, "did you mean bridge?"));
	assert_int_equal(edit_change(text, strlen(text), "port", NULL, &now,
				     &len, &edit), ERR_NOTFOUND);
	assert_int_equal(edit_change(text, strlen(text), "branches/nara", NULL,
				     &now, &len, &edit), ERR_NOTFOUND);
	assert_int_equal(edit_find("<config/>", 9, "log", &edit), ERR_SYNTAX);
	assert_int_equal(edit_find("<!DOCTYPE x>", 12, "log", &edit), ERR_CONF);
}

TEST(one_of_several_is_not_guessed)
{
	static const char two[] = "<vpn><realm name='r'><net local='10.0.0.0/8'/>"
	    "<net remote='10.1.0.0/16'/></realm></vpn>";

	assert_int_equal(edit_find(two, strlen(two), "r/net/local", &edit),
			 ERR_SYNTAX);
	assert_non_null(strstr(edit.why, "several"));
}

TEST(broken_texts_do_no_harm)
{
	char cut[sizeof(text)], *now;
	size_t len;

	for (size_t n = 0; n < strlen(text); n++) {
		memcpy(cut, text, n);
		cut[n] = '\0';
		now = NULL;
		if (edit_change(cut, n, "branches/nara/at", "192.0.2.9", &now,
				&len, &edit) == 0)
			assert_int_equal(len, strlen(now));
		free(now);
	}
}

static char all[2048];

static void
on_each(void *ctx, const char *path, const char *value)
{
	(void)ctx;
	str_add(all, sizeof(all), "%s=%s\n", path, value);
}

TEST(everything_written_is_listed_with_its_path)
{
	all[0] = '\0';
	assert_int_equal(edit_each(text, strlen(text), on_each, NULL), 0);
	assert_string_equal(all, "log=info\nbranches/name=branches\n"
	    "branches/dpd=7\nbranches/me/id=tokyo\nbranches/me/psk=k\n"
	    "branches/osaka/id=osaka\nbranches/osaka/at=192.0.2.1\n"
	    "branches/kobe/id=x@y\nbranches/kobe/name=kobe\nlone/name=lone\n"
	    "lone/me/id=l\nlone/me/psk=k\nlone/p/id=p\n");
}
