/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/cli/t_bug.c - what tapir bugreport takes out of texts.
 */
#include "cli/bug/bug.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include "test/lib/test.h"

static char *got, *words;

/* A configuration as it is shown; keys/ has nothing. */
static void
conf(const char *text)
{
	size_t n, m;
	FILE *f, *g;

	free(got);
	free(words);
	f = open_memstream(&got, &n);
	g = open_memstream(&words, &m);
	bug_conf_text(text, strlen(text), "/nonexistent", f, g);
	fclose(f);
	fclose(g);
}

TEST(names_of_key_files_stay_and_secrets_in_their_place_go)
{
	conf("<me id=\"a\" psk='branches.psk'/><me psk = \"hunter 22\"/>"
	     "<eap PASSWORD='x\"y' at=\"psk.example\"/>");
	assert_string_equal(got, "<me id=\"a\" psk='branches.psk'/>"
	    "<me psk = \"[secret]\"/><eap PASSWORD='[secret]' at=\"psk.example\"/>");
	assert_string_equal(words, "hunter 22\nx\"y\n");
}

TEST(comments_keep_their_lines_only)
{
	conf("<a/><!-- my\npassword: p\n--><b/>");
	assert_string_equal(got, "<a/><!-- (left out)\n\n --><b/>");
	conf("<a><!-- no end");
	assert_null(strstr(got, "no end"));
}

TEST(the_pin_of_a_key_at_a_uri_goes_and_the_uri_stays)
{
	conf("<me key=\"pkcs11:token=x;pin-value=1234?a\"/>"
	     "<me key=\"tpm2:0x81\"/>");
	assert_string_equal(got, "<me key=\"pkcs11:token=x;pin-value=[secret]?a\""
	    "/><me key=\"tpm2:0x81\"/>");
	assert_string_equal(words, "1234\n");
}

TEST(a_missing_quote_or_tag_hides_more_and_not_less)
{
	conf("<me id=\"a psk=\"hunter2\"/>");
	assert_string_equal(got, "<me id=\"a psk=\"[secret]\"/>");
	conf("<me psk=hunter2>");
	assert_string_equal(got, "<me psk=[secret]>");
	conf("<me psk=\"open secret");
	assert_string_equal(got, "<me psk=\"[secret]");
	conf("<psk>hunter\n2</psk>\nhunter2 ");
	assert_string_equal(got, "<psk>(left out)\n</psk>\n(left out)");
	conf("<me psk=\"two\nlines\"/>");
	assert_string_equal(got, "<me psk=\"[secret]\"/>");
	conf("<\"'=<>");
	assert_string_equal(got, "<\"'=<>");
	conf("");
	assert_string_equal(got, "");
}

static struct bug *
report_of(const char *text)
{
	static struct bug b;
	FILE *f = bug_begin(&b, "log/x.txt");

	assert_non_null(f);
	fputs(text, f);
	bug_end(&b, true);
	return &b;
}

TEST(a_word_is_hidden_in_every_part)
{
	struct bug *b = report_of("say hunter 22, hunter 22");

	bug_hide(b, "\nhunter 22\nnothing\n");
	assert_string_equal(b->part[0].text, "say [secret], [secret]");
	assert_int_equal(bug_count_marks(b), 2);
	bug_free(b);
}

TEST(control_characters_are_shown_as_question_marks)
{
	struct bug *b = report_of("a\x1b[31mb\x1e\tc\n");

	assert_string_equal(b->part[0].text, "a?[31mb?\tc\n");
	bug_free(b);
}

TEST(a_part_that_is_too_long_keeps_its_end)
{
	char *text = malloc(BUG_PART_MAX + 100);
	struct bug *b;

	memset(text, 'x', BUG_PART_MAX + 99);
	memcpy(text + BUG_PART_MAX + 50, "the end", 8);
	b = report_of(text);
	free(text);
	assert_int_equal(b->part[0].len, BUG_PART_MAX);
	assert_memory_equal(b->part[0].text, "... cut here ...\n", 17);
	assert_string_equal(b->part[0].text + BUG_PART_MAX - 7, "the end");
	bug_free(b);
}

/* ---- names ------------------------------------------------------------------- */

static struct anon *
anon_of(const char *xml)
{
	struct anon *a = anon_new();

	assert_non_null(a);
	anon_conf(a, xml, strlen(xml));
	return a;
}

static void
expect(struct anon *a, const char *text, const char *want)
{
	size_t n;
	FILE *f;

	free(got);
	f = open_memstream(&got, &n);
	anon_text(a, text, strlen(text), f);
	fclose(f);
	assert_string_equal(got, want);
}

TEST(names_of_the_configuration_become_words_wherever_they_stand)
{
	struct anon *a = anon_of("<realm name=\"branches\"><me id='tokyo.example'/>"
	    "<peer id=\"osaka\" at=\"gw.osaka.example:4500\"/></realm>");

	expect(a, "branches/osaka: tap-branches, \"Osaka\" osakan xosaka",
	       "realm-1/peer-1: tap-realm-1, \"peer-1\" osakan xosaka");
	expect(a, "gw.osaka.example:4500 (tokyo.example)", "host-1:4500 (me-1)");
	anon_free(a);
}

TEST(short_names_are_left_and_patterns_give_their_domain)
{
	struct anon *a = anon_of("<peer id=\"a\"/><peer id='*.sales.example'/>");

	expect(a, "a is up; hanako.sales.example", "a is up; hanako.peer-1");
	anon_free(a);
}

TEST(addresses_keep_their_networks)
{
	struct anon *a = anon_new();

	expect(a, "203.0.113.2:4500 203.0.113.9 198.51.100.2/24 192.168.7.1 "
	       "203.0.113.2", "198.18.1.2:4500 198.18.1.9 198.18.2.2/24 "
	       "10.200.3.1 198.18.1.2");
	expect(a, "[2001:db8:9::1]:500 2001:db8:9::2 2001:db8:9::/64 fd12::7",
	       "[2001:db8:0:1::1]:500 2001:db8:0:1::2 2001:db8:0:1::/64 "
	       "fd00:0:0:2::3");
	expect(a, "a1:b2:c3:d4:e5:f6 A1:B2:C3:D4:E5:F6 a1:b2:c3:d4:e5:f7",
	       "02:00:00:00:00:01 02:00:00:00:00:01 02:00:00:00:00:02");
	anon_free(a);
}

TEST(addresses_of_nobody_stay)
{
	static const char text[] = "127.0.0.1 0.0.0.0/0 ::1 :: ::/0 224.0.0.1 "
	    "ff02::1 ff:ff:ff:ff:ff:ff 255.255.255.0 20:15:02 1.2.3 3.0.22";
	struct anon *a = anon_new();

	expect(a, text, text);
	anon_free(a);
}

TEST(mail_addresses_and_parts_of_subjects_become_words)
{
	struct anon *a = anon_new();

	expect(a, "hanako@sales.example, CN=Hanako Y, O=Example/OU=x\n",
	       "user-1, CN=name-1, O=name-2/OU=name-3\n");
	expect(a, "hanako@sales.example", "user-1");
	anon_free(a);
}

/* ---- the archive ------------------------------------------------------------- */

TEST(the_archive_has_a_header_and_whole_blocks_for_each_part)
{
	struct bug *b = report_of("hello\n");
	char path[] = "/tmp/t_bug.XXXXXX", block[5 * 512 + 1];
	int fd = mkstemp(path);
	unsigned sum = 0;
	gzFile z;

	assert_true(fd >= 0);
	assert_int_equal(bug_tar(b, "dir", fd), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	z = gzdopen(fd, "rb");
	assert_int_equal(gzread(z, block, sizeof(block)), 4 * 512);
	gzclose(z);
	unlink(path);
	assert_string_equal(block, "dir/log/x.txt");
	assert_string_equal(block + 124, "00000000006");
	assert_memory_equal(block + 257, "ustar\0" "00", 8);
	assert_string_equal(block + 512, "hello\n");
	for (unsigned i = 0; i < 512; i++)
		sum += i >= 148 && i < 156 ? ' ' : (unsigned char)block[i];
	assert_int_equal(strtoul(block + 148, NULL, 8), sum);
	bug_free(b);
}
