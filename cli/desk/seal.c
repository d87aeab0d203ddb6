/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/desk/seal.c - an answer that only the browser which asked can read.
 */
#define ERR_STATE ossl_err_state_type /* a type of theirs, an error of ours */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#undef ERR_STATE
#include "cli/desk/seal.h"
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"

#define CURVE	"P-256"
#define SECRET	32		/* x of a point of it */
static const char label[] = "tapir desk 1";

/* The key of somebody else; NULL: no point of the curve. */
static EVP_PKEY *
point_read(const uint8_t p[DESK_POINT])
{
	char group[] = CURVE;
	uint8_t copy[DESK_POINT];
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
						 group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, copy,
						  sizeof(copy)),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;

	memcpy(copy, p, sizeof(copy));
	if (c != NULL && EVP_PKEY_fromdata_init(c) == 1)
		(void)EVP_PKEY_fromdata(c, &key, EVP_PKEY_PUBLIC_KEY, params);
	EVP_PKEY_CTX_free(c);
	return key;
}

/* x of the point that both know. */
static int
agree(EVP_PKEY *own, EVP_PKEY *peer, uint8_t out[SECRET])
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(own, NULL);
	size_t n = SECRET;
	int ok;

	ok = c != NULL && EVP_PKEY_derive_init(c) == 1 &&
	    EVP_PKEY_derive_set_peer(c, peer) == 1 &&
	    EVP_PKEY_derive(c, out, &n) == 1 && n == SECRET;
	EVP_PKEY_CTX_free(c);
	return ok ? 0 : ERR_CRYPTO;
}

/* RFC 5869, with both public keys in its info. */
static int
expand(uint8_t secret[SECRET], const uint8_t *peer, const uint8_t *own,
       uint8_t key[DESK_KEY])
{
	uint8_t info[sizeof(label) - 1 + 2 * DESK_POINT];
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest,
						 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret,
						  SECRET),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info,
						  sizeof(info)),
		OSSL_PARAM_construct_end(),
	};
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *c = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
	int ok;

	memcpy(info, label, sizeof(label) - 1);
	memcpy(info + sizeof(label) - 1, peer, DESK_POINT);
	memcpy(info + sizeof(label) - 1 + DESK_POINT, own, DESK_POINT);
	ok = c != NULL && EVP_KDF_derive(c, key, DESK_KEY, params) == 1;
	EVP_KDF_CTX_free(c);
	EVP_KDF_free(kdf);
	return ok ? 0 : ERR_CRYPTO;
}

int
desk_seal_begin(struct desk_seal *s, const char *peer)
{
	uint8_t theirs[DESK_POINT], secret[SECRET], *mine = NULL;
	EVP_PKEY *own, *other;
	int err = ERR_CRYPTO;

	memset(s, 0, sizeof(*s));
	if (strlen(peer) != DESK_POINT_T - 1 ||
	    str_unhex(peer, strlen(peer), theirs, sizeof(theirs)) != DESK_POINT ||
	    theirs[0] != 4 || (other = point_read(theirs)) == NULL)
		return ERR_SYNTAX;
	own = EVP_EC_gen(CURVE);
	if (own != NULL &&
	    EVP_PKEY_get1_encoded_public_key(own, &mine) == DESK_POINT &&
	    (err = agree(own, other, secret)) == 0 &&
	    (err = expand(secret, theirs, mine, s->key)) == 0)
		str_hex(s->own, sizeof(s->own), mine, DESK_POINT);
	wipe(secret, sizeof(secret));
	OPENSSL_free(mine);
	EVP_PKEY_free(own);
	EVP_PKEY_free(other);
	return err;
}

int
desk_seal_do(struct desk_seal *s, struct view in, uint8_t *out)
{
	static const uint8_t nonce[12];
	EVP_CIPHER_CTX *c;
	int n = 0, ok;

	if (s->is_used)
		return ERR_STATE;
	s->is_used = true;
	c = EVP_CIPHER_CTX_new();
	ok = c != NULL &&
	    EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, s->key, nonce) == 1 &&
	    EVP_EncryptUpdate(c, out, &n, in.p, (int)in.len) == 1 &&
	    EVP_EncryptFinal_ex(c, out + n, &n) == 1 &&
	    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, DESK_TAG,
				out + in.len) == 1;
	EVP_CIPHER_CTX_free(c);
	return ok ? 0 : ERR_CRYPTO;
}

void
desk_seal_wipe(struct desk_seal *s)
{
	wipe(s, sizeof(*s));
}
