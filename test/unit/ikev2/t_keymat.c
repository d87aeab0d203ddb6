/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ikev2/t_keymat.c - keys of IKE and child SAs.
 *
 * The known answers for prf+ were computed with python's hmac module from the
 * formula of RFC 7296 2.13; the structure of the key block is checked against
 * an independent cut of the same stream.
 */
#include "test/lib/test.h"

#include <string.h>

#include "daemon/base/err.h"
#include "ikev2/crypt/keymat.h"

#define V(a_) ((struct view){ (a_), sizeof(a_) })

TEST(prf_plus_gives_the_known_stream)
{
	static const char want_hex[] =
	    "d9d3435fdd116c55519d81757ee4cd66a83fcd0eee3822c1afe8b751b99a3380"
	    "6fe1a9d8bc6e94399db384154a4f60be5f887ef64bb069c0df705e27e72502cd"
	    "e76fb985fa22fb1370adbf09bef5548167b771646f57d1449c32389199b11780"
	    "80dbfdb4";
	uint8_t key[20], seed[11], want[100], out[100];
	struct view half[2] = { { seed, 4 }, { seed + 4, 7 } };

	memset(key, 0x0b, sizeof(key));
	memcpy(seed, "Ni|Nr|SPIs.", sizeof(seed));
	test_hex(want_hex, want, sizeof(want));
	assert_int_equal(ike_prf_plus(SPI_HASH_SHA256, V(key), half, 2, out,
				      sizeof(out)), 0);
	assert_memory_equal(out, want, sizeof(want));
}

TEST(prf_plus_refuses_more_than_255_rounds)
{
	static uint8_t out[256 * 32];
	uint8_t key[4] = { 1 };
	struct view s = V(key);

	assert_int_equal(ike_prf_plus(SPI_HASH_SHA256, V(key), &s, 1, out,
				      255 * 32), 0);
	assert_int_equal(ike_prf_plus(SPI_HASH_SHA256, V(key), &s, 1, out,
				      255 * 32 + 1), ERR_RANGE);
}

static const struct ike_suite gcm = {
	.encr = SPI_CIPHER_AES_GCM_256, .prf = SPI_HASH_SHA384,
	.group = SPI_GROUP_X25519
};
static const struct ike_suite cbc = {
	.encr = SPI_CIPHER_AES_CBC_256, .integ = SPI_HASH_SHA256,
	.prf = SPI_HASH_SHA256, .group = SPI_GROUP_MODP_2048
};

/* The seven keys must be consecutive parts of one prf+ stream. */
static void
check_block(const struct ike_suite *s, size_t elen, size_t alen)
{
	uint8_t ni[32], nr[32], dh[32], spis[16] = { 0 }, key[64], seed[64];
	struct ike_keymat_in in = { .ni = V(ni), .nr = V(nr), .ispi = 1,
		.rspi = 2, .dh = V(dh) };
	struct view part[3] = { V(ni), V(nr), V(spis) }, secret = V(dh);
	size_t n = spi_hash_len(s->prf);
	uint8_t all[5 * 64 + 2 * 36];
	const uint8_t *p = all;
	struct ike_keys sk;

	memset(ni, 1, sizeof(ni));
	memset(nr, 2, sizeof(nr));
	memset(dh, 3, sizeof(dh));
	spis[7] = 1;
	spis[15] = 2;
	memcpy(key, ni, 32);
	memcpy(key + 32, nr, 32);
	assert_int_equal(spi_crypto()->hmac(s->prf, V(key), &secret, 1, seed),
			 0);
	assert_int_equal(ike_prf_plus(s->prf, (struct view){ seed, n }, part, 3,
	    all, 3 * n + 2 * alen + 2 * elen), 0);
	assert_int_equal(ike_keymat_first(s, &in, &sk), 0);
	assert_memory_equal(sk.d, p, n), p += n;
	assert_memory_equal(sk.a[0], p, alen), p += alen;
	assert_memory_equal(sk.a[1], p, alen), p += alen;
	assert_memory_equal(sk.e[0], p, elen), p += elen;
	assert_memory_equal(sk.e[1], p, elen), p += elen;
	assert_memory_equal(sk.p[0], p, n), p += n;
	assert_memory_equal(sk.p[1], p, n);
}

TEST(first_keys_follow_the_order_of_2_14)
{
	check_block(&gcm, 36, 0);	/* key and salt, no SK_a */
	check_block(&cbc, 32, 32);
}

TEST(nonces_and_spis_all_matter)
{
	uint8_t ni[32] = { 0 }, nr[32] = { 0 }, dh[32] = { 0 };
	struct ike_keymat_in in = { .ni = V(ni), .nr = V(nr), .ispi = 1,
		.rspi = 2, .dh = V(dh) };
	struct ike_keys a, b;

	assert_int_equal(ike_keymat_first(&gcm, &in, &a), 0);
	for (unsigned i = 0; i < 5; i++) {
		struct ike_keymat_in x = in;
		uint8_t other[32] = { 1 };

		if (i == 0)
			x.ni = V(other);
		else if (i == 1)
			x.nr = V(other);
		else if (i == 2)
			x.dh = V(other);
		else if (i == 3)
			x.ispi++;
		else
			x.rspi++;
		assert_int_equal(ike_keymat_first(&gcm, &x, &b), 0);
		assert_memory_not_equal(a.e[0], b.e[0], 32);
		assert_memory_not_equal(a.e[1], b.e[1], 32);
	}
}

TEST(rekeyed_keys_depend_on_the_old_sa)
{
	uint8_t ni[32] = { 0 }, nr[32] = { 0 }, dh[32] = { 0 };
	uint8_t old_d[SPI_HASH_MAX] = { 0 };
	struct ike_keymat_in in = { .ni = V(ni), .nr = V(nr), .ispi = 1,
		.rspi = 2, .dh = V(dh) };
	struct ike_keys a, b, first;

	assert_int_equal(ike_keymat_rekey(&gcm, SPI_HASH_SHA256, old_d, &in,
					  &a), 0);
	old_d[31] = 1;
	assert_int_equal(ike_keymat_rekey(&gcm, SPI_HASH_SHA256, old_d, &in,
					  &b), 0);
	assert_memory_not_equal(a.d, b.d, 48);
	/* a byte behind the old prf's length is of no influence */
	old_d[32] = 1;
	assert_int_equal(ike_keymat_rekey(&gcm, SPI_HASH_SHA256, old_d, &in,
					  &a), 0);
	assert_memory_equal(a.d, b.d, 48);
	assert_int_equal(ike_keymat_first(&gcm, &in, &first), 0);
	assert_memory_not_equal(a.d, first.d, 48);
}

TEST(child_keys_are_cut_initiator_first)
{
	uint8_t sk_d[48] = { 7 }, ni[32] = { 1 }, nr[32] = { 2 };
	uint8_t all[2 * (32 + 32)];
	struct ike_keymat_in in = { .ni = V(ni), .nr = V(nr) };
	struct view part[2] = { V(ni), V(nr) };
	struct vpn_keys k[2];

	assert_int_equal(ike_prf_plus(SPI_HASH_SHA384, V(sk_d), part, 2, all,
				      sizeof(all)), 0);
	assert_int_equal(ike_keymat_child(SPI_HASH_SHA384, sk_d, &in,
	    VPN_ALG_AES_GCM_256, k), 0);
	assert_memory_equal(k[0].encr, all, 36);
	assert_memory_equal(k[1].encr, all + 36, 36);
	assert_int_equal(ike_keymat_child(SPI_HASH_SHA384, sk_d, &in,
	    VPN_ALG_AES_CBC_256_SHA256, k), 0);
	assert_memory_equal(k[0].encr, all, 32);
	assert_memory_equal(k[0].integ, all + 32, 32);
	assert_memory_equal(k[1].encr, all + 64, 32);
	assert_memory_equal(k[1].integ, all + 96, 32);
}

TEST(child_keys_with_a_key_exchange_differ)
{
	uint8_t sk_d[48] = { 7 }, ni[32] = { 1 }, nr[32] = { 2 }, dh[32] = { 3 };
	struct ike_keymat_in in = { .ni = V(ni), .nr = V(nr) };
	struct vpn_keys a[2], b[2];

	assert_int_equal(ike_keymat_child(SPI_HASH_SHA384, sk_d, &in,
	    VPN_ALG_AES_GCM_128, a), 0);
	in.dh = V(dh);
	assert_int_equal(ike_keymat_child(SPI_HASH_SHA384, sk_d, &in,
	    VPN_ALG_AES_GCM_128, b), 0);
	assert_memory_not_equal(a[0].encr, b[0].encr, 20);
	assert_int_equal(ike_keymat_child(SPI_HASH_SHA384, sk_d, &in,
	    VPN_ALG_NONE, b), ERR_ALG);
}

TEST(suites_have_a_text)
{
	char out[96];

	assert_string_equal(ike_suite_text(&gcm, out, sizeof(out)),
			    "aes256-gcm prf-sha384 x25519");
	assert_string_equal(ike_suite_text(&cbc, out, sizeof(out)),
			    "aes256-cbc sha256 prf-sha256 modp2048");
}
