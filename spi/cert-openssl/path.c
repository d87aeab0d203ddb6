/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/cert-openssl/path.c - from a certificate to an authority we believe,
 * RFC 5280 section 6, by X509_verify_cert.
 *
 * Certificates with keys we do not use, or with extensions that cannot be read,
 * are not even offered to it.
 *
 * Thread: one at a time.
 */
#include "spi/cert-openssl/cert_openssl.h"
#define ERR_STATE ossl_err_state_type
#include <openssl/x509_vfy.h>
#undef ERR_STATE
#include <stdio.h>
#include <string.h>

#define UNKNOWN	 "unknown CA"
#define STRENGTH 2	/* OpenSSL's level: 112 bits, no SHA-1 */

static int
fail(char *why, const char *text)
{
	snprintf(why, SPI_CERT_WHY_MAX, "%s", text);
	return ERR_AUTH;
}

static bool
is_usable(const struct spi_cert *c)
{
	const EVP_PKEY *k = X509_get0_pubkey(c->x);

	return !c->is_broken && k != NULL && ossl_key_kind(k) != SPI_KEY_NONE;
}

static void
date(const ASN1_TIME *t, char *out, size_t cap)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(t, &tm) != 1 ||
	    strftime(out, cap, "%Y-%m-%d %H:%M UTC", &tm) == 0)
		snprintf(out, cap, "?");
}

/* OpenSSL's reason as a sentence; at names the certificate it is about. */
static int
sentence(X509_STORE_CTX *ctx, char *why)
{
	int code = X509_STORE_CTX_get_error(ctx);
	int depth = X509_STORE_CTX_get_error_depth(ctx);
	X509 *x = X509_STORE_CTX_get_current_cert(ctx);
	const char *of = depth == 0 ? "the certificate" : "an issuing authority";
	char when[40] = "?";

	switch (code) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		if (x != NULL)
			date(X509_get0_notAfter(x), when, sizeof(when));
		snprintf(why, SPI_CERT_WHY_MAX, "%s has expired on %s", of,
		    when);
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		if (x != NULL)
			date(X509_get0_notBefore(x), when, sizeof(when));
		snprintf(why, SPI_CERT_WHY_MAX, "%s is not yet valid, only "
		    "from %s on: is the clock right?", of, when);
		break;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_UNTRUSTED:
		fail(why, UNKNOWN ": no authority of ca= has issued it");
		break;
	case X509_V_ERR_CERT_CHAIN_TOO_LONG:
		fail(why, "the chain of certificates is too long");
		break;
	case X509_V_ERR_INVALID_CA:
	case X509_V_ERR_INVALID_NON_CA:
	case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
		fail(why, "wrong usage: issued by a certificate that may not "
		    "issue any");
		break;
	case X509_V_ERR_PATH_LENGTH_EXCEEDED:
		fail(why, "more authorities below one than it permits (path "
		    "length)");
		break;
	case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION:
		snprintf(why, SPI_CERT_WHY_MAX, "%s has a critical extension "
		    "that is not understood", of);
		break;
	case X509_V_ERR_CA_MD_TOO_WEAK:
	case X509_V_ERR_CA_KEY_TOO_SMALL:
	case X509_V_ERR_EE_KEY_TOO_SMALL:
	case X509_V_ERR_EC_KEY_EXPLICIT_PARAMS:
		snprintf(why, SPI_CERT_WHY_MAX, "weak: %s uses an algorithm or "
		    "a key that is not strong enough", of);
		break;
	case X509_V_ERR_PERMITTED_VIOLATION:
	case X509_V_ERR_EXCLUDED_VIOLATION:
	case X509_V_ERR_SUBTREE_MINMAX:
	case X509_V_ERR_UNSUPPORTED_NAME_SYNTAX:
	case X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE:
	case X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX:
		fail(why, "its names lie outside of what its authority may "
		    "name (name constraints)");
		break;
	case X509_V_ERR_NO_EXPLICIT_POLICY:
	case X509_V_ERR_INVALID_POLICY_EXTENSION:
		fail(why, "it has no policy that its authority requires "
		    "(policy constraints)");
		break;
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		snprintf(why, SPI_CERT_WHY_MAX, "the signature of %s is wrong",
		    of);
		break;
	default:
		snprintf(why, SPI_CERT_WHY_MAX, "%s: %s", of,
		    X509_verify_cert_error_string(code));
		break;
	}
	return ERR_AUTH;
}

static struct spi_cert *
find(const X509 *x, struct spi_cert *const *list, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (X509_cmp(list[i]->x, x) == 0)
			return list[i];
	return NULL;
}

/* RFC 5280 6.1.4 (k), RFC 4945 5.1.3.9: who issues must say that it may; for the
 * library it is enough that its key may.  A root of version 1 cannot say. */
static bool
may_issue(X509 *x, const struct spi_path_ask *q)
{
	return X509_check_ca(x) == 1 || (X509_get_version(x) == X509_VERSION_1 &&
	    find(x, q->anchor, q->n_anchor) != NULL);
}

/* The chain as it was built, in our objects. */
static int
path_take(X509_STORE_CTX *ctx, const struct spi_path_ask *q,
	  struct spi_cert_path *out, char *why)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	struct spi_cert *c;

	out->n = 0;
	for (int i = 0; i < sk_X509_num(chain); i++) {
		X509 *x = sk_X509_value(chain, i);

		if (i > 0 && !may_issue(x, q))
			return fail(why, "wrong usage: issued by a certificate "
			    "that may not issue any (basicConstraints)");
		c = i == 0 ? q->leaf : NULL;
		if (c == NULL)
			c = find(x, q->anchor, q->n_anchor);
		if (c == NULL)
			c = find(x, q->other, q->n_other);
		if (c == NULL || out->n == N_OF(out->cert))
			return fail(why, "the chain of certificates is too "
			    "long");
		out->cert[out->n++] = c;
	}
	return out->n > 0 ? 0 : fail(why, "no chain of certificates");
}

static int
run(X509_STORE_CTX *ctx, const struct spi_path_ask *q,
    struct spi_cert_path *out, char *why)
{
	X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(ctx);

	X509_VERIFY_PARAM_set_time(p, (time_t)q->now);
	X509_VERIFY_PARAM_set_depth(p, SPI_CERT_PATH_MAX - 1);
	X509_VERIFY_PARAM_set_auth_level(p, STRENGTH);
	/* Any policy is fine (RFC 5280 6.1.1), where one is required. */
	if (X509_VERIFY_PARAM_add0_policy(p, OBJ_nid2obj(NID_any_policy)) != 1)
		return ERR_CRYPTO;
	/* An intermediate authority in ca= is believed by itself. */
	if (X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_PARTIAL_CHAIN |
	    X509_V_FLAG_CHECK_SS_SIGNATURE | X509_V_FLAG_POLICY_CHECK) != 1)
		return ERR_CRYPTO;
	if (X509_verify_cert(ctx) != 1)
		return sentence(ctx, why);
	return path_take(ctx, q, out, why);
}

static int
weak(const struct spi_cert *c, char *why)
{
	if (c->is_broken)
		return fail(why, "the certificate has an extension that cannot "
		    "be read");
	return fail(why, "weak: the certificate's key is not one of RSA with "
	    "2048 to 8192 bits, P-256, P-384, P-521, Ed25519, Ed448");
}

/* A dead end: leave out the last of what came along and was used.  False when
 * there is none left, or the reason is another. */
static bool
dead_end(X509_STORE_CTX *ctx, STACK_OF(X509) *other)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);

	switch (X509_STORE_CTX_get_error(ctx)) {
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		break;
	default:
		return false;
	}
	for (int i = sk_X509_num(chain) - 1; i > 0; i--)
		for (int k = 0; k < sk_X509_num(other); k++)
			if (X509_cmp(sk_X509_value(chain, i),
			    sk_X509_value(other, k)) == 0) {
				(void)sk_X509_delete(other, k);
				return true;
			}
	return false;
}

/* One way after the other: an authority may have several certificates, by
 * others (cross-signing), and the library follows the first only. */
static int
ways_try(X509_STORE *store, STACK_OF(X509) *other,
	 const struct spi_path_ask *q, struct spi_cert_path *out, char *why)
{
	char first[SPI_CERT_WHY_MAX] = "";
	X509_STORE_CTX *ctx;
	bool is_again = true;
	int err = ERR_NOMEM;

	while (is_again && (ctx = X509_STORE_CTX_new()) != NULL) {
		err = ERR_NOMEM;
		is_again = false;
		if (X509_STORE_CTX_init(ctx, store, q->leaf->x, other) == 1) {
			err = run(ctx, q, out, why);
			is_again = err == ERR_AUTH && dead_end(ctx, other);
		}
		if (err == ERR_AUTH && first[0] == '\0')
			memcpy(first, why, sizeof(first));
		X509_STORE_CTX_free(ctx);
	}
	if (err == ERR_AUTH)
		memcpy(why, first, sizeof(first));
	return err;
}

int
ossl_path_build(const struct spi_path_ask *q, struct spi_cert_path *out,
		char *why)
{
	STACK_OF(X509) *other = sk_X509_new_null();
	X509_STORE *store = X509_STORE_new();
	unsigned n_left_out = 0;
	int err = ERR_NOMEM;

	if (!is_usable(q->leaf)) {
		err = weak(q->leaf, why);
		goto out;
	}
	if (other == NULL || store == NULL)
		goto out;
	for (unsigned i = 0; i < q->n_other; i++)
		if (!is_usable(q->other[i]))
			n_left_out++;
		else if (sk_X509_push(other, q->other[i]->x) == 0)
			goto out;
	for (unsigned i = 0; i < q->n_anchor; i++)
		if (X509_STORE_add_cert(store, q->anchor[i]->x) != 1)
			goto out;
	err = ways_try(store, other, q, out, why);
	if (err == ERR_AUTH && n_left_out > 0 &&
	    strncmp(why, UNKNOWN, strlen(UNKNOWN)) == 0)
		fail(why, "weak: an issuing authority that came along has a key "
		    "that is not used, or an extension that cannot be read");
out:
	if (err == ERR_NOMEM)
		fail(why, err_text(err));
	X509_STORE_free(store);
	sk_X509_free(other);
	ERR_clear_error();
	return err;
}
