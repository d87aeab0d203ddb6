/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/notify.c - what the supervisor tells a service manager.
 */
#include "daemon/core/notify.h"
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/log.h"

#define NOTIFY_TEXT_MAX 512

/* A whole positive number, or 0. */
static uint64_t
number(const char *text)
{
	char *end;
	unsigned long long v;

	if (text == NULL || *text < '0' || *text > '9')
		return 0;
	errno = 0;
	v = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' ? v : 0;
}

static int
connect_to(const char *name)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t len = strlen(name);
	socklen_t sa_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	int fd;

	if ((name[0] != '/' && name[0] != '@') || len < 2 ||
	    len >= sizeof(sa.sun_path)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(sa.sun_path, name, len);
	if (name[0] == '@')
		sa.sun_path[0] = '\0';
	else
		sa_len++;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sa_len) != 0) {
		int err = errno;

		close(fd);
		errno = err;
		fd = -1;
	}
	return fd;
}

void
notify_open(struct notify *n)
{
	const char *name = getenv("NOTIFY_SOCKET");
	const char *pid = getenv("WATCHDOG_PID");
	uint64_t usec = number(getenv("WATCHDOG_USEC"));

	*n = (struct notify){ .fd = -1 };
	if (name != NULL && (n->fd = connect_to(name)) < 0)
		log_warn("tapird", "cannot reach the service manager at %s: %s",
			 name, strerror(errno));
	/* twice in the time that is given */
	if (n->fd >= 0 && (pid == NULL || number(pid) == (uint64_t)getpid()))
		n->every_ms = usec == 0 ? 0 : MAX(usec / 2000, 1u);
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
}

void
notify_say(const struct notify *n, const char *fmt, ...)
{
	char text[NOTIFY_TEXT_MAX];
	va_list ap;
	int len;

	if (n->fd < 0)
		return;
	va_start(ap, fmt);
	len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (len > 0)
		(void)!send(n->fd, text, MIN((size_t)len, sizeof(text) - 1),
			    MSG_NOSIGNAL | MSG_DONTWAIT);
}

uint64_t
notify_alive(struct notify *n)
{
	uint64_t now = clk_ms();

	if (n->every_ms == 0)
		return UINT64_MAX;
	if (n->due_ms <= now) {
		notify_say(n, "WATCHDOG=1");
		n->due_ms = now + n->every_ms;
	}
	return n->due_ms - now;
}

void
notify_close(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}
