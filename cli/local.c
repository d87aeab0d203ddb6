/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/local.c - one question over a socket of the run directory.
 */
#include "cli/local.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "daemon/base/err.h"

#define ANSWER_MS 5000

static int
way_open(const char *run_dir, const char *name, int *out)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd, n;

	n = snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/%s", run_dir, name);
	if (n < 0 || (size_t)n >= sizeof(sa.sun_path))
		return ERR_LONG;
	if ((fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) < 0)
		return ERR_SYS;
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0) {
		*out = fd;
		return 0;
	}
	n = errno;
	close(fd);
	if (n == ENOENT || n == ECONNREFUSED || n == ENOTDIR)
		return ERR_NOTFOUND;
	return n == EACCES || n == EPERM ? ERR_PERM : ERR_SYS;
}

static int
answer_read(int fd, void *out, size_t cap)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;
	int ready;

	do
		ready = poll(&p, 1, ANSWER_MS);
	while (ready < 0 && errno == EINTR);
	if (ready <= 0)
		return ready == 0 ? ERR_TIMEOUT : ERR_SYS;
	n = recv(fd, out, cap, 0);
	return n <= 0 ? ERR_CLOSED : (int)n;
}

int
local_ask(const char *run_dir, const char *name, const void *q, size_t len,
	  void *out, size_t cap)
{
	int fd, err;

	if ((err = way_open(run_dir, name, &fd)) != 0)
		return err;
	if (send(fd, q, len, MSG_NOSIGNAL) != (ssize_t)len)
		err = ERR_CLOSED;
	else
		err = answer_read(fd, out, cap);
	close(fd);
	return err;
}
