/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/role_test.h - what every rule says of somebody, as tapir realm test and the
 * command match of the bus show it.
 *
 * Pure.  Thread: any.
 */
#ifndef TAPIR_CONF_ROLE_TEST_H
#define TAPIR_CONF_ROLE_TEST_H

#include "conf/role.h"

/* An identity that was typed, with what its views point to. */
struct conf_typed {
	struct conf_ident i;
	uint8_t data[CONF_ID_MAX];
	struct conf_rdn rdn[CONF_RDN_MAX];
};
/** 0, or an error: the text is no identity.  out must stay where it is. */
MUST_USE int conf_typed_read(const char *text, struct conf_typed *out);

struct conf_tried {
	struct conf_role role;
	enum conf_fit fit;
	bool is_chosen;		/* this one decides */
};

struct conf_trial {
	int err;		/* of conf_role_pick() */
	struct conf_picked got;
	unsigned n;
	struct conf_tried *row;	/* as they are tried: the most special one first */
};

/** Try every rule.  0 or ERR_NOMEM; conf_trial_fini() it. */
MUST_USE int conf_trial_init(struct conf_trial *t, const struct conf *c,
			     const struct conf_who *w);
void conf_trial_fini(struct conf_trial *t);
/** Stable words: decides fits no other-own needs-eap needs-cert. */
const char *conf_tried_word(const struct conf_tried *r);
/** And of the whole: realm no-peer needs-eap ambiguous none. */
const char *conf_trial_word(const struct conf_trial *t);

#endif
