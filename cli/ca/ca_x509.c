/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/ca/ca_x509.c - keys, certificates and lists of an authority, by OpenSSL.
 *
 * What is issued (RFC 5280, RFC 4945 5.1): version 3, random serial of 127 bits,
 * keyUsage digitalSignature, extendedKeyUsage serverAuth and clientAuth, all
 * names as subjectAltName.  The authority issues end entities only
 * (pathlen 0).
 */
#include "cli/ca/ca.h"
#define ERR_STATE ossl_err_state_type
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#undef ERR_STATE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "conf/conf.h"
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"

#define PEM_MAX	  (64u << 10)
#define BACK_S	  3600		/* clocks of others may be behind */
#define SERIAL_LEN 16

static int
failed(struct ca *ca, const char *what)
{
	const char *lib = ERR_reason_error_string(ERR_peek_last_error());

	if (lib != NULL)
		snprintf(ca->why, sizeof(ca->why), "%s: %s", what, lib);
	else
		snprintf(ca->why, sizeof(ca->why), "%s", what);
	ERR_clear_error();
	return ERR_CRYPTO;
}

/* ---- files <-> objects ----------------------------------------------------------- */

static int
pass_give(char *buf, int size, int rw UNUSED, void *pass)
{
	size_t n = pass != NULL ? strlen(pass) : 0;

	if (n == 0 || size < 0 || n > (size_t)size)
		return -1;
	memcpy(buf, pass, n);
	return (int)n;
}

static BIO *
file_bio(struct ca *ca, const char *name, char *text)
{
	size_t len;

	if (ca_file_read(ca, name, text, PEM_MAX, &len) != 0)
		return NULL;
	return BIO_new_mem_buf(text, (int)len);
}

static EVP_PKEY *
key_read(struct ca *ca, const char *file, const char *pass)
{
	char text[PEM_MAX];
	BIO *b = file_bio(ca, file, text);
	EVP_PKEY *k = NULL;

	if (b == NULL)
		return NULL;
	k = PEM_read_bio_PrivateKey(b, NULL, pass_give, (void *)(uintptr_t)pass);
	BIO_free(b);
	if (k == NULL && strstr(text, "ENCRYPTED") != NULL)
		snprintf(ca->why, sizeof(ca->why), pass == NULL ? "%s is "
		    "encrypted: name its passphrase's file with --pass" :
		    "%s is encrypted with another passphrase", file);
	else if (k == NULL)
		(void)failed(ca, "the private key cannot be read");
	OPENSSL_cleanse(text, sizeof(text));
	ERR_clear_error();
	return k;
}

bool
ca_key_is_closed(struct ca *ca)
{
	char text[PEM_MAX];
	size_t len;
	bool is_closed = ca_file_read(ca, "ca.key", text, sizeof(text), &len) ==
	    0 && strstr(text, "ENCRYPTED") != NULL;

	OPENSSL_cleanse(text, sizeof(text));
	return is_closed;
}

static X509 *
cert_read(struct ca *ca, const char *file)
{
	char text[PEM_MAX];
	BIO *b = file_bio(ca, file, text);
	X509 *x = NULL;

	if (b == NULL)
		return NULL;
	if ((x = PEM_read_bio_X509(b, NULL, NULL, NULL)) == NULL)
		(void)failed(ca, "the certificate cannot be read");
	BIO_free(b);
	return x;
}

static int
bio_save(struct ca *ca, BIO *b, bool is_ok, const char *file, mode_t mode)
{
	char *p;
	long n = is_ok ? BIO_get_mem_data(b, &p) : 0;
	int err = n > 0 ? ca_file_write(ca, file, p, (size_t)n, mode) :
	    failed(ca, "the file cannot be made");

	BIO_free(b);
	return err;
}

static int
key_save(struct ca *ca, EVP_PKEY *k, const char *file, const char *pass)
{
	BIO *b = BIO_new(BIO_s_secmem());
	bool ok = b != NULL && PEM_write_bio_PKCS8PrivateKey(b, k, pass != NULL ?
	    EVP_aes_256_cbc() : NULL, pass, pass != NULL ? (int)strlen(pass) :
	    0, NULL, NULL) == 1;

	return bio_save(ca, b, ok, file, 0600);
}

static int
cert_save(struct ca *ca, X509 *x, const char *file)
{
	BIO *b = BIO_new(BIO_s_mem());

	return bio_save(ca, b, b != NULL && PEM_write_bio_X509(b, x) == 1,
	    file, 0644);
}

/* ---- making ---------------------------------------------------------------------- */

bool
ca_type_ok(const char *type)
{
	return strcmp(type, "p256") == 0 || strcmp(type, "p384") == 0 ||
	    strcmp(type, "ed25519") == 0;
}

static EVP_PKEY *
key_make(const char *type)
{
	if (strcmp(type, "ed25519") == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return EVP_PKEY_Q_keygen(NULL, NULL, "EC",
	    strcmp(type, "p384") == 0 ? "P-384" : "P-256");
}

static const EVP_MD *
md_for(EVP_PKEY *k)
{
	if (EVP_PKEY_is_a(k, "ED25519"))
		return NULL;
	return EVP_PKEY_get_bits(k) > 256 ? EVP_sha384() : EVP_sha256();
}

static bool
ext(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *e;
	X509V3_CTX ctx;
	bool ok;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	X509V3_set_ctx_nodb(&ctx);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = e != NULL && X509_add_ext(x, e, -1) == 1;
	X509_EXTENSION_free(e);
	return ok;
}

static bool
serial_set(X509 *x)
{
	uint8_t raw[SERIAL_LEN];
	BIGNUM *bn = NULL;
	bool ok;

	if (RAND_bytes(raw, sizeof(raw)) != 1)
		return false;
	raw[0] = (uint8_t)((raw[0] & 0x7f) | 0x40);	/* positive, full length */
	bn = BN_bin2bn(raw, sizeof(raw), NULL);
	ok = bn != NULL &&
	    BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x)) != NULL;
	BN_free(bn);
	return ok;
}

static bool
base_set(X509 *x, const char *cn, EVP_PKEY *key, X509 *issuer,
	 const struct ca_want *w)
{
	X509_NAME *name = X509_NAME_new();
	time_t now = (time_t)(clk_wall_s() + w->shift_s);
	bool ok;

	ok = name != NULL && X509_set_version(x, X509_VERSION_3) == 1 &&
	    serial_set(x) && X509_NAME_add_entry_by_txt(name, "CN",
	    MBSTRING_UTF8, (const uint8_t *)cn, -1, -1, 0) == 1 &&
	    X509_set_subject_name(x, name) == 1 &&
	    X509_set_issuer_name(x, issuer != NULL ?
	    X509_get_subject_name(issuer) : name) == 1 &&
	    X509_set_pubkey(x, key) == 1 &&
	    ASN1_TIME_set(X509_getm_notBefore(x), now - BACK_S) != NULL &&
	    ASN1_TIME_set(X509_getm_notAfter(x), now +
	    (time_t)w->days * CA_DAY) != NULL;
	X509_NAME_free(name);
	return ok;
}

/* "a.example,192.0.2.1" -> "DNS:a.example,IP:192.0.2.1" */
static bool
san_text(const char *names, char *out, size_t cap)
{
	char one[CA_NAME_MAX + 1];

	out[0] = '\0';
	while (*names != '\0') {
		size_t n = strcspn(names, ",");
		const char *kind = "DNS";

		if (n == 0 || n > CA_NAME_MAX)
			return false;
		memcpy(one, names, n);
		one[n] = '\0';
		switch (conf_id_type(one)) {
		case CONF_ID_FQDN:
			break;
		case CONF_ID_EMAIL:
			kind = "email";
			break;
		case CONF_ID_IPV4:
		case CONF_ID_IPV6:
			kind = "IP";
			break;
		default:
			return false;
		}
		if (strspn(one, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST"
		    "UVWXYZ0123456789.-_@:+") != n)
			return false;
		if (strlen(out) + n + 8 >= cap)
			return false;
		str_add(out, cap, "%s%s:%s", out[0] != '\0' ? "," : "", kind,
		    one);
		names += n + (names[n] == ',');
	}
	return out[0] != '\0';
}

int
ca_make(struct ca *ca, const struct ca_want *w)
{
	EVP_PKEY *k = key_make(w->type);
	X509 *x = X509_new();
	int err;

	if (k == NULL || x == NULL || !base_set(x, w->names, k, NULL, w) ||
	    !ext(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
	    !ext(x, x, NID_key_usage, "critical,keyCertSign,cRLSign") ||
	    !ext(x, x, NID_subject_key_identifier, "hash") ||
	    X509_sign(x, k, md_for(k)) <= 0)
		err = failed(ca, "the authority cannot be made");
	else if ((err = key_save(ca, k, "ca.key", w->pass)) == 0)
		err = cert_save(ca, x, "ca.pem");
	EVP_PKEY_free(k);
	X509_free(x);
	return err;
}

/* ---- issuing --------------------------------------------------------------------- */

static void
first_name(const char *names, char *out)
{
	size_t n = strcspn(names, ",");

	n = MIN(n, CA_NAME_MAX);
	memcpy(out, names, n);
	out[n] = '\0';
}

static void
serial_text(const X509 *x, char *out)
{
	BIGNUM *bn = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
	char *hex = bn != NULL ? BN_bn2hex(bn) : NULL;

	snprintf(out, CA_SERIAL_MAX, "%s", hex != NULL ? hex : "0");
	for (; *out != '\0'; out++)
		if (*out >= 'A' && *out <= 'F')
			*out = (char)(*out - 'A' + 'a');
	OPENSSL_free(hex);
	BN_free(bn);
}

static int64_t
end_of(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static bool
leaf_exts(struct ca *ca, const struct ca_want *w, X509 *x, X509 *issuer,
	  const char *san)
{
	char url[CA_URL_MAX + 8];

	if (ca->url[0] != '\0') {
		snprintf(url, sizeof(url), "URI:%s", ca->url);
		if (!ext(x, issuer, NID_crl_distribution_points, url))
			return false;
	}
	return ext(x, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
	    ext(x, issuer, NID_key_usage, "critical,digitalSignature") &&
	    ext(x, issuer, NID_ext_key_usage, w->usage != NULL ? w->usage :
		"serverAuth,clientAuth") &&
	    ext(x, issuer, NID_subject_key_identifier, "hash") &&
	    ext(x, issuer, NID_authority_key_identifier, "keyid") &&
	    ext(x, issuer, NID_subject_alt_name, san);
}

int
ca_issue(struct ca *ca, const struct ca_want *w, bool keep_key,
	 struct ca_entry *e)
{
	char name[CA_NAME_MAX + 1], file[CA_NAME_MAX + 8], san[2 * CA_NAMES_MAX];
	EVP_PKEY *by = NULL, *k = NULL;
	X509 *issuer = NULL, *x = NULL;
	int err = ERR_IO;

	first_name(w->names, name);
	if (!san_text(w->names, san, sizeof(san))) {
		snprintf(ca->why, sizeof(ca->why), "not names a certificate "
		    "can have: host names, user@host or IP addresses");
		return ERR_SYNTAX;
	}
	snprintf(file, sizeof(file), "%s.key", name);
	if ((by = key_read(ca, "ca.key", w->pass)) == NULL ||
	    (issuer = cert_read(ca, "ca.pem")) == NULL)
		goto out;
	k = keep_key ? key_read(ca, file, NULL) : key_make(w->type);
	if (k == NULL)
		goto out;
	if ((x = X509_new()) == NULL || !base_set(x, name, k, issuer, w) ||
	    !leaf_exts(ca, w, x, issuer, san) || X509_sign(x, by, md_for(by)) <= 0) {
		err = failed(ca, "the certificate cannot be made");
		goto out;
	}
	if (end_of(X509_get0_notAfter(x)) > end_of(X509_get0_notAfter(issuer))) {
		snprintf(ca->why, sizeof(ca->why), "it would outlive the "
		    "authority: fewer --days, or a new authority");
		err = ERR_RANGE;
		goto out;
	}
	if (!keep_key && (err = key_save(ca, k, file, NULL)) != 0)
		goto out;
	snprintf(file, sizeof(file), "%s.pem", name);
	if ((err = cert_save(ca, x, file)) != 0)
		goto out;
	serial_text(x, e->serial);
	e->not_after = end_of(X509_get0_notAfter(x));
	snprintf(e->names, sizeof(e->names), "%s", w->names);
out:
	EVP_PKEY_free(by);
	EVP_PKEY_free(k);
	X509_free(issuer);
	X509_free(x);
	ERR_clear_error();
	return err;
}

/* ---- the list of what was revoked ------------------------------------------------- */

static bool
crl_fill(struct ca *ca, X509_CRL *c)
{
	ASN1_TIME *t = ASN1_TIME_new();
	bool ok = t != NULL;

	for (unsigned i = 0; ok && i < ca->n; i++) {
		const struct ca_entry *e = &ca->entry[i];
		ASN1_INTEGER *serial;
		X509_REVOKED *r;
		BIGNUM *bn = NULL;

		if (!e->is_revoked)
			continue;
		r = X509_REVOKED_new();
		serial = BN_hex2bn(&bn, e->serial) > 0 ?
		    BN_to_ASN1_INTEGER(bn, NULL) : NULL;
		ok = r != NULL && serial != NULL &&
		    X509_REVOKED_set_serialNumber(r, serial) == 1 &&
		    ASN1_TIME_set(t, (time_t)e->revoked_at) != NULL &&
		    X509_REVOKED_set_revocationDate(r, t) == 1 &&
		    X509_CRL_add0_revoked(c, r) == 1;
		if (!ok)
			X509_REVOKED_free(r);
		ASN1_INTEGER_free(serial);
		BN_free(bn);
	}
	ASN1_TIME_free(t);
	return ok;
}

static bool
crl_exts(X509_CRL *c, X509 *issuer)
{
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	X509_EXTENSION *e = NULL;
	X509V3_CTX ctx;
	bool ok;

	X509V3_set_ctx(&ctx, issuer, NULL, NULL, c, 0);
	X509V3_set_ctx_nodb(&ctx);
	e = X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier,
	    "keyid");
	/* Rises with the time: RFC 5280 5.2.3 wants no more. */
	ok = number != NULL &&
	    ASN1_INTEGER_set_int64(number, (int64_t)clk_wall_ms()) == 1 &&
	    e != NULL && X509_CRL_add_ext(c, e, -1) == 1 &&
	    X509_CRL_add1_ext_i2d(c, NID_crl_number, number, 0, 0) == 1;
	X509_EXTENSION_free(e);
	ASN1_INTEGER_free(number);
	return ok;
}

int
ca_crl(struct ca *ca, const char *pass, unsigned days)
{
	EVP_PKEY *by = key_read(ca, "ca.key", pass);
	X509 *issuer = by != NULL ? cert_read(ca, "ca.pem") : NULL;
	X509_CRL *c = X509_CRL_new();
	ASN1_TIME *from = ASN1_TIME_new(), *to = ASN1_TIME_new();
	int64_t now = clk_wall_s();
	BIO *b;
	int err = ERR_IO;

	if (issuer == NULL)
		goto out;
	if (c == NULL || from == NULL || to == NULL ||
	    X509_CRL_set_version(c, X509_CRL_VERSION_2) != 1 ||
	    X509_CRL_set_issuer_name(c, X509_get_subject_name(issuer)) != 1 ||
	    ASN1_TIME_set(from, (time_t)(now - BACK_S)) == NULL ||
	    ASN1_TIME_set(to, (time_t)(now + (int64_t)days * CA_DAY)) == NULL ||
	    X509_CRL_set1_lastUpdate(c, from) != 1 ||
	    X509_CRL_set1_nextUpdate(c, to) != 1 || !crl_fill(ca, c) ||
	    !crl_exts(c, issuer) || X509_CRL_sort(c) != 1 ||
	    X509_CRL_sign(c, by, md_for(by)) <= 0) {
		err = failed(ca, "the list of what was revoked cannot be made");
		goto out;
	}
	b = BIO_new(BIO_s_mem());
	err = bio_save(ca, b, b != NULL && PEM_write_bio_X509_CRL(b, c) == 1,
	    "ca.crl", 0644);
out:
	EVP_PKEY_free(by);
	X509_free(issuer);
	X509_CRL_free(c);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	ERR_clear_error();
	return err;
}

/* ---- looking ---------------------------------------------------------------------- */

int
ca_facts(struct ca *ca, const char *file, char *subject, size_t cap,
	 int64_t *not_after)
{
	X509 *x = cert_read(ca, file);
	int n;

	if (x == NULL)
		return ERR_IO;
	n = X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName,
	    subject, (int)cap);
	if (n < 0)
		subject[0] = '\0';
	*not_after = end_of(X509_get0_notAfter(x));
	X509_free(x);
	return 0;
}

int64_t
ca_crl_end(struct ca *ca)
{
	size_t cap = 16u << 20, len;
	char *text = malloc(cap);
	X509_CRL *c = NULL;
	int64_t end = 0;
	BIO *b;

	if (text != NULL && ca_file_read(ca, "ca.crl", text, cap, &len) == 0 &&
	    (b = BIO_new_mem_buf(text, (int)len)) != NULL) {
		c = PEM_read_bio_X509_CRL(b, NULL, NULL, NULL);
		BIO_free(b);
	}
	if (c != NULL)
		end = end_of(X509_CRL_get0_nextUpdate(c));
	X509_CRL_free(c);
	free(text);
	ERR_clear_error();
	return end;
}

/* Letters and digits that cannot be taken for each other. */
int
ca_pass_make(char out[CA_PASS_MAX])
{
	static const char set[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* 32 */
	uint8_t raw[CA_PASS_MAX - 1];

	if (rng_bytes(raw, sizeof(raw)) != 0)
		return ERR_RANDOM;
	for (unsigned i = 0; i < CA_PASS_MAX - 1; i++)
		out[i] = set[raw[i] & 31];
	out[CA_PASS_MAX - 1] = '\0';
	wipe(raw, sizeof(raw));
	return 0;
}

/* What Apple reads: no PBES2.  The passphrase has 120 bits. */
static PKCS12 *
p12_old(const char *pass, const char *name, EVP_PKEY *k, X509 *x,
	STACK_OF(X509) *chain)
{
	const int nid = NID_pbe_WithSHA1And3_Key_TripleDES_CBC;
	PKCS12 *p = PKCS12_create(pass, name, k, x, chain, nid, nid, 0, -1, 0);

	if (p != NULL && PKCS12_set_mac(p, pass, -1, NULL, 0, 2048,
					EVP_sha1()) == 1)
		return p;
	PKCS12_free(p);
	return NULL;
}

int
ca_p12(struct ca *ca, const char *name, const char *pass, bool is_old,
       uint8_t **out, size_t *len)
{

	char file[CA_NAME_MAX + 8];
	STACK_OF(X509) *chain = sk_X509_new_null();
	X509 *x = NULL, *issuer = NULL;
	EVP_PKEY *k = NULL;
	PKCS12 *p = NULL;
	uint8_t *der = NULL;
	int n = 0, err = ERR_IO;

	snprintf(file, sizeof(file), "%.*s.key", CA_NAME_MAX, name);
	if ((k = key_read(ca, file, NULL)) == NULL)
		goto out;
	snprintf(file, sizeof(file), "%.*s.pem", CA_NAME_MAX, name);
	if ((x = cert_read(ca, file)) == NULL ||
	    (issuer = cert_read(ca, "ca.pem")) == NULL)
		goto out;
	if (chain != NULL && sk_X509_push(chain, issuer) > 0)
		p = is_old ? p12_old(pass, name, k, x, chain) :
		    PKCS12_create(pass, name, k, x, chain, 0, 0, 0, 0, 0);
	if (p == NULL || (n = i2d_PKCS12(p, &der)) <= 0 ||
	    (*out = malloc((size_t)n)) == NULL) {
		err = failed(ca, "the export cannot be made");
		goto out;
	}
	memcpy(*out, der, (size_t)n);
	*len = (size_t)n;
	err = 0;
out:
	OPENSSL_clear_free(der, n > 0 ? (size_t)n : 0);
	PKCS12_free(p);
	sk_X509_free(chain);
	EVP_PKEY_free(k);
	X509_free(x);
	X509_free(issuer);
	ERR_clear_error();
	return err;
}
