/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/chains.h - authorities, a configuration that believes
 * one of them, and questions put to sec_check().
 */
#ifndef TAPIR_TEST_SECURE_CHAINS_H
#define TAPIR_TEST_SECURE_CHAINS_H

#include "daemon/base/err.h"
#include "secure-proc/verify/check.h"
#include "spi/spi_cert.h"
#include "test/unit/secure-proc/pki.h"

/* Keys are slow to make and say nothing: made once. */
static EVP_PKEY *ec, *ec2, *ec_root, *ec_mid, *rsa, *rsa1024, *ed, *p384, *p521,
    *ed448, *secp;
static X509 *root, *mid, *other_root;
static uint8_t bodies[70000];

static const char conf_text[] =
    "<vpn>"
    "<realm name='strict'><me id='us' psk='k'/>"
    " <peer id='peer.example' ca='root.pem' my-auth='psk' psk='k' "
    "  revocation='strict'/>"
    " <peer id='pin.example' cert='pin.pem' my-auth='psk' psk='k'/>"
    " <peer id='raw.example' pubkey='raw.pub' my-auth='psk' psk='k'/></realm>"
    "<realm name='soft' suite='compat'><me id='us2' psk='k'/>"
    " <peer id='peer.example' ca='root.pem' my-auth='psk' psk='k'/></realm>"
    "<realm name='off'><me id='us3' psk='k'/>"
    " <peer id='peer.example' ca='root.pem' my-auth='psk' psk='k' "
    "  revocation='off'/></realm></vpn>";
enum { STRICT, SOFT, OFF };

static struct conf *conf;
static struct sec_trust *trust;

static void
keys_free(void)
{
	EVP_PKEY *const k[] = { ec, ec2, ec_root, ec_mid, rsa, rsa1024, ed,
		p384, p521, ed448, secp };

	for (unsigned i = 0; i < N_OF(k); i++)
		EVP_PKEY_free(k[i]);
	X509_free(root);
	X509_free(mid);
	X509_free(other_root);
}

UNUSED static void
keys_make(void)
{
	if (ec != NULL)
		return;
	(void)atexit(keys_free);
	ec = pki_key("EC", "P-256");
	ec2 = pki_key("EC", "P-256");
	ec_root = pki_key("EC", "P-256");
	ec_mid = pki_key("EC", "P-256");
	p384 = pki_key("EC", "P-384");
	p521 = pki_key("EC", "P-521");
	secp = pki_key("EC", "secp256k1");
	rsa = pki_key("RSA", "2048");
	rsa1024 = pki_key("RSA", "1024");
	ed = pki_key("ED25519", NULL);
	ed448 = pki_key("ED448", NULL);
	root = pki_ca("root", ec_root, NULL, NULL);
	mid = pki_ca("mid", ec_mid, root, ec_root);
	other_root = pki_ca("other", ec2, NULL, NULL);
}

UNUSED static void
begin(void)
{
	struct pki_spec pin = { .cn = "pin" };
	X509 *x;

	kit_begin();
	keys_make();
	pin.key = ec;
	x = pki_cert(&pin);
	pki_pem("root.pem", root);
	pki_pem("pin.pem", x);
	pki_pem_pub("raw.pub", ed);
	X509_free(x);
	conf = kit_conf(conf_text);
	assert_int_equal(sec_trust_load(&trust, conf, kit_dir, geteuid()), 0);
}

UNUSED static void
end(void)
{
	sec_trust_free(trust);
	conf_free(conf);
	kit_end();
}

/* ---- asking --------------------------------------------------------------------- */

static const uint8_t init_text[] = "an IKE_SA_INIT message, as far as this goes";

struct asking {
	unsigned realm, peer;
	EVP_PKEY *sign_with;
	struct spi_sig how;
	uint8_t id_type;
	const char *id;
	struct wcur w;		/* CERT bodies */
	uint8_t method;
	bool is_other_curve;	/* Ed25519 called Ed448, or the reverse */
	const EVP_MD *md;	/* sign with RSA and this, whatever how says */
};

/* PKCS#1 v1.5 over the parts with any hash; @return bytes. */
static inline size_t
sign_rsa(EVP_PKEY *k, const EVP_MD *md, const struct view *part, uint8_t *out)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t len = 1024;

	assert_int_equal(EVP_DigestSignInit(c, NULL, md, NULL, k), 1);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(EVP_DigestSignUpdate(c, part[i].p,
		    part[i].len), 1);
	assert_int_equal(EVP_DigestSignFinal(c, out, &len), 1);
	EVP_MD_CTX_free(c);
	return len;
}

UNUSED static struct asking
asking(unsigned realm)
{
	struct asking a = {
		.realm = realm, .sign_with = ec,
		.how = { SPI_SIG_ECDSA, SPI_SIG_SHA256 },
		.id_type = 2, .id = "peer.example", .method = 14,
	};

	wcur_init(&a.w, bodies, sizeof(bodies));
	return a;
}

UNUSED static struct sec_checked
ask(struct asking *a)
{
	static uint8_t auth[2048];
	struct spi_pkey *k;
	struct sec_checked out;
	struct sec_check q = {
		.realm = a->realm, .peer = a->peer, .now = PKI_NOW,
		.method = a->method,
		.cert = { bodies, a->w.len },
		.init_msg = { init_text, sizeof(init_text) },
		.nonce = { kit_ni, 32 }, .maced_id = { kit_nr, 32 },
	};
	const struct view part[3] = { q.init_msg, q.nonce, q.maced_id };
	uint8_t id[300];
	size_t len = 0, at = 0;

	q.id = kit_id(id, a->id_type, a->id);
	/* The provider's object around a key of the test. */
	k = (struct spi_pkey *)&a->sign_with;
	if (a->method == 14) {
		at = 1 + spi_sig_alg(&a->how, auth + 1);
		auth[0] = (uint8_t)(at - 1);
		if (EVP_PKEY_is_a(a->sign_with, "ED448") != a->is_other_curve)
			auth[at - 1] = 0x71;
	}
	if (a->md != NULL)
		len = sign_rsa(a->sign_with, a->md, part, auth + at);
	else if (spi_certs()->sign(k, &a->how, part, 3, auth + at, &len) != 0)
		len = 64;		/* a signature of nothing */
	q.auth = (struct view){ auth, at + len };
	sec_check(trust, &q, &out);
	return out;
}

UNUSED static void
good(const struct sec_checked *c)
{
	if (c->err != 0)
		fail_msg("%s", c->why);
}

UNUSED static void
bad(const struct sec_checked *c, const char *says)
{
	assert_int_not_equal(c->err, 0);
	if (strstr(c->why, says) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", c->why, says);
	assert_int_equal(c->not_after, 0);
}

/* A chain as given, the leaf in front. */
UNUSED static struct sec_checked
chain(unsigned realm, X509 *const *x, unsigned n)
{
	struct asking a = asking(realm);

	for (unsigned i = 0; i < n; i++)
		pki_put_cert(&a.w, x[i]);
	return ask(&a);
}

UNUSED static X509 *
leaf_of(X509 *issuer, EVP_PKEY *key)
{
	const struct pki_spec s = {
		.cn = "peer", .key = ec, .issuer = issuer, .issuer_key = key,
		.san = "DNS:peer.example",
	};

	return pki_cert(&s);
}

#endif
