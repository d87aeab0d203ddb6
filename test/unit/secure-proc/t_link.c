/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_link.c - the verify child as a process: answers, its
 * death, its silence, and how much may wait.
 */
#include "secure-proc/verify/link.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "secure-proc/verify/wire.h"
#include "test/unit/secure-proc/chains.h"

static uint64_t got_number;
static unsigned n_got;
static struct sec_checked got;

static void
on_answer(void *ctx UNUSED, uint64_t number, const struct sec_checked *a)
{
	got_number = number;
	got = *a;
	n_got++;
}

static struct sec_check
question(void)
{
	return (struct sec_check){
		.realm = OFF, .peer = 0, .now = PKI_NOW, .method = 14,
		.id = kit_view("\2\0\0\0x", 5), .cert = kit_view(bodies, 0),
		.auth = kit_view("a", 1), .init_msg = kit_view("i", 1),
		.nonce = kit_view("n", 1), .maced_id = kit_view("m", 1),
	};
}

/* The other end is the test itself. */
static struct sec_link *
link_open(int *other, int *ctl)
{
	struct sec_link *l;
	struct sec_child c;
	int sv[2], p[2];

	n_got = 0;
	got_number = 0;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv), 0);
	assert_int_equal(pipe(p), 0);
	c.fd = sv[0];
	c.ctl_fd = p[1];
	*other = sv[1];
	*ctl = p[0];
	assert_int_equal(sec_link_new(&l, &c), 0);
	sec_link_to(l, on_answer, NULL);
	return l;
}

static uint64_t
read_ask(int fd)
{
	static uint8_t buf[SEC_WIRE_MAX];
	struct sec_check q;
	uint64_t number;
	ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

	assert_true(n > 0);
	assert_int_equal(sec_ask_dec(kit_view(buf, (size_t)n), &number, &q),
	    0);
	return number;
}

static void
say(int fd, uint64_t number, int err)
{
	struct sec_checked a = { .err = err };
	uint8_t out[1024];
	size_t len;

	assert_int_equal(sec_answer_enc(number, &a, out, sizeof(out), &len), 0);
	assert_int_equal(send(fd, out, len, 0), len);
}

TEST(one_question_is_with_the_child_and_the_others_follow_in_order)
{
	struct sec_check q = question();
	struct sec_link *l;
	int fd, ctl;

	l = link_open(&fd, &ctl);
	for (uint64_t i = 1; i <= 3; i++)
		assert_int_equal(sec_link_ask(l, i, &q, 0), 0);
	for (uint64_t i = 1; i <= 3; i++) {
		assert_int_equal(read_ask(fd), i);
		say(fd, i, 0);
		sec_link_input(l, 0);
		assert_int_equal(got_number, i);
	}
	say(fd, 3, 0);			/* again: nobody asked */
	sec_link_input(l, 0);
	assert_int_equal(n_got, 3);
	sec_link_free(l);
	close(fd);
	close(ctl);
}

TEST(a_question_over_which_two_children_end_is_refused)
{
	struct sec_check q = question();
	struct sec_link *l;
	int fd, ctl;

	l = link_open(&fd, &ctl);
	say(fd, 0, 0);
	sec_link_input(l, 0);
	assert_int_equal(n_got, 0);	/* nothing was asked yet */
	assert_int_equal(sec_link_ask(l, 1, &q, 0), 0);
	assert_int_equal(sec_link_ask(l, 2, &q, 0), 0);
	(void)read_ask(fd);
	say(fd, 0, 0);
	sec_link_input(l, 0);
	assert_int_equal(n_got, 0);
	assert_int_equal(read_ask(fd), 1);	/* once more */
	say(fd, 0, 0);
	sec_link_input(l, 0);
	assert_int_equal(n_got, 1);
	assert_int_equal(got_number, 1);
	assert_int_equal(got.err, ERR_AGAIN);
	assert_int_equal(read_ask(fd), 2);
	sec_link_free(l);
	close(fd);
	close(ctl);
}

TEST(a_child_that_hangs_is_ended)
{
	struct sec_check q = question();
	struct sec_link *l;
	int fd, ctl;
	char b;

	l = link_open(&fd, &ctl);
	assert_int_equal(sec_link_due(l, 0), -1);
	assert_int_equal(sec_link_ask(l, 1, &q, 1000), 0);
	assert_int_equal(sec_link_due(l, 1000), SEC_LINK_WAIT_MS);
	sec_link_tick(l, 1000 + SEC_LINK_WAIT_MS - 1);
	assert_int_equal(n_got, 0);
	sec_link_tick(l, 1000 + SEC_LINK_WAIT_MS);
	assert_int_equal(n_got, 1);
	assert_int_equal(got.err, ERR_AGAIN);
	assert_int_equal(read(ctl, &b, 1), 1);
	say(fd, 1, 0);			/* too late */
	sec_link_input(l, 5000);
	assert_int_equal(n_got, 1);
	sec_link_free(l);
	close(fd);
	close(ctl);
}

TEST(no_more_than_so_much_waits)
{
	struct sec_check q = question();
	struct sec_link *l;
	int fd, ctl, err = 0;
	unsigned n = 0;

	l = link_open(&fd, &ctl);
	while (err == 0 && n < 2 * SEC_LINK_ASKS_MAX)
		err = sec_link_ask(l, ++n, &q, 0);
	assert_int_equal(err, ERR_FULL);
	assert_int_equal(n, SEC_LINK_ASKS_MAX + 1);
	sec_link_free(l);
	close(fd);
	close(ctl);
	l = link_open(&fd, &ctl);
	q.cert.len = 65535;
	for (n = 0, err = 0; err == 0; n++)
		err = sec_link_ask(l, n + 1, &q, 0);
	assert_int_equal(err, ERR_FULL);
	assert_true(n > 100 && n < 130);	/* 8 MiB */
	close(fd);			/* both ends of it are gone */
	sec_link_input(l, 0);
	assert_int_equal(n_got, n - 1);
	assert_int_equal(sec_link_fd(l), -1);
	assert_int_equal(sec_link_ask(l, 1000, &q, 0), ERR_CLOSED);
	sec_link_free(l);
	close(ctl);
}

/* ---- the real one ------------------------------------------------------------------ */

static void
wait_answer(struct sec_link *l, unsigned n)
{
	struct pollfd p = { .events = POLLIN };

	while (n_got < n) {
		p.fd = sec_link_fd(l);
		assert_int_equal(poll(&p, 1, 20000), 1);
		sec_link_input(l, clk_ms());
	}
}

TEST(the_real_child_answers_and_comes_again_when_it_was_ended)
{
	const struct confine_user u = { .uid = geteuid(), .gid = getegid(),
		.is_rootless = true };
	struct sec_check q = question();
	struct sec_child c;
	struct sec_link *l;

	n_got = 0;
	begin();
	assert_int_equal(sec_child_start(trust, &u, &c), 0);
	assert_int_equal(sec_link_new(&l, &c), 0);
	sec_link_to(l, on_answer, NULL);
	assert_int_equal(sec_link_ask(l, 1, &q, clk_ms()), 0);
	wait_answer(l, 1);
	assert_int_equal(got.err, ERR_AUTH);
	assert_non_null(strstr(got.why, "sent no certificate"));
	assert_int_equal(write(c.ctl_fd, "k", 1), 1);
	assert_int_equal(sec_link_ask(l, 2, &q, clk_ms()), 0);
	wait_answer(l, 2);
	assert_int_equal(got.err, ERR_AUTH);
	sec_link_free(l);
	assert_true(wait(NULL) > 0);	/* the keeper goes with us */
	end();
}
