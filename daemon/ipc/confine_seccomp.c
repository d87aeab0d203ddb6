/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/ipc/confine_seccomp.c - the system call filter and its proof.
 *
 * Two filters from the same list.  The first lets everything else fail with
 * EPERM, so that the self-test can try forbidden actions and live; the second
 * kills.  The kernel runs both and takes the stricter answer; calls that are
 * permitted without conditions cost nothing (the kernel keeps them in a
 * bitmap).
 *
 * Thread: any; the filters apply to all threads.
 */
#include "daemon/ipc/confine.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/log.h"

#define WHO "confine"

const enum confine_probe confine_probe_all[CONFINE_P_END] = {
	CONFINE_P_OPEN, CONFINE_P_INET, CONFINE_P_PACKET, CONFINE_P_FORK,
	CONFINE_P_EXEC, CONFINE_P_PTRACE, CONFINE_P_SETUID, CONFINE_P_UNSHARE,
	CONFINE_P_MOUNT, CONFINE_P_KILL, CONFINE_P_BPF, CONFINE_P_KEYCTL,
};

/* ---- filter ------------------------------------------------------------------ */

static int
rule_add(scmp_filter_ctx ctx, const char *call, const struct confine_arg *a)
{
	int nr = seccomp_syscall_resolve_name(call);
	struct scmp_arg_cmp cmp;
	int rc;

	if (nr < 0)
		return 0;		/* not a call of this machine */
	if (a == NULL)
		return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 0);
	memset(&cmp, 0, sizeof(cmp));
	cmp.arg = a->arg;
	cmp.op = SCMP_CMP_MASKED_EQ;
	cmp.datum_a = a->mask;
	cmp.datum_b = a->value;
	rc = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, nr, 1, &cmp);
	return rc;
}

/* NULL when it cannot be built. */
static scmp_filter_ctx
filter_build(const struct confine_filter *f, uint32_t otherwise, bool is_last)
{
	/* Loading the second filter must be possible under the first. */
	static const char *const load[] = { "seccomp", "prctl" };
	scmp_filter_ctx ctx = seccomp_init(otherwise);
	int rc;

	if (ctx == NULL)
		return NULL;
	rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (rc == 0)
		rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
		    SCMP_ACT_KILL_PROCESS);
	/* A binary tree instead of a list; harmless where it is missing. */
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (unsigned i = 0; i < f->n_call && rc == 0; i++)
		rc = rule_add(ctx, f->calls[i], NULL);
	for (unsigned i = 0; i < f->n_arg && rc == 0; i++)
		rc = rule_add(ctx, f->args[i].call, &f->args[i]);
	for (unsigned i = 0; i < N_OF(load) && rc == 0 && !is_last; i++)
		rc = rule_add(ctx, load[i], NULL);
	if (rc == 0)
		return ctx;
	log_error(WHO, "%s: system call filter: %s", f->who, strerror(-rc));
	seccomp_release(ctx);
	return NULL;
}

static int
filter_load(scmp_filter_ctx ctx, const char *who)
{
	int rc = seccomp_load(ctx);

	seccomp_release(ctx);
	if (rc == 0)
		return 0;
	log_error(WHO, "%s: system call filter refused: %s: the kernel needs "
	    "CONFIG_SECCOMP_FILTER", who, strerror(-rc));
	return ERR_SYS;
}

/* ---- self-test --------------------------------------------------------------- */

/* Each is chosen so that it does no harm should it succeed, and so that without
 * a filter it would not fail with EPERM by accident.  Negative: refused. */
static long
probe_try(enum confine_probe p)
{
	static char *const no_args[] = { NULL };
	long rc;

	switch (p) {
	case CONFINE_P_OPEN:
		return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	case CONFINE_P_INET:
		return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	case CONFINE_P_PACKET:
		return socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, ETH_P_ALL);
	case CONFINE_P_FORK:
		rc = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
		if (rc == 0)
			_exit(0);
		return rc;
	case CONFINE_P_EXEC:
		return execve("", no_args, no_args);
	case CONFINE_P_PTRACE:
		return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	case CONFINE_P_SETUID:
		return syscall(SYS_setresuid, 0, 0, 0);
	case CONFINE_P_UNSHARE:
		return unshare(CLONE_NEWUSER);
	case CONFINE_P_MOUNT:
		return mount("", "", "", MS_REMOUNT, NULL);
	case CONFINE_P_KILL:
		return kill(1, 0);
	case CONFINE_P_BPF:
		return syscall(SYS_bpf, 0, NULL, 0);
	case CONFINE_P_KEYCTL:
		return syscall(SYS_keyctl, 0, -3, 0);
	case CONFINE_P_END:
		break;
	}
	errno = EPERM;
	return -1;
}

static const char *const probe_names[CONFINE_P_END] = {
	"reading /etc/passwd", "opening an internet socket",
	"opening a packet socket", "starting a process",
	"running a program", "being traced", "becoming root",
	"making a user namespace", "mounting", "signalling init",
	"loading a BPF program", "using keyrings"
};

int
confine_selftest(const char *who, const enum confine_probe *probes,
		 unsigned n_probe)
{
	for (unsigned i = 0; i < n_probe; i++) {
		/* Any other error means the attempt got past the fence. */
		if (probe_try(probes[i]) < 0 &&
		    (errno == EPERM || errno == EACCES))
			continue;
		log_error(WHO, "%s: self-test: %s is not refused: not started",
		    who, probe_names[probes[i]]);
		return ERR_PERM;
	}
	return 0;
}

/* ---- public ------------------------------------------------------------------ */

int
confine_seccomp(const struct confine_filter *f,
		const enum confine_probe *probes, unsigned n_probe,
		uint32_t *feat)
{
#ifdef TAPIR_DEBUG
	/* Sanitizers make calls of their own at any time: refuse, do not kill. */
	const uint32_t otherwise = SCMP_ACT_ERRNO(EPERM);
#else
	const uint32_t otherwise = SCMP_ACT_KILL_PROCESS;
#endif
	scmp_filter_ctx first, last;
	int err;

	if ((first = filter_build(f, SCMP_ACT_ERRNO(EPERM), false)) == NULL)
		return ERR_SYS;
	if ((last = filter_build(f, otherwise, true)) == NULL) {
		seccomp_release(first);
		return ERR_SYS;
	}
	if ((err = filter_load(first, f->who)) != 0 ||
	    (err = confine_selftest(f->who, probes, n_probe)) != 0) {
		seccomp_release(last);
		return err;
	}
	*feat |= CONFINE_F_TESTED;
	if ((err = filter_load(last, f->who)) != 0)
		return err;
	if (otherwise == SCMP_ACT_KILL_PROCESS)
		*feat |= CONFINE_F_SECCOMP;
	return 0;
}
