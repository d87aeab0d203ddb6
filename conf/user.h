/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/user.h - the file of accounts of the browser interface, keys/web/users.
 *
 *   hanako:operator:15:8:1:<salt>:<verifier>:<secret of codes, or empty>
 *
 * One account a line: name, role, cost of scrypt (RFC 7914: log2 N, r, p), and hex.
 * The command writes it, the process that decides about passwords reads it; nobody
 * else needs it.
 *
 * Pure; thread: any.
 */
#ifndef TAPIR_CONF_USER_H
#define TAPIR_CONF_USER_H

#include "daemon/base/base.h"

#define CONF_USER_DIR	   "web"	/* in keys/ */
#define CONF_USER_FILE	   "users"	/* in it */
#define CONF_USER_NAME_MAX 63
#define CONF_USER_SALT	   16
#define CONF_USER_HASH	   32
#define CONF_USER_TOTP_MAX 32		/* bytes of a secret, RFC 4226 4: >= 16 */
#define CONF_USER_MAX	   1024		/* accounts; ours */
#define CONF_USER_LINE_MAX 400
#define CONF_USER_BYTES_MAX (CONF_USER_MAX * CONF_USER_LINE_MAX)

/* Cost of new verifiers: 32 MiB, some 80 ms. */
#define CONF_USER_LOG_N 15
#define CONF_USER_R	8
#define CONF_USER_P	1

struct conf_user {
	char name[CONF_USER_NAME_MAX + 1];
	char role[16];			/* admin operator viewer */
	unsigned log_n, r, p;
	uint8_t salt[CONF_USER_SALT], hash[CONF_USER_HASH];
	unsigned n_totp;		/* 0 = no codes */
	uint8_t totp[CONF_USER_TOTP_MAX];
};

/** Letters, digits and . _ - @, not too long, beginning with a letter or digit? */
bool conf_user_name_ok(const char *name);
bool conf_user_role_ok(const char *role);
/** One line without its end.  0 or ERR_SYNTAX. */
MUST_USE int conf_user_parse(const char *line, struct conf_user *out);
/** The line, with its end; out: CONF_USER_LINE_MAX. */
void conf_user_print(const struct conf_user *u, char *out);
/**
 * The next account of a text.
 *
 * @param text where in it; moved on.  Empty lines and those that begin with # are
 *             passed over.
 * @return 1; 0 at the end; ERR_SYNTAX: a line that is none (passed over next).
 */
int conf_user_next(const char **text, struct conf_user *out);

#endif
