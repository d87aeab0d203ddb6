/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/bug/collect.c - parts of a report: files, programs, tapir's own commands.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/bug/bug.h"
#include "cli/lab/proc.h"
#include "daemon/base/err.h"

#define WORDS_MAX 8

FILE *
bug_begin(struct bug *b, const char *fmt, ...)
{
	va_list ap;

	if (b->n_part == BUG_PARTS_MAX)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(b->part[b->n_part].name, BUG_NAME_MAX, fmt, ap);
	va_end(ap);
	b->at_text = NULL;
	b->at = open_memstream(&b->at_text, &b->at_len);
	return b->at;
}

/* Control characters, and bytes that are no UTF-8 to begin with, have no
 * business here. */
static void
printable(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char ch = (unsigned char)text[i];

		if ((ch < ' ' && ch != '\n' && ch != '\t') || ch == 0x7f)
			text[i] = '?';
	}
}

void
bug_end(struct bug *b, bool is_tail)
{
	static const char cut[] = "... cut here ...\n";
	struct bug_part *p = &b->part[b->n_part];
	size_t over;

	if (b->at == NULL)
		return;
	fclose(b->at);
	b->at = NULL;
	if (b->at_text == NULL)
		return;
	p->text = b->at_text;
	p->len = b->at_len;
	if (p->len > BUG_PART_MAX) {
		over = p->len - BUG_PART_MAX;
		if (is_tail) {
			memmove(p->text, p->text + over, BUG_PART_MAX);
			memcpy(p->text, cut, sizeof(cut) - 1);
		} else {
			memcpy(p->text + BUG_PART_MAX - (sizeof(cut) - 1), cut,
			       sizeof(cut) - 1);
		}
		p->len = BUG_PART_MAX;
		p->text[p->len] = '\0';
	}
	printable(p->text, p->len);
	b->n_part++;
}

void
bug_free(struct bug *b)
{
	for (unsigned i = 0; i < b->n_part; i++)
		free(b->part[i].text);
	b->n_part = 0;
	conf_free(b->conf);
	free(b->errs);
	free(b->hidden);
}

/* ---- files ------------------------------------------------------------------- */

/* The last BUG_PART_MAX bytes of a regular file. */
static void
tail(FILE *out, int fd)
{
	char buf[65536];
	size_t left = BUG_PART_MAX;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) == 0 && st.st_size > (off_t)BUG_PART_MAX)
		(void)lseek(fd, st.st_size - (off_t)BUG_PART_MAX, SEEK_SET);
	while (left > 0 && (n = read(fd, buf, MIN(left, sizeof(buf)))) > 0) {
		(void)fwrite(buf, 1, (size_t)n, out);
		left -= (size_t)n;
	}
}

static void
file_write(FILE *out, const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0) {
		fprintf(out, "%s: %s\n", path, strerror(errno));
		return;
	}
	tail(out, fd);
	close(fd);
}

void
bug_file(struct bug *b, const char *part, const char *path)
{
	FILE *out = bug_begin(b, "%s", part);

	if (out == NULL)
		return;
	file_write(out, path);
	bug_end(b, true);
}

void
bug_copy(struct bug *b, const char *path)
{
	if (b->at == NULL)
		return;
	fprintf(b->at, "%s: ", path);
	file_write(b->at, path);
}

/* ---- programs ---------------------------------------------------------------- */

int
bug_run(struct bug *b, int ms, const char *const *argv)
{
	const struct proc p = { .argv = argv };
	char *text;
	int status;

	if (b->at == NULL)
		return ERR_NOMEM;
	if ((text = malloc(BUG_PART_MAX)) == NULL)
		return ERR_NOMEM;
	text[0] = '\0';
	fputs("$", b->at);
	for (unsigned i = 0; argv[i] != NULL; i++)
		fprintf(b->at, " %s", i == 0 && strcmp(argv[0], b->self) == 0 ?
			"tapir" : argv[i]);
	fputc('\n', b->at);
	status = proc_run(&p, ms, text, BUG_PART_MAX);
	fputs(text, b->at);
	if (*text != '\0' && text[strlen(text) - 1] != '\n')
		fputc('\n', b->at);
	if (status != 0)
		fprintf(b->at, "(%s%d)\n", status > 0 ? "exit status " :
			status == ERR_NOTFOUND ? "no such program " :
			status == ERR_TIMEOUT ? "took too long " : "failed ",
			status);
	fputc('\n', b->at);
	free(text);
	return status;
}

int
bug_tapir(struct bug *b, int ms, const char *first, ...)
{
	const char *argv[WORDS_MAX + 4] = { b->self, "--run-dir",
					    b->c->run_dir, first };
	unsigned n = 4;
	const char *w;
	va_list ap;

	va_start(ap, first);
	while (n < N_OF(argv) - 1 && (w = va_arg(ap, const char *)) != NULL)
		argv[n++] = w;
	va_end(ap);
	return bug_run(b, ms, argv);
}
