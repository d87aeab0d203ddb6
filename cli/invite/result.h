/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/invite/result.h - where an invitation or a profile goes: a new file of its
 * own, closed to others; standard output; or memory, to be fetched by a link.
 *
 * Thread: one.
 */
#ifndef TAPIR_CLI_RESULT_H
#define TAPIR_CLI_RESULT_H

#include <limits.h>
#include "cli/cli.h"

struct result {
	char to[PATH_MAX];	/* the file; "-" is c->out */
	const char *link;	/* "HOST:PORT", or NULL: no link */
	const char *type;	/* for browsers */
	bool is_sealed;		/* the link has its key */
	FILE *f;		/* write here */
	char *text;
	size_t len;
};

/** Begin: r->f.  CLI_OK, or the exit status after the failure was told. */
MUST_USE int result_open(struct cli *c, struct result *r);
/**
 * It is written: tell where it is, or wait until it was fetched.
 *
 * @param pass the passphrase of what is in it, or NULL.
 */
MUST_USE int result_close(struct cli *c, struct result *r, const char *pass);
/** It is not to be. */
void result_drop(struct cli *c, struct result *r);

#endif
