/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/web_user.c - tapir web user: the file keys/web/users.
 *
 * The whole file is read, changed and replaced.  It belongs to the user of the
 * process that looks at passwords, which reads it for each login.
 */
#define ERR_STATE ossl_err_state_type /* a type of theirs, an error of ours */
#include <openssl/evp.h>
#undef ERR_STATE
#include "cli/web.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/json.h"
#include "cli/word.h"
#include "conf/check.h"
#include "conf/user.h"
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"

#define SCRYPT_BYTES (128u << 20)
#define TOTP_BYTES   20			/* RFC 4226 4 */
#define TMP_NAME     ".users.new"

struct users {
	int dir;			/* keys/web; -1 = not open */
	struct conf_user *user;
	unsigned n;
};

/* ---- the file ---------------------------------------------------------------- */

static int
file_fail(struct cli *c, const char *what, const char *path)
{
	return cli_fail(c, CLI_FAILED, "file", errno == EACCES ?
			"run it as root" : NULL, "%s %s: %s", what, path,
			strerror(errno));
}

static int
dir_open(struct cli *c, const char *keys, struct users *us)
{
	int dir = open(keys, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return file_fail(c, "cannot open", keys);
	if (mkdirat(dir, CONF_USER_DIR, 0711) == 0)
		(void)!fchmodat(dir, CONF_USER_DIR, 0711, 0);
	us->dir = openat(dir, CONF_USER_DIR, O_RDONLY | O_DIRECTORY |
			 O_NOFOLLOW | O_CLOEXEC);
	close(dir);
	return us->dir >= 0 ? CLI_OK : file_fail(c, "cannot open directory web "
						 "of", keys);
}

/* The text, "" when there is no file; NULL: told to the user. */
static char *
text_read(struct cli *c, int dir)
{
	char *text = calloc(1, CONF_USER_BYTES_MAX + 1);
	int fd = openat(dir, CONF_USER_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	size_t n = 0;
	ssize_t got;

	if (text == NULL || (fd < 0 && errno != ENOENT)) {
		(void)file_fail(c, "cannot read", CONF_USER_FILE);
		free(text);
		return NULL;
	}
	while (fd >= 0 && n < CONF_USER_BYTES_MAX &&
	       (got = read(fd, text + n, CONF_USER_BYTES_MAX - n)) > 0)
		n += (size_t)got;
	if (fd >= 0)
		close(fd);
	return text;
}

static int
users_load(struct cli *c, const char *keys, struct users *us)
{
	char *text;
	const char *at;
	int status, more;

	if ((status = dir_open(c, keys, us)) != CLI_OK)
		return status;
	us->user = calloc(CONF_USER_MAX + 1, sizeof(*us->user));
	at = text = us->user != NULL ? text_read(c, us->dir) : NULL;
	if (text == NULL)
		return CLI_FAILED;
	while (us->n < CONF_USER_MAX &&
	       (more = conf_user_next(&at, &us->user[us->n])) != 0) {
		if (more < 0) {
			status = cli_fail(c, CLI_FAILED, "file", "remove the line "
					  "that was changed by hand", "%s/web/users "
					  "has a line that is no account", keys);
			break;
		}
		us->n++;
	}
	wipe(text, CONF_USER_BYTES_MAX);
	free(text);
	return status;
}

static bool
text_write(const struct users *us, int fd)
{
	char line[CONF_USER_LINE_MAX];
	bool is_ok = true;

	for (unsigned i = 0; i < us->n && is_ok; i++) {
		conf_user_print(&us->user[i], line);
		is_ok = write(fd, line, strlen(line)) == (ssize_t)strlen(line);
	}
	wipe(line, sizeof(line));
	return is_ok && fsync(fd) == 0;
}

/* A new file takes the old one's place. */
static int
users_save(struct cli *c, const struct users *us)
{
	uid_t uid;
	gid_t gid;
	int fd;

	if (!conf_key_owner(&uid, &gid))
		gid = CONF_KEY_UID;
	(void)unlinkat(us->dir, TMP_NAME, 0);
	fd = openat(us->dir, TMP_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
		    O_NOFOLLOW, 0600);
	if (fd < 0)
		return file_fail(c, "cannot write", CONF_USER_FILE);
	/* the process that looks at passwords reads it by its group; refused in a user
	 * namespace, where everybody is one user */
	if (geteuid() == 0 && fchown(fd, (uid_t)-1, gid) == 0)
		(void)!fchmod(fd, 0640);
	if (!text_write(us, fd) || renameat(us->dir, TMP_NAME, us->dir,
					    CONF_USER_FILE) != 0 ||
	    fsync(us->dir) != 0) {
		close(fd);
		return file_fail(c, "cannot write", CONF_USER_FILE);
	}
	close(fd);
	return CLI_OK;
}

static void
users_fini(struct users *us)
{
	if (us->user != NULL)
		wipe(us->user, (CONF_USER_MAX + 1) * sizeof(*us->user));
	free(us->user);
	if (us->dir >= 0)
		close(us->dir);
}

static struct conf_user *
find(struct users *us, const char *name)
{
	for (unsigned i = 0; i < us->n; i++)
		if (strcmp(us->user[i].name, name) == 0)
			return &us->user[i];
	return NULL;
}

/* ---- passwords ---------------------------------------------------------------- */

static int
word_set(struct cli *c, const struct web_opts *o, struct conf_user *u)
{
	char word[WORD_MAX];
	int status = word_read(c, o->pass_file, word);

	if (status != CLI_OK)
		return status;
	u->log_n = CONF_USER_LOG_N;
	u->r = CONF_USER_R;
	u->p = CONF_USER_P;
	if (rng_bytes(u->salt, sizeof(u->salt)) != 0 ||
	    EVP_PBE_scrypt(word, strlen(word), u->salt, sizeof(u->salt),
			   1ull << u->log_n, u->r, u->p, SCRYPT_BYTES, u->hash,
			   sizeof(u->hash)) != 1)
		status = cli_fail(c, CLI_FAILED, "crypto", NULL, "the password "
				  "cannot be stretched");
	wipe(word, sizeof(word));
	return status;
}

/* RFC 4648 6, as authenticator programs want it. */
static void
base32(const uint8_t *p, size_t n, char *out)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	unsigned bits = 0, have = 0;

	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | p[i];
		for (have += 8; have >= 5; have -= 5)
			*out++ = digit[bits >> (have - 5) & 31];
	}
	*out = '\0';
}

static int
totp_set(struct cli *c, struct conf_user *u)
{
	char text[2 * TOTP_BYTES + 1];

	if (rng_bytes(u->totp, TOTP_BYTES) != 0)
		return cli_fail(c, CLI_FAILED, "random", NULL,
				"no random numbers");
	u->n_totp = TOTP_BYTES;
	base32(u->totp, TOTP_BYTES, text);
	if (!c->is_json)
		fprintf(c->out, "otpauth://totp/tapir:%s?secret=%s&issuer=tapir\n",
			u->name, text);
	return CLI_OK;
}

/* ---- commands ------------------------------------------------------------------- */

/* The secret of codes is told when it was made, and not again. */
static int
done(struct cli *c, const struct conf_user *u, const char *what, bool has_new)
{
	char text[2 * CONF_USER_TOTP_MAX + 1];
	struct json j;

	if (!c->is_json) {
		fprintf(c->out, "%s %s\n", u->name, what);
		return CLI_OK;
	}
	base32(u->totp, has_new ? u->n_totp : 0, text);
	json_init(&j, c->out);
	json_obj(&j, NULL);
	json_bool(&j, "ok", true);
	json_str(&j, "name", u->name);
	json_str(&j, "role", u->role);
	json_str(&j, "totp", text);
	json_obj_end(&j);
	json_end(&j);
	wipe(text, sizeof(text));
	return CLI_OK;
}

static int
add(struct cli *c, const struct web_opts *o, struct users *us, const char *name)
{
	struct conf_user *u = &us->user[us->n];
	int status;

	if (!conf_user_name_ok(name))
		return cli_fail(c, CLI_FAILED, "name", NULL, "a name has letters, "
				"digits and . _ - @, at most %d",
				CONF_USER_NAME_MAX);
	if (find(us, name) != NULL)
		return cli_fail(c, CLI_FAILED, "exists", "tapir web user set "
				"changes it", "%s exists already", name);
	if (us->n == CONF_USER_MAX)
		return cli_fail(c, CLI_FAILED, "full", NULL, "at most %d accounts",
				CONF_USER_MAX);
	memset(u, 0, sizeof(*u));
	str_copy(u->name, sizeof(u->name), name);
	str_copy(u->role, sizeof(u->role), *o->role != '\0' ? o->role :
		 "viewer");
	us->n++;
	if ((status = word_set(c, o, u)) != CLI_OK ||
	    (o->is_totp && (status = totp_set(c, u)) != CLI_OK) ||
	    (status = users_save(c, us)) != CLI_OK)
		return status;
	return done(c, u, "can log in", o->is_totp);
}

/* A new role, new codes; without either a new password. */
static int
set(struct cli *c, const struct web_opts *o, struct users *us,
    struct conf_user *u)
{
	int status = CLI_OK;

	if (*o->role != '\0')
		str_copy(u->role, sizeof(u->role), o->role);
	if (o->is_totp)
		status = totp_set(c, u);
	if ((*o->role == '\0' && !o->is_totp) || o->pass_file != NULL)
		status = word_set(c, o, u);
	if (status != CLI_OK || (status = users_save(c, us)) != CLI_OK)
		return status;
	return done(c, u, "is changed", o->is_totp);
}

static int
del(struct cli *c, struct users *us, struct conf_user *u)
{
	struct conf_user was = *u;
	int status;

	*u = us->user[us->n - 1];
	us->n--;
	status = users_save(c, us);
	if (status == CLI_OK)
		status = done(c, &was, "is removed", false);
	wipe(&was, sizeof(was));
	return status;
}

static int
list(struct cli *c, const struct users *us)
{
	struct json j;

	if (!c->is_json) {
		for (unsigned i = 0; i < us->n; i++)
			fprintf(c->out, "%-24s %-10s%s\n", us->user[i].name,
				us->user[i].role, us->user[i].n_totp > 0 ?
				" with codes" : "");
		return CLI_OK;
	}
	json_init(&j, c->out);
	json_obj(&j, NULL);
	json_arr(&j, "users");
	for (unsigned i = 0; i < us->n; i++) {
		json_obj(&j, NULL);
		json_str(&j, "name", us->user[i].name);
		json_str(&j, "role", us->user[i].role);
		json_bool(&j, "totp", us->user[i].n_totp > 0);
		json_obj_end(&j);
	}
	json_arr_end(&j);
	json_obj_end(&j);
	json_end(&j);
	return CLI_OK;
}

/* What was asked, with the accounts at hand. */
static int
run(struct cli *c, const struct web_opts *o, struct users *us, char **argv)
{
	const char *what = argv[0], *name = argv[1];
	struct conf_user *u;

	if (strcmp(what, "list") == 0)
		return list(c, us);
	if (strcmp(what, "add") == 0)
		return add(c, o, us, name);
	if ((u = find(us, name)) == NULL)
		return cli_fail(c, CLI_FAILED, "name", "tapir web user list shows "
				"them all", "there is no account %.64s", name);
	return strcmp(what, "set") == 0 ? set(c, o, us, u) : del(c, us, u);
}

int
web_user(struct cli *c, const struct web_opts *o, int argc, char **argv)
{
	static const char *const known[] = { "add", "set", "del", "list" };
	struct users us = { .dir = -1 };
	bool is_known = false;
	int status;

	for (unsigned i = 0; i < N_OF(known) && argc > 0; i++)
		is_known |= strcmp(argv[0], known[i]) == 0 &&
		    (argc == 2) == (strcmp(known[i], "list") != 0);
	if (!is_known)
		return cli_fail(c, CLI_USAGE, "usage", "tapir help web",
				"web user: add, set or del NAME, or list");
	if (*o->role != '\0' && !conf_user_role_ok(o->role))
		return cli_fail(c, CLI_USAGE, "usage", NULL, "--role is admin, "
				"operator or viewer");
	status = users_load(c, o->dir, &us);
	if (status == CLI_OK)
		status = run(c, o, &us, argv);
	users_fini(&us);
	return status;
}
