/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/typed.c - the way of typed passwords to tapir-secure.
 */
#include "webui/typed.h"
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
	ui_typed_fn *fn;
	void *ctx;
};

struct ui_typed {
	struct event_base *base;
	struct event *ev;
	int fd;
	uint32_t next_id;
	struct question q[UI_TYPED_MAX];
};

static void
end(struct question *q, const struct prompt_answer *a)
{
	struct question one = *q;

	memset(q, 0, sizeof(*q));
	one.fn(one.ctx, a);
}

static void
close_way(struct ui_typed *t)
{
	if (t->ev != NULL)
		event_free(t->ev);
	t->ev = NULL;
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
	for (unsigned i = 0; i < UI_TYPED_MAX; i++)
		if (t->q[i].id != 0)
			end(&t->q[i], NULL);
}

static void
on_read(evutil_socket_t fd, short what UNUSED, void *ctx)
{
	struct ui_typed *t = ctx;
	uint8_t bytes[PROMPT_BYTES_MAX];
	struct prompt_answer a;
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || prompt_answer_dec(bytes, (size_t)n, &a) != 0) {
		close_way(t);
		return;
	}
	for (unsigned i = 0; i < UI_TYPED_MAX; i++)
		if (t->q[i].id == a.id && a.id != 0) {
			end(&t->q[i], &a);
			return;
		}
}

void
ui_typed_renew(struct ui_typed *t, int fd)
{
	close_way(t);
	if (fd < 0)
		return;
	t->ev = event_new(t->base, fd, EV_READ | EV_PERSIST, on_read, t);
	if (t->ev == NULL || event_add(t->ev, NULL) != 0) {
		close(fd);
		return;
	}
	t->fd = fd;
}

int
ui_typed_ask(struct ui_typed *t, const struct prompt_ask *ask, ui_typed_fn *fn,
	     void *ctx)
{
	uint8_t bytes[PROMPT_BYTES_MAX];
	struct prompt_ask own = *ask;
	struct question *q = NULL;
	ssize_t sent = -1;
	int n;

	for (unsigned i = 0; i < UI_TYPED_MAX && q == NULL; i++)
		if (t->q[i].id == 0)
			q = &t->q[i];
	if (t->fd < 0 || q == NULL) {
		wipe(&own, sizeof(own));
		return t->fd < 0 ? ERR_CLOSED : ERR_FULL;
	}
	if (++t->next_id == 0)
		t->next_id = 1;
	own.id = t->next_id;
	n = prompt_ask_enc(&own, bytes, sizeof(bytes));
	if (n > 0)
		sent = send(t->fd, bytes, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	wipe(bytes, sizeof(bytes));
	wipe(&own, sizeof(own));
	if (n < 0)
		return n;
	if (sent != n)
		return errno == EAGAIN ? ERR_FULL : ERR_CLOSED;
	*q = (struct question){ t->next_id, fn, ctx };
	return 0;
}

int
ui_typed_new(struct ui_typed **out, struct event_base *base, int fd)
{
	struct ui_typed *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return ERR_NOMEM;
	t->base = base;
	t->fd = -1;
	ui_typed_renew(t, fd);
	*out = t;
	return 0;
}

void
ui_typed_free(struct ui_typed *t)
{
	if (t == NULL)
		return;
	close_way(t);
	free(t);
}
