/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/cli/t_set.c - tapir init, get, set: the files they leave.
 */
#include "test/lib/test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/cli.h"
#include "daemon/base/str.h"
#include "test/unit/cli/run.h"

static char dir[64], file[80], key[100], part[100];

static const char *
content(const char *path)
{
	static char text[4096];
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

static void
put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, 0644), 0);
}

static void
begin(void)
{
	str_copy(dir, sizeof(dir), "/tmp/t_set.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/vpn.xml", dir);
	snprintf(key, sizeof(key), "%s/keys/branches.psk", dir);
	snprintf(part, sizeof(part), "%s/vpn.d", dir);
	assert_int_equal(run("init", "-c", file, "--name", "tokyo", "--peer",
			     "osaka", "--at", "203.0.113.2", NULL), CLI_OK);
}

static void
end(void)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/more.xml", part);
	unlink(path);
	rmdir(part);
	unlink(key);
	snprintf(path, sizeof(path), "%s/keys", dir);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/link.xml", dir);
	unlink(path);
	unlink(file);
	assert_int_equal(rmdir(dir), 0);
	free(out);
	free(err);
	out = err = NULL;
}

TEST(init_writes_what_check_finds_right_and_a_key_of_its_own)
{
	struct stat st;
	char first[80];

	begin();
	assert_int_equal(run("check", file, NULL), CLI_OK);
	assert_int_equal(stat(key, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 44);
	str_copy(first, sizeof(first), content(key));
	assert_int_equal(run("init", "-c", file, "--name", "a", "--peer", "b",
			     NULL), CLI_FAILED);
	assert_non_null(strstr(err, "is there already"));
	assert_int_equal(run("init", "-c", file, "--name", "a", "--peer", "b",
			     "--lan", "10.99.0.1/24", "--force", NULL), CLI_OK);
	assert_string_equal(content(key), first);
	assert_non_null(strstr(content(file), "address=\"10.99.0.1/24\""));
	assert_null(strstr(content(file), "at="));
	/* nothing of the key is shown */
	first[strcspn(first, "\n")] = '\0';
	assert_null(strstr(out, first));
	assert_int_equal(run("init", "-c", file, "--name", "a b", "--peer", "b",
			     "--force", NULL), CLI_FAILED);
	assert_int_equal(run("init", "--json", "-c", "/nonexistent/x.xml",
			     NULL), CLI_USAGE);
	end();
}

TEST(set_changes_the_file_and_keeps_its_mode_and_link)
{
	char link[160];
	struct stat st;

	begin();
	snprintf(link, sizeof(link), "%s/link.xml", dir);
	assert_int_equal(symlink("vpn.xml", link), 0);
	assert_int_equal(chmod(file, 0640), 0);
	assert_int_equal(run("set", "log", "debug", "-c", link, NULL), CLI_OK);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(run("get", "log", "-c", file, NULL), CLI_OK);
	assert_string_equal(out, "debug\n");
	assert_int_equal(run("set", "--unset", "log", "-c", file, NULL), CLI_OK);
	assert_int_equal(run("get", "log", "-c", file, NULL), CLI_OK);
	assert_string_equal(out, "notice\n");
	assert_int_equal(run("get", "branches/osaka", "-c", file, NULL), CLI_OK);
	assert_string_equal(out, "branches/osaka/id = osaka\n"
			    "branches/osaka/at = 203.0.113.2\n");
	end();
}

TEST(set_writes_nothing_that_check_would_refuse)
{
	char was[4096];

	begin();
	str_copy(was, sizeof(was), content(file));
	assert_int_equal(run("set", "branches/osaka/at", "1.2", "-c", file,
			     NULL), CLI_FAILED);
	assert_non_null(strstr(err, "[bad-host]"));
	assert_int_equal(run("set", "branches/me/psk", "none.psk", "-c", file,
			     NULL), CLI_FAILED);
	assert_int_equal(run("--json", "set", "--unset", "branches/me", "-c",
			     file, NULL), CLI_FAILED);
	assert_non_null(strstr(out, "\"code\":\"missing\""));
	assert_string_equal(content(file), was);
	assert_int_equal(run("set", "log", "-c", file, NULL), CLI_USAGE);
	assert_int_equal(run("get", "nowhere/at", "-c", file, NULL), CLI_FAILED);
	/* what is broken already may be mended, one thing after the other */
	put(file, "<vpn log='loud' port='0'>\n<realm name='branches'>"
	    "<me id='a' psk='branches.psk'/><peer id='b'/></realm></vpn>\n");
	assert_int_equal(run("set", "log", "info", "-c", file, NULL), CLI_OK);
	assert_int_equal(run("set", "log", "loud", "-c", file, NULL), CLI_FAILED);
	assert_int_equal(run("set", "port", "500", "-c", file, NULL), CLI_OK);
	assert_int_equal(run("check", file, NULL), CLI_OK);
	end();
}

TEST(set_finds_the_file_that_has_it)
{
	char path[160];

	begin();
	assert_int_equal(mkdir(part, 0755), 0);
	snprintf(path, sizeof(path), "%s/more.xml", part);
	put(path, "<vpn>\n  <realm name=\"branches\">\n"
	    "    <peer id=\"kobe\"/>\n  </realm>\n</vpn>\n");
	assert_int_equal(run("set", "branches/kobe/at", "192.0.2.7", "-c", file,
			     NULL), CLI_OK);
	assert_string_equal(content(path), "<vpn>\n  <realm name=\"branches\">\n"
	    "    <peer id=\"kobe\" at=\"192.0.2.7\"/>\n  </realm>\n</vpn>\n");
	assert_int_equal(run("set", "branches/nara/at", "192.0.2.8", "-c", file,
			     NULL), CLI_OK);
	assert_non_null(strstr(content(file), "\n    <peer id=\"nara\" "
			       "at=\"192.0.2.8\"/>\n"));
	assert_int_equal(run("--json", "get", "-c", file, NULL), CLI_OK);
	assert_non_null(strstr(out, "{\"path\":\"branches/kobe/at\","
			       "\"value\":\"192.0.2.7\"}"));
	end();
}
