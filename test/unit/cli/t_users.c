/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/cli/t_users.c - tapir user: the file REALM.users.
 */
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/cli.h"
#include "test/lib/test.h"

static char dir[64], word[96], users[96], *out, got[4096];
static size_t out_len;

static void
file_make(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, 0600), 0);
}

static const char *
file_text(const char *path)
{
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(got, 1, sizeof(got) - 1, f);
	got[n] = '\0';
	fclose(f);
	return got;
}

static void
begin(void)
{
	snprintf(dir, sizeof(dir), "/tmp/tapir-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(word, sizeof(word), "%s/word", dir);
	snprintf(users, sizeof(users), "%s/sales.users", dir);
	file_make(word, "password\n");
}

static int
unlink_one(const char *path, const struct stat *st UNUSED, int what UNUSED,
	   struct FTW *at UNUSED)
{
	return remove(path);
}

static void
end(void)
{
	assert_int_equal(nftw(dir, unlink_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	free(out);
	out = NULL;
}

static int
user(const char *what, const char *realm, const char *name)
{
	const char *words[] = { "tapir", "user", "-d", dir, "--pass", word, what,
				realm, name };
	char *argv[N_OF(words) + 1] = { NULL };
	int argc = 0, status;
	FILE *f;

	for (unsigned i = 0; i < N_OF(words) && words[i] != NULL; i++)
		argv[argc++] = (char *)(uintptr_t)words[i];
	free(out);
	out = NULL;
	f = open_memstream(&out, &out_len);
	assert_non_null(f);
	status = cli_main(argc, argv, f, f);
	fclose(f);
	return status;
}

TEST(a_user_is_added_with_the_hash_the_method_needs)
{
	struct stat st;

	begin();
	assert_int_equal(user("add", "sales", "hanako@sales.example.com"),
			 CLI_OK);
	assert_string_equal(file_text(users), "hanako@sales.example.com:nt:"
			    "8846f7eaee8fb117ad06bdd830b7586c\n");
	assert_int_equal(stat(users, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(user("add", "sales", "hanako@sales.example.com"),
			 CLI_FAILED);
	end();
}

TEST(every_other_line_stays_as_it_is)
{
	begin();
	file_make(users, "# people\nann:nt:00\nbob:nt:11\n\nannabel:nt:22");
	assert_int_equal(user("passwd", "sales", "bob"), CLI_OK);
	assert_string_equal(file_text(users), "# people\nann:nt:00\n"
			    "bob:nt:8846f7eaee8fb117ad06bdd830b7586c\n\n"
			    "annabel:nt:22");
	assert_int_equal(user("add", "sales", "an"), CLI_OK);
	assert_non_null(strstr(file_text(users), "annabel:nt:22\nan:nt:8846"));
	assert_int_equal(user("del", "sales", "ann"), CLI_OK);
	assert_string_equal(file_text(users), "# people\n"
			    "bob:nt:8846f7eaee8fb117ad06bdd830b7586c\n\n"
			    "annabel:nt:22\n"
			    "an:nt:8846f7eaee8fb117ad06bdd830b7586c\n");
	assert_int_equal(user("list", "sales", NULL), CLI_OK);
	assert_string_equal(out, "bob\nannabel\nan\n");
	assert_int_equal(user("del", "sales", "ann"), CLI_FAILED);
	assert_int_equal(user("passwd", "sales", "ann"), CLI_FAILED);
	end();
}

TEST(names_that_would_break_the_file_are_refused)
{
	static const char *const bad[] = {
		"a:b", "a b", "a\nb", "", "#a", "a\tb",
	};

	begin();
	for (unsigned i = 0; i < N_OF(bad); i++)
		assert_int_equal(user("add", "sales", bad[i]), CLI_USAGE);
	assert_int_equal(user("add", "../sales", "ann"), CLI_USAGE);
	assert_int_equal(user("add", ".sales", "ann"), CLI_USAGE);
	assert_int_equal(user("add", "sales", NULL), CLI_USAGE);
	assert_int_equal(user("frobnicate", "sales", "ann"), CLI_USAGE);
	file_make(word, "short\n");
	assert_int_equal(user("add", "sales", "ann"), CLI_FAILED);
	file_make(word, "not utf-8 \xff\xff\n");
	assert_int_equal(user("add", "sales", "ann"), CLI_FAILED);
	assert_int_not_equal(access(users, F_OK), 0);
	end();
}

/* tapir --json user WORDS -c FILE, with -d DIR or without. */
static int
by_conf(const char *conf, bool has_dir, const char *what, const char *realm,
	const char *name)
{
	const char *words[16] = { "tapir", "--json", "user", "-c", conf, "--pass",
				  word };
	char *argv[N_OF(words) + 1] = { NULL };
	int argc = 7, status;
	FILE *f;

	if (has_dir) {
		words[argc++] = "-d";
		words[argc++] = dir;
	}
	words[argc++] = what;
	words[argc++] = realm;
	if (realm != NULL)
		words[argc++] = name;
	for (argc = 0; words[argc] != NULL; argc++)
		argv[argc] = (char *)(uintptr_t)words[argc];
	free(out);
	out = NULL;
	f = open_memstream(&out, &out_len);
	assert_non_null(f);
	status = cli_main(argc, argv, f, f);
	fclose(f);
	return status;
}

TEST(the_realms_that_ask_are_listed_and_another_gets_its_file_first)
{
	char conf[96], path[128];

	begin();
	snprintf(conf, sizeof(conf), "%s/tapir.xml", dir);
	snprintf(path, sizeof(path), "%s/keys", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	file_make(conf, "<vpn><realm name=\"a\"><me id=\"x.example\" psk=\"a.psk\"/>"
		  "</realm><realm name=\"b\" mode=\"ip\"><me id=\"x.example\" "
		  "cert=\"x\"/><eap users=\"people\"/><pool net=\"10.0.0.0/24\"/>"
		  "</realm></vpn>\n");
	assert_int_equal(by_conf(conf, false, "list", NULL, NULL), CLI_OK);
	assert_string_equal(out, "{\"realms\":[{\"realm\":\"b\",\"n\":0}]}\n");
	/* where the realm has them */
	assert_int_equal(by_conf(conf, true, "add", "b", "ann"), CLI_OK);
	snprintf(path, sizeof(path), "%s/keys/people", dir);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(by_conf(conf, false, "list", NULL, NULL), CLI_OK);
	assert_string_equal(out, "{\"realms\":[{\"realm\":\"b\",\"n\":1}]}\n");
	/* one that asks for nothing, or is not there: a name for its <eap> */
	assert_int_equal(by_conf(conf, false, "add", "a", "ann"), CLI_FAILED);
	assert_int_equal(by_conf(conf, false, "add", "sales", "ann"), CLI_FAILED);
	assert_int_equal(by_conf(conf, true, "add", "sales", "ann"), CLI_OK);
	assert_int_equal(access(users, F_OK), 0);
	end();
}
