/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/prio.c - packets go before other programs on the CPU.
 *
 * The scheduler weighs groups before it weighs threads.  Without a service
 * manager that makes groups, each session is one (sched(7), autogroup), and a
 * nice level counts inside of it alone; so the session's level is raised as well
 * where the session is ours.
 */
#include "daemon/core/prio.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "daemon/base/base.h"
#include "daemon/base/log.h"

#define AUTOGROUP "/proc/self/autogroup"

/* A kernel without groups has no such file; a session that is somebody else's,
 * a shell's say, keeps its level. */
static void
session_raise(unsigned levels)
{
	char text[16];
	int fd, n;

	if (getsid(0) != getpid())
		return;
	fd = open(AUTOGROUP, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = snprintf(text, sizeof(text), "-%u", levels);
	if (write(fd, text, (size_t)n) != n)
		log_info("tapird", "priority of the session: %s",
			 strerror(errno));
	close(fd);
}

void
prio_raise(unsigned levels)
{
	if (levels == 0)
		return;
	if (setpriority(PRIO_PROCESS, 0, -(int)levels) != 0) {
		log_notice("tapird", "packets share the CPU with other programs "
			   "as equals, no right to go before them (%s): more "
			   "delay under load", strerror(errno));
		return;
	}
	session_raise(levels);
}

void
prio_usual(void)
{
	if (getpriority(PRIO_PROCESS, 0) < 0)
		(void)setpriority(PRIO_PROCESS, 0, 0);
}
