/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/ipc/confine_landlock.c - Landlock by its three system calls.
 *
 * The C library has no functions for it and the headers of the build machine
 * may be older than the kernel it runs on, so structs and bits stand here.
 *
 * Thread: before other threads start (a domain belongs to a thread).
 */
#include "daemon/ipc/confine.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/log.h"

#define WHO "confine"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule	    445
#define SYS_landlock_restrict_self  446
#endif
#define CREATE_VERSION	  1u
#define RULE_PATH_BENEATH 1
#define FS_WRITE	  (UINT64_C(1) << 1)
#define FS_READ		  (UINT64_C(1) << 2)
#define FS_READ_DIR	  (UINT64_C(1) << 3)
#define FS_REMOVE_FILE	  (UINT64_C(1) << 5)
#define FS_MAKE_REG	  (UINT64_C(1) << 8)
#define FS_TRUNCATE	  (UINT64_C(1) << 14)
#define FS_IOCTL_DEV	  (UINT64_C(1) << 15)
#define NET_TCP_ALL	  UINT64_C(3)	/* bind, connect */
#define SCOPE_ALL	  UINT64_C(3)	/* abstract sockets, signals */

struct ruleset_attr {
	uint64_t fs, net, scoped;
};
struct path_attr {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

/* File rights that exist in an ABI version. */
static uint64_t
fs_all(long abi)
{
	if (abi >= 5)
		return 0xffff;		/* ioctl on devices */
	if (abi >= 3)
		return 0x7fff;		/* truncate */
	if (abi >= 2)
		return 0x3fff;		/* refer */
	return 0x1fff;
}

static int
rule_add(int set, const struct confine_path *p, uint64_t fs)
{
	struct path_attr pa;
	struct stat st;
	long rc;

	memset(&pa, 0, sizeof(pa));
	pa.parent_fd = open(p->path, O_PATH | O_CLOEXEC);
	if (pa.parent_fd < 0)
		return 0;		/* not there: nothing to permit */
	pa.allowed = FS_READ;
	if (p->is_write)
		pa.allowed |= FS_WRITE;
	if (p->is_write && fstat(pa.parent_fd, &st) == 0 && S_ISDIR(st.st_mode))
		pa.allowed |= FS_READ_DIR | FS_REMOVE_FILE | FS_MAKE_REG |
		    FS_TRUNCATE;
	if (fstat(pa.parent_fd, &st) == 0 && S_ISCHR(st.st_mode))
		pa.allowed |= FS_IOCTL_DEV;
	pa.allowed &= fs;
	rc = syscall(SYS_landlock_add_rule, set, RULE_PATH_BENEATH, &pa, 0);
	close(pa.parent_fd);
	return rc == 0 ? 0 : ERR_SYS;
}

int
confine_landlock(const struct confine_path *keep, unsigned n, uint32_t *feat)
{
	struct ruleset_attr ra;
	size_t size = sizeof(ra.fs);
	long abi, set;
	int err = 0;

	abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);
	if (abi < 1)
		return 0;		/* absent, or switched off at boot */
	memset(&ra, 0, sizeof(ra));
	ra.fs = fs_all(abi);
	if (abi >= 4) {
		ra.net = NET_TCP_ALL;
		size = sizeof(ra.fs) + sizeof(ra.net);
	}
	if (abi >= 6) {
		ra.scoped = SCOPE_ALL;
		size = sizeof(ra);
	}
	if ((set = syscall(SYS_landlock_create_ruleset, &ra, size, 0)) < 0) {
		log_error(WHO, "landlock: no rule set: %s", strerror(errno));
		return ERR_SYS;
	}
	for (unsigned i = 0; i < n && err == 0; i++)
		err = rule_add((int)set, &keep[i], ra.fs);
	if (err == 0 && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    syscall(SYS_landlock_restrict_self, (int)set, 0) != 0))
		err = ERR_SYS;
	if (err != 0)
		log_error(WHO, "landlock: rules refused: %s", strerror(errno));
	close((int)set);
	if (err != 0)
		return err;
	*feat |= CONFINE_F_LANDLOCK;
	if (abi >= 6)
		*feat |= CONFINE_F_LANDLOCK_IPC;
	return 0;
}

int
confine_landlock_none(uint32_t *feat)
{
	return confine_landlock(NULL, 0, feat);
}
