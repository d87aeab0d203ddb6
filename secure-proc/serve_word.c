/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/serve_word.c - passwords that people type: RUN/password.sock.
 *
 *   tapir up --.
 *              +--> password.sock --> is it root, or the owner? --> eap/typed.c
 *   tapir-web -'    (a connection the supervisor made for it)
 *
 * tapird has no end of it, so it never sees one.
 *
 * Thread: the only one.
 */
#include <string.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "daemon/ipc/prompt.h"
#include "secure-proc/eap/realms.h"
#include "secure-proc/eap/typed.h"
#include "secure-proc/serve_priv.h"

/* ---- what is asked ------------------------------------------------------------ */

bool
sec_word_is_asked(const struct sec_serve *s, uint32_t realm, const char **user)
{
	const struct sec_eap_realm *e = sec_eaps_of(s->c.eap, realm);
	const struct conf_realm *r = sec_realm_at(s, realm);

	if (r == NULL || r->me.eap == NULL || e == NULL || e->is_server ||
	    e->has_cert)
		return false;
	*user = r->me.eap;
	return true;
}

static bool
realm_of(const struct sec_serve *s, const char *name, uint32_t *realm)
{
	for (uint32_t i = 0; i < s->c.conf->n_realm; i++) {
		*realm = i;
		if (strcmp(s->c.conf->realm[i].name, name) == 0)
			return true;
	}
	return false;
}

static enum prompt_verdict
take(struct sec_serve *s, uint32_t realm, const char *word, uint64_t now_ms)
{
	const struct conf_realm *r = sec_realm_at(s, realm);
	struct view v = { (const uint8_t *)word, strlen(word) };
	int err;

	err = sec_typed_put(s->typed, realm, v, r->me.keep_s, now_ms);
	return err == 0 ? PROMPT_KNOWN : PROMPT_FAILED;
}

void
sec_word_answer(struct sec_serve *s, const struct prompt_ask *q, uint64_t now_ms,
		struct prompt_answer *a)
{
	const char *user;
	uint32_t realm;

	*a = (struct prompt_answer){ .id = q->id, .verdict = PROMPT_NONE };
	if (s->typed == NULL || !realm_of(s, q->realm, &realm) ||
	    !sec_word_is_asked(s, realm, &user))
		return;
	(void)str_copy(a->user, sizeof(a->user), user);
	if (q->has_word)
		a->verdict = take(s, realm, q->word, now_ms);
	else
		a->verdict = sec_talk_has_word(s, realm) ? PROMPT_KNOWN :
		    PROMPT_NEEDED;
}

/* ---- who asks ------------------------------------------------------------------ */

static void
say(const struct visit_who *who, const struct prompt_ask *q,
    const struct prompt_answer *a)
{
	if (q->has_word && a->verdict == PROMPT_KNOWN)
		log_notice(WHO, "realm %s: the password of %s was typed, by %s",
			   q->realm, a->user, who->is_super ? "the browser" :
			   who->uid == 0 ? "root" : "the owner");
}

int
sec_word_visit(void *ctx, const struct visit_who *who, const uint8_t *p,
	       size_t len, uint8_t out[VISIT_BYTES_MAX])
{
	struct prompt_answer a;
	struct prompt_ask q;
	int err;

	if ((err = prompt_ask_dec(p, len, &q)) != 0)
		return err;
	sec_word_answer(ctx, &q, clk_ms(), &a);
	say(who, &q, &a);
	wipe(&q, sizeof(q));
	return prompt_answer_enc(&a, out, VISIT_BYTES_MAX);
}
