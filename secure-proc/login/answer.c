/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/login/answer.c - each question and its answer.
 */
#include "secure-proc/login/answer.h"
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/str.h"

#define BY_LINK "root"	/* who can make a link */

/* Without a proof nobody is in: what follows would be refused. */
static void
prove(const struct login_at *at, const struct login_proof *what,
      struct pass_answer *a)
{
	if (login_proof_give(at->proofs, what, at->now_ms, &a->proof) != 0)
		*a = (struct pass_answer){ .id = a->id, .verdict = PASS_LATER,
					   .wait_s = 1 };
}

static void
by_word(const struct login_at *at, const struct pass_ask *q,
	struct pass_answer *a)
{
	struct login_proof what = { .is_link = false };

	login_decide(at->accounts, q, at->users, at->now_ms, at->wall_s, a);
	if (a->verdict != PASS_YES)
		return;
	(void)str_copy(what.name, sizeof(what.name), q->name);
	what.role = a->role;
	what.stamp = a->stamp;
	prove(at, &what, a);
}

static void
by_link(const struct login_at *at, const struct pass_ask *q,
	struct pass_answer *a)
{
	struct login_proof what = { .name = BY_LINK, .is_link = true };

	a->verdict = PASS_NO;
	if (login_link_use(at->proofs, q->word, at->now_ms, &what.role) != 0)
		return;
	a->verdict = PASS_YES;
	a->role = what.role;
	prove(at, &what, a);
}

void
login_answer(const struct login_at *at, const struct pass_ask *q,
	     struct pass_answer *a)
{
	*a = (struct pass_answer){ .id = q->id, .verdict = PASS_NO };
	switch (q->kind) {
	case PASS_WORD:
		by_word(at, q, a);
		break;
	case PASS_STILL:
		login_still(q->name, at->users, a);
		break;
	case PASS_LINK:
		by_link(at, q, a);
		break;
	}
}

void
login_answer_proof(const struct login_at *at, const struct proof_ask *q,
		   struct proof_answer *a)
{
	const struct login_proof *what =
	    login_proof_find(at->proofs, q->proof, at->now_ms);
	struct pass_answer still = { .verdict = PASS_YES };

	*a = (struct proof_answer){ .id = q->id, .verdict = PASS_NO };
	if (what == NULL || what->role != PASS_ADMIN)
		return;
	if (!what->is_link) {
		login_still(what->name, at->users, &still);
		if (still.verdict != PASS_YES || still.stamp != what->stamp)
			return;
	}
	a->verdict = PASS_YES;
	(void)str_copy(a->name, sizeof(a->name), what->name);
}

int
login_answer_link(const struct login_at *at, const struct proof_link_ask *q,
		  struct proof_link_answer *a)
{
	*a = (struct proof_link_answer){ .id = q->id, .left_s = LOGIN_LINK_S };
	return login_link_make(at->proofs, q->role, at->now_ms, a->token);
}
