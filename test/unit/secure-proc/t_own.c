/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_own.c - our certificate and key: every form of file,
 * what is wrong with files, and which signature is chosen.
 */
#include "secure-proc/keys/own.h"
#include <fcntl.h>
#include <sys/wait.h>
#include "daemon/base/err.h"
#include "spi/spi_cert.h"
#include "test/unit/secure-proc/pki.h"

static EVP_PKEY *root_key, *key;
static X509 *root, *cert;

static void
begin(const char *type, const char *param)
{
	struct pki_spec s = { .cn = "us", .san =
		"email:me@us.example,DNS:us.example" };

	kit_begin();
	root_key = pki_key("EC", "P-256");
	key = pki_key(type, param);
	root = pki_ca("root", root_key, NULL, NULL);
	s.key = key;
	s.issuer = root;
	s.issuer_key = root_key;
	cert = pki_cert(&s);
}

static void
end(void)
{
	X509_free(root);
	X509_free(cert);
	EVP_PKEY_free(root_key);
	EVP_PKEY_free(key);
	kit_end();
}

static int
load(struct sec_own **o, struct conf_me me)
{
	int dir = open(kit_dir, O_RDONLY | O_DIRECTORY), err;

	err = sec_own_load(o, &me, dir, geteuid());
	close(dir);
	return err;
}

static void
loads(struct conf_me me)
{
	struct sec_own *o = NULL;
	const struct view none = { NULL, 0 };
	struct view v;

	assert_int_equal(load(&o, me), 0);
	assert_string_equal(sec_own_name(o), "me@us.example");
	v = sec_own_certs(o, none);
	assert_true(v.len > 300);
	assert_int_equal(v.p[2], 4);
	/* The root is not sent: one certificate only. */
	assert_int_equal(v.len, 2u + be16_get(v.p));
	sec_own_free(o);
}

static void
p12_write(const char *file, const char *pass, bool with_ca)
{
	STACK_OF(X509) *ca = sk_X509_new_null();
	uint8_t *der = NULL;
	PKCS12 *p;
	int n;

	if (with_ca)
		sk_X509_push(ca, root);
	p = PKCS12_create(pass, "us", key, cert, ca, 0, 0, 0, 0, 0);
	assert_non_null(p);
	n = i2d_PKCS12(p, &der);
	kit_file(file, der, (size_t)n, 0600);
	OPENSSL_free(der);
	PKCS12_free(p);
	sk_X509_free(ca);
}

TEST(key_and_certificate_load_from_every_form_of_file)
{
	uint8_t *der = NULL;
	char uri[128];
	int n;

	begin("EC", "P-256");
	pki_pem("us.pem", cert);
	pki_pem_key("us.key", key, NULL);
	loads((struct conf_me){ .cert = "us" });
	loads((struct conf_me){ .cert = "us.pem", .key = "us.key" });
	kit_key("pass", "open sesame\n");
	pki_pem_key("locked.key", key, "open sesame");
	loads((struct conf_me){ .cert = "us", .key = "locked.key",
	    .pass = "pass" });
	p12_write("us.p12", "open sesame", true);
	loads((struct conf_me){ .cert = "us.p12", .pass = "pass" });
	n = i2d_PrivateKey(key, &der);
	kit_file("der.key", der, (size_t)n, 0600);
	OPENSSL_free(der);
	der = NULL;
	n = i2d_X509(cert, &der);
	kit_file("der.der", der, (size_t)n, 0644);
	OPENSSL_free(der);
	loads((struct conf_me){ .cert = "der" });
	snprintf(uri, sizeof(uri), "file:%s/locked.key", kit_dir);
	loads((struct conf_me){ .cert = "us", .key = uri, .pass = "pass" });
	end();
}

/* The URI's scheme says where; the process that has the key signs. */
TEST(a_key_at_a_uri_signs_in_a_process_of_its_own)
{
	const struct view part[3] = { kit_view("a", 1), kit_view("b", 1),
				      kit_view("c", 1) };
	struct sec_own_ask q = { .peer_hashes = 0x3c };
	uint8_t auth[SEC_AUTH_MAX], method = 0;
	struct sec_own *o = NULL;
	struct spi_cert *c = NULL;
	struct spi_pkey *pub;
	struct spi_sig how;
	char uri[128], why[256] = "";
	size_t len = 0, head;
	uint8_t *der = NULL;
	int n;

	begin("RSA", "2048");
	pki_pem("us.pem", cert);
	pki_pem_key("away", key, NULL);
	snprintf(uri, sizeof(uri), "file:%s/away", kit_dir);
	assert_int_equal(load(&o, (struct conf_me){ .cert = "us", .key = uri }),
	    0);
	assert_true(sec_own_fd(o) >= 0);
	memcpy(q.part, part, sizeof(part));
	assert_int_equal(sec_own_sign(o, &q, &method, auth, &len, why,
	    sizeof(why)), 0);
	head = 1u + auth[0];
	assert_true(spi_sig_of_alg(kit_view(auth + 1, auth[0]), &how));
	n = i2d_X509(cert, &der);
	assert_int_equal(spi_certs()->cert_read(kit_view(der, (size_t)n), &c),
	    0);
	OPENSSL_free(der);
	pub = spi_certs()->cert_key(c);
	assert_int_equal(spi_certs()->check(pub, &how, part, 3,
	    kit_view(auth + head, len - head)), 0);
	spi_certs()->key_free(pub);
	spi_certs()->cert_free(c);
	sec_own_free(o);
	assert_true(wait(NULL) > 0);	/* it ends with us */
	end();
}

TEST(what_is_wrong_with_a_file_is_refused)
{
	struct sec_own *o = NULL;
	EVP_PKEY *other;

	begin("EC", "P-256");
	other = pki_key("EC", "P-256");
	pki_pem("us.pem", cert);
	assert_int_equal(load(&o, (struct conf_me){ .cert = "us" }),
	    ERR_KEYFILE);
	pki_pem_key("us.key", other, NULL);	/* of another certificate */
	assert_int_equal(load(&o, (struct conf_me){ .cert = "us" }),
	    ERR_KEYFILE);
	pki_pem_key("us.key", key, "secret");	/* no passphrase given */
	assert_int_equal(load(&o, (struct conf_me){ .cert = "us" }),
	    ERR_KEYFILE);
	kit_key("pass", "wrong");
	assert_int_equal(load(&o, (struct conf_me){ .cert = "us",
	    .pass = "pass" }), ERR_KEYFILE);
	p12_write("us.p12", "right", false);
	assert_int_equal(load(&o, (struct conf_me){ .cert = "us.p12",
	    .pass = "pass" }), ERR_KEYFILE);
	pki_pem_key("us.key", key, NULL);
	kit_file("us.key", "", 0, 0600);
	assert_int_equal(load(&o, (struct conf_me){ .cert = "us" }),
	    ERR_KEYFILE);
	kit_file("us.key", "junk", 4, 0600);
	assert_int_equal(load(&o, (struct conf_me){ .cert = "us" }),
	    ERR_KEYFILE);
	pki_pem_key("us.key", key, NULL);
	kit_file("us.pem", "junk", 4, 0644);
	assert_int_equal(load(&o, (struct conf_me){ .cert = "us" }),
	    ERR_KEYFILE);
	assert_int_equal(load(&o, (struct conf_me){ .cert = "us",
	    .key = "file:/nowhere/at/all" }), ERR_KEYFILE);
	EVP_PKEY_free(other);
	end();
}

TEST(a_key_open_to_others_is_refused)
{
	struct sec_own *o = NULL;
	char path[128];

	begin("EC", "P-256");
	pki_pem("us.pem", cert);
	pki_pem_key("us.key", key, NULL);
	snprintf(path, sizeof(path), "%s/us.key", kit_dir);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(load(&o, (struct conf_me){ .cert = "us" }),
	    ERR_KEYFILE);
	end();
}

/* ---- which signature ------------------------------------------------------------- */

#define ALL_HASHES 0x3cu	/* SHA-2 and identity */

static uint8_t auth[SEC_AUTH_MAX];

static int
sign(struct sec_own *o, uint32_t hashes, bool is_compat, struct view ann,
     uint8_t *method, struct spi_sig *how, size_t *len)
{
	const struct sec_own_ask q = {
		.part = { kit_view("a", 1), kit_view("b", 1),
			  kit_view("c", 1) },
		.peer_hashes = hashes, .auth_ann = ann, .is_compat = is_compat,
	};
	char why[256] = "";
	int err;

	err = sec_own_sign(o, &q, method, auth, len, why, sizeof(why));
	if (err != 0) {
		assert_true(why[0] != '\0');
		return err;
	}
	if (*method == 14) {
		assert_true(spi_sig_of_alg(kit_view(auth + 1, auth[0]), how));
		assert_true(*len > 1u + auth[0]);
	}
	return 0;
}

/* Has RSA signed what sign() asked it to, with this hash? */
static bool
is_signed(const EVP_MD *md, size_t len)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool is = EVP_DigestVerifyInit(c, NULL, md, NULL, key) == 1 &&
	    EVP_DigestVerify(c, auth, len, (const uint8_t *)"abc", 3) == 1;

	EVP_MD_CTX_free(c);
	return is;
}

struct choice {
	const char *type, *param;
	uint32_t hashes;
	uint8_t method;
	struct spi_sig how;
};

TEST(the_best_signature_both_ends_know_is_chosen)
{
	static const struct choice rows[] = {
		{ "EC", "P-256", ALL_HASHES, 14,
		  { SPI_SIG_ECDSA, SPI_SIG_SHA256 } },
		{ "EC", "P-384", ALL_HASHES, 14,
		  { SPI_SIG_ECDSA, SPI_SIG_SHA384 } },
		{ "EC", "P-521", ALL_HASHES, 14,
		  { SPI_SIG_ECDSA, SPI_SIG_SHA512 } },
		{ "EC", "P-256", 1u << 4, 14,
		  { SPI_SIG_ECDSA, SPI_SIG_SHA512 } },
		{ "RSA", "2048", ALL_HASHES, 14,
		  { SPI_SIG_PSS, SPI_SIG_SHA256 } },
		{ "RSA", "2048", 1u << 3, 14,
		  { SPI_SIG_PSS, SPI_SIG_SHA384 } },
		{ "ED25519", NULL, ALL_HASHES, 14,
		  { SPI_SIG_ED, SPI_SIG_IDENTITY } },
		{ "ED448", NULL, ALL_HASHES, 14,
		  { SPI_SIG_ED, SPI_SIG_IDENTITY } },
		{ "ED25519", NULL, 0x1c, 0, { SPI_SIG_ED, 0 } },
		{ "EC", "P-256", 1u << 1, 0, { SPI_SIG_ED, 0 } },
		{ "EC", "P-256", 0, 9, { SPI_SIG_ECDSA_RAW, 0 } },
		{ "EC", "P-384", 0, 10, { SPI_SIG_ECDSA_RAW, 0 } },
		{ "EC", "P-521", 0, 11, { SPI_SIG_ECDSA_RAW, 0 } },
		{ "RSA", "2048", 0, 1, { SPI_SIG_PKCS1, 0 } },
		{ "ED25519", NULL, 0, 0, { SPI_SIG_ED, 0 } },
	};
	const struct view none = { NULL, 0 };

	for (unsigned i = 0; i < N_OF(rows); i++) {
		const struct choice *r = &rows[i];
		struct sec_own *o = NULL;
		struct spi_sig how = { 0, 0 };
		uint8_t method = 0;
		size_t len = 0;
		int err;

		begin(r->type, r->param);
		pki_pem("us.pem", cert);
		pki_pem_key("us.key", key, NULL);
		assert_int_equal(load(&o, (struct conf_me){ .cert = "us" }),
		    0);
		err = sign(o, r->hashes, true, none, &method, &how, &len);
		assert_int_equal(err, r->method == 0 ? ERR_ALG : 0);
		if (err == 0)
			assert_int_equal(method, r->method);
		if (r->method == 14) {
			assert_int_equal(how.form, r->how.form);
			assert_int_equal(how.hash, r->how.hash);
		}
		if (r->method >= 9 && r->method <= 11)
			assert_int_equal(len, r->method == 9 ? 64 :
			    r->method == 10 ? 96 : 132);
		if (r->method == 1)
			assert_true(is_signed(EVP_sha256(), len));
		if (r->hashes == 0)
			assert_int_equal(sign(o, 0, false, none, &method, &how,
			    &len), ERR_ALG);
		sec_own_free(o);
		end();
	}
}

TEST(announced_methods_narrow_the_choice)
{
	const struct spi_sig pkcs1 = { SPI_SIG_PKCS1, SPI_SIG_SHA512 };
	uint8_t ann[64] = { 2, 2 }, method = 0;
	struct sec_own *o = NULL;
	struct spi_sig how;
	size_t n, len = 0;

	begin("RSA", "2048");
	pki_pem("us.pem", cert);
	pki_pem_key("us.key", key, NULL);
	assert_int_equal(load(&o, (struct conf_me){ .cert = "us" }), 0);
	n = spi_sig_alg(&pkcs1, ann + 5);
	ann[2] = (uint8_t)(n + 3);
	ann[3] = 14;
	assert_int_equal(sign(o, ALL_HASHES, false, kit_view(ann, 5 + n),
	    &method, &how, &len), 0);
	assert_int_equal(how.form, SPI_SIG_PKCS1);
	assert_int_equal(how.hash, SPI_SIG_SHA512);
	/* Only a pre-shared key is announced: nothing about signatures. */
	assert_int_equal(sign(o, ALL_HASHES, false, kit_view(ann, 2), &method,
	    &how, &len), 0);
	assert_int_equal(how.form, SPI_SIG_PSS);
	ann[2] = 3;			/* any algorithm of method 14 */
	assert_int_equal(sign(o, ALL_HASHES, false, kit_view(ann, 5), &method,
	    &how, &len), 0);
	sec_own_free(o);
	end();
}

TEST(a_bare_key_and_a_stapled_response_go_when_they_are_asked_for)
{
	static const uint8_t raw_req[] = { 0, 1, 15 };
	static const uint8_t x509_req[] = { 0, 1, 4 };
	static const uint8_t ocsp_req[] = { 0, 1, 4, 0, 1, 14 };
	struct sec_own *o = NULL;
	struct view v, w;

	begin("ED25519", NULL);
	pki_pem_key("us.key", key, NULL);
	assert_int_equal(load(&o, (struct conf_me){ .key = "us.key" }), 0);
	v = sec_own_certs(o, kit_view(raw_req, sizeof(raw_req)));
	assert_int_equal(v.p[2], 15);
	assert_int_equal(v.len, 3 + 44);	/* an Ed25519 key, RFC 8410 */
	assert_int_equal(sec_own_certs(o, kit_view(x509_req,
	    sizeof(x509_req))).len, 0);
	sec_own_free(o);
	pki_pem("us.pem", cert);
	kit_file("us.ocsp", "a response", 10, 0644);
	assert_int_equal(load(&o, (struct conf_me){ .cert = "us" }), 0);
	v = sec_own_certs(o, kit_view(x509_req, sizeof(x509_req)));
	w = sec_own_certs(o, kit_view(ocsp_req, sizeof(ocsp_req)));
	assert_int_equal(w.len, v.len + 13);
	assert_int_equal(w.p[v.len + 2], 14);
	sec_own_free(o);
	end();
}
