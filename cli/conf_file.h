/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/conf_file.h - the files of a configuration as tapir changes them.
 */
#ifndef TAPIR_CLI_CONF_FILE_H
#define TAPIR_CLI_CONF_FILE_H

#include "cli/cli.h"
#include "conf/conf.h"
#include "conf/replace.h"

/**
 * tapir set for another command: a failure is told to the user, success is not.
 * What tapir check would refuse is not written.
 *
 * @param value NULL: take it out.
 * @return CLI_OK or the exit status.
 */
MUST_USE int conf_file_set(struct cli *c, const char *config, const char *path,
			   const char *value);

#endif
