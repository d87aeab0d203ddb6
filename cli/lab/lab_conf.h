/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/lab/lab_conf.h - configurations of the lab's gateways.
 */
#ifndef TAPIR_CLI_LAB_LAB_CONF_H
#define TAPIR_CLI_LAB_LAB_CONF_H

#include "daemon/base/base.h"

#define LAB_PSK_HEX 65 /* 32 random bytes as hex, with NUL */

/** Write a file with mode 0600; 0 or ERR_SYS. */
MUST_USE int lab_write(const char *dir, const char *name, const char *text);
/** tapir.xml and keys/ of gw-a (is_a) or gw-b below dir. */
MUST_USE int lab_conf_tapir(const char *dir, unsigned flags, bool is_a,
			    const char *psk);
/** strongSwan's files of gw-b below dir. */
MUST_USE int lab_conf_strongswan(const char *dir, const char *psk);

#endif
