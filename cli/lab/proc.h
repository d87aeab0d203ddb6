/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/lab/proc.h - run other programs: no shell, bounded time, own namespaces.
 *
 * Arguments are arrays, the environment is a fixed small one, descriptors are
 * closed.  Thread: one (the process must have no others: setns and fork).
 */
#ifndef TAPIR_CLI_LAB_PROC_H
#define TAPIR_CLI_LAB_PROC_H

#include <sys/types.h>
#include "daemon/base/base.h"

#define PROC_OUT_MAX 4096 /* bytes of output kept; ours */
#define PROC_ARG_MAX 32	  /* words of a command; ours */

struct proc {
	const char *const *argv;  /* NULL at the end; argv[0] is looked up in
				   * the system's directories */
	const char *const *env;	  /* added to the small environment, or NULL */
	const char *ns;		  /* network namespace by name, NULL = ours */
	const char *run_dir;	  /* mounted on /run for this program, or NULL */
	const char *log;	  /* proc_start: file for output, or NULL */
	bool is_tied;		  /* proc_start: ends when we end */
	bool is_stubborn;	  /* proc_run: goes on when we are interrupted */
};

/**
 * Run a program to its end, output and errors into out (may be NULL).
 *
 * @param ms  it is killed after this time.
 * @return its exit status (>= 0), ERR_TIMEOUT, ERR_AGAIN (cli_stopped),
 *         ERR_NOTFOUND (no such program) or ERR_SYS.
 */
MUST_USE int proc_run(const struct proc *p, int ms, char *out, size_t cap);

/** Start a program in a session of its own.  0, ERR_NOTFOUND or ERR_SYS. */
MUST_USE int proc_start(const struct proc *p, pid_t *pid);
/** True while a child started by us runs. */
bool proc_is_alive(pid_t pid);
/** TERM, and KILL after ms; waits for a child of ours.  0 is fine as pid. */
void proc_stop(pid_t pid, int ms);

#define PROC_PATH_MAX 4096

/** Where a program of ours is: beside this one, or where it is installed.
 * out: PROC_PATH_MAX bytes.  False: nowhere. */
bool proc_find_ours(const char *name, char *out, size_t cap);
/** True when a program is in the system's directories. */
bool proc_exists(const char *name);

/** Enter a network namespace; the way back in *back.  0 or ERR_SYS. */
MUST_USE int proc_ns_enter(const char *ns, int *back);
void proc_ns_leave(int back);
/** Path of a namespace's file. */
void proc_ns_path(const char *ns, char *out, size_t cap);
/** Send a signal (0: none) to whatever lives in a network namespace, or to those
 * only whose program's name begins so; how many they are. */
unsigned proc_ns_kill(const char *ns, const char *name, int sig);

#endif
