/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/login/answer.h - each question to the process that knows the accounts,
 * and its answer.
 *
 *   tapir-web      password, link, still there?    login_answer()
 *   supervisor     may this be done by who gave    login_answer_proof()
 *                  this proof?
 *   tapir web      a new link                      login_answer_link()
 *
 * Thread: one.
 */
#ifndef TAPIR_SECURE_LOGIN_ANSWER_H
#define TAPIR_SECURE_LOGIN_ANSWER_H

#include "secure-proc/login/account.h"
#include "secure-proc/login/proof.h"

/* What is known, and when it is asked. */
struct login_at {
	struct login *accounts;
	struct login_proofs *proofs;
	const char *users;	/* text of the file of accounts; "" = nobody */
	uint64_t now_ms;	/* monotonic */
	uint64_t wall_s;	/* Unix time, for codes */
};

/** With PASS_YES to a password or a link the answer has a proof. */
void login_answer(const struct login_at *at, const struct pass_ask *q,
		  struct pass_answer *a);
/** PASS_YES only for what an admin proved less than PASS_PROOF_S ago, whose account
 * is still what it was then. */
void login_answer_proof(const struct login_at *at, const struct proof_ask *q,
			struct proof_answer *a);
/** 0 or ERR_RANDOM. */
MUST_USE int login_answer_link(const struct login_at *at,
			       const struct proof_link_ask *q,
			       struct proof_link_answer *a);

#endif
