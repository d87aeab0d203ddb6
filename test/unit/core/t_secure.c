/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_secure.c - the other process as an enemy: wrong, twice, at
 * the wrong time, silent, gone.  Never a crash, one "lost", and then no answer.
 */
#include "daemon/core/secure.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/core/loop.h"
#include "daemon/ipc/chan.h"
#include "daemon/ipc/msg.h"
#include "ikev2/ike.h"
#include "test/lib/test.h"

#define ROUNDS 4

static uint64_t now_ns;

struct world {
	struct loop *loop;
	struct secure *s;
	struct ipc_chan *far;	/* the secure process's end */
	unsigned rounds, n_ready, n_lost, n_answer, n_lists;
	struct ike_ans last;
	bool asks_in_lost;	/* as the engine may do */
	unsigned n_trust;
	unsigned n_bridge, n_mark;
	uint32_t bridge_realm;
	int bridge_err;
	bool has_joined;
	size_t trust_len, ann_len;
	uint8_t cert[64];	/* of the last answer */
	size_t cert_len;
};

static uint64_t
fake_ns(void *ctx UNUSED)
{
	return now_ns;
}

static int
ask(struct world *w, uint64_t ticket)
{
	static const uint8_t some[32] = { 1 };
	struct ike_ask q = {
		.type = IKE_ASK_SIGN,
		.ticket = ticket,
		.handle = 7,
		.is_initiator = true,
		.prf = IKE_PRF_SHA256,
		.init_msg = { some, sizeof(some) },
		.nonce = { some, sizeof(some) },
		.sk_p = { some, sizeof(some) },
	};

	return secure_ask(w->s, &q);
}

static void
on_answer(void *ctx, const struct ike_ans *ans)
{
	struct world *w = ctx;

	w->n_answer++;
	w->last = *ans;
	assert_true(ans->cert.len <= sizeof(w->cert));
	memcpy(w->cert, ans->cert.p != NULL ? ans->cert.p : w->cert,
	       ans->cert.len);
	w->cert_len = ans->cert.len;
}

static void
on_trust(void *ctx, struct view certreq, struct view auth_ann)
{
	struct world *w = ctx;

	w->n_trust++;
	w->trust_len = certreq.len;
	w->ann_len = auth_ann.len;
}

static void
on_bridge(void *ctx, uint32_t realm, int err, bool has_joined, const char *why)
{
	struct world *w = ctx;

	assert_true(err == 0 || *why != '\0');
	w->n_bridge++;
	w->bridge_realm = realm;
	w->bridge_err = err;
	w->has_joined = has_joined;
}

static void
on_lost(void *ctx, const char *why)
{
	struct world *w = ctx;

	assert_true(*why != '\0');
	w->n_lost++;
	if (w->asks_in_lost)
		assert_int_equal(ask(w, 99), ERR_CLOSED);
}

static void
on_mark(void *ctx, uint32_t realm, uint32_t peer, const char *mark)
{
	struct world *w = ctx;

	w->n_mark += realm == 0 && peer == 1 && strcmp(mark, "1a2") == 0;
}

static void
on_lists(void *ctx)
{
	((struct world *)ctx)->n_lists++;
}

static void
on_ready(void *ctx, uint32_t features UNUSED)
{
	((struct world *)ctx)->n_ready++;
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

static void
world_new(struct world *w)
{
	struct secure_cb cb = { w, on_answer, on_lost, on_trust, on_bridge,
		on_mark, on_lists, on_ready };
	struct ipc_peer me = { .uid = getuid() };
	int fd[2];

	memset(w, 0, sizeof(*w));
	now_ns = 1000000000ull * 1000;
	clk_set_source(fake_ns, NULL);
	assert_int_equal(loop_new(&w->loop), 0);
	assert_int_equal(ipc_chan_pair(fd), 0);
	assert_int_equal(secure_new(&w->s, fd[0], getuid(), &cb), 0);
	assert_int_equal(ipc_chan_new(&w->far, fd[1], &me), 0);
	assert_int_equal(secure_attach(w->s, w->loop), 0);
	loop_set_idle(w->loop, count_round, w);
	w->asks_in_lost = true;
}

static void
world_free(struct world *w)
{
	secure_free(w->s);
	ipc_chan_free(w->far);
	loop_free(w->loop);
	clk_set_source(NULL, NULL);
}

/* What the daemon sent; its type. */
static int
heard(struct world *w, struct ipc_msg *m)
{
	struct view b;
	unsigned n;

	assert_int_equal(ipc_chan_recv(w->far, &b, NULL, &n), 0);
	assert_int_equal(ipc_msg_decode(m, b.p, b.len), 0);
	return m->type;
}

static void
say(struct world *w, const struct ipc_msg *m)
{
	assert_int_equal(ipc_post(w->far, NULL, m, NULL, 0), 0);
	turn(w);
}

static void
say_hello(struct world *w, bool is_right)
{
	struct ipc_msg m;

	ipc_msg_init(&m, IPC_HELLO_OK);
	m.u.hello_ok.version = IPC_VERSION;
	assert_int_equal(ipc_digest(m.u.hello_ok.digest), 0);
	m.u.hello_ok.digest[0] ^= !is_right;
	say(w, &m);
}

static void
greet(struct world *w)
{
	struct ipc_msg m;

	assert_int_equal(secure_hello_later(w->s), 0);
	assert_int_equal(heard(w, &m), IPC_HELLO);
	say_hello(w, true);
	assert_int_equal(w->n_ready, 1);
}

static void
assert_lost(struct world *w)
{
	assert_int_equal(w->n_lost, 1);
	assert_int_equal(ask(w, 50), ERR_CLOSED);
	assert_false(secure_is_open(w->s));
	secure_route(w->s, 1, 0, &(struct ip_net){ .bits = 8 }, true);
	turn(w);
	assert_int_equal(w->n_lost, 1);
}

static void
sign_ok(struct ipc_msg *m, uint64_t ticket)
{
	static const uint8_t some[16] = { 2 };

	ipc_msg_init(m, IPC_SIGN_OK);
	m->ticket = ticket;
	m->handle = 7;
	m->u.sign_ok.id_own = (struct view){ some, sizeof(some) };
	m->u.sign_ok.auth = (struct view){ some, sizeof(some) };
	m->u.sign_ok.method = 2;
}

TEST(secure_is_asked_only_once_it_said_hello)
{
	struct world w;
	struct ipc_msg m;

	world_new(&w);
	assert_int_equal(secure_hello_later(w.s), 0);
	assert_int_equal(heard(&w, &m), IPC_HELLO);
	assert_int_equal(ask(&w, 1), ERR_CLOSED);
	say_hello(&w, true);
	assert_int_equal(w.n_ready, 1);
	assert_int_equal(heard(&w, &m), IPC_CA_LIST);
	assert_int_equal(ask(&w, 1), 0);
	assert_int_equal(heard(&w, &m), IPC_SIGN);
	sign_ok(&m, 1);
	say(&w, &m);
	assert_int_equal(w.n_answer, 1);
	assert_int_equal(w.last.ticket, 1);
	assert_int_equal(w.last.handle, 7);
	assert_int_equal(w.n_lost, 0);
	world_free(&w);
}

TEST(whom_we_trust_is_asked_and_handed_on)
{
	static const uint8_t list[] = { 0, 3, 4, 'c', 'a' };
	struct ipc_msg m, a;
	struct world w;

	world_new(&w);
	greet(&w);
	assert_int_equal(heard(&w, &m), IPC_CA_LIST);
	ipc_msg_answer(&a, &m, 0, NULL);
	a.u.ca_list_ok.certreq = (struct view){ list, sizeof(list) };
	a.u.ca_list_ok.auth_ann = (struct view){ list, 2 };
	say(&w, &a);
	assert_int_equal(w.n_trust, 1);
	assert_int_equal(w.trust_len, sizeof(list));
	assert_int_equal(w.ann_len, 2);
	assert_int_equal(w.n_lost, 0);
	world_free(&w);

	world_new(&w);
	greet(&w);
	assert_int_equal(heard(&w, &m), IPC_CA_LIST);
	ipc_msg_answer(&a, &m, ERR_NOMEM, NULL);
	say(&w, &a);
	assert_int_equal(w.n_trust, 0);
	assert_int_equal(w.n_lost, 0);
	world_free(&w);
}

TEST(a_bridge_is_asked_for_again_once_it_was_answered)
{
	struct ipc_msg m, a;
	struct world w;

	world_new(&w);
	secure_bridge(w.s, 3); /* nobody is there yet: no harm */
	greet(&w);
	assert_int_equal(heard(&w, &m), IPC_CA_LIST);
	for (unsigned i = 1; i <= 2; i++) {
		secure_bridge(w.s, 3);
		secure_bridge(w.s, 3);
		secure_bridge(w.s, 4);
		assert_int_equal(heard(&w, &m), IPC_TAP_BRIDGE);
		assert_int_equal(m.u.tap_bridge.realm, 3);
		ipc_msg_answer(&a, &m, i == 2 ? ERR_NOTFOUND : 0, "no br0");
		a.u.tap_bridge_ok.has_joined = i == 1;
		say(&w, &a);
		assert_int_equal(w.n_bridge, 2 * i - 1);
		assert_int_equal(w.bridge_realm, 3);
		assert_int_equal(w.bridge_err, i == 2 ? ERR_NOTFOUND : 0);
		assert_int_equal(w.has_joined, i == 1);
		assert_int_equal(heard(&w, &m), IPC_TAP_BRIDGE);
		assert_int_equal(m.u.tap_bridge.realm, 4);
		ipc_msg_answer(&a, &m, 0, NULL);
		say(&w, &a);
		assert_int_equal(w.bridge_realm, 4);
	}
	assert_int_equal(w.n_lost, 0);
	world_free(&w);
}

TEST(a_fingerprint_is_asked_for_and_told)
{
	struct ipc_msg m, a;
	struct world w;

	world_new(&w);
	greet(&w);
	assert_int_equal(heard(&w, &m), IPC_CA_LIST);
	assert_int_equal(secure_mark(w.s, 0, 1), 0);
	assert_int_equal(heard(&w, &m), IPC_MARK);
	assert_int_equal(m.u.mark.peer, 1);
	ipc_msg_answer(&a, &m, 0, NULL);
	a.u.mark_ok.peer = 1;
	memcpy(a.u.mark_ok.mark, "1a2", 4);
	say(&w, &a);
	assert_int_equal(w.n_mark, 1);
	/* a refusal is told to nobody */
	assert_int_equal(secure_mark(w.s, 0, 1), 0);
	assert_int_equal(heard(&w, &m), IPC_MARK);
	ipc_msg_answer(&a, &m, ERR_SHORT, NULL);
	say(&w, &a);
	assert_int_equal(w.n_mark, 1);
	assert_int_equal(w.n_lost, 0);
	world_free(&w);
}

TEST(certificates_pass_in_both_directions)
{
	static const uint8_t list[] = { 0, 4, 4, 'x', '5', '0' };
	struct view v = { list, sizeof(list) };
	struct ike_ask q = {
		.type = IKE_ASK_SIGN, .ticket = 3, .handle = 7,
		.prf = IKE_PRF_SHA256, .init_msg = v, .nonce = v, .sk_p = v,
		.peer_hashes = 0x3c, .certreq = v, .auth_ann = { list, 3 },
	};
	struct world w;
	struct ipc_msg m;

	world_new(&w);
	greet(&w);
	assert_int_equal(heard(&w, &m), IPC_CA_LIST);
	assert_int_equal(secure_ask(w.s, &q), 0);
	assert_int_equal(heard(&w, &m), IPC_SIGN);
	assert_int_equal(m.u.sign.peer_hashes, 0x3c);
	assert_int_equal(m.u.sign.certreq.len, sizeof(list));
	assert_int_equal(m.u.sign.auth_ann.len, 3);
	sign_ok(&m, 3);
	m.u.sign_ok.cert = v;
	say(&w, &m);
	assert_int_equal(w.n_answer, 1);
	assert_int_equal(w.cert_len, sizeof(list));
	assert_memory_equal(w.cert, list, sizeof(list));

	q.type = IKE_ASK_VERIFY;
	q.ticket = 4;
	q.id_peer = q.auth = q.cert = v;
	q.method = 14;
	assert_int_equal(secure_ask(w.s, &q), 0);
	assert_int_equal(heard(&w, &m), IPC_VERIFY);
	assert_int_equal(m.u.verify.cert.len, sizeof(list));
	ipc_msg_init(&m, IPC_VERIFY_OK);
	m.ticket = 4;
	m.handle = 7;
	m.u.verify_ok.not_after = 1893456000;
	memcpy(m.u.verify_ok.subject, "CN=osaka", 9);
	say(&w, &m);
	assert_int_equal(w.n_answer, 2);
	assert_int_equal(w.last.not_after_s, 1893456000);
	assert_string_equal(w.last.subject, "CN=osaka");
	assert_int_equal(w.n_lost, 0);
	world_free(&w);
}

TEST(secure_with_another_table_of_messages_is_lost)
{
	struct world w;
	struct ipc_msg m;

	world_new(&w);
	assert_int_equal(secure_hello_later(w.s), 0);
	assert_int_equal(heard(&w, &m), IPC_HELLO);
	say_hello(&w, false);
	assert_int_equal(w.n_ready, 0);
	assert_lost(&w);
	world_free(&w);
}

TEST(secure_that_does_not_say_hello_is_lost_after_five_seconds)
{
	struct world w;

	world_new(&w);
	assert_int_equal(secure_hello_later(w.s), 0);
	now_ns += 4900000000ull;
	turn(&w);
	assert_int_equal(w.n_lost, 0);
	now_ns += 200000000ull;
	turn(&w);
	assert_lost(&w);
	world_free(&w);
}

TEST(secure_that_said_hello_may_be_silent_for_long)
{
	struct world w;

	world_new(&w);
	greet(&w);
	now_ns += 60000000000ull;
	turn(&w);
	assert_int_equal(w.n_lost, 0);
	world_free(&w);
}

TEST(secure_that_says_hello_twice_is_lost)
{
	struct world w;

	world_new(&w);
	greet(&w);
	say_hello(&w, true);
	assert_int_equal(w.n_ready, 1);
	assert_lost(&w);
	world_free(&w);
}

TEST(secure_that_answers_what_nobody_asked_is_lost)
{
	struct world w;
	struct ipc_msg m;

	world_new(&w);
	greet(&w);
	assert_int_equal(ask(&w, 1), 0);
	sign_ok(&m, 2);
	say(&w, &m);
	assert_int_equal(w.n_answer, 0);
	assert_lost(&w);
	world_free(&w);
}

TEST(secure_that_answers_twice_is_lost)
{
	struct world w;
	struct ipc_msg m;

	world_new(&w);
	greet(&w);
	assert_int_equal(ask(&w, 1), 0);
	sign_ok(&m, 1);
	say(&w, &m);
	say(&w, &m);
	assert_int_equal(w.n_answer, 1);
	assert_lost(&w);
	world_free(&w);
}

TEST(secure_that_answers_another_kind_of_question_is_lost)
{
	struct world w;
	struct ipc_msg m;

	world_new(&w);
	greet(&w);
	assert_int_equal(ask(&w, 1), 0);
	ipc_msg_init(&m, IPC_VERIFY_OK);
	m.ticket = 1;
	m.handle = 7;
	say(&w, &m);
	assert_int_equal(w.n_answer, 0);
	assert_lost(&w);
	world_free(&w);
}

TEST(secure_that_puts_questions_itself_is_lost)
{
	struct world w;
	struct ipc_msg m;

	world_new(&w);
	greet(&w);
	ipc_msg_init(&m, IPC_CLOSE);
	m.handle = 1;
	say(&w, &m);
	assert_lost(&w);
	world_free(&w);
}

TEST(secure_that_sends_descriptors_where_none_belong_is_lost_and_they_close)
{
	struct world w;
	struct ipc_msg m;
	int p[2];
	char c;

	world_new(&w);
	greet(&w);
	assert_int_equal(ask(&w, 1), 0);
	assert_int_equal(pipe2(p, O_NONBLOCK), 0);
	sign_ok(&m, 1);
	assert_int_equal(ipc_post(w.far, NULL, &m, &p[1], 1), 0);
	turn(&w);
	assert_int_equal(w.n_answer, 0);
	assert_lost(&w);
	assert_int_equal(read(p[0], &c, 1), 0); /* no writer is left */
	close(p[0]);
	world_free(&w);
}

TEST(secure_that_sends_garbage_is_lost)
{
	uint8_t noise[256];

	for (size_t len = 0; len < sizeof(noise); len += 5) {
		struct world w;

		world_new(&w);
		greet(&w);
		for (size_t i = 0; i < len; i++)
			noise[i] = (uint8_t)(i * 37 + len + test_seed());
		assert_int_equal(send(ipc_chan_fd(w.far), noise, len,
				      MSG_NOSIGNAL), len);
		turn(&w);
		assert_lost(&w);
		world_free(&w);
	}
}

TEST(secure_that_ends_is_lost_at_once)
{
	struct world w;

	world_new(&w);
	greet(&w);
	assert_int_equal(ask(&w, 1), 0);
	ipc_chan_free(w.far);
	w.far = NULL;
	turn(&w);
	assert_lost(&w);
	assert_int_equal(secure_pid(w.s), getpid());
	world_free(&w);
}

TEST(secure_that_reads_nothing_does_not_block_and_its_queue_is_bounded)
{
	struct world w;
	int err = 0, n = 0;

	world_new(&w);
	greet(&w);
	while ((err = ask(&w, (uint64_t)n + 1)) == 0) {
		assert_true(++n < 100000);
		turn(&w);
	}
	assert_int_equal(err, ERR_FULL);
	assert_int_equal(w.n_lost, 0);
	world_free(&w);
}

TEST(routes_of_many_peers_arrive_while_questions_are_refused)
{
	struct ip_net net = { .addr.family = 4, .bits = 32 };
	unsigned n_route = 0, n_sign = 0, n = 3000;
	struct ipc_msg m;
	struct world w;
	struct view b;
	unsigned n_fd;
	int err = 0;

	world_new(&w);
	greet(&w);
	for (uint64_t i = 0; err == 0; i++)
		err = ask(&w, 1000 + i);
	assert_int_equal(err, ERR_FULL);
	for (unsigned i = 0; i < n; i++)
		secure_route(w.s, 7, 0, &net, true);
	/* It begins to read. */
	for (unsigned i = 0; i < 2 * n && n_route < n; i++) {
		while (ipc_chan_recv(w.far, &b, NULL, &n_fd) == 0) {
			assert_int_equal(ipc_msg_decode(&m, b.p, b.len), 0);
			n_route += m.type == IPC_ROUTE;
			n_sign += m.type == IPC_SIGN;
		}
		turn(&w);
	}
	assert_int_equal(n_route, n);
	assert_true(n_sign >= 256);
	assert_int_equal(w.n_lost, 0);
	assert_int_equal(ask(&w, 1), 0);
	world_free(&w);
}
