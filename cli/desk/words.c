/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/desk/words.c - what may be asked of the desk, and which command does it.
 */
#include "cli/desk/words.h"
#include <stdio.h>
#include <string.h>
#include "daemon/base/err.h"

#define FILE_0 "/proc/self/fd/0"

/* What a row wants, and what of it goes where. */
enum {
	REALM  = 1 << 0,	/* a realm, as a word */
	INTO   = 1 << 1,	/* a realm, as --realm */
	NAME   = 1 << 2,	/* a name */
	NAMES  = 1 << 3,	/* one or more, by spaces */
	MAYBE  = 1 << 4,	/* the name may be missing */
	ROLE   = 1 << 5,	/* --role, may be missing */
	CODES  = 1 << 6,	/* --totp; then the answer is secret */
	WORD   = 1 << 7,	/* a password */
	MAY_W  = 1 << 8,	/* a password that may be missing */
	KEY    = 1 << 9,	/* --type, --days */
	URL    = 1 << 10,	/* --crl-url */
	DEVICE = 1 << 11,	/* --as, --at */
	KEYS   = 1 << 12,	/* --dir: of keys */
	CONF   = 1 << 13,	/* --config */
	CHANGE = 1 << 14,
	SECRET = 1 << 15,
	AS_IS  = 1 << 16,	/* the answer is a file */
	MAY_R  = 1 << 17,	/* the realm may be missing */
};

static const struct desk_row {
	const char *what, *cmd, *sub, *subsub;
	cli_cmd_fn *fn;
	unsigned has;
} rows[] = {
	{ "accounts", "web", "user", "list", cmd_web, KEYS },
	{ "account-add", "web", "user", "add", cmd_web,
	  KEYS | NAME | ROLE | CODES | WORD | CHANGE },
	{ "account-set", "web", "user", "set", cmd_web,
	  KEYS | NAME | ROLE | CODES | MAY_W | CHANGE },
	{ "account-del", "web", "user", "del", cmd_web, KEYS | NAME | CHANGE },
	{ "users", "user", "list", NULL, cmd_user, CONF | REALM | MAY_R },
	/* its file is made before a configuration can name it */
	{ "user-add", "user", "add", NULL, cmd_user,
	  CONF | KEYS | REALM | NAME | WORD | CHANGE },
	{ "user-passwd", "user", "passwd", NULL, cmd_user,
	  CONF | REALM | NAME | WORD | CHANGE },
	{ "user-del", "user", "del", NULL, cmd_user,
	  CONF | REALM | NAME | CHANGE },
	{ "certs", "ca", "list", NULL, cmd_ca, KEYS },
	{ "ca-init", "ca", "init", NULL, cmd_ca,
	  KEYS | NAME | MAYBE | KEY | URL | MAY_W | CHANGE },
	{ "ca-issue", "ca", "issue", NULL, cmd_ca,
	  KEYS | NAMES | KEY | MAY_W | CHANGE },
	{ "ca-revoke", "ca", "revoke", NULL, cmd_ca, KEYS | NAME | MAY_W | CHANGE },
	{ "ca-renew", "ca", "renew", NULL, cmd_ca,
	  KEYS | NAME | MAYBE | KEY | MAY_W | CHANGE },
	{ "invite", "invite", NULL, NULL, cmd_invite,
	  CONF | INTO | NAME | DEVICE | CHANGE | SECRET | AS_IS },
};

/* ---- putting together ---------------------------------------------------------- */

/* A word of n bytes; false: there is no room. */
static bool
word_n(struct desk_line *l, const char *text, size_t n)
{
	char *at = l->text + l->n_text;

	if (l->argc + 1 >= DESK_WORDS_MAX || n >= sizeof(l->text) - l->n_text)
		return false;
	memcpy(at, text, n);
	at[n] = '\0';
	l->n_text += n + 1;
	l->argv[l->argc++] = at;
	l->argv[l->argc] = NULL;
	return true;
}

static bool
word(struct desk_line *l, const char *text)
{
	return word_n(l, text, strlen(text));
}

/* "--opt" and its value, unless there is none. */
static bool
opt(struct desk_line *l, const char *name, const char *value)
{
	return *value == '\0' || (word(l, name) && word(l, value));
}

/* "a b" -> two words. */
static bool
words(struct desk_line *l, const char *text)
{
	size_t n;

	for (; *text != '\0'; text += n) {
		text += strspn(text, " ");
		n = strcspn(text, " ");
		if (n > 0 && !word_n(l, text, n))
			return false;
	}
	return true;
}

/* ---- what was asked -------------------------------------------------------------- */

/* Printable, as a line of a file or a word of a configuration has to be. */
static bool
is_clean(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

/* A value that is wanted is there, and one that is not wanted is not. */
static bool
fits(struct desk_line *l, bool is_wanted, bool may_lack, const char *value,
     const char *why)
{
	bool is_there = *value != '\0';

	if (is_there ? is_wanted : !is_wanted || may_lack)
		return true;
	l->why = why;
	return false;
}

static bool
check(struct desk_line *l, const struct desk_row *r, const struct bus_rec *cmd)
{
	static const enum bus_field text[] = {
		BUS_F_REALM, BUS_F_NAME, BUS_F_ROLE, BUS_F_KIND, BUS_F_REMOTE,
		BUS_F_URL, BUS_F_PASSWORD,
	};

	for (unsigned i = 0; i < N_OF(text); i++)
		if (!is_clean(bus_str(cmd, text[i]))) {
			l->why = "no control characters";
			return false;
		}
	return fits(l, (r->has & (REALM | INTO)) != 0, (r->has & MAY_R) != 0,
		    bus_str(cmd, BUS_F_REALM), "realm= is for users and invite, "
		    "and wanted there") &&
	    fits(l, (r->has & (NAME | NAMES)) != 0, (r->has & MAYBE) != 0,
		 bus_str(cmd, BUS_F_NAME), "name= is for what has one, and "
		 "wanted there") &&
	    fits(l, (r->has & ROLE) != 0, true, bus_str(cmd, BUS_F_ROLE),
		 "role= is for accounts") &&
	    fits(l, (r->has & (WORD | MAY_W)) != 0, (r->has & MAY_W) != 0,
		 bus_str(cmd, BUS_F_PASSWORD), "password= is for what has one, "
		 "and wanted there") &&
	    fits(l, (r->has & (KEY | DEVICE)) != 0, true,
		 bus_str(cmd, BUS_F_KIND), "kind= is for keys and devices") &&
	    fits(l, (r->has & DEVICE) != 0, true, bus_str(cmd, BUS_F_REMOTE),
		 "remote= is for invite") &&
	    fits(l, (r->has & URL) != 0, true, bus_str(cmd, BUS_F_URL),
		 "url= is for ca-init");
}

static bool
options(struct desk_line *l, const struct desk_row *r, const struct bus_rec *cmd,
	const struct desk_place *at)
{
	uint64_t n = bus_u64(cmd, BUS_F_DAYS);
	const char *kind = bus_str(cmd, BUS_F_KIND);
	char days[24] = "";

	if (n > 0)
		snprintf(days, sizeof(days), "%llu", (unsigned long long)n);
	if ((r->has & KEYS) != 0 && !opt(l, "--dir", at->keys))
		return false;
	if ((r->has & CONF) != 0 && !opt(l, "--config", at->config))
		return false;
	if ((r->has & ROLE) != 0 && !opt(l, "--role", bus_str(cmd, BUS_F_ROLE)))
		return false;
	if ((r->has & CODES) != 0 && bus_bool(cmd, BUS_F_HAS_CODES) &&
	    !word(l, "--totp"))
		return false;
	if (*bus_str(cmd, BUS_F_PASSWORD) != '\0' && !opt(l, "--pass", FILE_0))
		return false;
	if ((r->has & KEY) != 0 && (!opt(l, "--type", kind) ||
				    !opt(l, "--days", days)))
		return false;
	if ((r->has & URL) != 0 && !opt(l, "--crl-url", bus_str(cmd, BUS_F_URL)))
		return false;
	if ((r->has & DEVICE) != 0 &&
	    (!opt(l, "--as", kind) ||
	     !opt(l, "--at", bus_str(cmd, BUS_F_REMOTE)) || !opt(l, "--out", "-")))
		return false;
	return (r->has & INTO) == 0 ||
	    opt(l, "--realm", bus_str(cmd, BUS_F_REALM));
}

/* Behind "--" a name is a name, whatever it begins with. */
static bool
operands(struct desk_line *l, const struct desk_row *r,
	 const struct bus_rec *cmd)
{
	const char *name = bus_str(cmd, BUS_F_NAME);

	if (!word(l, "--"))
		return false;
	if ((r->has & REALM) != 0 && *bus_str(cmd, BUS_F_REALM) != '\0' &&
	    !word(l, bus_str(cmd, BUS_F_REALM)))
		return false;
	if ((r->has & NAMES) != 0)
		return words(l, name);
	return *name == '\0' || word(l, name);
}

static const struct desk_row *
row_of(const char *what)
{
	for (unsigned i = 0; i < N_OF(rows); i++)
		if (strcmp(rows[i].what, what) == 0)
			return &rows[i];
	return NULL;
}

int
desk_line(const struct bus_rec *cmd, const struct desk_place *at,
	  struct desk_line *out)
{
	const struct desk_row *r = row_of(bus_str(cmd, BUS_F_WHAT));

	memset(out, 0, sizeof(*out));
	if (r == NULL) {
		out->why = "the desk does no such thing";
		return ERR_NOTFOUND;
	}
	out->fn = r->fn;
	out->cmd = r->cmd;
	out->is_change = (r->has & CHANGE) != 0;
	out->is_file = (r->has & AS_IS) != 0;
	out->is_secret = (r->has & SECRET) != 0 ||
	    ((r->has & CODES) != 0 && bus_bool(cmd, BUS_F_HAS_CODES));
	if (out->is_change && at->is_closed) {
		out->why = "nothing is changed from here";
		return ERR_PERM;
	}
	if (out->is_change && !at->is_proved)
		return ERR_PROOF;
	if (!check(out, r, cmd))
		return ERR_SYNTAX;
	if ((r->sub == NULL || word(out, r->sub)) &&
	    (r->subsub == NULL || word(out, r->subsub)) &&
	    options(out, r, cmd, at) && operands(out, r, cmd))
		return 0;
	out->why = "that is too long";
	return ERR_LONG;
}
