/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/load.c - files: the configuration itself, and a look at key files.
 *
 * Key files are never opened here: name, owner, size and mode are enough to
 * say what the keystore would refuse.
 *
 * Thread: any; system calls.
 */
#include "conf/check.h"
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/str.h"

#define KEY_USER "tapir-sec" /* who reads the keys: DESIGN, processes */
#define PATH_LEN 4096

/* ---- key files ----------------------------------------------------------------- */

static bool
owner_ok(uid_t uid)
{
	const struct passwd *pw;

	if (uid == 0 || uid == geteuid())
		return true;
	pw = getpwnam(KEY_USER);
	return pw != NULL && pw->pw_uid == uid;
}

int
conf_keydir_look(const char *dir, char *why, size_t cap)
{
	struct stat st;

	if (stat(dir, &st) != 0)
		return 0;	/* each key file will say that it is missing */
	why[0] = '\0';
	if (!S_ISDIR(st.st_mode))
		str_add(why, cap, "%s is not a directory; key files live there",
			dir);
	else if (st.st_mode & (S_IWGRP | S_IWOTH))
		str_add(why, cap, "%s may be written by others (mode %04o); run: "
			"chmod 700 %s", dir, st.st_mode & 07777, dir);
	else if (!owner_ok(st.st_uid))
		str_add(why, cap, "%s belongs to user id %u; run: chown %s %s",
			dir, (unsigned)st.st_uid, "root", dir);
	return why[0] != '\0' ? ERR_KEYFILE : 0;
}

static int
file_look(const char *dir, const char *name, bool is_secret, char *why,
	  size_t cap)
{
	mode_t closed = is_secret ? S_IRWXG | S_IRWXO : S_IWGRP | S_IWOTH;
	char path[PATH_LEN];
	struct stat st;

	why[0] = '\0';
	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >=
	    (int)sizeof(path))
		str_add(why, cap, "the path is too long");
	else if (stat(path, &st) != 0 && errno == ENOENT)
		str_add(why, cap, "there is no file %s; put the %s there "
			"(mode %s)", path, is_secret ? "key" : "certificate or "
			"public key", is_secret ? "0600" : "0644");
	else if (stat(path, &st) != 0)
		str_add(why, cap, "%s: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		str_add(why, cap, "%s is not a regular file", path);
	else if (st.st_mode & closed)
		str_add(why, cap, "%s is open to others (mode %04o); run: "
			"chmod %s %s", path, st.st_mode & 07777,
			is_secret ? "600" : "644", path);
	else if (!owner_ok(st.st_uid))
		str_add(why, cap, "%s belongs to user id %u; it must belong to "
			"root or " KEY_USER ": run: chown root %s", path,
			(unsigned)st.st_uid, path);
	else if (st.st_size == 0)
		str_add(why, cap, "%s is empty; write the %s into it", path,
			is_secret ? "key" : "certificate or public key");
	else if (st.st_uid == geteuid() && access(path, R_OK) != 0)
		str_add(why, cap, "%s cannot be read: %s; run: chmod 600 %s",
			path, strerror(errno), path);
	return why[0] != '\0' ? ERR_KEYFILE : 0;
}

int
conf_keyfile_look(const char *dir, const char *name, char *why, size_t cap)
{
	return file_look(dir, name, true, why, cap);
}

int
conf_pubfile_look(const char *dir, const char *name, char *why, size_t cap)
{
	return file_look(dir, name, false, why, cap);
}

/* ---- the configuration file ------------------------------------------------------ */

static void
errs_init(struct conf_errs *errs, const char *file)
{
	errs->n = errs->n_more = 0;
	str_copy(errs->file, sizeof(errs->file), file);
}

void
conf_key_dir(const char *path, char *out, size_t cap)
{
	const char *slash = strrchr(path, '/');

	out[0] = '\0';
	if (slash == NULL)
		str_add(out, cap, "keys");
	else
		str_add(out, cap, "%.*s/keys", (int)(slash - path), path);
}

static int
open_checked(const char *path, struct conf_errs *errs)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0) {
		conf_err_add(errs, 0, "cannot open: %s", strerror(errno));
		return ERR_CONF;
	}
	if (fstat(fd, &st) != 0)
		conf_err_add(errs, 0, "cannot look at it: %s", strerror(errno));
	else if (!S_ISREG(st.st_mode))
		conf_err_add(errs, 0, "not a regular file");
	else if (st.st_mode & S_IWOTH)
		conf_err_add(errs, 0, "may be written by everybody (mode "
			     "%04o); run: chmod o-w %s", st.st_mode & 07777,
			     path);
	else if (st.st_size > (off_t)CONF_BYTES_MAX)
		conf_err_add(errs, 0, "larger than %u bytes; this is the limit "
			     "of a configuration", CONF_BYTES_MAX);
	else
		return fd;
	close(fd);
	return ERR_CONF;
}

int
conf_read(const char *path, char **text, size_t *len, struct conf_errs *errs)
{
	size_t n = 0;
	ssize_t got;
	char *buf;
	int fd;

	errs_init(errs, path);
	fd = open_checked(path, errs);
	if (fd < 0)
		return ERR_CONF;
	buf = malloc(CONF_BYTES_MAX + 2);
	if (buf == NULL) {
		close(fd);
		return ERR_NOMEM;
	}
	while (n <= CONF_BYTES_MAX) {
		got = read(fd, buf + n, CONF_BYTES_MAX + 1 - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	if (got < 0) {
		conf_err_add(errs, 0, "cannot read: %s", strerror(errno));
		free(buf);
		close(fd);
		return ERR_CONF;
	}
	close(fd);
	buf[n] = '\0';
	*text = buf;
	*len = n;
	return 0;
}

/* Stable: errors of one line keep their order. */
static void
errs_sort(struct conf_errs *errs)
{
	struct conf_err e;
	unsigned j;

	for (unsigned i = 1; i < errs->n; i++) {
		e = errs->e[i];
		for (j = i; j > 0 && errs->e[j - 1].line > e.line; j--)
			errs->e[j] = errs->e[j - 1];
		errs->e[j] = e;
	}
}

int
conf_parse(const char *text, size_t len, const char *file_name,
	   const char *key_dir, struct conf **out, struct conf_errs *errs)
{
	struct conf_node *root = NULL;
	struct arena mem;
	struct conf *c = NULL;
	int err;

	errs_init(errs, file_name);
	arena_init(&mem, 32u << 20);
	err = conf_tree_parse(text, len, &mem, &root, errs);
	if (err == 0)
		err = conf_check(root, key_dir, &c, errs);
	arena_fini(&mem);
	errs_sort(errs);
	if (err == 0 && errs->n > 0) {	/* text between tags, found earlier */
		conf_free(c);
		err = ERR_CONF;
	}
	if (err == 0)
		*out = c;
	return err;
}

int
conf_load(const char *path, struct conf **out, struct conf_errs *errs)
{
	char dir[PATH_LEN];
	char *text;
	size_t len;
	int err;

	if ((err = conf_read(path, &text, &len, errs)) != 0)
		return err;
	conf_key_dir(path, dir, sizeof(dir));
	err = conf_parse(text, len, path, dir, out, errs);
	free(text);
	return err;
}

void
conf_errs_print(const struct conf_errs *errs, FILE *to)
{
	for (unsigned i = 0; i < errs->n; i++) {
		if (errs->e[i].line > 0)
			fprintf(to, "%s:%u: %s\n", errs->file, errs->e[i].line,
				errs->e[i].text);
		else
			fprintf(to, "%s: %s\n", errs->file, errs->e[i].text);
	}
	if (errs->n_more > 0)
		fprintf(to, "%s: and %u more errors\n", errs->file,
			errs->n_more);
}
