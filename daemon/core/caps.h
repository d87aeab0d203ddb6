/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/caps.h - the rights of the supervisor once everything is open.
 */
#ifndef TAPIR_CORE_CAPS_H
#define TAPIR_CORE_CAPS_H

#include "daemon/base/base.h"

/** Keep what starting a role again needs, in the bounding set as well; no new
 * privileges.  0, ERR_NOMEM, ERR_SYS. */
MUST_USE int caps_keep_few(void);

#endif
