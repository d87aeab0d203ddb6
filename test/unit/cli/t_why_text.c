/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/cli/t_why_text.c - tapir why, as it stands on a terminal.
 */
#include "cli/why_text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "test/lib/test.h"

static struct bus_rec rec[8];

static struct bus_rec *
add(struct ask_list *a, enum bus_row row)
{
	a->rec = rec;
	bus_rec_init(&rec[a->n], row);
	return &rec[a->n++];
}

static void
check(struct ask_list *a, const char *text, const char *result,
      const char *detail)
{
	struct bus_rec *r = add(a, BUS_RES_CHECK);

	bus_set_str(r, BUS_F_TEXT, text);
	bus_set_str(r, BUS_F_VERDICT, result);
	bus_set_str(r, BUS_F_DETAIL, detail);
}

static struct ask_list
example(const char *why)
{
	struct ask_list a = { 0 };
	struct bus_rec *r = add(&a, BUS_RES_WHY);

	bus_set_str(r, BUS_F_REALM, "branches");
	bus_set_str(r, BUS_F_PEER, "osaka");
	bus_set_str(r, BUS_F_STATE, "down");
	bus_set_str(r, BUS_F_REMOTE, "192.0.2.2:500");
	bus_set_str(r, BUS_F_FINGERPRINT, "1a2");
	check(&a, "there is a route to it", "ok", "192.0.2.2:500");
	check(&a, "it answers by UDP", "ok", "UDP 500: 3 s ago, UDP 4500: never");
	check(&a, "IKE algorithms in common", "failed", "");
	check(&a, "each proves who it is", "not-reached", "");
	r = add(&a, BUS_RES_CAUSE);
	bus_set_str(r, BUS_F_CODE, "no-proposal");
	bus_set_str(r, BUS_F_NUMBER, "W130");
	bus_set_str(r, BUS_F_WHY, why);
	bus_set_str(r, BUS_F_HINT, "compare the two columns");
	r = add(&a, BUS_RES_PAIR);
	bus_set_str(r, BUS_F_WHAT, "encryption");
	bus_set_str(r, BUS_F_OWN, "AES-GCM-16-256");
	bus_set_str(r, BUS_F_THEIRS, "AES-CBC-128");
	r = add(&a, BUS_RES_PAIR);
	bus_set_str(r, BUS_F_WHAT, "prf");
	bus_set_str(r, BUS_F_OWN, "HMAC-SHA2-384");
	bus_set_bool(r, BUS_F_IS_SAME, true);
	return a;
}

static char *
view(const struct ask_list *a, enum why_lang lang, bool has_colour)
{
	char *text = NULL;
	size_t len;
	struct show s = { .width = 80, .has_colour = has_colour };

	s.out = open_memstream(&text, &len);
	assert_non_null(s.out);
	why_text(&s, a, lang);
	fclose(s.out);
	return text;
}

TEST(checks_cause_cure_and_columns)
{
	struct ask_list a = example("the two ends have no IKE algorithms in "
	    "common, and this sentence is so long that it is wrapped.");
	char *text = view(&a, WHY_EN, false);

	assert_string_equal(text,
"branches/osaka down  192.0.2.2:500  psk 1a2\n"
"  ok      there is a route to it  192.0.2.2:500\n"
"  ok      it answers by UDP  UDP 500: 3 s ago, UDP 4500: never\n"
"  FAILED  IKE algorithms in common\n"
"  -       each proves who it is\n"
"\n"
"Cause  W130 no-proposal\n"
"       the two ends have no IKE algorithms in common, and this sentence is so\n"
"       long that it is wrapped.\n"
"Cure   compare the two columns\n"
"\n"
"                 here            there\n"
"  !  encryption  AES-GCM-16-256  AES-CBC-128\n"
"     prf         HMAC-SHA2-384   (not known)\n");
	free(text);
}

TEST(colour_changes_nothing_but_colour)
{
	struct ask_list a = example("no IKE algorithms in common");
	char *plain = view(&a, WHY_EN, false);
	char *colour = view(&a, WHY_EN, true), *at;

	assert_null(strchr(plain, '\033'));
	assert_non_null(strstr(colour, "\033[31mFAILED\033[0m"));
	while ((at = strchr(colour, '\033')) != NULL) {
		char *end = strchr(at, 'm');

		assert_non_null(end);
		memmove(at, end + 1, strlen(end + 1) + 1);
	}
	assert_string_equal(colour, plain);
	free(plain);
	free(colour);
}

TEST(japanese_has_its_own_frame_and_eighty_columns)
{
	struct ask_list a = example("両端の IKE 暗号方式に共通のものがありません。"
	    "この文は長いので折り返されます。この文は長いので折り返されます。");
	char *text = view(&a, WHY_JA, false), *line, *save = NULL;

	assert_non_null(strstr(text, "原因  W130 no-proposal\n"));
	assert_non_null(strstr(text, "対策   compare"));
	assert_non_null(strstr(text, "(不明)"));
	for (line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		if (show_columns(line) > 80)
			fail_msg("%u columns: %s", show_columns(line), line);
	free(text);
}

TEST(control_characters_of_others_do_not_reach_the_terminal)
{
	struct ask_list a = example("osaka\033[2Jis\nbad");
	char *text = view(&a, WHY_EN, false);

	assert_null(strchr(text, '\033'));
	assert_null(strstr(text, "is\nbad"));
	free(text);
}

TEST(nothing_wrong_is_said)
{
	struct ask_list a = { 0 };
	struct bus_rec *r = add(&a, BUS_RES_WHY);
	char *text;

	bus_set_str(r, BUS_F_STATE, "up");
	text = view(&a, WHY_EN, false);
	assert_non_null(strstr(text, "\nNothing is wrong that could be seen"));
	free(text);
}
