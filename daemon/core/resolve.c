/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/resolve.c - names to addresses, in a process without rights.
 *
 *   question   realm (32), peer (32), host name
 *   answer     realm (32), peer (32), n times { length 4 or 16, address }
 */
#include "daemon/core/resolve.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/base/cur.h"
#include "daemon/base/list.h"
#include "daemon/base/log.h"
#include "daemon/core/loop.h"

#define RESOLVE_MSG_MAX	 512
#define RESOLVE_HOST_MAX 255	/* RFC 1035 2.3.4 */

/* A question without an answer yet. */
struct ask {
	struct list node;
	uint32_t realm, peer;
};

struct resolve {
	int fd;			/* -1 = there is none now */
	struct list asks;
	struct loop *loop;
	resolve_fn *fn;
	void *ctx;
};

/* ---- the main role's side ------------------------------------------------ */

static int
dec_answer(struct cur *c, uint32_t *realm, uint32_t *peer, struct ip_addr *ip,
	   unsigned *n)
{
	struct view v;
	uint8_t len;
	int err;

	*n = 0;
	if ((err = cur_u32(c, realm)) != 0 || (err = cur_u32(c, peer)) != 0)
		return err;
	while (cur_left(c) > 0 && *n < IKE_EP_MAX) {
		if ((err = cur_u8(c, &len)) != 0 ||
		    (err = cur_view(c, len, &v)) != 0)
			return err;
		ip[*n] = ip_from(v.p, v.len);
		if (ip[*n].family == 0)
			return ERR_SYNTAX;
		(*n)++;
	}
	return 0;
}

static void
end(struct resolve *r)
{
	if (r->fd >= 0) {
		loop_del(r->loop, r->fd);
		close(r->fd);
	}
	r->fd = -1;
}

/* Take a question off the list; false when it was never put. */
static bool
was_asked(struct resolve *r, uint32_t realm, uint32_t peer)
{
	LIST_FOREACH_SAFE(it, tmp, &r->asks) {
		struct ask *a = CONTAINER_OF(it, struct ask, node);

		if (a->realm != realm || a->peer != peer)
			continue;
		list_remove(it);
		free(a);
		return true;
	}
	return false;
}

/* Who waits for the resolver that ended learns that there is no answer. */
static void
give_up(struct resolve *r)
{
	while (!list_is_empty(&r->asks)) {
		struct list *first = r->asks.next;
		struct ask a = *CONTAINER_OF(first, struct ask, node);

		list_remove(first);
		free(CONTAINER_OF(first, struct ask, node));
		r->fn(r->ctx, a.realm, a.peer, NULL, 0);
	}
}

static void
on_answer(void *ctx, int fd, uint32_t events UNUSED)
{
	struct resolve *r = ctx;
	uint8_t msg[RESOLVE_MSG_MAX];
	struct ip_addr ip[IKE_EP_MAX];
	uint32_t realm, peer;
	struct cur c;
	unsigned n;
	ssize_t len = recv(fd, msg, sizeof(msg), MSG_DONTWAIT);

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len <= 0) {
		log_warn("core", "the resolver has ended: names are looked up "
			 "again when it is back");
		end(r);
		give_up(r);
		return;
	}
	cur_init(&c, msg, (size_t)len);
	if (dec_answer(&c, &realm, &peer, ip, &n) == 0 &&
	    was_asked(r, realm, peer))
		r->fn(r->ctx, realm, peer, ip, n);
}

int
resolve_new(struct resolve **out, int fd, struct loop *l, resolve_fn *fn,
	    void *ctx)
{
	struct resolve *r = calloc(1, sizeof(*r));
	int err;

	if (r == NULL) {
		close(fd);
		return ERR_NOMEM;
	}
	*r = (struct resolve){ .fd = fd, .loop = l, .fn = fn, .ctx = ctx };
	list_init(&r->asks);
	if ((err = loop_add(l, fd, on_answer, r)) != 0) {
		close(fd);
		free(r);
		return err;
	}
	*out = r;
	return 0;
}

void
resolve_free(struct resolve *r)
{
	if (r == NULL)
		return;
	end(r);
	LIST_FOREACH_SAFE(it, tmp, &r->asks)
		free(CONTAINER_OF(it, struct ask, node));
	free(r);
}

void
resolve_renew(struct resolve *r, int fd)
{
	end(r);
	give_up(r);
	if (loop_add(r->loop, fd, on_answer, r) == 0)
		r->fd = fd;
	else
		close(fd);
}

int
resolve_ask(struct resolve *r, uint32_t realm, uint32_t peer, const char *host)
{
	uint8_t msg[RESOLVE_MSG_MAX];
	struct ask *a;
	struct wcur w;

	if (r->fd < 0)
		return ERR_CLOSED;
	wcur_init(&w, msg, sizeof(msg));
	wcur_u32(&w, realm);
	wcur_u32(&w, peer);
	wcur_bytes(&w, host, strlen(host));
	if (w.err != 0)
		return w.err;
	if ((a = calloc(1, sizeof(*a))) == NULL)
		return ERR_NOMEM;
	if (send(r->fd, msg, w.len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		free(a);
		return errno == EAGAIN ? ERR_FULL : ERR_CLOSED;
	}
	a->realm = realm;
	a->peer = peer;
	list_add_tail(&r->asks, &a->node);
	return 0;
}

/* ---- the role ------------------------------------------------------------ */

static void
lookup(const char *host, struct wcur *w)
{
	struct addrinfo hint = { .ai_socktype = SOCK_DGRAM,
				 .ai_flags = AI_ADDRCONFIG }, *list = NULL;
	unsigned n = 0;

	if (getaddrinfo(host, NULL, &hint, &list) != 0)
		return;
	for (struct addrinfo *a = list; a != NULL && n < IKE_EP_MAX;
	     a = a->ai_next) {
		if (a->ai_family == AF_INET) {
			struct sockaddr_in in;

			memcpy(&in, a->ai_addr, sizeof(in));
			wcur_u8(w, 4);
			wcur_bytes(w, &in.sin_addr, 4);
			n++;
		} else if (a->ai_family == AF_INET6) {
			struct sockaddr_in6 in6;

			memcpy(&in6, a->ai_addr, sizeof(in6));
			wcur_u8(w, 16);
			wcur_bytes(w, &in6.sin6_addr, 16);
			n++;
		}
	}
	freeaddrinfo(list);
}

int
resolve_main(int fd)
{
	uint8_t in[RESOLVE_MSG_MAX], out[RESOLVE_MSG_MAX];
	char host[RESOLVE_HOST_MAX + 1];
	uint32_t realm, peer;
	struct view name;
	struct wcur w;
	struct cur c;
	ssize_t len;

	while ((len = recv(fd, in, sizeof(in), 0)) > 0) {
		cur_init(&c, in, (size_t)len);
		if (cur_u32(&c, &realm) != 0 || cur_u32(&c, &peer) != 0)
			return 1;
		cur_rest(&c, &name);
		if (name.len == 0 || name.len > RESOLVE_HOST_MAX ||
		    memchr(name.p, '\0', name.len) != NULL)
			return 1;
		memcpy(host, name.p, name.len);
		host[name.len] = '\0';
		wcur_init(&w, out, sizeof(out));
		wcur_u32(&w, realm);
		wcur_u32(&w, peer);
		lookup(host, &w);
		if (w.err != 0 || send(fd, out, w.len, MSG_NOSIGNAL) < 0)
			return 1;
	}
	return 0;
}
