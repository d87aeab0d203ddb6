/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/web.h - the accounts of the browser interface: tapir web user.
 *
 * Thread: one.
 */
#ifndef TAPIR_CLI_WEB_H
#define TAPIR_CLI_WEB_H

#include "cli/cli.h"

#define WEB_KEYS "/etc/tapir/keys"

struct web_opts {
	const char *dir;	/* of keys */
	const char *role;	/* "" = not given */
	const char *pass_file;	/* NULL: ask */
	bool is_totp;
};

/** argv: add NAME, set NAME, del NAME, list.  @return enum cli_status. */
int web_user(struct cli *c, const struct web_opts *o, int argc, char **argv);

#endif
