/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/cli/t_invite.c - invitations: their text, and two offices that meet by
 * tapir invite and tapir join.
 */
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/cli.h"
#include "cli/invite/b64.h"
#include "cli/invite/invite.h"
#include "conf/conf.h"
#include "daemon/base/err.h"
#include "test/lib/test.h"

static char dir[64], why[160], *out;
static size_t out_len;
static struct invite in;

#define HEAD_  "tapir-invitation 1\n"
#define WORDS_ "realm r\nme osaka\npeer tokyo\nat 192.0.2.1\n"
#define KEY_   "file k.psk secret\nc2VjcmV0\n"

static int
read_text(const char *text)
{
	why[0] = '\0';
	return invite_read(text, strlen(text), &in, why, sizeof(why));
}

/* ---- base64 ------------------------------------------------------------------ */

TEST(base64_has_one_text_for_a_value)
{
	static const struct {
		const char *text;
		int n;
		const char *bytes;
	} row[] = {			/* RFC 4648 10 */
		{ "", 0, "" }, { "Zg==", 1, "f" }, { "Zm8=", 2, "fo" },
		{ "Zm9v", 3, "foo" }, { "Zm9vYmFy", 6, "foobar" },
		{ "Zh==", ERR_SYNTAX, NULL }, { "Zm9=", ERR_SYNTAX, NULL },
		{ "Zg=", ERR_SYNTAX, NULL }, { "Zg", ERR_SYNTAX, NULL },
		{ "Z===", ERR_SYNTAX, NULL }, { "Zg==Zg==", ERR_SYNTAX, NULL },
		{ "Zm 9", ERR_SYNTAX, NULL }, { "Zm9-", ERR_SYNTAX, NULL },
		{ "====", ERR_SYNTAX, NULL },
		{ "Zm9vYmFyYg==", ERR_LONG, NULL },
	};
	uint8_t got[6];

	for (size_t i = 0; i < N_OF(row); i++) {
		assert_int_equal(b64_read(row[i].text, strlen(row[i].text), got,
					  sizeof(got)), row[i].n);
		if (row[i].n > 0)
			assert_memory_equal(got, row[i].bytes,
					    (size_t)row[i].n);
	}
}

TEST(base64_comes_back_at_every_length)
{
	uint8_t raw[200], got[200];
	char *text, joined[400];
	size_t len, n_joined;
	FILE *f;

	for (unsigned i = 0; i < sizeof(raw); i++)
		raw[i] = (uint8_t)(i * 37);
	for (unsigned n = 0; n <= sizeof(raw); n++) {
		text = NULL;
		f = open_memstream(&text, &len);
		assert_non_null(f);
		b64_write(f, (struct view){ raw, n }, 64, "");
		fclose(f);
		n_joined = 0;
		for (char *rest = text, *w; (w = strsep(&rest, "\n")) != NULL;) {
			assert_true(strlen(w) <= 64);
			n_joined += (size_t)snprintf(joined + n_joined,
			    sizeof(joined) - n_joined, "%s", w);
		}
		free(text);
		assert_int_equal(n_joined, B64_LEN(n));
		assert_int_equal(b64_read(joined, n_joined, got,
					  sizeof(got)), n);
		assert_memory_equal(got, raw, n);
	}
}

/* ---- the text ----------------------------------------------------------------- */

TEST(an_invitation_comes_back_as_it_was)
{
	char *text = NULL;
	struct invite was;
	size_t len;
	FILE *f;

	assert_int_equal(read_text(HEAD_ "auth psk\n" WORDS_ "mode ip\n"
				   "local 10.1.0.0/16\nremote 10.2.0.0/16\n" KEY_
				   "file ca.pem public\nYQ==\nend\n"), 0);
	assert_string_equal(in.me, "osaka");
	assert_string_equal(in.remote, "10.2.0.0/16");
	assert_int_equal(in.n_file, 2);
	assert_true(in.file[0].is_secret);
	assert_false(in.file[1].is_secret);
	assert_int_equal(in.file[0].len, 6);
	assert_memory_equal(in.file[0].data, "secret", 6);
	was = in;
	f = open_memstream(&text, &len);
	invite_write(f, &in);
	fclose(f);
	assert_int_equal(read_text(text), 0);
	assert_memory_equal(&was, &in, sizeof(in));
	free(text);
}

TEST(a_key_with_its_certificate_may_log_in_by_eap)
{
	char *text = NULL;
	size_t len;
	FILE *f;

	assert_int_equal(read_text(HEAD_ "auth eap\n" WORDS_
				   "file o.key secret\nYQ==\n"
				   "file o.pem public\nYQ==\n"
				   "file ca.pem public\nYQ==\nend\n"), 0);
	assert_true(invite_has_key(&in));
	f = open_memstream(&text, &len);
	invite_realm(f, &in, "");
	fclose(f);
	assert_non_null(strstr(text, "<me eap=\"osaka\" cert=\"o.pem\"/>"));
	assert_non_null(strstr(text, " ca=\"ca.pem\"/>"));
	free(text);
	/* a key alone, or one of another certificate */
	assert_int_equal(read_text(HEAD_ "auth eap\n" WORDS_
				   "file o.key secret\nYQ==\n"
				   "file ca.pem public\nYQ==\nend\n"),
			 ERR_SYNTAX);
	assert_int_equal(read_text(HEAD_ "auth eap\n" WORDS_
				   "file x.key secret\nYQ==\n"
				   "file o.pem public\nYQ==\n"
				   "file ca.pem public\nYQ==\nend\n"),
			 ERR_SYNTAX);
	/* a password is asked for */
	assert_int_equal(read_text(HEAD_ "auth eap\n" WORDS_
				   "file ca.pem public\nYQ==\nend\n"), 0);
	assert_false(invite_has_key(&in));
}

TEST(mail_may_have_passed_over_it)
{
	assert_int_equal(read_text("\r\n" HEAD_ "\r\n" WORDS_ "\r\n"
				   "file k.psk secret  \r\nc2Vj \r\ncmV0\r\n"
				   "end\r\nregards, tokyo\r\n"), 0);
	assert_int_equal(in.file[0].len, 6);
}

TEST(what_is_no_invitation_is_refused_with_its_line)
{
	static const struct {
		const char *text, *why;
		int err;
	} row[] = {
		{ "", "end is missing", ERR_SYNTAX },
		{ "hello\n", "line 1: this is no invitation", ERR_SYNTAX },
		{ "tapir-invitation 2\n", "newer", ERR_UNSUP },
		{ HEAD_ WORDS_ KEY_, "end is missing", ERR_SYNTAX },
		{ HEAD_ "realm r\n" KEY_ "end\n", "line me is missing",
		  ERR_SYNTAX },
		{ HEAD_ WORDS_ "end\n", "no key", ERR_SYNTAX },
		{ HEAD_ WORDS_ "realm x\n" KEY_ "end\n", "line 6: the word is "
		  "there twice", ERR_SYNTAX },
		{ HEAD_ WORDS_ "colour red\n" KEY_ "end\n", "line 6: not a word",
		  ERR_SYNTAX },
		{ HEAD_ WORDS_ "auth kerberos\n" KEY_ "end\n", "psk, eap or",
		  ERR_UNSUP },
		{ HEAD_ "auth cert\n" WORDS_ KEY_ "end\n", "no key with its",
		  ERR_SYNTAX },
		{ HEAD_ "auth cert\n" WORDS_ "file a.key secret\nYQ==\n"
		  "file b.pem public\nYQ==\nfile c.pem public\nYQ==\nend\n",
		  "no key with its", ERR_SYNTAX },
		{ HEAD_ WORDS_ "file ../x secret\nYQ==\nend\n", "not the name",
		  ERR_SYNTAX },
		{ HEAD_ WORDS_ "file .x secret\nYQ==\nend\n", "not the name",
		  ERR_SYNTAX },
		{ HEAD_ WORDS_ "file x\nYQ==\nend\n", "secret or public",
		  ERR_SYNTAX },
		{ HEAD_ WORDS_ "file x hidden\nYQ==\nend\n", "secret or public",
		  ERR_SYNTAX },
		{ HEAD_ WORDS_ "file x secret\nend\n", "empty", ERR_SYNTAX },
		{ HEAD_ WORDS_ KEY_ KEY_ "end\n", "twice", ERR_SYNTAX },
		{ HEAD_ WORDS_ "file x secret\n!!!!\nend\n", "base64",
		  ERR_SYNTAX },
		{ HEAD_ WORDS_ KEY_ "at 192.0.2.9\nend\n", "base64", ERR_SYNTAX },
		{ HEAD_ "realm a\tb\n", "line 2: not a text", ERR_SYNTAX },
		{ HEAD_ WORDS_ "mode etherether\n" KEY_ "end\n", "too long",
		  ERR_LONG },
	};
	static const struct invite none;

	for (size_t i = 0; i < N_OF(row); i++) {
		assert_int_equal(read_text(row[i].text), row[i].err);
		if (strstr(why, row[i].why) == NULL)
			fprintf(stderr, "wanted %s, got %s\n", row[i].why, why);
		assert_non_null(strstr(why, row[i].why));
		assert_memory_equal(&in, &none, sizeof(in));
	}
}

TEST(the_realm_is_written_so_that_it_means_the_same)
{
	static struct conf_errs errs;
	struct conf *c = NULL;
	char *text = NULL;
	size_t len;
	FILE *f;

	assert_int_equal(read_text(HEAD_ "realm r\nme a&b\npeer tokyo\n"
				   "at 192.0.2.1\nmode ip\nlocal 10.1.0.0/16\n"
				   KEY_ "end\n"), 0);
	f = open_memstream(&text, &len);
	fputs("<vpn>", f);
	invite_realm(f, &in, "10.9.0.2/24");
	fputs("</vpn>", f);
	fclose(f);
	if (conf_parse(text, len, "t.xml", NULL, &c, &errs) != 0)
		conf_errs_print(&errs, stderr);
	assert_non_null(c);
	assert_string_equal(c->realm[0].me.id, "a&b");
	assert_string_equal(c->realm[0].peer[0].psk, "k.psk");
	assert_string_equal(c->realm[0].address, "10.9.0.2/24");
	assert_int_equal(c->realm[0].net.n_local, 1);
	conf_free(c);
	free(text);
}

TEST(a_certificate_its_key_and_the_authority_find_their_places)
{
	static const char text[] = HEAD_ "auth cert\n" WORDS_
	    "local dynamic\nfile r-ca.pem public\nYQ==\n"
	    "file osaka.key secret\nYQ==\nfile osaka.pem public\nYQ==\nend\n";
	static struct conf_errs errs;
	struct conf *c = NULL;
	char *made = NULL;
	size_t len;
	FILE *f;

	assert_int_equal(read_text(text), 0);
	assert_int_equal(in.auth, INVITE_CERT);
	f = open_memstream(&made, &len);
	fputs("<vpn>", f);
	invite_realm(f, &in, "");
	fputs("</vpn>", f);
	fclose(f);
	if (conf_parse(made, len, "t.xml", NULL, &c, &errs) != 0)
		conf_errs_print(&errs, stderr);
	assert_non_null(c);
	assert_string_equal(c->realm[0].me.cert, "osaka.pem");
	assert_null(c->realm[0].me.psk);
	assert_string_equal(c->realm[0].peer[0].ca, "r-ca.pem");
	assert_true(c->realm[0].net.is_dynamic);
	conf_free(c);
	free(made);
}

/* ---- two offices ------------------------------------------------------------------ */

static int
unlink_one(const char *path, const struct stat *st UNUSED, int what UNUSED,
	   struct FTW *at UNUSED)
{
	return remove(path);
}

static int
tapir(const char *const *words)
{
	char *argv[32] = { (char *)(uintptr_t)"tapir" };
	int argc = 1, status;
	FILE *f;

	for (; *words != NULL; words++)
		argv[argc++] = (char *)(uintptr_t)*words;
	free(out);
	out = NULL;
	f = open_memstream(&out, &out_len);
	assert_non_null(f);
	status = cli_main(argc, argv, f, f);
	fclose(f);
	return status;
}
#define TAPIR(...) tapir((const char *const[]){ __VA_ARGS__, NULL })

static void
file_make(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static char a_conf[96], a_keys[96], b_conf[96], b_dir[96], card[96], path[160];

static void
offices(void)
{
	snprintf(dir, sizeof(dir), "/tmp/tapir-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(a_conf, sizeof(a_conf), "%s/tapir.xml", dir);
	snprintf(a_keys, sizeof(a_keys), "%s/keys", dir);
	snprintf(b_dir, sizeof(b_dir), "%s/b", dir);
	snprintf(b_conf, sizeof(b_conf), "%s/b/tapir.xml", dir);
	snprintf(card, sizeof(card), "%s/card", dir);
	assert_int_equal(mkdir(a_keys, 0700), 0);
	assert_int_equal(mkdir(b_dir, 0755), 0);
	file_make(a_conf, "<vpn>\n  <realm name=\"branches\" bridge=\"br0\">\n"
		  "    <me id=\"tokyo\"/>\n    <peer id=\"kobe\" psk=\"kobe.psk\"/>\n"
		  "  </realm>\n</vpn>\n", 0644);
	snprintf(path, sizeof(path), "%s/kobe.psk", a_keys);
	file_make(path, "a key of kobe, long enough\n", 0600);
}

static void
offices_end(void)
{
	assert_int_equal(nftw(dir, unlink_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	free(out);
	out = NULL;
}

TEST(two_commands_join_two_offices)
{
	static struct conf_errs errs;
	struct conf *a, *b;
	struct stat st;

	offices();
	if (TAPIR("invite", "osaka", "-c", a_conf, "--at", "192.0.2.1", "-o",
		  card) != CLI_OK)
		fprintf(stderr, "%s\n", out);
	assert_int_equal(stat(card, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	if (TAPIR("join", card, "-c", b_conf, "--lan", "br1", "--yes") != CLI_OK)
		fprintf(stderr, "%s\n", out);
	assert_int_equal(conf_load(a_conf, &a, &errs), 0);
	assert_int_equal(conf_load(b_conf, &b, &errs), 0);
	assert_non_null(conf_peer_find(&a->realm[0], "osaka"));
	assert_string_equal(conf_peer_find(&a->realm[0], "osaka")->psk,
			    "branches-osaka.psk");
	assert_string_equal(b->realm[0].me.id, "osaka");
	assert_string_equal(b->realm[0].bridge, "br1");
	assert_string_equal(b->realm[0].peer[0].at, "192.0.2.1");
	assert_true(b->realm[0].peer[0].dial);
	conf_free(a);
	conf_free(b);
	/* again: the realm is there */
	assert_int_equal(TAPIR("join", card, "-c", b_conf, "--yes"), CLI_FAILED);
	offices_end();
}

/* From nothing: no configuration on either side. */
TEST(the_first_invitation_makes_the_configuration)
{
	static struct conf_errs errs;
	struct conf *a;

	offices();
	assert_int_equal(unlink(a_conf), 0);
	snprintf(path, sizeof(path), "%s/kobe.psk", a_keys);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(a_keys), 0);
	/* A host's name is no place to dial. */
	assert_int_equal(TAPIR("invite", "osaka", "-c", a_conf, "--name",
			       "tokyo", "-o", card), CLI_USAGE);
	assert_int_equal(TAPIR("invite", "osaka", "-c", a_conf, "--name",
			       "tokyo", "--lan", "a b", "--at", "192.0.2.1", "-o",
			       card), CLI_FAILED);
	assert_int_not_equal(access(a_conf, F_OK), 0);
	if (TAPIR("invite", "osaka", "-c", a_conf, "--name", "tokyo", "--lan",
		  "br-lan", "--at", "192.0.2.1", "-o", card) != CLI_OK)
		fprintf(stderr, "%s\n", out);
	assert_int_equal(conf_load(a_conf, &a, &errs), 0);
	assert_string_equal(a->realm[0].name, "branches");
	assert_string_equal(a->realm[0].me.id, "tokyo");
	assert_string_equal(a->realm[0].bridge, "br-lan");
	assert_int_equal(a->realm[0].n_peer, 1);
	conf_free(a);
	/* The second one finds it. */
	assert_int_equal(TAPIR("invite", "nara", "-c", a_conf, "--lan", "br1",
			       "--at", "192.0.2.1", "-o", "-"), CLI_USAGE);
	assert_int_equal(TAPIR("invite", "nara", "-c", a_conf, "--at",
			       "192.0.2.1", "-o", "-"), CLI_OK);
	assert_int_equal(conf_load(a_conf, &a, &errs), 0);
	assert_int_equal(a->realm[0].n_peer, 2);
	conf_free(a);
	offices_end();
}

TEST(a_join_that_is_refused_leaves_nothing)
{
	struct stat st;

	offices();
	assert_int_equal(TAPIR("invite", "osaka", "-c", a_conf, "--at",
			       "192.0.2.1", "-o", card), CLI_OK);
	/* not agreed to, and a configuration that would be wrong */
	assert_int_equal(TAPIR("--json", "join", card, "-c", b_conf), CLI_USAGE);
	assert_int_equal(TAPIR("join", card, "-c", b_conf, "--lan", "a b c",
			       "--yes"), CLI_FAILED);
	assert_int_not_equal(stat(b_conf, &st), 0);
	snprintf(path, sizeof(path), "%s/keys/branches-osaka.psk", b_dir);
	assert_int_not_equal(stat(path, &st), 0);
	/* another key of that name stays */
	file_make(path, "another key, long enough\n", 0600);
	assert_int_equal(TAPIR("join", card, "-c", b_conf, "--yes"), CLI_FAILED);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 25);
	offices_end();
}

TEST(what_is_no_link_is_refused_before_anything_is_asked)
{
	static const char *const links[] = {
		"http://192.0.2.1:8080/abc",
		"http://192.0.2.1:8080/abc#short",
		"http://192.0.2.1/abc#0123456789012345678901234567890123456789012",
		"http://192.0.2.1:8080#0123456789012345678901234567890123456789012",
		"http://a b:80/abc#0123456789012345678901234567890123456789012",
		"http://u@h:80/abc#0123456789012345678901234567890123456789012",
		"http://h:x/abc#0123456789012345678901234567890123456789012",
		"http://h:80/a\r\nb#0123456789012345678901234567890123456789012",
		"http://h:80/abc#012345678901234567890123456789012345678901!",
	};

	offices();
	for (size_t i = 0; i < N_OF(links); i++)
		assert_int_equal(TAPIR("join", links[i], "-c", b_conf, "--yes"),
				 CLI_USAGE);
	assert_int_equal(TAPIR("invite", "osaka", "-c", a_conf, "--at",
			       "192.0.2.1", "--link", "no port"), CLI_USAGE);
	assert_int_equal(TAPIR("invite", "osaka", "-c", a_conf, "--at",
			       "192.0.2.1", "--link", "h:1", "-o", card),
			 CLI_USAGE);
	offices_end();
}

TEST(who_is_dialled_is_not_invited_and_a_name_leaves_no_directory)
{
	offices();
	assert_int_equal(TAPIR("invite", "../x", "-c", a_conf, "--at",
			       "192.0.2.1"), CLI_FAILED);
	assert_int_equal(TAPIR("invite", "osaka", "-c", a_conf), CLI_USAGE);
	assert_int_equal(TAPIR("invite", "osaka", "-c", a_conf, "--realm", "x",
			       "--at", "192.0.2.1"), CLI_FAILED);
	assert_int_equal(TAPIR("invite", "osaka", "-c", a_conf, "--as", "toaster"),
			 CLI_USAGE);
	offices_end();
}
