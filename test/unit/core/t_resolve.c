/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_resolve.c - a resolver that lies, is silent, or ends.
 */
#include "daemon/core/resolve.h"
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/core/loop.h"
#include "ikev2/ike.h"
#include "test/lib/test.h"

#define ROUNDS 4

struct world {
	struct loop *loop;
	struct resolve *r;
	int far;		/* the resolver's end */
	unsigned rounds, n_call, n_ip;
	uint32_t realm, peer;
};

static void
on_name(void *ctx, uint32_t realm, uint32_t peer, const struct ip_addr *ip,
	unsigned n)
{
	struct world *w = ctx;

	assert_true(n == 0 || ip[n - 1].family != 0);
	w->n_call++;
	w->n_ip = n;
	w->realm = realm;
	w->peer = peer;
}

static uint64_t
count_round(void *ctx)
{
	struct world *w = ctx;

	if (++w->rounds >= ROUNDS)
		loop_stop(w->loop);
	return 0;
}

static void
turn(struct world *w)
{
	w->rounds = 0;
	loop_run(w->loop);
}

static int
pair(struct world *w)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
	w->far = fd[1];
	return fd[0];
}

static void
world_new(struct world *w)
{
	memset(w, 0, sizeof(*w));
	assert_int_equal(loop_new(&w->loop), 0);
	assert_int_equal(resolve_new(&w->r, pair(w), w->loop, on_name, w), 0);
	loop_set_idle(w->loop, count_round, w);
}

static void
world_free(struct world *w)
{
	resolve_free(w->r);
	loop_free(w->loop);
	close(w->far);
}

static void
say(struct world *w, const char *hex)
{
	uint8_t b[512];
	size_t n = test_hex(hex, b, sizeof(b));

	assert_int_equal(send(w->far, b, n, MSG_NOSIGNAL), n);
	turn(w);
}

TEST(resolve_passes_an_answer_on_once)
{
	struct world w;
	uint8_t q[64];

	world_new(&w);
	assert_int_equal(resolve_ask(w.r, 1, 2, "host"), 0);
	assert_int_equal(recv(w.far, q, sizeof(q), 0), 12);
	assert_memory_equal(q + 8, "host", 4);
	say(&w, "00000001 00000002 04 0a000001 04 0a000002");
	assert_int_equal(w.n_call, 1);
	assert_int_equal(w.n_ip, 2);
	assert_int_equal(w.realm, 1);
	assert_int_equal(w.peer, 2);
	say(&w, "00000001 00000002 04 0a000001");
	assert_int_equal(w.n_call, 1);
	world_free(&w);
}

TEST(resolve_ignores_answers_nobody_asked_for_or_that_are_malformed)
{
	static const char *const bad[] = {
		"00", "00000001 000000", "00000001 00000003 04 0a000001",
		"ffffffff ffffffff 04 0a000001", "00000001 00000002 04 0a00",
		"00000001 00000002 05 0a00000001", "00000001 00000002 00",
		"00000001 00000002 10 0a000001", "00000001 00000002 ff",
	};
	struct world w;

	world_new(&w);
	assert_int_equal(resolve_ask(w.r, 1, 2, "host"), 0);
	for (unsigned i = 0; i < N_OF(bad); i++)
		say(&w, bad[i]);
	assert_int_equal(w.n_call, 0);
	say(&w, "00000001 00000002 04 0a000001");
	assert_int_equal(w.n_call, 1);
	world_free(&w);
}

TEST(resolve_takes_no_more_addresses_than_there_is_room_for)
{
	struct world w;
	uint8_t msg[8 + 17 * 20] = { 0 };

	world_new(&w);
	assert_int_equal(resolve_ask(w.r, 0, 0, "host"), 0);
	for (size_t i = 8; i < sizeof(msg); i += 17)
		msg[i] = 16;
	assert_int_equal(send(w.far, msg, sizeof(msg), 0), sizeof(msg));
	turn(&w);
	assert_int_equal(w.n_call, 1);
	assert_int_equal(w.n_ip, IKE_EP_MAX);
	world_free(&w);
}

TEST(resolve_answers_for_a_resolver_that_ended_and_works_with_the_next)
{
	struct world w;
	uint8_t q[64];

	world_new(&w);
	assert_int_equal(resolve_ask(w.r, 1, 2, "host"), 0);
	close(w.far);
	turn(&w);
	assert_int_equal(w.n_call, 1); /* nobody waits for ever */
	assert_int_equal(w.n_ip, 0);
	assert_int_equal(resolve_ask(w.r, 1, 2, "host"), ERR_CLOSED);
	resolve_renew(w.r, pair(&w));
	assert_int_equal(resolve_ask(w.r, 1, 2, "host"), 0);
	assert_int_equal(recv(w.far, q, sizeof(q), 0), 12);
	say(&w, "00000001 00000002 04 0a000001");
	assert_int_equal(w.n_call, 2);
	assert_int_equal(w.n_ip, 1);
	world_free(&w);
}

TEST(resolve_renewed_before_the_end_was_seen_loses_no_question)
{
	struct world w;
	int old;

	world_new(&w);
	assert_int_equal(resolve_ask(w.r, 1, 2, "host"), 0);
	old = w.far;
	resolve_renew(w.r, pair(&w));
	assert_int_equal(w.n_call, 1);
	assert_int_equal(w.n_ip, 0);
	close(old);
	turn(&w);
	assert_int_equal(resolve_ask(w.r, 1, 2, "host"), 0);
	world_free(&w);
}

TEST(resolve_says_when_its_queue_is_full)
{
	struct world w;
	int err, n = 0;

	world_new(&w);
	while ((err = resolve_ask(w.r, 0, (uint32_t)n, "host")) == 0)
		assert_true(++n < 100000);
	assert_int_equal(err, ERR_FULL);
	world_free(&w);
}
