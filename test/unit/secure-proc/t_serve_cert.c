/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_serve_cert.c - the server with peers that have
 * certificates: questions to the verify child, whose part the test takes, and
 * an exchange between two servers.
 */
#include "secure-proc/serve.h"
#include <sys/socket.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/ipc/msg.h"
#include "secure-proc/verify/link.h"
#include "secure-proc/verify/wire.h"
#include "test/unit/secure-proc/chains.h"

static const char us_text[] =
    "<vpn><realm name='r'><me id='us.example' cert='us.pem'/>"
    "<peer id='them.example' name='them' ca='root.pem'/>"
    "<peer id='key.example' name='key' ca='root.pem' my-auth='psk' psk='k'/>"
    "<net local='10.1.0.0/16' remote='10.2.0.0/16'/></realm></vpn>";
static const char them_text[] =
    "<vpn><realm name='r'><me id='them.example' cert='them.pem'/>"
    "<peer id='us.example' ca='root.pem'/></realm></vpn>";

/* One end. */
struct end {
	struct conf *conf;
	struct sec_store *store;
	struct sec_trust *trust;
	struct sec_link *link;
	struct sec_serve *s;
	int verify_fd, ctl_fd;	/* the child's side */
	struct ipc_msg last;
	unsigned n_answer;
	uint8_t id[300], auth[2048], cert[20000], certreq[8192], ann[512];
	uint8_t shown[20000], sealed[512];
};
static struct end us, them;
static struct mac mac[1];

static int
no_lock(void *ctx UNUSED, const struct sec_lock *l UNUSED, char *why UNUSED,
	size_t cap UNUSED)
{
	return 0;
}

static const struct sec_net no_net = { .lock = no_lock };

static struct view
keep(uint8_t *to, size_t cap, struct view v)
{
	assert_true(v.len <= cap);
	if (v.len > 0)
		memcpy(to, v.p, v.len);
	return (struct view){ to, v.len };
}

static int
catch(void *ctx, const struct ipc_msg *m, const int *fds UNUSED,
      unsigned n_fd UNUSED)
{
	struct end *e = ctx;
	struct ipc_sign_ok *a = &e->last.u.sign_ok;

	e->last = *m;
	e->n_answer++;
	if (m->type == IPC_SIGN_OK) {
		a->id_own = keep(e->id, sizeof(e->id), a->id_own);
		a->auth = keep(e->auth, sizeof(e->auth), a->auth);
		a->cert = keep(e->cert, sizeof(e->cert), a->cert);
		a->certreq = keep(e->certreq, sizeof(e->certreq), a->certreq);
	}
	if (m->type == IPC_VERIFY_OK)
		e->last.u.verify_ok.shown = keep(e->shown, sizeof(e->shown),
		    m->u.verify_ok.shown);
	if (m->type == IPC_TICKET_SEAL_OK)
		e->last.u.ticket_seal_ok.sealed = keep(e->sealed,
		    sizeof(e->sealed), m->u.ticket_seal_ok.sealed);
	if (m->type == IPC_CA_LIST_OK) {
		e->last.u.ca_list_ok.certreq = keep(e->certreq,
		    sizeof(e->certreq), m->u.ca_list_ok.certreq);
		e->last.u.ca_list_ok.auth_ann = keep(e->ann, sizeof(e->ann),
		    m->u.ca_list_ok.auth_ann);
	}
	return 0;
}

static void
say(struct end *e, const struct ipc_msg *m)
{
	static uint8_t buf[IPC_MSG_MAX];
	size_t len;

	e->n_answer = 0;
	assert_int_equal(ipc_msg_encode(m, buf, sizeof(buf), &len), 0);
	assert_int_equal(sec_serve_input(e->s, kit_view(buf, len), 0, 1000000),
	    0);
}

static void
end_begin(struct end *e, const char *text)
{
	struct sec_serve_conf c = { .net = &no_net, .mac = mac };
	struct sec_child child;
	struct ipc_msg m;
	int sv[2], p[2];

	memset(e, 0, sizeof(*e));
	e->conf = kit_conf(text);
	assert_int_equal(sec_store_load(&e->store, e->conf, kit_dir,
	    geteuid()), 0);
	assert_int_equal(sec_trust_load(&e->trust, e->conf, kit_dir,
	    geteuid()), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv), 0);
	assert_int_equal(pipe(p), 0);
	child = (struct sec_child){ sv[0], p[1] };
	e->verify_fd = sv[1];
	e->ctl_fd = p[0];
	assert_int_equal(sec_link_new(&e->link, &child), 0);
	c.conf = e->conf;
	c.store = e->store;
	c.trust = e->trust;
	c.link = e->link;
	assert_int_equal(sec_serve_new(&e->s, &c, catch, e, 1000000), 0);
	ipc_msg_init(&m, IPC_HELLO);
	m.u.hello.version = IPC_VERSION;
	assert_int_equal(ipc_digest(m.u.hello.digest), 0);
	say(e, &m);
	assert_int_equal(e->last.type, IPC_HELLO_OK);
}

static void
end_end(struct end *e)
{
	sec_serve_free(e->s);
	sec_link_free(e->link);
	sec_trust_free(e->trust);
	sec_store_free(e->store);
	conf_free(e->conf);
	close(e->verify_fd);
	close(e->ctl_fd);
}

static void
leaf_files(const char *name)
{
	char san[64], file[32];
	struct pki_spec s = { .cn = name, .key = ec, .issuer = mid,
		.issuer_key = ec_mid, .san = san };
	BIO *b = BIO_new(BIO_s_mem());
	X509 *x;
	char *p;
	long n;

	snprintf(san, sizeof(san), "DNS:%s.example", name);
	x = pki_cert(&s);
	assert_int_equal(PEM_write_bio_X509(b, x), 1);
	assert_int_equal(PEM_write_bio_X509(b, mid), 1);
	n = BIO_get_mem_data(b, &p);
	snprintf(file, sizeof(file), "%s.pem", name);
	kit_file(file, p, (size_t)n, 0644);
	snprintf(file, sizeof(file), "%s.key", name);
	pki_pem_key(file, ec, NULL);
	BIO_free(b);
	X509_free(x);
}

static void
both_begin(void)
{
	kit_begin();
	keys_make();
	kit_key("k", "a pre-shared key");
	pki_pem("root.pem", root);
	leaf_files("us");
	leaf_files("them");
	end_begin(&us, us_text);
	end_begin(&them, them_text);
}

static void
both_end(void)
{
	end_end(&us);
	end_end(&them);
	kit_end();
}

/* ---- messages ------------------------------------------------------------------------ */

static struct kit_msg req, resp;
static uint8_t sk_pi[32], sk_pr[32];

static struct ipc_msg
sign(bool is_initiator, uint32_t handle, struct view certreq)
{
	struct ipc_msg m;

	req = kit_init(true);
	resp = kit_init(false);
	memset(sk_pi, 0x33, 32);
	memset(sk_pr, 0x44, 32);
	ipc_msg_init(&m, IPC_SIGN);
	m.ticket = handle + 500;
	m.handle = handle;
	m.u.sign = (struct ipc_sign){
		.is_initiator = is_initiator,
		.realm = is_initiator ? 0 : UINT32_MAX,
		.peer = is_initiator ? 0 : UINT32_MAX, .prf = 1,
		.init_msg = is_initiator ? kit_view(req.b, req.len) :
		    kit_view(resp.b, resp.len),
		.nonce = kit_view(is_initiator ? kit_nr : kit_ni, 32),
		.sk_p = kit_view(is_initiator ? sk_pi : sk_pr, 32),
		.peer_hashes = 0x3c, .certreq = certreq,
	};
	return m;
}

static struct ipc_msg
verify(bool is_initiator, uint32_t handle, const struct end *from)
{
	const struct ipc_sign_ok *a = &from->last.u.sign_ok;
	struct ipc_msg m;

	ipc_msg_init(&m, IPC_VERIFY);
	m.ticket = handle + 900;
	m.handle = handle;
	m.u.verify = (struct ipc_verify){
		.is_initiator = is_initiator,
		.realm = is_initiator ? 0 : UINT32_MAX,
		.peer = is_initiator ? 0 : UINT32_MAX, .prf = 1,
		.init_msg = is_initiator ? kit_view(resp.b, resp.len) :
		    kit_view(req.b, req.len),
		.nonce = kit_view(is_initiator ? kit_ni : kit_nr, 32),
		.sk_p = kit_view(is_initiator ? sk_pr : sk_pi, 32),
		.id_peer = a->id_own, .method = a->method, .auth = a->auth,
		.cert = a->cert,
	};
	return m;
}

/* Be the child: look at the question, at the tests' time, and answer. */
static void
child_answers(struct end *e)
{
	static uint8_t in[SEC_WIRE_MAX], out[2048];
	struct sec_checked a;
	struct sec_check q;
	uint64_t number;
	ssize_t n = recv(e->verify_fd, in, sizeof(in), MSG_DONTWAIT);
	size_t len;

	assert_true(n > 0);
	assert_int_equal(sec_ask_dec(kit_view(in, (size_t)n), &number, &q), 0);
	q.now = PKI_NOW;
	sec_check(e->trust, &q, &a);
	assert_int_equal(sec_answer_enc(number, &a, out, sizeof(out), &len), 0);
	assert_int_equal(send(e->verify_fd, out, len, 0), len);
	sec_link_input(e->link, 1000);
}

TEST(two_ends_prove_themselves_to_each_other_by_certificates)
{
	const struct view none = { NULL, 0 };
	struct ipc_msg m;

	both_begin();
	ipc_msg_init(&m, IPC_CA_LIST);
	m.ticket = 1;
	say(&them, &m);
	assert_int_equal(them.last.type, IPC_CA_LIST_OK);
	assert_int_equal(them.last.u.ca_list_ok.certreq.len, 2 + 1 + 20);
	assert_int_equal(them.certreq[2], 4);
	assert_true(them.last.u.ca_list_ok.auth_ann.len > 100);
	m = sign(true, 7, them.last.u.ca_list_ok.certreq);
	say(&us, &m);
	assert_int_equal(us.last.type, IPC_SIGN_OK);
	assert_int_equal(us.last.err, 0);
	assert_int_equal(us.last.u.sign_ok.method, 14);
	assert_true((int64_t)us.last.u.sign_ok.not_after > clk_wall_s());
	assert_int_equal(us.last.u.sign_ok.certreq.len, 2 + 1 + 20);
	m = verify(false, 9, &us);
	say(&them, &m);
	assert_int_equal(them.n_answer, 0);	/* the child has it */
	child_answers(&them);
	assert_int_equal(them.last.type, IPC_VERIFY_OK);
	if (them.last.err != 0)
		fail_msg("%s", them.last.why);
	assert_int_equal(them.last.ticket, 909);
	assert_string_equal(them.last.u.verify_ok.id_text, "us.example");
	assert_non_null(strstr(them.last.u.verify_ok.subject, "CN=us"));
	assert_int_equal(them.last.u.verify_ok.not_after,
	    PKI_NOW + 180 * PKI_DAY);
	m = sign(false, 9, none);
	say(&them, &m);
	assert_int_equal(them.last.err, 0);
	assert_int_equal(them.last.u.sign_ok.certreq.len, 0);
	m = verify(true, 7, &them);
	say(&us, &m);
	child_answers(&us);
	assert_int_equal(us.last.type, IPC_VERIFY_OK);
	if (us.last.err != 0)
		fail_msg("%s", us.last.why);
	both_end();
}

/* us has signed for handle 7, them is asked to verify handle 9. */
static struct ipc_msg
until_verify(void)
{
	const struct view none = { NULL, 0 };
	struct ipc_msg m;

	both_begin();
	m = sign(true, 7, none);
	say(&us, &m);
	return verify(false, 9, &us);
}

TEST(a_refusal_burns_the_handle_and_names_the_peer)
{
	const struct view none = { NULL, 0 };
	struct ipc_msg m = until_verify();

	us.auth[us.last.u.sign_ok.auth.len - 1] ^= 1;
	say(&them, &m);
	child_answers(&them);
	assert_int_equal(them.last.err, ERR_AUTH);
	assert_non_null(strstr(them.last.why, "us.example"));
	assert_non_null(strstr(them.last.why, "signature"));
	m = sign(false, 9, none);
	say(&them, &m);
	assert_int_equal(them.last.err, ERR_STATE);
	both_end();
}

TEST(nothing_is_signed_or_routed_while_the_child_looks)
{
	const struct view none = { NULL, 0 };
	struct ipc_msg m = until_verify(), route;

	say(&them, &m);
	assert_int_equal(them.n_answer, 0);
	ipc_msg_init(&route, IPC_ROUTE);
	route.ticket = 4;
	route.handle = 9;
	route.u.route.family = 4;
	route.u.route.bits = 32;
	say(&them, &route);
	assert_int_equal(them.last.err, ERR_PERM);
	m = sign(false, 9, none);
	say(&them, &m);
	assert_int_equal(them.last.err, ERR_STATE);
	/* And that was the end of it, whatever the child says. */
	child_answers(&them);
	assert_int_not_equal(them.last.err, 0);
	say(&them, &route);
	assert_int_equal(them.last.err, ERR_PERM);
	both_end();
}

TEST(an_ike_sa_that_ends_meanwhile_gets_no_yes)
{
	struct ipc_msg m = until_verify(), gone;

	say(&them, &m);
	ipc_msg_init(&gone, IPC_CLOSE);
	gone.handle = 9;
	say(&them, &gone);
	assert_int_equal(sec_serve_sas(them.s), 0);
	child_answers(&them);
	assert_int_equal(them.last.type, IPC_VERIFY_OK);
	assert_int_equal(them.last.ticket, 909);
	assert_int_equal(them.last.err, ERR_STATE);
	both_end();
}

TEST(a_child_that_hangs_is_an_answer_too)
{
	struct ipc_msg m = until_verify();

	say(&them, &m);
	sec_link_tick(them.link, UINT64_MAX / 2);
	assert_int_equal(them.last.type, IPC_VERIFY_OK);
	/* not ERR_AGAIN: the handle is burnt, and tapird would ask again */
	assert_int_equal(them.last.err, ERR_CLOSED);
	both_end();
}

TEST(a_pre_shared_key_does_not_stand_in_for_a_certificate)
{
	struct ipc_msg m = until_verify();

	m.u.verify.method = 2;
	say(&them, &m);
	assert_int_equal(them.last.type, IPC_VERIFY_OK);
	assert_int_equal(them.last.err, ERR_AUTH);
	assert_non_null(strstr(them.last.why, "a certificate is configured"));
	both_end();
}

/* ---- later ------------------------------------------------------------------- */

/* Both are done; them knows what us showed. */
static struct view
until_done(void)
{
	struct ipc_msg m = until_verify();
	const struct view none = { NULL, 0 };
	struct view shown;

	say(&them, &m);
	child_answers(&them);
	assert_int_equal(them.last.err, 0);
	shown = them.last.u.verify_ok.shown;
	assert_true(shown.len > 0);
	m = sign(false, 9, none);
	say(&them, &m);
	assert_int_equal(them.last.err, 0);
	return shown;
}

static int
stands(struct view shown)
{
	struct ipc_msg m;

	ipc_msg_init(&m, IPC_STANDS);
	m.ticket = 77;
	m.u.stands.shown = shown;
	say(&them, &m);
	assert_int_equal(them.n_answer, 0);	/* the child looks */
	child_answers(&them);
	assert_int_equal(them.last.type, IPC_STANDS_OK);
	assert_int_equal(them.last.ticket, 77);
	return them.last.err;
}

/* Of root, about mid; or about nobody. */
static void
list_add(X509 *revoked, int64_t from, int64_t to)
{
	X509_CRL *x = pki_crl(root, ec_root, revoked, from, to);
	struct spi_crl *crl;
	uint8_t *der = NULL;
	int n = i2d_X509_CRL(x, &der);

	assert_int_equal(spi_certs()->crl_read(kit_view(der, (size_t)n), &crl),
	    0);
	sec_trust_crl_add(them.trust, crl);
	OPENSSL_free(der);
	X509_CRL_free(x);
}

TEST(who_is_connected_stands_until_a_list_names_it)
{
	struct view shown = until_done();

	assert_int_equal(stands(shown), 0);
	list_add(NULL, -2 * PKI_DAY, PKI_DAY);
	assert_int_equal(stands(shown), 0);
	list_add(mid, -PKI_DAY, PKI_DAY);
	assert_int_equal(stands(shown), ERR_AUTH);
	assert_non_null(strstr(them.last.why, "revoked"));
	both_end();
}

TEST(who_is_connected_is_not_sent_away_because_a_list_is_late)
{
	struct view shown = until_done();
	struct conf_peer *p = (struct conf_peer *)(uintptr_t)
	    &them.conf->realm[0].peer[0];

	p->revocation = CONF_REVOCATION_STRICT;
	assert_int_equal(stands(shown), 0);
	list_add(NULL, -3 * PKI_DAY, -2 * PKI_DAY);
	assert_int_equal(stands(shown), 0);
	both_end();
}

TEST(a_child_that_hangs_ends_nobody_who_is_connected)
{
	struct ipc_msg m;

	ipc_msg_init(&m, IPC_STANDS);
	m.ticket = 77;
	m.u.stands.shown = until_done();
	say(&them, &m);
	sec_link_tick(them.link, UINT64_MAX / 2);
	assert_int_equal(them.last.type, IPC_STANDS_OK);
	assert_int_equal(them.last.err, ERR_CLOSED);
	both_end();
}

/* The child has other lists. */
static void
lists_came(void)
{
	const struct sec_checked none = { 0 };
	uint8_t out[600];
	size_t len;

	assert_int_equal(sec_answer_enc(SEC_SAID_LISTS, &none, out,
	    sizeof(out), &len), 0);
	them.n_answer = 0;
	assert_int_equal(send(them.verify_fd, out, len, 0), len);
	sec_link_input(them.link, 1000);
}

TEST(tapird_hears_of_other_lists_but_not_for_ever)
{
	unsigned n = 0;

	both_begin();
	for (unsigned i = 0; i < 300; i++) {
		lists_came();
		n += them.n_answer;
	}
	assert_int_equal(them.last.type, IPC_LISTS);
	assert_true(n >= 1 && n < 200);
	both_end();
}

static int
ticket_open(uint32_t handle)
{
	struct ipc_msg m;

	ipc_msg_init(&m, IPC_TICKET_OPEN);
	m.ticket = 6;
	m.handle = handle;
	m.u.ticket_open.ispi = KIT_ISPI;
	m.u.ticket_open.ni = (struct view){ kit_ni, sizeof(kit_ni) };
	m.u.ticket_open.nr = (struct view){ kit_nr, sizeof(kit_nr) };
	m.u.ticket_open.sealed = kit_view(them.sealed,
	    them.last.u.ticket_seal_ok.sealed.len);
	say(&them, &m);
	return them.last.err;
}

TEST(other_lists_make_tickets_of_certificates_stale)
{
	static const uint8_t sk_d[32] = { 7 };
	struct ipc_msg m, sealed;

	(void)until_done();
	ipc_msg_init(&m, IPC_TICKET_SEAL);
	m.ticket = 5;
	m.handle = 9;
	m.u.ticket_seal.prf = 1;
	m.u.ticket_seal.sk_d = kit_view(sk_d, sizeof(sk_d));
	m.u.ticket_seal.life_s = 600;
	say(&them, &m);
	assert_int_equal(them.last.err, 0);
	sealed = them.last;
	assert_int_equal(ticket_open(10), 0);
	lists_came();
	them.last = sealed;
	assert_int_equal(ticket_open(11), ERR_AUTH);
	both_end();
}
