/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_user.c - tapir user: the file of those who prove themselves by a
 * password (EAP-MSCHAPv2): users= of the realm's <eap>.
 *
 *   # comment
 *   hanako@sales.example.com:nt:8846f7eaee8fb117ad06bdd830b7586c
 *
 * What stands there is the MD4 of the password in UTF-16, because the method
 * needs it: the file is as secret as a private key.  A change leaves every other
 * line as it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/conf_file.h"
#include "cli/json.h"
#include "cli/word.h"
#include "daemon/base/err.h"
#include "daemon/base/md4.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus_text.h"

#define USERS_BYTES_MAX (1u << 20)	/* of a file; ours */
#define USER_NAME_MAX	253		/* of a name; ours */
#define USER_LINE_MAX	(USER_NAME_MAX + 4 + 2 * MD4_LEN + 2)

struct user {
	const char *config, *dir, *pass_file, *realm, *name;
	bool has_config;	/* it was named */
	char path[PATH_MAX];
	char *text;		/* USERS_BYTES_MAX + 1 */
	size_t len;
};

/* ---- the file ---------------------------------------------------------------------- */

/* A name as EAP gives it: no colon, which ends it here, nothing unprintable. */
static bool
name_ok(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n > USER_NAME_MAX || name[0] == '#')
		return false;
	for (; *name != '\0'; name++)
		if ((unsigned char)*name <= 0x20 || *name == 0x7f || *name == ':')
			return false;
	return true;
}

/* A realm is a part of a file's name. */
static bool
realm_ok(const char *realm)
{
	return *realm != '\0' && *realm != '.' && strchr(realm, '/') == NULL &&
	    strlen(realm) <= 63;
}

static int
text_read(struct cli *c, struct user *u)
{
	int fd = open(u->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t got = 0;

	if ((u->text = calloc(1, USERS_BYTES_MAX + USER_LINE_MAX)) == NULL)
		return cli_fail(c, CLI_FAILED, "memory", NULL, "out of memory");
	if (fd < 0 && errno == ENOENT)
		return CLI_OK;
	while (fd >= 0 && u->len < USERS_BYTES_MAX &&
	       (got = read(fd, u->text + u->len, USERS_BYTES_MAX - u->len)) > 0)
		u->len += (size_t)got;
	if (fd >= 0)
		close(fd);
	if (fd < 0 || got < 0)
		return cli_fail(c, CLI_FAILED, "file", errno == EACCES ?
				"run it as root" : NULL, "cannot read %s: %s",
				u->path, strerror(errno));
	if (u->len == USERS_BYTES_MAX || strlen(u->text) != u->len)
		return cli_fail(c, CLI_FAILED, "file", NULL, "%s is too long, or "
				"no text", u->path);
	return CLI_OK;
}

static int
text_write(struct cli *c, const struct user *u)
{
	if (conf_file_replace(u->path, u->text, u->len, 0600) == 0)
		return CLI_OK;
	return cli_fail(c, CLI_FAILED, "write", errno == EACCES ?
			"run it as root" : NULL, "cannot write %s: %s", u->path,
			strerror(errno));
}

/* The line of a name, from its first byte to behind its end; NULL: none. */
static char *
line_of(const struct user *u, const char *name, size_t *len)
{
	size_t n = strlen(name);

	for (char *at = u->text; *at != '\0'; at += *len) {
		*len = strcspn(at, "\n");
		if (at[*len] == '\n')
			++*len;
		if (*len > n && strncmp(at, name, n) == 0 && at[n] == ':')
			return at;
	}
	return NULL;
}

/* ---- verifiers ---------------------------------------------------------------------- */

/* UTF-8 -> UTF-16, little endian.  How many bytes, or ERR_SYNTAX. */
static int
utf16(const char *text, uint8_t *out)
{
	const unsigned char *p = (const unsigned char *)text;
	int n = 0;

	while (*p != '\0') {
		unsigned more = *p >= 0xf0 ? 3 : *p >= 0xe0 ? 2 : *p >= 0xc0 ? 1 : 0;
		uint32_t ch = more == 0 ? *p : *p & (0x3fu >> more);

		if ((more == 0 && *p >= 0x80) || *p >= 0xf8)
			return ERR_SYNTAX;
		for (p++; more > 0; more--, p++) {
			if ((*p & 0xc0) != 0x80)
				return ERR_SYNTAX;
			ch = ch << 6 | (*p & 0x3f);
		}
		if (ch > 0x10ffff || (ch >= 0xd800 && ch < 0xe000))
			return ERR_SYNTAX;
		if (ch >= 0x10000) {
			uint32_t hi = 0xd800 + ((ch - 0x10000) >> 10);

			out[n++] = (uint8_t)hi;
			out[n++] = (uint8_t)(hi >> 8);
			ch = 0xdc00 + ((ch - 0x10000) & 0x3ff);
		}
		out[n++] = (uint8_t)ch;
		out[n++] = (uint8_t)(ch >> 8);
	}
	return n;
}

/* The line of the name with a password that is asked for. */
static int
line_make(struct cli *c, const struct user *u, char line[USER_LINE_MAX])
{
	uint8_t wide[2 * WORD_MAX], hash[MD4_LEN];
	char word[WORD_MAX] = "", hex[2 * MD4_LEN + 1];
	int n, status;

	if ((status = word_read(c, u->pass_file, word)) != CLI_OK)
		goto out;
	if ((n = utf16(word, wide)) < 0 || n > 512) {
		status = cli_fail(c, CLI_FAILED, "password", NULL, "the password "
				  "is not UTF-8, or longer than 256 characters");
		goto out;
	}
	md4(wide, (size_t)n, hash);
	str_hex(hex, sizeof(hex), hash, sizeof(hash));
	snprintf(line, USER_LINE_MAX, "%s:nt:%s\n", u->name, hex);
out:
	wipe(word, sizeof(word));
	wipe(wide, sizeof(wide));
	wipe(hash, sizeof(hash));
	wipe(hex, sizeof(hex));
	return status;
}

/* ---- subcommands --------------------------------------------------------------------- */

static int
done(struct cli *c, const struct user *u, const char *what)
{
	struct json j;

	if (!c->is_json) {
		fprintf(c->out, "%s %s; tapir reload puts it in force\n", u->name,
			what);
		return CLI_OK;
	}
	json_init(&j, c->out);
	json_obj(&j, NULL);
	json_bool(&j, "ok", true);
	json_str(&j, "realm", u->realm);
	json_str(&j, "name", u->name);
	json_obj_end(&j);
	json_end(&j);
	return CLI_OK;
}

/* Replace len bytes at at (the end: NULL) by a line; "" takes it out. */
static void
line_put(struct user *u, char *at, size_t len, const char *line)
{
	size_t n = strlen(line), off;

	if (at == NULL) {
		if (u->len > 0 && u->text[u->len - 1] != '\n')
			u->text[u->len++] = '\n';
		at = u->text + u->len;
		len = 0;
	}
	off = (size_t)(at - u->text);
	memmove(at + n, at + len, u->len - off - len);
	memcpy(at, line, n);
	u->len += n - len;
	u->text[u->len] = '\0';
}

static int
sub_add(struct cli *c, struct user *u, bool is_new)
{
	char line[USER_LINE_MAX] = "";
	size_t len = 0;
	char *at = line_of(u, u->name, &len);
	int status;

	if (is_new && at != NULL)
		return cli_fail(c, CLI_FAILED, "exists", "tapir user passwd gives "
				"a new password", "%s is there already", u->name);
	if (!is_new && at == NULL)
		return cli_fail(c, CLI_FAILED, "not-found", NULL, "there is no "
				"user %s", u->name);
	if (u->len + 2 * USER_LINE_MAX > USERS_BYTES_MAX)
		return cli_fail(c, CLI_FAILED, "full", NULL, "%s is full",
				u->path);
	if ((status = line_make(c, u, line)) == CLI_OK) {
		line_put(u, at, len, line);
		status = text_write(c, u);
	}
	wipe(line, sizeof(line));
	return status == CLI_OK ? done(c, u, is_new ? "can connect" :
				       "has a new password") : status;
}

static int
sub_del(struct cli *c, struct user *u)
{
	size_t len = 0;
	char *at = line_of(u, u->name, &len);
	int status;

	if (at == NULL)
		return cli_fail(c, CLI_FAILED, "not-found", NULL, "there is no "
				"user %s", u->name);
	line_put(u, at, len, "");
	if (u->len == 0)	/* an empty file would be a mistake */
		line_put(u, NULL, 0, "# nobody\n");
	status = text_write(c, u);
	return status == CLI_OK ? done(c, u, "is removed") : status;
}

static int
sub_list(struct cli *c, const struct user *u)
{
	char name[USER_NAME_MAX + 1], shown[4 * USER_NAME_MAX];
	struct json j;
	size_t n, len;

	if (c->is_json) {
		json_init(&j, c->out);
		json_obj(&j, NULL);
		json_arr(&j, "users");
	}
	for (const char *at = u->text; *at != '\0'; at += len) {
		len = strcspn(at, "\n");
		n = strcspn(at, ":\n");
		if (*at != '#' && n < len && n <= USER_NAME_MAX) {
			memcpy(name, at, n);
			name[n] = '\0';
			if (c->is_json)
				json_str(&j, NULL, name);
			else
				fprintf(c->out, "%s\n", bus_print_text(name,
					shown, sizeof(shown)));
		}
		len += at[len] == '\n';
	}
	if (c->is_json) {
		json_arr_end(&j);
		json_obj_end(&j);
		json_end(&j);
	}
	return CLI_OK;
}

static bool
has_users(const struct conf_realm *r)
{
	return r->eap.method != NULL && r->eap.users != NULL;
}

static void
path_put(struct user *u, const struct conf_realm *r)
{
	char keys[PATH_MAX], dir[PATH_MAX];

	conf_key_dir(u->config, keys, sizeof(keys));
	conf_realm_key_dir(keys, r, dir, sizeof(dir));
	snprintf(u->path, sizeof(u->path), "%.3900s/%.120s", dir, r->eap.users);
}

/* Where the realm has them; with a directory, what most realms call them there: with
 * a configuration, too, that of a realm which asks for passwords only from now on. */
static int
path_find(struct cli *c, struct user *u)
{
	const struct conf_realm *r = NULL;
	struct conf *conf = NULL;
	int status = CLI_OK;

	if (u->dir == NULL || u->has_config) {
		if ((status = conf_file_open(c, u->config, &conf)) != CLI_OK)
			return status;
		r = conf_realm_find(conf, u->realm);
	}
	if (r != NULL && has_users(r)) {
		path_put(u, r);
	} else if (u->dir != NULL) {
		snprintf(u->path, sizeof(u->path), "%.4000s/%s.users", u->dir,
			 u->realm);
	} else if (r == NULL) {
		status = cli_fail(c, CLI_FAILED, "not-found", NULL, "there is no "
				  "realm %s in %.200s", u->realm, u->config);
	} else {
		status = cli_fail(c, CLI_FAILED, "eap", "add <eap users=\"...\"/>",
				  "realm %s asks nobody for a password",
				  u->realm);
	}
	conf_free(conf);
	return status;
}

static unsigned
n_users(const struct user *u)
{
	unsigned n = 0;

	for (const char *at = u->text; *at != '\0'; at += strcspn(at, "\n"), at +=
	     *at == '\n')
		n += *at != '#' && strcspn(at, ":\n") < strcspn(at, "\n");
	return n;
}

static void
user_wipe(struct user *u)
{
	if (u->text != NULL)
		wipe(u->text, USERS_BYTES_MAX + USER_LINE_MAX);
	free(u->text);
	u->text = NULL;
	u->len = 0;
}

/* The realms that ask for a password. */
static int
realms_list(struct cli *c, struct user *u)
{
	struct conf *conf = NULL;
	struct json j;
	int status;

	if ((status = conf_file_open(c, u->config, &conf)) != CLI_OK)
		return status;
	json_init(&j, c->out);
	if (c->is_json) {
		json_obj(&j, NULL);
		json_arr(&j, "realms");
	}
	for (unsigned i = 0; i < conf->n_realm && status == CLI_OK; i++) {
		const struct conf_realm *r = &conf->realm[i];

		if (!has_users(r))
			continue;
		path_put(u, r);
		if ((status = text_read(c, u)) == CLI_OK && c->is_json) {
			json_obj(&j, NULL);
			json_str(&j, "realm", r->name);
			json_u64(&j, "n", n_users(u));
			json_obj_end(&j);
		} else if (status == CLI_OK) {
			fprintf(c->out, "%s: %u\n", r->name, n_users(u));
		}
		user_wipe(u);
	}
	if (status == CLI_OK && c->is_json) {
		json_arr_end(&j);
		json_obj_end(&j);
		json_end(&j);
	}
	conf_free(conf);
	return status;
}

static int
user_run(struct cli *c, struct user *u, const char *what)
{
	int status;

	if ((status = path_find(c, u)) != CLI_OK ||
	    (status = text_read(c, u)) != CLI_OK)
		return status;
	if (strcmp(what, "list") == 0)
		return sub_list(c, u);
	if (strcmp(what, "del") == 0)
		return sub_del(c, u);
	return sub_add(c, u, strcmp(what, "add") == 0);
}

int
cmd_user(struct cli *c, int argc, char **argv)
{
	static const char *const subs[] = { "add", "del", "passwd", "list" };
	struct user u = { .config = NULL };
	const struct cli_opt opt[] = {
		{ 'd', "dir", NULL, &u.dir }, { 0, "pass", NULL, &u.pass_file },
		{ 'c', "config", NULL, &u.config },
	};
	bool is_list, is_known = false;
	int status;

	if ((argc = cli_opts(c, opt, N_OF(opt), argc, argv, 3)) < 0)
		return CLI_USAGE;
	for (unsigned i = 0; argc > 0 && i < N_OF(subs); i++)
		is_known |= strcmp(argv[0], subs[i]) == 0;
	is_list = is_known && strcmp(argv[0], "list") == 0;
	if (!is_known || (argc != (is_list ? 2 : 3) && !(is_list && argc == 1 &&
							 u.dir == NULL)))
		return cli_fail(c, CLI_USAGE, "usage", "tapir help user", "user "
				"wants add, del or passwd with REALM NAME, or "
				"list [REALM]");
	u.has_config = u.config != NULL;
	if (!u.has_config)
		u.config = CLI_CONF;
	if (argc == 1)
		return realms_list(c, &u);
	u.realm = argv[1];
	u.name = is_list ? "" : argv[2];
	if (!realm_ok(u.realm) || (!is_list && !name_ok(u.name)))
		return cli_fail(c, CLI_USAGE, "name", NULL, "a realm is a name of "
				"the configuration; a user has no space and no "
				"colon in the name");
	status = user_run(c, &u, argv[0]);
	user_wipe(&u);
	return status;
}
