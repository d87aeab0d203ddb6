/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/lab/fault.h - the table of faults a lab can have; break.c puts them in.
 */
#ifndef TAPIR_CLI_LAB_FAULT_H
#define TAPIR_CLI_LAB_FAULT_H

#include "cli/lab/break.h"
#include "cli/lab/lab_cert.h"
#include "cli/lab/lab_conf.h"

struct fault {
	struct lab_fault_info info;
	unsigned need, never;		/* flags of the lab */
	struct lab_side a, b;		/* what is otherwise */
	struct lab_swan swan;
	const char *rules_on, *rules;	/* nftables: where, what */
	const char *ip_on[3], *ip[3];	/* node (NULL: here) and words */
	const char *undo_on, *undo;
	enum lab_cert cert;		/* both by certificate; gw-b's is so */
	bool is_late;			/* filters once it is up */
	bool is_alone;			/* gw-b does not run */
	bool has_ping;			/* host-b asks for host-a meanwhile */
	bool asks_nobody;		/* ... and for one that is not there */
	char twin;			/* 'a' or 'b': that gateway once more,
					 * in the node inet */
	bool is_killed;			/* gw-b, once it is up; it comes again */
	const char *cmd_on[3], *cmd[3];	/* tapir, at last: node, words */
	bool is_keyless;		/* gw-a loses keys/, and its secure
					 * process */
};

extern const struct fault lab_faults[];
extern const unsigned lab_n_fault;

#endif
