/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/gate.c - questions about passwords, to the process that decides.
 */
#include "webui/gate.h"
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/secret.h"

struct question {
	uint32_t id;		/* 0: free */
	ui_gate_fn *fn;
	void *ctx;
};

struct ui_gate {
	struct event_base *base;
	struct event *ev;
	int fd;
	uint32_t next_id;
	struct question q[UI_GATE_MAX];
};

static void
end(struct question *q, const struct pass_answer *a)
{
	struct question one = *q;

	memset(q, 0, sizeof(*q));
	one.fn(one.ctx, a);
}

/* Nobody decides: all that is under way is refused. */
static void
close_channel(struct ui_gate *g)
{
	const struct pass_answer no = { .verdict = PASS_LATER, .wait_s = 1 };

	if (g->ev != NULL)
		event_free(g->ev);
	g->ev = NULL;
	if (g->fd >= 0)
		close(g->fd);
	g->fd = -1;
	for (unsigned i = 0; i < UI_GATE_MAX; i++)
		if (g->q[i].id != 0)
			end(&g->q[i], &no);
}

static void
on_read(evutil_socket_t fd, short what UNUSED, void *ctx)
{
	struct ui_gate *g = ctx;
	uint8_t bytes[PASS_BYTES_MAX];
	struct pass_answer a;
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || pass_answer_dec(bytes, (size_t)n, &a) != 0) {
		close_channel(g);
		return;
	}
	for (unsigned i = 0; i < UI_GATE_MAX; i++)
		if (g->q[i].id == a.id && a.id != 0) {
			end(&g->q[i], &a);
			return;
		}
}

void
ui_gate_renew(struct ui_gate *g, int fd)
{
	close_channel(g);
	if (fd < 0)
		return;
	g->ev = event_new(g->base, fd, EV_READ | EV_PERSIST, on_read, g);
	if (g->ev == NULL || event_add(g->ev, NULL) != 0) {
		close(fd);
		return;
	}
	g->fd = fd;
}

int
ui_gate_ask(struct ui_gate *g, const struct pass_ask *ask, ui_gate_fn *fn,
	    void *ctx)
{
	struct question *q = NULL;
	uint8_t bytes[PASS_BYTES_MAX];
	struct pass_ask own = *ask;
	ssize_t sent;
	int n;

	if (g->fd < 0)
		return ERR_CLOSED;
	for (unsigned i = 0; i < UI_GATE_MAX && q == NULL; i++)
		if (g->q[i].id == 0)
			q = &g->q[i];
	if (q == NULL)
		return ERR_FULL;
	if (++g->next_id == 0)
		g->next_id = 1;
	own.id = g->next_id;
	n = pass_ask_enc(&own, bytes, sizeof(bytes));
	sent = n > 0 ? send(g->fd, bytes, (size_t)n, MSG_DONTWAIT |
			    MSG_NOSIGNAL) : -1;
	wipe(bytes, sizeof(bytes));
	wipe(&own, sizeof(own));
	if (n < 0)
		return n;
	if (sent != n)
		return ERR_FULL;
	*q = (struct question){ g->next_id, fn, ctx };
	return 0;
}

int
ui_gate_new(struct ui_gate **out, struct event_base *base, int fd)
{
	struct ui_gate *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return ERR_NOMEM;
	g->base = base;
	g->fd = -1;
	ui_gate_renew(g, fd);
	*out = g;
	return 0;
}

void
ui_gate_free(struct ui_gate *g)
{
	if (g == NULL)
		return;
	close_channel(g);
	free(g);
}
