/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ipc/t_visit.c - questions over a Unix socket that listens.
 */
#include "daemon/ipc/visit.h"
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "test/lib/test.h"

static struct {
	int fd;
	struct sockaddr_un at;
	socklen_t len;
	struct visit *v;
	struct visit_who who;
	unsigned n;
} w;

/* "?" is answered by "!", anything else by nothing. */
static int
ask(void *ctx UNUSED, const struct visit_who *who, const uint8_t *p, size_t len,
    uint8_t out[VISIT_BYTES_MAX])
{
	w.who = *who;
	w.n++;
	if (len != 1 || *p != '?')
		return ERR_SYNTAX;
	out[0] = '!';
	return 1;
}

static void
begin(uid_t owner, pid_t super)
{
	const struct visit_ops ops = { .ask = ask };

	memset(&w, 0, sizeof(w));
	w.fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	w.at.sun_family = AF_UNIX;
	w.len = sizeof(w.at.sun_family);	/* a name the kernel chooses */
	assert_int_equal(bind(w.fd, (struct sockaddr *)&w.at, w.len), 0);
	w.len = sizeof(w.at);
	assert_int_equal(getsockname(w.fd, (struct sockaddr *)&w.at, &w.len), 0);
	assert_int_equal(listen(w.fd, 16), 0);
	assert_int_equal(visit_new(&w.v, &ops, w.fd, owner, super), 0);
}

static void
end(void)
{
	visit_free(w.v);
	close(w.fd);
}

/* All that is there is done. */
static void
turn(void)
{
	struct pollfd p[VISIT_FDS];
	unsigned n;

	while (n = visit_poll(w.v, p), poll(p, n, 0) > 0)
		visit_input(w.v, p, n);
}

static int
caller(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&w.at, w.len), 0);
	turn();
	return fd;
}

/* What comes back; 0: the connection is over. */
static char
say(int fd, const char *text)
{
	char c = 0;

	(void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
	turn();
	return recv(fd, &c, 1, 0) == 1 ? c : 0;
}

TEST(one_datagram_in_and_one_out)
{
	int a, b;

	begin(geteuid(), 0);
	a = caller();
	b = caller();
	assert_int_equal(say(a, "?"), '!');
	assert_int_equal(say(b, "?"), '!');
	assert_int_equal(w.who.uid, geteuid());
	assert_false(w.who.is_super);
	assert_int_equal(say(a, "x"), 0);
	assert_int_equal(say(a, "?"), 0);	/* that one is over */
	assert_int_equal(say(b, "?"), '!');
	assert_int_equal(w.n, 4);
	close(a);
	close(b);
	turn();
	end();
}

TEST(too_long_a_datagram_is_no_question)
{
	static char text[VISIT_BYTES_MAX + 2];
	int a;

	memset(text, '?', sizeof(text) - 1);
	begin(geteuid(), 0);
	a = caller();
	assert_int_equal(say(a, text), 0);
	assert_int_equal(w.n, 0);
	close(a);
	end();
}

TEST(a_crowd_does_not_close_who_is_there_nor_the_supervisor)
{
	int fd[VISIT_MAX + 1];

	begin(geteuid(), getpid());
	for (unsigned i = 0; i <= VISIT_MAX; i++) {
		fd[i] = caller();
		assert_int_equal(say(fd[i], "?"), '!');
		assert_true(w.who.is_super);
	}
	/* it has one connection, the last */
	for (unsigned i = 0; i < VISIT_MAX; i++)
		assert_int_equal(say(fd[i], "?"), 0);
	for (unsigned i = 0; i <= VISIT_MAX; i++)
		close(fd[i]);
	end();
	begin(geteuid(), 0);
	for (unsigned i = 0; i <= VISIT_MAX; i++)
		fd[i] = caller();
	for (unsigned i = 0; i <= VISIT_MAX; i++)
		assert_int_equal(say(fd[i], "?"), i < VISIT_MAX ? '!' : 0);
	for (unsigned i = 0; i <= VISIT_MAX; i++)
		close(fd[i]);
	end();
}

TEST(whoever_is_neither_root_nor_the_owner_is_not_heard)
{
	int a;

	if (geteuid() == 0 && seteuid(65534) != 0)
		return;
	begin(geteuid() + 1, 0);
	a = caller();
	assert_int_equal(say(a, "?"), 0);
	assert_int_equal(w.n, 0);
	close(a);
	end();
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
}
