/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/cert-openssl/revoke.c - what a CRL (RFC 5280 section 5) or an OCSP
 * response (RFC 6960) says about one certificate.
 *
 * Nothing is believed that the issuer did not sign, or a responder it named.
 *
 * Thread: one at a time.
 */
#include "spi/cert-openssl/cert_openssl.h"
#define ERR_STATE ossl_err_state_type
#include <openssl/ocsp.h>
#include <openssl/rsa.h>
#undef ERR_STATE
#include <stdlib.h>

#define SKEW_S	     300	/* clocks differ; ours */
#define OCSP_AGE_MAX 86400	/* s, of a response that names no next one */

/* The hash of PSS stands in the parameters; without them it is SHA-1. */
static int
pss_md(const X509_ALGOR *alg)
{
	RSA_PSS_PARAMS *pss = NULL;
	const ASN1_OBJECT *oid = NULL;
	const void *param = NULL;
	int type = 0, md = NID_undef;

	X509_ALGOR_get0(NULL, &type, &param, alg);
	if (type == V_ASN1_SEQUENCE)
		pss = ASN1_item_unpack(param, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
	if (pss != NULL && pss->hashAlgorithm != NULL) {
		X509_ALGOR_get0(&oid, NULL, NULL, pss->hashAlgorithm);
		md = OBJ_obj2nid(oid);
	}
	RSA_PSS_PARAMS_free(pss);
	return md;
}

/* SHA-2, or an Edwards curve.  The library looks at this for certificates, but
 * neither for lists nor for responses. */
static bool
is_strong(const X509_ALGOR *alg)
{
	const ASN1_OBJECT *oid = NULL;
	int md = NID_undef, key = NID_undef;

	X509_ALGOR_get0(&oid, NULL, NULL, alg);
	if (OBJ_find_sigid_algs(OBJ_obj2nid(oid), &md, &key) != 1)
		return false;
	if (key == NID_ED25519 || key == NID_ED448)
		return true;
	if (OBJ_obj2nid(oid) == NID_rsassaPss)
		md = pss_md(alg);
	return md == NID_sha256 || md == NID_sha384 || md == NID_sha512;
}

int
ossl_crl_wrap(X509_CRL *x, struct spi_crl **out)
{
	struct spi_crl *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		X509_CRL_free(x);
		return ERR_NOMEM;
	}
	c->x = x;
	*out = c;
	return 0;
}

int
ossl_crl_read(struct view der, struct spi_crl **out)
{
	const uint8_t *p = der.p;
	X509_CRL *x;

	if (der.len == 0 || der.len > INT32_MAX)
		return ERR_SYNTAX;
	x = d2i_X509_CRL(NULL, &p, (long)der.len);
	ERR_clear_error();
	if (x == NULL || p != der.p + der.len) {
		X509_CRL_free(x);
		return ERR_SYNTAX;
	}
	return ossl_crl_wrap(x, out);
}

void
ossl_crl_free(struct spi_crl *c)
{
	if (c == NULL)
		return;
	X509_CRL_free(c->x);
	free(c);
}

/* Partial lists (by reason, by kind of certificate, deltas, indirect ones) are
 * marked by a critical extension; a list with one is no use for us. */
static bool
crl_is_whole(const X509_CRL *x)
{
	for (int i = 0; i < X509_CRL_get_ext_count(x); i++)
		if (X509_EXTENSION_get_critical(X509_CRL_get_ext(x, i)))
			return false;
	return true;
}

/* The key that signed, as the list says; an authority that has a new key has two
 * lists for a while. */
static bool
crl_has_same_key(const X509_CRL *a, const X509_CRL *b)
{
	AUTHORITY_KEYID *x = X509_CRL_get_ext_d2i(a,
	    NID_authority_key_identifier, NULL, NULL);
	AUTHORITY_KEYID *y = X509_CRL_get_ext_d2i(b,
	    NID_authority_key_identifier, NULL, NULL);
	bool is = x == NULL || y == NULL || x->keyid == NULL ||
	    y->keyid == NULL || ASN1_OCTET_STRING_cmp(x->keyid, y->keyid) == 0;

	AUTHORITY_KEYID_free(x);
	AUTHORITY_KEYID_free(y);
	return is;
}

bool
ossl_crl_is_newer(const struct spi_crl *a, const struct spi_crl *b)
{
	return X509_NAME_cmp(X509_CRL_get_issuer(a->x),
	    X509_CRL_get_issuer(b->x)) == 0 &&
	    crl_is_whole(a->x) == crl_is_whole(b->x) &&
	    crl_has_same_key(a->x, b->x) &&
	    ossl_time(X509_CRL_get0_lastUpdate(a->x)) >=
	    ossl_time(X509_CRL_get0_lastUpdate(b->x));
}

bool
ossl_crl_is_by(const struct spi_crl *crl, const struct spi_cert *issuer)
{
	EVP_PKEY *k = X509_get0_pubkey(issuer->x);
	const X509_ALGOR *alg = NULL;
	bool is;

	X509_CRL_get0_signature(crl->x, NULL, &alg);
	is = is_strong(alg) && k != NULL && ossl_key_kind(k) != SPI_KEY_NONE &&
	    X509_NAME_cmp(X509_CRL_get_issuer(crl->x),
	    X509_get_subject_name(issuer->x)) == 0 &&
	    (X509_get_key_usage(issuer->x) & KU_CRL_SIGN) != 0 &&
	    X509_CRL_verify(crl->x, k) == 1;

	ERR_clear_error();
	return is;
}

enum spi_status
ossl_crl_look(const struct spi_crl *crl, const struct spi_cert *c,
	      const struct spi_cert *issuer, int64_t now)
{
	enum spi_status st = SPI_STATUS_UNKNOWN;
	X509_REVOKED *rev = NULL;
	int64_t next = ossl_time(X509_CRL_get0_nextUpdate(crl->x));

	if (!crl_is_whole(crl->x) || !ossl_crl_is_by(crl, issuer) ||
	    ossl_time(X509_CRL_get0_lastUpdate(crl->x)) > now + SKEW_S) {
		return SPI_STATUS_UNKNOWN;
	}
	if (X509_CRL_get0_by_cert(crl->x, &rev, c->x) == 1)
		st = SPI_STATUS_REVOKED;	/* however old the list is */
	else if (next != 0 && next + SKEW_S >= now)
		st = SPI_STATUS_GOOD;
	ERR_clear_error();
	return st;
}

/* ---- OCSP ---------------------------------------------------------------------- */

static bool
is_fresh(const ASN1_GENERALIZEDTIME *this_up,
	 const ASN1_GENERALIZEDTIME *next_up, int64_t now)
{
	int64_t from = ossl_time(this_up);

	if (from == 0 || from > now + SKEW_S)
		return false;
	if (next_up == NULL)
		return now - from <= OCSP_AGE_MAX;
	return ossl_time(next_up) + SKEW_S >= now;
}

/* Signed by the issuer, or by a certificate the issuer made for that purpose. */
static bool
ocsp_is_signed(OCSP_BASICRESP *b, const struct spi_cert *issuer, int64_t now)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	X509_STORE *store = X509_STORE_new();
	X509_VERIFY_PARAM *p;
	bool ok = false;

	if (certs == NULL || store == NULL ||
	    sk_X509_push(certs, issuer->x) == 0 ||
	    X509_STORE_add_cert(store, issuer->x) != 1)
		goto out;
	p = X509_STORE_get0_param(store);
	X509_VERIFY_PARAM_set_time(p, (time_t)now);
	X509_VERIFY_PARAM_set_auth_level(p, 2);
	X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_PARTIAL_CHAIN);
	ok = OCSP_basic_verify(b, certs, store, 0) == 1;
out:
	sk_X509_free(certs);
	X509_STORE_free(store);
	return ok;
}

/* Does this single response speak of c, issued by issuer? */
static bool
ocsp_is_about(OCSP_SINGLERESP *s, const struct spi_cert *c,
	      const struct spi_cert *issuer)
{
	OCSP_CERTID *id = (OCSP_CERTID *)(uintptr_t)OCSP_SINGLERESP_get0_id(s);
	ASN1_OBJECT *md_oid = NULL;
	OCSP_CERTID *want;
	const EVP_MD *md;
	bool is;

	if (OCSP_id_get0_info(NULL, &md_oid, NULL, NULL, id) != 1 ||
	    (md = EVP_get_digestbyobj(md_oid)) == NULL ||
	    (want = OCSP_cert_to_id(md, c->x, issuer->x)) == NULL)
		return false;
	is = OCSP_id_cmp(id, want) == 0;
	OCSP_CERTID_free(want);
	return is;
}

static enum spi_status
ocsp_status(OCSP_BASICRESP *b, const struct spi_cert *c,
	    const struct spi_cert *issuer, int64_t now)
{
	ASN1_GENERALIZEDTIME *rev_at, *this_up, *next_up;
	enum spi_status st = SPI_STATUS_UNKNOWN;
	int reason;

	for (int i = 0; i < OCSP_resp_count(b); i++) {
		OCSP_SINGLERESP *s = OCSP_resp_get0(b, i);

		if (!ocsp_is_about(s, c, issuer))
			continue;
		this_up = next_up = NULL;
		switch (OCSP_single_get0_status(s, &reason, &rev_at, &this_up,
		    &next_up)) {
		case V_OCSP_CERTSTATUS_REVOKED:
			return SPI_STATUS_REVOKED;
		case V_OCSP_CERTSTATUS_GOOD:
			if (is_fresh(this_up, next_up, now))
				st = SPI_STATUS_GOOD;
			break;
		default:
			break;
		}
	}
	return st;
}

enum spi_status
ossl_ocsp_look(struct view der, const struct spi_cert *c,
	       const struct spi_cert *issuer, int64_t now)
{
	const uint8_t *p = der.p;
	enum spi_status st = SPI_STATUS_UNKNOWN;
	OCSP_BASICRESP *b = NULL;
	OCSP_RESPONSE *r;

	if (der.len == 0 || der.len > INT32_MAX)
		return SPI_STATUS_UNKNOWN;
	r = d2i_OCSP_RESPONSE(NULL, &p, (long)der.len);
	if (r != NULL && p == der.p + der.len &&
	    OCSP_response_status(r) == OCSP_RESPONSE_STATUS_SUCCESSFUL &&
	    (b = OCSP_response_get1_basic(r)) != NULL &&
	    is_strong(OCSP_resp_get0_tbs_sigalg(b)) && ocsp_is_signed(b, issuer, now))
		st = ocsp_status(b, c, issuer, now);
	OCSP_BASICRESP_free(b);
	OCSP_RESPONSE_free(r);
	ERR_clear_error();
	return st;
}
