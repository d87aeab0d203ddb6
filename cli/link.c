/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/link.c - the control socket RUN/ctl.sock, client's side.
 */
#include "cli/link.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/bus/bus_wire.h"

#define SLICE_MS 250 /* a signal is noticed after this at the latest */

int
link_open(struct link *l, const char *run_dir)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int n, err = ERR_SYS;

	l->fd = -1;
	l->tag = 0;
	n = snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/%s", run_dir,
		     LINK_SOCKET);
	if (n < 0 || (size_t)n >= sizeof(sa.sun_path))
		return ERR_LONG;
	l->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (l->fd < 0)
		return ERR_SYS;
	if (connect(l->fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		return 0;
	if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR)
		err = ERR_NOTFOUND;
	else if (errno == EACCES || errno == EPERM)
		err = ERR_PERM;
	link_close(l);
	return err;
}

void
link_close(struct link *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

int
link_send(struct link *l, struct bus_rec *cmd)
{
	uint8_t buf[BUS_WIRE_MAX];
	int n;

	cmd->tag = ++l->tag;
	if ((n = bus_enc_buf(cmd, buf, sizeof(buf))) < 0)
		return n;
	if (send(l->fd, buf, (size_t)n, MSG_NOSIGNAL) == n)
		return 0;
	return errno == EPIPE || errno == ECONNRESET ? ERR_CLOSED : ERR_SYS;
}

/* Wait until something can be read. */
static int
wait_in(int fd, int wait_ms, const volatile sig_atomic_t *stop)
{
	uint64_t end = clk_ms() + (wait_ms < 0 ? 0 : (uint64_t)wait_ms);

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		uint64_t now = clk_ms();
		int left = SLICE_MS, n;

		if (stop != NULL && *stop)
			return ERR_AGAIN;
		if (wait_ms >= 0 && end < now + SLICE_MS)
			left = now >= end ? 0 : (int)(end - now);
		n = poll(&p, 1, left);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return ERR_SYS;
		if (wait_ms >= 0 && clk_ms() >= end)
			return ERR_TIMEOUT;
	}
}

int
link_recv_bytes(struct link *l, void *buf, size_t cap, size_t *len, int wait_ms,
		const volatile sig_atomic_t *stop)
{
	ssize_t n;
	int err;

	do {
		if ((err = wait_in(l->fd, wait_ms, stop)) != 0)
			return err;
		n = recv(l->fd, buf, cap, MSG_TRUNC);
	} while (n < 0 && errno == EINTR);
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return ERR_CLOSED;
	if (n < 0)
		return ERR_SYS;
	if ((size_t)n > cap)
		return ERR_LONG;
	*len = (size_t)n;
	return 0;
}

int
link_recv(struct link *l, struct bus_rec *out, int wait_ms,
	  const volatile sig_atomic_t *stop)
{
	uint8_t buf[BUS_WIRE_MAX];
	struct bus_rec r;
	size_t n;
	int err;

	do {
		if ((err = link_recv_bytes(l, buf, sizeof(buf), &n, wait_ms,
					   stop)) != 0 ||
		    (err = bus_dec(buf, n, &r)) != 0)
			return err;
	} while (r.tag != l->tag);
	*out = r;
	return 0;
}

int
link_ask(struct link *l, struct bus_rec *cmd, link_row_fn *fn, void *ctx,
	 struct bus_rec *end)
{
	struct bus_rec r;
	int err;

	if ((err = link_send(l, cmd)) != 0)
		return err;
	for (;;) {
		if ((err = link_recv(l, &r, LINK_WAIT_MS, NULL)) != 0)
			return err;
		if (r.desc->row == BUS_RES_DONE || r.desc->row == BUS_RES_FAILED) {
			*end = r;
			return 0;
		}
		if (fn != NULL)
			fn(ctx, &r);
	}
}
