/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/ipc/visit.c - questions of people of this machine.
 */
#include "daemon/ipc/visit.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"

#define IDLE_MS	   10000	/* then one may be closed for another; ours */
#define ACCEPT_MAX 8		/* in one turn of the loop; ours */

struct client {
	int fd;			/* -1: free */
	struct visit_who who;
	uint64_t used_ms;
};

struct visit {
	struct visit_ops ops;
	int fd;
	uid_t owner;
	pid_t super;
	struct client client[VISIT_MAX];
};

static void
client_close(struct client *cl)
{
	if (cl->fd >= 0)
		close(cl->fd);
	*cl = (struct client){ .fd = -1 };
}

/* A free place, else that of who has said nothing for long; NULL: there is none.
 * The supervisor has one connection: the last. */
static struct client *
place_for(struct visit *v, bool is_super, uint64_t now_ms)
{
	struct client *old = NULL;

	for (unsigned i = 0; is_super && i < VISIT_MAX; i++)
		if (v->client[i].fd >= 0 && v->client[i].who.is_super)
			client_close(&v->client[i]);
	for (unsigned i = 0; i < VISIT_MAX; i++) {
		struct client *cl = &v->client[i];

		if (cl->fd < 0)
			return cl;
		if (!cl->who.is_super && (old == NULL ||
		    cl->used_ms < old->used_ms))
			old = cl;
	}
	if (old == NULL || now_ms - old->used_ms < IDLE_MS)
		return NULL;
	client_close(old);
	return old;
}

static void
client_new(struct visit *v, int fd, uint64_t now_ms)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	struct client *cl = NULL;
	bool is_super = false;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 &&
	    len == sizeof(cred) && (cred.uid == 0 || cred.uid == v->owner)) {
		is_super = v->super > 0 && cred.pid == v->super;
		cl = place_for(v, is_super, now_ms);
	}
	if (cl == NULL) {
		close(fd);
		return;
	}
	*cl = (struct client){ fd, { cred.uid, is_super }, now_ms };
}

static void
accept_all(struct visit *v)
{
	int fd;

	for (unsigned i = 0; i < ACCEPT_MAX; i++) {
		fd = accept4(v->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return;
		client_new(v, fd, clk_ms());
	}
}

/* False: the connection is over. */
static bool
client_read(struct visit *v, struct client *cl)
{
	uint8_t bytes[VISIT_BYTES_MAX], out[VISIT_BYTES_MAX];
	ssize_t n = recv(cl->fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_TRUNC);
	bool is_good = false;
	int len = -1;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n > 0 && (size_t)n <= sizeof(bytes))
		len = v->ops.ask(v->ops.ctx, &cl->who, bytes, (size_t)n, out);
	wipe(bytes, sizeof(bytes));
	if (len > 0)
		is_good = send(cl->fd, out, (size_t)len, MSG_DONTWAIT |
			       MSG_NOSIGNAL) == len;
	wipe(out, sizeof(out));
	cl->used_ms = clk_ms();
	return is_good;
}

/* ---- public -------------------------------------------------------------------- */

int
visit_new(struct visit **out, const struct visit_ops *ops, int fd, uid_t owner,
	  pid_t super)
{
	struct visit *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return ERR_NOMEM;
	v->ops = *ops;
	v->fd = fd;
	v->owner = owner;
	v->super = super;
	for (unsigned i = 0; i < VISIT_MAX; i++)
		v->client[i].fd = -1;
	*out = v;
	return 0;
}

void
visit_free(struct visit *v)
{
	if (v == NULL)
		return;
	for (unsigned i = 0; i < VISIT_MAX; i++)
		client_close(&v->client[i]);
	free(v);
}

unsigned
visit_poll(const struct visit *v, struct pollfd *p)
{
	unsigned n = 0;

	p[n++] = (struct pollfd){ .fd = v->fd, .events = POLLIN };
	for (unsigned i = 0; i < VISIT_MAX; i++)
		p[n++] = (struct pollfd){ .fd = v->client[i].fd,
					  .events = POLLIN };
	return n;
}

void
visit_input(struct visit *v, const struct pollfd *p, unsigned n)
{
	for (unsigned i = 1; i < n; i++) {
		struct client *cl = &v->client[i - 1];

		if (p[i].revents != 0 && cl->fd == p[i].fd && cl->fd >= 0 &&
		    !client_read(v, cl))
			client_close(cl);
	}
	if (p[0].revents != 0)
		accept_all(v);
}
