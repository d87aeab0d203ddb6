/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_chains.c - tables of good and bad chains: what is wrong
 * with a peer's certificate, with the authorities above it, with the way between.
 */
#define ERR_STATE ossl_err_state_type
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#undef ERR_STATE
#include "test/unit/secure-proc/chains.h"

static struct spi_cert *
cert_of(X509 *x)
{
	uint8_t *der = NULL;
	int n = i2d_X509(x, &der);
	struct spi_cert *c;

	assert_int_equal(spi_certs()->cert_read(kit_view(der, (size_t)n), &c),
	    0);
	OPENSSL_free(der);
	return c;
}

/* ---- the table of chains ----------------------------------------------------------- */

struct row {
	const char *what;
	struct pki_spec leaf;	/* issuer NULL here: by mid */
	const char *says;	/* NULL: it is good */
};

static void
row_check(const struct row *r)
{
	struct pki_spec s = r->leaf;
	struct asking a = asking(OFF);
	struct sec_checked c;
	X509 *x;

	if (s.cn == NULL)
		s.cn = "peer";
	if (s.key == NULL)
		s.key = ec;
	if (s.san == NULL)
		s.san = "DNS:peer.example";
	else if (s.san[0] == '\0')
		s.san = NULL;
	if (s.issuer == NULL) {
		s.issuer = mid;
		s.issuer_key = ec_mid;
	}
	x = pki_cert(&s);
	pki_put_cert(&a.w, x);
	pki_put_cert(&a.w, s.issuer);
	c = ask(&a);
	if (r->says == NULL ? c.err != 0 : c.err == 0 ||
	    strstr(c.why, r->says) == NULL)
		fail_msg("%s: err %d \"%s\", expected \"%s\"", r->what, c.err,
		    c.why, r->says != NULL ? r->says : "good");
	X509_free(x);
}

/* ---- what no authority would sign -------------------------------------------- */

static void
add_der(X509 *x, int nid, const char *der, int len)
{
	ASN1_OCTET_STRING *data = ASN1_OCTET_STRING_new();
	X509_EXTENSION *e;

	assert_int_equal(ASN1_OCTET_STRING_set(data, (const uint8_t *)der,
	    len), 1);
	e = X509_EXTENSION_create_by_NID(NULL, nid, 0, data);
	assert_int_equal(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
	ASN1_OCTET_STRING_free(data);
}

#define SAN(x_, der_) add_der(x_, NID_subject_alt_name, der_, sizeof(der_) - 1)

static void
san_again(X509 *x)
{
	SAN(x, "\x30\x0e\x82\x0cpeer.example");
}

static void
san_broken(X509 *x)
{
	SAN(x, "\x30\x20\x82\x0cpeer.example");
}

static void
san_nul(X509 *x)
{
	SAN(x, "\x30\x13\x82\x11" "peer.example\0.bad");
}

static void
san_nul_end(X509 *x)
{
	SAN(x, "\x30\x0f\x82\x0d" "peer.example\0");
}

static void
san_empty(X509 *x)
{
	SAN(x, "\x30\x02\x82\x00");
}

static void
usage_again(X509 *x)
{
	add_der(x, NID_key_usage, "\x03\x02\x07\x80", 4);
}

static void
serial_set(X509 *x, const char *hex)
{
	BIGNUM *n = NULL;

	assert_true(BN_hex2bn(&n, hex) > 0);
	assert_non_null(BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)));
	BN_free(n);
}

static void
serial_negative(X509 *x)
{
	serial_set(x, "-7F01");
}

static void
serial_zero(X509 *x)
{
	serial_set(x, "0");
}

static void
serial_long(X509 *x)
{
	char hex[401];

	memset(hex, '5', 400);
	hex[400] = '\0';
	serial_set(x, hex);
}

/* Its bytes replaced within the finished certificate: 2b 65 70 without and with
 * NULL behind it. */
static void
ed_params(X509 *x)
{
	static const uint8_t spki[46] = { 0x30, 0x2c, 0x30, 0x07, 0x06, 0x03,
		0x2b, 0x65, 0x70, 0x05, 0x00, 0x03, 0x21, 0x00, 9 };
	const uint8_t *p = spki;
	X509_PUBKEY *k = d2i_X509_PUBKEY(NULL, &p, sizeof(spki)), *at;
	ASN1_OBJECT *oid;
	const uint8_t *bits;
	int n;

	assert_non_null(k);
	at = X509_get_X509_PUBKEY(x);
	assert_int_equal(X509_PUBKEY_get0_param(&oid, &bits, &n, NULL, k), 1);
	assert_int_equal(X509_PUBKEY_set0_param(at, OBJ_dup(oid), V_ASN1_NULL,
	    NULL, OPENSSL_memdup(bits, (size_t)n), n), 1);
	X509_PUBKEY_free(k);
}

static EVP_PKEY *made[8];
static unsigned n_made;

/* A public key of so many bits that nobody has the other half of; e = 0 stands
 * for one of 2047 bits. */
static EVP_PKEY *
rsa_of(int bits, unsigned long e)
{
	BIGNUM *n = BN_new(), *x = BN_new();
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *k = NULL;
	OSSL_PARAM *p;

	assert_true(n_made < N_OF(made));	/* freed by the test */
	assert_int_equal(BN_rand(n, bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD),
	    1);
	if (e != 0)
		BN_set_word(x, e);
	else
		BN_rand(x, 2047, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD);
	OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, n);
	OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, x);
	p = OSSL_PARAM_BLD_to_param(b);
	assert_int_equal(EVP_PKEY_fromdata_init(c), 1);
	assert_int_equal(EVP_PKEY_fromdata(c, &k, EVP_PKEY_PUBLIC_KEY, p), 1);
	OSSL_PARAM_free(p);
	OSSL_PARAM_BLD_free(b);
	EVP_PKEY_CTX_free(c);
	BN_free(n);
	BN_free(x);
	made[n_made++] = k;
	return k;
}

TEST(chains_are_judged_as_the_table_says)
{
	EVP_PKEY *x25519, *explicit_curve;
	X509 *rsa_ca, *short_ca;

	begin();
	rsa_ca = pki_ca("by RSA", rsa, root, ec_root);
	short_ca = pki_ca("short", rsa1024, root, ec_root);
	x25519 = pki_key("X25519", NULL);
	explicit_curve = pki_key("EC", "P-256");
	assert_int_equal(EVP_PKEY_set_utf8_string_param(explicit_curve,
	    OSSL_PKEY_PARAM_EC_ENCODING, "explicit"), 1);
	const struct row rows[] = {
		{ "plain", { .cn = "peer" }, NULL },
		{ "expired", { .from = -20 * PKI_DAY, .to = -PKI_DAY },
		  "has expired on 2027-01-14" },
		{ "not yet valid", { .from = PKI_DAY, .to = 20 * PKI_DAY },
		  "not yet valid" },
		{ "server", { .eku = "serverAuth" }, NULL },
		{ "client", { .eku = "clientAuth" }, NULL },
		{ "ike", { .eku = "1.3.6.1.5.5.7.3.17" }, NULL },
		{ "ike intermediate", { .eku = "1.3.6.1.5.5.8.2.2" }, NULL },
		{ "any", { .eku = "anyExtendedKeyUsage" }, NULL },
		{ "mail and server", { .eku = "emailProtection,serverAuth" },
		  NULL },
		{ "mail", { .eku = "emailProtection" }, "wrong usage" },
		{ "digital signature", { .ku = "digitalSignature" }, NULL },
		{ "non-repudiation", { .ku = "nonRepudiation" }, NULL },
		{ "key encipherment", { .ku = "keyEncipherment" },
		  "wrong usage" },
		{ "cert sign only", { .ku = "keyCertSign" }, "wrong usage" },
		{ "two names", { .san = "DNS:x.example,DNS:peer.example" },
		  NULL },
		{ "case", { .san = "DNS:PEER.Example" }, NULL },
		{ "other name", { .san = "DNS:other.example,IP:10.1.2.3" },
		  "names are: other.example, 10.1.2.3" },
		{ "name in the common name only",
		  { .cn = "peer.example", .san = "DNS:x" },
		  "not in its certificate" },
		{ "name of another kind", { .san = "email:a@peer.example" },
		  "not in its certificate" },
		{ "wildcard", { .san = "DNS:*.example" },
		  "not in its certificate" },
		{ "unknown critical extension",
		  { .odd = "1.3.6.1.4.1.55555.1" }, "critical extension" },
		{ "SHA-1", { .md = EVP_sha1() }, "weak" },
		{ "short RSA", { .key = rsa1024 }, "weak" },
		{ "unknown curve", { .key = secp }, "weak" },
		{ "self-signed", { .issuer = root, .issuer_key = NULL,
		  .cn = "self" }, "signature" },
		{ "RSA 2048", { .key = rsa }, "does not belong" },
		{ "MD5", { .md = EVP_md5(), .issuer = rsa_ca,
		  .issuer_key = rsa }, "weak" },
		{ "RSA and SHA-1", { .md = EVP_sha1(), .issuer = rsa_ca,
		  .issuer_key = rsa }, "weak" },
		{ "RSA and SHA-256", { .issuer = rsa_ca, .issuer_key = rsa },
		  NULL },
		{ "by RSA 1024", { .issuer = short_ca, .issuer_key = rsa1024 },
		  "weak: an issuing authority" },
		{ "SHA-384", { .md = EVP_sha384() }, NULL },
		{ "two lists of names", { .tweak = san_again },
		  "cannot be read" },
		{ "two usages", { .ku = "digitalSignature",
		  .tweak = usage_again }, "cannot be read" },
		{ "names that are none", { .san = "", .tweak = san_broken },
		  "cannot be read" },
		{ "NUL in a name", { .san = "", .tweak = san_nul },
		  "not in its certificate" },
		{ "NUL behind a name", { .san = "", .tweak = san_nul_end },
		  "not in its certificate" },
		{ "empty name", { .san = "", .tweak = san_empty },
		  "not in its certificate" },
		{ "negative number", { .tweak = serial_negative }, NULL },
		{ "number 0", { .tweak = serial_zero }, NULL },
		{ "number of 200 bytes", { .tweak = serial_long }, NULL },
		{ "critical names", { .san = "critical,DNS:peer.example" },
		  NULL },
		{ "critical purpose", { .eku = "critical,serverAuth" }, NULL },
		{ "time stamping", { .eku = "critical,timeStamping" },
		  "wrong usage" },
		{ "no names", { .cn = "peer.example", .san = "" },
		  "names are: none" },
		{ "an authority is a peer too", { .bc = "critical,CA:TRUE",
		  .ku = "digitalSignature,keyCertSign" }, NULL },
		{ "wildcard of one label", { .san = "DNS:p*.example" },
		  "not in its certificate" },
		{ "address as a host name", { .san = "DNS:192.0.2.1" },
		  "not in its certificate" },
		{ "other form of name",
		  { .san = "otherName:1.2.3.4;UTF8:peer.example,"
		  "URI:http://peer.example" }, "names are: none" },
		{ "dot at the end", { .san = "DNS:peer.example." },
		  "not in its certificate" },
		{ "RSA 16384", { .key = rsa_of(16384, 65537) }, "weak" },
		{ "RSA with exponent 1", { .key = rsa_of(2048, 1) }, "weak" },
		{ "RSA with exponent 3", { .key = rsa_of(2048, 3) }, "weak" },
		{ "RSA with exponent 2^16", { .key = rsa_of(2048, 65536) },
		  "weak" },
		{ "RSA with a huge exponent", { .key = rsa_of(2048, 0) },
		  "weak" },
		{ "RSA 1, even", { .key = rsa_of(4, 65537) }, "weak" },
		{ "explicit curve", { .key = explicit_curve }, "weak" },
		{ "X25519", { .key = x25519 }, "weak" },
		{ "Ed25519 with parameters", { .tweak = ed_params }, "weak" },
	};

	for (unsigned i = 0; i < N_OF(rows); i++)
		row_check(&rows[i]);
	while (n_made > 0)
		EVP_PKEY_free(made[--n_made]);
	X509_free(rsa_ca);
	X509_free(short_ca);
	EVP_PKEY_free(x25519);
	EVP_PKEY_free(explicit_curve);
	end();
}

TEST(without_its_intermediate_or_from_another_authority_it_is_unknown)
{
	struct sec_checked c;
	X509 *x, *self;
	const struct pki_spec s = { .cn = "peer", .key = ec,
		.san = "DNS:peer.example" };

	begin();
	x = leaf_of(mid, ec_mid);
	c = chain(OFF, &x, 1);
	bad(&c, "unknown CA");
	X509_free(x);
	x = leaf_of(other_root, ec2);
	c = chain(OFF, (X509 *[]){ x, other_root }, 2);
	bad(&c, "unknown CA");
	X509_free(x);
	self = pki_cert(&s);
	c = chain(OFF, &self, 1);
	bad(&c, "unknown CA");
	X509_free(self);
	end();
}

TEST(a_chain_straight_below_the_root_and_the_root_sent_along_are_fine)
{
	struct sec_checked c;
	X509 *x;

	begin();
	x = leaf_of(root, ec_root);
	c = chain(OFF, (X509 *[]){ x, root }, 2);
	good(&c);
	assert_int_equal(c.not_after, PKI_NOW + 180 * PKI_DAY);
	assert_non_null(strstr(c.subject, "CN=peer"));
	X509_free(x);
	end();
}

/* certificatePolicies of one, 1.2.3.4 or 1.2.3.5 */
static void
policy_4(X509 *x)
{
	add_der(x, NID_certificate_policies,
	    "\x30\x07\x30\x05\x06\x03\x2a\x03\x04", 9);
}

static void
policy_5(X509 *x)
{
	add_der(x, NID_certificate_policies,
	    "\x30\x07\x30\x05\x06\x03\x2a\x03\x05", 9);
}

static void
version_1(X509 *x)
{
	X509_set_version(x, X509_VERSION_1);
}

/* An authority below the root, a leaf below it, and what is said of both. */
struct below {
	const char *what;
	struct pki_spec ca;
	const char *says;	/* NULL: it is good */
	const char *san;	/* of the leaf; NULL: its name alone */
	void (*tweak)(X509 *x);	/* of the leaf */
};

static void
below_check(const struct below *r)
{
	struct pki_spec s = r->ca, leaf = { .cn = "peer",
		.san = r->san != NULL ? r->san : "DNS:peer.example",
		.tweak = r->tweak };
	struct sec_checked c;
	X509 *ca, *x;

	s.cn = "below";
	s.key = ec_mid;
	s.issuer = root;
	s.issuer_key = ec_root;
	if (s.bc == NULL)
		s.bc = "critical,CA:TRUE";
	else if (s.bc[0] == '\0')
		s.bc = NULL;
	ca = pki_cert(&s);
	leaf.key = ec;
	leaf.issuer = ca;
	leaf.issuer_key = ec_mid;
	x = pki_cert(&leaf);
	c = chain(OFF, (X509 *[]){ x, ca }, 2);
	if (r->says == NULL ? c.err != 0 : c.err == 0 ||
	    strstr(c.why, r->says) == NULL)
		fail_msg("%s: err %d \"%s\"", r->what, c.err, c.why);
	X509_free(ca);
	X509_free(x);
}

TEST(authorities_below_the_root_are_judged_as_the_table_says)
{
	static const char both[] = "DNS:peer.example,IP:10.1.2.3,"
	    "email:me@peer.example";
	static const struct below rows[] = {
		{ .what = "plain" },
		{ .what = "no basicConstraints", .ca = { .bc = "" },
		  .says = "wrong usage" },
		{ .what = "keyUsage alone", .ca = { .bc = "",
		  .ku = "critical,keyCertSign" }, .says = "wrong usage" },
		{ .what = "no authority", .ca = { .bc = "CA:FALSE" },
		  .says = "wrong usage" },
		{ .what = "no authority that signs", .ca = { .bc = "CA:FALSE",
		  .ku = "critical,keyCertSign" }, .says = "wrong usage" },
		{ .what = "does not sign", .ca = {
		  .ku = "digitalSignature" }, .says = "wrong usage" },
		{ .what = "signs lists only", .ca = { .ku = "cRLSign" },
		  .says = "wrong usage" },
		{ .what = "version 1", .ca = { .bc = "", .tweak = version_1 },
		  .says = "wrong usage" },
		{ .what = "not critical", .ca = { .bc = "CA:TRUE" } },
		{ .what = "for servers", .ca = { .eku = "serverAuth" } },
		{ .what = "for mail", .ca = { .eku = "emailProtection" },
		  .says = "wrong usage: an issuing" },
		{ .what = "expired", .ca = { .from = -20 * PKI_DAY,
		  .to = -PKI_DAY }, .says = "issuing authority has expired" },
		{ .what = "not yet valid", .ca = { .from = PKI_DAY,
		  .to = 20 * PKI_DAY }, .says = "not yet valid" },
		{ .what = "odd", .ca = { .odd = "1.3.6.1.4.1.55555.1" },
		  .says = "critical extension" },
		{ .what = "two basicConstraints", .ca = { .tweak = usage_again,
		  .ku = "keyCertSign" }, .says = "cannot be read" },
		{ .what = "policy wanted", .ca = { .policy_limits =
		  "critical,requireExplicitPolicy:0" }, .says = "policy" },
		{ .what = "policy there", .ca = { .tweak = policy_4,
		  .policy_limits = "critical,requireExplicitPolicy:0" },
		  .tweak = policy_4 },
		{ .what = "other policy", .ca = { .tweak = policy_4,
		  .policy_limits = "critical,requireExplicitPolicy:0" },
		  .tweak = policy_5, .says = "policy" },
		{ .what = "policy nobody wants", .tweak = policy_5 },
		{ .what = "all kinds of names permitted", .san = both,
		  .ca = { .constraints = "critical,permitted;DNS:example,"
		  "permitted;IP:10.0.0.0/255.0.0.0,"
		  "permitted;email:peer.example" } },
		{ .what = "other address", .san = both,
		  .ca = { .constraints = "critical,permitted;"
		  "IP:10.2.0.0/255.255.0.0" }, .says = "name constraints" },
		{ .what = "address excluded", .san = both,
		  .ca = { .constraints = "critical,excluded;"
		  "IP:10.0.0.0/255.0.0.0" }, .says = "name constraints" },
		{ .what = "other mail", .san = both,
		  .ca = { .constraints = "critical,permitted;email:example" },
		  .says = "name constraints" },
		{ .what = "host excluded", .ca = { .constraints =
		  "critical,excluded;DNS:.example" },
		  .says = "name constraints" },
		{ .what = "host excluded, not critical", .ca = { .constraints =
		  "excluded;DNS:PEER.EXAMPLE" }, .says = "name constraints" },
	};

	begin();
	for (unsigned i = 0; i < N_OF(rows); i++)
		below_check(&rows[i]);
	end();
}

TEST(path_length_and_name_constraints_count)
{
	struct pki_spec s = { .cn = "short", .key = ec_mid, .issuer = root,
		.issuer_key = ec_root, .bc = "critical,CA:TRUE,pathlen:0",
		.ku = "critical,keyCertSign" };
	X509 *ca, *sub, *x;
	struct sec_checked c;

	begin();
	ca = pki_cert(&s);
	sub = pki_ca("sub", ec2, ca, ec_mid);
	x = leaf_of(sub, ec2);
	c = chain(OFF, (X509 *[]){ x, sub, ca }, 3);
	bad(&c, "path length");
	X509_free(x);
	X509_free(sub);
	X509_free(ca);
	s.bc = "critical,CA:TRUE";
	s.constraints = "critical,permitted;DNS:good.example";
	ca = pki_cert(&s);
	x = leaf_of(ca, ec_mid);
	c = chain(OFF, (X509 *[]){ x, ca }, 2);
	bad(&c, "name constraints");
	X509_free(x);
	X509_free(ca);
	s.constraints = "critical,permitted;DNS:Example";
	ca = pki_cert(&s);
	x = leaf_of(ca, ec_mid);
	c = chain(OFF, (X509 *[]){ x, ca }, 2);
	good(&c);
	X509_free(x);
	X509_free(ca);
	end();
}

/* The provider itself, which is not told how many may come along. */
static int
path_of(X509 *const *x, unsigned n, X509 *anchor)
{
	struct spi_cert *c[12], *believed;
	struct spi_path_ask q = { .other = c + 1, .n_other = n - 1,
		.anchor = &believed, .n_anchor = 1, .now = PKI_NOW };
	char why[SPI_CERT_WHY_MAX] = "";
	struct spi_cert_path path;
	int err;

	for (unsigned i = 0; i < n; i++)
		c[i] = cert_of(x[i]);
	believed = cert_of(anchor);
	q.leaf = c[0];
	err = spi_certs()->path_build(&q, &path, why);
	if (err != 0 && strstr(why, "too long") == NULL)
		fail_msg("%s", why);
	for (unsigned i = 0; i < n; i++)
		spi_certs()->cert_free(c[i]);
	spi_certs()->cert_free(believed);
	return err;
}

TEST(loops_cross_signing_and_long_chains_end)
{
	X509 *a, *b, *x, *ca[9], *all[10];
	struct sec_checked c;

	begin();
	/* Two authorities that issued each other, neither of them known. */
	a = pki_ca("a", ec_mid, NULL, NULL);
	b = pki_ca("b", ec2, a, ec_mid);
	X509_free(a);
	a = pki_ca("a", ec_mid, b, ec2);
	x = leaf_of(a, ec_mid);
	c = chain(OFF, (X509 *[]){ x, a, b }, 3);
	bad(&c, "unknown CA");
	X509_free(x);
	X509_free(a);
	X509_free(b);
	/* The same authority by a stranger and by one we know. */
	a = pki_ca("cross", ec_mid, other_root, ec2);
	b = pki_ca("cross", ec_mid, root, ec_root);
	x = leaf_of(b, ec_mid);
	c = chain(OFF, (X509 *[]){ x, a, b, other_root }, 4);
	good(&c);
	X509_free(x);
	X509_free(a);
	X509_free(b);
	/* Nine authorities in a row: what comes along may be seven of them. */
	for (unsigned i = 0; i < 9; i++)
		ca[i] = pki_ca(&"123456789"[i], ec_mid, i > 0 ? ca[i - 1] : root,
		    i > 0 ? ec_mid : ec_root);
	for (unsigned n = 6; n <= 9; n++) {
		X509 *last = leaf_of(ca[n - 1], ec_mid);

		all[0] = last;
		for (unsigned i = 0; i < n; i++)
			all[i + 1] = ca[n - 1 - i];
		c = chain(OFF, all, n + 1);
		if (n <= 7)
			good(&c);
		else
			bad(&c, "too many certificates");
		assert_int_equal(path_of(all, n + 1, root), n <= 7 ? 0 :
		    ERR_AUTH);
		X509_free(last);
	}
	for (unsigned i = 0; i < 9; i++)
		X509_free(ca[i]);
	end();
}
