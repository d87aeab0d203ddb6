/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/nest.h - a process that waits in an empty network namespace and
 * starts programs there, as children of its parent.
 *
 * Thread: the only one of the supervisor.
 */
#ifndef TAPIR_CORE_NEST_H
#define TAPIR_CORE_NEST_H

#include <stddef.h>
#include <sys/types.h>
#include "daemon/base/base.h"

#define NEST_ARG_MAX  48	/* arguments of a program */
#define NEST_TEXT_MAX 8192	/* all of them together, with NULs */
#define NEST_FD_MAX   16	/* descriptors it gets */

/* A program to be started; "@0" stands for the first descriptor. */
struct nest_cmd {
	char text[NEST_TEXT_MAX];
	size_t used;
	unsigned n_arg, n_fd;
	int fd[NEST_FD_MAX];
	bool is_taken[NEST_FD_MAX];	/* closed once it was sent */
};

void nest_cmd_init(struct nest_cmd *c, const char *path);
void nest_arg(struct nest_cmd *c, const char *fmt, ...) PRINTF(2, 3);
/** "--name=N" with the descriptor's number there; fd -1: nothing. */
void nest_fd(struct nest_cmd *c, const char *name, int fd, bool is_taken);
void nest_fd_drop(int fd);

/** Fork it; it has the rights of the moment for as long as it takes to make the
 * namespace.  @return its channel, or -1. */
int nest_make(pid_t *pid);
/** Start a program.  @return its pid, our child; 0 when that failed. */
pid_t nest_start(int nest, struct nest_cmd *c);
/** Send one byte with a descriptor (taken). */
void nest_word(int sock, char word, int fd);

#endif
