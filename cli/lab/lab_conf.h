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

/* What a gateway's configuration says otherwise; NULL = as the lab was built. */
struct lab_side {
	const char *realm, *own, *peer, *trust;	/* attributes */
	const char *at, *net, *psk;
	const char *me;		/* of <me>, in place of its id= */
	const char *more;	/* elements of the realm */
	const char *file, *text; /* one more file in keys/ */
	const char *vpn;	/* attributes of <vpn> */
};
/** Write a tapir gateway's files again. */
MUST_USE int lab_conf_again(const char *lab_dir, const char *dir,
			    unsigned flags, bool is_a,
			    const struct lab_side *side);
/* The same of strongSwan: proposals of IKE and ESP, its networks. */
struct lab_swan {
	const char *ike, *esp, *ts;
	bool is_dialling;	/* it connects, not we */
};
MUST_USE int lab_conf_swan_again(const char *lab_dir, const char *dir,
				 const struct lab_swan *swan);

#endif
