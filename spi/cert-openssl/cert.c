/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/cert-openssl/cert.c - one certificate and its facts; the provider's table.
 *
 * Thread: one at a time for each object.
 */
#include "spi/cert-openssl/cert_openssl.h"
#define ERR_STATE ossl_err_state_type
#include <openssl/asn1.h>
#include <openssl/objects.h>
#include <openssl/ocsp.h>
#undef ERR_STATE
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CERT_BYTES_MAX (64u << 10)	/* of one certificate; ours */
#define OID_IKE_INTERMEDIATE "1.3.6.1.5.5.8.2.2"

/* ---- reading ------------------------------------------------------------------ */

int
ossl_cert_wrap(X509 *x, struct spi_cert **out)
{
	struct spi_cert *c = calloc(1, sizeof(*c));
	uint8_t *der = NULL;
	int n = i2d_X509(x, &der), crit = 0;

	if (c == NULL || n <= 0) {
		OPENSSL_free(der);
		X509_free(x);
		free(c);
		return c == NULL ? ERR_NOMEM : ERR_SYNTAX;
	}
	c->x = x;
	c->der = (struct view){ der, (size_t)n };
	c->san = X509_get_ext_d2i(x, NID_subject_alt_name, &crit, NULL);
	if (c->san == NULL && crit != -1)
		c->is_broken = true;	/* there, but unreadable or twice */
	/* Reads the extensions once; what is wrong with them is remembered. */
	if ((X509_get_extension_flags(x) & EXFLAG_INVALID) != 0)
		c->is_broken = true;
	ERR_clear_error();
	*out = c;
	return 0;
}

static int
cert_read(struct view der, struct spi_cert **out)
{
	const uint8_t *p = der.p;
	X509 *x;

	if (der.len == 0 || der.len > CERT_BYTES_MAX)
		return ERR_SYNTAX;
	x = d2i_X509(NULL, &p, (long)der.len);
	ERR_clear_error();
	if (x == NULL)
		return ERR_SYNTAX;
	if (p != der.p + der.len) {
		X509_free(x);
		return ERR_SYNTAX;
	}
	return ossl_cert_wrap(x, out);
}

void
ossl_cert_free(struct spi_cert *c)
{
	if (c == NULL)
		return;
	GENERAL_NAMES_free(c->san);
	X509_free(c->x);
	OPENSSL_free((void *)(uintptr_t)c->der.p);
	free(c);
}

static struct view
cert_der(const struct spi_cert *c)
{
	return c->der;
}

/* ---- facts -------------------------------------------------------------------- */

int64_t
ossl_time(const ASN1_TIME *t)
{
	struct tm tm;

	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		return 0;
	return (int64_t)timegm(&tm);
}

/* "CN=x, O=y" with everything odd escaped. */
static void
name_text(const X509_NAME *name, char *out)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *p;
	long n;

	out[0] = '\0';
	if (b == NULL)
		return;
	if (X509_NAME_print_ex(b, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_UTF8_CONVERT) >= 0 &&
	    (n = BIO_get_mem_data(b, &p)) > 0) {
		n = n < SPI_CERT_TEXT_MAX - 1 ? n : SPI_CERT_TEXT_MAX - 1;
		memcpy(out, p, (size_t)n);
		out[n] = '\0';
	}
	BIO_free(b);
	for (; *out != '\0'; out++)
		if ((unsigned char)*out < 0x20 || (unsigned char)*out >= 0x7f)
			*out = '?';
}

static struct view
asn1_view(const ASN1_STRING *s)
{
	return (struct view){ ASN1_STRING_get0_data(s),
			      (size_t)ASN1_STRING_length(s) };
}

static void
names_fill(const struct spi_cert *c, struct spi_cert_facts *f)
{
	int n = c->san != NULL ? sk_GENERAL_NAME_num(c->san) : 0;
	const uint8_t *p;
	size_t len;

	for (int i = 0; i < n && f->n_name < SPI_CERT_NAMES_MAX; i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(c->san, i);
		struct spi_cert_name *to = &f->name[f->n_name++];

		to->kind = SPI_NAME_OTHER;
		switch (g->type) {
		case GEN_DNS:
			to->kind = SPI_NAME_DNS;
			to->data = asn1_view(g->d.dNSName);
			break;
		case GEN_EMAIL:
			to->kind = SPI_NAME_EMAIL;
			to->data = asn1_view(g->d.rfc822Name);
			break;
		case GEN_IPADD:
			to->kind = SPI_NAME_IP;
			to->data = asn1_view(g->d.iPAddress);
			break;
		case GEN_DIRNAME:
			if (X509_NAME_get0_der(g->d.directoryName, &p, &len) ==
			    1) {
				to->kind = SPI_NAME_DN;
				to->data = (struct view){ p, len };
			}
			break;
		default:
			break;
		}
	}
}

static void
usage_fill(const struct spi_cert *c, struct spi_cert_facts *f)
{
	static const struct {
		uint32_t of, ours;
	} ku[] = {
		{ KU_DIGITAL_SIGNATURE, SPI_KU_DIGITAL_SIGNATURE },
		{ KU_NON_REPUDIATION, SPI_KU_NON_REPUDIATION },
		{ KU_CRL_SIGN, SPI_KU_CRL_SIGN },
		{ KU_KEY_CERT_SIGN, SPI_KU_CERT_SIGN },
	};
	uint32_t flags = X509_get_extension_flags(c->x);
	uint32_t usage = X509_get_key_usage(c->x);
	EXTENDED_KEY_USAGE *eku;
	char oid[64];

	f->has_usage = (flags & EXFLAG_KUSAGE) != 0;
	for (unsigned i = 0; f->has_usage && i < N_OF(ku); i++)
		if ((usage & ku[i].of) != 0)
			f->usage |= ku[i].ours;
	f->has_ext_usage = (flags & EXFLAG_XKUSAGE) != 0;
	eku = X509_get_ext_d2i(c->x, NID_ext_key_usage, NULL, NULL);
	for (int i = 0; eku != NULL && i < sk_ASN1_OBJECT_num(eku); i++) {
		const ASN1_OBJECT *o = sk_ASN1_OBJECT_value(eku, i);

		switch (OBJ_obj2nid(o)) {
		case NID_server_auth:
			f->ext_usage |= SPI_EKU_SERVER_AUTH;
			break;
		case NID_client_auth:
			f->ext_usage |= SPI_EKU_CLIENT_AUTH;
			break;
		case NID_ipsec_IKE:
			f->ext_usage |= SPI_EKU_IKE;
			break;
		case NID_anyExtendedKeyUsage:
			f->ext_usage |= SPI_EKU_ANY;
			break;
		default:
			OBJ_obj2txt(oid, sizeof(oid), o, 1);
			if (strcmp(oid, OID_IKE_INTERMEDIATE) == 0)
				f->ext_usage |= SPI_EKU_IKE;
			break;
		}
	}
	EXTENDED_KEY_USAGE_free(eku);
}

static void
cert_facts(const struct spi_cert *c, struct spi_cert_facts *f)
{
	const EVP_PKEY *k = X509_get0_pubkey(c->x);
	const uint8_t *p;
	size_t len;

	memset(f, 0, sizeof(*f));
	f->is_ca = X509_check_ca(c->x) == 1;
	f->not_before = ossl_time(X509_get0_notBefore(c->x));
	f->not_after = ossl_time(X509_get0_notAfter(c->x));
	if (k != NULL) {
		f->key = ossl_key_kind(k);
		f->key_bits = (unsigned)MAX(EVP_PKEY_get_bits(k), 0);
	}
	/* A key that is not one of ours may cost any time. */
	f->is_self_signed = f->key != SPI_KEY_NONE &&
	    X509_self_signed(c->x, 1) == 1;
	name_text(X509_get_subject_name(c->x), f->subject);
	name_text(X509_get_issuer_name(c->x), f->issuer);
	if (X509_NAME_get0_der(X509_get_subject_name(c->x), &p, &len) == 1)
		f->subject_der = (struct view){ p, len };
	usage_fill(c, f);
	names_fill(c, f);
	ERR_clear_error();
}

static struct spi_pkey *
cert_key(const struct spi_cert *c)
{
	EVP_PKEY *k = X509_get_pubkey(c->x);
	struct spi_pkey *out = NULL;

	ERR_clear_error();
	if (k == NULL)
		return NULL;
	if (ossl_key_kind(k) == SPI_KEY_NONE) {
		EVP_PKEY_free(k);
		return NULL;
	}
	return ossl_key_wrap(k, &out) == 0 ? out : NULL;
}

static int
cert_key_id(const struct spi_cert *c, uint8_t out[SPI_KEY_ID_LEN])
{
	uint8_t *der = NULL;
	unsigned len = 0;
	int n, ok;

	n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(c->x), &der);
	ok = n > 0 && EVP_Digest(der, (size_t)n, out, &len, EVP_sha1(),
	    NULL) == 1 && len == SPI_KEY_ID_LEN;
	OPENSSL_free(der);
	ERR_clear_error();
	return ok ? 0 : ERR_CRYPTO;
}

static bool
cert_same(const struct spi_cert *a, const struct spi_cert *b)
{
	return a->der.len == b->der.len &&
	    memcmp(a->der.p, b->der.p, a->der.len) == 0;
}

static bool
cert_is_named(const struct spi_cert *c, struct view dn)
{
	const uint8_t *p = dn.p;
	X509_NAME *name;
	bool is;

	if (dn.len == 0 || dn.len > INT32_MAX)
		return false;
	name = d2i_X509_NAME(NULL, &p, (long)dn.len);
	is = name != NULL && p == dn.p + dn.len &&
	    X509_NAME_entry_count(name) > 0 &&
	    X509_NAME_cmp(name, X509_get_subject_name(c->x)) == 0;
	X509_NAME_free(name);
	ERR_clear_error();
	return is;
}

static bool
cert_crl_url(const struct spi_cert *c, unsigned want, char out[SPI_CERT_URL_MAX])
{
	CRL_DIST_POINTS *dps = X509_get_ext_d2i(c->x, NID_crl_distribution_points,
	    NULL, NULL);
	bool is_found = false;
	unsigned at = 0;

	for (int i = 0; dps != NULL && i < sk_DIST_POINT_num(dps); i++) {
		const DIST_POINT *dp = sk_DIST_POINT_value(dps, i);
		const GENERAL_NAMES *full;

		if (dp->distpoint == NULL || dp->distpoint->type != 0)
			continue;
		full = dp->distpoint->name.fullname;
		for (int k = 0; k < sk_GENERAL_NAME_num(full); k++) {
			const GENERAL_NAME *g = sk_GENERAL_NAME_value(full, k);
			struct view v;

			if (g->type != GEN_URI)
				continue;
			v = asn1_view(g->d.uniformResourceIdentifier);
			if (v.len < 8 || v.len >= SPI_CERT_URL_MAX ||
			    memcmp(v.p, "http://", 7) != 0 ||
			    memchr(v.p, '\0', v.len) != NULL || at++ != want)
				continue;
			memcpy(out, v.p, v.len);
			out[v.len] = '\0';
			is_found = true;
		}
	}
	CRL_DIST_POINTS_free(dps);
	ERR_clear_error();
	return is_found;
}

/* ---- the table ----------------------------------------------------------------- */

/* One of each, so that the library has everything it fetches by name. */
static int
self_test(void)
{
	static const char *const kinds[] = { "ED25519", "P-256" };
	static const uint8_t text[] = "one of each";
	const struct view part = { text, sizeof(text) };
	struct spi_sig how[] = {
		{ SPI_SIG_ED, SPI_SIG_IDENTITY },
		{ SPI_SIG_ECDSA, SPI_SIG_SHA256 },
	};
	uint8_t sig[SPI_SIG_MAX];
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_STORE *store = X509_STORE_new();
	int err = store != NULL && ctx != NULL &&
	    X509_STORE_CTX_init(ctx, store, NULL, NULL) == 1 ? 0 : ERR_CRYPTO;

	for (unsigned i = 0; err == 0 && i < N_OF(how); i++) {
		struct spi_pkey k = { i == 0 ?
			EVP_PKEY_Q_keygen(NULL, NULL, kinds[i]) :
			EVP_PKEY_Q_keygen(NULL, NULL, "EC", kinds[i]) };
		struct view v = { sig, 0 };

		if (k.k == NULL)
			err = ERR_CRYPTO;
		else if ((err = ossl_sign(&k, &how[i], &part, 1, sig,
		    &v.len)) == 0)
			err = ossl_check(&k, &how[i], &part, 1, v);
		EVP_PKEY_free(k.k);
	}
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	(void)EVP_get_digestbyname("SHA1");
	ERR_clear_error();
	return err;
}

static const struct spi_certs provider = {
	.name = "openssl",
	.self_test = self_test,
	.lock_keys = ossl_lock_keys,
	.key_uri = ossl_key_uri,
	.key_public = ossl_key_public,
	.key_free = ossl_key_free,
	.key_kind = ossl_key_kind_of,
	.key_spki = ossl_key_spki,
	.key_is_of = ossl_key_is_of,
	.key_same = ossl_key_same,
	.sign = ossl_sign,
	.check = ossl_check,
	.cert_read = cert_read,
	.cert_free = ossl_cert_free,
	.cert_der = cert_der,
	.cert_facts = cert_facts,
	.cert_key = cert_key,
	.cert_key_id = cert_key_id,
	.cert_same = cert_same,
	.cert_is_named = cert_is_named,
	.cert_crl_url = cert_crl_url,
	.bundle_read = ossl_bundle_read,
	.path_build = ossl_path_build,
	.crl_read = ossl_crl_read,
	.crl_free = ossl_crl_free,
	.crl_is_newer = ossl_crl_is_newer,
	.crl_is_by = ossl_crl_is_by,
	.crl_look = ossl_crl_look,
	.ocsp_look = ossl_ocsp_look,
};

const struct spi_certs *
spi_certs(void)
{
	return &provider;
}
