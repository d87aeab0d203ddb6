/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/replace.h - the files of a configuration as they are changed.
 */
#ifndef TAPIR_CONF_REPLACE_H
#define TAPIR_CONF_REPLACE_H

#include <stddef.h>
#include "daemon/base/base.h"

/**
 * Put a file in place of another, or none, at once: a reader sees the old or the
 * new one, also after a crash.  Mode and owner stay as they were.
 *
 * @param mode of a file that was not there.
 * @return 0 or ERR_SYS with errno.
 */
MUST_USE int conf_file_replace(const char *path, const char *text, size_t len,
			       unsigned mode);

#endif
