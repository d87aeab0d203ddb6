/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/plugin.c - find, examine and load a provider's shared object.
 *
 *   name -> directory, from the root down -> file -> dlopen -> symbol and
 *   version -> init() and known answers -> the list
 *
 * The file is examined by descriptor and loaded by path; between the two only
 * those could exchange it who may write to its directory, and that is whom the
 * examination is about.
 *
 * Thread: the loop, at start-up.
 */
#include "spi/plugin.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/log.h"

#define WHY_MAX 256

/* One being loaded. */
struct load {
	const struct spi_place *at;
	const char *name;
	char path[PATH_MAX];
	char why[WHY_MAX];
};

/* Owner: the loop. */
static const struct spi_esp *loaded[SPI_PLUGIN_MAX];
static unsigned n_loaded;

static int PRINTF(3, 4)
refuse(struct load *l, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(l->why, sizeof(l->why), fmt, ap);
	va_end(ap);
	return err;
}

/* ---- who could have written it ---------------------------------------- */

/* A directory on the way: those who may rename in it are root or the owner. */
static bool
is_way_safe(const struct stat *st, uid_t owner)
{
	if (st->st_uid != 0 && st->st_uid != owner)
		return false;
	return (st->st_mode & (S_IWGRP | S_IWOTH)) == 0 ||
	    (st->st_mode & S_ISVTX) != 0;
}

static bool
is_own(const struct stat *st, uid_t owner)
{
	return st->st_uid == owner &&
	    (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* One step down; takes dir, @return the descriptor below or -1. */
static int
step(struct load *l, int dir, const char *name, size_t len, struct stat *st)
{
	char part[NAME_MAX + 1];
	int fd = -1;

	if (len < sizeof(part)) {
		memcpy(part, name, len);
		part[len] = '\0';
		fd = openat(dir, part, O_PATH | O_DIRECTORY | O_NOFOLLOW |
			    O_CLOEXEC);
	}
	close(dir);
	if (fd < 0)
		return -1;
	if (fstat(fd, st) != 0 || !is_way_safe(st, l->at->owner)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The directory, every part of its path examined. */
static int
dir_open(struct load *l, int *out)
{
	const char *p = l->at->dir;
	struct stat st;
	int fd = -1;

	errno = 0;
	if (p[0] == '/')
		fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) != 0) {
		close(fd);
		fd = -1;
	}
	while (fd >= 0 && *(p += strspn(p, "/")) != '\0') {
		size_t len = strcspn(p, "/");

		errno = 0;
		fd = step(l, fd, p, len, &st);
		p += len;
	}
	if (fd < 0 && errno == ENOENT)
		return refuse(l, ERR_NOTFOUND, "neither built in nor a file "
			      "there");
	if (fd >= 0 && is_own(&st, l->at->owner)) {
		*out = fd;
		return 0;
	}
	if (fd >= 0)
		close(fd);
	return refuse(l, ERR_PERM, "%.*s is not a directory that only its "
		      "owner (user %u) can write to, or is reached by a link",
		      (int)(p - l->at->dir), l->at->dir,
		      (unsigned)l->at->owner);
}

static int
file_check(struct load *l, int dir, const char *file)
{
	/* Not blocking: it may be a pipe. */
	int fd = openat(dir, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
			O_CLOEXEC);
	struct stat st;
	int err = 0;

	if (fd < 0 && errno == ENOENT)
		return refuse(l, ERR_NOTFOUND, "neither built in nor a file "
			      "there");
	if (fd < 0)
		return refuse(l, ERR_PERM, "cannot be opened as a regular "
			      "file: %s", strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		err = refuse(l, ERR_PERM, "not a regular file");
	else if (!is_own(&st, l->at->owner))
		err = refuse(l, ERR_PERM, "belongs to user %u with mode %04o; "
			     "it must be user %u's alone to write",
			     (unsigned)st.st_uid, st.st_mode & 07777u,
			     (unsigned)l->at->owner);
	close(fd);
	return err;
}

/* A file name and nothing else can come of it. */
static bool
is_name(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz"
			  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return n > 0 && n <= SPI_NAME_MAX && name[n] == '\0' &&
	    strchr("._-", name[0]) == NULL;
}

/* Name, place and file; nothing of the file has been executed yet. */
static int
examine(struct load *l)
{
	char file[SPI_NAME_MAX + sizeof("esp-.so")];
	int dir, err;

	snprintf(l->path, sizeof(l->path), "%s/esp-%.*s.so", l->at->dir,
		 SPI_NAME_MAX, l->name);
	if (!is_name(l->name))
		return refuse(l, ERR_RANGE, "a provider's name has 1 to %d "
			      "letters, digits, . _ -", SPI_NAME_MAX);
	if (n_loaded == SPI_PLUGIN_MAX)
		return refuse(l, ERR_FULL, "%d plug-ins are loaded already",
			      SPI_PLUGIN_MAX);
	snprintf(file, sizeof(file), "esp-%s.so", l->name);
	if ((err = dir_open(l, &dir)) != 0)
		return err;
	err = file_check(l, dir, file);
	close(dir);
	return err;
}

/* ---- what is in it ----------------------------------------------------- */

static bool
is_text(const char *s, size_t max)
{
	if (s == NULL || strnlen(s, max + 1) > max)
		return false;
	for (; *s != '\0'; s++)
		if (*s < ' ' || *s > '~')
			return false;
	return true;
}

/* The table, when it is one of ours; nothing of it was called yet. */
static int
table_of(struct load *l, const struct spi_plugin *pl,
	 const struct spi_esp **out)
{
	const struct spi_esp *p;

	if (pl->magic != SPI_PLUGIN_MAGIC)
		return refuse(l, ERR_VERSION, "tapir_plugin has no magic "
			      "number");
	if (pl->version != SPI_VERSION)
		return refuse(l, ERR_VERSION, "built for version %u of the "
			      "interface, this is %u", pl->version,
			      SPI_VERSION);
	if (pl->kind != SPI_KIND_ESP || pl->size != sizeof(*p) ||
	    (p = pl->table) == NULL || p->head.version != SPI_VERSION)
		return refuse(l, ERR_VERSION, "no ESP provider of this version "
			      "of the interface");
	if (!is_text(p->head.name, SPI_NAME_MAX) ||
	    !is_text(p->head.about, SPI_ABOUT_MAX) ||
	    strcmp(p->head.name, l->name) != 0)
		return refuse(l, ERR_VERSION, "it does not call itself \"%s\"",
			      l->name);
	if (p->init == NULL || p->has_alg == NULL || p->ctx_new == NULL ||
	    p->ctx_free == NULL || p->seal == NULL || p->open == NULL ||
	    p->poll == NULL)
		return refuse(l, ERR_VERSION, "a function is missing");
	*out = p;
	return 0;
}

static int
take(struct load *l, void *so, const struct spi_esp **out)
{
	const struct spi_plugin *pl = dlsym(so, "tapir_plugin");
	const struct spi_esp *p;
	int err;

	if (pl == NULL)
		return refuse(l, ERR_SYS, "no symbol tapir_plugin");
	if ((err = table_of(l, pl, &p)) != 0)
		return err;
	if ((err = spi_esp_try(p)) != 0)
		return refuse(l, err, "self-test: %s", err_text(err));
	log_info("spi", "plug-in %s: %s", l->path, p->head.about);
	loaded[n_loaded++] = p;
	*out = p;
	return 0;
}

int
spi_plugin_load(const struct spi_place *at, const char *name,
		const struct spi_esp **out)
{
	struct load l = { .at = at, .name = name };
	const struct spi_esp *p = spi_plugin_find(name);
	void *so = NULL;
	int err;

	if (p != NULL) {
		*out = p;
		return 0;
	}
	err = examine(&l);
	/* All symbols now: later it could be too late. */
	if (err == 0 && (so = dlopen(l.path, RTLD_NOW | RTLD_LOCAL)) == NULL)
		err = refuse(&l, ERR_SYS, "%s", dlerror());
	if (err == 0 && (err = take(&l, so, out)) != 0)
		dlclose(so);
	if (err != 0)
		log_error("spi", "plug-in %s: %s; not used", l.path, l.why);
	return err;
}

const struct spi_esp *
spi_plugin_find(const char *name)
{
	for (unsigned i = 0; i < n_loaded; i++)
		if (strcmp(loaded[i]->head.name, name) == 0)
			return loaded[i];
	return NULL;
}
