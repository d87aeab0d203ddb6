/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_cap.c - a capture: its ring, its client, its end.
 */
#include "daemon/core/cap.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "conf/conf.h"
#include "daemon/base/clk.h"
#include "daemon/base/drop.h"
#include "daemon/base/err.h"
#include "daemon/base/thr.h"
#include "daemon/bus/bus.h"
#include "daemon/bus/bus_wire.h"
#include "daemon/core/ctl.h"
#include "daemon/core/loop.h"
#include "daemon/core/sock.h"
#include "test/lib/test.h"

#define ROUNDS 8

struct world {
	struct vpn v;
	struct conf conf;
	struct ctl *ctl;
	char path[64];
	int listener, fd;
	unsigned rounds;
	/* what the client got */
	unsigned n, n_dropped;
	uint64_t n_lost;
	bool is_done, is_failed;
	struct bus_rec told;		/* the last CAPTURE */
};

static uint64_t now_ns;
static struct net_ep here, there;

static uint64_t
fake_clock(void *ctx UNUSED)
{
	return now_ns;
}

static uint64_t
count_round(void *ctx)
{
	struct world *w = ctx;

	if (++w->rounds >= ROUNDS)
		loop_stop(w->v.loop);
	return 0;
}

static void
turn(struct world *w)
{
	w->rounds = 0;
	loop_run(w->v.loop);
}

static void
begin(struct world *w)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char why[256];

	memset(w, 0, sizeof(*w));
	now_ns = 1000000000;
	clk_set_source(fake_clock, NULL);
	w->conf.nat_port = 4500;
	w->v.conf = &w->conf;
	assert_int_equal(net_ep_parse("192.0.2.1:500", &here), 0);
	assert_int_equal(net_ep_parse("192.0.2.2:500", &there), 0);
	snprintf(w->path, sizeof(w->path), "/tmp/t_cap.%d", (int)getpid());
	w->listener = sock_ctl(w->path, 0666, why, sizeof(why));
	assert_true(w->listener >= 0);
	assert_int_equal(loop_new(&w->v.loop), 0);
	assert_int_equal(bus_new(&w->v.bus), 0);
	assert_int_equal(ctl_new(&w->ctl, &w->v, w->listener, geteuid()), 0);
	w->v.ctl = w->ctl;
	loop_set_idle(w->v.loop, count_round, w);
	w->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", w->path);
	assert_int_equal(connect(w->fd, (void *)&a, sizeof(a)), 0);
	turn(w);
}

static void
end(struct world *w)
{
	if (w->fd >= 0)
		close(w->fd);
	turn(w);
	ctl_free(w->ctl);
	assert_null(capture_on(&w->v));
	thr_reclaim_all();
	loop_free(w->v.loop);
	bus_free(w->v.bus);
	close(w->listener);
	unlink(w->path);
	clk_set_source(NULL, NULL);
}

static void
command(struct world *w, struct bus_rec *r)
{
	uint8_t buf[BUS_WIRE_MAX];
	int n;

	r->tag = 7;
	n = bus_enc_buf(r, buf, sizeof(buf));
	assert_int_equal(send(w->fd, buf, (size_t)n, 0), n);
	turn(w);
}

static void
ask(struct world *w, const char *what, uint64_t seconds, uint64_t snap)
{
	struct bus_rec r;

	bus_rec_init(&r, BUS_CMD_CAPTURE);
	bus_set_str(&r, BUS_F_WHAT, what);
	bus_set_u64(&r, BUS_F_LEFT_S, seconds);
	bus_set_u64(&r, BUS_F_LIMIT, snap);
	command(w, &r);
}

static void
stop(struct world *w, uint64_t number)
{
	struct bus_rec r;

	bus_rec_init(&r, BUS_CMD_CAPTURE_STOP);
	bus_set_u64(&r, BUS_F_CAPTURE, number);
	command(w, &r);
}

/* All that is there for the client; bytes of each packet: want. */
static void
read_all(struct world *w, size_t want)
{
	static uint8_t buf[CAP_WIRE_MAX];
	struct cap_pkt p;
	struct bus_rec r;
	ssize_t n;

	for (unsigned quiet = 0; quiet < 4;) {
		if ((n = recv(w->fd, buf, sizeof(buf), MSG_DONTWAIT)) <= 0) {
			now_ns += 10000000;
			turn(w);
			quiet++;
			continue;
		}
		quiet = 0;
		if (cap_dec(buf, (size_t)n, &p) != 0) {
			assert_int_equal(bus_dec(buf, (size_t)n, &r), 0);
			w->is_done |= r.desc->row == BUS_RES_DONE;
			w->is_failed |= r.desc->row == BUS_RES_FAILED;
			if (r.desc->row == BUS_RES_CAPTURE)
				w->told = r;
		} else if (p.side == CAP_LOST) {
			w->n_lost += p.len;
		} else {
			assert_int_equal(p.bytes.len, want);
			assert_int_equal(p.bytes.p[0], 0xaa);
			w->n++;
			w->n_dropped += p.drop != CAP_NO_DROP;
		}
	}
}

static void
take(struct world *w, size_t len)
{
	static const uint8_t bytes[65536] = { 0xaa };

	capture_take_ike(capture_on(&w->v), &here, &there, false, true,
		     (struct view){ bytes, len });
}

TEST(packets_come_until_the_time_is_over)
{
	struct world w;

	begin(&w);
	assert_null(capture_on(&w.v));
	ask(&w, "ike", 5, 0);
	assert_non_null(capture_on(&w.v));
	for (int i = 0; i < 1000; i++)
		take(&w, 300);
	read_all(&w, 300);
	assert_int_equal(w.n, 1000);
	assert_false(w.is_done);
	take(&w, 300);
	now_ns += 6000000000;
	capture_tick(&w.v);
	assert_null(capture_on(&w.v));
	read_all(&w, 300);
	assert_int_equal(w.n, 1001);
	assert_true(w.is_done);
	assert_int_equal(w.n_lost, 0);
	end(&w);
}

TEST(what_finds_the_ring_full_is_counted_and_waits_for_nobody)
{
	const unsigned n = 2 * (CAP_RING_BYTES / 60000);
	struct world w;

	begin(&w);
	ask(&w, "ike", 5, 0);
	for (unsigned i = 0; i < n; i++)
		take(&w, 60000);
	read_all(&w, 60000);
	assert_true(w.n > n / 3 && w.n < n);
	now_ns += 6000000000;
	capture_tick(&w.v);
	read_all(&w, 60000);
	assert_int_equal(w.n + w.n_lost, n);
	assert_true(w.is_done);
	end(&w);
}

TEST(records_of_all_lengths_go_round_the_ring)
{
	unsigned total = 0;
	struct world w;

	begin(&w);
	ask(&w, "", 0, 77);
	for (unsigned round = 0; round < 60; round++) {
		for (unsigned i = 0; i < 2000; i++, total++)
			take(&w, 77 + (i * 31 + round) % 900);
		read_all(&w, 77);
	}
	assert_int_equal(w.n, total);
	end(&w);
}

TEST(only_what_is_wanted_is_copied)
{
	struct vpn_link link = { .id = 3, .mode = VPN_MODE_ETHER };
	struct buf_pool *pool;
	struct world w;
	struct buf *b;

	begin(&w);
	assert_int_equal(buf_pool_new(&pool, 4, BUF_ROOM_DEFAULT), 0);
	b = buf_new(pool);
	memset(buf_append(b, 64), 0xaa, 64);
	ask(&w, "dropped", 5, 0);
	capture_take_frames(capture_on(&w.v), &link, true, &b, 1);
	capture_take_in(capture_on(&w.v), &b, 1);
	take(&w, 64);
	read_all(&w, 64);
	assert_int_equal(w.n, 0);
	drop_see(DROP_HUB_RUNT, DROP_FRAME, b);
	read_all(&w, 64);
	assert_int_equal(w.n, 1);
	assert_int_equal(w.n_dropped, 1);
	now_ns += 6000000000;
	capture_tick(&w.v);
	/* nobody looks any more */
	drop_see(DROP_HUB_RUNT, DROP_FRAME, b);
	read_all(&w, 64);
	assert_int_equal(w.n, 1);
	buf_put(b);
	buf_pool_free(pool);
	end(&w);
}

TEST(a_client_that_goes_ends_it)
{
	struct world w;

	begin(&w);
	ask(&w, "", 0, 0);
	for (int i = 0; i < 100; i++)
		take(&w, 100);
	close(w.fd);
	w.fd = -1;
	turn(&w);
	assert_null(capture_on(&w.v));
	end(&w);
}

TEST(the_second_is_refused)
{
	struct world w;

	begin(&w);
	ask(&w, "", 0, 0);
	ask(&w, "", 0, 0);
	read_all(&w, 0);
	assert_true(w.is_failed);
	assert_non_null(capture_on(&w.v));
	end(&w);
}

TEST(kinds_that_are_none_are_refused)
{
	struct world w;

	begin(&w);
	ask(&w, "esp everything", 0, 0);
	read_all(&w, 0);
	assert_true(w.is_failed);
	assert_null(capture_on(&w.v));
	end(&w);
}

TEST(what_runs_is_told_and_ended_by_its_number)
{
	struct bus_rec r;
	struct world w;

	begin(&w);
	ask(&w, "ike", 0, 0);
	read_all(&w, 0);
	assert_int_equal(bus_u64(&w.told, BUS_F_CAPTURE), 1);
	take(&w, 100);
	take(&w, 100);
	now_ns += 3000000000;
	bus_rec_init(&r, BUS_CMD_CAPTURES);
	command(&w, &r);
	read_all(&w, 100);
	assert_string_equal(bus_str(&w.told, BUS_F_WHAT), "ike");
	assert_string_not_equal(bus_str(&w.told, BUS_F_USER), "");
	assert_true(bus_u64(&w.told, BUS_F_AGE_S) >= 3);
	assert_int_equal(bus_u64(&w.told, BUS_F_N_PACKET), 2);
	assert_false(w.is_failed);
	stop(&w, 2);
	read_all(&w, 100);
	assert_true(w.is_failed);
	assert_non_null(capture_on(&w.v));
	w.is_done = false;
	stop(&w, 1);
	read_all(&w, 100);
	assert_true(w.is_done);
	assert_null(capture_on(&w.v));
	w.is_failed = false;
	stop(&w, 0);
	read_all(&w, 100);
	assert_true(w.is_failed);
	end(&w);
}

TEST(it_ends_when_it_has_so_many_bytes)
{
	struct bus_rec r;
	struct world w;

	begin(&w);
	bus_rec_init(&r, BUS_CMD_CAPTURE);
	bus_set_str(&r, BUS_F_WHAT, "ike");
	bus_set_u64(&r, BUS_F_N_BYTES, 1000);
	command(&w, &r);
	for (int i = 0; i < 9; i++)
		take(&w, 100);
	read_all(&w, 100);
	assert_non_null(capture_on(&w.v));
	for (int i = 0; i < 9; i++)
		take(&w, 100);
	read_all(&w, 100);
	assert_int_equal(w.n, 10);
	assert_true(w.is_done);
	assert_null(capture_on(&w.v));
	end(&w);
}

TEST(the_web_interface_gets_packets_but_no_keys)
{
	struct bus_rec r;
	struct world w;
	int fd[2];

	begin(&w);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0,
				    fd), 0);
	assert_int_equal(ctl_adopt_web(w.ctl, fd[0]), 0);
	close(w.fd);
	w.fd = fd[1];
	bus_rec_init(&r, BUS_CMD_CAPTURE);
	bus_set_bool(&r, BUS_F_HAS_KEYS, true);
	command(&w, &r);
	read_all(&w, 0);
	assert_true(w.is_failed);
	assert_null(capture_on(&w.v));
	ask(&w, "ike", 0, 0);
	take(&w, 100);
	read_all(&w, 100);
	assert_int_equal(w.n, 1);
	end(&w);
}

struct feeder {
	pthread_t t;
	struct world *w;
};

static void *
feed(void *ctx)
{
	struct feeder *f = ctx;

	for (int i = 0; i < 3000; i++)
		take(f->w, 200);
	return NULL;
}

TEST(many_threads_may_copy_at_once)
{
	struct feeder f[3];
	struct world w;

	begin(&w);
	ask(&w, "ike", 0, 0);
	for (unsigned i = 0; i < N_OF(f); i++) {
		f[i].w = &w;
		assert_int_equal(pthread_create(&f[i].t, NULL, feed, &f[i]), 0);
	}
	for (unsigned i = 0; i < N_OF(f); i++)
		pthread_join(f[i].t, NULL);
	read_all(&w, 200);
	assert_int_equal(w.n, 9000);
	end(&w);
}
