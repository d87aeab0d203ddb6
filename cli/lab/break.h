/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/lab/break.h - faults for a running lab, one at a time.
 */
#ifndef TAPIR_CLI_LAB_BREAK_H
#define TAPIR_CLI_LAB_BREAK_H

#include "cli/lab/lab.h"

/* A fault as the user sees it. */
struct lab_fault_info {
	const char *name, *line;
	const char *node;	/* where tapir why names it */
	const char *peer;	/* ... of this peer */
	const char *code;	/* ... so */
	const char *there;	/* what it says at the other end; NULL: no
				 * matter */
	bool is_slow;		/* it takes more than some seconds to show */
};
/** Row i of the table; false behind the last. */
bool lab_fault_at(unsigned i, struct lab_fault_info *out);
/** Can this lab be broken so? */
bool lab_fault_fits(unsigned i, const struct lab *l);

/** Mend, then put the fault in.  0, ERR_NOTFOUND (no such fault), ERR_STATE (not
 * with this kind of lab), or another with l->why. */
MUST_USE int lab_break(struct lab *l, const char *name);
/** As it was built, up again soon.  0 or an error with l->why. */
MUST_USE int lab_mend(struct lab *l);

#endif
