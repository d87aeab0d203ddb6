/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/login.c - tokens, failures by source.
 */
#include "webui/login.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "webui/tls.h"

#define SOURCE_MAX 128	/* sources with failures; ours */
#define DIGEST	   32

struct entry {
	uint8_t digest[DIGEST];
	struct ui_who who;
};
struct source {
	char name[64];
	unsigned n;
	uint64_t from_ms;
};

struct ui_login {
	struct entry entry[UI_LOGIN_MAX];
	struct source source[SOURCE_MAX];
	uint64_t next_id;
};

static const char *const role_names[] = {
	[BUS_RIGHT_VIEW] = "viewer",
	[BUS_RIGHT_OPERATE] = "operator",
	[BUS_RIGHT_ADMIN] = "admin",
};

const char *
ui_role_name(enum bus_right right)
{
	return (unsigned)right < N_OF(role_names) ? role_names[right] : "?";
}

/* ---- logins ---------------------------------------------------------------- */

static bool
is_over(const struct ui_who *w, uint64_t now_ms)
{
	return now_ms - w->used_ms >= UI_LOGIN_IDLE_MS ||
	    now_ms - w->since_ms >= UI_LOGIN_LIFE_MS;
}

/* The login that was not used for longest, of all (name NULL) or of a name; n: how
 * many there are.  One that is free is the oldest of all. */
static struct entry *
oldest_of(struct ui_login *l, const char *name, unsigned *n)
{
	struct entry *e = NULL;

	*n = 0;
	for (unsigned i = 0; i < UI_LOGIN_MAX; i++) {
		struct entry *at = &l->entry[i];

		if (name != NULL && (at->who.id == 0 ||
				     strcmp(at->who.name, name) != 0))
			continue;
		(*n)++;
		if (e == NULL || (e->who.id != 0 && (at->who.id == 0 ||
		    at->who.used_ms < e->who.used_ms)))
			e = at;
	}
	return e;
}

/* Where this token is known, else a place that is free now; the login that was
 * not used for longest makes room, of those of this name when it has many: nobody
 * logs others out by logging in. */
static struct entry *
place_for(struct ui_login *l, const uint8_t digest[DIGEST], const char *name)
{
	struct entry *e;
	unsigned n;

	for (unsigned i = 0; i < UI_LOGIN_MAX; i++)
		if (l->entry[i].who.id != 0 &&
		    ct_equal(l->entry[i].digest, digest, DIGEST))
			return &l->entry[i];
	e = oldest_of(l, name, &n);
	if (n < UI_LOGIN_NAME)
		e = oldest_of(l, NULL, &n);
	memset(e, 0, sizeof(*e));
	return e;
}

int
ui_login_add_as(struct ui_login *l, const char *name, enum bus_right right,
		uint64_t now_ms, const char *token, struct ui_who **who)
{
	uint8_t digest[DIGEST];
	struct entry *e;
	int err;

	if ((err = ui_sha256(token, strlen(token), digest)) != 0)
		return err;
	e = place_for(l, digest, name);
	if (e->who.id == 0)
		e->who.id = l->next_id++;
	memcpy(e->digest, digest, DIGEST);
	str_copy(e->who.name, sizeof(e->who.name), name);
	e->who.right = right;
	e->who.since_ms = e->who.used_ms = e->who.proof_ms = now_ms;
	*who = &e->who;
	return 0;
}

int
ui_login_add(struct ui_login *l, const char *name, enum bus_right right,
	     uint64_t now_ms, char *out, struct ui_who **who)
{
	uint8_t raw[DIGEST];
	int err;

	if ((err = rng_bytes(raw, sizeof(raw))) != 0)
		return err;
	str_hex(out, UI_TOKEN_MAX, raw, sizeof(raw));
	wipe(raw, sizeof(raw));
	return ui_login_add_as(l, name, right, now_ms, out, who);
}

struct ui_who *
ui_login_find(struct ui_login *l, struct view token, uint64_t now_ms)
{
	struct ui_who *found = NULL;
	uint8_t digest[DIGEST];

	if (token.len != UI_TOKEN_MAX - 1 ||
	    ui_sha256(token.p, token.len, digest) != 0)
		return NULL;
	for (unsigned i = 0; i < UI_LOGIN_MAX; i++)
		if (l->entry[i].who.id != 0 &&
		    ct_equal(l->entry[i].digest, digest, DIGEST))
			found = &l->entry[i].who;
	if (found == NULL || is_over(found, now_ms) ||
	    (found->is_basic && now_ms - found->proof_ms >= UI_PROOF_MS))
		return NULL;
	found->used_ms = now_ms;
	return found;
}

void
ui_login_end(struct ui_login *l UNUSED, struct ui_who *who)
{
	struct entry *e = CONTAINER_OF(who, struct entry, who);

	memset(e, 0, sizeof(*e));
}

uint64_t
ui_login_expire(struct ui_login *l, uint64_t now_ms)
{
	for (unsigned i = 0; i < UI_LOGIN_MAX; i++) {
		struct ui_who *w = &l->entry[i].who;
		uint64_t id = w->id;

		if (id != 0 && is_over(w, now_ms)) {
			ui_login_end(l, w);
			return id;
		}
	}
	return 0;
}

struct ui_who *
ui_login_oldest(struct ui_login *l, uint64_t now_ms, uint64_t age_ms)
{
	struct ui_who *oldest = NULL;

	for (unsigned i = 0; i < UI_LOGIN_MAX; i++) {
		struct ui_who *w = &l->entry[i].who;

		if (w->id != 0 && w->is_account &&
		    now_ms - w->checked_ms >= age_ms &&
		    (oldest == NULL || w->checked_ms < oldest->checked_ms))
			oldest = w;
	}
	return oldest;
}

struct ui_who *
ui_login_of(struct ui_login *l, const char *name, unsigned *it)
{
	while (*it < UI_LOGIN_MAX) {
		struct ui_who *w = &l->entry[(*it)++].who;

		if (w->id != 0 && w->is_account && strcmp(w->name, name) == 0)
			return w;
	}
	return NULL;
}

/* ---- failures -------------------------------------------------------------- */

static const struct source *
source_find(const struct ui_login *l, const char *name)
{
	for (unsigned i = 0; i < SOURCE_MAX; i++)
		if (l->source[i].n > 0 && strcmp(l->source[i].name, name) == 0)
			return &l->source[i];
	return NULL;
}

bool
ui_login_is_slowed(const struct ui_login *l, const char *source,
		   uint64_t now_ms)
{
	const struct source *s = source_find(l, source);

	return s != NULL && s->n > UI_FAIL_MAX &&
	    now_ms - s->from_ms < UI_FAIL_MS;
}

bool
ui_login_failed(struct ui_login *l, const char *source, uint64_t now_ms)
{
	const struct source *known = source_find(l, source);
	struct source *s = &l->source[0];

	if (known != NULL) {
		s = &l->source[known - l->source];
	} else {
		for (unsigned i = 0; i < SOURCE_MAX && s->n > 0; i++)
			if (l->source[i].n == 0 ||
			    l->source[i].from_ms < s->from_ms)
				s = &l->source[i];
		memset(s, 0, sizeof(*s));
		str_copy(s->name, sizeof(s->name), source);
	}
	if (s->n == 0 || now_ms - s->from_ms >= UI_FAIL_MS) {
		s->n = 0;
		s->from_ms = now_ms;
	}
	return ++s->n > UI_FAIL_MAX;
}

int
ui_login_new(struct ui_login **out)
{
	struct ui_login *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return ERR_NOMEM;
	l->next_id = 1;
	*out = l;
	return 0;
}

void
ui_login_free(struct ui_login *l)
{
	if (l != NULL)
		wipe(l, sizeof(*l));
	free(l);
}
