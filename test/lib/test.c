/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/lib/test.c - the list of tests of a program, and its main().
 *
 * Tests register themselves through constructors in the order of the file.
 * The last line, "TESTS n passed, m failed", is what test/run-unit sums up.
 */
#include "test/lib/test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TEST_MAX 1024 /* tests in one program; ours, to keep an array */

static struct CMUnitTest list[TEST_MAX];
static size_t n_list;
static uint64_t seed;

void
test_add(const char *name, test_body_fn *fn)
{
	if (n_list == TEST_MAX)
		abort();
	list[n_list].name = name;
	list[n_list].test_func = fn;
	n_list++;
}

static int
nibble(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	if (ch >= 'a' && ch <= 'f')
		return ch - 'a' + 10;
	if (ch >= 'A' && ch <= 'F')
		return ch - 'A' + 10;
	return -1;
}

size_t
test_hex(const char *text, uint8_t *out, size_t cap)
{
	size_t n = 0;
	int hi = -1;

	for (; *text != '\0'; text++) {
		int v;

		if (strchr(" \t\r\n:", *text) != NULL)
			continue;
		v = nibble(*text);
		if (v < 0)
			fail_msg("test_hex: '%c' is not hexadecimal", *text);
		if (hi < 0) {
			hi = v;
			continue;
		}
		if (n == cap)
			fail_msg("test_hex: more than %zu bytes", cap);
		out[n++] = (uint8_t)(hi << 4 | v);
		hi = -1;
	}
	if (hi >= 0)
		fail_msg("test_hex: odd number of digits");
	return n;
}

uint64_t
test_seed(void)
{
	return seed;
}

int
main(int argc, char **argv)
{
	const char *s = getenv("TEST_SEED");
	int failed;

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	seed = s != NULL ? strtoull(s, NULL, 0) : (uint64_t)time(NULL);
	printf("TEST_SEED=%llu\n", (unsigned long long)seed);
	failed = _cmocka_run_group_tests(argv[0], list, n_list, NULL, NULL);
	if (failed < 0)
		failed = (int)n_list;
	printf("TESTS %zu passed, %d failed\n", n_list - (size_t)failed, failed);
	return failed != 0;
}
