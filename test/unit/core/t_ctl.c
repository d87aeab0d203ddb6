/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_ctl.c - clients of the control socket that misbehave.
 */
#include "daemon/core/ctl.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "daemon/bus/bus.h"
#include "daemon/bus/bus_wire.h"
#include "daemon/core/loop.h"
#include "daemon/core/sock.h"
#include "test/lib/test.h"

#define STRANGER 64999 /* a user who may not command */
#define ROUNDS	 8     /* of the loop in one turn() */

struct world {
	struct vpn v;
	struct ctl *ctl;
	char path[64];
	int listener;
	unsigned rounds;
};

static uint64_t
count_round(void *ctx)
{
	struct world *w = ctx;

	if (++w->rounds >= ROUNDS)
		loop_stop(w->v.loop);
	return 0;
}

/* Let the loop do what is to be done now. */
static void
turn(struct world *w)
{
	w->rounds = 0;
	loop_run(w->v.loop);
}

static void
world_new(struct world *w)
{
	char why[256];

	memset(w, 0, sizeof(*w));
	snprintf(w->path, sizeof(w->path), "/tmp/t_ctl.%d", (int)getpid());
	w->listener = sock_ctl(w->path, 0666, why, sizeof(why));
	assert_true(w->listener >= 0);
	assert_int_equal(loop_new(&w->v.loop), 0);
	assert_int_equal(bus_new(&w->v.bus), 0);
	assert_int_equal(ctl_new(&w->ctl, &w->v, w->listener,
				 geteuid() == 0 ? 0 : geteuid()), 0);
	loop_set_idle(w->v.loop, count_round, w);
}

static void
world_free(struct world *w)
{
	ctl_free(w->ctl);
	loop_free(w->v.loop);
	bus_free(w->v.bus);
	close(w->listener);
	unlink(w->path);
}

static int
client(struct world *w)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", w->path);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	turn(w);
	return fd;
}

static int
stranger(struct world *w)
{
	int fd;

	assert_int_equal(seteuid(STRANGER), 0);
	fd = client(w);
	assert_int_equal(seteuid(0), 0);
	return fd;
}

/* Send a command; false when the socket is full. */
static bool
ask(int fd, enum bus_row row, uint32_t tag, bool is_follow)
{
	uint8_t bytes[BUS_WIRE_MAX];
	struct bus_rec r;
	int len;

	bus_rec_init(&r, row);
	if (row == BUS_CMD_LOG)
		bus_set_bool(&r, BUS_F_IS_FOLLOW, is_follow);
	r.tag = tag;
	len = bus_enc_buf(&r, bytes, sizeof(bytes));
	assert_true(len > 0);
	if (send(fd, bytes, (size_t)len, MSG_NOSIGNAL) == len)
		return true;
	assert_int_equal(errno, EAGAIN);
	return false;
}

/* Next record: 1, 0 at the end of the connection, -1 when nothing is there. */
static int
next(int fd, struct bus_rec *r)
{
	uint8_t bytes[BUS_WIRE_MAX];
	ssize_t n = recv(fd, bytes, sizeof(bytes), 0);

	if (n < 0 && errno == EAGAIN)
		return -1;
	if (n <= 0)
		return 0;
	assert_int_equal(bus_dec(bytes, (size_t)n, r), 0);
	return 1;
}

static void
assert_served(struct world *w, int fd, uint32_t tag)
{
	struct bus_rec r;

	assert_true(ask(fd, BUS_CMD_PING_DAEMON, tag, false));
	turn(w);
	assert_int_equal(next(fd, &r), 1);
	assert_int_equal(r.desc->row, BUS_RES_DAEMON);
	assert_int_equal(r.tag, tag);
	assert_int_equal(next(fd, &r), 1);
	assert_int_equal(r.desc->row, BUS_RES_DONE);
	assert_int_equal(r.tag, tag);
}

static void
publish(struct world *w, unsigned n)
{
	struct bus_rec r;

	for (unsigned i = 0; i < n; i++) {
		bus_rec_init(&r, BUS_EV_WARNING);
		bus_set_str(&r, BUS_F_CODE, "test");
		bus_set_fmt(&r, BUS_F_TEXT, "%0200u", i);
		bus_publish(w->v.bus, &r);
	}
}

TEST(ctl_answers_under_the_tag_of_the_command)
{
	struct world w;
	int fd;

	world_new(&w);
	fd = client(&w);
	assert_served(&w, fd, 17);
	assert_served(&w, fd, 18);
	close(fd);
	world_free(&w);
}

TEST(ctl_reads_the_log_several_times_on_one_connection)
{
	unsigned n_event[3] = { 0 }, n_done[3] = { 0 };
	struct bus_rec r;
	struct world w;
	int fd, got;

	world_new(&w);
	fd = client(&w);
	publish(&w, 3);
	assert_true(ask(fd, BUS_CMD_LOG, 1, true));
	assert_true(ask(fd, BUS_CMD_LOG, 2, false));
	turn(&w);
	publish(&w, 1);
	turn(&w);
	while ((got = next(fd, &r)) == 1) {
		assert_true(r.tag == 1 || r.tag == 2);
		if (r.desc->class == BUS_EVENT)
			n_event[r.tag]++;
		else
			n_done[r.tag] += r.desc->row == BUS_RES_DONE;
	}
	assert_int_equal(got, -1);
	assert_int_equal(n_event[1], 4); /* goes on */
	assert_int_equal(n_done[1], 0);
	assert_int_equal(n_event[2], 3); /* what there was, and its end */
	assert_int_equal(n_done[2], 1);
	close(fd);
	world_free(&w);
}

TEST(ctl_knows_the_channel_of_the_web_and_who_asks_there)
{
	char user[CTL_USER_MAX];
	uint8_t bytes[BUS_WIRE_MAX];
	struct bus_rec r;
	struct world w;
	int pair[2], len;

	world_new(&w);
	assert_null(ctl_web(w.ctl));
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0,
				    pair), 0);
	assert_int_equal(ctl_adopt_web(w.ctl, pair[0]), 0);
	assert_non_null(ctl_web(w.ctl));
	assert_int_not_equal(ctl_id(ctl_web(w.ctl)), 0); /* answered later */
	bus_rec_init(&r, BUS_RES_WEB_USER);
	bus_set_str(&r, BUS_F_NAME, "hanako");
	len = bus_enc_buf(&r, bytes, sizeof(bytes));
	assert_int_equal(send(pair[1], bytes, (size_t)len, 0), len);
	turn(&w);
	assert_int_equal(next(pair[1], &r), -1); /* it is no command */
	assert_string_equal(ctl_user(ctl_web(w.ctl), user), "hanako by the web");
	assert_served(&w, pair[1], 5);
	close(pair[1]);
	turn(&w);
	assert_null(ctl_web(w.ctl));
	world_free(&w);
}

TEST(ctl_refuses_other_users_once_and_closes)
{
	struct world w;
	struct bus_rec r;
	int fd;

	if (geteuid() != 0)
		skip();
	world_new(&w);
	fd = stranger(&w);
	assert_true(ask(fd, BUS_CMD_PING_DAEMON, 5, false));
	turn(&w);
	assert_int_equal(next(fd, &r), 1);
	assert_int_equal(r.desc->row, BUS_RES_FAILED);
	assert_int_equal(r.tag, 5);
	assert_string_equal(bus_str(&r, BUS_F_CODE), "ERR_PERM");
	assert_int_equal(next(fd, &r), 0);
	close(fd);
	world_free(&w);
}

TEST(ctl_has_places_left_whatever_other_users_do)
{
	enum { N = 100 };
	struct world w;
	int fd[N], own;

	if (geteuid() != 0)
		skip();
	world_new(&w);
	for (int i = 0; i < N; i++)
		fd[i] = stranger(&w);
	own = client(&w);
	assert_served(&w, own, 1);
	for (int i = 0; i < N; i++)
		close(fd[i]);
	turn(&w);
	assert_served(&w, own, 2);
	close(own);
	world_free(&w);
}

TEST(ctl_tells_a_client_too_many_why_and_serves_the_others)
{
	enum { N = 64 };
	struct world w;
	struct bus_rec r;
	int fd[N], late;

	world_new(&w);
	for (int i = 0; i < N; i++)
		fd[i] = client(&w);
	late = client(&w);
	assert_true(ask(late, BUS_CMD_PING_DAEMON, 9, false));
	turn(&w);
	assert_int_equal(next(late, &r), 1);
	assert_int_equal(r.desc->row, BUS_RES_FAILED);
	assert_string_equal(bus_str(&r, BUS_F_CODE), "ERR_FULL");
	assert_int_equal(next(late, &r), 0);
	assert_served(&w, fd[0], 1);
	assert_served(&w, fd[N - 1], 2);
	for (int i = 0; i < N; i++)
		close(fd[i]);
	turn(&w);
	close(late);
	late = client(&w);
	assert_served(&w, late, 3);
	close(late);
	world_free(&w);
}

TEST(ctl_survives_records_that_are_cut_or_garbage)
{
	uint8_t bytes[BUS_WIRE_MAX], noise[BUS_WIRE_MAX + 1000];
	struct world w;
	struct bus_rec r;
	int fd, bad, len;

	world_new(&w);
	fd = client(&w);
	bad = client(&w);
	bus_rec_init(&r, BUS_CMD_LOG);
	len = bus_enc_buf(&r, bytes, sizeof(bytes));
	for (int i = 1; i < len; i++) {
		assert_int_equal(send(bad, bytes, (size_t)i, MSG_NOSIGNAL), i);
		turn(&w);
		assert_int_equal(next(bad, &r), 1);
		assert_int_equal(r.desc->row, BUS_RES_FAILED);
		assert_int_equal(next(bad, &r), -1);
	}
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)(i * 151 + test_seed());
	for (size_t i = 1; i < 200; i += 7) {
		assert_int_equal(send(bad, noise + i, i, MSG_NOSIGNAL), i);
		turn(&w);
		assert_int_equal(next(bad, &r), 1);
	}
	/* an answer is not a command */
	bus_rec_init(&r, BUS_RES_DONE);
	len = bus_enc_buf(&r, bytes, sizeof(bytes));
	assert_int_equal(send(bad, bytes, (size_t)len, MSG_NOSIGNAL), len);
	turn(&w);
	assert_int_equal(next(bad, &r), 1);
	assert_int_equal(r.desc->row, BUS_RES_FAILED);
	/* longer than any record: the end */
	assert_int_equal(send(bad, noise, sizeof(noise), MSG_NOSIGNAL),
			 sizeof(noise));
	turn(&w);
	assert_int_equal(next(bad, &r), 0);
	assert_served(&w, fd, 4);
	close(fd);
	close(bad);
	world_free(&w);
}

TEST(ctl_takes_no_commands_from_a_client_that_does_not_read)
{
	struct world w;
	struct bus_rec r;
	unsigned n_sent = 0, n_done = 0;
	int fd;

	world_new(&w);
	fd = client(&w);
	while (ask(fd, BUS_CMD_PING_DAEMON, n_sent + 1, false)) {
		assert_true(++n_sent < 20000);
		if (n_sent % 64 == 0)
			turn(&w);
	}
	/* once it reads, every command has its answer, in order */
	for (unsigned idle = 0; idle < 4; turn(&w), idle++)
		while (next(fd, &r) == 1) {
			idle = 0;
			if (r.desc->row == BUS_RES_DONE)
				assert_int_equal(r.tag, ++n_done);
		}
	assert_int_equal(n_done, n_sent);
	close(fd);
	world_free(&w);
}

TEST(ctl_gives_all_of_the_log_to_a_slow_reader)
{
	struct world w;
	struct bus_rec r;
	uint64_t seq = 0;
	unsigned n = 0;
	bool is_done = false;
	int fd;

	world_new(&w);
	publish(&w, 2500);
	fd = client(&w);
	assert_true(ask(fd, BUS_CMD_LOG, 3, false));
	for (unsigned i = 0; i < 10000 && !is_done; i++) {
		turn(&w);
		if (next(fd, &r) != 1)
			continue;
		assert_int_equal(r.tag, 3);
		is_done = r.desc->row == BUS_RES_DONE;
		if (is_done || r.desc->row == BUS_RES_LOST)
			continue;
		assert_true(r.seq > seq);
		seq = r.seq;
		n++;
	}
	assert_true(is_done);
	assert_int_equal(seq, 2500);
	assert_in_range(n, 1000, 2500);
	assert_served(&w, fd, 4);
	close(fd);
	world_free(&w);
}

TEST(ctl_sends_the_newest_when_it_is_asked_for_so_many)
{
	static const struct {
		unsigned n_event;
		uint64_t limit, first;
	} tries[] = {
		{ 20, 5, 16 }, { 20, 20, 1 }, { 20, 21, 1 }, { 20, 1, 20 },
		{ 9000, 3, 8998 }, { 0, 3, 0 },
	};
	uint8_t bytes[BUS_WIRE_MAX];
	struct world w;
	struct bus_rec r;
	int fd, len;

	for (unsigned i = 0; i < N_OF(tries); i++) {
		uint64_t seq = tries[i].first;

		world_new(&w);
		publish(&w, (int)tries[i].n_event);
		fd = client(&w);
		bus_rec_init(&r, BUS_CMD_LOG);
		bus_set_u64(&r, BUS_F_LIMIT, tries[i].limit);
		r.tag = 9;
		len = bus_enc_buf(&r, bytes, sizeof(bytes));
		assert_int_equal(send(fd, bytes, (size_t)len, 0), len);
		turn(&w);
		while (next(fd, &r) == 1 && r.desc->class == BUS_EVENT)
			assert_int_equal(r.seq, seq++);
		assert_int_equal(r.desc->row, BUS_RES_DONE);
		assert_int_equal(seq, tries[i].n_event == 0 ? 0 :
				 tries[i].n_event + 1);
		close(fd);
		world_free(&w);
	}
}

TEST(ctl_tells_a_follower_what_it_was_too_slow_for)
{
	struct world w;
	struct bus_rec r;
	uint64_t seq = 0, n_lost = 0, n = 0;
	int fd, other;

	world_new(&w);
	fd = client(&w);
	other = client(&w);
	assert_true(ask(fd, BUS_CMD_LOG, 3, true));
	for (int i = 0; i < 100; i++) {
		publish(&w, 400);
		turn(&w);
	}
	assert_served(&w, other, 1);
	for (unsigned idle = 0; idle < 4; turn(&w), idle++)
		while (next(fd, &r) == 1) {
			idle = 0;
			if (r.desc->row == BUS_RES_LOST) {
				n_lost += bus_u64(&r, BUS_F_N_LOST);
				continue;
			}
			assert_int_equal(r.desc->row, BUS_EV_WARNING);
			assert_true(r.seq > seq);
			seq = r.seq;
			n++;
		}
	assert_int_equal(seq, 40000);
	assert_true(n_lost > 0);
	assert_int_equal(n + n_lost, 40000);
	publish(&w, 1); /* and it goes on */
	turn(&w);
	assert_int_equal(next(fd, &r), 1);
	assert_int_equal(r.seq, 40001);
	close(fd);
	close(other);
	world_free(&w);
}

TEST(ctl_forgets_clients_that_go_in_the_middle_of_an_answer)
{
	struct world w;
	int fd, other;

	world_new(&w);
	other = client(&w);
	publish(&w, 4000);
	for (int i = 0; i < 8; i++) {
		fd = client(&w);
		assert_true(ask(fd, BUS_CMD_LOG, 3, i % 2 == 0));
		if (i < 4)
			turn(&w);
		close(fd);
		publish(&w, 10);
		if (i % 3 == 0)
			turn(&w);
	}
	turn(&w);
	assert_served(&w, other, 2);
	close(other);
	world_free(&w);
}
