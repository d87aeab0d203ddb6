/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/ipc/confine.h - how a process gives up what it does not need.
 *
 * Order: confine_common, confine_fds, confine_drop, confine_landlock,
 * confine_seccomp (which runs the self-test between its two steps).
 *
 *   step 1   allow-list; everything else fails with EPERM
 *   test     forbidden actions are tried; one that succeeds ends the start
 *   step 2   the same list again; everything else kills the process
 *
 * What the kernel does not offer is logged once and missing from the features.
 *
 * Thread: the only thread, or with confine_seccomp (TSYNC) any.
 */
#ifndef TAPIR_IPC_CONFINE_H
#define TAPIR_IPC_CONFINE_H

#include "daemon/base/base.h"
#include <sys/types.h>

/* Features reached; travel in HELLO_OK and are shown in status. */
#define CONFINE_F_UID	      0x0001u /* an own user and group */
#define CONFINE_F_CAPS	      0x0002u /* only the capabilities asked for, locked */
#define CONFINE_F_NNP	      0x0004u /* no new privileges */
#define CONFINE_F_SECCOMP     0x0008u /* system call filter, kill */
#define CONFINE_F_LANDLOCK    0x0010u /* file access */
#define CONFINE_F_LANDLOCK_IPC 0x0020u /* signals and abstract sockets as well */
#define CONFINE_F_LOCKED      0x0040u /* secrets are locked in memory */
#define CONFINE_F_MDWE	      0x0080u /* no memory both writable and executable */
#define CONFINE_F_NODUMP      0x0100u /* no core, no ptrace by the same user */
#define CONFINE_F_TESTED      0x0200u /* the self-test was passed */
#define CONFINE_F_ALL	      0x03ffu

struct confine_user {
	uid_t uid;
	gid_t gid;
	gid_t also_gid;		/* one more group; 0 = none */
	bool is_rootless;	/* one uid: keep it, drop the rest */
	uint64_t keep_caps;	/* bit mask of CAP_*: permitted and effective */
};

/* A system call with one more condition on an argument: (arg & mask) == value.
 * Several rows of one call are alternatives. */
struct confine_arg {
	const char *call;
	unsigned arg;		/* 0..5 */
	uint64_t mask, value;
};
struct confine_filter {
	const char *who;		/* for the log */
	const char *const *calls;	/* names; unknown ones are skipped, so a
					 * list may name calls of other machines */
	unsigned n_call;
	const struct confine_arg *args;
	unsigned n_arg;
};

/* Forbidden actions of the self-test. */
enum confine_probe {
	CONFINE_P_OPEN,		/* read /etc/passwd */
	CONFINE_P_INET,		/* socket(AF_INET, SOCK_DGRAM) */
	CONFINE_P_PACKET,	/* socket(AF_PACKET, SOCK_RAW) */
	CONFINE_P_FORK,
	CONFINE_P_EXEC,
	CONFINE_P_PTRACE,
	CONFINE_P_SETUID,	/* become root */
	CONFINE_P_UNSHARE,	/* a user namespace */
	CONFINE_P_MOUNT,
	CONFINE_P_KILL,		/* signal init */
	CONFINE_P_BPF,
	CONFINE_P_KEYCTL,
	CONFINE_P_END
};

/** Every one of them, CONFINE_P_END: for roles that may do nothing of it. */
extern const enum confine_probe confine_probe_all[CONFINE_P_END];

/* A file that stays within reach under Landlock. */
struct confine_path {
	const char *path;
	bool is_write;		/* of a directory: files may be made in it and
				 * removed, too */
};

/** RLIMIT_CORE 0, not dumpable, umask 077, no writable executable memory.
 * 0 or ERR_SYS. */
MUST_USE int confine_common(uint32_t *feat);
/** Close every descriptor but 0, 1, 2 and keep[].  0 or ERR_SYS. */
MUST_USE int confine_fds(const int *keep, unsigned n);
/**
 * Supplementary groups, gid, uid; then only keep_caps in permitted and
 * effective, nothing in inheritable, ambient and bounding; securebits locked;
 * no_new_privs.  Sets not-dumpable again, as changing the uid resets it.
 * 0, ERR_PERM or ERR_SYS.
 */
MUST_USE int confine_drop(const struct confine_user *u, uint32_t *feat);
/** Give up the last capabilities (main, once its sockets are open).
 * 0 or ERR_SYS. */
MUST_USE int confine_no_caps(void);
/** Landlock: nothing but these files; n = 0: no file at all.  Missing in the
 * kernel is not an error.  0 or ERR_SYS. */
MUST_USE int confine_landlock(const struct confine_path *keep, unsigned n,
			      uint32_t *feat);
/** As confine_landlock(NULL, 0, feat). */
MUST_USE int confine_landlock_none(uint32_t *feat);
/**
 * Both filters, with the self-test between them; all threads (TSYNC).
 *
 * @param probes actions that must fail; an action the role may do (secure opens
 *               files) is left out of its list.
 * @return 0, ERR_PERM (a forbidden action succeeded; logged) or ERR_SYS.
 */
MUST_USE int confine_seccomp(const struct confine_filter *f,
			     const enum confine_probe *probes, unsigned n_probe,
			     uint32_t *feat);
/** For who opens nothing any more: confine_landlock_none(), then confine_seccomp() with
 * every probe.  Their errors. */
MUST_USE int confine_shut(const struct confine_filter *f, uint32_t *feat);
/** Only the probes.  0 or ERR_PERM, logged. */
MUST_USE int confine_selftest(const char *who, const enum confine_probe *probes,
			      unsigned n_probe);
/** Log one line that names what is missing in feat, at notice level, or that
 * nothing is. */
void confine_report(const char *who, uint32_t feat);
/** "uid caps no-new-privs seccomp ..." of a feature mask; returns out. */
const char *confine_text(uint32_t feat, char *out, size_t cap);

#endif
