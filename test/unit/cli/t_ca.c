/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/cli/t_ca.c - tapir ca from the command line: files, modes, list,
 * and what a library thinks of what was issued.
 */
#include <fcntl.h>
#include <ftw.h>
#define ERR_STATE ossl_err_state_type
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>
#include <openssl/x509_vfy.h>
#undef ERR_STATE
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/cli.h"
#include "test/lib/test.h"

static char dir[64], *text;
static size_t text_len;

static void
begin(void)
{
	snprintf(dir, sizeof(dir), "/tmp/tapir-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
}

static int
unlink_one(const char *path, const struct stat *st UNUSED, int what UNUSED,
	   struct FTW *at UNUSED)
{
	return remove(path);
}

static void
end(void)
{
	assert_int_equal(nftw(dir, unlink_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	free(text);
	text = NULL;
}

/* tapir ca WORDS -d DIR; both outputs come to text. */
static int
ca(const char *const *words)
{
	char *argv[32] = { (char *)(uintptr_t)"tapir",
			   (char *)(uintptr_t)"ca" };
	int argc = 2, status;
	FILE *out;

	for (; *words != NULL; words++)
		argv[argc++] = (char *)(uintptr_t)*words;
	argv[argc++] = (char *)(uintptr_t)"-d";
	argv[argc++] = dir;
	free(text);
	out = open_memstream(&text, &text_len);
	status = cli_main(argc, argv, out, out);
	fclose(out);
	return status;
}
#define CA(...) ca((const char *const[]){ __VA_ARGS__, NULL })

static bool
says(const char *what)
{
	return strstr(text, what) != NULL;
}

static mode_t
mode_of(const char *name)
{
	char path[160];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return stat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

static FILE *
file(const char *name)
{
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "r");
	assert_non_null(f);
	return f;
}

static X509 *
cert(const char *name)
{
	FILE *f = file(name);
	X509 *x = PEM_read_X509(f, NULL, NULL, NULL);

	fclose(f);
	assert_non_null(x);
	return x;
}

/* Does the library believe it, list included? */
static int
judge(const char *name)
{
	X509_STORE *s = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509 *root = cert("ca.pem"), *x = cert(name);
	FILE *f = file("ca.crl");
	X509_CRL *crl = PEM_read_X509_CRL(f, NULL, NULL, NULL);
	int code;

	fclose(f);
	assert_non_null(crl);
	X509_STORE_add_cert(s, root);
	X509_STORE_add_crl(s, crl);
	X509_STORE_set_flags(s, X509_V_FLAG_CRL_CHECK |
	    X509_V_FLAG_X509_STRICT);
	X509_STORE_CTX_init(ctx, s, x, NULL);
	X509_verify_cert(ctx);
	code = X509_STORE_CTX_get_error(ctx);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(s);
	X509_CRL_free(crl);
	X509_free(root);
	X509_free(x);
	return code;
}

TEST(an_authority_issues_what_a_library_believes)
{
	X509 *x;

	begin();
	assert_int_equal(CA("init", "My offices"), CLI_OK);
	assert_true(says("ca.pem"));
	assert_int_equal(mode_of("ca.key"), 0600);
	assert_int_equal(mode_of("ca.list"), 0600);
	assert_int_equal(mode_of("ca.pem"), 0644);
	assert_int_equal(mode_of("ca.crl"), 0644);
	assert_int_equal(CA("issue", "gw.example", "192.0.2.1",
	    "2001:db8::1", "me@gw.example"), CLI_OK);
	assert_int_equal(mode_of("gw.example.key"), 0600);
	assert_int_equal(judge("gw.example.pem"), X509_V_OK);
	x = cert("gw.example.pem");
	assert_int_equal(X509_check_host(x, "gw.example", 0, 0, NULL), 1);
	assert_int_equal(X509_check_ip_asc(x, "192.0.2.1", 0), 1);
	assert_int_equal(X509_check_ip_asc(x, "2001:db8::1", 0), 1);
	assert_int_equal(X509_check_email(x, "me@gw.example", 0, 0), 1);
	assert_int_equal(X509_check_host(x, "other.example", 0, 0, NULL), 0);
	assert_int_equal(X509_get_key_usage(x), KU_DIGITAL_SIGNATURE);
	assert_int_equal(X509_check_ca(x), 0);
	X509_free(x);
	for (const char **t = (const char *[]){ "ed25519", "p384", NULL };
	    *t != NULL; t++) {
		char pem[40];

		assert_int_equal(CA("issue", *t, "--type", *t), CLI_OK);
		snprintf(pem, sizeof(pem), "%s.pem", *t);
		assert_int_equal(judge(pem), X509_V_OK);
	}
	end();
}

TEST(what_is_revoked_stands_in_the_list)
{
	begin();
	assert_int_equal(CA("init"), CLI_OK);
	assert_int_equal(CA("issue", "a.example"), CLI_OK);
	assert_int_equal(CA("issue", "b.example"), CLI_OK);
	assert_int_equal(CA("revoke", "a.example"), CLI_OK);
	assert_int_equal(judge("a.example.pem"), X509_V_ERR_CERT_REVOKED);
	assert_int_equal(judge("b.example.pem"), X509_V_OK);
	assert_int_equal(CA("list"), CLI_OK);
	assert_true(says("revoked"));
	assert_true(says("valid "));
	assert_int_equal(CA("revoke", "a.example"), CLI_FAILED);
	assert_int_equal(CA("revoke", "nobody"), CLI_FAILED);
	assert_int_equal(CA("renew", "a.example"), CLI_FAILED);
	end();
}

TEST(renewing_keeps_the_key_and_revoking_takes_all_of_a_name)
{
	X509 *old, *new;

	begin();
	assert_int_equal(CA("init"), CLI_OK);
	assert_int_equal(CA("issue", "a.example", "--days", "10"), CLI_OK);
	assert_int_equal(CA("issue", "b.example"), CLI_OK);
	assert_int_equal(CA("list"), CLI_OK);
	assert_true(says("expiring"));
	old = cert("a.example.pem");
	assert_int_equal(CA("renew"), CLI_OK);
	assert_true(says("a.example.pem"));
	assert_false(says("b.example.pem"));
	new = cert("a.example.pem");
	assert_int_equal(X509_cmp(old, new) == 0, 0);
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(old),
	    X509_get0_pubkey(new)), 1);
	assert_int_equal(judge("a.example.pem"), X509_V_OK);
	assert_int_equal(CA("renew"), CLI_OK);	/* nothing is due now */
	assert_false(says("a.example.pem"));
	assert_int_equal(CA("renew", "b.example"), CLI_OK);
	assert_int_equal(CA("revoke", "b.example"), CLI_OK);
	assert_int_equal(judge("b.example.pem"), X509_V_ERR_CERT_REVOKED);
	X509_free(old);
	X509_free(new);
	end();
}

TEST(exports_open_with_their_passphrase)
{
	char out[128], pass[128], *p;
	STACK_OF(X509) *chain = NULL;
	EVP_PKEY *k = NULL;
	X509 *x = NULL;
	PKCS12 *p12;
	FILE *f;

	begin();
	assert_int_equal(CA("init"), CLI_OK);
	assert_int_equal(CA("issue", "a.example"), CLI_OK);
	snprintf(out, sizeof(out), "%s/out.p12", dir);
	assert_int_equal(CA("export", "a.example", "-o", out), CLI_OK);
	p = strstr(text, "passphrase: ");
	assert_non_null(p);
	assert_int_equal(sscanf(p, "passphrase: %127s", pass), 1);
	assert_int_equal(mode_of("out.p12"), 0600);
	f = file("out.p12");
	p12 = d2i_PKCS12_fp(f, NULL);
	fclose(f);
	assert_int_equal(PKCS12_parse(p12, pass, &k, &x, &chain), 1);
	assert_int_equal(X509_check_private_key(x, k), 1);
	assert_int_equal(sk_X509_num(chain), 1);
	PKCS12_free(p12);
	EVP_PKEY_free(k);
	X509_free(x);
	sk_X509_pop_free(chain, X509_free);
	assert_int_equal(CA("export", "a.example", "-o", out), CLI_FAILED);
	assert_int_equal(CA("export"), CLI_OK);
	assert_true(says("BEGIN CERTIFICATE"));
	assert_false(says("PRIVATE"));
	end();
}

TEST(mistakes_are_refused_and_change_nothing)
{
	begin();
	assert_int_equal(CA("list"), CLI_FAILED);
	assert_true(says("no authority"));
	assert_int_equal(CA("issue", "a.example"), CLI_FAILED);
	assert_int_equal(CA("init"), CLI_OK);
	assert_int_equal(CA("init"), CLI_FAILED);
	assert_int_equal(CA("issue"), CLI_USAGE);
	assert_int_equal(CA("issue", "../x"), CLI_USAGE);
	assert_int_equal(CA("issue", ".x"), CLI_USAGE);
	assert_int_equal(CA("issue", "ca"), CLI_USAGE);
	assert_int_equal(CA("issue", "a;b"), CLI_FAILED);
	assert_int_equal(mode_of("a;b.key"), 0);
	assert_int_equal(CA("issue", "x", "--type", "rsa512"), CLI_USAGE);
	assert_int_equal(CA("issue", "x", "--days", "0"), CLI_USAGE);
	assert_int_equal(CA("issue", "x", "--days", "5000"), CLI_FAILED);
	assert_true(says("outlive"));
	assert_int_equal(mode_of("x.key"), 0);
	assert_int_equal(CA("issue", "x"), CLI_OK);
	assert_int_equal(CA("issue", "x"), CLI_FAILED);
	assert_int_equal(CA("frob"), CLI_USAGE);
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(CA("list"), CLI_FAILED);
	assert_true(says("written by others"));
	end();
}

TEST(the_authority_s_key_may_have_a_passphrase)
{
	char pass[128];
	FILE *f;

	begin();
	snprintf(pass, sizeof(pass), "%s/pass", dir);
	f = fopen(pass, "w");
	assert_non_null(f);
	fputs("open sesame\n", f);
	fclose(f);
	assert_int_equal(CA("init", "--pass", pass), CLI_OK);
	assert_int_equal(CA("issue", "x"), CLI_FAILED);
	assert_true(says("--pass"));
	assert_int_equal(CA("issue", "x", "--pass", pass), CLI_OK);
	assert_int_equal(judge("x.pem"), X509_V_OK);
	end();
}

TEST(who_has_no_passphrase_has_revoked_nothing)
{
	char pass[128];
	FILE *f;

	begin();
	snprintf(pass, sizeof(pass), "%s/pass", dir);
	f = fopen(pass, "w");
	assert_non_null(f);
	fputs("open sesame\n", f);
	fclose(f);
	assert_int_equal(CA("init", "--pass", pass), CLI_OK);
	assert_int_equal(CA("issue", "x", "--pass", pass), CLI_OK);
	assert_int_equal(CA("revoke", "x"), CLI_FAILED);
	assert_int_equal(CA("list"), CLI_OK);
	assert_true(says("valid"));
	assert_false(says("revoked"));
	assert_int_equal(CA("revoke", "x", "--pass", pass), CLI_OK);
	assert_int_equal(CA("list"), CLI_OK);
	assert_true(says("revoked"));
	end();
}
