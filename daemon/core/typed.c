/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/typed.c - the supervisor's part of typed passwords.
 */
#include "daemon/core/typed.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "daemon/base/log.h"
#include "daemon/base/str.h"
#include "daemon/core/sock.h"
#include "daemon/ipc/prompt.h"

#define WHO "tapird"

void
typed_listen(struct super *s)
{
	s->typed_fd = sock_private(s->args->run_dir, PROMPT_SOCKET,
				   s->typed_path, sizeof(s->typed_path),
				   "passwords cannot be typed");
}

int
typed_connect(const struct super *s)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd;

	if (s->typed_fd < 0 ||
	    !str_copy(a.sun_path, sizeof(a.sun_path), s->typed_path))
		return -1;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	log_warn(WHO, "%s: %s: passwords cannot be typed in the browser",
		 s->typed_path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

void
typed_end(struct super *s)
{
	if (s->typed_fd < 0)
		return;
	(void)unlink(s->typed_path);
	close(s->typed_fd);
	s->typed_fd = -1;
}
