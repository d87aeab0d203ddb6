/* SPDX-License-Identifier: Apache-2.0 */
/*
 * why/why.c - judge: checks, causes in order, words.
 *
 * Thread: any.
 */
#include "why/why.h"
#include <stdio.h>
#include <string.h>
#include "daemon/base/str.h"
#include "why/priv.h"

static const struct {
	const char *code;
	const char *text[WHY_LANG_END];
} checks[WHY_CHECK_END] = {
#define WHY_CHECK(name_, code_, en_, ja_) { code_, { en_, ja_ } },
#define WHY_RULE(...)
#include "why/why.def"
#undef WHY_CHECK
#undef WHY_RULE
};

#define GRADE_BAD  false
#define GRADE_NOTE true
static const struct why_rule_info rules[WHY_RULE_END] = {
#define WHY_CHECK(...)
#define WHY_RULE(num_, name_, code_, check_, grade_, cause_en_, cure_en_,      \
		 cause_ja_, cure_ja_)                                          \
	{ num_, code_, WHY_C_##check_, GRADE_##grade_,                         \
	  { cause_en_, cause_ja_ }, { cure_en_, cure_ja_ } },
#include "why/why.def"
#undef WHY_CHECK
#undef WHY_RULE
};

enum why_lang
why_lang_of(const char *text)
{
	return strncmp(text, "ja", 2) == 0 &&
	    strchr("_.@-", text[2]) != NULL ? WHY_JA : WHY_EN;
}

const char *
why_result_name(enum why_result r)
{
	static const char *const name[] = {
		"ok", "failed", "warning", "unknown", "not-reached"
	};

	return (unsigned)r < N_OF(name) ? name[r] : "?";
}

const struct why_rule_info *
why_rule_info(enum why_rule r)
{
	return (unsigned)r < WHY_RULE_END ? &rules[r] : NULL;
}

const char *
why_check_code(enum why_check c)
{
	return (unsigned)c < WHY_CHECK_END ? checks[c].code : "?";
}

const char *
why_check_text(enum why_check c, enum why_lang lang)
{
	return (unsigned)c < WHY_CHECK_END ? checks[c].text[lang] : "?";
}

/* ---- comparisons --------------------------------------------------------------- */

/* Next entry of "a, b, c"; false at the end. */
static bool
entry(const char **at, const char **word, size_t *len)
{
	*at += strspn(*at, ", ");
	*word = *at;
	*len = strcspn(*at, ",");
	*at += *len;
	while (*len > 0 && (*word)[*len - 1] == ' ')
		(*len)--;
	return *len > 0;
}

static bool
has(const char *list, const char *word, size_t len)
{
	const char *w;
	size_t n;

	while (entry(&list, &w, &n))
		if (n == len && memcmp(w, word, n) == 0)
			return true;
	return false;
}

bool
why_pair_fits(const struct why_pair *p)
{
	const char *at = p->own, *w;
	size_t len;

	if (p->own[0] == '\0' || p->peer[0] == '\0')
		return true;
	while (entry(&at, &w, &len))
		if (has(p->peer, w, len))
			return true;
	return false;
}

/* ---- words ---------------------------------------------------------------------- */

static const char *
value(const struct why_facts *f, const struct why_say *s, const char *key,
      size_t len)
{
	const struct {
		const char *key, *text;
	} row[] = {
		{ "peer", f->peer }, { "me", f->me }, { "realm", f->realm },
		{ "remote", f->remote[0] != '\0' ? f->remote : f->peer },
		{ "a", s->a }, { "b", s->b }, { "c", s->c },
	};

	for (unsigned i = 0; i < N_OF(row); i++)
		if (strlen(row[i].key) == len &&
		    memcmp(row[i].key, key, len) == 0)
			return row[i].text;
	return NULL;
}

/* Put the words of the table together; texts of others stand for themselves. */
static void
fill(const struct why_facts *f, const struct why_say *s, const char *words,
     char out[WHY_WORDS_MAX])
{
	out[0] = '\0';
	while (*words != '\0') {
		size_t len = strcspn(words, "{"), n;
		const char *text;

		str_add(out, WHY_WORDS_MAX, "%.*s", (int)len, words);
		words += len;
		if (*words == '\0')
			break;
		n = strcspn(words + 1, "}");
		text = value(f, s, words + 1, n);
		str_add(out, WHY_WORDS_MAX, "%s", text != NULL ? text : "?");
		words += n + 2;
	}
}

/* ---- judging -------------------------------------------------------------------- */

static bool
holds(const struct why_facts *f, enum why_rule r, struct why_say *s)
{
	why_rule_fn *fn = why_link_rule[r] != NULL ? why_link_rule[r] :
	    why_flow_rule[r];

	memset(s->a, 0, sizeof(s->a));
	memset(s->b, 0, sizeof(s->b));
	memset(s->c, 0, sizeof(s->c));
	return fn != NULL && fn(f, s);
}

/* A refusal that a better rule explains needs no second sentence. */
static bool
is_said(const struct why_report *out, enum why_rule r)
{
	static const enum why_rule general[] = {
		WHY_R_NOTIFY, WHY_R_OUR_REFUSAL, WHY_R_WAITING, WHY_R_TRYING,
		WHY_R_NO_ANSWER, WHY_R_ROUTE,
	};

	for (unsigned i = 0; i < N_OF(general); i++)
		if (r == general[i] && out->n_cause > 0)
			return true;
	return false;
}

static void
mark(struct why_report *out, const struct why_rule_info *info)
{
	struct why_checked *c = &out->check[info->check];

	if (!info->is_note)
		c->result = WHY_FAILED;
	else if (c->result != WHY_FAILED)
		c->result = WHY_WARNED;
}

/* Behind the first failure of a peer that is not up nothing was tried. */
static void
cut(const struct why_facts *f, struct why_report *out)
{
	bool is_over = false;

	for (unsigned i = 0; i < WHY_CHECK_END && !why_is_up(f); i++) {
		struct why_checked *c = &out->check[i];

		if (is_over && c->result == WHY_UNKNOWN)
			c->result = WHY_NOT_REACHED;
		is_over |= c->result == WHY_FAILED;
	}
}

void
why_judge(const struct why_facts *f, enum why_lang lang,
	  struct why_report *out)
{
	struct why_say s = { .lang = lang };

	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < WHY_CHECK_END; i++)
		out->check[i].result = why_check_of(f, i, out->check[i].detail);
	/* what fails comes before what is only worth knowing */
	for (int note = 0; note < 2; note++)
		for (unsigned r = 0; r < WHY_RULE_END &&
		     out->n_cause < WHY_CAUSE_MAX; r++) {
			struct why_cause *c = &out->cause[out->n_cause];

			if (rules[r].is_note != (note == 1) ||
			    is_said(out, r) || !holds(f, r, &s))
				continue;
			c->rule = r;
			fill(f, &s, rules[r].cause[lang], c->cause);
			fill(f, &s, rules[r].cure[lang], c->cure);
			mark(out, &rules[r]);
			out->n_cause++;
		}
	cut(f, out);
	out->has_pairs = out->n_cause > 0 && f->n_pair > 0 &&
	    (out->cause[0].rule == WHY_R_PROPOSAL ||
	     out->cause[0].rule == WHY_R_GROUP ||
	     out->cause[0].rule == WHY_R_ESP ||
	     out->cause[0].rule == WHY_R_SELECTORS ||
	     out->cause[0].rule == WHY_R_MODE);
}
