/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_serve_radius.c - people whom a RADIUS server lets in or
 * not: what it is asked, whom its answers make of somebody, silence.  The child
 * that speaks to it is the other end of a socket pair.
 */
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "secure-proc/serve.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "daemon/ipc/msg.h"
#include "secure-proc/eap/limit.h"
#include "secure-proc/eap/realms.h"
#include "secure-proc/radius/link.h"
#include "test/unit/secure-proc/pki.h"

static const char conf_text[] =
    "<vpn><realm name='sales'><match id='*@sales.example.com'/>"
    "<match eap='*@mobile.example.com'/>"
    "<me id='gw.example.com' key='gw.key'/>"
    "<eap method='radius' at='10.0.0.5 10.0.0.6:1645' secret='r'/>"
    "<net local='10.1.0.0/16'/></realm>"
    "<realm name='dev'><match id='*@dev.example.com'/>"
    "<match eap='*@dev.example.com'/>"
    "<me id='gw.example.com' key='gw.key'/>"
    "<eap method='radius' at='10.0.0.7' secret='r'/>"
    "<net local='10.2.0.0/16'/></realm></vpn>";
enum { SALES, DEV };

static struct world {
	struct conf *c;
	struct sec_store *store;
	struct sec_eaps *eap;
	struct sec_radius_link *link;
	struct sec_serve *s;
	struct ipc_msg last;
	uint8_t said[5000];		/* what the last answer points to */
	unsigned n_answer;
	struct kit_msg req, resp;
	uint8_t sk_pi[32], sk_pr[32], idbuf[300];
	struct view id;			/* of the client, in idbuf */
	int child;			/* its end */
	uint8_t asked[SEC_RADIUS_WIRE_MAX];
	struct sec_radius_query q;	/* the last question, views into asked */
} w;

static int
catch(void *ctx UNUSED, const struct ipc_msg *m, const int *fds UNUSED,
      unsigned n_fd UNUSED)
{
	struct view *v = m->type == IPC_EAP_OK ? &w.last.u.eap_ok.eap : NULL;

	w.last = *m;
	w.n_answer++;
	if (v != NULL && v->len > 0) {
		assert_true(v->len <= sizeof(w.said));
		memcpy(w.said, v->p, v->len);
		v->p = w.said;
	}
	return 0;
}

static int
say(const struct ipc_msg *m)
{
	static uint8_t buf[IPC_MSG_MAX];
	size_t len;

	assert_int_equal(ipc_msg_encode(m, buf, sizeof(buf), &len), 0);
	w.n_answer = 0;
	return sec_serve_input(w.s, kit_view(buf, len), 0, 1000000);
}

static int
no_lock(void *ctx UNUSED, const struct sec_lock *l UNUSED, char *why UNUSED,
	size_t cap UNUSED)
{
	return 0;
}

static const struct sec_net no_net = { .lock = no_lock };

static void
begin(void)
{
	EVP_PKEY *k = pki_key("EC", "P-256");
	struct sec_serve_conf sc;
	struct ipc_msg m;
	int sv[2];

	memset(&w, 0, sizeof(w));
	kit_begin();
	pki_pem_key("gw.key", k, NULL);
	EVP_PKEY_free(k);
	kit_key("r", "a secret of both ends");
	w.c = kit_conf(conf_text);
	assert_int_equal(sec_store_load(&w.store, w.c, kit_dir, geteuid()), 0);
	assert_int_equal(sec_eaps_load(&w.eap, w.c, kit_dir, geteuid()), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0,
	    sv), 0);
	assert_int_equal(sec_radius_link_new(&w.link, sv[0]), 0);
	w.child = sv[1];
	sc = (struct sec_serve_conf){
		.conf = w.c, .store = w.store, .eap = w.eap, .net = &no_net,
		.radius = w.link,
	};
	w.req = kit_init(true);
	w.resp = kit_init(false);
	memset(w.sk_pi, 0x33, 32);
	memset(w.sk_pr, 0x44, 32);
	assert_int_equal(sec_serve_new(&w.s, &sc, catch, NULL, 0), 0);
	ipc_msg_init(&m, IPC_HELLO);
	m.u.hello.version = IPC_VERSION;
	assert_int_equal(ipc_digest(m.u.hello.digest), 0);
	assert_int_equal(say(&m), 0);
}

static void
end(void)
{
	sec_serve_free(w.s);
	sec_radius_link_free(w.link);
	if (w.child >= 0)
		close(w.child);
	sec_eaps_free(w.eap);
	sec_store_free(w.store);
	conf_free(w.c);
	assert_int_equal(secret_used(), 0);
	kit_end();
}

/* ---- what tapird asks -------------------------------------------------------- */

static int
claim(uint32_t handle, uint8_t type, const char *id, size_t n)
{
	struct ipc_msg m;

	memset(w.idbuf, 0, 4);
	w.idbuf[0] = type;
	memcpy(w.idbuf + 4, id, n);
	w.id = kit_view(w.idbuf, 4 + n);
	ipc_msg_init(&m, IPC_VERIFY);
	m.ticket = 1;
	m.handle = handle;
	m.u.verify = (struct ipc_verify){
		.realm = UINT32_MAX, .peer = UINT32_MAX, .prf = 1,
		.init_msg = { w.req.b, w.req.len }, .nonce = { kit_nr, 32 },
		.sk_p = { w.sk_pi, 32 }, .id_peer = w.id, .by_eap = true,
	};
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.type, IPC_VERIFY_OK);
	return w.last.err;
}

static int
sign(uint32_t handle)
{
	struct ipc_msg m;

	ipc_msg_init(&m, IPC_SIGN);
	m.ticket = 2;
	m.handle = handle;
	m.u.sign = (struct ipc_sign){
		.realm = UINT32_MAX, .peer = UINT32_MAX, .prf = 1,
		.init_msg = { w.resp.b, w.resp.len }, .nonce = { kit_ni, 32 },
		.sk_p = { w.sk_pr, 32 }, .peer_hashes = 1u << 2,
	};
	assert_int_equal(say(&m), 0);
	return w.last.err;
}

#define MAIL 3

/* A message of the client; is there an answer already? */
static bool
eap(uint32_t handle, const void *p, size_t n)
{
	struct ipc_msg m;

	ipc_msg_init(&m, IPC_EAP);
	m.ticket = 3;
	m.handle = handle;
	m.u.eap.eap = kit_view(p, n);
	str_copy(m.u.eap.from, sizeof(m.u.eap.from), "192.0.2.9");
	assert_int_equal(say(&m), 0);
	return w.n_answer == 1;
}

/* As far as its EAP identity, which goes to the server. */
static bool
come(uint32_t handle, const char *id, const char *user)
{
	uint8_t msg[300] = { SPI_EAP_RESPONSE, 0, 0, 0, SPI_EAP_IDENTITY };
	size_t n = 5 + strlen(user);

	assert_int_equal(claim(handle, MAIL, id, strlen(id)), 0);
	assert_int_equal(sign(handle), 0);
	assert_true(eap(handle, NULL, 0));
	assert_int_equal(w.last.u.eap_ok.end, IPC_TALK_MORE);
	msg[1] = w.said[1];
	be16_put(msg + 2, (uint16_t)n);
	memcpy(msg + 5, user, strlen(user));
	return eap(handle, msg, n);
}

/* ---- the child ----------------------------------------------------------------- */

static bool
is_asked(void)
{
	ssize_t n = recv(w.child, w.asked, sizeof(w.asked), MSG_DONTWAIT);

	if (n <= 0)
		return false;
	assert_int_equal(sec_radius_query_dec(kit_view(w.asked, (size_t)n),
	    &w.q), 0);
	return true;
}

static void
give(const struct sec_radius_reply *a)
{
	uint8_t buf[SEC_RADIUS_WIRE_MAX];
	size_t len;

	assert_int_equal(sec_radius_reply_enc(a, buf, sizeof(buf), &len), 0);
	assert_int_equal(send(w.child, buf, len, 0), (ssize_t)len);
	w.n_answer = 0;
	sec_radius_link_input(w.link);
}

static void
server_says(enum spi_radius_code code, const char *eap_msg, size_t n,
	    const char *user)
{
	struct sec_radius_reply a = { .number = w.q.number, .server = 1 };

	a.answer.code = code;
	memcpy(a.answer.eap, eap_msg, n);
	a.answer.eap_len = n;
	memcpy(a.answer.state, "st", 2);
	a.answer.state_len = 2;
	str_copy(a.answer.user, sizeof(a.answer.user), user);
	a.answer.has_msk = code == SPI_RADIUS_ACCEPT;
	memset(a.answer.msk, 0x5a, sizeof(a.answer.msk));
	give(&a);
}

#define CHALLENGE "\x01\x42\x00\x06\x15\x20"
#define ANSWER	  "\x02\x42\x00\x06\x15\x00"
#define SUCCESS	  "\x03\x42\x00\x04"
#define HANAKO	  "hanako@sales.example.com"

/* From the claim to Accept; how it ended. */
static unsigned
login(uint32_t handle, const char *id, const char *user, const char *name)
{
	if (come(handle, id, user))
		return w.last.u.eap_ok.end;
	assert_true(is_asked());
	server_says(SPI_RADIUS_ACCEPT, SUCCESS, 4, name);
	assert_int_equal(w.n_answer, 1);
	return w.last.u.eap_ok.end;
}

static bool
is_text(struct view v, const char *s)
{
	return v.len == strlen(s) && memcmp(v.p, s, v.len) == 0;
}

/* ---- tests --------------------------------------------------------------------- */

TEST(messages_go_to_the_server_that_began_with_what_it_wants_to_hear_again)
{
	begin();
	assert_false(come(7, HANAKO, HANAKO));
	assert_true(is_asked());
	assert_int_equal(w.q.realm, SALES);
	assert_true(w.q.server == SEC_RADIUS_ANY);
	assert_true(is_text(w.q.ask.user, HANAKO));
	assert_true(is_text(w.q.ask.nas, "gw.example.com"));
	assert_true(is_text(w.q.ask.from, "192.0.2.9"));
	assert_int_equal(w.q.ask.state.len, 0);
	server_says(SPI_RADIUS_CHALLENGE, CHALLENGE, 6, "");
	assert_int_equal(w.n_answer, 1);
	assert_int_equal(w.last.u.eap_ok.end, IPC_TALK_MORE);
	assert_memory_equal(w.said, CHALLENGE, 6);
	assert_false(eap(7, ANSWER, 6));
	assert_true(is_asked());
	assert_int_equal(w.q.server, 1);
	assert_true(is_text(w.q.ask.state, "st"));
	assert_int_equal(w.q.ask.eap.len, 6);
	server_says(SPI_RADIUS_ACCEPT, SUCCESS, 4, HANAKO);
	assert_int_equal(w.last.u.eap_ok.end, IPC_TALK_OK);
	end();
}

TEST(names_with_and_without_a_domain_are_the_same_user)
{
	static const char *const name[] = { "", HANAKO, "Hanako", "hanako",
	    "CORP\\hanako", "HANAKO@sales.example.com" };

	begin();
	for (unsigned i = 0; i < N_OF(name); i++)
		assert_int_equal(login(10 + i, HANAKO, HANAKO, name[i]),
				 IPC_TALK_OK);
	end();
}

TEST(who_is_somebody_else_to_the_server_is_refused)
{
	static const char *const name[] = { "taro@sales.example.com",
	    "taro@dev.example.com", "taro", "CORP\\taro" };

	begin();
	for (unsigned i = 0; i < N_OF(name); i++) {
		assert_int_equal(login(10 + i, HANAKO, HANAKO, name[i]),
				 IPC_TALK_NO);
		assert_int_equal(w.said[0], SPI_EAP_FAILURE);
		assert_non_null(strstr(w.last.u.eap_ok.said,
		    "does not belong here"));
	}
	end();
}

TEST(a_realm_is_not_changed_by_another_identity_of_eap)
{
	begin();
	/* the server would let it in */
	assert_int_equal(login(7, HANAKO, "taro@dev.example.com",
	    "taro@dev.example.com"), IPC_TALK_NO);
	assert_int_equal(w.q.realm, SALES);
	end();
}

TEST(silence_is_said_with_the_name_of_the_server)
{
	struct sec_radius_reply a = { .err = ERR_TIMEOUT, .server = 1 };

	begin();
	assert_false(come(7, HANAKO, HANAKO));
	assert_true(is_asked());
	a.number = w.q.number;
	give(&a);
	assert_int_equal(w.n_answer, 1);
	assert_int_equal(w.last.u.eap_ok.end, IPC_TALK_NO);
	assert_int_equal(w.said[0], SPI_EAP_FAILURE);
	assert_non_null(strstr(w.last.u.eap_ok.said, "no RADIUS server answers"));
	assert_non_null(strstr(w.last.u.eap_ok.said, "10.0.0.6:1645"));
	end();
}

TEST(a_child_that_ends_costs_its_questions_and_no_others)
{
	const struct sec_radius_reply begun = { .number = 0 };

	begin();
	assert_false(come(7, HANAKO, HANAKO));
	assert_true(is_asked());
	give(&begun);
	assert_int_equal(w.n_answer, 1);
	assert_int_equal(w.last.u.eap_ok.end, IPC_TALK_NO);
	assert_int_equal(login(8, HANAKO, HANAKO, ""), IPC_TALK_OK);
	close(w.child);
	w.child = -1;
	sec_radius_link_input(w.link);
	assert_int_equal(sec_radius_link_fd(w.link), -1);
	assert_true(come(9, HANAKO, HANAKO));
	assert_int_equal(w.last.u.eap_ok.end, IPC_TALK_NO);
	end();
}

TEST(an_answer_for_who_is_gone_is_nothing)
{
	struct ipc_msg m;

	begin();
	assert_false(come(7, HANAKO, HANAKO));
	assert_true(is_asked());
	ipc_msg_init(&m, IPC_CLOSE);
	m.handle = 7;
	assert_int_equal(say(&m), 0);
	server_says(SPI_RADIUS_ACCEPT, SUCCESS, 4, "");
	assert_int_equal(w.n_answer, 1);
	assert_int_equal(w.last.err, ERR_STATE);
	/* and one to a question nobody asked */
	w.q.number = 4711;
	server_says(SPI_RADIUS_ACCEPT, SUCCESS, 4, "");
	assert_int_equal(w.n_answer, 0);
	end();
}

TEST(who_fails_too_often_is_not_brought_before_the_server)
{
	unsigned n = 0;

	begin();
	for (uint32_t i = 0; i < 40 && !come(20 + i, HANAKO, HANAKO); i++) {
		assert_true(is_asked());
		server_says(SPI_RADIUS_REJECT, "\x04\x42\x00\x04", 4, "");
		assert_int_equal(w.last.u.eap_ok.end, IPC_TALK_NO);
		n++;
	}
	assert_true(n >= 5 && n < 10);
	assert_int_equal(w.last.u.eap_ok.end, IPC_TALK_NO);
	assert_non_null(strstr(w.last.u.eap_ok.said, "too many failures"));
	assert_false(is_asked());
	end();
}
