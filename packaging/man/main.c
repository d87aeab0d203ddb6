/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packaging/man/main.c - manual pages of prose and tables.
 *
 *   man PAGE                      the English page, on standard output
 *   man --ja WORDS... -- PAGE     the Japanese one
 *   man --lacks WORDS...          what lacks Japanese words; status 1: something
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "daemon/base/err.h"
#include "packaging/man/man.h"

static const char mark[] = ".\\\" @";

static int
usage(void)
{
	fputs("usage: man [--ja WORDS... --] PAGE | --lacks WORDS...\n", stderr);
	return 2;
}

/* Copy a page, its lists filled in. */
static int
expand(const struct man *m, const char *file)
{
	FILE *f = fopen(file, "r");
	char line[4096];
	unsigned no = 0;
	int err = 0;

	if (f == NULL) {
		fprintf(stderr, "%s: %s\n", file, strerror(errno));
		return 1;
	}
	while (err == 0 && fgets(line, sizeof(line), f) != NULL) {
		no++;
		if (strncmp(line, mark, sizeof(mark) - 1) != 0) {
			fputs(line, m->out);
			continue;
		}
		line[strcspn(line, "\n")] = '\0';
		if ((err = man_list(m, line + sizeof(mark) - 1)) != 0)
			fprintf(stderr, "%s:%u: there is no list %s\n", file, no,
				line + sizeof(mark) - 1);
	}
	if (err == 0 && ferror(f))
		err = ERR_IO;
	fclose(f);
	return err == 0 && fflush(m->out) == 0 ? 0 : 1;
}

static int
lacks(char **words, int n)
{
	struct man m = { .lang = WHY_JA };
	unsigned n_lacks;

	for (int i = 0; i < n; i++)
		if (words_read(words[i]) != 0)
			return 1;
	if ((m.out = fopen("/dev/null", "w")) == NULL)
		return 1;
	man_list_all(&m);
	fclose(m.out);
	n_lacks = words_report(stdout);
	printf("# %u without Japanese words\n", n_lacks);
	words_free();
	return n_lacks == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	struct man m = { .out = stdout, .lang = WHY_EN };
	int i = 1, status;

	if (argc > 2 && strcmp(argv[1], "--lacks") == 0)
		return lacks(argv + 2, argc - 2);
	if (argc > 1 && strcmp(argv[1], "--ja") == 0) {
		m.lang = WHY_JA;
		for (i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
			if (words_read(argv[i]) != 0)
				return 1;
		i++;
	}
	if (i != argc - 1)
		return usage();
	status = expand(&m, argv[i]);
	words_free();
	return status;
}
