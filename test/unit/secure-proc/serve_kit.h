/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/serve_kit.h - a server with a fake network below it, and
 * what a tapird says to it.
 */
#ifndef TAPIR_TEST_SECURE_SERVE_KIT_H
#define TAPIR_TEST_SECURE_SERVE_KIT_H

#include "secure-proc/serve.h"
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "secure-proc/keys/auth.h"
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
	unsigned n_lock;
	const char *lock_tap;
	int err;
};

UNUSED static int
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

UNUSED static int
fake_mtu(void *ctx, const struct conf_realm *r UNUSED, uint32_t mtu UNUSED,
	 char *why UNUSED, size_t cap UNUSED)
{
	struct fake *f = ctx;

	f->n_mtu++;
	return f->err;
}

UNUSED static int
fake_bridge(void *ctx, const struct conf_realm *r UNUSED, bool *has_joined,
	    char *why, size_t cap)
{
	struct fake *f = ctx;

	*has_joined = ++f->n_bridge == 1;
	if (f->err != 0)
		snprintf(why, cap, "bridge br-lan does not exist");
	return f->err;
}

UNUSED static int
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

UNUSED static int
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

UNUSED static int
fake_lock(void *ctx, const struct sec_lock *l, char *why, size_t cap UNUSED)
{
	struct fake *f = ctx;

	if (f->err != 0) {
		why[0] = '\0';
		return f->err;
	}
	f->lock_tap = l->tap;
	f->n_lock++;
	return 0;
}

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
UNUSED static bool
holds_psk(const struct ipc_msg *m)
{
	static uint8_t buf[IPC_MSG_MAX];
	size_t len = 0;

	assert_int_equal(ipc_msg_encode(m, buf, sizeof(buf), &len), 0);
	return memmem(buf, len, PSK, strlen(PSK)) != NULL;
}

UNUSED static int
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

UNUSED static void
world_begin(void)
{
	memset(&w, 0, sizeof(w));
	kit_begin();
	kit_key("k", PSK);
	w.c = kit_conf(conf_text);
	assert_int_equal(sec_store_load(&w.store, w.c, kit_dir, geteuid()), 0);
	w.net = (struct sec_net){ &w.fake, fake_tap, fake_mtu, fake_bridge,
	    fake_route, fake_addr, fake_lock };
	w.sc = (struct sec_serve_conf){
		.conf = w.c, .store = w.store, .net = &w.net, .mac = w.mac,
		.features = 5, .names_fd = -1, .word_fd = -1,
	};
	w.now_ms = LATER;
	w.req = kit_init(true);
	w.resp = kit_init(false);
	memset(w.sk_pi, 0x33, 32);
	memset(w.sk_pr, 0x44, 32);
}

UNUSED static void
world_end(void)
{
	sec_serve_free(w.s);
	sec_store_free(w.store);
	conf_free(w.c);
	assert_int_equal(secret_used(), 0);
	kit_end();
}

UNUSED static int
say(const struct ipc_msg *m)
{
	static uint8_t buf[IPC_MSG_MAX];
	size_t len;

	assert_int_equal(ipc_msg_encode(m, buf, sizeof(buf), &len), 0);
	w.n_answer = 0;
	return sec_serve_input(w.s, kit_view(buf, len), 0, w.now_ms);
}

UNUSED static struct ipc_msg
hello(void)
{
	struct ipc_msg m;

	ipc_msg_init(&m, IPC_HELLO);
	m.u.hello.version = IPC_VERSION;
	assert_int_equal(ipc_digest(m.u.hello.digest), 0);
	return m;
}

/* A server that has been greeted. */
UNUSED static void
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
UNUSED static struct ipc_msg
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

UNUSED static struct ipc_msg
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

UNUSED static void
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

UNUSED static int
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

UNUSED static int
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

UNUSED static void
hang_up(uint32_t handle)
{
	struct ipc_msg m;

	ipc_msg_init(&m, IPC_CLOSE);
	m.handle = handle;
	assert_int_equal(say(&m), 0);
}

#endif
