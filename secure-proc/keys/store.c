/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/keys/store.c - key files -> secret memory.
 *
 * The file is opened without following links and without blocking (a fifo would
 * otherwise hold the start), looked at through the descriptor, and read straight
 * into secret memory.
 *
 * Thread: the only one, before confinement.
 */
#include "secure-proc/keys/store.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"

struct key {
	struct key *next;
	const char *name;	/* in the configuration */
	uint8_t *secret;
	size_t len;
};
struct sec_store {
	unsigned n_realm;
	unsigned *n_peer;	/* of each realm */
	struct key ***peer;	/* [realm][peer], borrowed from first */
	struct key *first;	/* each file once */
};

static bool
name_is_plain(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= SEC_KEY_NAME_MAX && name[0] != '.' &&
	    strchr(name, '/') == NULL;
}

/* Everything about the file but its content. */
static int
stat_check(const struct stat *st, uid_t uid, char *why, size_t cap)
{
	if (!S_ISREG(st->st_mode)) {
		snprintf(why, cap, "is not a regular file");
		return ERR_KEYFILE;
	}
	if (st->st_uid != 0 && st->st_uid != geteuid() && st->st_uid != uid) {
		snprintf(why, cap, "belongs to user %u: chown root it",
		    (unsigned)st->st_uid);
		return ERR_KEYFILE;
	}
	if ((st->st_mode & 077) != 0) {
		snprintf(why, cap, "is open to others (mode %03o): chmod 600 "
		    "it", (unsigned)(st->st_mode & 0777));
		return ERR_KEYFILE;
	}
	if (st->st_size == 0 || st->st_size > SEC_KEY_FILE_MAX) {
		snprintf(why, cap, st->st_size == 0 ? "is empty" :
		    "is longer than %d bytes", SEC_KEY_FILE_MAX);
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

/* The text of a file -> key bytes.  raw is secret memory of n bytes. */
static int
key_from_text(const uint8_t *raw, size_t n, uint8_t **key, size_t *len)
{
	uint8_t *k;
	int got;

	if (n > 0 && raw[n - 1] == '\n')
		n--;
	if (n == 0)
		return ERR_SHORT;
	if ((k = secret_alloc(n)) == NULL)
		return ERR_NOMEM;
	if (n >= 2 && raw[0] == '0' && raw[1] == 'x') {
		got = str_unhex((const char *)raw + 2, n - 2, k, n);
		if (got <= 0) {
			secret_free(k);
			return got == 0 ? ERR_SHORT : ERR_SYNTAX;
		}
		n = (size_t)got;
	} else {
		memcpy(k, raw, n);
	}
	*key = k;
	*len = n;
	return 0;
}

static int
file_read(int fd, uid_t uid, uint8_t **key, size_t *len, char *why, size_t cap)
{
	struct stat st;
	uint8_t *raw;
	ssize_t n;
	int err;

	if (fstat(fd, &st) != 0) {
		snprintf(why, cap, "cannot be read: %s", strerror(errno));
		return ERR_KEYFILE;
	}
	if ((err = stat_check(&st, uid, why, cap)) != 0)
		return err;
	/* One byte more than permitted, to notice a file that grows. */
	if ((raw = secret_alloc(SEC_KEY_FILE_MAX + 1)) == NULL)
		return ERR_NOMEM;
	n = read_all(fd, raw, SEC_KEY_FILE_MAX + 1);
	if (n < 0 || n > SEC_KEY_FILE_MAX)
		err = ERR_LONG;
	else
		err = key_from_text(raw, (size_t)n, key, len);
	secret_free(raw);
	if (err == 0 || err == ERR_NOMEM)
		return err;
	snprintf(why, cap, "%s", err == ERR_SHORT ? "is empty" :
	    err == ERR_SYNTAX ? "begins with 0x but is not hexadecimal" :
	    "cannot be read");
	return ERR_KEYFILE;
}

static int
key_add(struct sec_store *s, int dir_fd, const char *name, uid_t uid,
	struct key **out)
{
	char why[160] = "", shown[SEC_KEY_NAME_MAX * 2];
	struct key *k;
	int err;

	for (k = s->first; k != NULL; k = k->next)
		if (strcmp(k->name, name) == 0) {
			*out = k;
			return 0;
		}
	if ((k = calloc(1, sizeof(*k))) == NULL)
		return ERR_NOMEM;
	err = sec_key_read(dir_fd, name, uid, &k->secret, &k->len, why,
	    sizeof(why));
	if (err != 0) {
		str_escape(shown, sizeof(shown), name, strlen(name));
		if (err == ERR_KEYFILE)
			log_error("keys", "key file %s %s", shown, why);
		free(k);
		return err;
	}
	k->name = name;
	k->next = s->first;
	s->first = k;
	*out = k;
	return 0;
}

static int
realm_load(struct sec_store *s, const struct conf_realm *r, int dir_fd,
	   uid_t uid)
{
	struct key **list;
	int err, first = 0;

	if ((list = calloc(r->n_peer + 1u, sizeof(struct key *))) == NULL)
		return ERR_NOMEM;
	s->peer[r->index] = list;
	s->n_peer[r->index] = r->n_peer;
	/* All files are tried, so that one run shows every mistake. */
	for (unsigned i = 0; i < r->n_peer; i++) {
		if (r->peer[i].psk == NULL)
			continue;
		err = key_add(s, dir_fd, r->peer[i].psk, uid, &list[i]);
		if (err != 0 && first == 0)
			first = err;
	}
	return first;
}

/* Who may write here may exchange keys.  @return descriptor or -1 (logged). */
static int
dir_open(const char *dir)
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

static bool
needs_keys(const struct conf *c)
{
	for (unsigned i = 0; i < c->n_realm; i++)
		for (unsigned k = 0; k < c->realm[i].n_peer; k++)
			if (c->realm[i].peer[k].psk != NULL)
				return true;
	return false;
}

/* ---- public ------------------------------------------------------------------ */

int
sec_key_read(int dir_fd, const char *name, uid_t uid, uint8_t **key,
	     size_t *len, char *why, size_t cap)
{
	int fd, err;

	if (!name_is_plain(name)) {
		snprintf(why, cap, "is not a plain file name");
		return ERR_KEYFILE;
	}
	fd = openat(dir_fd, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		snprintf(why, cap, "cannot be opened: %s", errno == ELOOP ?
		    "it is a symbolic link" : strerror(errno));
		return ERR_KEYFILE;
	}
	err = file_read(fd, uid, key, len, why, cap);
	close(fd);
	return err;
}

int
sec_store_load(struct sec_store **out, const struct conf *c, const char *dir,
	       uid_t uid)
{
	struct sec_store *s = calloc(1, sizeof(*s));
	int dir_fd = -1, first = 0, err;

	if (s == NULL)
		return ERR_NOMEM;
	s->n_realm = c->n_realm;
	s->n_peer = calloc(c->n_realm + 1u, sizeof(unsigned));
	s->peer = calloc(c->n_realm + 1u, sizeof(struct key **));
	if (s->n_peer == NULL || s->peer == NULL) {
		sec_store_free(s);
		return ERR_NOMEM;
	}
	if (needs_keys(c) && (dir_fd = dir_open(dir)) < 0) {
		sec_store_free(s);
		return ERR_KEYFILE;
	}
	for (unsigned i = 0; i < c->n_realm; i++) {
		err = realm_load(s, &c->realm[i], dir_fd, uid);
		if (err != 0 && first == 0)
			first = err;
	}
	if (dir_fd >= 0)
		close(dir_fd);
	if (first != 0) {
		sec_store_free(s);
		return first;
	}
	*out = s;
	return 0;
}

void
sec_store_free(struct sec_store *s)
{
	if (s == NULL)
		return;
	for (unsigned i = 0; i < s->n_realm && s->peer != NULL; i++)
		free(s->peer[i]);
	while (s->first != NULL) {
		struct key *k = s->first;

		s->first = k->next;
		secret_free(k->secret);
		free(k);
	}
	free(s->peer);
	free(s->n_peer);
	free(s);
}

struct view
sec_store_psk(const struct sec_store *s, uint32_t realm, uint32_t peer)
{
	struct view none = { NULL, 0 }, v;
	const struct key *k;

	if (realm >= s->n_realm || s->peer[realm] == NULL ||
	    peer >= s->n_peer[realm] || (k = s->peer[realm][peer]) == NULL)
		return none;
	v.p = k->secret;
	v.len = k->len;
	return v;
}
