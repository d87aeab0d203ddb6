/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/eap/typed.c - passwords that people typed.
 *
 * Thread: the only one.
 */
#include "secure-proc/eap/typed.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/secret.h"

struct word {
	uint8_t *bytes;		/* secret memory; NULL = none */
	size_t len;
	uint64_t until_ms;	/* clk_ms() */
	bool is_once;
	uint32_t serial;	/* never 0 */
};

struct sec_typed {
	uint32_t n_realm, last_serial;
	struct word word[];
};

/* One for a single login waits for that no longer than this. */
#define ONCE_MS UINT64_C(300000) /* ours */

static void
forget(struct word *w)
{
	secret_free(w->bytes);
	memset(w, 0, sizeof(*w));
}

int
sec_typed_new(struct sec_typed **out, uint32_t n_realm)
{
	struct sec_typed *t;

	t = calloc(1, sizeof(*t) + n_realm * sizeof(t->word[0]));
	if (t == NULL)
		return ERR_NOMEM;
	t->n_realm = n_realm;
	*out = t;
	return 0;
}

void
sec_typed_free(struct sec_typed *t)
{
	if (t == NULL)
		return;
	for (uint32_t i = 0; i < t->n_realm; i++)
		forget(&t->word[i]);
	free(t);
}

int
sec_typed_put(struct sec_typed *t, uint32_t realm, struct view word,
	      uint32_t keep_s, uint64_t now_ms)
{
	uint8_t *bytes;

	if (realm >= t->n_realm || word.len == 0)
		return ERR_RANGE;
	if (word.len > SEC_TYPED_MAX)
		return ERR_LONG;
	if ((bytes = secret_alloc(word.len)) == NULL)
		return ERR_NOMEM;
	memcpy(bytes, word.p, word.len);
	forget(&t->word[realm]);
	if (++t->last_serial == 0)
		t->last_serial = 1;
	t->word[realm] = (struct word){
		.serial = t->last_serial,
		.bytes = bytes, .len = word.len, .is_once = keep_s == 0,
		.until_ms = now_ms + (keep_s == 0 ? ONCE_MS :
				      (uint64_t)keep_s * 1000),
	};
	return 0;
}

struct view
sec_typed_get(struct sec_typed *t, uint32_t realm, uint64_t now_ms,
	      uint32_t *serial)
{
	*serial = 0;
	sec_typed_tick(t, now_ms);
	if (realm >= t->n_realm)
		return (struct view){ NULL, 0 };
	*serial = t->word[realm].serial;
	return (struct view){ t->word[realm].bytes, t->word[realm].len };
}

void
sec_typed_used(struct sec_typed *t, uint32_t realm, uint32_t serial,
	       bool is_right)
{
	if (realm < t->n_realm && t->word[realm].serial == serial &&
	    (!is_right || t->word[realm].is_once))
		forget(&t->word[realm]);
}

uint64_t
sec_typed_due(const struct sec_typed *t)
{
	uint64_t first = 0;

	for (uint32_t i = 0; i < t->n_realm; i++)
		if (t->word[i].bytes != NULL && (first == 0 ||
		    t->word[i].until_ms < first))
			first = t->word[i].until_ms;
	return first;
}

void
sec_typed_tick(struct sec_typed *t, uint64_t now_ms)
{
	for (uint32_t i = 0; i < t->n_realm; i++)
		if (t->word[i].bytes != NULL && t->word[i].until_ms <= now_ms)
			forget(&t->word[i]);
}
