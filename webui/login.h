/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/login.h - who is logged in: tokens, failures by source.
 *
 * A token is 256 random bits, shown once and kept as its digest.  Passwords
 * and links are not looked at here: a process of their own decides about them (gate.h).
 *
 * Thread: one.
 */
#ifndef TAPIR_WEBUI_LOGIN_H
#define TAPIR_WEBUI_LOGIN_H

#include "daemon/base/base.h"
#include "daemon/bus/bus.h"
#include "daemon/ipc/pass.h"

#define UI_LOGIN_MAX	 256		/* logged in at a time; ours */
#define UI_LOGIN_NAME	 32		/* of one name; ours */
#define UI_LOGIN_IDLE_MS (15 * 60000ull) /* a token not used ends; ours */
#define UI_LOGIN_LIFE_MS (12 * 3600000ull) /* and any token; ours */
#define UI_PROOF_MS	 (PASS_PROOF_S * 1000ull) /* a password proves so long */
#define UI_FAIL_MAX	 20		/* failures of a source in a minute ... */
#define UI_FAIL_MS	 60000		/* ... then it is told to wait; ours */
#define UI_NAME_MAX	 64		/* of an account, with NUL */
#define UI_TOKEN_MAX	 65		/* hex, with NUL */

/* One login. */
struct ui_who {
	uint64_t id;			/* 0: none; from 1 */
	char name[UI_NAME_MAX];
	enum bus_right right;
	uint64_t since_ms, used_ms;
	uint64_t proof_ms;		/* last password or link */
	uint64_t proof;			/* its number: others ask whose it is */
	bool is_account;		/* by a password; else by a link */
	uint64_t stamp;			/* of the account, as it was then */
	uint64_t checked_ms;		/* it was last so */
	bool is_basic;			/* name and password in each request */
};

struct ui_login;
MUST_USE int ui_login_new(struct ui_login **out);
void ui_login_free(struct ui_login *l);

/** Log somebody in; the token is written to out[UI_TOKEN_MAX].  The oldest login
 * makes room, of UI_LOGIN_NAME of a name the oldest of them.  0, ERR_RANDOM, ERR_CRYPTO. */
MUST_USE int ui_login_add(struct ui_login *l, const char *name,
			  enum bus_right right, uint64_t now_ms, char *out,
			  struct ui_who **who);
/** The same with a token of the caller's (UI_TOKEN_MAX - 1 characters): who sends
 * name and password with each request is known again by a digest of them. */
MUST_USE int ui_login_add_as(struct ui_login *l, const char *name,
			     enum bus_right right, uint64_t now_ms,
			     const char *token, struct ui_who **who);
/** Who has this token?  NULL: nobody.  Counts as use. */
struct ui_who *ui_login_find(struct ui_login *l, struct view token,
			     uint64_t now_ms);
void ui_login_end(struct ui_login *l, struct ui_who *who);
/** The next login that has ended by itself is taken out; its id, or 0. */
uint64_t ui_login_expire(struct ui_login *l, uint64_t now_ms);

/** The login by a password that was not checked for longest, when that is age_ms ago
 * or more; NULL: there is none. */
struct ui_who *ui_login_oldest(struct ui_login *l, uint64_t now_ms,
			       uint64_t age_ms);
/** The next login of this account: start with *it = 0; NULL at the end. */
struct ui_who *ui_login_of(struct ui_login *l, const char *name, unsigned *it);

/** Count a failure; true when the source has had too many. */
bool ui_login_failed(struct ui_login *l, const char *source, uint64_t now_ms);
/** Has it had too many? */
bool ui_login_is_slowed(const struct ui_login *l, const char *source,
			uint64_t now_ms);

/** "admin", "operator", "viewer". */
const char *ui_role_name(enum bus_right right);

#endif
