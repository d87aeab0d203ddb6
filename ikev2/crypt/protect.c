/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/crypt/protect.c - sealing and opening of SK and SKF payloads.
 *
 * RFC 7296 3.14 for cipher and integrity (encrypt, then authenticate),
 * RFC 5282 for the AEADs, RFC 7634 for ChaCha20-Poly1305.
 *
 * Thread: any; keys are borrowed.
 */
#include "ikev2/crypt/protect.h"

#include <string.h>

#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"

#define HDR_LEN_AT  24	/* length field of the IKE header */
#define AEAD_IV_LEN 8	/* RFC 5282 3.1, RFC 7634 2 */
#define PAD_MAX	    SPI_CBC_BLOCK

size_t
ike_protect_iv_len(const struct ike_dir *d)
{
	return spi_cipher_is_aead(d->encr) ? AEAD_IV_LEN : SPI_CBC_BLOCK;
}

size_t
ike_protect_icv_len(const struct ike_dir *d)
{
	/* RFC 4868: HMAC-SHA2 is cut to half */
	return spi_cipher_is_aead(d->encr) ? SPI_AEAD_TAG :
	    spi_hash_len(d->integ) / 2;
}

size_t
ike_protect_tail_max(const struct ike_dir *d)
{
	return PAD_MAX + ike_protect_icv_len(d);
}

static void
make_nonce(const struct ike_dir *d, const uint8_t *iv,
	   uint8_t nonce[SPI_AEAD_NONCE])
{
	memcpy(nonce, d->sk_e + spi_cipher_key_len(d->encr), IKE_SALT_LEN);
	memcpy(nonce + IKE_SALT_LEN, iv, AEAD_IV_LEN);
}

static int
seal_aead(const struct ike_dir *d, uint8_t *msg, size_t iv_at, size_t n)
{
	uint8_t nonce[SPI_AEAD_NONCE];
	uint8_t *text = msg + iv_at + AEAD_IV_LEN;
	int err;

	make_nonce(d, msg + iv_at, nonce);
	err = spi_crypto()->aead_seal(d->encr, d->sk_e, nonce,
	    (struct view){ msg, iv_at }, text, n, text + n);
	wipe(nonce, sizeof(nonce));
	return err;
}

static int
integ_icv(const struct ike_dir *d, const uint8_t *msg, size_t n, uint8_t *icv)
{
	struct view all = { msg, n };

	return spi_crypto()->hmac(d->integ,
	    (struct view){ d->sk_a, spi_hash_len(d->integ) }, &all, 1, icv);
}

static int
seal_cbc(const struct ike_dir *d, uint8_t *msg, size_t iv_at, size_t n)
{
	uint8_t *text = msg + iv_at + SPI_CBC_BLOCK;
	uint8_t icv[SPI_HASH_MAX];
	int err;

	if ((err = spi_crypto()->cbc(d->encr, true, d->sk_e, msg + iv_at, text,
				     n)) != 0 ||
	    (err = integ_icv(d, msg, (size_t)(text - msg) + n, icv)) != 0)
		return err;
	memcpy(text + n, icv, ike_protect_icv_len(d));
	return 0;
}

int
ike_protect_seal(const struct ike_dir *d, const struct ike_sealing *s,
		 size_t *len)
{
	bool aead = spi_cipher_is_aead(d->encr);
	size_t iv_len = ike_protect_iv_len(d);
	size_t pad = aead ? 0 :
	    SPI_CBC_BLOCK - 1 - s->text_len % SPI_CBC_BLOCK;
	size_t n = s->text_len + pad + 1;
	size_t total = s->iv_at + iv_len + n + ike_protect_icv_len(d);
	uint8_t *text = s->msg + s->iv_at + iv_len;
	int err;

	if (total > s->cap || total - s->sk_at > UINT16_MAX)
		return ERR_LONG;
	if (aead)
		be64_put(s->msg + s->iv_at, s->iv);
	else if ((err = rng_bytes(s->msg + s->iv_at, iv_len)) != 0)
		return err;
	memset(text + s->text_len, 0, pad);
	text[n - 1] = (uint8_t)pad;
	be16_put(s->msg + s->sk_at + 2, (uint16_t)(total - s->sk_at));
	be32_put(s->msg + HDR_LEN_AT, (uint32_t)total);
	err = aead ? seal_aead(d, s->msg, s->iv_at, n) :
	    seal_cbc(d, s->msg, s->iv_at, n);
	if (err == 0)
		*len = total;
	return err;
}

static int
open_aead(const struct ike_dir *d, uint8_t *msg, size_t iv_at, size_t n)
{
	uint8_t nonce[SPI_AEAD_NONCE];
	uint8_t *text = msg + iv_at + AEAD_IV_LEN;
	int err;

	make_nonce(d, msg + iv_at, nonce);
	err = spi_crypto()->aead_open(d->encr, d->sk_e, nonce,
	    (struct view){ msg, iv_at }, text, n, text + n);
	wipe(nonce, sizeof(nonce));
	return err;
}

static int
open_cbc(const struct ike_dir *d, uint8_t *msg, size_t iv_at, size_t n)
{
	uint8_t *text = msg + iv_at + SPI_CBC_BLOCK;
	uint8_t icv[SPI_HASH_MAX];
	int err;

	if ((err = integ_icv(d, msg, (size_t)(text - msg) + n, icv)) != 0)
		return err;
	if (!ct_equal(icv, text + n, ike_protect_icv_len(d)))
		return ERR_ICV;
	if (n % SPI_CBC_BLOCK != 0)
		return ERR_PAD;
	return spi_crypto()->cbc(d->encr, false, d->sk_e, msg + iv_at, text, n);
}

int
ike_protect_open(const struct ike_dir *d, uint8_t *msg, size_t len,
		 size_t iv_at, struct view *text)
{
	size_t iv_len = ike_protect_iv_len(d);
	size_t fixed = iv_at + iv_len + ike_protect_icv_len(d);
	uint8_t pad;
	size_t n;
	int err;

	if (len < fixed + 1)	/* pad length is always there */
		return ERR_SHORT;
	n = len - fixed;
	err = spi_cipher_is_aead(d->encr) ? open_aead(d, msg, iv_at, n) :
	    open_cbc(d, msg, iv_at, n);
	if (err != 0)
		return err;
	pad = msg[iv_at + iv_len + n - 1];
	if ((size_t)pad + 1 > n)
		return ERR_PAD;
	*text = (struct view){ msg + iv_at + iv_len, n - 1 - pad };
	return 0;
}
