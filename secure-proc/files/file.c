/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/files/file.c - files of keys/, read before confinement.
 *
 * Thread: the only one.
 */
#include "secure-proc/files/file.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/secret.h"

bool
sec_name_is_plain(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= SEC_FILE_NAME_MAX && name[0] != '.' &&
	    strchr(name, '/') == NULL;
}

int
sec_dir_open(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0) {
		log_error("keys", "directory %s cannot be opened: %s", dir,
		    strerror(errno));
		return -1;
	}
	if (fstat(fd, &st) == 0 && (st.st_mode & 022) == 0)
		return fd;
	log_error("keys", "directory %s can be written by others: chmod 700 "
	    "it", dir);
	close(fd);
	return -1;
}

int
sec_realm_dir_open(const char *dir, const struct conf_realm *r)
{
	char path[PATH_MAX];

	conf_realm_key_dir(dir, r, path, sizeof(path));
	return sec_dir_open(path);
}

/* What is asked of a file. */
struct want {
	uid_t uid;
	bool is_secret;
	size_t max;
};

/* Everything about the file but its content. */
static int
stat_check(const struct stat *st, const struct want *w, char *why, size_t cap)
{
	mode_t closed = w->is_secret ? 077 : 022;

	if (!S_ISREG(st->st_mode)) {
		snprintf(why, cap, "is not a regular file");
		return ERR_KEYFILE;
	}
	if (st->st_uid != 0 && st->st_uid != geteuid() &&
	    st->st_uid != w->uid) {
		snprintf(why, cap, "belongs to user %u: chown root it",
		    (unsigned)st->st_uid);
		return ERR_KEYFILE;
	}
	if ((st->st_mode & closed) != 0) {
		snprintf(why, cap, "is open to others (mode %03o): chmod %s "
		    "it", (unsigned)(st->st_mode & 0777),
		    w->is_secret ? "600" : "644");
		return ERR_KEYFILE;
	}
	if (st->st_size == 0) {
		snprintf(why, cap, "is empty");
		return ERR_KEYFILE;
	}
	if (st->st_size > (off_t)w->max) {
		snprintf(why, cap, "is longer than %zu bytes", w->max);
		return ERR_KEYFILE;
	}
	return 0;
}

/* Whole file into buf.  @return bytes or -1. */
static ssize_t
read_all(int fd, uint8_t *buf, size_t cap)
{
	size_t n = 0;

	while (n < cap) {
		ssize_t got = read(fd, buf + n, cap - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	return (ssize_t)n;
}

static void
give_back(const struct want *w, uint8_t *raw)
{
	if (w->is_secret)
		secret_free(raw);
	else
		free(raw);
}

static int
fd_read(int fd, const struct want *w, uint8_t **bytes, size_t *len, char *why,
	size_t cap)
{
	struct stat st;
	uint8_t *raw;
	size_t room;
	ssize_t n;
	int err;

	if (fstat(fd, &st) != 0) {
		snprintf(why, cap, "cannot be read: %s", strerror(errno));
		return ERR_KEYFILE;
	}
	if ((err = stat_check(&st, w, why, cap)) != 0)
		return err;
	/* One byte more than it has, to notice a file that grows. */
	room = (size_t)st.st_size + 1;
	raw = w->is_secret ? secret_alloc(room) : malloc(room);
	if (raw == NULL)
		return ERR_NOMEM;
	n = read_all(fd, raw, room);
	if (n <= 0 || (size_t)n == room) {
		give_back(w, raw);
		snprintf(why, cap, "cannot be read");
		return ERR_KEYFILE;
	}
	*bytes = raw;
	*len = (size_t)n;
	return 0;
}

static int
file_read(int dir_fd, const char *name, const struct want *w, uint8_t **bytes,
	  size_t *len, char *why, size_t cap)
{
	int fd, err;

	if (!sec_name_is_plain(name)) {
		snprintf(why, cap, "is not a plain file name");
		return ERR_KEYFILE;
	}
	fd = openat(dir_fd, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		err = errno == ENOENT ? ERR_NOTFOUND : ERR_KEYFILE;
		snprintf(why, cap, "cannot be opened: %s", errno == ELOOP ?
		    "it is a symbolic link" : errno == EACCES ?
		    "permission denied: chown root it" : strerror(errno));
		return err;
	}
	err = fd_read(fd, w, bytes, len, why, cap);
	close(fd);
	return err;
}

int
sec_file_secret(int dir_fd, const char *name, uid_t uid, size_t max,
		uint8_t **bytes, size_t *len, char *why, size_t cap)
{
	const struct want w = { uid, true, MIN(max, SEC_SECRET_MAX) };

	return file_read(dir_fd, name, &w, bytes, len, why, cap);
}

int
sec_file_public(int dir_fd, const char *name, uid_t uid, uint8_t **bytes,
		size_t *len, char *why, size_t cap)
{
	const struct want w = { uid, false, SEC_PUBLIC_MAX };

	return file_read(dir_fd, name, &w, bytes, len, why, cap);
}
