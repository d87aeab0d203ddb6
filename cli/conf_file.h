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
 * The configuration as it is; key files are not looked at.
 *
 * @param out conf_free() it.
 * @return CLI_OK, or the exit status after the failure was told.
 */
MUST_USE int conf_file_open(struct cli *c, const char *config, struct conf **out);
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
