/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/conf/t_diff.c - what a reload changes, and whom it interrupts.
 */
#include "test/lib/test.h"
#include <stdio.h>
#include <string.h>
#include "conf/conf.h"
#include "conf/diff.h"
#include "daemon/base/str.h"

static struct conf_errs errs;
static char lines[8192];
static struct conf_diff_sum sum;

static void
on_change(void *ctx, const struct conf_change *ch)
{
	char text[CONF_CHANGE_TEXT];

	(void)ctx;
	str_add(lines, sizeof(lines), "%s\n", conf_change_text(ch, text));
}

static struct conf *
parse(const char *text)
{
	struct conf *c = NULL;

	if (conf_parse(text, strlen(text), "t.xml", NULL, &c, &errs) != 0) {
		conf_errs_print(&errs, stderr);
		fail();
	}
	return c;
}

/* Lines of the comparison, and its sum. */
static void
compare(const char *old, const char *now)
{
	struct conf *a = parse(old), *b = parse(now);
	struct conf_diff_sum quiet;

	lines[0] = '\0';
	conf_diff(a, b, on_change, NULL, &sum);
	conf_diff(a, b, NULL, NULL, &quiet);
	assert_memory_equal(&sum, &quiet, sizeof(sum));
	conf_free(a);
	conf_free(b);
}

#define ME   "<me id='me' psk='k'/>"
#define TWO  "<peer id='a' at='192.0.2.1'/><peer id='b'/>"
#define WRAP(attrs, inner) "<vpn><realm name='r'" attrs ">" inner "</realm></vpn>"

static void
sum_is(unsigned n_change, unsigned added, unsigned removed, unsigned interrupted,
       unsigned kept)
{
	assert_int_equal(sum.n_change, n_change);
	assert_int_equal(sum.n_added, added);
	assert_int_equal(sum.n_removed, removed);
	assert_int_equal(sum.n_interrupted, interrupted);
	assert_int_equal(sum.n_kept, kept);
}

TEST(the_same_in_another_spelling_and_order_is_no_change)
{
	char text[CONF_CHANGE_TEXT];

	compare(WRAP("", ME TWO),
		"<vpn port='500'>\n<!-- x --><realm mode='auto' name='r'>"
		"<peer id='b'/>" ME "<peer at='192.0.2.1' id='a'/></realm></vpn>");
	assert_string_equal(lines, "");
	sum_is(0, 0, 0, 0, 2);
	assert_string_equal(conf_sum_text(&sum, text), "nothing changes");
}

TEST(peers_come_and_go_without_the_others)
{
	char text[CONF_CHANGE_TEXT];

	compare(WRAP("", ME TWO), WRAP("", ME "<peer id='c'/><peer id='b'/>"));
	assert_string_equal(lines,
	    "realm r, peer a is removed; its tunnel ends\n"
	    "realm r, peer c is new\n");
	sum_is(2, 1, 1, 0, 1);
	assert_string_equal(conf_sum_text(&sum, text),
	    "1 peer is new, 1 peer is removed, 1 peer is not touched");
}

TEST(each_option_of_a_peer_interrupts_it_or_does_not)
{
	static const struct {
		const char *attrs;
		bool interrupts;
	} row[] = {
		{ "at='192.0.2.2'", true }, { "mode='ether'", true },
		{ "encap='esp'", true }, { "psk='other'", true },
		{ "ppk='p'", true }, { "pubkey='p.pem'", true },
		{ "dial='no' at='192.0.2.1'", false },
		{ "resources='3'", false }, { "isolate='yes'", false },
		{ "macs='7'", false }, { "vlans='1-9'", false },
		{ "untagged='filter'", false }, { "storm-unknown='9'", false },
	};
	char now[512];

	for (unsigned i = 0; i < N_OF(row); i++) {
		bool has_at = strstr(row[i].attrs, "at=") != NULL;

		snprintf(now, sizeof(now), "<vpn><realm name='r'>" ME
			 "<peer id='a' %s %s/><peer id='b'/></realm></vpn>",
			 has_at ? "" : "at='192.0.2.1'", row[i].attrs);
		compare(WRAP("", ME TWO), now);
		if (sum.n_change != 1 || sum.n_interrupted != row[i].interrupts)
			fprintf(stderr, "%s: %s", row[i].attrs, lines);
		sum_is(1, 0, 0, row[i].interrupts, 2 - row[i].interrupts);
		assert_int_equal(strstr(lines, "is interrupted") != NULL,
				 row[i].interrupts);
	}
}

TEST(options_of_the_realm_reach_the_peers_that_do_not_say_otherwise)
{
	compare(WRAP("", ME "<peer id='a'/><peer id='b' encap='udp'/>"),
		WRAP(" encap='esp'", ME "<peer id='a'/><peer id='b' encap='udp'/>"));
	assert_string_equal(lines,
	    "realm r: encap changes from \"auto\" to \"esp\"\n"
	    "realm r, peer a is interrupted and connects anew\n");
	sum_is(1, 0, 0, 1, 1);
	compare(WRAP("", ME TWO), WRAP(" dpd='7' dead='9' child-life='99'", ME TWO));
	sum_is(3, 0, 0, 0, 2);
	compare(WRAP("", ME TWO), WRAP(" suite='compat'", ME TWO));
	sum_is(1, 0, 0, 2, 0);
	compare(WRAP("", ME TWO), WRAP("", "<me id='me' psk='new'/>" TWO));
	sum_is(1, 0, 0, 2, 0);
	compare(WRAP("", "<me id='me' psk='k'/><peer id='a' psk='p'/>"),
		WRAP("", "<me id='me' psk='new'/><peer id='a' psk='p'/>"));
	sum_is(1, 0, 0, 0, 1);
	compare(WRAP("", ME TWO), WRAP("", "<me id='you' psk='k'/>" TWO));
	assert_non_null(strstr(lines, "realm r: <me id> changes from \"me\" to "
			       "\"you\"\n"));
	sum_is(1, 0, 0, 2, 0);
}

TEST(what_the_tap_is_made_of_renews_the_realm)
{
	static const char *const attrs[] = { " tap='t2'", " bridge='br0'",
		" address='10.0.0.1/24'", " mtu='1400'" };
	char now[512];

	for (unsigned i = 0; i < N_OF(attrs); i++) {
		snprintf(now, sizeof(now), "<vpn><realm name='r'%s>" ME TWO
			 "</realm></vpn>", attrs[i]);
		compare(WRAP("", ME TWO), now);
		sum_is(1, 0, 0, 2, 0);
		assert_non_null(strstr(lines, "realm r is taken down and set up "
				       "again; its peers connect anew\n"));
	}
	compare(WRAP("", ME TWO), WRAP("", ME TWO "<static mac='02:00:00:00:00:01'/>"));
	assert_non_null(strstr(lines, "<static mac> is new: "
			       "\"02:00:00:00:00:01\"\n"));
	sum_is(1, 0, 0, 2, 0);
}

TEST(networks_and_matches_are_compared_as_sets)
{
#define NET1 "<net local='10.1.0.0/16' remote='10.2.0.0/16'/>"
#define NET2 "<net local='10.1.0.0/16'/><net remote='10.2.0.0/16'/>"
#define NET3 "<net local='10.1.0.0/16' remote='10.3.0.0/16'/>"
	compare(WRAP("", ME TWO NET1), WRAP("", ME TWO NET2));
	sum_is(0, 0, 0, 0, 2);
	compare(WRAP("", ME TWO NET1), WRAP("", ME TWO NET3));
	assert_non_null(strstr(lines, "realm r: <net> changes from \"local "
			       "10.1.0.0/16, remote 10.2.0.0/16\" to"));
	sum_is(1, 0, 0, 2, 0);
	compare(WRAP("", "<match id='*.x'/><match id='*.y'/>" ME "<peer id='*' "
		     "name='all'/><peer id='b'/>"),
		WRAP("", "<match id='*.y'/><match id='*.x'/>" ME "<peer id='*' "
		     "name='all'/><peer id='b'/>"));
	sum_is(0, 0, 0, 0, 2);
	compare(WRAP("", "<match id='*.x'/>" ME "<peer id='*' name='all'/>"
		     "<peer id='b'/>"),
		WRAP("", "<match id='*.y'/>" ME "<peer id='*' name='all'/>"
		     "<peer id='b'/>"));
	assert_non_null(strstr(lines, "<match id> is removed: \"*.x\"\n"));
	assert_non_null(strstr(lines, "<match id> is new: \"*.y\"\n"));
	sum_is(2, 0, 0, 1, 1);
}

TEST(realms_come_and_go_and_the_whole_may_want_a_restart)
{
	char text[CONF_CHANGE_TEXT];

	compare(WRAP("", ME TWO),
		"<vpn workers='2' log='debug'><realm name='s'>" ME TWO
		"</realm></vpn>");
	assert_string_equal(lines,
	    "workers changes from \"0\" to \"2\", after a restart of tapird\n"
	    "log changes from \"notice\" to \"debug\"\n"
	    "realm r is removed with its TAP interface; its tunnels end\n"
	    "realm s is new\n");
	sum_is(4, 2, 2, 0, 0);
	assert_int_equal(sum.n_restart, 1);
	assert_string_equal(conf_sum_text(&sum, text), "2 peers are new, 2 peers "
			    "are removed; 1 change waits for a restart");
}

TEST(a_long_value_is_cut_in_words)
{
	char id[256], text[1024];

	memset(id, 'a', 250);
	memcpy(id + 250, ".jp", 4);
	snprintf(text, sizeof(text), "<vpn><realm name='r'>" "<me id='%s' "
		 "psk='k'/>" TWO "</realm></vpn>", id);
	compare(WRAP("", ME TWO), text);
	assert_non_null(strstr(lines, "aaa...\""));
}
