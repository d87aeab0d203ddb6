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
