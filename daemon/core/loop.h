/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/loop.h - epoll, timers and calls from other threads.
 *
 * Thread: the one that runs loop_run(), unless a function says otherwise.
 */
#ifndef TAPIR_CORE_LOOP_H
#define TAPIR_CORE_LOOP_H

#include "daemon/base/base.h"
#include "daemon/base/tmr.h"

struct loop;
struct buf;

typedef void loop_fd_fn(void *ctx, int fd, uint32_t epoll_events);
typedef void loop_post_fn(void *ctx, void *item);

MUST_USE int loop_new(struct loop **out);
void loop_free(struct loop *l);

/** Watch a descriptor (borrowed) for EPOLLIN, and EPOLLOUT when want_out.
 * 0, ERR_SYS, ERR_FULL. */
MUST_USE int loop_add(struct loop *l, int fd, loop_fd_fn *fn, void *ctx);
/** Ask for EPOLLIN (asked for at first) or EPOLLOUT, or no longer. */
void loop_want_in(struct loop *l, int fd, bool want_in);
void loop_want_out(struct loop *l, int fd, bool want_out);
/** Stop watching; safe inside of callbacks, also for other descriptors. */
void loop_del(struct loop *l, int fd);

struct tmr_set *loop_timers(struct loop *l);

/** Call fn(ctx, item) on the loop thread.  Any thread, no lock.  0 or ERR_FULL
 * (then the item stays the caller's). */
MUST_USE int loop_post(struct loop *l, loop_post_fn *fn, void *ctx, void *item);

/** Called before each wait: returns when to wake up at the latest (clk_ms). */
void loop_set_idle(struct loop *l, uint64_t (*fn)(void *ctx), void *ctx);

/** Run until loop_stop(). */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);
/** Run the posted calls that wait, at the end: nobody posts any more. */
void loop_drain(struct loop *l);

#endif
