/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/keys/psk.c - AUTH with pre-shared keys.
 *
 * Thread: any.
 */
#include "secure-proc/keys/psk.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "spi/spi_crypto.h"

static enum spi_hash
hash_of_prf(uint8_t prf)
{
	switch (prf) {
	case 1:
		return SPI_HASH_SHA256;
	case 2:
		return SPI_HASH_SHA384;
	case 3:
		return SPI_HASH_SHA512;
	default:
		return SPI_HASH_NONE;
	}
}

size_t
sec_prf_len(uint8_t prf)
{
	return spi_hash_len(hash_of_prf(prf));
}

int
sec_maced_id(const struct sec_octets *in, uint8_t *out, size_t *len)
{
	enum spi_hash h = hash_of_prf(in->prf);

	if (h == SPI_HASH_NONE)
		return ERR_ALG;
	*len = spi_hash_len(h);
	return spi_crypto()->hmac(h, in->sk_p, &in->id, 1, out);
}

/* prf(key, octets). */
static int
octets_auth(enum spi_hash h, struct view key, const struct sec_octets *in,
	    uint8_t *auth)
{
	const struct spi_crypto *cr = spi_crypto();
	uint8_t maced_id[SEC_PRF_MAX];
	struct view octets[4] = { in->init_msg, in->nonce,
		{ maced_id, spi_hash_len(h) }, in->int_auth };
	int err;

	if ((err = cr->hmac(h, in->sk_p, &in->id, 1, maced_id)) == 0)
		err = cr->hmac(h, key, octets, N_OF(octets), auth);
	wipe(maced_id, sizeof(maced_id));
	if (err != 0)
		wipe(auth, spi_hash_len(h));
	return err;
}

int
sec_psk_auth(struct view psk, const struct sec_octets *in, uint8_t *auth,
	     size_t *len)
{
	static const char pad_text[] = "Key Pad for IKEv2"; /* without NUL */
	enum spi_hash h = hash_of_prf(in->prf);
	struct view pad = { (const uint8_t *)pad_text, sizeof(pad_text) - 1 };
	uint8_t key[SEC_PRF_MAX];
	size_t n = spi_hash_len(h);
	int err;

	if (h == SPI_HASH_NONE)
		return ERR_ALG;
	if (psk.len == 0)
		return ERR_SHORT;
	if ((err = spi_crypto()->hmac(h, psk, &pad, 1, key)) == 0)
		err = octets_auth(h, (struct view){ key, n }, in, auth);
	else
		wipe(auth, n);
	wipe(key, sizeof(key));
	if (err == 0)
		*len = n;
	return err;
}

int
sec_resume_auth(const struct sec_octets *in, uint8_t *auth, size_t *len)
{
	enum spi_hash h = hash_of_prf(in->prf);
	int err;

	if (h == SPI_HASH_NONE)
		return ERR_ALG;
	if (in->sk_p.len != spi_hash_len(h))
		return ERR_RANGE;
	if ((err = octets_auth(h, in->sk_p, in, auth)) == 0)
		*len = spi_hash_len(h);
	return err;
}
