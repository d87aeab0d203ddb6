/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/pki.h - a public key infrastructure made while the test
 * runs: keys, certificates with anything wrong with them, CRLs, OCSP responses.
 */
#ifndef TAPIR_TEST_SECURE_PKI_H
#define TAPIR_TEST_SECURE_PKI_H

#define ERR_STATE ossl_err_state_type
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#undef ERR_STATE
#include "test/unit/secure-proc/kit.h"

#define PKI_NOW INT64_C(1800000000)	/* 2027-01-15; the tests' clock */
#define PKI_DAY INT64_C(86400)

/* What a certificate shall be; zero is a good end entity. */
struct pki_spec {
	const char *cn;
	X509 *issuer;		/* NULL: self-signed */
	EVP_PKEY *issuer_key;
	EVP_PKEY *key;
	const char *san;	/* "DNS:x,email:y,IP:z", or NULL */
	const char *bc;		/* basicConstraints, or NULL */
	const char *ku, *eku;	/* or NULL */
	const char *constraints; /* nameConstraints, or NULL */
	const char *policy_limits; /* policyConstraints, or NULL */
	const char *crl_url;	/* "URI:http://..." or NULL */
	const char *odd;	/* OID of a critical extension nobody knows */
	int64_t from, to;	/* relative to PKI_NOW; 0, 0: a year around */
	void (*tweak)(X509 *x);	/* whatever else, before it is signed */
	const EVP_MD *md;	/* NULL: SHA-256, or none for Edwards curves */
};

UNUSED static EVP_PKEY *
pki_key(const char *type, const char *param)
{
	EVP_PKEY *k;

	if (strcmp(type, "RSA") == 0)
		k = EVP_PKEY_Q_keygen(NULL, NULL, "RSA",
		    (size_t)strtoul(param, NULL, 10));
	else if (strcmp(type, "EC") == 0)
		k = EVP_PKEY_Q_keygen(NULL, NULL, "EC", param);
	else
		k = EVP_PKEY_Q_keygen(NULL, NULL, type);
	assert_non_null(k);
	return k;
}

static inline void
pki_ext(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *e;
	X509V3_CTX ctx;

	if (value == NULL)
		return;
	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	X509V3_set_ctx_nodb(&ctx);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(e);
	assert_int_equal(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
}

static inline void
pki_odd(X509 *x, const char *oid)
{
	ASN1_OCTET_STRING *data = ASN1_OCTET_STRING_new();
	ASN1_OBJECT *o = OBJ_txt2obj(oid, 1);
	X509_EXTENSION *e;

	assert_int_equal(ASN1_OCTET_STRING_set(data,
	    (const uint8_t *)"\x05\x00", 2), 1);
	e = X509_EXTENSION_create_by_OBJ(NULL, o, 1, data);
	assert_int_equal(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
	ASN1_OBJECT_free(o);
	ASN1_OCTET_STRING_free(data);
}

static inline const EVP_MD *
pki_md(EVP_PKEY *k, const EVP_MD *md)
{
	if (EVP_PKEY_is_a(k, "ED25519") || EVP_PKEY_is_a(k, "ED448"))
		return NULL;
	return md != NULL ? md : EVP_sha256();
}

UNUSED static X509 *
pki_cert(const struct pki_spec *s)
{
	static long serial = 1000;
	X509_NAME *name = X509_NAME_new();
	X509 *x = X509_new(), *issuer = s->issuer != NULL ? s->issuer : x;
	EVP_PKEY *by = s->issuer_key != NULL ? s->issuer_key : s->key;
	int64_t from = s->from, to = s->to;

	if (from == 0 && to == 0) {
		from = -180 * PKI_DAY;
		to = 180 * PKI_DAY;
	}
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
	X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC,
	    (const uint8_t *)"Test", -1, -1, 0);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const uint8_t *)s->cn, -1, -1, 0);
	X509_set_subject_name(x, name);
	X509_set_issuer_name(x, s->issuer != NULL ?
	    X509_get_subject_name(s->issuer) : name);
	X509_NAME_free(name);
	ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(PKI_NOW + from));
	ASN1_TIME_set(X509_getm_notAfter(x), (time_t)(PKI_NOW + to));
	X509_set_pubkey(x, s->key);
	pki_ext(x, issuer, NID_basic_constraints, s->bc);
	pki_ext(x, issuer, NID_key_usage, s->ku);
	pki_ext(x, issuer, NID_ext_key_usage, s->eku);
	pki_ext(x, issuer, NID_subject_alt_name, s->san);
	pki_ext(x, issuer, NID_name_constraints, s->constraints);
	pki_ext(x, issuer, NID_policy_constraints, s->policy_limits);
	pki_ext(x, issuer, NID_crl_distribution_points, s->crl_url);
	if (s->odd != NULL)
		pki_odd(x, s->odd);
	if (s->tweak != NULL)
		s->tweak(x);
	if (X509_sign(x, by, pki_md(by, s->md)) <= 0) {
		ERR_print_errors_fp(stderr);
		fail_msg("%s cannot be signed", s->cn);
	}
	return x;
}

UNUSED static X509 *
pki_ca(const char *cn, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
	const struct pki_spec s = {
		.cn = cn, .key = key, .issuer = issuer,
		.issuer_key = issuer_key, .bc = "critical,CA:TRUE",
		.ku = "critical,keyCertSign,cRLSign",
	};

	return pki_cert(&s);
}

UNUSED static void
pki_pem(const char *file, X509 *x)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *p;
	long n;

	assert_int_equal(PEM_write_bio_X509(b, x), 1);
	n = BIO_get_mem_data(b, &p);
	kit_file(file, p, (size_t)n, 0644);
	BIO_free(b);
}

/* A private key, PKCS#8; with a passphrase encrypted. */
UNUSED static void
pki_pem_key(const char *file, EVP_PKEY *k, const char *pass)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *p;
	long n;

	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(b, k, pass != NULL ?
	    EVP_aes_256_cbc() : NULL, pass, pass != NULL ?
	    (int)strlen(pass) : 0, NULL, NULL), 1);
	n = BIO_get_mem_data(b, &p);
	kit_file(file, p, (size_t)n, 0600);
	BIO_free(b);
}

UNUSED static void
pki_pem_pub(const char *file, EVP_PKEY *k)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *p;
	long n;

	assert_int_equal(PEM_write_bio_PUBKEY(b, k), 1);
	n = BIO_get_mem_data(b, &p);
	kit_file(file, p, (size_t)n, 0644);
	BIO_free(b);
}

/* A CRL that names one certificate, or none; malloc()ed DER. */
UNUSED static X509_CRL *
pki_crl(X509 *issuer, EVP_PKEY *key, X509 *revoked, int64_t from, int64_t to)
{
	X509_CRL *c = X509_CRL_new();
	ASN1_TIME *t = ASN1_TIME_new();

	X509_CRL_set_version(c, 1);
	X509_CRL_set_issuer_name(c, X509_get_subject_name(issuer));
	ASN1_TIME_set(t, (time_t)(PKI_NOW + from));
	X509_CRL_set1_lastUpdate(c, t);
	if (revoked != NULL) {
		X509_REVOKED *r = X509_REVOKED_new();

		X509_REVOKED_set_serialNumber(r, X509_get_serialNumber(revoked));
		X509_REVOKED_set_revocationDate(r, t);
		X509_CRL_add0_revoked(c, r);
	}
	ASN1_TIME_set(t, (time_t)(PKI_NOW + to));
	X509_CRL_set1_nextUpdate(c, t);
	ASN1_TIME_free(t);
	X509_CRL_sort(c);
	assert_true(X509_CRL_sign(c, key, pki_md(key, NULL)) > 0);
	return c;
}

/* What the next response is signed with; NULL: SHA-256. */
UNUSED static const EVP_MD *pki_ocsp_md;

/* An OCSP response about c, DER into out; @return bytes. */
UNUSED static size_t
pki_ocsp(X509 *c, X509 *issuer, X509 *by, EVP_PKEY *by_key, int status,
	 int64_t from, int64_t to, uint8_t *out, size_t cap)
{
	OCSP_BASICRESP *b = OCSP_BASICRESP_new();
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), c, issuer);
	ASN1_TIME *t = ASN1_TIME_set(NULL, (time_t)(PKI_NOW + from));
	ASN1_TIME *u = to != 0 ? ASN1_TIME_set(NULL, (time_t)(PKI_NOW + to)) :
	    NULL;
	OCSP_RESPONSE *r;
	uint8_t *p = out;
	int n;

	assert_non_null(OCSP_basic_add1_status(b, id, status, 0,
	    status == V_OCSP_CERTSTATUS_REVOKED ? t : NULL, t, u));
	assert_int_equal(OCSP_basic_sign(b, by, by_key, pki_md(by_key,
	    pki_ocsp_md), NULL, 0), 1);
	r = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, b);
	n = i2d_OCSP_RESPONSE(r, NULL);
	assert_true(n > 0 && (size_t)n <= cap);
	i2d_OCSP_RESPONSE(r, &p);
	OCSP_RESPONSE_free(r);
	OCSP_BASICRESP_free(b);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(t);
	ASN1_TIME_free(u);
	return (size_t)n;
}

/* One CERT body behind its length. */
UNUSED static void
pki_put(struct wcur *w, uint8_t encoding, const void *p, size_t n)
{
	wcur_u16(w, (uint16_t)(n + 1));
	wcur_u8(w, encoding);
	wcur_bytes(w, p, n);
}

UNUSED static void
pki_put_cert(struct wcur *w, X509 *x)
{
	uint8_t *der = NULL;
	int n = i2d_X509(x, &der);

	assert_true(n > 0);
	pki_put(w, 4, der, (size_t)n);
	OPENSSL_free(der);
}

UNUSED static void
pki_put_crl(struct wcur *w, X509_CRL *x)
{
	uint8_t *der = NULL;
	int n = i2d_X509_CRL(x, &der);

	assert_true(n > 0);
	pki_put(w, 7, der, (size_t)n);
	OPENSSL_free(der);
}

#endif
