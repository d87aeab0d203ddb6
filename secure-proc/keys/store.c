/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/keys/store.c - key files -> secret memory.
 *
 * Each file is read straight into secret memory (secure-proc/files/file.c).
 *
 * Thread: the only one, before confinement.
 */
#include "secure-proc/keys/store.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "secure-proc/files/file.h"
#include "secure-proc/keys/own.h"

struct key {
	struct key *next;
	const char *dir;	/* keys= of its realm, or NULL; borrowed */
	char name[SEC_KEY_NAME_MAX + 5]; /* of the file */
	uint8_t *secret;
	size_t len;
};
struct sec_store {
	unsigned n_realm;
	unsigned *n_peer;	/* of each realm */
	struct key ***peer;	/* [realm][peer], borrowed from first */
	struct key ***ppk;	/* the same of the PPKs */
	struct key *first;	/* each file once */
	struct sec_own **own;	/* of each realm, or NULL */
	uid_t uid;		/* whose files may be besides root's */
};

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

static bool
same_dir(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* dir: keys= of the realm, which dir_fd is. */
static int
key_add(struct sec_store *s, const char *dir, int dir_fd, const char *name,
	struct key **out)
{
	char why[160] = "", shown[SEC_KEY_NAME_MAX * 2];
	struct key *k;
	int err;

	for (k = s->first; k != NULL; k = k->next)
		if (same_dir(k->dir, dir) && strcmp(k->name, name) == 0) {
			*out = k;
			return 0;
		}
	if (strlen(name) >= sizeof(k->name))
		return ERR_KEYFILE;
	if ((k = calloc(1, sizeof(*k))) == NULL)
		return ERR_NOMEM;
	err = sec_key_read(dir_fd, name, s->uid, &k->secret, &k->len, why,
	    sizeof(why));
	if (err != 0) {
		str_escape(shown, sizeof(shown), name, strlen(name));
		if (err == ERR_KEYFILE)
			log_error("keys", "key file %s %s", shown, why);
		free(k);
		return err;
	}
	k->dir = dir;
	memcpy(k->name, name, strlen(name) + 1);
	k->next = s->first;
	s->first = k;
	*out = k;
	return 0;
}

static int
realm_load(struct sec_store *s, const struct conf_realm *r, int dir_fd)
{
	char name[SEC_KEY_NAME_MAX + 5];
	struct key **list, **ppk;
	int err, first = 0;

	if ((list = calloc(r->n_peer + 1u, sizeof(struct key *))) == NULL)
		return ERR_NOMEM;
	s->peer[r->index] = list;
	if ((ppk = calloc(r->n_peer + 1u, sizeof(struct key *))) == NULL)
		return ERR_NOMEM;
	s->ppk[r->index] = ppk;
	s->n_peer[r->index] = r->n_peer;
	/* All files are tried, so that one run shows every mistake. */
	if ((r->me.cert != NULL || r->me.key != NULL) &&
	    (r->me.key == NULL || !conf_key_is_uri(r->me.key)))
		first = sec_own_load(&s->own[r->index], &r->me, dir_fd,
		    s->uid);
	for (unsigned i = 0; i < r->n_peer; i++) {
		if (r->peer[i].ppk == NULL)
			continue;
		snprintf(name, sizeof(name), "%s.ppk", r->peer[i].ppk);
		err = key_add(s, r->keys, dir_fd, name, &ppk[i]);
		if (err != 0 && first == 0)
			first = err;
	}
	for (unsigned i = 0; i < r->n_peer; i++) {
		if (r->peer[i].psk == NULL)
			continue;
		err = key_add(s, r->keys, dir_fd, r->peer[i].psk, &list[i]);
		if (err != 0 && first == 0)
			first = err;
	}
	return first;
}

static bool
needs_keys(const struct conf_realm *r)
{
	if (r->me.cert != NULL || r->me.key != NULL)
		return true;
	for (unsigned k = 0; k < r->n_peer; k++)
		if (r->peer[k].psk != NULL || r->peer[k].ppk != NULL)
			return true;
	return false;
}

/* All of a realm, or of its own key at a URI only. */
static int
realm_try(struct sec_store *s, const struct conf_realm *r, const char *dir,
	  bool is_uri)
{
	const struct conf_me *me = &r->me;
	int fd, err;

	if (is_uri && (me->key == NULL || !conf_key_is_uri(me->key)))
		return 0;
	if (!needs_keys(r))
		return realm_load(s, r, -1);
	if ((fd = sec_realm_dir_open(dir, r)) < 0)
		return ERR_KEYFILE;
	err = is_uri ? sec_own_load(&s->own[r->index], me, fd, s->uid) :
	    realm_load(s, r, fd);
	close(fd);
	return err;
}

/* ---- public ------------------------------------------------------------------ */

int
sec_key_read(int dir_fd, const char *name, uid_t uid, uint8_t **key,
	     size_t *len, char *why, size_t cap)
{
	uint8_t *raw;
	size_t n;
	int err;

	err = sec_file_secret(dir_fd, name, uid, SEC_KEY_FILE_MAX, &raw, &n,
	    why, cap);
	if (err != 0)
		return err == ERR_NOTFOUND ? ERR_KEYFILE : err;
	err = key_from_text(raw, n, key, len);
	secret_free(raw);
	if (err == 0 || err == ERR_NOMEM)
		return err;
	snprintf(why, cap, "%s", err == ERR_SHORT ? "is empty" :
	    err == ERR_SYNTAX ? "begins with 0x but is not hexadecimal" :
	    "cannot be read");
	return ERR_KEYFILE;
}

int
sec_store_load(struct sec_store **out, const struct conf *c, const char *dir,
	       uid_t uid)
{
	struct sec_store *s = calloc(1, sizeof(*s));
	int first = 0, err;

	if (s == NULL)
		return ERR_NOMEM;
	s->uid = uid;
	s->n_realm = c->n_realm;
	s->n_peer = calloc(c->n_realm + 1u, sizeof(unsigned));
	s->peer = calloc(c->n_realm + 1u, sizeof(struct key **));
	s->ppk = calloc(c->n_realm + 1u, sizeof(struct key **));
	s->own = calloc(c->n_realm + 1u, sizeof(struct sec_own *));
	if (s->n_peer == NULL || s->peer == NULL || s->ppk == NULL ||
	    s->own == NULL) {
		sec_store_free(s);
		return ERR_NOMEM;
	}
	/* Keys at a URI first: they get a process each, which shall know no
	 * other key. */
	for (unsigned i = 0; i < 2 * c->n_realm; i++) {
		err = realm_try(s, &c->realm[i % c->n_realm], dir,
		    i < c->n_realm);
		if (err != 0 && first == 0)
			first = err;
	}
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
	for (unsigned i = 0; i < s->n_realm && s->ppk != NULL; i++)
		free(s->ppk[i]);
	for (unsigned i = 0; i < s->n_realm && s->own != NULL; i++)
		sec_own_free(s->own[i]);
	free(s->own);
	while (s->first != NULL) {
		struct key *k = s->first;

		s->first = k->next;
		secret_free(k->secret);
		free(k);
	}
	free(s->peer);
	free(s->ppk);
	free(s->n_peer);
	free(s);
}

static struct view
key_at(const struct sec_store *s, struct key **const *list, uint32_t realm,
       uint32_t peer)
{
	struct view none = { NULL, 0 }, v;
	const struct key *k;

	if (realm >= s->n_realm || list[realm] == NULL ||
	    peer >= s->n_peer[realm] || (k = list[realm][peer]) == NULL)
		return none;
	v.p = k->secret;
	v.len = k->len;
	return v;
}

struct view
sec_store_psk(const struct sec_store *s, uint32_t realm, uint32_t peer)
{
	return key_at(s, s->peer, realm, peer);
}

struct view
sec_store_ppk(const struct sec_store *s, uint32_t realm, uint32_t peer)
{
	return key_at(s, s->ppk, realm, peer);
}

struct sec_own *
sec_store_own(const struct sec_store *s, uint32_t realm)
{
	return realm < s->n_realm ? s->own[realm] : NULL;
}

int
sec_store_name(const struct sec_store *s, struct conf *c)
{
	int err = 0;

	for (unsigned i = 0; i < c->n_realm; i++) {
		struct conf_me *me = &c->realm[i].me;

		if (me->id != NULL)
			continue;
		if (s->own[i] != NULL)
			me->id = sec_own_name(s->own[i]);
		if (me->id == NULL) {
			log_error("keys", "realm %s: no id= in <me>, and no "
			    "name in its certificate", c->realm[i].name);
			err = ERR_KEYFILE;
			continue;
		}
		me->id_kind = conf_id_type(me->id);
	}
	return err;
}

unsigned
sec_store_fds(const struct sec_store *s, int *fd, unsigned cap)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->n_realm && n < cap; i++)
		if (s->own[i] != NULL && sec_own_fd(s->own[i]) >= 0)
			fd[n++] = sec_own_fd(s->own[i]);
	return n;
}
