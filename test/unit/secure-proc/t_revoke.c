/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_revoke.c - what was taken back: lists, responses, and
 * what each policy makes of them.
 */
#include "test/unit/secure-proc/chains.h"

enum crl_of { NO_CRL, EMPTY, NAMES_IT, STALE, STALE_NAMES_IT, FORGED, WEAK,
	PARTIAL, FUTURE };

/* Of some reasons only: an extension that is critical says so. */
static void
partial(X509_CRL *crl)
{
	ISSUING_DIST_POINT *idp = ISSUING_DIST_POINT_new();

	idp->onlyCA = 0xff;
	assert_int_equal(X509_CRL_add1_ext_i2d(crl,
	    NID_issuing_distribution_point, idp, 1, 0), 1);
	ISSUING_DIST_POINT_free(idp);
	assert_true(X509_CRL_sign(crl, ec_root, EVP_sha256()) > 0);
}

static struct sec_checked
with_crl(unsigned realm, X509 *x, enum crl_of kind)
{
	struct asking a = asking(realm);
	struct sec_checked c;
	X509_CRL *crl = NULL;

	pki_put_cert(&a.w, x);
	if (kind != NO_CRL) {
		bool names = kind == NAMES_IT || kind == STALE_NAMES_IT;
		bool is_old = kind == STALE || kind == STALE_NAMES_IT;

		crl = pki_crl(root, kind == FORGED ? ec2 : ec_root, names ||
		    kind == FORGED ? x : NULL, -10 * PKI_DAY, is_old ?
		    -PKI_DAY : PKI_DAY);
		if (kind == WEAK)
			assert_true(X509_CRL_sign(crl, ec_root, EVP_sha1()) >
			    0);
		if (kind == PARTIAL)
			partial(crl);
		if (kind == FUTURE) {
			X509_CRL_free(crl);
			crl = pki_crl(root, ec_root, NULL, PKI_DAY,
			    2 * PKI_DAY);
		}
		pki_put_crl(&a.w, crl);
	}
	c = ask(&a);
	X509_CRL_free(crl);
	return c;
}

TEST(policies_decide_over_lists_that_come_along)
{
	const struct {
		unsigned realm;
		enum crl_of kind;
		const char *says;
	} rows[] = {
		{ STRICT, NO_CRL, "nobody says" }, { SOFT, NO_CRL, NULL },
		{ OFF, NO_CRL, NULL },
		{ STRICT, EMPTY, NULL }, { SOFT, EMPTY, NULL },
		{ STRICT, NAMES_IT, "was revoked" },
		{ SOFT, NAMES_IT, "was revoked" }, { OFF, NAMES_IT, NULL },
		{ STRICT, STALE, "nobody says" }, { SOFT, STALE, NULL },
		{ STRICT, STALE_NAMES_IT, "was revoked" },
		{ SOFT, STALE_NAMES_IT, "was revoked" },
		{ STRICT, FORGED, "nobody says" }, { SOFT, FORGED, NULL },
		{ STRICT, WEAK, "nobody says" }, { SOFT, WEAK, NULL },
		{ STRICT, PARTIAL, "nobody says" },
		{ STRICT, FUTURE, "nobody says" },
		{ OFF, FORGED, NULL }, { OFF, STALE_NAMES_IT, NULL },
	};
	X509 *x;

	begin();
	x = leaf_of(root, ec_root);
	for (unsigned i = 0; i < N_OF(rows); i++) {
		struct sec_checked c = with_crl(rows[i].realm, x, rows[i].kind);

		if (rows[i].says == NULL)
			good(&c);
		else
			bad(&c, rows[i].says);
	}
	X509_free(x);
	end();
}

TEST(lists_in_the_directory_count_and_the_newer_one_wins)
{
	struct asking a;
	struct sec_checked c;
	X509_CRL *old, *new;
	uint8_t *der = NULL;
	X509 *x;
	int n;

	begin();
	x = leaf_of(root, ec_root);
	old = pki_crl(root, ec_root, NULL, -20 * PKI_DAY, PKI_DAY);
	new = pki_crl(root, ec_root, x, -10 * PKI_DAY, PKI_DAY);
	n = i2d_X509_CRL(new, &der);
	kit_file("root.crl", der, (size_t)n, 0644);
	OPENSSL_free(der);
	der = NULL;
	n = i2d_X509_CRL(old, &der);
	kit_file("a.crl", der, (size_t)n, 0644);
	OPENSSL_free(der);
	sec_trust_free(trust);
	assert_int_equal(sec_trust_load(&trust, conf, kit_dir, geteuid()), 0);
	assert_non_null(sec_trust_crl(trust, 0));
	assert_null(sec_trust_crl(trust, 1));
	a = asking(SOFT);
	pki_put_cert(&a.w, x);
	c = ask(&a);
	bad(&c, "was revoked");
	X509_CRL_free(old);
	X509_CRL_free(new);
	X509_free(x);
	end();
}

static void
with_key_id(X509_CRL *crl, EVP_PKEY *key, uint8_t id)
{
	AUTHORITY_KEYID *aki = AUTHORITY_KEYID_new();

	aki->keyid = ASN1_OCTET_STRING_new();
	ASN1_OCTET_STRING_set(aki->keyid, &id, 1);
	assert_int_equal(X509_CRL_add1_ext_i2d(crl,
	    NID_authority_key_identifier, aki, 0, 0), 1);
	AUTHORITY_KEYID_free(aki);
	assert_true(X509_CRL_sign(crl, key, EVP_sha256()) > 0);
}

static void
crl_file(const char *name, const X509_CRL *crl)
{
	uint8_t *der = NULL;
	int n = i2d_X509_CRL(crl, &der);

	kit_file(name, der, (size_t)n, 0644);
	OPENSSL_free(der);
}

TEST(a_newer_list_of_the_same_name_by_another_key_takes_nothing_away)
{
	X509_CRL *ours, *theirs, *some;
	struct sec_checked c;
	X509 *x;

	begin();
	x = leaf_of(root, ec_root);
	ours = pki_crl(root, ec_root, x, -20 * PKI_DAY, PKI_DAY);
	with_key_id(ours, ec_root, 1);
	theirs = pki_crl(root, ec2, NULL, -PKI_DAY, PKI_DAY);
	with_key_id(theirs, ec2, 2);
	some = pki_crl(root, ec_root, NULL, -PKI_DAY, PKI_DAY);
	partial(some);
	crl_file("a.crl", ours);
	crl_file("b.crl", theirs);
	crl_file("c.crl", some);
	sec_trust_free(trust);
	assert_int_equal(sec_trust_load(&trust, conf, kit_dir, geteuid()), 0);
	c = chain(SOFT, &x, 1);
	bad(&c, "was revoked");
	X509_CRL_free(ours);
	X509_CRL_free(theirs);
	X509_CRL_free(some);
	X509_free(x);
	end();
}

TEST(a_missing_list_names_where_it_could_be_fetched)
{
	const struct pki_spec s = { .cn = "peer", .key = ec, .issuer = root,
		.issuer_key = ec_root, .san = "DNS:peer.example",
		.crl_url = "URI:http://crl.example/root.crl" };
	struct spi_crl *got;
	struct sec_want *w;
	struct sec_checked c;
	uint8_t *der = NULL;
	X509_CRL *crl;
	X509 *x;
	int n;

	begin();
	x = pki_cert(&s);
	c = chain(SOFT, &x, 1);
	good(&c);
	w = sec_trust_want_at(trust, 0);
	assert_non_null(w);
	assert_string_equal(w->url, "http://crl.example/root.crl");
	assert_true(w->is_wanted);
	c = chain(SOFT, &x, 1);		/* once is enough */
	assert_null(sec_trust_want_at(trust, 1));
	/* Who must have signed it is known. */
	crl = pki_crl(root, ec_root, NULL, -60, PKI_DAY);
	n = i2d_X509_CRL(crl, &der);
	assert_int_equal(spi_certs()->crl_read(kit_view(der, (size_t)n), &got),
	    0);
	assert_true(sec_trust_is_by(trust, w, got));
	spi_certs()->crl_free(got);
	X509_CRL_free(crl);
	OPENSSL_free(der);
	der = NULL;
	crl = pki_crl(root, ec2, NULL, -60, PKI_DAY);
	n = i2d_X509_CRL(crl, &der);
	assert_int_equal(spi_certs()->crl_read(kit_view(der, (size_t)n), &got),
	    0);
	assert_false(sec_trust_is_by(trust, w, got));
	spi_certs()->crl_free(got);
	X509_CRL_free(crl);
	OPENSSL_free(der);
	X509_free(x);
	end();
}

struct ocsp_row {
	const char *what;
	int by;			/* 0 issuer, 1 delegate, 2 stranger, 3 a plain
				 * certificate of the issuer */
	int status;
	int64_t from, to;
	const char *strict;	/* what strict says; NULL: good */
	const EVP_MD *md;	/* NULL: SHA-256 */
};

TEST(stapled_ocsp_responses_are_believed_when_they_may_be)
{
	const struct pki_spec del = { .cn = "ocsp", .key = ec_mid,
		.issuer = root, .issuer_key = ec_root, .eku = "OCSPSigning" };
	const struct pki_spec plain = { .cn = "plain", .key = ec_mid,
		.issuer = root, .issuer_key = ec_root };
	const struct ocsp_row rows[] = {
		{ "issuer", 0, V_OCSP_CERTSTATUS_GOOD, -60, PKI_DAY, NULL, NULL },
		{ "delegate", 1, V_OCSP_CERTSTATUS_GOOD, -60, PKI_DAY, NULL, NULL },
		{ "no next", 0, V_OCSP_CERTSTATUS_GOOD, -60, 0, NULL, NULL },
		{ "revoked", 0, V_OCSP_CERTSTATUS_REVOKED, -60, PKI_DAY,
		  "was revoked", NULL },
		{ "unknown", 0, V_OCSP_CERTSTATUS_UNKNOWN, -60, PKI_DAY,
		  "nobody says", NULL },
		{ "stale", 0, V_OCSP_CERTSTATUS_GOOD, -9 * PKI_DAY, -PKI_DAY,
		  "nobody says", NULL },
		{ "old, no next", 0, V_OCSP_CERTSTATUS_GOOD, -9 * PKI_DAY, 0,
		  "nobody says", NULL },
		{ "future", 0, V_OCSP_CERTSTATUS_GOOD, PKI_DAY, 2 * PKI_DAY,
		  "nobody says", NULL },
		{ "stranger", 2, V_OCSP_CERTSTATUS_GOOD, -60, PKI_DAY,
		  "nobody says", NULL },
		{ "not delegated", 3, V_OCSP_CERTSTATUS_GOOD, -60, PKI_DAY,
		  "nobody says", NULL },
		{ "SHA-384", 0, V_OCSP_CERTSTATUS_GOOD, -60, PKI_DAY, NULL,
		  EVP_sha384() },
		{ "SHA-1", 0, V_OCSP_CERTSTATUS_GOOD, -60, PKI_DAY,
		  "nobody says", EVP_sha1() },
		{ "delegate, SHA-1", 1, V_OCSP_CERTSTATUS_GOOD, -60, PKI_DAY,
		  "nobody says", EVP_sha1() },
		{ "delegate, expired", 4, V_OCSP_CERTSTATUS_GOOD, -60, PKI_DAY,
		  "nobody says", NULL },
		{ "delegate of another", 5, V_OCSP_CERTSTATUS_GOOD, -60,
		  PKI_DAY, "nobody says", NULL },
		{ "revoked by a stranger", 2, V_OCSP_CERTSTATUS_REVOKED, -60,
		  PKI_DAY, "nobody says", NULL },
		{ "revoked, stale", 0, V_OCSP_CERTSTATUS_REVOKED, -9 * PKI_DAY,
		  -PKI_DAY, "was revoked", NULL },
	};
	struct pki_spec late = del, other = del;
	uint8_t der[4096];
	X509 *x, *by[6];

	begin();
	EVP_PKEY *const key[6] = { ec_root, ec_mid, ec2, ec_mid, ec_mid,
	    ec_mid };

	x = leaf_of(root, ec_root);
	by[0] = root;
	by[1] = pki_cert(&del);
	by[2] = other_root;
	by[3] = pki_cert(&plain);
	late.from = -20 * PKI_DAY;
	late.to = -PKI_DAY;
	by[4] = pki_cert(&late);
	other.issuer = other_root;
	other.issuer_key = ec2;
	by[5] = pki_cert(&other);
	for (unsigned i = 0; i < N_OF(rows); i++) {
		const struct ocsp_row *r = &rows[i];
		struct asking a = asking(STRICT);
		struct sec_checked c;
		size_t n;

		pki_ocsp_md = r->md;
		n = pki_ocsp(x, root, by[r->by], key[r->by],
		    r->status, r->from, r->to,
		    der, sizeof(der));
		pki_put_cert(&a.w, x);
		pki_put(&a.w, 14, der, n);
		c = ask(&a);
		if (r->strict == NULL ? c.err != 0 : c.err == 0 ||
		    strstr(c.why, r->strict) == NULL)
			fail_msg("%s: %s", r->what, c.why);
	}
	pki_ocsp_md = NULL;
	X509_free(by[1]);
	for (unsigned i = 3; i < N_OF(by); i++)
		X509_free(by[i]);
	X509_free(x);
	end();
}
