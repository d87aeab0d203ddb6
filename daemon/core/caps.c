/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/caps.c - the rights of the supervisor once everything is open.
 */
#include "daemon/core/caps.h"
#include <sys/capability.h>
#include <sys/prctl.h>
#include "daemon/base/err.h"

int
caps_keep_few(void)
{
	static const cap_value_t keep[] = {
		CAP_SETUID, CAP_SETGID, CAP_SETPCAP, CAP_NET_ADMIN, CAP_KILL,
		CAP_DAC_READ_SEARCH, CAP_IPC_LOCK, CAP_SYS_RESOURCE,
	};
	cap_t cap = cap_init(), now = cap_get_proc();
	int err = 0;

	if (cap == NULL || now == NULL)
		err = ERR_NOMEM;
	for (unsigned i = 0; err == 0 && i < N_OF(keep); i++) {
		cap_flag_value_t has = CAP_CLEAR;

		(void)cap_get_flag(now, keep[i], CAP_PERMITTED, &has);
		if (has != CAP_SET)
			continue;
		if (cap_set_flag(cap, CAP_PERMITTED, 1, &keep[i], CAP_SET) != 0 ||
		    cap_set_flag(cap, CAP_EFFECTIVE, 1, &keep[i], CAP_SET) != 0)
			err = ERR_SYS;
	}
	/* The bounding set limits what an exec'd role can get back as root. */
	for (int c = 0; err == 0 && c <= CAP_LAST_CAP; c++) {
		cap_flag_value_t has = CAP_CLEAR;

		(void)cap_get_flag(cap, c, CAP_PERMITTED, &has);
		if (has != CAP_SET && cap_get_bound(c) == 1 &&
		    cap_drop_bound(c) != 0)
			err = ERR_SYS;
	}
	if (err == 0 && cap_set_proc(cap) != 0)
		err = ERR_SYS;
	if (err == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		err = ERR_SYS;
	cap_free(cap);
	cap_free(now);
	return err;
}
