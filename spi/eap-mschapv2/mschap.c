/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/eap-mschapv2/mschap.c - the computations of MS-CHAPv2.
 *
 * DES is triple DES with three equal keys: encrypt, decrypt, encrypt under one
 * key is a single encryption.  OpenSSL's default provider has it; single DES is
 * in the legacy one, which is not everywhere.
 *
 * Thread: any after mschap_init().
 */
#include "spi/eap-mschapv2/mschap.h"
/* OpenSSL has a type of this name; ours is an error. */
#define ERR_STATE ossl_err_state_type
#include <openssl/evp.h>
#undef ERR_STATE
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "daemon/base/md4.h"

#define SHA1_LEN 20

static EVP_CIPHER *des;		/* set once, before threads start */
static EVP_MD *sha1;

static const char proof_1[] = "Magic server to client signing constant";
static const char proof_2[] = "Pad to make it do more than one iteration";
static const char key_0[] = "This is the MPPE Master Key";
static const char key_to_server[] =
    "On the client side, this is the send key; "
    "on the server side, it is the receive key.";
static const char key_to_client[] =
    "On the client side, this is the receive key; "
    "on the server side, it is the send key.";

static struct view
text(const char *s)
{
	return (struct view){ (const uint8_t *)s, strlen(s) };
}

static int
sha(const struct view *part, unsigned n, uint8_t out[SHA1_LEN])
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	int err = ERR_CRYPTO;

	if (c == NULL || sha1 == NULL || EVP_DigestInit_ex(c, sha1, NULL) != 1)
		goto out;
	for (unsigned i = 0; i < n; i++) {
		if (EVP_DigestUpdate(c, part[i].p, part[i].len) != 1)
			goto out;
	}
	if (EVP_DigestFinal_ex(c, out, NULL) == 1)
		err = 0;
out:
	EVP_MD_CTX_free(c);
	return err;
}

void
mschap_des_key(const uint8_t in[7], uint8_t out[8])
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < 7; i++)
		bits = bits << 8 | in[i];
	for (unsigned i = 0; i < 8; i++) {
		unsigned seven = bits >> (49 - 7 * i) & 0x7f;
		unsigned ones = (unsigned)__builtin_popcount(seven);

		/* odd parity, RFC 2759 9.3 */
		out[i] = (uint8_t)(seven << 1 | (ones % 2 == 0 ? 1 : 0));
	}
	wipe(&bits, sizeof(bits));
}

static int
des_encrypt(const uint8_t clear[8], const uint8_t raw[7], uint8_t out[8])
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t key[24];
	int n = 0, err = ERR_CRYPTO;

	mschap_des_key(raw, key);
	memcpy(key + 8, key, 8);
	memcpy(key + 16, key, 8);
	if (c != NULL && des != NULL &&
	    EVP_EncryptInit_ex(c, des, NULL, key, NULL) == 1 &&
	    EVP_CIPHER_CTX_set_padding(c, 0) == 1 &&
	    EVP_EncryptUpdate(c, out, &n, clear, 8) == 1 && n == 8)
		err = 0;
	EVP_CIPHER_CTX_free(c);
	wipe(key, sizeof(key));
	return err;
}

/* ChallengeHash(), RFC 2759 8.2; the digest's first 8 bytes are meant. */
static int
challenge_hash(const struct mschap *x, uint8_t out[SHA1_LEN])
{
	const struct view part[3] = {
		{ x->peer, MSCHAP_CHALLENGE }, { x->server, MSCHAP_CHALLENGE },
		mschap_user(x->user)
	};

	return sha(part, N_OF(part), out);
}

/* One character of UTF-8; 0 or ERR_SYNTAX. */
static int
utf8_next(struct view *in, uint32_t *out)
{
	static const uint32_t least[4] = { 0, 0x80, 0x800, 0x10000 };
	uint32_t c = in->p[0];
	unsigned more = c < 0x80 ? 0 : c < 0xc0 ? 4 : c < 0xe0 ? 1 :
	    c < 0xf0 ? 2 : c < 0xf8 ? 3 : 4;

	if (more == 4 || in->len <= more)
		return ERR_SYNTAX;
	if (more > 0)
		c &= 0x3fu >> more;
	for (unsigned i = 1; i <= more; i++) {
		if ((in->p[i] & 0xc0) != 0x80)
			return ERR_SYNTAX;
		c = c << 6 | (in->p[i] & 0x3f);
	}
	if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return ERR_SYNTAX;
	in->p += more + 1;
	in->len -= more + 1;
	*out = c;
	return 0;
}

static void
le16_put(uint8_t *b, uint32_t v)
{
	b[0] = (uint8_t)v;
	b[1] = (uint8_t)(v >> 8);
}

/* ---- public ---------------------------------------------------------------- */

int
mschap_init(void)
{
	if (des == NULL)
		des = EVP_CIPHER_fetch(NULL, "DES-EDE3-ECB", NULL);
	if (sha1 == NULL)
		sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	return des != NULL && sha1 != NULL ? 0 : ERR_ALG;
}

struct view
mschap_user(struct view name)
{
	for (size_t i = name.len; i > 0; i--) {
		if (name.p[i - 1] == '\\')
			return (struct view){ name.p + i, name.len - i };
	}
	return name;
}

int
mschap_hash(struct view password, uint8_t hash[MSCHAP_HASH])
{
	uint8_t wide[2 * MSCHAP_PASS_MAX];
	struct view in = password;
	size_t n = 0;
	uint32_t c;
	int err = 0;

	while (in.len > 0) {
		if ((err = utf8_next(&in, &c)) != 0)
			goto out;
		if (n + (c > 0xffff ? 4 : 2) > sizeof(wide)) {
			err = ERR_LONG;
			goto out;
		}
		if (c > 0xffff) {	/* a pair of surrogates */
			c -= 0x10000;
			le16_put(wide + n, 0xd800 | c >> 10);
			n += 2;
			c = 0xdc00 | (c & 0x3ff);
		}
		le16_put(wide + n, c);
		n += 2;
	}
	md4(wide, n, hash);
out:
	wipe(wide, sizeof(wide));
	return err;
}

int
mschap_response(const struct mschap *x, const uint8_t hash[MSCHAP_HASH],
		uint8_t out[MSCHAP_RESPONSE])
{
	uint8_t clear[SHA1_LEN], key[21] = { 0 };
	int err;

	if ((err = challenge_hash(x, clear)) != 0)
		return err;
	memcpy(key, hash, MSCHAP_HASH);
	for (unsigned i = 0; i < 3 && err == 0; i++)
		err = des_encrypt(clear, key + 7 * i, out + 8 * i);
	wipe(key, sizeof(key));
	return err;
}

int
mschap_proof(const struct mschap *x, const uint8_t hash[MSCHAP_HASH],
	     const uint8_t response[MSCHAP_RESPONSE], uint8_t out[MSCHAP_PROOF])
{
	static const char digit[] = "0123456789ABCDEF";
	uint8_t twice[MD4_LEN], sum[SHA1_LEN], clear[SHA1_LEN];
	const struct view first[3] = {
		{ twice, sizeof(twice) }, { response, MSCHAP_RESPONSE },
		text(proof_1)
	}, second[3] = { { sum, sizeof(sum) }, { clear, 8 }, text(proof_2) };
	int err;

	md4(hash, MSCHAP_HASH, twice);
	if ((err = sha(first, N_OF(first), sum)) == 0 &&
	    (err = challenge_hash(x, clear)) == 0)
		err = sha(second, N_OF(second), sum);
	out[0] = 'S';
	out[1] = '=';
	for (unsigned i = 0; err == 0 && i < SHA1_LEN; i++) {
		out[2 + 2 * i] = (uint8_t)digit[sum[i] >> 4];
		out[3 + 2 * i] = (uint8_t)digit[sum[i] & 15];
	}
	wipe(twice, sizeof(twice));
	wipe(sum, sizeof(sum));
	return err;
}

/* GetAsymmetricStartKey(), RFC 3079 3.4. */
static int
start_key(const uint8_t master[SHA1_LEN], const char *magic,
	  uint8_t out[MSCHAP_KEY])
{
	static const uint8_t pad_1[40];
	uint8_t pad_2[40], sum[SHA1_LEN];
	const struct view part[4] = {
		{ master, MSCHAP_KEY }, { pad_1, sizeof(pad_1) }, text(magic),
		{ pad_2, sizeof(pad_2) }
	};
	int err;

	memset(pad_2, 0xf2, sizeof(pad_2));
	if ((err = sha(part, N_OF(part), sum)) == 0)
		memcpy(out, sum, MSCHAP_KEY);
	wipe(sum, sizeof(sum));
	return err;
}

int
mschap_keys(const uint8_t hash[MSCHAP_HASH],
	    const uint8_t response[MSCHAP_RESPONSE],
	    uint8_t to_server[MSCHAP_KEY], uint8_t to_client[MSCHAP_KEY])
{
	uint8_t twice[MD4_LEN], master[SHA1_LEN];
	const struct view part[3] = {
		{ twice, sizeof(twice) }, { response, MSCHAP_RESPONSE },
		text(key_0)
	};
	int err;

	md4(hash, MSCHAP_HASH, twice);
	if ((err = sha(part, N_OF(part), master)) == 0 &&
	    (err = start_key(master, key_to_server, to_server)) == 0)
		err = start_key(master, key_to_client, to_client);
	wipe(twice, sizeof(twice));
	wipe(master, sizeof(master));
	return err;
}
