/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/link.c - the channel to tapird.
 */
#include "webui/link.h"
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/secret.h"
#include "daemon/bus/bus_wire.h"
#include "daemon/bus/cap_wire.h"

#define BATCH 64 /* records before others have their turn; ours */

struct ui_link {
	struct event_base *base;
	struct ui_link_ops ops;
	struct event *ev;
	int fd;
	uint8_t bytes[CAP_WIRE_MAX];	/* a datagram: a record, or a packet */
};

static void
close_fd(struct ui_link *l)
{
	if (l->ev != NULL)
		event_free(l->ev);
	l->ev = NULL;
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

static void
on_read(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx)
{
	struct ui_link *l = ctx;
	struct bus_rec r;
	ssize_t n;

	for (int i = 0; i < BATCH && l->fd >= 0; i++) {
		n = recv(l->fd, l->bytes, sizeof(l->bytes), MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			close_fd(l);
			l->ops.on_lost(l->ops.ctx);
			return;
		}
		if (l->bytes[0] == CAP_CLASS)
			l->ops.on_packet(l->ops.ctx, l->bytes, (size_t)n);
		else if (bus_dec(l->bytes, (size_t)n, &r) == 0)
			l->ops.on_record(l->ops.ctx, &r);
		else
			log_warn("web", "tapird sent a record that is none");
		wipe(l->bytes, (size_t)n);
	}
}

int
ui_link_use(struct ui_link *l, int fd)
{
	close_fd(l);
	l->ev = event_new(l->base, fd, EV_READ | EV_PERSIST, on_read, l);
	if (l->ev == NULL || event_add(l->ev, NULL) != 0) {
		close(fd);
		return ERR_NOMEM;
	}
	l->fd = fd;
	return 0;
}

int
ui_link_send(struct ui_link *l, uint32_t tag, struct bus_rec *r)
{
	uint8_t bytes[BUS_WIRE_MAX];
	int n;

	if (l->fd < 0)
		return ERR_CLOSED;
	r->tag = tag;
	if ((n = bus_enc_buf(r, bytes, sizeof(bytes))) < 0)
		return n;
	if (send(l->fd, bytes, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) == n)
		return 0;
	return errno == EAGAIN ? ERR_FULL : ERR_CLOSED;
}

int
ui_link_new(struct ui_link **out, struct event_base *base,
	    const struct ui_link_ops *ops)
{
	struct ui_link *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return ERR_NOMEM;
	l->base = base;
	l->ops = *ops;
	l->fd = -1;
	*out = l;
	return 0;
}

void
ui_link_free(struct ui_link *l)
{
	if (l == NULL)
		return;
	close_fd(l);
	free(l);
}
