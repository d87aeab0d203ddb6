/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_loop.c - epoll, timers and calls from other threads.
 */
#include "daemon/core/loop.h"
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/thr.h"
#include "test/lib/test.h"

struct seen {
	struct loop *l;
	unsigned n, n_want;
	int fd;
	char last;
};

static void
on_fd(void *ctx, int fd, uint32_t events)
{
	struct seen *s = ctx;

	assert_true((events & EPOLLIN) != 0);
	assert_int_equal(read(fd, &s->last, 1), 1);
	if (++s->n == s->n_want)
		loop_stop(s->l);
}

static void
on_post(void *ctx, void *item)
{
	struct seen *s = ctx;

	s->fd = *(int *)item;
	if (++s->n == s->n_want)
		loop_stop(s->l);
}

static void
on_timer(void *ctx)
{
	struct seen *s = ctx;

	s->n++;
	loop_stop(s->l);
}

TEST(loop_calls_back_for_a_readable_descriptor)
{
	struct seen s = { .n_want = 2 };
	int p[2];

	assert_int_equal(loop_new(&s.l), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
	assert_int_equal(loop_add(s.l, p[0], on_fd, &s), 0);
	assert_int_equal(write(p[1], "ab", 2), 2);
	loop_run(s.l);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.last, 'b');
	loop_free(s.l);
	close(p[0]);
	close(p[1]);
}

static void
del_other(void *ctx, int fd, uint32_t events UNUSED)
{
	struct seen *s = ctx;

	s->n++;
	loop_del(s->l, fd);
	loop_del(s->l, s->fd); /* its event may already be fetched */
	loop_stop(s->l);
}

TEST(loop_forgets_events_of_a_descriptor_deleted_in_between)
{
	struct seen s = { 0 };
	int a[2], b[2];

	assert_int_equal(loop_new(&s.l), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, b), 0);
	s.fd = b[0];
	assert_int_equal(loop_add(s.l, a[0], del_other, &s), 0);
	assert_int_equal(loop_add(s.l, b[0], on_fd, &s), 0);
	assert_int_equal(write(a[1], "x", 1), 1);
	loop_run(s.l);
	assert_int_equal(s.n, 1);
	loop_free(s.l);
	for (int i = 0; i < 2; i++) {
		close(a[i]);
		close(b[i]);
	}
}

static void
post_many(void *ctx)
{
	struct seen *s = ctx;
	static int seven = 7;

	for (unsigned i = 0; i < s->n_want; i++)
		while (loop_post(s->l, on_post, s, &seven) != 0)
			continue;
}

TEST(loop_runs_every_call_posted_by_another_thread)
{
	struct seen s = { .n_want = 20000 };
	struct thr *t;

	assert_int_equal(loop_new(&s.l), 0);
	assert_int_equal(thr_start(&t, "poster", post_many, &s), 0);
	loop_run(s.l);
	thr_join(t);
	assert_int_equal(s.n, s.n_want);
	assert_int_equal(s.fd, 7);
	loop_free(s.l);
}

TEST(loop_refuses_a_call_when_its_queue_is_full)
{
	struct seen s = { .n_want = UINT32_MAX };
	int item = 1, err = 0, n = 0;

	assert_int_equal(loop_new(&s.l), 0);
	while ((err = loop_post(s.l, on_post, &s, &item)) == 0)
		n++;
	assert_int_equal(err, ERR_FULL);
	assert_in_range(n, 1000, 100000);
	s.n_want = (unsigned)n;
	loop_run(s.l); /* all that was taken is run */
	assert_int_equal(s.n, n);
	loop_free(s.l);
}

TEST(loop_fires_a_timer)
{
	struct seen s = { 0 };
	struct tmr t;

	assert_int_equal(loop_new(&s.l), 0);
	tmr_init(&t, on_timer, &s);
	assert_int_equal(tmr_start(loop_timers(s.l), &t, clk_ms() + 5), 0);
	loop_run(s.l);
	assert_int_equal(s.n, 1);
	loop_free(s.l);
}

static uint64_t
stop_soon(void *ctx)
{
	struct seen *s = ctx;

	if (s->n_want-- == 0)
		loop_stop(s->l);
	return 0;
}

TEST(loop_does_not_call_for_input_nobody_wants_now_and_runs_again)
{
	struct seen s = { .n_want = 4 };
	int p[2];

	assert_int_equal(loop_new(&s.l), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
	assert_int_equal(loop_add(s.l, p[0], on_fd, &s), 0);
	loop_want_in(s.l, p[0], false);
	assert_int_equal(write(p[1], "ab", 2), 2);
	loop_set_idle(s.l, stop_soon, &s);
	loop_run(s.l);
	assert_int_equal(s.n, 0);
	loop_want_in(s.l, p[0], true);
	s.n_want = 4;
	loop_run(s.l);
	assert_int_equal(s.n, 2);
	loop_free(s.l);
	close(p[0]);
	close(p[1]);
}

TEST(loop_drain_runs_what_was_posted_and_free_drops_the_rest)
{
	struct seen s = { .n_want = 100 };
	int item = 3;

	assert_int_equal(loop_new(&s.l), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(loop_post(s.l, on_post, &s, &item), 0);
	loop_drain(s.l);
	assert_int_equal(s.n, 5);
	assert_int_equal(loop_post(s.l, on_post, &s, &item), 0);
	loop_free(s.l); /* AddressSanitizer would see a leak */
	assert_int_equal(s.n, 5);
}
