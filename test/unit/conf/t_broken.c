/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/conf/t_broken.c - the configurations of test/conf/broken, each with
 * line and code of every mistake as the table beside them says.
 *
 * Run from the root of the tree.
 */
#include "test/lib/test.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "conf/conf.h"
#include "daemon/base/err.h"

#define DIR_NAME "test/conf/broken"

static struct conf_errs errs;

/* Read it without its keys; the errors as the table writes them. */
static void
found(const char *name, char *out, size_t cap)
{
	char path[600], *text = NULL;
	struct conf *c = NULL;
	size_t len = 0, at = 0;
	int err;

	snprintf(path, sizeof(path), DIR_NAME "/%s.xml", name);
	err = conf_read(path, &text, &len, &errs);
	if (err == 0)
		err = conf_parse(text, len, path, NULL, &c, &errs);
	free(text);
	conf_free(c);
	out[0] = '\0';
	for (unsigned i = 0; err != 0 && i < errs.n; i++) {
		at += (size_t)snprintf(out + at, cap - at, "%s%u %s",
				       i > 0 ? ", " : "", errs.e[i].line,
				       conf_code_name(errs.e[i].code));
		assert_true(at < cap);
		/* a message says more than its code, in one line */
		assert_true(strlen(errs.e[i].text) > 10);
		assert_null(strpbrk(errs.e[i].text, "\n\t"));
	}
}

TEST(every_broken_file_has_the_errors_of_the_table)
{
	FILE *f = fopen(DIR_NAME "/expected", "r");
	char line[512], got[512], *want;
	unsigned n = 0, n_bad = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (line[0] == '#')
			continue;
		line[strcspn(line, "\n")] = '\0';
		want = strstr(line, ": ");
		assert_non_null(want);
		*want = '\0';
		want += 2;
		found(line, got, sizeof(got));
		n++;
		if (strcmp(got, want) == 0)
			continue;
		n_bad++;
		fprintf(stderr, "%s: want %s\n got %s\n", line, want, got);
		conf_errs_print(&errs, stderr);
	}
	fclose(f);
	assert_int_equal(n_bad, 0);
	assert_true(n >= 60);
}

TEST(no_broken_file_is_without_a_row)
{
	DIR *d = opendir(DIR_NAME);
	char table[16384], row[300];
	struct dirent *e;
	size_t n;
	FILE *f;

	f = fopen(DIR_NAME "/expected", "r");
	assert_non_null(f);
	n = fread(table, 1, sizeof(table) - 1, f);
	table[n] = '\0';
	fclose(f);
	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		if (strstr(e->d_name, ".xml") == NULL)
			continue;
		snprintf(row, sizeof(row), "\n%.*s: ",
			 (int)(strlen(e->d_name) - 4), e->d_name);
		if (strstr(table, row) == NULL) {
			fprintf(stderr, "no row for %s\n", e->d_name);
			fail();
		}
	}
	closedir(d);
}

TEST(every_code_has_its_own_word)
{
	for (int a = 0; a < CONF_E_END; a++) {
		assert_true(strlen(conf_code_help((enum conf_code)a)) > 10);
		for (int b = 0; b < a; b++)
			assert_string_not_equal(
			    conf_code_name((enum conf_code)a),
			    conf_code_name((enum conf_code)b));
	}
	assert_string_equal(conf_code_name((enum conf_code)-1), "?");
}

TEST(columns_count_characters)
{
	static const char text[] =
	    "<vpn>\n<realm name='r' \xc3\xa9t\xc3\xa9='x' mtu='1'/></vpn>";
	struct conf *c = NULL;

	assert_int_equal(conf_parse(text, strlen(text), "x", NULL, &c, &errs),
			 ERR_CONF);
	assert_int_equal(errs.n, 3);	/* and no <me> */
	assert_int_equal(errs.e[1].col + errs.e[0].col + errs.e[2].col,
			 1 + 17 + 25);
}
