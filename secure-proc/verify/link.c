/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/verify/link.c - the secure process's side of the verify child.
 *
 * Thread: the only one.
 */
#include "secure-proc/verify/link.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/secret.h"
#include "secure-proc/verify/wire.h"

#define ANSWER_MAX 2048
#define SENT_MAX   2	/* a question that ends two children is refused; ours */

struct ask {
	struct ask *next;
	uint64_t number;
	size_t len;
	uint8_t bytes[];
};

struct sec_link {
	struct sec_child c;
	sec_link_fn *fn;
	void *ctx;
	struct ask *first, **last;	/* the first is with the child when
					 * is_out */
	unsigned n;
	size_t n_bytes;
	bool is_out, is_dead;
	unsigned n_sent;		/* how often the first one was sent */
	uint64_t out_ms;		/* since when */
	uint8_t buf[SEC_WIRE_MAX];
};

static void
drop_first(struct sec_link *l)
{
	struct ask *a = l->first;

	if ((l->first = a->next) == NULL)
		l->last = &l->first;
	l->n--;
	l->n_bytes -= a->len;
	l->is_out = false;
	l->n_sent = 0;
	free(a);
}

static void
fail_first(struct sec_link *l, const char *why)
{
	struct sec_checked a = { .err = ERR_AGAIN };
	uint64_t number = l->first->number;

	snprintf(a.why, sizeof(a.why), "%s", why);
	drop_first(l);
	l->fn(l->ctx, number, &a);
}

static void
dead(struct sec_link *l)
{
	if (!l->is_dead)
		log_error("verify", "the process that looks at certificates is "
		    "gone: peers with one are refused until a restart");
	l->is_dead = true;
	while (l->first != NULL)
		fail_first(l, "the process that looks at certificates is gone");
}

static void
next(struct sec_link *l, uint64_t now_ms)
{
	struct ask *a = l->first;
	ssize_t n;

	if (a == NULL || l->is_out || l->is_dead)
		return;
	n = send(l->c.fd, a->bytes, a->len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n == (ssize_t)a->len) {
		l->is_out = true;
		l->n_sent++;
		l->out_ms = now_ms;
		return;
	}
	if (errno == EPIPE || errno == ECONNRESET)
		dead(l);
	else
		fail_first(l, "the question does not reach the process that "
		    "looks at certificates");
}

static void
answered(struct sec_link *l, struct view in)
{
	struct sec_checked a;
	uint64_t number;

	if (sec_answer_dec(in, &number, &a) != 0) {
		log_warn("verify", "an answer that is none: the process that "
		    "looks at certificates is ended");
		(void)!write(l->c.ctl_fd, "k", 1);
		return;
	}
	if (number == 0) {		/* a new child: the old one is gone */
		/* Whether that one had read the question nobody knows: it is
		 * asked once more, and a second answer is ignored. */
		if (l->is_out && l->n_sent >= SENT_MAX)
			fail_first(l, "the process that looks at certificates "
			    "ended over this one");
		l->is_out = false;
		return;
	}
	if (number == SEC_SAID_LISTS) {
		l->fn(l->ctx, number, &a);
		return;
	}
	if (!l->is_out || l->first->number != number)
		return;			/* of a question given up */
	drop_first(l);
	l->fn(l->ctx, number, &a);
}

/* ---- public ------------------------------------------------------------------ */

int
sec_link_new(struct sec_link **out, const struct sec_child *c)
{
	struct sec_link *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return ERR_NOMEM;
	l->c = *c;
	l->last = &l->first;
	*out = l;
	return 0;
}

void
sec_link_free(struct sec_link *l)
{
	if (l == NULL)
		return;
	while (l->first != NULL)
		drop_first(l);
	close(l->c.fd);
	close(l->c.ctl_fd);
	free(l);
}

void
sec_link_to(struct sec_link *l, sec_link_fn *fn, void *ctx)
{
	l->fn = fn;
	l->ctx = ctx;
}

int
sec_link_ask(struct sec_link *l, uint64_t number, const struct sec_check *q,
	     uint64_t now_ms)
{
	struct ask *a;
	size_t len;
	int err;

	if (l->is_dead)
		return ERR_CLOSED;
	if ((err = sec_ask_enc(number, q, l->buf, sizeof(l->buf), &len)) != 0)
		return err;
	if (l->n >= SEC_LINK_ASKS_MAX || len > SEC_LINK_BYTES_MAX - l->n_bytes)
		return ERR_FULL;
	if ((a = malloc(sizeof(*a) + len)) == NULL)
		return ERR_NOMEM;
	a->next = NULL;
	a->number = number;
	a->len = len;
	memcpy(a->bytes, l->buf, len);
	*l->last = a;
	l->last = &a->next;
	l->n++;
	l->n_bytes += len;
	next(l, now_ms);
	return 0;
}

int
sec_link_fd(const struct sec_link *l)
{
	return l->is_dead ? -1 : l->c.fd;
}

void
sec_link_input(struct sec_link *l, uint64_t now_ms)
{
	uint8_t in[ANSWER_MAX];
	ssize_t n;

	while (!l->is_dead) {
		n = recv(l->c.fd, in, sizeof(in), MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0) {
			dead(l);
			break;
		}
		answered(l, (struct view){ in, (size_t)n });
		next(l, now_ms);
	}
}

int
sec_link_due(const struct sec_link *l, uint64_t now_ms)
{
	uint64_t end = l->out_ms + SEC_LINK_WAIT_MS;

	if (l->is_dead || !l->is_out)
		return -1;
	return end <= now_ms ? 0 : (int)(end - now_ms);
}

void
sec_link_tick(struct sec_link *l, uint64_t now_ms)
{
	if (sec_link_due(l, now_ms) != 0)
		return;
	(void)!write(l->c.ctl_fd, "k", 1);
	fail_first(l, "the process that looks at certificates gave no answer");
	next(l, now_ms);
}
