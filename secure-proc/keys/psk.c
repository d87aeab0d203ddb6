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

int
sec_psk_auth(struct view psk, const struct sec_octets *in, uint8_t *auth,
	     size_t *len)
{
	static const char pad_text[] = "Key Pad for IKEv2"; /* without NUL */
	const struct spi_crypto *cr = spi_crypto();
	enum spi_hash h = hash_of_prf(in->prf);
	struct view pad = { (const uint8_t *)pad_text, sizeof(pad_text) - 1 };
	uint8_t key[SEC_PRF_MAX], maced_id[SEC_PRF_MAX];
	size_t n = spi_hash_len(h);
	struct view key_v = { key, n };
	struct view octets[4] = {
		in->init_msg, in->nonce, { maced_id, n }, in->int_auth
	};
	int err;

	if (h == SPI_HASH_NONE)
		return ERR_ALG;
	if (psk.len == 0)
		return ERR_SHORT;
	if ((err = cr->hmac(h, psk, &pad, 1, key)) == 0 &&
	    (err = cr->hmac(h, in->sk_p, &in->id, 1, maced_id)) == 0)
		err = cr->hmac(h, key_v, octets, N_OF(octets), auth);
	wipe(key, sizeof(key));
	wipe(maced_id, sizeof(maced_id));
	if (err != 0) {
		wipe(auth, n);
		return err;
	}
	*len = n;
	return 0;
}
