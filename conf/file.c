/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/file.c - the files of a configuration: tapir.xml, and what is in tapir.d/
 * beside it, in the order of names.
 *
 * Where there are several, they travel as one text: a byte that no XML has in
 * front, then name, NUL, text, NUL of each.
 *
 * Thread: any; system calls.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "conf/tree.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"

#define BUNDLE	 '\x01'
#define PATH_LEN 4096
#define SUFFIX	 ".xml"

struct reader {
	struct conf_errs *errs;
	char *text;		/* CONF_BYTES_MAX + 2 */
	size_t len;
};

void
conf_errs_init(struct conf_errs *errs, const char *file)
{
	errs->n = errs->n_more = 0;
	errs->n_file = 1;
	str_copy(errs->file[0], sizeof(errs->file[0]), file);
}

/* ---- several texts as one ------------------------------------------------------- */

unsigned
conf_files(const char *text, size_t len, const char *path,
	   struct conf_file *out)
{
	const char *p = text + 1, *end = text + len, *name, *nul;
	unsigned n = 0;

	out[0] = (struct conf_file){ path, text, len };
	if (len == 0 || text[0] != BUNDLE)
		return 1;
	while (p < end && n < CONF_FILES_MAX) {
		name = p;
		nul = memchr(p, '\0', (size_t)(end - p));
		if (nul == NULL)
			break;
		p = nul + 1;
		nul = memchr(p, '\0', (size_t)(end - p));
		if (nul == NULL)
			nul = end;
		out[n++] = (struct conf_file){ name, p, (size_t)(nul - p) };
		p = nul + 1;
	}
	return MAX(n, 1u);
}

int
conf_bundle(const struct conf_file *f, unsigned n, char **text, size_t *len)
{
	size_t need = 1, at = 0;
	char *t;

	for (unsigned i = 0; i < n; i++)
		need += strlen(f[i].name) + f[i].len + 2;
	if ((t = malloc(need + 1)) == NULL)
		return ERR_NOMEM;
	if (n > 1)
		t[at++] = BUNDLE;
	for (unsigned i = 0; i < n; i++) {
		if (n > 1) {
			memcpy(t + at, f[i].name, strlen(f[i].name) + 1);
			at += strlen(f[i].name) + 1;
		}
		memcpy(t + at, f[i].text, f[i].len);
		at += f[i].len;
		t[at] = '\0';
		at += n > 1;
	}
	*text = t;
	*len = at;
	return 0;
}

/* ---- reading -------------------------------------------------------------------- */

PRINTF(3, 4)
static int
refuse(struct reader *r, unsigned file, const char *fmt, ...)
{
	char text[CONF_ERR_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	conf_err_add(r->errs, (struct conf_pos){ .file = (uint16_t)file },
		     CONF_E_FILE, "%s", text);
	return ERR_CONF;
}

static int
open_checked(struct reader *r, unsigned file, const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return refuse(r, file, "cannot open: %s", strerror(errno));
	if (fstat(fd, &st) != 0)
		(void)refuse(r, file, "cannot look at it: %s", strerror(errno));
	else if (!S_ISREG(st.st_mode))
		(void)refuse(r, file, "not a regular file");
	else if (st.st_mode & S_IWOTH)
		(void)refuse(r, file, "may be written by everybody (mode %04o); "
			     "run: chmod o-w %s", st.st_mode & 07777, path);
	else if (st.st_size > (off_t)(CONF_BYTES_MAX - r->len))
		(void)refuse(r, file, "larger than %u bytes; this is the limit "
			     "of a configuration", CONF_BYTES_MAX);
	else
		return fd;
	close(fd);
	return ERR_CONF;
}

/* Append what a file holds. */
static int
take(struct reader *r, unsigned file, const char *path)
{
	int fd = open_checked(r, file, path), err = 0;
	size_t from = r->len;
	ssize_t got = 1;

	if (fd < 0)
		return fd;
	while (got != 0 && r->len <= CONF_BYTES_MAX) {
		got = read(fd, r->text + r->len, CONF_BYTES_MAX + 1 - r->len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		r->len += (size_t)got;
	}
	if (got < 0)
		err = refuse(r, file, "cannot read: %s", strerror(errno));
	else if (r->len > from && r->text[from] == BUNDLE)
		err = refuse(r, file, "not a text");
	else if (file > 0 && memchr(r->text + from, '\0', r->len - from) != NULL)
		err = refuse(r, file, "holds NUL bytes: not a text, or not "
			     "UTF-8; save the file as UTF-8");
	close(fd);
	return err;
}

static int
add(struct reader *r, const char *s)
{
	size_t n = strlen(s) + 1;

	if (r->len + n > CONF_BYTES_MAX)
		return refuse(r, 0, "larger than %u bytes with the files beside "
			      "it; this is the limit of a configuration",
			      CONF_BYTES_MAX);
	memcpy(r->text + r->len, s, n);
	r->len += n;
	return 0;
}

/* ---- the directory beside it ---------------------------------------------------- */

/* "tapir.d" of "tapir.xml"; false: it has none. */
static bool
dir_of(const char *path, char *out, size_t cap)
{
	size_t n = strlen(path), n_suffix = strlen(SUFFIX);

	if (n <= n_suffix || strcmp(path + n - n_suffix, SUFFIX) != 0)
		return false;
	return snprintf(out, cap, "%.*s.d", (int)(n - n_suffix), path) <
	    (int)cap;
}

static int
is_part(const struct dirent *d)
{
	size_t n = strlen(d->d_name), n_suffix = strlen(SUFFIX);

	return d->d_name[0] != '.' && n > n_suffix &&
	    strcmp(d->d_name + n - n_suffix, SUFFIX) == 0;
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
dir_look(struct reader *r, const char *dir, bool *is_there)
{
	struct stat st;

	*is_there = stat(dir, &st) == 0;
	if (!*is_there)
		return 0;
	if (!S_ISDIR(st.st_mode))
		return refuse(r, 0, "%s is not a directory; further parts of the "
			      "configuration live there", dir);
	if (st.st_mode & S_IWOTH)
		return refuse(r, 0, "%s may be written by everybody (mode "
			      "%04o); run: chmod o-w %s", dir,
			      st.st_mode & 07777, dir);
	return 0;
}

/* All that is wrong with any of them is told. */
static int
take_dir(struct reader *r, const char *dir, struct dirent **d, int n)
{
	struct conf_errs *errs = r->errs;
	char path[PATH_LEN];
	int err = 0, one;

	for (int i = 0; i < n; i++) {
		if (errs->n_file == CONF_FILES_MAX)
			return refuse(r, 0, "more than %u files in %s",
				      CONF_FILES_MAX - 1, dir);
		snprintf(path, sizeof(path), "%.3500s/%s", dir, d[i]->d_name);
		str_copy(errs->file[errs->n_file], sizeof(errs->file[0]), path);
		if ((one = add(r, path)) != 0)
			return one;
		if ((one = take(r, errs->n_file++, path)) != 0 ||
		    (one = add(r, "")) != 0)
			err = one;
	}
	return err;
}

static int
take_beside(struct reader *r, const char *path)
{
	char dir[PATH_LEN], mark[2] = { BUNDLE, '\0' };
	struct dirent **d = NULL;
	size_t n_name = strlen(path) + 1;
	bool is_there = false;
	int err, n;

	if (!dir_of(path, dir, sizeof(dir)))
		return 0;
	if ((err = dir_look(r, dir, &is_there)) != 0 || !is_there)
		return err;
	n = scandir(dir, &d, is_part, by_name);
	if (n < 0)
		return refuse(r, 0, "%s: %s", dir, strerror(errno));
	if (n > 0 && memchr(r->text, '\0', r->len) != NULL) {
		err = refuse(r, 0, "holds NUL bytes: not a text, or not UTF-8; "
			     "save the file as UTF-8");
	} else if (n > 0 && r->len + n_name + 2 > CONF_BYTES_MAX) {
		err = refuse(r, 0, "too large to have files beside it");
	} else if (n > 0) {
		memmove(r->text + 1 + n_name, r->text, r->len);
		r->text[0] = mark[0];
		memcpy(r->text + 1, path, n_name);
		r->len += 1 + n_name;
		if ((err = add(r, "")) == 0)
			err = take_dir(r, dir, d, n);
	}
	for (int i = 0; i < n; i++)
		free(d[i]);
	free(d);
	return err;
}

int
conf_read(const char *path, char **text, size_t *len, struct conf_errs *errs)
{
	struct reader r = { .errs = errs };
	int err;

	conf_errs_init(errs, path);
	r.text = malloc(CONF_BYTES_MAX + 2);
	if (r.text == NULL)
		return ERR_NOMEM;
	if ((err = take(&r, 0, path)) != 0 ||
	    (err = take_beside(&r, path)) != 0) {
		free(r.text);
		return err;
	}
	r.text[r.len] = '\0';
	*text = r.text;
	*len = r.len;
	return 0;
}
