/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_serve.c - the server against an honest and against a
 * hostile tapird.  Network and kernel are a fake; the channel is real where it
 * matters.
 */
#include "secure-proc/serve.h"
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"
#include "daemon/ipc/chan.h"
#include "secure-proc/keys/auth.h"
#include "secure-proc/keys/token.h"
#include "test/unit/secure-proc/kit.h"

#define PSK "correct horse battery staple"
#define LATER 1000000u /* ms: every bucket is full again */

static const char conf_text[] =
    "<vpn><realm name='r'><me id='osaka' psk='k'/><peer id='tokyo'/>"
    "<net local='10.1.0.0/16' remote='10.2.0.0/16'/></realm>"
    "<realm name='s'><me id='kyoto' psk='k'/><peer id='nara'/>"
    "<net local='10.1.0.0/16' remote='0.0.0.0/0'/></realm></vpn>";

/* ---- the fake network ---------------------------------------------------------- */

struct fake {
	unsigned n_tap, n_mtu, n_bridge, n_add, n_del, n_addr_add, n_addr_del;
	struct ip_net last;
	int err;
};

static int
fake_tap(void *ctx, const struct sec_tap_req *q, struct sec_tap *out, char *why,
	 size_t cap)
{
	struct fake *f = ctx;

	if (f->err != 0) {
		snprintf(why, cap, "bridge br-lan does not exist");
		return f->err;
	}
	memset(out, 0, sizeof(*out));
	out->ifindex = 7;
	snprintf(out->ifname, sizeof(out->ifname), "tap-r");
	out->mac = q->mac;
	out->mtu = q->mtu;
	while (out->n_fd < q->n_queue) {
		int fd = dup(2);

		if (fd < 0)
			break;
		out->fd[out->n_fd++] = fd;
	}
	f->n_tap++;
	return 0;
}

static int
fake_mtu(void *ctx, const struct conf_realm *r UNUSED, uint32_t mtu UNUSED,
	 char *why UNUSED, size_t cap UNUSED)
{
	struct fake *f = ctx;

	f->n_mtu++;
	return f->err;
}

static int
fake_bridge(void *ctx, const struct conf_realm *r UNUSED, bool *has_joined,
	    char *why, size_t cap)
{
	struct fake *f = ctx;

	*has_joined = ++f->n_bridge == 1;
	if (f->err != 0)
		snprintf(why, cap, "bridge br-lan does not exist");
	return f->err;
}

static int
fake_route(void *ctx, const struct sec_route_req *q, char *why UNUSED,
	   size_t cap UNUSED)
{
	struct fake *f = ctx;

	if (f->err != 0)
		return f->err;
	f->last = q->prefix;
	if (q->is_add)
		f->n_add++;
	else
		f->n_del++;
	return 0;
}

static int
fake_addr(void *ctx, const struct conf_realm *r UNUSED, const struct ip_net *a,
	  bool is_add, char *why UNUSED, size_t cap UNUSED)
{
	struct fake *f = ctx;

	if (f->err != 0)
		return f->err;
	f->last = *a;
	if (is_add)
		f->n_addr_add++;
	else
		f->n_addr_del++;
	return 0;
}

/* ---- a server, and what it answered -------------------------------------------- */

struct world {
	struct conf *c;
	struct sec_store *store;
	struct fake fake;
	struct sec_net net;
	struct mac mac[2];
	struct sec_serve_conf sc;
	struct sec_serve *s;
	struct ipc_msg last;		/* views are copied below */
	uint8_t auth[100];
	unsigned n_answer;
	bool has_leaked;
	uint64_t now_ms;
	struct kit_msg req, resp;
	uint8_t sk_pi[32], sk_pr[32], idbuf[64], tokyo_auth[SEC_PRF_MAX];
};
static struct world w;

/* Does the message, as it would travel, hold the key? */
static bool
holds_psk(const struct ipc_msg *m)
{
	static uint8_t buf[IPC_MSG_MAX];
	size_t len = 0;

	assert_int_equal(ipc_msg_encode(m, buf, sizeof(buf), &len), 0);
	return memmem(buf, len, PSK, strlen(PSK)) != NULL;
}

static int
catch(void *ctx UNUSED, const struct ipc_msg *m, const int *fds, unsigned n_fd)
{
	w.last = *m;
	w.n_answer++;
	if (m->type == IPC_SIGN_OK) {
		assert_true(m->u.sign_ok.auth.len <= sizeof(w.auth));
		if (m->u.sign_ok.auth.len > 0)
			memcpy(w.auth, m->u.sign_ok.auth.p,
			    m->u.sign_ok.auth.len);
	}
	w.has_leaked |= holds_psk(m);
	for (unsigned i = 0; i < n_fd; i++)
		close(fds[i]);
	return 0;
}

static void
world_begin(void)
{
	memset(&w, 0, sizeof(w));
	kit_begin();
	kit_key("k", PSK);
	w.c = kit_conf(conf_text);
	assert_int_equal(sec_store_load(&w.store, w.c, kit_dir, geteuid()), 0);
	w.net = (struct sec_net){ &w.fake, fake_tap, fake_mtu, fake_bridge,
	    fake_route, fake_addr };
	w.sc = (struct sec_serve_conf){
		.conf = w.c, .store = w.store, .net = &w.net, .mac = w.mac,
		.features = 5,
	};
	w.now_ms = LATER;
	w.req = kit_init(true);
	w.resp = kit_init(false);
	memset(w.sk_pi, 0x33, 32);
	memset(w.sk_pr, 0x44, 32);
}

static void
world_end(void)
{
	sec_serve_free(w.s);
	sec_store_free(w.store);
	conf_free(w.c);
	assert_int_equal(secret_used(), 0);
	kit_end();
}

static int
say(const struct ipc_msg *m)
{
	static uint8_t buf[IPC_MSG_MAX];
	size_t len;

	assert_int_equal(ipc_msg_encode(m, buf, sizeof(buf), &len), 0);
	w.n_answer = 0;
	return sec_serve_input(w.s, kit_view(buf, len), 0, w.now_ms);
}

static struct ipc_msg
hello(void)
{
	struct ipc_msg m;

	ipc_msg_init(&m, IPC_HELLO);
	m.u.hello.version = IPC_VERSION;
	assert_int_equal(ipc_digest(m.u.hello.digest), 0);
	return m;
}

/* A server that has been greeted. */
static void
world_run(void)
{
	struct ipc_msg m = hello();

	world_begin();
	assert_int_equal(sec_serve_new(&w.s, &w.sc, catch, NULL, w.now_ms), 0);
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.type, IPC_HELLO_OK);
	assert_int_equal(w.last.u.hello_ok.n_realm, 2);
	assert_int_equal(w.last.u.hello_ok.features, 5);
}

/* What the peer "tokyo" would send. */
static struct ipc_msg
verify(uint32_t handle)
{
	struct ipc_msg m;
	struct sec_octets in = {
		.prf = 1, .init_msg = { w.req.b, w.req.len },
		.nonce = { kit_nr, 32 }, .sk_p = { w.sk_pi, 32 },
		.id = kit_id(w.idbuf, 2, "tokyo"),
	};
	size_t n;

	assert_int_equal(sec_psk_auth(kit_view(PSK, strlen(PSK)), &in,
	    w.tokyo_auth, &n), 0);
	ipc_msg_init(&m, IPC_VERIFY);
	m.ticket = handle + 1000u;
	m.handle = handle;
	m.u.verify = (struct ipc_verify){
		.realm = UINT32_MAX, .peer = UINT32_MAX, .prf = 1,
		.init_msg = in.init_msg, .nonce = in.nonce, .sk_p = in.sk_p,
		.id_peer = in.id, .method = 2, .auth = { w.tokyo_auth, n },
	};
	return m;
}

static struct ipc_msg
sign(uint32_t handle)
{
	struct ipc_msg m;

	ipc_msg_init(&m, IPC_SIGN);
	m.ticket = handle + 2000u;
	m.handle = handle;
	m.u.sign = (struct ipc_sign){
		.realm = UINT32_MAX, .peer = UINT32_MAX, .prf = 1,
		.init_msg = { w.resp.b, w.resp.len }, .nonce = { kit_ni, 32 },
		.sk_p = { w.sk_pr, 32 },
	};
	return m;
}

static void
authenticate(uint32_t handle)
{
	struct ipc_msg m = verify(handle);

	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.err, 0);
	assert_string_equal(w.last.u.verify_ok.id_text, "tokyo");
	m = sign(handle);
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.err, 0);
	assert_int_equal(w.last.u.sign_ok.method, 2);
}

static int
route(uint32_t handle, uint32_t realm, bool is_add, const char *prefix)
{
	struct ip_net n;
	struct ipc_msg m;

	assert_int_equal(ip_net_parse(prefix, &n), 0);
	ipc_msg_init(&m, IPC_ROUTE);
	m.ticket = 77;
	m.handle = handle;
	m.u.route.realm = realm;
	m.u.route.is_add = is_add;
	m.u.route.family = n.addr.family;
	memcpy(m.u.route.addr, n.addr.b, 16);
	m.u.route.bits = n.bits;
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.type, IPC_ROUTE_OK);
	return w.last.err;
}

static int
addr(uint32_t handle, uint32_t realm, bool is_add, const char *text)
{
	struct ip_net n;
	struct ipc_msg m;

	assert_int_equal(ip_net_parse(text, &n), 0);
	ipc_msg_init(&m, IPC_ADDR);
	m.ticket = 78;
	m.handle = handle;
	m.u.addr.realm = realm;
	m.u.addr.is_add = is_add;
	m.u.addr.family = n.addr.family;
	memcpy(m.u.addr.addr, n.addr.b, 16);
	m.u.addr.bits = n.bits;
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.type, IPC_ADDR_OK);
	return w.last.err;
}

static void
hang_up(uint32_t handle)
{
	struct ipc_msg m;

	ipc_msg_init(&m, IPC_CLOSE);
	m.handle = handle;
	assert_int_equal(say(&m), 0);
}

/* ---- addresses from a gateway ---------------------------------------------------- */

TEST(addresses_come_only_from_peers_that_are_to_give_them)
{
	world_run();
	assert_int_equal(addr(9, 0, true, "10.20.1.7"), ERR_PERM);
	authenticate(9);
	assert_int_equal(addr(9, 0, true, "10.20.1.7"), ERR_PERM);
	w.c->realm[0].net.is_dynamic = true;
	assert_int_equal(addr(9, 1, true, "10.20.1.7"), ERR_PERM);
	assert_int_equal(addr(9, 0, true, "127.0.0.1"), ERR_RANGE);
	assert_int_equal(addr(9, 0, true, "224.0.0.1"), ERR_RANGE);
	assert_int_equal(addr(9, 0, true, "10.20.1.7/0"), ERR_RANGE);
	assert_int_equal(w.fake.n_addr_add, 0);
	assert_int_equal(addr(9, 0, true, "10.20.1.7"), 0);
	assert_int_equal(addr(9, 0, true, "fd00::7"), 0);
	assert_int_equal(w.fake.n_addr_add, 2);
	hang_up(9);
	assert_int_equal(w.fake.n_addr_del, 2);
	world_end();
}

TEST(an_address_goes_with_the_last_sa_that_asked_for_it)
{
	world_run();
	w.c->realm[0].net.is_dynamic = true;
	authenticate(9);
	assert_int_equal(addr(9, 0, true, "10.20.1.7"), 0);
	authenticate(10);
	assert_int_equal(addr(10, 0, true, "10.20.1.7"), 0);
	assert_int_equal(w.fake.n_addr_add, 1);
	hang_up(9);
	assert_int_equal(w.fake.n_addr_del, 0);
	/* not for others to take away */
	authenticate(11);
	assert_int_equal(addr(11, 0, false, "10.20.1.7"), 0);
	assert_int_equal(w.fake.n_addr_del, 0);
	hang_up(10);
	assert_int_equal(w.fake.n_addr_del, 1);
	world_end();
}

TEST(an_address_that_cannot_be_set_is_not_remembered)
{
	world_run();
	w.c->realm[0].net.is_dynamic = true;
	authenticate(9);
	w.fake.err = ERR_EXISTS;
	assert_int_equal(addr(9, 0, true, "10.20.1.7"), ERR_EXISTS);
	w.fake.err = 0;
	hang_up(9);
	assert_int_equal(w.fake.n_addr_del, 0);
	world_end();
}

TEST(addresses_have_a_bound)
{
	char text[IP_TEXT_MAX];
	unsigned n_full = 0;

	world_run();
	w.c->realm[0].net.is_dynamic = true;
	authenticate(9);
	for (unsigned i = 1; i <= 70; i++) {
		snprintf(text, sizeof(text), "10.20.1.%u", i);
		w.now_ms += 1000;
		n_full += addr(9, 0, true, text) == ERR_FULL;
	}
	assert_int_equal(n_full, 6);
	assert_int_equal(w.fake.n_addr_add, 64);
	world_end();
}

TEST(routes_to_addresses_of_the_pool_are_permitted_one_by_one)
{
	struct conf_pool pool = { .n_net = 1 };

	world_run();
	assert_int_equal(ip_net_parse("10.20.1.0/24", &pool.net[0]), 0);
	authenticate(9);
	assert_int_equal(route(9, 0, true, "10.20.1.7/32"), ERR_PERM);
	w.c->realm[0].pool = &pool;
	assert_int_equal(route(9, 0, true, "10.20.1.7/32"), 0);
	assert_int_equal(route(9, 0, true, "10.20.1.0/24"), ERR_PERM);
	assert_int_equal(route(9, 0, true, "10.20.2.7/32"), ERR_PERM);
	w.c->realm[0].pool = NULL;
	world_end();
}

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

/* ---- routes -------------------------------------------------------------------- */

TEST(routes_are_for_authenticated_handles_of_that_realm_inside_its_nets)
{
	struct ipc_msg m;

	world_run();
	assert_int_equal(route(9, 0, true, "10.2.0.0/16"), ERR_PERM);
	m = verify(9);
	assert_int_equal(say(&m), 0);
	/* Verified, but we did not prove ourselves yet. */
	assert_int_equal(route(9, 0, true, "10.2.0.0/16"), ERR_PERM);
	m = sign(9);
	assert_int_equal(say(&m), 0);
	assert_int_equal(route(9, 0, true, "10.2.0.0/16"), 0);
	assert_int_equal(route(9, 1, true, "10.2.0.0/16"), ERR_PERM);
	assert_int_equal(route(9, 7, true, "10.2.0.0/16"), ERR_PERM);
	assert_int_equal(route(9, 0, true, "10.3.0.0/16"), ERR_PERM);
	assert_int_equal(route(9, 0, true, "10.2.0.0/15"), ERR_PERM);
	assert_int_equal(route(9, 0, true, "0.0.0.0/0"), ERR_PERM);
	assert_non_null(strstr(w.last.why, "policy routing"));
	assert_int_equal(route(9, 0, true, "::/0"), ERR_PERM);
	assert_int_equal(route(9, 0, true, "fd00::/64"), ERR_PERM);
	assert_int_equal(route(9, 0, true, "10.2.0.1/16"), ERR_RANGE);
	assert_int_equal(w.fake.n_add, 1);
	world_end();
}

TEST(a_route_stays_until_its_last_user_goes)
{
	struct ipc_msg m;

	world_run();
	authenticate(9);
	authenticate(10);
	assert_int_equal(route(9, 0, true, "10.2.3.0/24"), 0);
	assert_int_equal(route(10, 0, true, "10.2.3.0/24"), 0);
	assert_int_equal(route(10, 0, true, "10.2.3.0/24"), 0);
	assert_int_equal(w.fake.n_add, 1);
	assert_int_equal(route(9, 0, false, "10.2.3.0/24"), 0);
	assert_int_equal(route(9, 0, false, "10.2.3.0/24"), 0);
	assert_int_equal(w.fake.n_del, 0);
	ipc_msg_init(&m, IPC_CLOSE);
	m.handle = 10;
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.fake.n_del, 1);
	world_end();
}

TEST(a_handle_has_a_bounded_number_of_routes)
{
	char text[32];
	int err = 0;
	unsigned n = 0;

	world_run();
	authenticate(9);
	for (; n < 200 && err == 0; n++) {
		snprintf(text, sizeof(text), "10.2.%u.0/24", n);
		err = route(9, 0, true, text);
	}
	assert_int_equal(err, ERR_FULL);
	assert_true(n <= 65);
	/* The one too many was taken out of the kernel again. */
	assert_int_equal(w.fake.n_add, w.fake.n_del + n - 1);
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
