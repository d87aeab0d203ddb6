/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/names/file.c - /etc/resolv.conf, and the way back.
 *
 * The file is written in place: it may be a mount of its own, and who holds it
 * open sees the change.  The journal is one line and then the file as it was:
 *
 *   tapir-names 1 TAP HASH\n
 *
 * HASH is that of what we wrote: a file with another one is somebody else's by
 * now, and stays.  The journal is on the disk before the file is touched.
 *
 * Thread: the only one.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/str.h"
#include "secure-proc/names/names.h"

#define WHO	 "names"
#define HEAD_MAX 96
#define TEXT_MAX (VPN_NAMES_TEXT + 1024)

static uint64_t
hash(const char *p, size_t n)
{
	uint64_t h = UINT64_C(14695981039346656037);	/* FNV-1a */

	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)p[i]) * UINT64_C(1099511628211);
	return h;
}

/* A whole file, malloc()ed with a NUL behind it; NULL with errno. */
static char *
slurp(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *b = malloc(NAMES_FILE_MAX + 1);
	ssize_t n = 0;

	*len = 0;
	while (fd >= 0 && b != NULL && *len < NAMES_FILE_MAX &&
	       (n = read(fd, b + *len, NAMES_FILE_MAX - *len)) > 0)
		*len += (size_t)n;
	if (fd < 0 || b == NULL || n < 0 || *len == NAMES_FILE_MAX) {
		if (fd >= 0)
			close(fd);
		free(b);
		return NULL;
	}
	close(fd);
	b[*len] = '\0';
	return b;
}

static bool
write_all(int fd, const char *p, size_t n)
{
	ssize_t w;

	for (; n > 0; p += w, n -= (size_t)w)
		if ((w = write(fd, p, n)) <= 0)
			return false;
	return true;
}

static bool
write_place(const char *path, const char *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
	bool ok;

	if (fd < 0)
		return false;
	ok = ftruncate(fd, 0) == 0 && write_all(fd, p, n) && fsync(fd) == 0;
	close(fd);
	return ok;
}

/* ---- the journal ----------------------------------------------------------------- */

struct journal {
	char tap[IFNAMSIZ];
	uint64_t hash;
	char *all;		/* malloc()ed */
	const char *was;	/* in it */
	size_t n_was;
};

static bool
journal_read(const char *path, struct journal *j)
{
	size_t len = 0;
	int used = 0;

	memset(j, 0, sizeof(*j));
	if ((j->all = slurp(path, &len)) == NULL)
		return false;
	if (sscanf(j->all, "tapir-names 1 %15s %16" SCNx64 "%n", j->tap,
		   &j->hash, &used) != 2 || used == 0 ||
	    j->all[used] != '\n') {
		free(j->all);
		j->all = NULL;
		return false;
	}
	j->was = j->all + used + 1;
	j->n_was = len - (size_t)used - 1;
	return true;
}

static bool
journal_write(const char *path, const char *tap, uint64_t h, const char *was,
	      size_t n)
{
	char tmp[NAMES_PATH_MAX] = "", head[HEAD_MAX];
	bool ok;
	int fd;

	str_add(tmp, sizeof(tmp), "%s.new", path);
	(void)unlink(tmp);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		  0600);
	if (fd < 0)
		return false;
	snprintf(head, sizeof(head), "tapir-names 1 %s %016" PRIx64 "\n", tap, h);
	ok = write_all(fd, head, strlen(head)) && write_all(fd, was, n) &&
	    fsync(fd) == 0;
	close(fd);
	return ok && rename(tmp, path) == 0;
}

bool
names_file_owner(const struct names_file *f, char *tap)
{
	struct journal j;
	bool has = journal_read(f->journal, &j);

	if (has)
		(void)str_copy(tap, IFNAMSIZ, j.tap);
	free(j.all);
	return has;
}

/* ---- the file -------------------------------------------------------------------- */

int
names_file_set(const struct names_file *f, const char *tap,
	       const struct vpn_cfg *c, char *why, size_t cap)
{
	char *text = malloc(TEXT_MAX), *now = NULL;
	struct journal j = { 0 };
	size_t n_now = 0;
	bool ok, is_ours;

	if (text == NULL)
		return ERR_NOMEM;
	text[0] = '\0';
	str_add(text, TEXT_MAX, "# Made by tapir for %s; what was here comes back "
		"when the tunnel ends.\n", tap);
	names_lines(c, text + strlen(text), TEXT_MAX - strlen(text));
	if ((now = slurp(f->path, &n_now)) == NULL && errno == ENOENT)
		now = calloc(1, 1);
	ok = now != NULL;
	is_ours = ok && journal_read(f->journal, &j) &&
	    j.hash == hash(now, n_now);
	ok = ok && journal_write(f->journal, tap, hash(text, strlen(text)),
				 is_ours ? j.was : now,
				 is_ours ? j.n_was : n_now);
	if (!ok)
		snprintf(why, cap, "what is in %s cannot be kept in %s: %s",
			 f->path, f->journal, strerror(errno));
	if (ok && !(ok = write_place(f->path, text, strlen(text))))
		snprintf(why, cap, "%s cannot be written: %s", f->path,
			 strerror(errno));
	free(j.all);
	free(now);
	free(text);
	return ok ? 0 : ERR_SYS;
}

void
names_file_restore(const struct names_file *f, const char *tap)
{
	struct journal j;
	size_t n = 0;
	char *now;

	if (!journal_read(f->journal, &j))
		return;
	if (tap != NULL && strcmp(tap, j.tap) != 0) {
		free(j.all);
		return;
	}
	now = slurp(f->path, &n);
	if (now == NULL || hash(now, n) != j.hash)
		log_notice(WHO, "%s was changed by somebody else meanwhile and "
			   "stays as it is", f->path);
	else if (!write_place(f->path, j.was, j.n_was))
		log_warn(WHO, "%s cannot be put back: %s; what it was is in %s",
			 f->path, strerror(errno), f->journal);
	else
		log_info(WHO, "%s is as it was before", f->path);
	free(now);
	now = slurp(f->path, &n);
	/* kept only while it is still needed */
	if (now == NULL || hash(now, n) != j.hash || j.hash == hash(j.was, j.n_was))
		(void)unlink(f->journal);
	free(now);
	free(j.all);
}
