/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packaging/man/words.c - the Japanese words of the tables.
 */
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "packaging/man/man.h"

#define KEY_MAX	  96
#define WORDS_MAX 2000	/* rows of all tables; ours */
#define TEXT_MAX  4096	/* bytes of one text */

struct entry {
	char key[KEY_MAX];
	const char *file;
	unsigned line, sum;
	char *text;
	bool is_used;
};
struct lack {
	char key[KEY_MAX];
	char *english;
	const struct entry *old;	/* translated from another text */
};

static struct entry entries[WORDS_MAX];
static unsigned n_entry;
static struct lack lacks[WORDS_MAX];
static unsigned n_lack;

/* FNV-1a, folded to 16 bits: tells a changed text, nothing more. */
static unsigned
sum_of(const char *text)
{
	uint32_t h = 2166136261u;

	for (; *text != '\0'; text++)
		h = (h ^ (unsigned char)*text) * 16777619u;
	return (h >> 16 ^ h) & 0xffff;
}

/* ---- reading -------------------------------------------------------------------- */

static int
entry_end(struct entry *e, char *text)
{
	size_t n = strlen(text);

	while (n > 0 && isspace((unsigned char)text[n - 1]))
		text[--n] = '\0';
	if (e == NULL)
		return n == 0 ? 0 : ERR_SYNTAX;
	if (n == 0)
		return ERR_SYNTAX;
	e->text = strdup(text);
	text[0] = '\0';
	return e->text != NULL ? 0 : ERR_NOMEM;
}

static int
entry_begin(const char *file, unsigned line, const char *head)
{
	struct entry *e = &entries[n_entry];
	const char *gap = strrchr(head, ' ');	/* a key may have blanks */

	if (n_entry == WORDS_MAX)
		return ERR_NOMEM;
	if (gap == NULL || gap - head > KEY_MAX ||
	    sscanf(gap, " %4x]", &e->sum) != 1)
		return ERR_SYNTAX;
	str_add(e->key, sizeof(e->key), "%.*s", (int)(gap - head - 1), head + 1);
	for (unsigned i = 0; i < n_entry; i++)
		if (strcmp(entries[i].key, e->key) == 0)
			return ERR_EXISTS;
	e->file = file;
	e->line = line;
	n_entry++;
	return 0;
}

int
words_read(const char *file)
{
	FILE *f = fopen(file, "r");
	char line[1024], text[TEXT_MAX] = "";
	struct entry *now = NULL;
	unsigned no = 0;
	int err = 0;

	if (f == NULL) {
		fprintf(stderr, "%s: %s\n", file, strerror(errno));
		return ERR_IO;
	}
	while (err == 0 && fgets(line, sizeof(line), f) != NULL) {
		no++;
		if (line[0] == '#')
			continue;
		if (line[0] != '[') {
			if (strlen(text) + strlen(line) >= sizeof(text))
				err = ERR_LONG;
			str_add(text, sizeof(text), "%s", line);
			continue;
		}
		if ((err = entry_end(now, text)) != 0)
			break;
		err = entry_begin(file, no, line);
		now = &entries[n_entry - (n_entry > 0)];
	}
	if (err == 0 && (err = ferror(f) ? ERR_IO : 0) == 0)
		err = entry_end(now, text);
	if (err != 0)
		fprintf(stderr, "%s:%u: %s\n", file, no, err_text(err));
	fclose(f);
	return err;
}

/* ---- asking --------------------------------------------------------------------- */

static void
lacks_words(const char *key, const char *english, const struct entry *old)
{
	struct lack *l = &lacks[n_lack];
	size_t table = strcspn(key, "/");

	/* once for all rows of a table that say the same */
	for (unsigned i = 0; i < n_lack; i++)
		if (strcmp(lacks[i].english, english) == 0 &&
		    strncmp(lacks[i].key, key, table + 1) == 0)
			return;
	if (n_lack == WORDS_MAX || (l->english = strdup(english)) == NULL)
		return;
	str_copy(l->key, sizeof(l->key), key);
	l->old = old;
	n_lack++;
}

const char *
words_find(const char *key, const char *english)
{
	unsigned sum = sum_of(english);
	struct entry *old = NULL;

	for (unsigned i = 0; i < n_entry; i++) {
		struct entry *e = &entries[i];
		bool is_any = strncmp(e->key, "text/", 5) == 0;

		if (!is_any && strcmp(e->key, key) != 0)
			continue;
		if (e->sum == sum) {
			e->is_used = true;
			return e->text;
		}
		if (!is_any)
			old = e;
	}
	if (old != NULL)
		old->is_used = true;
	lacks_words(key, english, old);
	return NULL;
}

unsigned
words_report(FILE *out)
{
	unsigned n = n_lack;

	for (unsigned i = 0; i < n_lack; i++) {
		const struct lack *l = &lacks[i];

		if (l->old != NULL)
			fprintf(out, "# instead of %s:%u\n", l->old->file,
				l->old->line);
		fprintf(out, "[%s %04x]\n%s\n\n", l->key, sum_of(l->english),
			l->english);
	}
	for (unsigned i = 0; i < n_entry; i++) {
		if (entries[i].is_used)
			continue;
		fprintf(out, "# %s:%u: [%s] is no row\n", entries[i].file,
			entries[i].line, entries[i].key);
		n++;
	}
	return n;
}

void
words_free(void)
{
	for (unsigned i = 0; i < n_entry; i++)
		free(entries[i].text);
	for (unsigned i = 0; i < n_lack; i++)
		free(lacks[i].english);
	n_entry = n_lack = 0;
}
