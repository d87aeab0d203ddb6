/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ipc/t_chan.c - the channel: datagrams, descriptors, credentials,
 * the queue.
 */
#include "daemon/ipc/chan.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "daemon/ipc/gate.h"
#include "test/lib/test.h"

static struct view
text(const char *s)
{
	return (struct view){ (const uint8_t *)s, strlen(s) };
}

static unsigned
fds_open(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* Two ends in this process. */
static void
pair(struct ipc_chan **a, struct ipc_chan **b, unsigned n_fd)
{
	struct ipc_peer peer = { .uid = getuid(), .n_fd = n_fd };
	int fd[2];

	assert_int_equal(ipc_chan_pair(fd), 0);
	assert_int_equal(ipc_chan_new(a, fd[0], &peer), 0);
	assert_int_equal(ipc_chan_new(b, fd[1], &peer), 0);
}

TEST(datagrams_arrive_whole_and_in_order)
{
	struct ipc_chan *a, *b;
	struct view v;

	pair(&a, &b, 0);
	assert_int_equal(ipc_chan_recv(b, &v, NULL, NULL), ERR_AGAIN);
	assert_int_equal(ipc_chan_send(a, text("one"), NULL, 0), 0);
	assert_int_equal(ipc_chan_send(a, text("second"), NULL, 0), 0);
	assert_int_equal(ipc_chan_recv(b, &v, NULL, NULL), 0);
	assert_int_equal(v.len, 3);
	assert_memory_equal(v.p, "one", 3);
	ipc_chan_done(b);
	assert_int_equal(v.p[0], 0);		/* wiped */
	assert_int_equal(ipc_chan_recv(b, &v, NULL, NULL), 0);
	assert_memory_equal(v.p, "second", 6);
	assert_int_equal(ipc_chan_pid(b), getpid());
	ipc_chan_free(a);
	assert_int_equal(ipc_chan_recv(b, &v, NULL, NULL), ERR_CLOSED);
	ipc_chan_free(b);
}

TEST(descriptors_are_handed_over_and_the_senders_copy_is_closed)
{
	int got[IPC_FD_MAX], p[2];
	struct ipc_chan *a, *b;
	unsigned n = 0, before;
	struct view v;
	char c = 0;

	pair(&a, &b, IPC_FD_MAX);
	before = fds_open();
	assert_int_equal(pipe(p), 0);
	assert_int_equal(ipc_chan_send(a, text("x"), &p[1], 1), 0);
	assert_int_equal(fcntl(p[1], F_GETFD), -1);
	assert_int_equal(ipc_chan_recv(b, &v, got, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(fcntl(got[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(write(got[0], "k", 1), 1);
	assert_int_equal(read(p[0], &c, 1), 1);
	assert_int_equal(c, 'k');
	close(got[0]);
	close(p[0]);
	assert_int_equal(fds_open(), before);
	ipc_chan_free(a);
	ipc_chan_free(b);
}

TEST(unwanted_descriptors_are_refused_and_closed)
{
	struct ipc_chan *a, *b;
	unsigned before, n = 0;
	struct view v;
	int fds[3];

	pair(&a, &b, 0);
	before = fds_open();
	for (unsigned i = 0; i < 3; i++)
		fds[i] = dup(0);
	assert_int_equal(ipc_chan_send(a, text("x"), fds, 3), 0);
	assert_int_equal(ipc_chan_recv(b, &v, NULL, &n), ERR_PERM);
	assert_int_equal(fds_open(), before);
	ipc_chan_free(a);
	ipc_chan_free(b);
}

TEST(more_descriptors_than_agreed_are_refused_and_closed)
{
	int fds[IPC_FD_MAX], got[IPC_FD_MAX];
	struct ipc_chan *a, *b;
	unsigned before, n = 0;
	struct view v;

	pair(&a, &b, 2);
	before = fds_open();
	for (unsigned i = 0; i < 3; i++)
		fds[i] = dup(0);
	assert_int_equal(ipc_chan_send(a, text("x"), fds, 3), 0);
	assert_int_equal(ipc_chan_recv(b, &v, got, &n), ERR_PERM);
	assert_int_equal(fds_open(), before);
	ipc_chan_free(a);
	ipc_chan_free(b);
}

TEST(another_user_is_refused)
{
	struct ipc_peer peer = { .uid = getuid() + 1 };
	struct ipc_chan *b;
	struct view v;
	int fd[2];

	assert_int_equal(ipc_chan_pair(fd), 0);
	assert_int_equal(ipc_chan_new(&b, fd[1], &peer), 0);
	assert_int_equal(send(fd[0], "x", 1, 0), 1);
	assert_int_equal(ipc_chan_recv(b, &v, NULL, NULL), ERR_CRED);
	close(fd[0]);
	ipc_chan_free(b);
}

TEST(another_process_with_the_same_user_is_refused)
{
	struct ipc_peer peer = { .uid = getuid() };
	struct ipc_chan *b;
	struct view v;
	int fd[2], st;
	pid_t pid;

	assert_int_equal(ipc_chan_pair(fd), 0);
	assert_int_equal(ipc_chan_new(&b, fd[1], &peer), 0);
	assert_int_equal(send(fd[0], "x", 1, 0), 1);	/* fixes the pid */
	assert_int_equal(ipc_chan_recv(b, &v, NULL, NULL), 0);
	if ((pid = fork()) == 0)
		_exit(send(fd[0], "y", 1, 0) == 1 ? 0 : 1);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(st, 0);
	assert_int_equal(ipc_chan_recv(b, &v, NULL, NULL), ERR_CRED);
	close(fd[0]);
	ipc_chan_free(b);
}

TEST(oversized_datagrams_are_refused)
{
	static uint8_t big[IPC_MSG_MAX + 100];
	struct ipc_peer peer = { .uid = getuid() };
	struct ipc_chan *b;
	struct view v;
	int fd[2];

	assert_int_equal(ipc_chan_pair(fd), 0);
	assert_int_equal(ipc_chan_new(&b, fd[1], &peer), 0);
	for (size_t n = IPC_MSG_MAX; n <= IPC_MSG_MAX + 2; n++) {
		assert_int_equal(send(fd[0], big, n, 0), n);
		assert_int_equal(ipc_chan_recv(b, &v, NULL, NULL),
		    n > IPC_MSG_MAX ? ERR_LONG : 0);
	}
	v = (struct view){ big, sizeof(big) };
	assert_int_equal(ipc_chan_send(b, v, NULL, 0), ERR_LONG);
	close(fd[0]);
	ipc_chan_free(b);
}

TEST(a_reader_who_does_not_read_fills_a_bounded_queue)
{
	static uint8_t body[4096];
	struct view v = { body, sizeof(body) };
	struct ipc_chan *a, *b;
	unsigned n = 0, got = 0;
	int err;

	pair(&a, &b, 0);
	while ((err = ipc_chan_send(a, v, NULL, 0)) == 0)
		n++;
	assert_int_equal(err, ERR_FULL);
	assert_true(ipc_chan_is_waiting(a));
	assert_true(n > IPC_QUEUE_MAX);
	while (ipc_chan_recv(b, &v, NULL, NULL) == 0) {
		got++;
		assert_int_equal(ipc_chan_flush(a), 0);
	}
	assert_int_equal(got, n);
	assert_false(ipc_chan_is_waiting(a));
	ipc_chan_free(a);
	ipc_chan_free(b);
}

TEST(freeing_a_channel_closes_the_descriptors_that_wait)
{
	static uint8_t body[4096];
	struct view v = { body, sizeof(body) };
	unsigned before = fds_open();
	struct ipc_chan *a, *b;
	int fd;

	pair(&a, &b, IPC_FD_MAX);
	while (!ipc_chan_is_waiting(a))
		assert_int_equal(ipc_chan_send(a, v, NULL, 0), 0);
	fd = dup(0);
	assert_int_equal(ipc_chan_send(a, v, &fd, 1), 0);
	ipc_chan_free(a);
	ipc_chan_free(b);
	assert_int_equal(fds_open(), before);
}

TEST(sending_to_a_closed_end_says_so)
{
	struct ipc_chan *a, *b;

	pair(&a, &b, 0);
	ipc_chan_free(b);
	assert_int_equal(ipc_chan_send(a, text("x"), NULL, 0), ERR_CLOSED);
	ipc_chan_free(a);
}

TEST(posting_passes_the_gate_or_closes_the_descriptors)
{
	struct ipc_chan *a, *b;
	struct ipc_gate g;
	struct ipc_msg m;
	struct view v;
	int fd = dup(0);

	pair(&a, &b, 0);
	assert_int_equal(ipc_gate_init(&g, IPC_MAIN, 0), 0);
	ipc_msg_init(&m, IPC_TAP_OPEN);
	m.ticket = 4;
	assert_int_equal(ipc_post(a, &g, &m, &fd, 1), ERR_GATE);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	ipc_msg_init(&m, IPC_HELLO);
	assert_int_equal(ipc_post(a, &g, &m, NULL, 0), 0);
	assert_int_equal(ipc_chan_recv(b, &v, NULL, NULL), 0);
	assert_int_equal(ipc_msg_decode(&m, v.p, v.len), 0);
	assert_int_equal(m.type, IPC_HELLO);
	ipc_gate_fini(&g);
	ipc_chan_free(a);
	ipc_chan_free(b);
}
