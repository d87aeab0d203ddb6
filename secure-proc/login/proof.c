/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/login/proof.c - one-time links and proofs.
 */
#include "secure-proc/login/proof.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"

struct one_time {
	char token[PROOF_TOKEN + 1];
	enum pass_role role;
	uint64_t until_ms;	/* 0: free */
};
struct given {
	uint64_t number;	/* 0: free */
	uint64_t at_ms;
	struct login_proof what;
};
struct login_proofs {
	struct one_time link[LOGIN_LINK_MAX];
	struct given given[LOGIN_PROOF_MAX];
};

/* ---- links ------------------------------------------------------------------- */

int
login_link_make(struct login_proofs *p, enum pass_role role, uint64_t now_ms,
		char token[PROOF_TOKEN + 1])
{
	uint8_t raw[PROOF_TOKEN / 2];
	struct one_time *at = &p->link[0];
	int err;

	if ((err = rng_bytes(raw, sizeof(raw))) != 0)
		return err;
	for (unsigned i = 0; i < LOGIN_LINK_MAX; i++)
		if (p->link[i].until_ms < at->until_ms)
			at = &p->link[i];	/* free, or the oldest */
	str_hex(at->token, sizeof(at->token), raw, sizeof(raw));
	wipe(raw, sizeof(raw));
	at->role = role;
	at->until_ms = now_ms + LOGIN_LINK_S * 1000ull;
	memcpy(token, at->token, sizeof(at->token));
	return 0;
}

int
login_link_use(struct login_proofs *p, const char *token, uint64_t now_ms,
	       enum pass_role *role)
{
	int err = ERR_AUTH;

	if (strlen(token) != PROOF_TOKEN)
		return ERR_AUTH;
	/* each is compared whole, so that time says nothing */
	for (unsigned i = 0; i < LOGIN_LINK_MAX; i++) {
		struct one_time *at = &p->link[i];

		if (at->until_ms == 0 ||
		    !ct_equal(at->token, token, PROOF_TOKEN))
			continue;
		if (at->until_ms > now_ms) {
			*role = at->role;
			err = 0;
		}
		wipe(at, sizeof(*at));
	}
	return err;
}

/* ---- proofs ------------------------------------------------------------------ */

int
login_proof_give(struct login_proofs *p, const struct login_proof *what,
		 uint64_t now_ms, uint64_t *number)
{
	struct given *g = &p->given[0];
	uint64_t n;
	int err;

	do {
		if ((err = rng_bytes(&n, sizeof(n))) != 0)
			return err;
	} while (n == 0);
	for (unsigned i = 0; i < LOGIN_PROOF_MAX && g->number != 0; i++)
		if (p->given[i].number == 0 || p->given[i].at_ms < g->at_ms)
			g = &p->given[i];
	*g = (struct given){ n, now_ms, *what };
	*number = n;
	return 0;
}

const struct login_proof *
login_proof_find(const struct login_proofs *p, uint64_t number, uint64_t now_ms)
{
	const struct given *found = NULL;

	for (unsigned i = 0; i < LOGIN_PROOF_MAX; i++)
		if (p->given[i].number != 0 &&
		    ct_equal(&p->given[i].number, &number, sizeof(number)))
			found = &p->given[i];
	if (found == NULL || now_ms - found->at_ms >= PASS_PROOF_S * 1000ull)
		return NULL;
	return &found->what;
}

/* ---- start and end ------------------------------------------------------------- */

int
login_proofs_new(struct login_proofs **out)
{
	struct login_proofs *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return ERR_NOMEM;
	*out = p;
	return 0;
}

void
login_proofs_free(struct login_proofs *p)
{
	if (p != NULL)
		wipe(p, sizeof(*p));
	free(p);
}
