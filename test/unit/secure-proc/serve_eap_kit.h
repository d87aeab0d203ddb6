/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/serve_eap_kit.h - a secure process with users, one client of
 * it, and what tapird asks.
 */
#ifndef TAPIR_TEST_SERVE_EAP_KIT_H
#define TAPIR_TEST_SERVE_EAP_KIT_H

#include "secure-proc/serve.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "daemon/ipc/msg.h"
#include "secure-proc/eap/limit.h"
#include "secure-proc/eap/realms.h"
#include "secure-proc/keys/auth.h"
#include "secure-proc/keys/msk.h"
#include "test/unit/secure-proc/pki.h"

#define WORD "a pass phrase"	/* its NT hash: */
#define NT   "f64b56fd909abe870184896c287b74fe"

static const char conf_text[] =
    "<vpn><realm name='sales'><match id='*@sales.example.com'/>"
    "<match eap='*@mobile.example.com'/>"
    "<me id='gw.example.com' key='gw.key'/><eap users='sales.users'/>"
    "<net local='10.1.0.0/16'/></realm>"
    "<realm name='dev'><match id='*@dev.example.com'/>"
    "<match eap='*@dev.example.com'/>"
    "<me id='gw.example.com' key='gw.key'/><eap users='dev.users'/>"
    "<net local='10.2.0.0/16'/></realm>"
    "<realm name='offices'><me id='gw.example.com' key='gw.key' psk='k'/>"
    "<peer id='tokyo'/><net local='10.3.0.0/16' remote='10.4.0.0/16'/></realm>"
    "<realm name='out'><me eap='hanako@sales.example.com'/>"
    "<peer id='far.example.com' pubkey='gw.pub'/>"
    "<net remote='10.9.0.0/16'/></realm></vpn>";
enum { SALES, DEV, OFFICES, OUT };

static struct world {
	struct conf *c;
	struct sec_store *store;
	struct sec_eaps *eap;
	struct sec_serve *s;
	struct ipc_msg last;
	uint8_t said[5000];		/* what the last answer points to */
	unsigned n_answer;
	struct kit_msg req, resp;
	uint8_t sk_pi[32], sk_pr[32], idbuf[300];
	struct view id;			/* of the client, in idbuf */
} w;

/* One client, as it is at the other end. */
static struct {
	struct sec_eap *eap;
	struct sec_eap_conf conf;
	const char *word;
} peer;

static UNUSED int
catch(void *ctx UNUSED, const struct ipc_msg *m, const int *fds UNUSED,
      unsigned n_fd UNUSED)
{
	struct view *v = m->type == IPC_EAP_OK ? &w.last.u.eap_ok.eap :
	    m->type == IPC_EAP_SIGN_OK ? &w.last.u.eap_sign_ok.auth :
	    m->type == IPC_TICKET_SEAL_OK ? &w.last.u.ticket_seal_ok.sealed :
	    NULL;

	w.last = *m;
	w.n_answer++;
	if (v != NULL && v->len > 0) {
		assert_true(v->len <= sizeof(w.said));
		memcpy(w.said, v->p, v->len);
		v->p = w.said;
	}
	return 0;
}

static UNUSED int
say(const struct ipc_msg *m)
{
	static uint8_t buf[IPC_MSG_MAX];
	size_t len;

	assert_int_equal(ipc_msg_encode(m, buf, sizeof(buf), &len), 0);
	w.n_answer = 0;
	return sec_serve_input(w.s, kit_view(buf, len), 0, 1000000);
}

static UNUSED int
no_lock(void *ctx UNUSED, const struct sec_lock *l UNUSED, char *why UNUSED,
	size_t cap UNUSED)
{
	return 0;
}

static const struct sec_net no_net = { .lock = no_lock };

static UNUSED void
key_files(void)
{
	EVP_PKEY *k = pki_key("EC", "P-256");

	pki_pem_key("gw.key", k, NULL);
	pki_pem_pub("gw.pub", k);
	EVP_PKEY_free(k);
}

static UNUSED void
begin(void)
{
	static const uint8_t ff[4] = { 0 };
	struct sec_serve_conf sc;
	struct ipc_msg m;

	memset(&w, 0, sizeof(w));
	memset(&peer, 0, sizeof(peer));
	kit_begin();
	key_files();
	kit_key("k", "a key of offices");
	kit_key("sales.users", "hanako@sales.example.com:nt:" NT "\n"
	    "taro@mobile.example.com:nt:" NT "\n");
	kit_key("dev.users", "ken@dev.example.com:nt:" NT "\n");
	w.c = kit_conf(conf_text);
	assert_int_equal(sec_store_load(&w.store, w.c, kit_dir, geteuid()), 0);
	assert_int_equal(sec_eaps_load(&w.eap, w.c, kit_dir, geteuid()), 0);
	sc = (struct sec_serve_conf){
		.conf = w.c, .store = w.store, .eap = w.eap, .net = &no_net,
	};
	w.req = kit_init(true);
	w.resp = kit_init(false);
	memset(w.sk_pi, 0x33, 32);
	memset(w.sk_pr, 0x44, 32);
	assert_int_equal(sec_serve_new(&w.s, &sc, catch, NULL, 0), 0);
	ipc_msg_init(&m, IPC_HELLO);
	m.u.hello.version = IPC_VERSION;
	m.u.hello.evidence = kit_view(ff, 0);
	assert_int_equal(ipc_digest(m.u.hello.digest), 0);
	assert_int_equal(say(&m), 0);
}

static UNUSED void
end(void)
{
	sec_eap_close(peer.eap);
	sec_serve_free(w.s);
	sec_eaps_free(w.eap);
	sec_store_free(w.store);
	conf_free(w.c);
	assert_int_equal(secret_used(), 0);
	kit_end();
}

/* ---- the client -------------------------------------------------------------- */

static UNUSED int
its_hash(void *ctx UNUSED, struct view user UNUSED, uint8_t *out)
{
	return spi_eap_nt_hash(kit_view(peer.word, strlen(peer.word)), out);
}

static const struct spi_eap_host its_host = { .nt_hash = its_hash };

static UNUSED void
client(const char *user, const char *word)
{
	sec_eap_close(peer.eap);
	peer.word = word;
	peer.conf = (struct sec_eap_conf){
		.method = { spi_eap_named("mschapv2") }, .n_method = 1,
		.user = kit_view(user, strlen(user)), .host = &its_host,
	};
	assert_int_equal(sec_eap_open(&peer.conf, &peer.eap), 0);
}

/* ---- what tapird asks -------------------------------------------------------- */

static UNUSED struct ipc_msg
claim_of(uint32_t handle, uint8_t type, const char *id, size_t n)
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
	return m;
}

static UNUSED int
claim(uint32_t handle, uint8_t type, const char *id, size_t n)
{
	struct ipc_msg m = claim_of(handle, type, id, n);

	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.type, IPC_VERIFY_OK);
	return w.last.err;
}

static UNUSED int
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

static UNUSED int
eap(uint32_t handle, struct view in, const char *from)
{
	struct ipc_msg m;

	ipc_msg_init(&m, IPC_EAP);
	m.ticket = 3;
	m.handle = handle;
	m.u.eap.eap = in;
	snprintf(m.u.eap.from, sizeof(m.u.eap.from), "%s", from);
	assert_int_equal(say(&m), 0);
	assert_int_equal(w.last.type, IPC_EAP_OK);
	return w.last.err;
}

/* The whole conversation; how it ended. */
static UNUSED unsigned
talk(uint32_t handle, const char *from)
{
	const struct view none = { NULL, 0 };
	uint8_t buf[4200];
	struct wcur out;

	assert_int_equal(eap(handle, none, from), 0);
	while (w.last.u.eap_ok.end == IPC_TALK_MORE) {
		wcur_init(&out, buf, sizeof(buf));
		(void)sec_eap_input(peer.eap, w.last.u.eap_ok.eap, &out);
		if (out.len == 0)
			break;
		assert_int_equal(eap(handle, wcur_done(&out), from), 0);
	}
	if (w.last.u.eap_ok.end == IPC_TALK_OK) {
		wcur_init(&out, buf, sizeof(buf));
		assert_int_equal(sec_eap_input(peer.eap, w.last.u.eap_ok.eap,
		    &out), SEC_EAP_OK);
	}
	return w.last.u.eap_ok.end;
}

static UNUSED int
verify_msk(uint32_t handle, const uint8_t *spoil)
{
	struct sec_octets oct = {
		.prf = 1, .init_msg = { w.req.b, w.req.len },
		.nonce = { kit_nr, 32 }, .sk_p = { w.sk_pi, 32 }, .id = w.id,
	};
	uint8_t auth[SEC_PRF_MAX] = { 0 };
	struct ipc_msg m;
	size_t n = 32;

	if (peer.eap != NULL && sec_eap_msk(peer.eap).len > 0)
		assert_int_equal(sec_msk_sign(sec_eap_msk(peer.eap), &oct,
		    auth, &n), 0);
	if (spoil != NULL)
		auth[0] ^= *spoil;
	ipc_msg_init(&m, IPC_EAP_VERIFY);
	m.ticket = 4;
	m.handle = handle;
	m.u.eap_verify = (struct ipc_eap_verify){
		.prf = 1, .init_msg = oct.init_msg, .nonce = oct.nonce,
		.sk_p = oct.sk_p, .method = 2, .auth = { auth, n },
	};
	assert_int_equal(say(&m), 0);
	return w.last.err;
}

static UNUSED int
sign_msk(uint32_t handle)
{
	struct ipc_msg m;

	ipc_msg_init(&m, IPC_EAP_SIGN);
	m.ticket = 5;
	m.handle = handle;
	m.u.eap_sign = (struct ipc_eap_sign){
		.prf = 1, .init_msg = { w.resp.b, w.resp.len },
		.nonce = { kit_ni, 32 }, .sk_p = { w.sk_pr, 32 },
	};
	assert_int_equal(say(&m), 0);
	return w.last.err;
}

#define FQDN 2
#define MAIL 3
#define come(handle_, type_, id_)                                              \
	claim(handle_, type_, id_, strlen(id_))

/* From the claim to the end of EAP. */
static UNUSED unsigned
login(uint32_t handle, const char *id, const char *user, const char *word)
{
	client(user, word);
	assert_int_equal(come(handle, MAIL, id), 0);
	assert_int_equal(sign(handle), 0);
	return talk(handle, "192.0.2.9");
}

#endif
