/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/login/account.c - is this the password of this account?
 */
#define ERR_STATE ossl_err_state_type /* a type of theirs, an error of ours */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#undef ERR_STATE
#include "secure-proc/login/account.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/base/map.h"
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"

#define WRONG_MAX	256		/* pairs of account and source; ours */
#define SPENT_MAX	256		/* codes that count no more; ours */
#define SCRYPT_BYTES	(512u << 20)	/* memory of one check, at most; ours */
#define FORGET_MS	(30 * 60000ull)	/* without a new wrong answer; ours */

struct wrong {
	char name[CONF_USER_NAME_MAX + 1], source[PASS_SOURCE_MAX + 1];
	unsigned n;			/* 0: free */
	bool is_known;			/* there is this account */
	uint64_t last_ms, until_ms;
};
struct spent {
	char name[CONF_USER_NAME_MAX + 1];
	uint64_t step;
};
struct login {
	struct wrong wrong[WRONG_MAX];
	struct spent spent[SPENT_MAX];
	unsigned next_spent;
};

/* ---- wrong answers ----------------------------------------------------------- */

static struct wrong *
wrong_find(struct login *l, const struct pass_ask *q, uint64_t now_ms)
{
	for (unsigned i = 0; i < WRONG_MAX; i++) {
		struct wrong *w = &l->wrong[i];

		if (w->n > 0 && now_ms - w->last_ms >= FORGET_MS)
			w->n = 0;
		if (w->n > 0 && strcmp(w->name, q->name) == 0 &&
		    strcmp(w->source, q->source) == 0)
			return w;
	}
	return NULL;
}

/* Who makes room for another: a free row, else the oldest name that is no account,
 * else the oldest: made-up names do not make forget how often one was guessed. */
static bool
goes_before(const struct wrong *a, const struct wrong *b)
{
	if ((a->n == 0) != (b->n == 0))
		return a->n == 0;
	if (a->is_known != b->is_known)
		return !a->is_known;
	return a->last_ms < b->last_ms;
}

static void
wrong_add(struct login *l, const struct pass_ask *q, bool is_known,
	  uint64_t now_ms)
{
	struct wrong *w = wrong_find(l, q, now_ms);
	uint64_t wait_s;

	if (w == NULL) {
		w = &l->wrong[0];
		for (unsigned i = 1; i < WRONG_MAX; i++)
			if (goes_before(&l->wrong[i], w))
				w = &l->wrong[i];
		memset(w, 0, sizeof(*w));
		str_copy(w->name, sizeof(w->name), q->name);
		str_copy(w->source, sizeof(w->source), q->source);
	}
	w->n++;
	w->is_known = is_known;
	w->last_ms = now_ms;
	if (w->n < LOGIN_FREE)
		return;
	wait_s = 1ull << MIN(w->n - LOGIN_FREE, 12u);
	w->until_ms = now_ms + MIN(wait_s, (uint64_t)LOGIN_WAIT_MAX_S) * 1000;
}

/* ---- codes, RFC 6238 --------------------------------------------------------- */

int
login_code(const uint8_t *key, unsigned n_key, uint64_t step, char out[7])
{
	uint8_t text[8], mac[EVP_MAX_MD_SIZE];
	unsigned n = 0, at;
	uint32_t v;

	be64_put(text, step);
	if (HMAC(EVP_sha1(), key, (int)n_key, text, sizeof(text), mac, &n) ==
	    NULL || n != 20)
		return ERR_CRYPTO;
	at = mac[19] & 15u;			/* RFC 4226 5.3 */
	v = be32_get(mac + at) & 0x7fffffffu;
	out[0] = '\0';
	str_add(out, 7, "%06u", (unsigned)(v % 1000000));
	return 0;
}

static bool
is_spent(const struct login *l, const char *name, uint64_t step)
{
	for (unsigned i = 0; i < SPENT_MAX; i++)
		if (strcmp(l->spent[i].name, name) == 0 &&
		    l->spent[i].step >= step)
			return true;
	return false;
}

/* The step whose code this is, now or one before or after; 0: none, or one that
 * was used. */
static uint64_t
code_step(const struct login *l, const struct conf_user *u, const char *code,
	  uint64_t wall_s)
{
	uint64_t now = wall_s / LOGIN_STEP_S, found = 0;
	char want[7];

	if (strlen(code) != 6)
		return 0;
	for (uint64_t step = now - 1; step <= now + 1; step++)
		if (login_code(u->totp, u->n_totp, step, want) == 0 &&
		    ct_equal(want, code, 6) && !is_spent(l, u->name, step))
			found = step;
	return found;
}

static void
spend(struct login *l, const char *name, uint64_t step)
{
	struct spent *s = &l->spent[l->next_spent++ % SPENT_MAX];

	for (unsigned i = 0; i < SPENT_MAX; i++)
		if (strcmp(l->spent[i].name, name) == 0)
			s = &l->spent[i];
	str_copy(s->name, sizeof(s->name), name);
	s->step = step;
}

/* ---- passwords ---------------------------------------------------------------- */

static bool
word_fits(const struct conf_user *u, const char *word)
{
	uint8_t hash[CONF_USER_HASH];
	bool is_ok = EVP_PBE_scrypt(word, strlen(word), u->salt,
	    sizeof(u->salt), 1ull << u->log_n, u->r, u->p, SCRYPT_BYTES, hash,
	    sizeof(hash)) == 1 && ct_equal(hash, u->hash, sizeof(hash));

	wipe(hash, sizeof(hash));
	return is_ok;
}

/* The account; one that nobody has where there is none. */
static bool
user_find(const char *users, const char *name, struct conf_user *out)
{
	struct conf_user u;
	int more;

	*out = (struct conf_user){
		.log_n = CONF_USER_LOG_N, .r = CONF_USER_R, .p = CONF_USER_P,
	};
	while ((more = conf_user_next(&users, &u)) != 0)
		if (more > 0 && strcmp(u.name, name) == 0) {
			*out = u;
			wipe(&u, sizeof(u));
			return true;
		}
	wipe(&u, sizeof(u));
	return false;
}

static enum pass_role
role_of(const char *role)
{
	return strcmp(role, "admin") == 0 ? PASS_ADMIN :
	    strcmp(role, "operator") == 0 ? PASS_OPERATOR : PASS_VIEWER;
}

static bool
is_right(struct login *l, const struct pass_ask *q, const struct conf_user *u,
	 bool is_known, uint64_t wall_s)
{
	uint64_t step = 0;

	if (!word_fits(u, q->word) || !is_known)
		return false;
	if (u->n_totp == 0)
		return true;
	if ((step = code_step(l, u, q->code, wall_s)) == 0)
		return false;
	spend(l, u->name, step);
	return true;
}

/* Tells versions of an account apart, to who does not know what is in it. */
static uint64_t
stamp_of(const struct conf_user *u)
{
	static const uint8_t key[16];
	char line[CONF_USER_LINE_MAX];
	uint64_t stamp;

	conf_user_print(u, line);
	stamp = siphash(key, line, strlen(line));
	wipe(line, sizeof(line));
	return stamp;
}

void
login_still(const char *name, const char *users, struct pass_answer *out)
{
	struct conf_user u;

	out->verdict = PASS_NO;
	if (user_find(users, name, &u)) {
		out->verdict = PASS_YES;
		out->role = role_of(u.role);
		out->stamp = stamp_of(&u);
	}
	wipe(&u, sizeof(u));
}

void
login_decide(struct login *l, const struct pass_ask *q, const char *users,
	     uint64_t now_ms, uint64_t wall_s, struct pass_answer *out)
{
	struct wrong *w = wrong_find(l, q, now_ms);
	struct conf_user u;
	bool is_known;

	*out = (struct pass_answer){ .id = q->id, .verdict = PASS_NO };
	if (w != NULL && w->until_ms > now_ms) {
		out->verdict = PASS_LATER;
		out->wait_s = (uint32_t)((w->until_ms - now_ms + 999) / 1000);
		return;
	}
	is_known = user_find(users, q->name, &u);
	if (is_right(l, q, &u, is_known, wall_s)) {
		out->verdict = PASS_YES;
		out->role = role_of(u.role);
		out->stamp = stamp_of(&u);
		if (w != NULL)
			w->n = 0;
	} else {
		wrong_add(l, q, is_known, now_ms);
	}
	wipe(&u, sizeof(u));
}

int
login_new(struct login **out)
{
	struct login *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return ERR_NOMEM;
	*out = l;
	return 0;
}

void
login_free(struct login *l)
{
	free(l);
}
