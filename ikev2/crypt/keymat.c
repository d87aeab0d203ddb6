/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/crypt/keymat.c - keys of IKE SAs and child SAs.
 *
 *   SKEYSEED = prf(Ni | Nr, g^ir)                              2.14
 *   SKEYSEED = prf(SK_d(old), g^ir | Ni | Nr [| SK1 | ..])     2.18, RFC 9370
 *   { SK_d | SK_ai | SK_ar | SK_ei | SK_er | SK_pi | SK_pr }
 *            = prf+ (SKEYSEED, Ni | Nr | SPIi | SPIr)          2.14
 *   KEYMAT   = prf+ (SK_d, [g^ir |] Ni | Nr [| SK1 | ..])      2.17
 *
 * Every intermediate value is wiped on every path.
 *
 * Thread: any.
 */
#include "ikev2/crypt/keymat.h"

#include <stdio.h>
#include <string.h>

#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"

#define PART_MAX 6	/* T(i-1), up to 4 parts of S, the counter */
/* SK_d, SK_p* 64 each, SK_a* 64 each, SK_e* 36 each */
#define SK_BYTES_MAX (5 * SPI_HASH_MAX + 2 * IKE_ENCR_MAX)

static const char *const hash_text[] = {
	"none", "sha1", "sha256", "sha384", "sha512"
};
static const char *const cipher_text[] = {
	"none", "aes128-gcm", "aes256-gcm", "chacha20-poly1305", "aes128-cbc",
	"aes256-cbc"
};
static const char *const group_text[SPI_GROUP_END] = {
	"none", "x25519", "ecp256", "ecp384", "modp2048", "modp3072",
	"mlkem512", "mlkem768", "mlkem1024"
};

const char *
ike_group_text(enum spi_group g)
{
	return g < SPI_GROUP_END ? group_text[g] : "unknown";
}

const char *
ike_suite_text(const struct ike_suite *s, char *out, size_t cap)
{
	size_t n;

	if (s->integ == SPI_HASH_NONE)
		snprintf(out, cap, "%s prf-%s %s", cipher_text[s->encr],
			 hash_text[s->prf], ike_group_text(s->group));
	else
		snprintf(out, cap, "%s %s prf-%s %s", cipher_text[s->encr],
			 hash_text[s->integ], hash_text[s->prf],
			 ike_group_text(s->group));
	for (unsigned i = 0; i < IKE_ADDKE_MAX; i++) {
		n = strlen(out);
		if (s->addke[i] != SPI_GROUP_NONE)
			snprintf(out + n, cap - n, "+%s",
				 ike_group_text(s->addke[i]));
	}
	return out;
}

int
ike_prf_plus(enum spi_hash prf, struct view key, const struct view *part,
	     unsigned n, uint8_t *out, size_t out_len)
{
	size_t hlen = spi_hash_len(prf), done = 0;
	struct view all[PART_MAX];
	uint8_t t[SPI_HASH_MAX], counter = 0;
	int err = 0;

	if (hlen == 0 || n + 2 > PART_MAX)
		return ERR_INTERNAL;
	if (out_len > IKE_PRFP_MAX_N * hlen)
		return ERR_RANGE;
	all[0] = (struct view){ t, 0 };		/* T0 is empty */
	for (unsigned i = 0; i < n; i++)
		all[i + 1] = part[i];
	all[n + 1] = (struct view){ &counter, 1 };
	while (done < out_len) {
		size_t take = MIN(hlen, out_len - done);

		counter++;
		if ((err = spi_crypto()->hmac(prf, key, all, n + 2, t)) != 0)
			break;
		all[0].len = hlen;
		memcpy(out + done, t, take);
		done += take;
	}
	wipe(t, sizeof(t));
	if (err != 0)
		wipe(out, out_len);
	return err;
}

/* The seven keys out of SKEYSEED, RFC 7296 2.14. */
static int
expand(const struct ike_suite *s, struct view skeyseed,
       const struct ike_keymat_in *in, struct ike_keys *out)
{
	size_t plen = spi_hash_len(s->prf);
	size_t alen = spi_hash_len(s->integ);
	size_t elen = spi_cipher_key_len(s->encr) +
	    (spi_cipher_is_aead(s->encr) ? IKE_SALT_LEN : 0);
	uint8_t buf[SK_BYTES_MAX], spis[16], *p = buf;
	struct view part[3] = { in->ni, in->nr, { spis, sizeof(spis) } };
	int err;

	be64_put(spis, in->ispi);
	be64_put(spis + 8, in->rspi);
	err = ike_prf_plus(s->prf, skeyseed, part, N_OF(part), buf,
			   3 * plen + 2 * alen + 2 * elen);
	if (err == 0) {
		memset(out, 0, sizeof(*out));
		memcpy(out->d, p, plen), p += plen;
		for (unsigned i = 0; i < 2; i++, p += alen)
			memcpy(out->a[i], p, alen);
		for (unsigned i = 0; i < 2; i++, p += elen)
			memcpy(out->e[i], p, elen);
		for (unsigned i = 0; i < 2; i++, p += plen)
			memcpy(out->p[i], p, plen);
	}
	wipe(buf, sizeof(buf));
	return err;
}

int
ike_keymat_first(const struct ike_suite *s, const struct ike_keymat_in *in,
		 struct ike_keys *out)
{
	uint8_t key[2 * 256], seed[SPI_HASH_MAX];
	int err;

	if (in->ni.len + in->nr.len > sizeof(key))
		return ERR_LONG;
	memcpy(key, in->ni.p, in->ni.len);
	memcpy(key + in->ni.len, in->nr.p, in->nr.len);
	err = spi_crypto()->hmac(s->prf,
	    (struct view){ key, in->ni.len + in->nr.len }, &in->dh, 1, seed);
	if (err == 0)
		err = expand(s, (struct view){ seed, spi_hash_len(s->prf) }, in,
			     out);
	wipe(seed, sizeof(seed));
	return err;
}

int
ike_keymat_rekey(const struct ike_suite *s, enum spi_hash old_prf,
		 const uint8_t *old_sk_d, const struct ike_keymat_in *in,
		 struct ike_keys *out)
{
	struct view part[4] = { in->dh, in->ni, in->nr, in->more };
	size_t old_len = spi_hash_len(old_prf);
	uint8_t seed[SPI_HASH_MAX];
	int err;

	err = spi_crypto()->hmac(old_prf, (struct view){ old_sk_d, old_len },
				 part, N_OF(part), seed);
	if (err == 0)
		err = expand(s, (struct view){ seed, old_len }, in, out);
	wipe(seed, sizeof(seed));
	return err;
}

int
ike_keymat_seeded(const struct ike_suite *s, struct view skeyseed,
		  const struct ike_keymat_in *in, struct ike_keys *out)
{
	return expand(s, skeyseed, in, out);
}

int
ike_keymat_child(enum spi_hash prf, const uint8_t *sk_d,
		 const struct ike_keymat_in *in, enum vpn_alg alg,
		 struct vpn_keys keys[2])
{
	const struct vpn_alg_info *info = vpn_alg_info(alg);
	struct view part[4] = { in->dh, in->ni, in->nr, in->more };
	uint8_t buf[2 * (IKE_ENCR_MAX + SPI_HASH_MAX)], *p = buf;
	size_t elen;
	int err;

	if (info == NULL)
		return ERR_ALG;
	elen = (size_t)info->encr_key_len + info->salt_len;
	err = ike_prf_plus(prf, (struct view){ sk_d, spi_hash_len(prf) }, part,
			   N_OF(part), buf, 2 * (elen + info->integ_key_len));
	if (err == 0) {
		for (unsigned i = 0; i < 2; i++) {
			memset(&keys[i], 0, sizeof(keys[i]));
			memcpy(keys[i].encr, p, elen);
			p += elen;
			memcpy(keys[i].integ, p, info->integ_key_len);
			p += info->integ_key_len;
		}
	}
	wipe(buf, sizeof(buf));
	return err;
}
