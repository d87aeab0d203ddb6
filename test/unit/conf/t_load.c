/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/conf/t_load.c - files: which configuration and key files are
 * refused, and what the message tells the administrator to do.
 */
#include "daemon/base/str.h"
#include "test/lib/test.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "conf/conf.h"
#include "daemon/base/err.h"

static struct conf_errs errs;
static char dir[64], xml[96], keys[96], key[128];

static void
put(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	size_t n = strlen(text);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, n), n);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

#define TEXT                                                                   \
	"<vpn>\n<realm name=\"r\">\n<me id=\"a\" psk=\"k.psk\"/>\n"            \
	"<peer id=\"b\" psk=\"k.psk\"/></realm></vpn>\n"

static void
set_up(void)
{
	str_copy(dir, sizeof(dir), "/tmp/t_load.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(xml, sizeof(xml), "%s/tapir.xml", dir);
	snprintf(keys, sizeof(keys), "%s/keys", dir);
	snprintf(key, sizeof(key), "%s/k.psk", keys);
	assert_int_equal(mkdir(keys, 0700), 0);
	put(xml, TEXT, 0644);
	put(key, "swordfish", 0600);
}

static void
tear_down(void)
{
	unlink(key);
	rmdir(key);
	rmdir(keys);
	unlink(xml);
	rmdir(xml);
	rmdir(dir);
}

static int
load(void)
{
	struct conf *c = NULL;
	int err = conf_load(xml, &c, &errs);

	assert_true((err == 0) == (c != NULL));
	assert_true((err == 0) == (errs.n == 0));
	conf_free(c);
	return err;
}

static void
expect(unsigned i, unsigned line, const char *part)
{
	if (i < errs.n && errs.e[i].line == line &&
	    strstr(errs.e[i].text, part) != NULL)
		return;
	conf_errs_print(&errs, stderr);
	fail_msg("wanted line %u: %s", line, part);
}

TEST(a_file_with_its_key_is_loaded)
{
	set_up();
	assert_int_equal(load(), 0);
	assert_string_equal(errs.file, xml);
	assert_int_equal(chmod(key, 0400), 0);
	assert_int_equal(load(), 0);
	tear_down();
}

TEST(a_key_file_open_to_others_is_refused_with_the_command_to_run)
{
	static const mode_t mode[] = {0640, 0604, 0660, 0666, 0610, 0777};
	char want[200];

	set_up();
	snprintf(want, sizeof(want), "run: chmod 600 %s", key);
	for (unsigned i = 0; i < N_OF(mode); i++) {
		assert_int_equal(chmod(key, mode[i]), 0);
		assert_int_equal(load(), ERR_KEYFILE);
		assert_int_equal(errs.n, 2);	/* each use on its line */
		expect(0, 3, want);
		expect(1, 4, want);
	}
	tear_down();
}

TEST(a_missing_empty_or_special_key_file_is_refused)
{
	set_up();
	put(key, "", 0600);
	assert_int_equal(load(), ERR_KEYFILE);
	expect(0, 3, "is empty");
	unlink(key);
	assert_int_equal(load(), ERR_KEYFILE);
	expect(0, 3, "there is no file");
	assert_int_equal(mkfifo(key, 0600), 0);
	assert_int_equal(load(), ERR_KEYFILE);	/* and does not hang */
	expect(0, 3, "not a regular file");
	unlink(key);
	assert_int_equal(mkdir(key, 0700), 0);
	assert_int_equal(load(), ERR_KEYFILE);
	expect(0, 3, "not a regular file");
	tear_down();
}

TEST(a_key_file_of_a_stranger_is_refused)
{
	if (geteuid() != 0)
		skip();
	set_up();
	assert_int_equal(chown(key, 54321, 54321), 0);
	assert_int_equal(load(), ERR_KEYFILE);
	expect(0, 3, "belongs to user id 54321");
	tear_down();
}

TEST(a_key_directory_others_can_write_is_refused)
{
	set_up();
	assert_int_equal(chmod(keys, 0777), 0);
	assert_int_equal(load(), ERR_KEYFILE);
	expect(0, 0, "chmod 700");
	tear_down();
}

TEST(key_files_and_other_mistakes_come_in_one_run)
{
	set_up();
	put(xml, "<vpn log=\"loud\">\n<realm name=\"r\"><me id=\"a\"\n"
		 "psk=\"none.psk\"/></realm></vpn>", 0644);
	assert_int_equal(load(), ERR_CONF);
	assert_int_equal(errs.n, 2);
	expect(0, 1, "allowed: error warn");
	expect(1, 3, "there is no file");
	tear_down();
}

TEST(a_configuration_everybody_can_write_is_refused)
{
	set_up();
	assert_int_equal(chmod(xml, 0646), 0);
	assert_int_equal(load(), ERR_CONF);
	expect(0, 0, "chmod o-w");
	tear_down();
}

TEST(a_configuration_that_is_no_file_is_refused)
{
	set_up();
	unlink(xml);
	assert_int_equal(load(), ERR_CONF);
	expect(0, 0, "cannot open");
	assert_int_equal(mkfifo(xml, 0600), 0);
	assert_int_equal(load(), ERR_CONF);	/* and does not hang */
	expect(0, 0, "not a regular file");
	unlink(xml);
	assert_int_equal(mkdir(xml, 0700), 0);
	assert_int_equal(load(), ERR_CONF);
	expect(0, 0, "not a regular file");
	tear_down();
}

TEST(too_large_a_file_is_refused)
{
	set_up();
	assert_int_equal(truncate(xml, CONF_BYTES_MAX + 1), 0);
	assert_int_equal(load(), ERR_CONF);
	expect(0, 0, "larger than");
	tear_down();
}

TEST(the_key_directory_lies_beside_the_file)
{
	char out[64];

	conf_key_dir("/etc/tapir/tapir.xml", out, sizeof(out));
	assert_string_equal(out, "/etc/tapir/keys");
	conf_key_dir("tapir.xml", out, sizeof(out));
	assert_string_equal(out, "keys");
}

TEST(printed_errors_have_file_line_and_text)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	struct conf *c = NULL;

	assert_int_equal(conf_parse("<vpn>\n<x/></vpn>", 16, "f.xml", NULL, &c,
				    &errs), ERR_CONF);
	conf_errs_print(&errs, f);
	fclose(f);
	assert_non_null(strstr(text, "f.xml:2: unknown element <x> in <vpn>"));
	free(text);
}
