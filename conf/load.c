/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/load.c - texts put together and checked, and a look at key files.
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
#define USERS_END ".users"	/* of the files that tapir user makes */

/* ---- key files ----------------------------------------------------------------- */

bool
conf_key_owner(uid_t *uid, gid_t *gid)
{
	static bool is_asked, is_there;
	static uid_t u;
	static gid_t g;
	const struct passwd *pw;

	if (!is_asked && (pw = getpwnam(KEY_USER)) != NULL) {
		is_there = true;
		u = pw->pw_uid;
		g = pw->pw_gid;
	}
	is_asked = true;
	*uid = u;
	*gid = g;
	return is_there;
}

static bool
owner_ok(uid_t uid)
{
	uid_t owner;
	gid_t group;

	if (uid == 0 || uid == geteuid())
		return true;
	return conf_key_owner(&owner, &group) && owner == uid;
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

/* What is to be done about a file that is not there. */
static void
say_missing(const char *dir, const char *name, bool is_secret, char *why,
	    size_t cap)
{
	size_t n = strlen(name), end = sizeof(USERS_END) - 1;

	if (is_secret && n > end && strcmp(name + n - end, USERS_END) == 0)
		str_add(why, cap, "there is no file %s/%s; its first user makes "
			"it: tapir user add -d %s %.*s NAME, or the page "
			"Certificates and users", dir, name, dir,
			(int)(n - end), name);
	else
		str_add(why, cap, "there is no file %s/%s; put the %s there "
			"(mode %s)", dir, name, is_secret ? "key" :
			"certificate or public key", is_secret ? "0600" :
			"0644");
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
		say_missing(dir, name, is_secret, why, cap);
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

void
conf_realm_key_dir(const char *key_dir, const struct conf_realm *r, char *out,
		   size_t cap)
{
	out[0] = '\0';
	str_add(out, cap, "%s", key_dir);
	if (r->keys != NULL)
		str_add(out, cap, "/%s", r->keys);
}

/* By file and line; stable: errors of one line keep their order. */
static bool
is_before(const struct conf_err *a, const struct conf_err *b)
{
	return a->file != b->file ? a->file < b->file : a->line < b->line;
}

static void
errs_sort(struct conf_errs *errs)
{
	struct conf_err e;
	unsigned j;

	for (unsigned i = 1; i < errs->n; i++) {
		e = errs->e[i];
		for (j = i; j > 0 && is_before(&e, &errs->e[j - 1]); j--)
			errs->e[j] = errs->e[j - 1];
		errs->e[j] = e;
	}
}

/* ---- several files -------------------------------------------------------------- */

/* An option may be said in one file only. */
static void
attrs_join(struct conf_node *to, const struct conf_node *more,
	   struct arena *mem, struct conf_errs *errs)
{
	struct conf_attr *a;
	const struct conf_attr *was;

	a = arena_alloc(mem, (to->n_attr + more->n_attr + 1) * sizeof(*a));
	if (a == NULL)
		return;
	if (to->n_attr > 0)
		memcpy(a, to->attr, to->n_attr * sizeof(*a));
	to->attr = a;
	for (unsigned i = 0; i < more->n_attr; i++) {
		was = conf_node_attr(to, more->attr[i].name);
		if (was == NULL)
			a[to->n_attr++] = more->attr[i];
		else if (strcmp(was->value, more->attr[i].value) != 0)
			conf_err_add(errs, more->attr[i].pos, CONF_E_TWICE,
				     "%s= of <%s> is set to \"%.40s\" in %s, "
				     "line %u; keep one", was->name, to->name,
				     was->value, errs->file[was->pos.file],
				     was->pos.line);
	}
}

static struct conf_node *
realm_named(const struct conf_node *root, const struct conf_node *like)
{
	const struct conf_attr *name = conf_node_attr(like, "name"), *a;

	for (struct conf_node *c = root->child; name != NULL && c != NULL;
	     c = c->next)
		if (strcmp(c->name, "realm") == 0 &&
		    (a = conf_node_attr(c, "name")) != NULL &&
		    strcmp(a->value, name->value) == 0)
			return c;
	return NULL;
}

static void
append(struct conf_node *to, struct conf_node *first)
{
	struct conf_node **tail = &to->child;

	while (*tail != NULL)
		tail = &(*tail)->next;
	*tail = first;
}

/* The content of a further file: its realms, and more of realms that are there
 * already. */
static void
tree_join(struct conf_node *root, struct conf_node *more, struct arena *mem,
	  struct conf_errs *errs)
{
	struct conf_node *c, *next, *same;

	if (strcmp(root->name, "vpn") != 0 || strcmp(more->name, "vpn") != 0) {
		if (strcmp(more->name, "vpn") != 0)
			conf_err_add(errs, more->pos, CONF_E_ROOT,
				     "the outermost element is <%.40s>; it "
				     "must be <vpn>", more->name);
		return;
	}
	attrs_join(root, more, mem, errs);
	for (c = more->child; c != NULL; c = next) {
		next = c->next;
		c->next = NULL;
		same = strcmp(c->name, "realm") == 0 ? realm_named(root, c) :
		    NULL;
		if (same == NULL || same->pos.file == c->pos.file) {
			append(root, c);
			continue;
		}
		attrs_join(same, c, mem, errs);
		append(same, c->child);
	}
}

/* Of a text that is broken in one place, what is wrong before it: there the tree
 * is as it was written. */
static void
check_broken(const struct conf_node *root, const char *key_dir,
	     struct conf_errs *errs)
{
	struct conf_errs *more = calloc(1, sizeof(*more));
	unsigned file = errs->e[0].file, line = errs->e[0].line;
	struct conf *c = NULL;

	if (more != NULL && conf_check(root, key_dir, &c, more) == 0)
		conf_free(c);
	for (unsigned i = 0; more != NULL && i < more->n; i++) {
		const struct conf_err *e = &more->e[i];
		bool is_value = e->code >= CONF_E_ELEMENT &&
		    e->code <= CONF_E_URL;

		if (is_value && e->file == file && e->line > 0 &&
		    e->line < line && errs->n < CONF_ERR_MAX)
			errs->e[errs->n++] = *e;
	}
	free(more);
}

static int
parse_all(const struct conf_file *t, unsigned n, struct arena *mem,
	  struct conf_node **root, struct conf_errs *errs)
{
	struct conf_node *more;
	int err = 0, one;

	*root = NULL;
	for (unsigned i = 0; i < n; i++) {
		one = conf_tree_parse(t[i].text, t[i].len, i, mem, &more, errs);
		if (one == ERR_NOMEM)
			return one;
		err = err != 0 ? err : one;
		if (more == NULL)
			continue;
		if (*root == NULL)
			*root = more;
		else
			tree_join(*root, more, mem, errs);
	}
	return err;
}

int
conf_parse(const char *text, size_t len, const char *file_name,
	   const char *key_dir, struct conf **out, struct conf_errs *errs)
{
	struct conf_file t[CONF_FILES_MAX];
	struct conf_node *root = NULL;
	struct arena mem;
	struct conf *c = NULL;
	unsigned n;
	int err;

	conf_errs_init(errs, file_name);
	n = conf_files(text, len, file_name, t);
	for (errs->n_file = 0; errs->n_file < n; errs->n_file++)
		str_copy(errs->file[errs->n_file], sizeof(errs->file[0]),
			 t[errs->n_file].name);
	arena_init(&mem, 32u << 20);
	err = parse_all(t, n, &mem, &root, errs);
	if (err == 0)
		err = conf_check(root, key_dir, &c, errs);
	else if (err == ERR_CONF && root != NULL && errs->n == 1 && n == 1)
		check_broken(root, key_dir, errs);
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

const char *
conf_err_file(const struct conf_errs *errs, const struct conf_err *e)
{
	return errs->file[e->file < errs->n_file ? e->file : 0];
}

void
conf_errs_print(const struct conf_errs *errs, FILE *to)
{
	for (unsigned i = 0; i < errs->n; i++) {
		const struct conf_err *e = &errs->e[i];

		fprintf(to, "%s:", conf_err_file(errs, e));
		if (e->line > 0)
			fprintf(to, "%u:", e->line);
		if (e->line > 0 && e->col > 0)
			fprintf(to, "%u:", e->col);
		fprintf(to, " %s [%s]\n", e->text, conf_code_name(e->code));
	}
	if (errs->n_more > 0)
		fprintf(to, "%s: and %u more errors\n", errs->file[0],
			errs->n_more);
}
