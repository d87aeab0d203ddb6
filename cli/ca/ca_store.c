/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/ca/ca_store.c - the files of an authority.
 */
#include "cli/ca/ca.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/str.h"

#define LIST	 "ca.list"
#define LIST_MAX (64u << 20)	/* bytes of ca.list; ours */

static int fail(struct ca *ca, int err, const char *fmt, ...) PRINTF(3, 4);

static int
fail(struct ca *ca, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(ca->why, sizeof(ca->why), fmt, ap);
	va_end(ap);
	return err;
}

/* ---- one file ---------------------------------------------------------------- */

bool
ca_file_exists(struct ca *ca, const char *name)
{
	struct stat st;

	return fstatat(ca->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int
write_all(int fd, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t got = write(fd, p, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return ERR_IO;
		p += got;
		n -= (size_t)got;
	}
	return fsync(fd) == 0 ? 0 : ERR_IO;
}

int
ca_file_write(struct ca *ca, const char *name, const void *p, size_t n,
	      mode_t mode)
{
	char tmp[CA_NAME_MAX + 32];
	int fd, err;

	snprintf(tmp, sizeof(tmp), ".%.*s.new", CA_NAME_MAX + 8, name);
	(void)unlinkat(ca->dir_fd, tmp, 0);
	fd = openat(ca->dir_fd, tmp,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return fail(ca, ERR_IO, "%s cannot be written: %s", name,
		    strerror(errno));
	err = write_all(fd, p, n);
	if (err == 0 && fchmod(fd, mode) != 0)
		err = ERR_IO;
	close(fd);
	if (err == 0 && renameat(ca->dir_fd, tmp, ca->dir_fd, name) != 0)
		err = ERR_IO;
	if (err == 0)
		return 0;
	err = fail(ca, ERR_IO, "%s cannot be written: %s", name,
	    strerror(errno));
	(void)unlinkat(ca->dir_fd, tmp, 0);
	return err;
}

int
ca_file_read(struct ca *ca, const char *name, char *out, size_t cap,
	     size_t *len)
{
	int fd = openat(ca->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t got = 1;
	size_t n = 0;

	if (fd < 0)
		return fail(ca, errno == ENOENT ? ERR_NOTFOUND : ERR_IO,
		    "%s cannot be read: %s", name, strerror(errno));
	while (n < cap - 1 && got > 0) {
		got = read(fd, out + n, cap - 1 - n);
		if (got > 0)
			n += (size_t)got;
	}
	close(fd);
	if (got < 0 || n == cap - 1)
		return fail(ca, ERR_IO, "%s cannot be read", name);
	out[n] = '\0';
	*len = n;
	return 0;
}

/* ---- the directory -------------------------------------------------------------- */

int
ca_open(struct ca *ca, const char *dir, bool is_new)
{
	struct stat st;

	memset(ca, 0, sizeof(*ca));
	if (is_new && mkdir(dir, 0700) != 0 && errno != EEXIST)
		return fail(ca, ERR_IO, "%s cannot be made: %s", dir,
		    strerror(errno));
	ca->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ca->dir_fd < 0)
		return fail(ca, ERR_IO, "%s cannot be opened: %s", dir,
		    strerror(errno));
	if (fstat(ca->dir_fd, &st) != 0 || (st.st_mode & 022) != 0) {
		close(ca->dir_fd);
		return fail(ca, ERR_PERM, "%s can be written by others: chmod "
		    "700 it", dir);
	}
	if (flock(ca->dir_fd, LOCK_EX) != 0) {
		close(ca->dir_fd);
		return fail(ca, ERR_IO, "%s cannot be locked", dir);
	}
	return 0;
}

void
ca_close(struct ca *ca)
{
	free(ca->entry);
	close(ca->dir_fd);
}

/* ---- ca.list ------------------------------------------------------------------- */

struct ca_entry *
ca_add(struct ca *ca)
{
	struct ca_entry *more;
	unsigned cap;

	if (ca->n == CA_CERTS_MAX)
		return NULL;
	if (ca->n == ca->cap) {
		cap = ca->cap == 0 ? 64 : 2 * ca->cap;
		more = reallocarray(ca->entry, cap, sizeof(*more));
		if (more == NULL)
			return NULL;
		ca->entry = more;
		ca->cap = cap;
	}
	memset(&ca->entry[ca->n], 0, sizeof(*ca->entry));
	return &ca->entry[ca->n++];
}

static int
line_read(struct ca *ca, const char *line)
{
	struct ca_entry *e, in = { 0 };
	long long end, at;
	char state[8];

	if (sscanf(line, "url %255s", ca->url) == 1 || line[0] == '\0' ||
	    line[0] == '#')
		return 0;
	if (sscanf(line, "cert %40[0-9a-f] %7s %lld %lld %511s", in.serial,
	    state, &end, &at, in.names) != 5 || (strcmp(state, "valid") != 0 &&
	    strcmp(state, "revoked") != 0))
		return ERR_SYNTAX;
	in.is_revoked = strcmp(state, "revoked") == 0;
	in.not_after = end;
	in.revoked_at = at;
	if ((e = ca_add(ca)) == NULL)
		return ERR_NOMEM;
	*e = in;
	return 0;
}

int
ca_list_read(struct ca *ca)
{
	char *text = malloc(LIST_MAX), *line, *rest;
	unsigned at = 0;
	size_t len;
	int err;

	if (text == NULL)
		return fail(ca, ERR_NOMEM, "out of memory");
	if ((err = ca_file_read(ca, LIST, text, LIST_MAX, &len)) != 0) {
		free(text);
		return err == ERR_NOTFOUND ? fail(ca, err, "there is no "
		    "authority in this directory") : err;
	}
	rest = text;
	while (err == 0 && (line = strsep(&rest, "\n")) != NULL) {
		at++;
		if ((err = line_read(ca, line)) != 0)
			err = fail(ca, err, LIST ":%u: cannot be understood",
			    at);
	}
	free(text);
	return err;
}

int
ca_list_write(struct ca *ca)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	int err;

	if (f == NULL)
		return fail(ca, ERR_NOMEM, "out of memory");
	fprintf(f, "# written by: tapir ca\n");
	if (ca->url[0] != '\0')
		fprintf(f, "url %s\n", ca->url);
	for (unsigned i = 0; i < ca->n; i++) {
		const struct ca_entry *e = &ca->entry[i];

		fprintf(f, "cert %s %s %lld %lld %s\n", e->serial,
		    e->is_revoked ? "revoked" : "valid",
		    (long long)e->not_after, (long long)e->revoked_at,
		    e->names);
	}
	if (fclose(f) != 0) {
		free(text);
		return fail(ca, ERR_NOMEM, "out of memory");
	}
	err = ca_file_write(ca, LIST, text, len, 0600);
	free(text);
	return err;
}

struct ca_entry *
ca_find(struct ca *ca, const char *name)
{
	size_t n = strlen(name);

	for (unsigned i = ca->n; i-- > 0;) {
		struct ca_entry *e = &ca->entry[i];

		if (!e->is_revoked && (strcmp(e->serial, name) == 0 ||
		    (strncmp(e->names, name, n) == 0 &&
		    (e->names[n] == '\0' || e->names[n] == ','))))
			return e;
	}
	return NULL;
}
