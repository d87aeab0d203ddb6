/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/loop.c - epoll, timers and calls from other threads.
 *
 * Posted calls are control traffic (IKE messages, events of SAs, finished
 * jobs), so they may allocate; the ring bounds how many wait.
 */
#include "daemon/core/loop.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/ring.h"
#include "daemon/base/thr.h"

#define LOOP_FD_MAX    256  /* watched descriptors; ours */
#define LOOP_EVENTS    32   /* events fetched at once */
#define LOOP_POSTS     4096 /* calls that may wait; ours */
#define LOOP_POST_RUN  256  /* calls between two looks at timers */
#define LOOP_SLEEP_MAX 1000 /* ms; reclaiming wants to be tried */
#define LOOP_LATER_MS  10	/* while something waits for quiet workers */

struct watch {
	int fd;			/* -1 = free */
	loop_fd_fn *fn;
	void *ctx;
	uint32_t gen;		/* an event of an older generation is stale */
	uint32_t events;	/* waited for */
};

struct post {
	loop_post_fn *fn;
	void *ctx;
	void *item;
};

struct loop {
	int ep, wake;
	struct watch watch[LOOP_FD_MAX];
	struct tmr_set timers;
	struct ring *posts;	/* struct post *, to the loop */
	atomic_bool is_awake;	/* a poster need not write to the eventfd */
	uint64_t (*idle)(void *ctx);
	void *idle_ctx;
	bool is_stopped;
	bool has_later;			/* thr_reclaim() is not through */
};

int
loop_new(struct loop **out)
{
	struct loop *l = calloc(1, sizeof(*l));
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = UINT64_MAX };

	if (l == NULL)
		return ERR_NOMEM;
	l->ep = epoll_create1(EPOLL_CLOEXEC);
	l->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	for (size_t i = 0; i < LOOP_FD_MAX; i++)
		l->watch[i].fd = -1;
	tmr_set_init(&l->timers);
	if (l->ep < 0 || l->wake < 0 ||
	    ring_new(&l->posts, LOOP_POSTS) != 0 ||
	    epoll_ctl(l->ep, EPOLL_CTL_ADD, l->wake, &ev) != 0) {
		loop_free(l);
		return ERR_NOMEM;
	}
	*out = l;
	return 0;
}

void
loop_free(struct loop *l)
{
	struct post *p;

	if (l == NULL)
		return;
	if (l->ep >= 0)
		close(l->ep);
	if (l->wake >= 0)
		close(l->wake);
	while (l->posts != NULL && (p = ring_pop(l->posts)) != NULL)
		free(p);
	tmr_set_fini(&l->timers);
	ring_free(l->posts);
	free(l);
}

static struct watch *
watch_find(struct loop *l, int fd)
{
	for (size_t i = 0; i < LOOP_FD_MAX; i++)
		if (l->watch[i].fd == fd)
			return &l->watch[i];
	return NULL;
}

static int
watch_ctl(struct loop *l, struct watch *w, int op)
{
	struct epoll_event ev = {
		.events = w->events,
		.data.u64 = (uint64_t)w->gen << 32 | (uint64_t)(w - l->watch),
	};

	return epoll_ctl(l->ep, op, w->fd, &ev) == 0 ? 0 : ERR_SYS;
}

int
loop_add(struct loop *l, int fd, loop_fd_fn *fn, void *ctx)
{
	struct watch *w = watch_find(l, -1);

	if (w == NULL)
		return ERR_FULL;
	w->fd = fd;
	w->fn = fn;
	w->ctx = ctx;
	w->gen++;
	w->events = EPOLLIN;
	if (watch_ctl(l, w, EPOLL_CTL_ADD) != 0) {
		w->fd = -1;
		return ERR_SYS;
	}
	return 0;
}

static void
want(struct loop *l, int fd, uint32_t event, bool on)
{
	struct watch *w = watch_find(l, fd);
	uint32_t before;

	if (w == NULL)
		return;
	before = w->events;
	w->events = on ? before | event : before & ~event;
	if (w->events != before)
		(void)watch_ctl(l, w, EPOLL_CTL_MOD);
}

void
loop_want_in(struct loop *l, int fd, bool want_in)
{
	want(l, fd, EPOLLIN, want_in);
}

void
loop_want_out(struct loop *l, int fd, bool want_out)
{
	want(l, fd, EPOLLOUT, want_out);
}

void
loop_del(struct loop *l, int fd)
{
	struct watch *w = watch_find(l, fd);

	if (w == NULL)
		return;
	(void)epoll_ctl(l->ep, EPOLL_CTL_DEL, fd, NULL);
	w->fd = -1;
	w->gen++;
}

struct tmr_set *
loop_timers(struct loop *l)
{
	return &l->timers;
}

int
loop_post(struct loop *l, loop_post_fn *fn, void *ctx, void *item)
{
	struct post *p;
	uint64_t one = 1;

	p = malloc(sizeof(*p));
	if (p == NULL)
		return ERR_FULL;
	*p = (struct post){ fn, ctx, item };
	if (ring_push(l->posts, p) != 0) {
		free(p);
		return ERR_FULL;
	}
	if (!atomic_exchange(&l->is_awake, true) &&
	    write(l->wake, &one, sizeof(one)) < 0)
		return 0; /* the counter is at its top: it wakes anyway */
	return 0;
}

static void
run_posts(struct loop *l)
{
	uint64_t junk;
	struct post *p;

	if (read(l->wake, &junk, sizeof(junk)) < 0 && errno != EAGAIN)
		return;
	/* An exchange, not a store: it reads what a poster wrote and so sees
	 * what that poster pushed before. */
	(void)atomic_exchange(&l->is_awake, false);
	for (int n = 0; n < LOOP_POST_RUN; n++) {
		p = ring_pop(l->posts);
		if (p == NULL)
			return;
		p->fn(p->ctx, p->item);
		free(p);
	}
	/* More waits: come back after the sockets had their turn. */
	atomic_store(&l->is_awake, true);
	junk = 1;
	if (write(l->wake, &junk, sizeof(junk)) < 0)
		return;
}

void
loop_drain(struct loop *l)
{
	struct post *p;

	while ((p = ring_pop(l->posts)) != NULL) {
		p->fn(p->ctx, p->item);
		free(p);
	}
}

void
loop_set_idle(struct loop *l, uint64_t (*fn)(void *ctx), void *ctx)
{
	l->idle = fn;
	l->idle_ctx = ctx;
}

static int
sleep_ms(struct loop *l)
{
	uint64_t now, at = tmr_next(&l->timers), other;

	if (l->idle != NULL) {
		other = l->idle(l->idle_ctx);
		at = MIN(at, other);
	}
	now = clk_ms();
	if (at <= now)
		return 0;
	return (int)MIN(at - now, l->has_later ? LOOP_LATER_MS : LOOP_SLEEP_MAX);
}

static void
dispatch(struct loop *l, const struct epoll_event *ev)
{
	size_t i = (uint32_t)ev->data.u64;
	struct watch *w;

	if (ev->data.u64 == UINT64_MAX) {
		run_posts(l);
		return;
	}
	w = &l->watch[i];
	if (w->fd >= 0 && w->gen == (uint32_t)(ev->data.u64 >> 32))
		w->fn(w->ctx, w->fd, ev->events);
}

void
loop_run(struct loop *l)
{
	struct epoll_event ev[LOOP_EVENTS];
	int n;

	l->is_stopped = false;
	while (!l->is_stopped) {
		n = epoll_wait(l->ep, ev, LOOP_EVENTS, sleep_ms(l));
		for (int i = 0; i < n && !l->is_stopped; i++)
			dispatch(l, &ev[i]);
		tmr_run(&l->timers, clk_ms());
		l->has_later = thr_reclaim();
	}
}

void
loop_stop(struct loop *l)
{
	l->is_stopped = true;
}
