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
	assert_string_equal(errs.file[0], xml);
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

TEST(a_missing_file_of_users_says_who_makes_it)
{
	set_up();
	put(xml, "<vpn>\n<realm name=\"r\" mode=\"ip\"><me id=\"a.example\" "
		 "cert=\"k\"/>\n<eap users=\"people.users\"/>"
		 "<pool net=\"10.0.0.0/24\"/></realm></vpn>\n", 0644);
	assert_int_equal(load(), ERR_KEYFILE);
	expect(errs.n - 1, 3, "keys people NAME, or the page");
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

TEST(a_realm_with_keys_of_its_own_wants_them_there)
{
	char own[160], file[192];

	set_up();
	put(xml, "<vpn>\n<realm name=\"r\" keys=\"own\">\n<me id=\"a\" "
		 "psk=\"k.psk\"/>\n<peer id=\"b\"/></realm>\n<realm name=\"s\">"
		 "<me id=\"c\" psk=\"k.psk\"/>\n<peer id=\"d\"/></realm></vpn>\n",
	    0644);
	assert_int_equal(load(), ERR_KEYFILE);	/* that of keys/ is not it */
	assert_int_equal(errs.n, 1);
	expect(0, 3, "own/k.psk");
	snprintf(own, sizeof(own), "%s/own", keys);
	snprintf(file, sizeof(file), "%s/k.psk", own);
	assert_int_equal(mkdir(own, 0700), 0);
	put(file, "another", 0600);
	assert_int_equal(load(), 0);
	assert_int_equal(chmod(own, 0720), 0);
	assert_int_equal(load(), ERR_KEYFILE);
	expect(0, 2, "chmod 700");
	unlink(file);
	rmdir(own);
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

TEST(printed_errors_have_file_line_column_text_and_code)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	struct conf *c = NULL;

	assert_int_equal(conf_parse("<vpn>\n<x/></vpn>", 16, "f.xml", NULL, &c,
				    &errs), ERR_CONF);
	conf_errs_print(&errs, f);
	fclose(f);
	assert_non_null(strstr(text, "f.xml:2:1: unknown element <x> in <vpn>"));
	assert_non_null(strstr(text, " [unknown-element]\n"));
	free(text);
}

/* ---- files beside it --------------------------------------------------------- */

static void
put_file(const char *name, const char *text)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, 0644), 0);
}

static void
parts_up(void)
{
	char path[200];

	set_up();
	snprintf(path, sizeof(path), "%s/p.d", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	put_file("p.xml", "<vpn log='info'><realm name='r'><me id='a' psk='k'/>"
		 "<peer id='b'/></realm></vpn>");
	put_file("p.d/10-c.xml", "<vpn>\n<realm name='r' mtu='1400'>"
		 "<peer id='c'/></realm></vpn>");
}

static void
parts_down(void)
{
	static const char *const name[] = { "p.d/10-c.xml", "p.d/20-s.xml",
		"p.d/30-t.xml", "p.d/40-u.xml", "p.d/.hidden.xml",
		"p.d/notes.txt", "p.xml" };
	char path[200];

	for (unsigned i = 0; i < N_OF(name); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, name[i]);
		(void)unlink(path);
	}
	snprintf(path, sizeof(path), "%s/p.d", dir);
	assert_int_equal(rmdir(path), 0);
	tear_down();
}

static int
load_parts(struct conf **c)
{
	char path[200], *text = NULL;
	size_t len = 0;
	int err;

	snprintf(path, sizeof(path), "%s/p.xml", dir);
	*c = NULL;
	if ((err = conf_read(path, &text, &len, &errs)) == 0)
		err = conf_parse(text, len, path, NULL, c, &errs);
	free(text);
	return err;
}

TEST(files_beside_it_add_realms_peers_and_options)
{
	struct conf *c;

	parts_up();
	put_file("p.d/20-s.xml", "<vpn port='501'><realm name='s'>"
		 "<me id='z' psk='k'/><peer id='y'/></realm></vpn>");
	put_file("p.d/.hidden.xml", "<vpn>");
	put_file("p.d/notes.txt", "<vpn>");
	assert_int_equal(load_parts(&c), 0);
	assert_int_equal(c->n_realm, 2);
	assert_int_equal(c->port, 501);
	assert_int_equal(c->log, LOG_INFO);
	assert_int_equal(c->realm[0].mtu, 1400);
	assert_int_equal(c->realm[0].n_peer, 2);
	assert_string_equal(c->realm[0].peer[1].id, "c");
	assert_string_equal(c->realm[1].name, "s");
	conf_free(c);
	parts_down();
}

TEST(errors_of_files_beside_it_name_that_file_and_its_line)
{
	struct conf *c;

	parts_up();
	put_file("p.d/20-s.xml", "<vpn log='debug'>\n<realm name='s'>\n"
		 "<me id='z' psk='k'/><pear/></realm></vpn>");
	put_file("p.d/30-t.xml", "<vpn>\n\n<realm");
	put_file("p.d/40-u.xml", "<realm/>");
	assert_int_equal(load_parts(&c), ERR_CONF);
	assert_int_equal(errs.n_file, 5);
	assert_int_equal(errs.n, 3);
	assert_int_equal(errs.e[0].file, 2);
	assert_int_equal(errs.e[0].code, CONF_E_TWICE);
	assert_non_null(strstr(errs.e[0].text, "p.xml, line 1"));
	assert_int_equal(errs.e[1].file, 3);
	assert_int_equal(errs.e[1].code, CONF_E_XML);
	assert_int_equal(errs.e[2].file, 4);
	assert_int_equal(errs.e[2].code, CONF_E_ROOT);
	put_file("p.d/30-t.xml", "<vpn/>");
	put_file("p.d/40-u.xml", "<vpn/>");
	put_file("p.d/20-s.xml", "<vpn>\n<realm name='s'>\n"
		 "<me id='z' psk='k'/><pear/></realm></vpn>");
	assert_int_equal(load_parts(&c), ERR_CONF);
	assert_int_equal(errs.n, 1);
	assert_int_equal(errs.e[0].line, 3);
	assert_non_null(strstr(conf_err_file(&errs, &errs.e[0]),
			       "p.d/20-s.xml"));
	parts_down();
}

TEST(files_beside_it_are_as_safe_as_it_is)
{
	char path[200];
	struct conf *c;

	parts_up();
	put_file("p.d/20-s.xml", "<vpn/>");
	snprintf(path, sizeof(path), "%s/p.d/20-s.xml", dir);
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(load_parts(&c), ERR_CONF);
	assert_int_equal(errs.e[0].code, CONF_E_FILE);
	assert_non_null(strstr(conf_err_file(&errs, &errs.e[0]), "20-s.xml"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("20-s.xml", path), 0);
	assert_int_equal(load_parts(&c), ERR_CONF);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/p.d", dir);
	assert_int_equal(chmod(path, 0777), 0);
	assert_int_equal(load_parts(&c), ERR_CONF);
	assert_int_equal(chmod(path, 0755), 0);
	assert_int_equal(load_parts(&c), 0);
	conf_free(c);
	parts_down();
}
