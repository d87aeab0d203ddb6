/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/eap/users.c - a file of user names and what proves them.
 *
 * Thread: the only one.
 */
#include "secure-proc/eap/users.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"

#define HASH_DIGITS (2 * SPI_EAP_NT_HASH)

struct user {
	struct view name;
	const char *hex;	/* HASH_DIGITS of them */
	unsigned line;
};

struct sec_users {
	uint8_t *bytes;		/* secret memory; users point into it */
	unsigned n;
	struct user *user;	/* by name */
};

static int
compare(struct view a, struct view b)
{
	int d = memcmp(a.p, b.p, MIN(a.len, b.len));

	return d != 0 ? d : a.len < b.len ? -1 : a.len > b.len;
}

static int
by_name(const void *a, const void *b)
{
	return compare(((const struct user *)a)->name,
		       ((const struct user *)b)->name);
}

static int
bad(char *why, size_t cap, unsigned line, const char *what)
{
	snprintf(why, cap, "line %u: %s", line, what);
	return ERR_KEYFILE;
}

static bool
name_is_good(struct view v)
{
	if (v.len == 0 || v.len > SPI_EAP_USER_MAX)
		return false;
	for (size_t i = 0; i < v.len; i++) {
		if (v.p[i] < 0x20 || v.p[i] == 0x7f)
			return false;
	}
	return true;
}

/* NAME:nt:digits */
static const char *
line_read(struct view line, struct user *u)
{
	static const char kind[] = ":nt:";
	const size_t tail = sizeof(kind) - 1 + HASH_DIGITS;
	uint8_t hash[SPI_EAP_NT_HASH];
	int n;

	if (line.len <= tail || memcmp(line.p + line.len - tail, kind,
				       sizeof(kind) - 1) != 0)
		return "not NAME:nt:32 hexadecimal digits";
	u->name = (struct view){ line.p, line.len - tail };
	u->hex = (const char *)line.p + line.len - HASH_DIGITS;
	n = str_unhex(u->hex, HASH_DIGITS, hash, sizeof(hash));
	wipe(hash, sizeof(hash));
	if (n != SPI_EAP_NT_HASH)
		return "the hash is not 32 hexadecimal digits";
	if (!name_is_good(u->name) || memchr(u->name.p, ':', u->name.len))
		return "not a user name";
	return NULL;
}

/* The line at *at, without its end; moves on. */
static struct view
line_next(const uint8_t *p, size_t len, size_t *at)
{
	const uint8_t *end = memchr(p + *at, '\n', len - *at);
	size_t n = end != NULL ? (size_t)(end - p) - *at : len - *at;
	struct view v = { p + *at, n };

	*at += n + (end != NULL ? 1 : 0);
	if (v.len > 0 && v.p[v.len - 1] == '\r')
		v.len--;
	return v;
}

static int
lines_read(struct sec_users *u, size_t len, char *why, size_t cap)
{
	unsigned line = 0;
	const char *what;

	for (size_t at = 0; at < len;) {
		struct view v = line_next(u->bytes, len, &at);

		line++;
		if (v.len == 0 || v.p[0] == '#')
			continue;
		if (u->n == SEC_USERS_MAX)
			return bad(why, cap, line, "too many users");
		if ((what = line_read(v, &u->user[u->n])) != NULL)
			return bad(why, cap, line, what);
		u->user[u->n++].line = line;
	}
	qsort(u->user, u->n, sizeof(u->user[0]), by_name);
	for (unsigned i = 1; i < u->n; i++) {
		if (by_name(&u->user[i - 1], &u->user[i]) == 0)
			return bad(why, cap, MAX(u->user[i - 1].line,
						 u->user[i].line),
				   "this user is there twice");
	}
	return 0;
}

int
sec_users_parse(uint8_t *bytes, size_t len, struct sec_users **out, char *why,
		size_t cap)
{
	struct sec_users *u = calloc(1, sizeof(*u));
	int err = ERR_NOMEM;

	if (u == NULL) {
		secret_free(bytes);
		return err;
	}
	u->bytes = bytes;
	u->user = calloc(SEC_USERS_MAX, sizeof(u->user[0]));
	if (u->user != NULL)
		err = lines_read(u, len, why, cap);
	if (err != 0) {
		sec_users_free(u);
		return err;
	}
	*out = u;
	return 0;
}

void
sec_users_free(struct sec_users *u)
{
	if (u == NULL)
		return;
	secret_free(u->bytes);
	free(u->user);
	free(u);
}

int
sec_users_nt_hash(const struct sec_users *u, struct view name,
		  uint8_t out[SPI_EAP_NT_HASH])
{
	const struct user key = { .name = name };
	const struct user *found;

	if (name.len == 0 || u->n == 0)
		return ERR_NOTFOUND;
	found = bsearch(&key, u->user, u->n, sizeof(key), by_name);
	if (found == NULL)
		return ERR_NOTFOUND;
	return str_unhex(found->hex, HASH_DIGITS, out, SPI_EAP_NT_HASH) ==
	    SPI_EAP_NT_HASH ? 0 : ERR_NOTFOUND;
}

unsigned
sec_users_count(const struct sec_users *u)
{
	return u->n;
}
