/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_serve.c - the server against an honest and against a
 * hostile tapird.  Network and kernel are a fake; the channel is real where it
 * matters.
 */
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include "daemon/base/clk.h"
#include "daemon/base/rng.h"
#include "daemon/ipc/chan.h"
#include "daemon/ipc/prompt.h"
#include "secure-proc/keys/token.h"
#include "test/unit/secure-proc/serve_kit.h"

/* ---- an honest tapird ---------------------------------------------------------- */

TEST(hello_then_tap_then_authentication_then_route_then_close)
{
	struct ipc_msg m;

	world_run();
	ipc_msg_init(&m, IPC_TAP_OPEN);
	m.ticket = 3;
	m.u.tap_open = (struct ipc_tap_open){ 0, 4, 1400, 0 };
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.err, 0);
	assert_int_equal(w.last.u.tap_ok.n_fd, 4);
	assert_string_equal(w.last.u.tap_ok.ifname, "tap-r");
	authenticate(9);
	assert_int_equal(sec_serve_sas(w.s), 1);
	assert_int_equal(route(9, 0, true, "10.2.3.0/24"), 0);
	assert_int_equal(w.fake.n_add, 1);
	ipc_msg_init(&m, IPC_CLOSE);
	m.handle = 9;
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.n_answer, 0);
	assert_int_equal(w.fake.n_del, 1);
	assert_int_equal(sec_serve_sas(w.s), 0);
	assert_false(w.has_leaked);
	world_end();
}

TEST(a_tap_that_cannot_be_made_is_answered_with_the_sentence)
{
	struct ipc_msg m;

	world_run();
	w.fake.err = ERR_NOTFOUND;
	ipc_msg_init(&m, IPC_TAP_OPEN);
	m.ticket = 3;
	m.u.tap_open = (struct ipc_tap_open){ 0, 1, 1400, 0 };
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.err, ERR_NOTFOUND);
	assert_string_equal(w.last.why, "bridge br-lan does not exist");
	w.fake.err = 0;
	m.u.tap_open.realm = 2;
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.err, ERR_NOTFOUND);
	m.u.tap_open = (struct ipc_tap_open){ 0, 0, 1400, 0 };
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.err, ERR_RANGE);
	m.u.tap_open = (struct ipc_tap_open){ 0, IPC_FD_MAX + 1, 1400,
			0 };
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.err, ERR_RANGE);
	m.u.tap_open = (struct ipc_tap_open){ 0, 1, 100, 0 };
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.err, ERR_RANGE);
	assert_int_equal(w.fake.n_tap, 0);
	world_end();
}

/* ---- violations ---------------------------------------------------------------- */

TEST(another_build_is_sent_away)
{
	struct ipc_msg m = hello();

	world_begin();
	assert_int_equal(sec_serve_new(&w.s, &w.sc, catch, NULL, w.now_ms), 0);
	m.u.hello.digest[0] ^= 1;
	assert_int_equal(say(&m), ERR_VERSION);
	assert_int_equal(w.n_answer, 0);
	world_end();
}

TEST(second_sign_or_verify_of_a_handle_ends_the_server)
{
	struct ipc_msg m;

	world_run();
	authenticate(9);
	m = verify(9);
	assert_int_equal(say(&m), ERR_GATE);
	m = sign(9);
	assert_int_equal(say(&m), ERR_GATE);
	assert_int_equal(w.n_answer, 0);
	world_end();
}

TEST(sign_before_verify_is_refused_and_the_handle_is_burnt)
{
	struct ipc_msg m;

	world_run();
	m = sign(9);
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.err, ERR_STATE);
	assert_int_equal(w.last.u.sign_ok.auth.len, 0);
	m = verify(9);
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.err, ERR_STATE);
	world_end();
}

TEST(too_many_signatures_wait_and_others_are_unaffected)
{
	const uint32_t burst = ipc_row(IPC_SIGN)->burst;
	struct ipc_msg m;

	world_run();
	for (uint32_t h = 1; h <= burst; h++) {
		m = sign(h);
		assert_int_equal(say(&m), 0);
	}
	m = sign(burst + 1);
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.err, ERR_AGAIN);
	assert_int_equal(sec_serve_sas(w.s), burst);
	/* VERIFY has its own measure; the refused one was not counted. */
	m = verify(burst + 1);
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.err, 0);
	m = sign(burst + 1);
	w.now_ms += 5;
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.err, 0);
	world_end();
}

TEST(the_handle_table_is_bounded)
{
	struct ipc_msg m;

	world_run();
	for (uint32_t h = 1; h <= SEC_SA_MAX; h++) {
		m = sign(h);
		m.u.sign.init_msg.len = 0;	/* cheap to refuse */
		w.now_ms += 5;
		assert_int_equal(say(&m), 0);
	}
	assert_int_equal(sec_serve_sas(w.s), SEC_SA_MAX);
	m = verify(SEC_SA_MAX + 1);
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.err, ERR_FULL);
	ipc_msg_init(&m, IPC_CLOSE);
	m.handle = 1;
	assert_int_equal(say(&m), 0);
	m = verify(SEC_SA_MAX + 1);
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.err, 0);
	world_end();
}

TEST(every_number_of_message_in_every_state_ends_or_is_answered)
{
	static uint8_t buf[IPC_MSG_MAX];

	for (unsigned is_run = 0; is_run < 2; is_run++)
		for (unsigned t = 0; t < 256; t++)
			for (unsigned twice = 0; twice < 2; twice++) {
				const struct ipc_row *r = ipc_row(t);
				struct ipc_msg m = hello();
				size_t len = IPC_HEAD_LEN;
				bool is_ok;
				int err;

				world_begin();
				assert_int_equal(sec_serve_new(&w.s, &w.sc,
				    catch, NULL, w.now_ms), 0);
				if (is_run)
					assert_int_equal(say(&m), 0);
				memset(buf, 0, IPC_HEAD_LEN);
				buf[0] = IPC_VERSION;
				buf[1] = (uint8_t)t;
				if (r != NULL) {
					ipc_msg_init(&m, (enum ipc_type)t);
					m.ticket = r->has_ticket;
					m.handle = r->has_handle;
					if (t == IPC_HELLO)
						m = hello();
					assert_int_equal(ipc_msg_encode(&m,
					    buf, sizeof(buf), &len), 0);
				}
				err = sec_serve_input(w.s, kit_view(buf, len),
				    0, w.now_ms);
				is_ok = r != NULL && r->sender == IPC_MAIN &&
				    (t == IPC_HELLO) == !is_run;
				if (is_ok)
					assert_int_equal(err, 0);
				else
					assert_int_not_equal(err, 0);
				if (is_ok && twice) {
					err = sec_serve_input(w.s,
					    kit_view(buf, len), 0, w.now_ms);
					if (r->once != IPC_MANY)
						assert_int_equal(err, ERR_GATE);
					else
						assert_int_equal(err, 0);
				}
				assert_int_equal(sec_serve_input(w.s,
				    kit_view(buf, len), 1, w.now_ms) == 0, 0);
				assert_false(w.has_leaked);
				world_end();
			}
}

TEST(ten_thousand_random_and_mangled_messages_leak_nothing)
{
	static uint8_t buf[IPC_MSG_MAX];
	struct ipc_msg m, h = hello();
	struct rng_det r;
	size_t len;

	world_begin();
	rng_det_init(&r, test_seed());
	for (unsigned i = 0; i < 10000; i++) {
		if (w.s == NULL) {
			assert_int_equal(sec_serve_new(&w.s, &w.sc, catch,
			    NULL, w.now_ms), 0);
			assert_int_equal(say(&h), 0);
		}
		switch (rng_det_u64(&r) % 4) {
		case 0:
			m = verify((uint32_t)(rng_det_u64(&r) % 50 + 1));
			break;
		case 1:
			m = sign((uint32_t)(rng_det_u64(&r) % 50 + 1));
			break;
		case 2:
			ipc_msg_init(&m, IPC_ROUTE);
			m.ticket = 1;
			m.handle = (uint32_t)(rng_det_u64(&r) % 50 + 1);
			m.u.route.is_add = true;
			m.u.route.family = 4;
			m.u.route.addr[0] = 10;
			m.u.route.addr[1] = 2;
			m.u.route.bits = (uint8_t)(rng_det_u64(&r) % 40);
			break;
		default:
			ipc_msg_init(&m, IPC_CLOSE);
			m.handle = (uint32_t)(rng_det_u64(&r) % 50 + 1);
			break;
		}
		assert_int_equal(ipc_msg_encode(&m, buf, sizeof(buf), &len),
		    0);
		for (unsigned k = (unsigned)(rng_det_u64(&r) % 3); k > 0; k--)
			buf[rng_det_u64(&r) % len] = (uint8_t)rng_det_u64(&r);
		if (rng_det_u64(&r) % 8 == 0)
			len = rng_det_u64(&r) % (len + 1);
		w.now_ms += 3;
		if (sec_serve_input(w.s, kit_view(buf, len), 0,
		    w.now_ms) != 0) {
			sec_serve_free(w.s);
			w.s = NULL;
		}
	}
	assert_false(w.has_leaked);
	world_end();
}

/* ---- over the real channel ------------------------------------------------------ */

/* sec_serve() in a child; the other end. */
static pid_t
serve_start(int *fd, uid_t expect)
{
	struct ipc_peer peer = { .uid = expect };
	struct ipc_chan *chan;
	int sv[2];
	pid_t pid;

	assert_int_equal(ipc_chan_pair(sv), 0);
	if ((pid = fork()) == 0) {
		close(sv[0]);
		alarm(20);
		if (ipc_chan_new(&chan, sv[1], &peer) != 0)
			_exit(99);
		_exit(sec_serve(&w.sc, chan, -1) == 0 ? 0 : 1);
	}
	assert_true(pid > 0);
	close(sv[1]);
	assert_int_equal(fcntl(sv[0], F_SETFL, 0), 0);	/* we may block */
	*fd = sv[0];
	return pid;
}

static int
serve_status(pid_t pid)
{
	int st = -1;

	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_true(WIFEXITED(st));
	return WEXITSTATUS(st);
}

static void
send_msg(int fd, const struct ipc_msg *m)
{
	static uint8_t buf[IPC_MSG_MAX];
	size_t len;

	assert_int_equal(ipc_msg_encode(m, buf, sizeof(buf), &len), 0);
	assert_int_equal(send(fd, buf, len, MSG_NOSIGNAL), len);
}

TEST(an_ended_tapird_ends_the_server_cleanly)
{
	struct ipc_msg m = hello();
	uint8_t buf[512];
	pid_t pid;
	int fd;

	world_begin();
	pid = serve_start(&fd, geteuid());
	send_msg(fd, &m);
	assert_true(recv(fd, buf, sizeof(buf), 0) > 0);
	close(fd);
	assert_int_equal(serve_status(pid), 0);
	world_end();
}

TEST(wrong_user_passed_descriptor_and_oversize_end_the_server)
{
	static uint8_t big[IPC_MSG_MAX + 1];
	struct ipc_msg m = hello();
	struct ipc_chan *c;
	struct ipc_peer peer = { .uid = geteuid() };
	pid_t pid;
	int fd, extra;

	world_begin();
	pid = serve_start(&fd, geteuid() + 1);
	send_msg(fd, &m);
	assert_int_equal(serve_status(pid), 1);
	close(fd);

	pid = serve_start(&fd, geteuid());
	assert_int_equal(ipc_chan_new(&c, fd, &peer), 0);
	extra = dup(2);
	assert_int_equal(ipc_post(c, NULL, &m, &extra, 1), 0);
	assert_int_equal(serve_status(pid), 1);
	ipc_chan_free(c);

	pid = serve_start(&fd, geteuid());
	assert_int_equal(send(fd, big, sizeof(big), 0), sizeof(big));
	assert_int_equal(serve_status(pid), 1);
	close(fd);
	world_end();
}

TEST(a_third_process_on_the_channel_ends_the_server)
{
	struct ipc_msg m = hello();
	uint8_t buf[512];
	pid_t pid, third;
	int fd, st;

	world_begin();
	pid = serve_start(&fd, geteuid());
	send_msg(fd, &m);
	assert_true(recv(fd, buf, sizeof(buf), 0) > 0);
	ipc_msg_init(&m, IPC_CLOSE);
	m.handle = 1;
	if ((third = fork()) == 0) {
		send_msg(fd, &m);
		_exit(0);
	}
	assert_int_equal(waitpid(third, &st, 0), third);
	assert_int_equal(serve_status(pid), 1);
	close(fd);
	world_end();
}

TEST(a_tap_is_put_into_its_bridge_and_why_not_is_said)
{
	struct ipc_msg m;

	world_run();
	ipc_msg_init(&m, IPC_TAP_BRIDGE);
	m.ticket = 9;
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.type, IPC_TAP_BRIDGE_OK);
	assert_true(w.last.u.tap_bridge_ok.has_joined);
	w.fake.err = ERR_NOTFOUND;
	assert_int_equal(say(&m), 0);
	assert_string_equal(w.last.why, "bridge br-lan does not exist");
	world_end();
}

TEST(a_tapird_that_never_reads_its_answers_is_left)
{
	struct ipc_msg m = hello();
	static uint8_t buf[IPC_MSG_MAX];
	size_t len;
	pid_t pid;
	int fd;

	world_begin();
	pid = serve_start(&fd, geteuid());
	send_msg(fd, &m);
	ipc_msg_init(&m, IPC_TAP_MTU);
	m.ticket = 1;
	assert_int_equal(ipc_msg_encode(&m, buf, sizeof(buf), &len), 0);
	for (unsigned i = 0; i < 100000; i++)
		if (send(fd, buf, len, MSG_NOSIGNAL) < 0)
			break;
	assert_true(errno == EPIPE || errno == ECONNRESET);
	assert_int_equal(serve_status(pid), 1);
	close(fd);
	world_end();
}

TEST(tokens_are_made_for_pairs_of_spis_and_only_where_there_is_a_secret)
{
	struct sec_token *t;
	struct ipc_msg m;

	world_run();
	ipc_msg_init(&m, IPC_TOKEN);
	m.ticket = 5;
	m.u.token = (struct ipc_token){ 1, 2 };
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.type, IPC_TOKEN_OK);
	assert_int_equal(w.last.err, ERR_UNSUP);
	sec_serve_free(w.s);
	assert_int_equal(sec_token_load(&t, kit_dir, geteuid()), 0);
	w.sc.token = t;
	assert_int_equal(sec_serve_new(&w.s, &w.sc, catch, NULL, w.now_ms), 0);
	m = hello();
	assert_int_equal(say(&m), 0);
	ipc_msg_init(&m, IPC_TOKEN);
	m.ticket = 5;
	m.u.token = (struct ipc_token){ 1, 2 };
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.err, 0);
	assert_int_equal(w.last.u.token_ok.token.len, SEC_TOKEN_LEN);
	m.u.token.rspi = 0;
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.err, ERR_RANGE);
	sec_token_free(t);
	world_end();
}

/* ---- password.sock --------------------------------------------------------------- */

static int
word_listen(struct sockaddr_un *a, socklen_t *len)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	*len = sizeof(a->sun_family);		/* a name the kernel chooses */
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)a, *len), 0);
	*len = sizeof(*a);
	assert_int_equal(getsockname(fd, (struct sockaddr *)a, len), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static int
word_open(const struct sockaddr_un *a, socklen_t len)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)a, len), 0);
	return fd;
}

TEST(a_question_is_answered_and_what_is_none_ends_the_connection)
{
	struct prompt_ask q = { .id = 3, .realm = "r" };
	struct prompt_answer a = { .id = 0 };
	uint8_t buf[PROMPT_BYTES_MAX];
	struct sockaddr_un to;
	socklen_t len;
	int chan, fd[2], n;
	pid_t pid;

	world_begin();
	w.sc.word_fd = word_listen(&to, &len);
	w.sc.owner = geteuid();
	pid = serve_start(&chan, geteuid());
	for (int i = 0; i < 2; i++)
		fd[i] = word_open(&to, len);
	assert_true((n = prompt_ask_enc(&q, buf, sizeof(buf))) > 0);
	assert_int_equal(send(fd[0], buf, (size_t)n, MSG_NOSIGNAL), n);
	n = (int)recv(fd[0], buf, sizeof(buf), 0);
	assert_int_equal(prompt_answer_dec(buf, (size_t)MAX(n, 0), &a), 0);
	assert_int_equal(a.id, 3);
	assert_int_equal(a.verdict, PROMPT_NONE);	/* no EAP here */
	/* nothing that is no question is answered */
	assert_int_equal(send(fd[1], "none", 4, MSG_NOSIGNAL), 4);
	assert_int_equal(recv(fd[1], buf, sizeof(buf), 0), 0);
	/* the other one is still there */
	assert_true((n = prompt_ask_enc(&q, buf, sizeof(buf))) > 0);
	assert_int_equal(send(fd[0], buf, (size_t)n, MSG_NOSIGNAL), n);
	assert_true(recv(fd[0], buf, sizeof(buf), 0) > 0);
	for (int i = 0; i < 2; i++)
		close(fd[i]);
	close(chan);
	assert_int_equal(serve_status(pid), 0);
	close(w.sc.word_fd);
	world_end();
}
