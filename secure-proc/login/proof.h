/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/login/proof.h - one-time links, and what was proved by a link or a
 * password, for as long as it counts.
 *
 *   tapir web --> link --used once--> proof --PASS_PROOF_S--> nothing
 *   password ------------------------>
 *
 * Both are random numbers made here; who does not get one cannot make one.
 *
 * Thread: one.
 */
#ifndef TAPIR_SECURE_LOGIN_PROOF_H
#define TAPIR_SECURE_LOGIN_PROOF_H

#include "daemon/ipc/proof.h"

#define LOGIN_LINK_S	60	/* a link is good so long; contract */
#define LOGIN_LINK_MAX	16	/* waiting to be used; ours */
#define LOGIN_PROOF_MAX 256	/* at a time; ours */

/* What was proved. */
struct login_proof {
	char name[PASS_NAME_MAX + 1];	/* of the account; "root" for a link */
	enum pass_role role;
	bool is_link;			/* else by an account, which may change: */
	uint64_t stamp;			/* its version then */
};

struct login_proofs;

/** 0 or ERR_NOMEM. */
MUST_USE int login_proofs_new(struct login_proofs **out);
/** Wipe and free; NULL is fine. */
void login_proofs_free(struct login_proofs *p);

/** A new link; when there are too many the oldest goes.
 *
 * @param now_ms monotonic, as below.
 * @return 0 or ERR_RANDOM. */
MUST_USE int login_link_make(struct login_proofs *p, enum pass_role role,
			     uint64_t now_ms, char token[PROOF_TOKEN + 1]);
/** Use a link up: 0 with its role, or ERR_AUTH (none, used, or too late). */
MUST_USE int login_link_use(struct login_proofs *p, const char *token,
			    uint64_t now_ms, enum pass_role *role);

/** Keep what was proved, under a new number that is not 0; the oldest makes room.
 * 0 or ERR_RANDOM. */
MUST_USE int login_proof_give(struct login_proofs *p, const struct login_proof *what,
			      uint64_t now_ms, uint64_t *number);
/** What was proved under this number; NULL: nothing, or too long ago. */
const struct login_proof *login_proof_find(const struct login_proofs *p,
					   uint64_t number, uint64_t now_ms);

#endif
