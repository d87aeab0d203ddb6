/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhub/wait.c - packets that wait for a neighbour's answer.
 *
 * Thread: any; one short leaf lock.
 */
#include "vhub/wait.h"
#include <stdatomic.h>
#include <stdlib.h>
#include "daemon/base/err.h"
#include "daemon/base/lk.h"

#define WAIT_LK_RANK 61

struct item {
	struct ip_addr ip;
	uint32_t port;
	uint32_t since_s;
	uint32_t asked_s;	/* when ip was asked for last, as of this item */
	struct buf *b;
};
struct wait {
	struct lk lock;
	atomic_uint n;				/* written under the lock */
	struct item item[WAIT_MAX] GUARDED_BY(lock); /* oldest first */
};

/* Take item i out, keep the order. */
static struct buf *
take(struct wait *w, unsigned i)
{
	struct buf *b = w->item[i].b;
	unsigned n = --w->n;

	for (; i < n; i++)
		w->item[i] = w->item[i + 1];
	return b;
}

static bool
is_old(const struct item *it, uint32_t now_s)
{
	return now_s > it->since_s && now_s - it->since_s > WAIT_S;
}

int
wait_new(struct wait **out)
{
	struct wait *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return ERR_NOMEM;
	lk_init(&w->lock, WAIT_LK_RANK);
	*out = w;
	return 0;
}

void
wait_free(struct wait *w)
{
	if (w == NULL)
		return;
	for (unsigned i = 0; i < w->n; i++)
		buf_put(w->item[i].b);
	lk_fini(&w->lock);
	free(w);
}

int
wait_add(struct wait *w, const struct ip_addr *ip, uint32_t port,
	 uint32_t now_s, struct buf *b, bool *ask)
{
	struct item *last = NULL;	/* the youngest for ip */
	unsigned same = 0, mine = 0;
	int err = ERR_FULL;

	lk_lock(&w->lock);
	for (unsigned i = 0; i < w->n; i++) {
		mine += w->item[i].port == port;
		if (!ip_equal(&w->item[i].ip, ip))
			continue;
		last = &w->item[i];
		same++;
	}
	/* the question or its answer may be lost: once a second, as RFC 1122
	 * 2.3.2.1 and RFC 4861 7.2.2 have it */
	*ask = last != NULL && now_s > last->asked_s;
	if (*ask)
		last->asked_s = now_s;
	if (w->n < WAIT_MAX && same < WAIT_IP_MAX && mine < WAIT_PORT_MAX) {
		*ask |= last == NULL;
		w->item[w->n++] = (struct item){ *ip, port, now_s,
		    *ask ? now_s : last->asked_s, b };
		err = 0;
	}
	lk_unlock(&w->lock);
	return err;
}

unsigned
wait_take(struct wait *w, const struct ip_addr *ip, struct buf **b,
	  uint32_t *port)
{
	unsigned n = 0;

	/* Almost always nobody waits: no lock then. */
	if (atomic_load_explicit(&w->n, memory_order_relaxed) == 0)
		return 0;
	lk_lock(&w->lock);
	for (unsigned i = 0; i < w->n && n < WAIT_IP_MAX;) {
		if (!ip_equal(&w->item[i].ip, ip)) {
			i++;
			continue;
		}
		port[n] = w->item[i].port;
		b[n++] = take(w, i);
	}
	lk_unlock(&w->lock);
	return n;
}

unsigned
wait_expire(struct wait *w, uint32_t now_s)
{
	unsigned n = 0;

	lk_lock(&w->lock);
	while (w->n > 0 && is_old(&w->item[0], now_s)) {
		buf_put(take(w, 0));
		n++;
	}
	lk_unlock(&w->lock);
	return n;
}

unsigned
wait_forget(struct wait *w, uint32_t port)
{
	unsigned n = 0;

	lk_lock(&w->lock);
	for (unsigned i = 0; i < w->n;) {
		if (w->item[i].port != port) {
			i++;
			continue;
		}
		buf_put(take(w, i));
		n++;
	}
	lk_unlock(&w->lock);
	return n;
}
