/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_revoke.c - what was taken back: lists, responses, and
 * what each policy makes of them.
 */
#include "test/unit/secure-proc/chains.h"

enum crl_of { NO_CRL, EMPTY, NAMES_IT, STALE, STALE_NAMES_IT, FORGED };

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
};

TEST(stapled_ocsp_responses_are_believed_when_they_may_be)
{
	const struct pki_spec del = { .cn = "ocsp", .key = ec_mid,
		.issuer = root, .issuer_key = ec_root, .eku = "OCSPSigning" };
	const struct pki_spec plain = { .cn = "plain", .key = ec_mid,
		.issuer = root, .issuer_key = ec_root };
	const struct ocsp_row rows[] = {
		{ "issuer", 0, V_OCSP_CERTSTATUS_GOOD, -60, PKI_DAY, NULL },
		{ "delegate", 1, V_OCSP_CERTSTATUS_GOOD, -60, PKI_DAY, NULL },
		{ "no next", 0, V_OCSP_CERTSTATUS_GOOD, -60, 0, NULL },
		{ "revoked", 0, V_OCSP_CERTSTATUS_REVOKED, -60, PKI_DAY,
		  "was revoked" },
		{ "unknown", 0, V_OCSP_CERTSTATUS_UNKNOWN, -60, PKI_DAY,
		  "nobody says" },
		{ "stale", 0, V_OCSP_CERTSTATUS_GOOD, -9 * PKI_DAY, -PKI_DAY,
		  "nobody says" },
		{ "old, no next", 0, V_OCSP_CERTSTATUS_GOOD, -9 * PKI_DAY, 0,
		  "nobody says" },
		{ "future", 0, V_OCSP_CERTSTATUS_GOOD, PKI_DAY, 2 * PKI_DAY,
		  "nobody says" },
		{ "stranger", 2, V_OCSP_CERTSTATUS_GOOD, -60, PKI_DAY,
		  "nobody says" },
		{ "not delegated", 3, V_OCSP_CERTSTATUS_GOOD, -60, PKI_DAY,
		  "nobody says" },
	};
	uint8_t der[4096];
	X509 *x, *by[4];

	begin();
	EVP_PKEY *const key[4] = { ec_root, ec_mid, ec2, ec_mid };

	x = leaf_of(root, ec_root);
	by[0] = root;
	by[1] = pki_cert(&del);
	by[2] = other_root;
	by[3] = pki_cert(&plain);
	for (unsigned i = 0; i < N_OF(rows); i++) {
		const struct ocsp_row *r = &rows[i];
		struct asking a = asking(STRICT);
		struct sec_checked c;
		size_t n;

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
	X509_free(by[1]);
	X509_free(by[3]);
	X509_free(x);
	end();
}
