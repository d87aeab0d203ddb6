/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_alone.c - EAP-only (RFC 5998): when a gateway may leave its
 * AUTH out, and when a client takes that.
 */
#include "secure-proc/keys/auth.h"
#include "daemon/base/err.h"
#include "test/unit/secure-proc/pki.h"

#define GW "gw.example.com"

static const char gw_text[] =
    "<vpn><realm name='vault'><match id='*@vault.example'/>"
    "<me id='" GW "' cert='own.pem'/>"
    "<eap method='tls' ca='ca.pem' only='yes'/>"
    "<net local='10.1.0.0/16'/></realm>"
    "<realm name='staff'><match id='*@staff.example'/>"
    "<me id='" GW "' cert='own.pem'/><eap method='tls' ca='ca.pem'/>"
    "<net local='10.2.0.0/16'/></realm></vpn>";
static const char us_text[] =
    "<vpn><realm name='out'>"
    "<me eap='ken@vault.example' cert='own.pem' only='yes'/>"
    "<peer id='" GW "' ca='ca.pem'/><net remote='10.1.0.0/16'/></realm>"
    "<realm name='strict'>"
    "<me eap='mei@vault.example' cert='own.pem'/>"
    "<peer id='" GW "' ca='ca.pem'/><net remote='10.2.0.0/16'/></realm></vpn>";
enum { OUT, STRICT };

static struct {
	struct conf *c;
	struct sec_store *s;
	struct sec_keys k;
	struct sec_auth a;
	struct sec_signed out;
	struct sec_auth_asked asked;
	char why[256], id[SEC_ID_TEXT_MAX];
	struct kit_msg req, resp;
	uint8_t sk[32], idbuf[64], word[32];
} w;

static void
begin(const char *text)
{
	EVP_PKEY *k;
	X509 *x;

	memset(&w, 0, sizeof(w));
	kit_begin();
	k = pki_key("EC", "P-256");
	x = pki_cert(&(struct pki_spec){ .cn = "own", .key = k,
	    .san = "DNS:" GW });
	pki_pem("own.pem", x);
	pki_pem("ca.pem", x);
	pki_pem_key("own.key", k, NULL);
	X509_free(x);
	EVP_PKEY_free(k);
	w.c = kit_conf(text);
	assert_int_equal(sec_store_load(&w.s, w.c, kit_dir, geteuid()), 0);
	w.k = (struct sec_keys){ .conf = w.c, .store = w.s };
	w.req = kit_init(true);
	w.resp = kit_init(false);
	memset(w.sk, 0x33, sizeof(w.sk));
	memset(w.word, 0x55, sizeof(w.word));
}

static void
end(void)
{
	sec_store_free(w.s);
	conf_free(w.c);
	kit_end();
}

static int
sign(bool is_initiator, uint32_t realm)
{
	const struct kit_msg *m = is_initiator ? &w.req : &w.resp;
	struct ipc_sign q = {
		.is_initiator = is_initiator, .realm = realm,
		.peer = is_initiator ? 0 : UINT32_MAX, .prf = 1,
		.init_msg = { m->b, m->len },
		.nonce = { is_initiator ? kit_nr : kit_ni, 32 },
		.sk_p = { w.sk, 32 }, .peer_hashes = 1u << 2,
	};

	return sec_auth_sign(&w.k, &w.a, &q, &w.out, w.why, sizeof(w.why));
}

/* The peer leaves it to EAP to prove who it is. */
static struct ipc_verify
claim(bool is_initiator, uint32_t realm, const char *id)
{
	const struct kit_msg *m = is_initiator ? &w.resp : &w.req;

	return (struct ipc_verify){
		.is_initiator = is_initiator, .realm = realm,
		.peer = is_initiator ? 0 : UINT32_MAX, .prf = 1,
		.init_msg = { m->b, m->len },
		.nonce = { is_initiator ? kit_ni : kit_nr, 32 },
		.sk_p = { w.sk, 32 }, .by_eap = true,
		.id_peer = kit_id(w.idbuf, is_initiator ? 2 : 3, id),
	};
}

static int
verify(struct ipc_verify q)
{
	return sec_auth_verify(&w.k, &w.a, &q, w.id, &w.asked, w.why,
	    sizeof(w.why));
}

TEST(gateway_leaves_its_auth_out_only_where_both_ends_permit_it)
{
	static const struct {
		const char *id;
		bool may;		/* the client says so */
		bool is_out;
	} row[] = {
		{ "ken@vault.example", true, true },
		{ "ken@vault.example", false, false },
		{ "ken@staff.example", true, false },
		{ "ken@staff.example", false, false },
	};
	struct ipc_verify q;

	begin(gw_text);
	for (unsigned i = 0; i < N_OF(row); i++) {
		memset(&w.a, 0, sizeof(w.a));
		q = claim(false, UINT32_MAX, row[i].id);
		q.eap_only = row[i].may;
		assert_int_equal(verify(q), 0);
		assert_int_equal(sign(false, UINT32_MAX), 0);
		assert_int_equal(w.out.auth_len == 0, row[i].is_out);
		assert_int_equal(w.out.method == 0, row[i].is_out);
		assert_int_equal(w.out.cert.len == 0, row[i].is_out);
		assert_false(sec_auth_is_done(&w.a));
	}
	end();
}

TEST(gateway_without_auth_is_taken_only_where_that_is_configured)
{
	begin(us_text);
	assert_int_equal(sign(true, STRICT), 0);
	assert_int_equal(w.out.method, 0);
	assert_int_equal(verify(claim(true, STRICT, GW)), ERR_STATE);
	/* for good */
	assert_int_equal(sec_auth_talks(&w.a), ERR_STATE);
	assert_int_equal(verify(claim(true, STRICT, GW)), ERR_STATE);
	memset(&w.a, 0, sizeof(w.a));
	assert_int_equal(sign(true, OUT), 0);
	assert_int_equal(verify(claim(true, OUT, GW)), 0);
	assert_int_equal(sec_auth_talks(&w.a), 0);
	assert_true(w.a.is_alone);
	assert_false(sec_auth_is_done(&w.a));
	end();
}

TEST(gateway_by_eap_has_its_name_and_brings_nothing_else)
{
	struct ipc_verify q;

	begin(us_text);
	assert_int_equal(sign(true, OUT), 0);
	assert_int_not_equal(verify(claim(true, OUT, "other.example.com")), 0);
	assert_int_equal(sec_auth_talks(&w.a), ERR_STATE);
	for (unsigned i = 0; i < 3; i++) {
		memset(&w.a, 0, sizeof(w.a));
		assert_int_equal(sign(true, OUT), 0);
		q = claim(true, OUT, GW);
		if (i == 0)
			q.auth = kit_view(w.word, sizeof(w.word));
		else if (i == 1)
			q.cert = kit_view(w.word, sizeof(w.word));
		else
			q.method = 2;
		assert_int_equal(verify(q), ERR_SYNTAX);
		assert_int_equal(sec_auth_talks(&w.a), ERR_STATE);
	}
	end();
}

TEST(nobody_is_proved_before_eap_has_ended)
{
	struct sec_bind b = { .nonce = { kit_ni, 32 }, .prf = 1 };

	begin(us_text);
	assert_int_equal(sign(true, OUT), 0);
	assert_int_equal(verify(claim(true, OUT, GW)), 0);
	b.init_msg = kit_view(w.resp.b, w.resp.len);
	b.sk_p = kit_view(w.sk, 32);
	b.msk = kit_view(w.word, 32);
	b.id_peer = kit_id(w.idbuf, 2, GW);
	assert_int_equal(sec_auth_bind_check(&w.a, &b, 2,
	    kit_view(w.word, 32)), ERR_STATE);
	assert_false(sec_auth_is_done(&w.a));
	/* and not after that, either */
	assert_int_equal(sec_auth_talks(&w.a), ERR_STATE);
	end();
}
