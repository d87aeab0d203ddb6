/* SPDX-License-Identifier: Apache-2.0 */
/*
 * why/priv.h - what the files of why/ share.
 */
#ifndef TAPIR_WHY_PRIV_H
#define TAPIR_WHY_PRIV_H

#include "why/why.h"

/* What a rule puts into the words of the table: {a} {b} {c}. */
struct why_say {
	enum why_lang lang;
	char a[WHY_SAID_MAX], b[WHY_SAID_MAX], c[WHY_SAID_MAX];
};

/** Does the cause hold?  Fills in what its words need. */
typedef bool why_rule_fn(const struct why_facts *f, struct why_say *s);
/** The function of a rule: rules_link.c, rules_flow.c. */
extern why_rule_fn *const why_link_rule[WHY_RULE_END];
extern why_rule_fn *const why_flow_rule[WHY_RULE_END];

/** Judge a check apart from the rules: what is known of it (checks.c). */
enum why_result why_check_of(const struct why_facts *f, enum why_check c,
			     char detail[WHY_DETAIL_MAX]);

static inline bool
why_is_up(const struct why_facts *f)
{
	return f->state == WHY_UP || f->state == WHY_SUSPECT;
}

#endif
