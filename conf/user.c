/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/user.c - the file of accounts of the browser interface.
 */
#include "conf/user.h"
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/str.h"

#define N_PART 8

bool
conf_user_name_ok(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n > CONF_USER_NAME_MAX || strchr("._-@", name[0]) != NULL)
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyz"
		      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@") == n;
}

bool
conf_user_role_ok(const char *role)
{
	static const char *const roles[] = { "admin", "operator", "viewer" };

	for (unsigned i = 0; i < N_OF(roles); i++)
		if (strcmp(role, roles[i]) == 0)
			return true;
	return false;
}

/* Cut a line at its colons. */
static bool
parts_of(char *line, char *part[N_PART])
{
	unsigned n = 0;

	part[n++] = line;
	for (char *at = line; (at = strchr(at, ':')) != NULL;) {
		*at++ = '\0';
		if (n == N_PART)
			return false;
		part[n++] = at;
	}
	return n == N_PART;
}

static bool
cost_ok(char *const part[N_PART], struct conf_user *u)
{
	uint64_t n, r, p;

	if (str_u64(part[2], 20, &n) != 0 || str_u64(part[3], 16, &r) != 0 ||
	    str_u64(part[4], 4, &p) != 0 || n < 10 || r < 1 || p < 1)
		return false;
	u->log_n = (unsigned)n;
	u->r = (unsigned)r;
	u->p = (unsigned)p;
	return true;
}

int
conf_user_parse(const char *line, struct conf_user *out)
{
	char copy[CONF_USER_LINE_MAX], *part[N_PART];
	struct conf_user u = { 0 };
	int n;

	if (!str_copy(copy, sizeof(copy), line) || !parts_of(copy, part) ||
	    !conf_user_name_ok(part[0]) || !conf_user_role_ok(part[1]) ||
	    !cost_ok(part, &u))
		return ERR_SYNTAX;
	str_copy(u.name, sizeof(u.name), part[0]);
	str_copy(u.role, sizeof(u.role), part[1]);
	if (str_unhex(part[5], strlen(part[5]), u.salt, sizeof(u.salt)) !=
	    CONF_USER_SALT ||
	    str_unhex(part[6], strlen(part[6]), u.hash, sizeof(u.hash)) !=
	    CONF_USER_HASH)
		return ERR_SYNTAX;
	n = str_unhex(part[7], strlen(part[7]), u.totp, sizeof(u.totp));
	if (n < 0 || (n > 0 && n < 16))
		return ERR_SYNTAX;
	u.n_totp = (unsigned)n;
	*out = u;
	return 0;
}

void
conf_user_print(const struct conf_user *u, char *out)
{
	char salt[2 * CONF_USER_SALT + 1], hash[2 * CONF_USER_HASH + 1];
	char totp[2 * CONF_USER_TOTP_MAX + 1];

	str_hex(salt, sizeof(salt), u->salt, sizeof(u->salt));
	str_hex(hash, sizeof(hash), u->hash, sizeof(u->hash));
	str_hex(totp, sizeof(totp), u->totp, u->n_totp);
	out[0] = '\0';
	str_add(out, CONF_USER_LINE_MAX, "%s:%s:%u:%u:%u:%s:%s:%s\n", u->name,
		u->role, u->log_n, u->r, u->p, salt, hash, totp);
}

int
conf_user_next(const char **text, struct conf_user *out)
{
	char line[CONF_USER_LINE_MAX];
	size_t n;

	for (;;) {
		*text += strspn(*text, "\n");
		if (**text == '\0')
			return 0;
		n = strcspn(*text, "\n");
		if (**text != '#')
			break;
		*text += n;
	}
	line[0] = '\0';
	if (n < sizeof(line)) {
		memcpy(line, *text, n);
		line[n] = '\0';
	}
	*text += n;
	return conf_user_parse(line, out) == 0 ? 1 : ERR_SYNTAX;
}
