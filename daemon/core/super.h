/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/super.h - the supervisor: opens what needs rights, starts the
 * roles, starts them again when they die, ends them.
 */
#ifndef TAPIR_CORE_SUPER_H
#define TAPIR_CORE_SUPER_H

#include "daemon/core/core.h"

struct super_args {
	const char *conf_path;
	const char *run_dir;
	const char *key_log;		/* file, or NULL */
	const char *state_dir;		/* NULL = by the run directory */
	const char *log_level;		/* NULL = the configuration's */
	const char *fallback;		/* --force-fallback, or NULL */
	const char *web_root;		/* --web-root, or NULL */
	bool is_no_web;
	bool is_foreground;
};

#define EXIT_USAGE 2	/* bad usage or configuration */

/** Run until SIGTERM.  Exit status: 0 clean, 1 failure, 2 configuration. */
int super_main(const struct super_args *a);

#endif
