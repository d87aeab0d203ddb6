/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/clock/shift.c - a clock of the machine that a test sets, for programs that
 * are linked with --wrap=clock_gettime.
 *
 * TAPIR_TEST_CLOCK names a file of 8 bytes: how far it is off, seconds, signed, of
 * this machine's order.  It is mapped before main(), so that every process of the
 * program sees a change at once, whatever it may open later.  The programs that are
 * installed have none of this.
 *
 * Thread: any.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "daemon/base/base.h"

int __real_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_clock_gettime(clockid_t id, struct timespec *ts);

static _Atomic int64_t *off_s;		/* only read */

__attribute__((constructor)) static void
shift_map(void)
{
	const char *path = getenv("TAPIR_TEST_CLOCK");
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *p = MAP_FAILED;

	if (fd >= 0) {
		p = mmap(NULL, sizeof(*off_s), PROT_READ, MAP_SHARED, fd, 0);
		close(fd);
	}
	if (p == MAP_FAILED) {
		perror("TAPIR_TEST_CLOCK");
		abort();
	}
	off_s = p;
}

int
__wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	int rc = __real_clock_gettime(id, ts);

	if (rc == 0 && id == CLOCK_REALTIME)
		ts->tv_sec += (time_t)atomic_load(off_s);
	return rc;
}
