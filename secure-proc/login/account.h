/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/login/account.h - is this the password of this account?
 *
 * Unknown names cost as much as known ones and are answered alike.  A one-time code
 * (RFC 6238) counts once.  Wrong answers make their account and source wait: 1 s after
 * the third, then twice as long each time, 10 minutes at most.
 *
 * Thread: one.
 */
#ifndef TAPIR_SECURE_LOGIN_ACCOUNT_H
#define TAPIR_SECURE_LOGIN_ACCOUNT_H

#include "conf/user.h"
#include "daemon/ipc/pass.h"

#define LOGIN_FREE	3	/* wrong answers without waiting; ours */
#define LOGIN_WAIT_MAX_S 600	/* ours */
#define LOGIN_STEP_S	30	/* of codes, RFC 6238 5.2 */

struct login;

MUST_USE int login_new(struct login **out);
void login_free(struct login *l);
/**
 * Decide.
 *
 * @param users  text of the file of accounts; "" = nobody.
 * @param now_ms monotonic; @param wall_s Unix time, for codes.
 * @param out    id; role and stamp are set with PASS_YES.
 */
void login_decide(struct login *l, const struct pass_ask *q, const char *users,
		  uint64_t now_ms, uint64_t wall_s, struct pass_answer *out);
/** Is there this account, and which version of it?  Sets verdict, role, stamp. */
void login_still(const char *name, const char *users, struct pass_answer *out);
/** The code of a moment, 6 digits and NUL.  0 or ERR_CRYPTO. */
MUST_USE int login_code(const uint8_t *key, unsigned n_key, uint64_t step,
			char out[7]);

#endif
