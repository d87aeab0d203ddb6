/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/esp/reference.h - one packet at a time, by the letter of the RFCs.
 *
 * Written to be read beside RFC 4303 and nothing else: no batch, no buffer, no
 * provider, no function of esp/.  The cipher is OpenSSL's, called once a packet.
 */
#ifndef TEST_UNIT_ESP_REFERENCE_H
#define TEST_UNIT_ESP_REFERENCE_H

#include "test/lib/test.h"
#define ERR_STATE OPENSSL_ERR_STATE /* a type of theirs, an error of ours */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#undef ERR_STATE
#include <string.h>
#include "daemon/base/vpn.h"

struct ref_sa {
	enum vpn_alg alg;
	const struct vpn_keys *keys;
	uint32_t index;		/* the SPI */
	bool is_esn, is_ether;
};

static UNUSED void
ref_number(uint8_t *p, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> 8 * (n - 1 - i));
}

/* RFC 4106, RFC 7634: AAD is SPI and number (64 bits with ESN), nonce is
 * salt and IV. */
static UNUSED void
ref_aead(const struct ref_sa *sa, const EVP_CIPHER *cipher, size_t key_len,
	 uint64_t seq, const uint8_t *iv, uint8_t *text, size_t n, uint8_t *tag)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t nonce[12], aad[12];
	int len;

	memcpy(nonce, sa->keys->encr + key_len, 4);
	memcpy(nonce + 4, iv, 8);
	ref_number(aad, sa->index, 4);
	ref_number(aad + 4, seq, sa->is_esn ? 8 : 4);
	assert_int_equal(EVP_EncryptInit_ex(c, cipher, NULL, sa->keys->encr,
					    nonce), 1);
	assert_int_equal(EVP_EncryptUpdate(c, NULL, &len, aad,
					   sa->is_esn ? 12 : 8), 1);
	assert_int_equal(EVP_EncryptUpdate(c, text, &len, text, (int)n), 1);
	assert_int_equal(EVP_EncryptFinal_ex(c, text + len, &len), 1);
	assert_int_equal(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 16, tag),
			 1);
	EVP_CIPHER_CTX_free(c);
}

/* RFC 3602, RFC 4868: the MAC covers header, IV and ciphertext, and the high
 * half of the number with ESN (RFC 4303 2.2.1). */
static UNUSED void
ref_cbc(const struct ref_sa *sa, const EVP_CIPHER *cipher, const EVP_MD *md,
	uint64_t seq, const uint8_t *pkt, const uint8_t *iv, uint8_t *text,
	size_t n, uint8_t *icv, size_t icv_len)
{
	const struct vpn_alg_info *info = vpn_alg_info(sa->alg);
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	static uint8_t all[70000];
	uint8_t mac[64];
	size_t k = (size_t)(text - pkt) + n;
	int len;

	assert_int_equal(EVP_EncryptInit_ex(c, cipher, NULL, sa->keys->encr, iv),
			 1);
	EVP_CIPHER_CTX_set_padding(c, 0);
	assert_int_equal(EVP_EncryptUpdate(c, text, &len, text, (int)n), 1);
	EVP_CIPHER_CTX_free(c);
	memcpy(all, pkt, k);
	if (sa->is_esn) {
		ref_number(all + k, seq >> 32, 4);
		k += 4;
	}
	assert_non_null(HMAC(md, sa->keys->integ, info->integ_key_len, all, k,
			     mac, NULL));
	memcpy(icv, mac, icv_len);
}

/* One packet around one inner one.  iv is what CBC uses; the AEADs' is the
 * number, which RFC 8750 leaves out of the packet.  Returns its length. */
static UNUSED size_t
ref_seal(const struct ref_sa *sa, uint64_t seq, const uint8_t *iv,
	 const uint8_t *inner, size_t n, uint8_t *out)
{
	bool is_cbc = vpn_alg_info(sa->alg)->integ_key_len != 0;
	bool is_sent = sa->alg < VPN_ALG_AES_GCM_128_IIV;
	size_t iv_len = is_cbc ? 16 : is_sent ? 8 : 0;
	size_t align = is_cbc ? 16 : 4, pad = 0;
	uint8_t *text = out + 8 + iv_len, *p = text, number[8];

	ref_number(out, sa->index, 4);
	ref_number(out + 4, seq, 4); /* the low half */
	if (is_cbc)
		memcpy(out + 8, iv, 16);
	else if (is_sent)
		ref_number(out + 8, seq, 8);
	ref_number(number, seq, 8); /* 4 bytes of zero without ESN */
	if (sa->is_ether) { /* RFC 3378 */
		*p++ = 0x30;
		*p++ = 0;
	}
	memcpy(p, inner, n);
	p += n;
	while (((size_t)(p - text) + 2) % align != 0)
		*p++ = (uint8_t)++pad;
	*p++ = (uint8_t)pad;
	*p++ = sa->is_ether ? 97 : inner[0] >> 4 == 4 ? 4 : 41;
	n = (size_t)(p - text);
	switch (sa->alg) {
	case VPN_ALG_AES_GCM_128:
	case VPN_ALG_AES_GCM_128_IIV:
		ref_aead(sa, EVP_aes_128_gcm(), 16, seq, number, text, n, p);
		return (size_t)(p - out) + 16;
	case VPN_ALG_AES_GCM_256:
	case VPN_ALG_AES_GCM_256_IIV:
		ref_aead(sa, EVP_aes_256_gcm(), 32, seq, number, text, n, p);
		return (size_t)(p - out) + 16;
	case VPN_ALG_CHACHA20_POLY1305:
	case VPN_ALG_CHACHA20_POLY1305_IIV:
		ref_aead(sa, EVP_chacha20_poly1305(), 32, seq, number, text, n,
			 p);
		return (size_t)(p - out) + 16;
	case VPN_ALG_AES_CBC_128_SHA256:
		ref_cbc(sa, EVP_aes_128_cbc(), EVP_sha256(), seq, out, out + 8,
			text, n, p, 16);
		return (size_t)(p - out) + 16;
	case VPN_ALG_AES_CBC_256_SHA512:
		ref_cbc(sa, EVP_aes_256_cbc(), EVP_sha512(), seq, out, out + 8,
			text, n, p, 32);
		return (size_t)(p - out) + 32;
	default:
		fail();
		return 0;
	}
}

/* The anti-replay window as a list of all that was accepted: a number is, once,
 * unless it is more than a window behind the highest. */
#define REF_SEEN_MAX 20000
struct ref_window {
	uint64_t seen[REF_SEEN_MAX], top;
	unsigned n;
};

static UNUSED bool
ref_accept(struct ref_window *w, uint64_t seq, uint64_t bits)
{
	if (seq == 0 || (seq < w->top && w->top - seq >= bits))
		return false;
	for (unsigned i = 0; i < w->n; i++)
		if (w->seen[i] == seq)
			return false;
	assert_true(w->n < REF_SEEN_MAX);
	w->seen[w->n++] = seq;
	w->top = w->top > seq ? w->top : seq;
	return true;
}

#endif
