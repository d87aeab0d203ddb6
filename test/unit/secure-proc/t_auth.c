/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_auth.c - AUTH against a known answer, the order of
 * SIGN and VERIFY, and everything that must not be signed.
 */
#include "secure-proc/keys/auth.h"
#include "daemon/base/err.h"
#include "secure-proc/keys/initmsg.h"
#include "test/unit/secure-proc/kit.h"

#define PSK "correct horse battery staple"

static const char conf_text[] =
    "<vpn><realm name='r'><me id='tokyo' psk='k'/><peer id='osaka'/>"
    "<peer id='*.example'/></realm>"
    "<realm name='s'><me id='kyoto' psk='other'/><peer id='nara'/></realm>"
    "</vpn>";
/* The same net seen from the peer. */
static const char peer_text[] =
    "<vpn><realm name='q'><me id='osaka' psk='k'/><peer id='tokyo'/></realm>"
    "</vpn>";

/* One side: a configuration with its keys, and the state of one IKE SA. */
struct side {
	struct conf *c;
	struct sec_store *s;
	struct sec_keys k;
	struct sec_auth a;
	struct sec_signed out;
	char why[256], id[SEC_ID_TEXT_MAX];
	struct sec_auth_asked asked;
};

static void
side_begin(struct side *d, const char *text)
{
	memset(d, 0, sizeof(*d));
	d->c = kit_conf(text);
	kit_key("k", PSK);
	kit_key("other", "quite another key");
	assert_int_equal(sec_store_load(&d->s, d->c, kit_dir, geteuid()), 0);
	d->k.conf = d->c;
	d->k.store = d->s;
}

static void
side_end(struct side *d)
{
	sec_store_free(d->s);
	conf_free(d->c);
}

static struct kit_msg req, resp;
static uint8_t sk_pi[64], sk_pr[64], idbuf[64];

static void
begin(void)
{
	kit_begin();
	req = kit_init(true);
	resp = kit_init(false);
	memset(sk_pi, 0x33, sizeof(sk_pi));
	memset(sk_pr, 0x44, sizeof(sk_pr));
}

static struct ipc_sign
sign_i(void)
{
	return (struct ipc_sign){
		.is_initiator = true, .realm = 0, .peer = 0, .prf = 1,
		.init_msg = { req.b, req.len }, .nonce = { kit_nr, 32 },
		.sk_p = { sk_pi, 32 },
	};
}

static struct ipc_sign
sign_r(void)
{
	return (struct ipc_sign){
		.realm = UINT32_MAX, .peer = UINT32_MAX, .prf = 1,
		.init_msg = { resp.b, resp.len }, .nonce = { kit_ni, 32 },
		.sk_p = { sk_pr, 32 },
	};
}

/* What the responder is asked about the initiator's AUTH. */
static struct ipc_verify
verify_r(const struct sec_signed *s)
{
	return (struct ipc_verify){
		.realm = UINT32_MAX, .peer = UINT32_MAX, .prf = 1,
		.init_msg = { req.b, req.len }, .nonce = { kit_nr, 32 },
		.sk_p = { sk_pi, 32 },
		.id_peer = { s->id_own, s->id_own_len },
		.id_own = { s->id_peer, s->id_peer_len },
		.method = 2, .auth = { s->auth, s->auth_len },
	};
}

static struct ipc_verify
verify_i(const struct sec_signed *s)
{
	return (struct ipc_verify){
		.is_initiator = true, .realm = 0, .peer = 0, .prf = 1,
		.init_msg = { resp.b, resp.len }, .nonce = { kit_ni, 32 },
		.sk_p = { sk_pr, 32 },
		.id_peer = { s->id_own, s->id_own_len },
		.method = 2, .auth = { s->auth, s->auth_len },
	};
}

static int
do_sign(struct side *d, struct ipc_sign q)
{
	return sec_auth_sign(&d->k, &d->a, &q, &d->out, d->why,
	    sizeof(d->why));
}

static int
do_verify(struct side *d, struct ipc_verify q)
{
	return sec_auth_verify(&d->k, &d->a, &q, d->id, &d->asked, d->why,
	    sizeof(d->why));
}

/*
 * Source of the vectors, with Python's hmac and hashlib alone:
 *   prf = lambda k, d: hmac.new(k, d, HASH).digest()
 *   prf(prf(b"correct horse battery staple", b"Key Pad for IKEv2"),
 *       req + nr + prf(b"\x33" * LEN, b"\x02\0\0\0tokyo")).hex()
 * where req and nr are what kit.h builds.
 */
TEST(auth_is_what_rfc7296_says_for_each_prf)
{
	static const char *const want[] = {
	    "5916c9a5ed68699da680e542e76c82b20f308b26bfb550d5beaba5612d3bb923",
	    "e03b1ea28abdfe4b29625cef06fefd70325877ee89931b239df9a8b4c24b7f14"
	    "9147122c61970fa7c110c95105ea973d",
	    "04c00cad561ee6325d004b0e18ae2c04e195e3499fda515514b51ad661ad58f7"
	    "c880857ba36f8125ef474e22ab41b4e6e3454e4ff3187f0e29dd62f5f7ba3a7e",
	};
	struct sec_octets in;
	uint8_t got[SEC_PRF_MAX], exp[SEC_PRF_MAX];
	size_t n, len;

	begin();
	for (uint8_t p = 1; p <= 3; p++) {
		in = (struct sec_octets){
			.prf = p, .init_msg = { req.b, req.len },
			.nonce = { kit_nr, 32 },
			.sk_p = { sk_pi, sec_prf_len(p) },
			.id = kit_id(idbuf, 2, "tokyo"),
		};
		assert_int_equal(sec_psk_auth(kit_view(PSK, strlen(PSK)), &in,
		    got, &len), 0);
		n = test_hex(want[p - 1], exp, sizeof(exp));
		assert_int_equal(len, n);
		assert_memory_equal(got, exp, n);
	}
	in.prf = 0;
	assert_int_equal(sec_psk_auth(kit_view(PSK, 4), &in, got, &len),
	    ERR_ALG);
	in.prf = 4;
	assert_int_equal(sec_psk_auth(kit_view(PSK, 4), &in, got, &len),
	    ERR_ALG);
	in.prf = 1;
	assert_int_equal(sec_psk_auth(kit_view(PSK, 0), &in, got, &len),
	    ERR_SHORT);
	kit_end();
}

TEST(both_sides_agree_with_the_same_key)
{
	struct side i, r;

	begin();
	side_begin(&i, conf_text);
	side_begin(&r, peer_text);
	assert_int_equal(do_sign(&i, sign_i()), 0);
	assert_memory_equal(i.out.id_own, "\x02\0\0\0tokyo", 9);
	assert_memory_equal(i.out.id_peer, "\x02\0\0\0osaka", 9);
	assert_false(sec_auth_is_done(&i.a));
	assert_int_equal(do_verify(&r, verify_r(&i.out)), 0);
	assert_string_equal(r.id, "tokyo");
	assert_int_equal(r.a.realm, 0);
	assert_false(sec_auth_is_done(&r.a));
	assert_int_equal(do_sign(&r, sign_r()), 0);
	assert_true(sec_auth_is_done(&r.a));
	assert_int_equal(r.out.id_peer_len, 0);
	assert_int_equal(do_verify(&i, verify_i(&r.out)), 0);
	assert_true(sec_auth_is_done(&i.a));
	assert_string_equal(i.id, "osaka");
	side_end(&i);
	side_end(&r);
	kit_end();
}

/* One VERIFY as responder that must fail, from a good one with one change. */
#define REFUSED(err_, change_)                                                 \
	do {                                                                   \
		struct ipc_verify q = verify_r(&i.out);                        \
		memset(&r.a, 0, sizeof(r.a));                                  \
		change_;                                                       \
		assert_int_equal(do_verify(&r, q), err_);                      \
		assert_int_equal(r.a.phase, SEC_P_FAILED);                     \
		assert_string_not_equal(r.why, "");                            \
		assert_string_equal(r.id, "");                                 \
		assert_null(strstr(r.why, "battery"));                         \
		/* Failed for good: the right question comes too late. */      \
		assert_int_equal(do_verify(&r, verify_r(&i.out)), ERR_STATE);  \
		assert_int_equal(do_sign(&r, sign_r()), ERR_STATE);            \
	} while (0)

TEST(whatever_is_changed_verification_fails)
{
	static uint8_t auth[1024], nonce[32];
	struct side i, r;

	begin();
	side_begin(&i, conf_text);
	side_begin(&r, peer_text);
	assert_int_equal(do_sign(&i, sign_i()), 0);
	for (unsigned bit = 0; bit < 32 * 8; bit += 5) {
		memcpy(auth, i.out.auth, 32);
		auth[bit / 8] ^= (uint8_t)(1 << bit % 8);
		REFUSED(ERR_AUTH, q.auth.p = auth);
	}
	REFUSED(ERR_AUTH, q.auth.len = 31);
	REFUSED(ERR_AUTH, q.auth.len = 33);
	REFUSED(ERR_AUTH, q.auth.len = 0);
	REFUSED(ERR_AUTH, q.method = 1);
	REFUSED(ERR_AUTH, q.method = 14);
	REFUSED(ERR_AUTH, q.sk_p.p = sk_pr);
	REFUSED(ERR_RANGE, q.sk_p.len = 31);
	REFUSED(ERR_RANGE, q.sk_p.len = 0);
	REFUSED(ERR_RANGE, q.prf = 0);
	REFUSED(ERR_RANGE, q.prf = 2);
	REFUSED(ERR_NOTFOUND, q.id_peer = kit_id(idbuf, 2, "stranger"));
	REFUSED(ERR_NOTFOUND, q.id_peer = kit_id(idbuf, 3, "tokyo"));
	REFUSED(ERR_NOTFOUND, q.id_own = kit_id(idbuf, 2, "kobe"));
	REFUSED(ERR_SYNTAX, q.id_own.len = 4);
	REFUSED(ERR_SHORT, q.id_peer.len = 4);
	REFUSED(ERR_SHORT, q.id_peer.len = 0);
	memcpy(nonce, kit_nr, 32);
	nonce[31] ^= 1;
	REFUSED(ERR_AUTH, q.nonce.p = nonce);
	REFUSED(ERR_SYNTAX, q.nonce.p = kit_ni);	/* reflection */
	REFUSED(ERR_RANGE, q.nonce.len = 15);
	REFUSED(ERR_SYNTAX, q.init_msg = kit_view(resp.b, resp.len));
	side_end(&i);
	side_end(&r);
	kit_end();
}

TEST(a_wrong_key_and_an_unknown_name_are_told_apart_only_here)
{
	struct side i, r;

	begin();
	side_begin(&i, conf_text);
	side_begin(&r, peer_text);
	kit_key("k", "mistyped");
	sec_store_free(r.s);
	assert_int_equal(sec_store_load(&r.s, r.c, kit_dir, geteuid()), 0);
	r.k.store = r.s;
	assert_int_equal(do_sign(&i, sign_i()), 0);
	assert_int_equal(do_verify(&r, verify_r(&i.out)), ERR_AUTH);
	assert_non_null(strstr(r.why, "wrong pre-shared key"));
	assert_non_null(strstr(r.why, "tokyo"));
	assert_null(strstr(r.why, "mistyped"));
	side_end(&i);
	side_end(&r);
	kit_end();
}

TEST(nobody_authenticates_with_the_key_that_stands_in)
{
	static const char dummy[] = "no peer has this key, no peer!!";
	struct ipc_verify q;
	struct sec_octets in;
	uint8_t auth[SEC_PRF_MAX];
	struct side r;
	size_t n;

	begin();
	side_begin(&r, peer_text);
	in = (struct sec_octets){
		.prf = 1, .init_msg = { req.b, req.len },
		.nonce = { kit_nr, 32 }, .sk_p = { sk_pi, 32 },
		.id = kit_id(idbuf, 2, "stranger"),
	};
	assert_int_equal(sec_psk_auth(kit_view(dummy, sizeof(dummy)), &in,
	    auth, &n), 0);
	q = (struct ipc_verify){
		.realm = UINT32_MAX, .peer = UINT32_MAX, .prf = 1,
		.init_msg = in.init_msg, .nonce = in.nonce, .sk_p = in.sk_p,
		.id_peer = in.id, .method = 2, .auth = { auth, n },
	};
	assert_int_equal(do_verify(&r, q), ERR_NOTFOUND);
	side_end(&r);
	kit_end();
}

TEST(the_initiator_accepts_the_configured_peer_alone)
{
	struct ipc_verify q;
	struct side i, r;

	begin();
	side_begin(&i, conf_text);
	side_begin(&r, peer_text);
	assert_int_equal(do_sign(&i, sign_i()), 0);
	assert_int_equal(do_verify(&r, verify_r(&i.out)), 0);
	assert_int_equal(do_sign(&r, sign_r()), 0);
	q = verify_i(&r.out);
	q.id_peer = kit_id(idbuf, 2, "nara");	/* of another realm of ours */
	assert_int_equal(do_verify(&i, q), ERR_NOTFOUND);
	side_end(&i);
	side_end(&r);
	kit_end();
}

TEST(the_order_is_sign_verify_or_verify_sign)
{
	struct side i, r;

	begin();
	side_begin(&i, conf_text);
	side_begin(&r, peer_text);
	/* Responder may not sign first. */
	assert_int_equal(do_sign(&r, sign_r()), ERR_STATE);
	/* Initiator may not verify first. */
	memset(&r.a, 0, sizeof(r.a));
	assert_int_equal(do_sign(&i, sign_i()), 0);
	assert_int_equal(do_verify(&r, verify_i(&i.out)), ERR_STATE);
	/* Nor sign twice. */
	assert_int_equal(do_sign(&i, sign_i()), ERR_STATE);
	side_end(&i);
	side_end(&r);
	kit_end();
}

/* Another exchange than the one verified: other SPI or other nonces. */
TEST(the_second_half_must_belong_to_the_first)
{
	static uint8_t nonce[32];
	struct ipc_sign s;
	struct side i, r;

	begin();
	side_begin(&i, conf_text);
	side_begin(&r, peer_text);
	assert_int_equal(do_sign(&i, sign_i()), 0);
	for (unsigned what = 0; what < 3; what++) {
		struct kit_msg m = resp;

		memset(&r.a, 0, sizeof(r.a));
		assert_int_equal(do_verify(&r, verify_r(&i.out)), 0);
		s = sign_r();
		memcpy(nonce, kit_ni, 32);
		if (what == 0)
			m.b[0] ^= 1;			/* initiator's SPI */
		if (what == 1)
			m.b[m.len - 1] ^= 1;		/* our nonce */
		if (what == 2)
			nonce[0] ^= 1;			/* theirs */
		s.init_msg = kit_view(m.b, m.len);
		s.nonce = kit_view(nonce, 32);
		assert_int_equal(do_sign(&r, s), ERR_STATE);
		assert_int_equal(r.a.phase, SEC_P_FAILED);
		assert_int_equal(r.out.auth_len, 0);
	}
	side_end(&i);
	side_end(&r);
	kit_end();
}

TEST(only_existing_exact_peers_are_dialled)
{
	struct ipc_sign s;
	struct side i;

	begin();
	side_begin(&i, conf_text);
	for (unsigned n = 0; n < 4; n++) {
		memset(&i.a, 0, sizeof(i.a));
		s = sign_i();
		s.realm = n == 0 ? 2 : n == 1 ? UINT32_MAX : 0;
		s.peer = n == 2 ? 1 : n == 3 ? 2 : 0;	/* 1 is a pattern */
		assert_int_equal(do_sign(&i, s), ERR_NOTFOUND);
	}
	side_end(&i);
	kit_end();
}

/* ---- what counts as an IKE_SA_INIT message ------------------------------------ */

static int
read_changed(size_t at, uint8_t v)
{
	struct kit_msg m = kit_init(true);
	struct sec_init out;

	m.b[at] = v;
	return sec_init_read(kit_view(m.b, m.len), true, &out);
}

TEST(only_a_whole_ike_sa_init_of_the_right_direction_is_read)
{
	struct kit_msg q = kit_init(true), r = kit_init(false);
	struct sec_init out;

	assert_int_equal(sec_init_read(kit_view(q.b, q.len), true, &out), 0);
	assert_true(out.ispi == KIT_ISPI);
	assert_int_equal(out.nonce.len, 32);
	assert_int_equal(sec_init_read(kit_view(r.b, r.len), false, &out), 0);
	assert_true(out.rspi == KIT_RSPI);
	assert_int_not_equal(sec_init_read(kit_view(q.b, q.len), false, &out),
	    0);
	assert_int_not_equal(sec_init_read(kit_view(r.b, r.len), true, &out),
	    0);
	for (size_t n = 0; n < q.len; n++)
		assert_int_not_equal(sec_init_read(kit_view(q.b, n), true,
		    &out), 0);
	assert_int_equal(read_changed(17, 0x10), ERR_VERSION);
	assert_int_equal(read_changed(17, 0x30), ERR_VERSION);
	for (unsigned x = 0; x < 256; x++)
		assert_int_equal(read_changed(18, (uint8_t)x),
		    x == 34 ? 0 :	/* exchange type; 38 has no SA, KE */
		    x == 38 ? ERR_GRAMMAR : ERR_SYNTAX);
	assert_int_equal(read_changed(19, 0x28), ERR_SYNTAX);
	assert_int_equal(read_changed(19, 0x00), ERR_SYNTAX);
	assert_int_equal(read_changed(19, 0x20), ERR_SYNTAX);
	assert_int_equal(read_changed(23, 1), ERR_SYNTAX);	/* message id */
	assert_int_equal(read_changed(15, 1), ERR_SYNTAX);	/* SPIr */
	assert_int_equal(read_changed(27, 0xff), ERR_SHORT);	/* length */
	assert_int_equal(read_changed(16, 0), ERR_TRAIL);	/* no payload */
	assert_int_equal(read_changed(16, 46), ERR_GRAMMAR);	/* encrypted */
	assert_int_equal(read_changed(16, 34), ERR_GRAMMAR);	/* two KE */
	assert_int_equal(read_changed(31, 3), ERR_SHORT);
	assert_int_not_equal(read_changed(31, 11), 0);
}

TEST(nonces_outside_of_16_to_256_bytes_are_refused)
{
	struct kit_msg m = kit_init(true);
	struct sec_init out;
	size_t nonce_at = m.len - 36;

	m.len -= 17;			/* 15 bytes of nonce are left */
	m.b[nonce_at + 3] = 4 + 15;
	m.b[27] = (uint8_t)m.len;
	assert_int_equal(sec_init_read(kit_view(m.b, m.len), true, &out),
	    ERR_SYNTAX);
	m.len += 1;
	m.b[nonce_at + 3] = 4 + 16;
	m.b[27] = (uint8_t)m.len;
	assert_int_equal(sec_init_read(kit_view(m.b, m.len), true, &out), 0);
}
