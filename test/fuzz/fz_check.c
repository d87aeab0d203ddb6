/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_check.c - a stranger's certificates, lists, responses and
 * signature; and what travels between the processes that look at them.
 *
 * Input: a byte that chooses, then
 *   0  CERT bodies, each behind its 16-bit length
 *   1  the same behind a good certificate, with a 16-bit length of AUTH and it
 *      in front
 *   2  a question, 3 an answer, 4 the head of an HTTP answer, 5 an address
 * Nothing may be believed: no input has the private key of the authority.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define ERR_STATE ossl_err_state_type
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#undef ERR_STATE
#include "conf/conf.h"
#include "daemon/base/cur.h"
#include "daemon/base/log.h"
#include "secure-proc/verify/check.h"
#include "secure-proc/verify/fetch.h"
#include "secure-proc/verify/wire.h"

static const char conf_text[] =
    "<vpn><realm name='r' suite='compat'><me id='us' psk='k'/>"
    "<peer id='peer.example' ca='root.pem' my-auth='psk' psk='k'/>"
    "</realm></vpn>";

static struct conf *conf;
static struct sec_trust *trust;
static uint8_t leaf[2048], bodies[80000];
static size_t leaf_len;

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
quiet(void *ctx UNUSED, enum log_level lv UNUSED, const char *who UNUSED,
      const char *line UNUSED)
{
}

static X509 *
cert(EVP_PKEY *key, X509 *issuer, EVP_PKEY *by, const char *san)
{
	X509_NAME *name = X509_NAME_new();
	X509 *x = X509_new();
	X509_EXTENSION *e;
	X509V3_CTX ctx;

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), issuer != NULL ? 2 : 1);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const uint8_t *)(issuer != NULL ? "leaf" : "root"), -1, -1, 0);
	X509_set_subject_name(x, name);
	X509_set_issuer_name(x, issuer != NULL ?
	    X509_get_subject_name(issuer) : name);
	X509_NAME_free(name);
	ASN1_TIME_set(X509_getm_notBefore(x), 1000);
	ASN1_TIME_set(X509_getm_notAfter(x), 2000000000);
	X509_set_pubkey(x, key);
	X509V3_set_ctx(&ctx, issuer != NULL ? issuer : x, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, issuer != NULL ?
	    NID_subject_alt_name : NID_basic_constraints, issuer != NULL ?
	    san : "critical,CA:TRUE");
	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
	if (X509_sign(x, by, NULL) <= 0)
		abort();
	return x;
}

/* The same authority in every run: its key is the hash of nothing. */
static EVP_PKEY *
key_of(uint8_t first)
{
	uint8_t raw[32] = { first };

	return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, raw,
	    sizeof(raw));
}

static void
begin(void)
{
	char dir[] = "/tmp/tapir-fuzz-XXXXXX", path[64];
	struct conf_errs *errs = calloc(1, sizeof(*errs));
	EVP_PKEY *ca_key = key_of(1), *key = key_of(2);
	X509 *root = cert(ca_key, NULL, ca_key, NULL), *x;
	uint8_t *q = leaf;
	FILE *f;

	log_set_sink(quiet, NULL);
	x = cert(key, root, ca_key, "DNS:peer.example");
	if (i2d_X509(x, NULL) > (int)sizeof(leaf) || errs == NULL ||
	    mkdtemp(dir) == NULL)
		abort();
	leaf_len = (size_t)i2d_X509(x, &q);
	snprintf(path, sizeof(path), "%s/root.pem", dir);
	if ((f = fopen(path, "w")) == NULL || PEM_write_X509(f, root) != 1 ||
	    fclose(f) != 0 || conf_parse(conf_text, strlen(conf_text), "x",
	    NULL, &conf, errs) != 0 ||
	    sec_trust_load(&trust, conf, dir, geteuid()) != 0)
		abort();
	unlink(path);
	rmdir(dir);
	free(errs);
	X509_free(root);
	X509_free(x);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(key);
}

static void
check(struct view certs, struct view auth, uint8_t method)
{
	static const uint8_t id[] = "\2\0\0\0peer.example";
	const struct sec_check q = {
		.realm = 0, .peer = 0, .now = 1800000000, .method = method,
		.id = { id, sizeof(id) - 1 }, .cert = certs, .auth = auth,
		.init_msg = { id, 4 }, .nonce = { id, 4 },
		.maced_id = { id, 4 },
	};
	struct sec_checked out;

	sec_check(trust, &q, &out);
	if (out.err == 0 || out.why[0] == '\0')
		abort();
}

/* A good certificate in front, then what came. */
static void
behind_good(const uint8_t *p, size_t n)
{
	size_t m = n >= 2 ? (size_t)(p[0] << 8 | p[1]) : 0;
	struct wcur w;

	if (n < 3 || m > n - 3)
		return;
	wcur_init(&w, bodies, sizeof(bodies));
	wcur_u16(&w, (uint16_t)(leaf_len + 1));
	wcur_u8(&w, 4);
	wcur_bytes(&w, leaf, leaf_len);
	wcur_bytes(&w, p + 3 + m, n - 3 - m);
	if (w.err == 0)
		check((struct view){ bodies, w.len },
		    (struct view){ p + 3, m }, p[2]);
}

/* What decodes is encoded to the same bytes. */
static void
question(const uint8_t *p, size_t n)
{
	static uint8_t out[SEC_WIRE_MAX];
	struct sec_check q;
	uint64_t number;
	size_t len;

	if (sec_ask_dec((struct view){ p, n }, &number, &q) != 0)
		return;
	if (sec_ask_enc(number, &q, out, sizeof(out), &len) != 0 ||
	    len != n || memcmp(out, p, n) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char url[SPI_CERT_URL_MAX];
	struct sec_checked a;
	struct sec_url u;
	uint64_t number;
	size_t len;

	if (trust == NULL)
		begin();
	if (n < 1 || n > 70000)
		return 0;
	switch (*p++ % 6) {
	case 0:
		check((struct view){ p, n - 1 }, (struct view){ p, 0 }, 14);
		break;
	case 1:
		behind_good(p, n - 1);
		break;
	case 2:
		question(p, n - 1);
		break;
	case 3:
		(void)!sec_answer_dec((struct view){ p, n - 1 }, &number, &a);
		break;
	case 4:
		(void)!sec_http_head((struct view){ p, n - 1 }, &len);
		break;
	default:
		snprintf(url, sizeof(url), "%.*s", (int)MIN(n - 1, 250u),
		    (const char *)p);
		(void)!sec_url_read(url, &u);
		break;
	}
	return 0;
}
