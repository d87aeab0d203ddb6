/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/radius/link.c - the secure process's side of the RADIUS child.
 *
 * Thread: the only one.
 */
#include "secure-proc/radius/link.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/secret.h"

#define WHO   "radius"
#define BATCH 64		/* answers in a row; ours */

struct sec_radius_link {
	int fd;
	bool is_dead;
	sec_radius_link_fn *fn;
	void *ctx;
	unsigned n;
	uint64_t out[SEC_RADIUS_ASKS];	/* numbers that wait */
	uint8_t buf[SEC_RADIUS_WIRE_MAX];
	struct sec_radius_reply got;
};

/* False: nobody waits for it. */
static bool
out_take(struct sec_radius_link *l, uint64_t number)
{
	for (unsigned i = 0; i < l->n; i++) {
		if (l->out[i] != number)
			continue;
		l->out[i] = l->out[--l->n];
		return true;
	}
	return false;
}

static void
fail_all(struct sec_radius_link *l)
{
	struct sec_radius_reply a = { .err = ERR_AGAIN };

	while (l->n > 0) {
		a.number = l->out[--l->n];
		l->fn(l->ctx, &a);
	}
}

static void
dead(struct sec_radius_link *l)
{
	if (!l->is_dead)
		log_error(WHO, "the process that speaks to RADIUS servers is "
		    "gone: nobody gets in by them until a restart");
	l->is_dead = true;
	fail_all(l);
}

static void
answered(struct sec_radius_link *l, size_t len)
{
	if (sec_radius_reply_dec((struct view){ l->buf, len }, &l->got) != 0) {
		log_warn(WHO, "an answer that is none");
		dead(l);
		return;
	}
	if (l->got.number == 0)	/* a new child: what the old one had is lost */
		fail_all(l);
	else if (out_take(l, l->got.number))
		l->fn(l->ctx, &l->got);
}

int
sec_radius_link_new(struct sec_radius_link **out, int fd)
{
	struct sec_radius_link *l = secret_alloc(sizeof(*l));

	if (l == NULL)
		return ERR_NOMEM;
	l->fd = fd;
	*out = l;
	return 0;
}

void
sec_radius_link_free(struct sec_radius_link *l)
{
	if (l == NULL)
		return;
	close(l->fd);
	secret_free(l);
}

void
sec_radius_link_to(struct sec_radius_link *l, sec_radius_link_fn *fn, void *ctx)
{
	l->fn = fn;
	l->ctx = ctx;
}

int
sec_radius_link_ask(struct sec_radius_link *l, const struct sec_radius_query *q)
{
	size_t len;
	ssize_t n;
	int err;

	if (l->is_dead)
		return ERR_CLOSED;
	if (l->n >= SEC_RADIUS_ASKS)
		return ERR_FULL;
	if ((err = sec_radius_query_enc(q, l->buf, sizeof(l->buf), &len)) != 0)
		return err;
	n = send(l->fd, l->buf, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n != (ssize_t)len)
		return errno == EPIPE || errno == ECONNRESET ? ERR_CLOSED :
		    ERR_FULL;
	l->out[l->n++] = q->number;
	return 0;
}

int
sec_radius_link_fd(const struct sec_radius_link *l)
{
	return l->is_dead ? -1 : l->fd;
}

void
sec_radius_link_input(struct sec_radius_link *l)
{
	ssize_t n;

	for (unsigned i = 0; i < BATCH && !l->is_dead; i++) {
		n = recv(l->fd, l->buf, sizeof(l->buf), MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0) {
			dead(l);
			break;
		}
		answered(l, (size_t)n);
	}
	wipe(l->buf, sizeof(l->buf));
	wipe(&l->got, sizeof(l->got));
}
