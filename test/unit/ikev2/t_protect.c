/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ikev2/t_protect.c - sealing and opening of SK payloads.
 */
#include "test/lib/test.h"

#include <string.h>

#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "ikev2/crypt/protect.h"

#define CAP 512

static uint8_t sk_e[36], sk_a[64];

static void
keys_init(void)
{
	for (unsigned i = 0; i < sizeof(sk_e); i++)
		sk_e[i] = (uint8_t)(0x80 + i);
	memset(sk_a, 0x5a, sizeof(sk_a));
}

static const struct {
	enum spi_cipher encr;
	enum spi_hash integ;
} kind[] = {
	{ SPI_CIPHER_AES_GCM_128, SPI_HASH_NONE },
	{ SPI_CIPHER_AES_GCM_256, SPI_HASH_NONE },
	{ SPI_CIPHER_CHACHA20_POLY1305, SPI_HASH_NONE },
	{ SPI_CIPHER_AES_CBC_128, SPI_HASH_SHA256 },
	{ SPI_CIPHER_AES_CBC_256, SPI_HASH_SHA384 },
	{ SPI_CIPHER_AES_CBC_256, SPI_HASH_SHA512 },
};

static struct ike_dir
dir(unsigned i)
{
	keys_init();
	return (struct ike_dir){ kind[i].encr, kind[i].integ, sk_e, sk_a };
}

/* SK at the usual place, behind the header. */
static int
seal(const struct ike_dir *d, uint8_t *msg, size_t cap, size_t n, uint64_t iv,
     size_t *len)
{
	struct ike_sealing s = { .msg = msg, .cap = cap, .sk_at = 28,
		.iv_at = 32, .text_len = n, .iv = iv };

	return ike_protect_seal(d, &s, len);
}

static size_t
make(const struct ike_dir *d, uint8_t *msg, size_t n)
{
	size_t at = 28 + 4 + ike_protect_iv_len(d), len = 0;

	memset(msg, 0x11, 28 + 4);
	for (size_t i = 0; i < n; i++)
		msg[at + i] = (uint8_t)i;
	assert_int_equal(seal(d, msg, CAP, n, 42, &len), 0);
	assert_int_equal(be32_get(msg + 24), len);
	assert_int_equal(be16_get(msg + 30), len - 28);
	return len;
}

/* RFC 7634 appendix B: the whole IKE message. */
TEST(chacha20_poly1305_gives_rfc7634_appendix_b)
{
	uint8_t msg[CAP] = { 0 }, want[CAP];
	struct ike_dir d = dir(2);
	size_t n, len = 0;

	sk_e[32] = 0xa0, sk_e[33] = 0xa1, sk_e[34] = 0xa2, sk_e[35] = 0xa3;
	test_hex("c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d72e202500000000090000000029000000",
		 msg, CAP);
	test_hex("0000000c000040010000000a", msg + 40, CAP - 40);
	assert_int_equal(seal(&d, msg, CAP, 12, 0x1011121314151617, &len), 0);
	n = test_hex("c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d72e20250000000009000000452900"
		     "0029101112131415161761039470""1f8d017f7c129248896b71bfe25236"
		     "efd7cdc67066906315b2", want, CAP);
	assert_int_equal(len, n);
	assert_memory_equal(msg, want, n);
}

TEST(what_is_sealed_opens_again)
{
	for (unsigned i = 0; i < N_OF(kind); i++)
		for (size_t n = 0; n < 40; n++) {
			struct ike_dir d = dir(i);
			uint8_t msg[CAP];
			size_t len = make(&d, msg, n);
			struct view text;

			assert_int_equal(ike_protect_open(&d, msg, len, 32,
							  &text), 0);
			assert_int_equal(text.len, n);
			for (size_t k = 0; k < n; k++)
				assert_int_equal(text.p[k], k);
		}
}

TEST(every_wrong_bit_is_noticed)
{
	for (unsigned i = 0; i < N_OF(kind); i++) {
		struct ike_dir d = dir(i);
		uint8_t msg[CAP], bad[CAP];
		size_t len = make(&d, msg, 13);

		for (size_t bit = 0; bit < len * 8; bit++) {
			struct view text;

			memcpy(bad, msg, len);
			bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_int_equal(ike_protect_open(&d, bad, len, 32,
							  &text), ERR_ICV);
		}
	}
}

TEST(every_shorter_message_is_refused)
{
	for (unsigned i = 0; i < N_OF(kind); i++) {
		struct ike_dir d = dir(i);
		uint8_t msg[CAP], bad[CAP];
		size_t len = make(&d, msg, 13);

		for (size_t n = 32; n < len; n++) {
			struct view text;

			memcpy(bad, msg, n);
			assert_int_not_equal(ike_protect_open(&d, bad, n, 32,
							      &text), 0);
		}
	}
}

TEST(a_wrong_key_does_not_open)
{
	for (unsigned i = 0; i < N_OF(kind); i++) {
		struct ike_dir d = dir(i);
		uint8_t msg[CAP];
		size_t len = make(&d, msg, 13);
		struct view text;

		(kind[i].integ == SPI_HASH_NONE ? sk_e : sk_a)[0] ^= 1;
		assert_int_equal(ike_protect_open(&d, msg, len, 32, &text),
				 ERR_ICV);
	}
}

TEST(padding_longer_than_the_text_is_refused)
{
	struct ike_dir d = dir(0);
	uint8_t msg[CAP] = { 0 };
	size_t at = 32 + 8;
	uint8_t nonce[12];
	struct view text;

	/* one byte inside: a pad length of 200 */
	msg[at] = 200;
	memcpy(nonce, sk_e + 16, 4);
	memset(nonce + 4, 0, 8);
	assert_int_equal(spi_crypto()->aead_seal(d.encr, sk_e, nonce,
	    (struct view){ msg, 32 }, msg + at, 1, msg + at + 1), 0);
	assert_int_equal(ike_protect_open(&d, msg, at + 17, 32, &text), ERR_PAD);
}

TEST(sealing_beyond_the_room_is_refused)
{
	for (unsigned i = 0; i < N_OF(kind); i++) {
		struct ike_dir d = dir(i);
		uint8_t msg[CAP] = { 0 };
		size_t len = 0, need = make(&d, msg, 20);

		assert_int_equal(seal(&d, msg, need - 1, 20, 1,
						  &len), ERR_LONG);
		assert_int_equal(seal(&d, msg, need, 20, 1,
						  &len), 0);
	}
}

static int
no_random(void *ctx, void *out, size_t n)
{
	(void)ctx;
	memset(out, 0, n);
	return ERR_RANDOM;
}

TEST(cbc_without_random_numbers_does_not_seal)
{
	struct ike_dir d = dir(3);
	uint8_t msg[CAP] = { 0 };
	size_t len = 0;

	rng_set_source(no_random, NULL);
	assert_int_equal(seal(&d, msg, CAP, 20, 1, &len),
			 ERR_RANDOM);
	rng_set_source(NULL, NULL);
}
