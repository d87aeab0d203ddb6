/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/spi/t_crypto_openssl.c - known answers for the crypto provider.
 */
#include "test/lib/test.h"

#include <string.h>

#include "daemon/base/err.h"
#include "spi/spi_crypto.h"

static struct view
hex(const char *text, uint8_t *buf, size_t cap)
{
	return (struct view){ buf, test_hex(text, buf, cap) };
}

static void
check_hmac(enum spi_hash h, const char *key, const char *data, const char *want)
{
	uint8_t kb[256], db[256], wb[64], out[SPI_HASH_MAX];
	struct view k = hex(key, kb, sizeof(kb)), d = hex(data, db, sizeof(db));
	struct view w = hex(want, wb, sizeof(wb));
	struct view half[2] = { { d.p, 3 }, { d.p + 3, d.len - 3 } };

	assert_int_equal(spi_crypto()->hmac(h, k, &d, 1, out), 0);
	assert_int_equal(w.len, spi_hash_len(h));
	assert_memory_equal(out, w.p, w.len);
	assert_int_equal(spi_crypto()->hmac(h, k, half, 2, out), 0);
	assert_memory_equal(out, w.p, w.len);
}

TEST(hmac_gives_rfc4231_case_2)
{
	const char *key = "4a656665";
	const char *data =
	    "7768617420646f2079612077616e7420666f72206e6f7468696e673f";

	check_hmac(SPI_HASH_SHA256, key, data,
	    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	check_hmac(SPI_HASH_SHA384, key, data,
	    "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
	    "8e2240ca5e69e2c78b3239ecfab21649");
	check_hmac(SPI_HASH_SHA512, key, data,
	    "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
	    "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
}

TEST(hmac_gives_rfc4231_case_1)
{
	check_hmac(SPI_HASH_SHA256, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
	    "4869205468657265",
	    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
}

TEST(hash_gives_fips180_abc)
{
	struct view abc = { (const uint8_t *)"abc", 3 };
	uint8_t out[SPI_HASH_MAX], want[20];

	test_hex("a9993e364706816aba3e25717850c26c9cd0d89d", want, 20);
	assert_int_equal(spi_crypto()->hash(SPI_HASH_SHA1, &abc, 1, out), 0);
	assert_memory_equal(out, want, 20);
}

TEST(provider_passes_its_self_test)
{
	assert_int_equal(spi_crypto()->self_test(), 0);
}

static void
check_dh(enum spi_group g, const char *priv_a, const char *pub_a,
	 const char *priv_b, const char *pub_b, const char *shared)
{
	uint8_t ab[64], bb[64], pab[128], pbb[128], sb[64];
	uint8_t secret[SPI_DH_SECRET_MAX];
	struct spi_dh_key *a = NULL, *b = NULL;
	struct view want = hex(shared, sb, sizeof(sb));
	struct view pa = hex(pub_a, pab, sizeof(pab));
	struct view pb = hex(pub_b, pbb, sizeof(pbb));
	const struct spi_crypto *cr = spi_crypto();
	size_t n = 0;

	assert_int_equal(cr->dh_load(g, hex(priv_a, ab, sizeof(ab)), &a), 0);
	assert_int_equal(cr->dh_load(g, hex(priv_b, bb, sizeof(bb)), &b), 0);
	assert_int_equal(cr->dh_public(a).len, pa.len);
	assert_int_equal(pa.len, spi_group_public_len(g));
	assert_memory_equal(cr->dh_public(a).p, pa.p, pa.len);
	assert_memory_equal(cr->dh_public(b).p, pb.p, pb.len);
	assert_int_equal(cr->dh_derive(a, pb, secret, &n), 0);
	assert_int_equal(n, want.len);
	assert_memory_equal(secret, want.p, n);
	memset(secret, 0, sizeof(secret));
	assert_int_equal(cr->dh_derive(b, pa, secret, &n), 0);
	assert_memory_equal(secret, want.p, n);
	cr->dh_free(a);
	cr->dh_free(b);
}

TEST(x25519_gives_rfc7748_6_1)
{
	check_dh(SPI_GROUP_X25519,
	    "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
	    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
	    "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
	    "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
	    "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
}

TEST(ecp256_gives_rfc5903_8_1)
{
	check_dh(SPI_GROUP_ECP_256,
	    "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
	    "dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180"
	    "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3",
	    "c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53",
	    "d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63"
	    "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab",
	    "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de");
}

TEST(ecp384_gives_rfc5903_8_2)
{
	check_dh(SPI_GROUP_ECP_384,
	    "099f3c7034d4a2c699884d73a375a67f7624ef7c6b3c0f160647b67414dce655"
	    "e35b538041e649ee3faef896783ab194",
	    "667842d7d180ac2cde6f74f37551f55755c7645c20ef73e31634fe72b4c55ee6"
	    "de3ac808acb4bdb4c88732aee95f41aa9482ed1fc0eeb9cafc4984625ccfc23f"
	    "65032149e0e144ada024181535a0f38eeb9fcff3c2c947dae69b4c634573a81c",
	    "41cb0779b4bdb85d47846725fbec3c9430fab46cc8dc5060855cc9bda0aa2942"
	    "e0308312916b8ed2960e4bd55a7448fc",
	    "e558dbef53eecde3d3fccfc1aea08a89a987475d12fd950d83cfa41732bc509d"
	    "0d1ac43a0336def96fda41d0774a3571dcfbec7aacf3196472169e838430367f"
	    "66eebe3c6e70c416dd5f0c68759dd1fff83fa40142209dff5eaad96db9e6386c",
	    "11187331c279962d93d604243fd592cb9d0a926f422e47187521287e7156c5c4"
	    "d603135569b9e9d09cf5d4a270f59746");
}

TEST(dh_agrees_and_refuses_bad_values_in_every_group)
{
	const struct spi_crypto *cr = spi_crypto();

	for (enum spi_group g = 1; g < SPI_GROUP_KEM_FIRST; g++) {
		uint8_t s1[SPI_DH_SECRET_MAX], s2[SPI_DH_SECRET_MAX];
		uint8_t bad[SPI_DH_PUBLIC_MAX] = { 0 };
		struct spi_dh_key *a = NULL, *b = NULL;
		size_t n1 = 0, n2 = 0, len = spi_group_public_len(g);

		assert_int_equal(cr->dh_new(g, &a), 0);
		assert_int_equal(cr->dh_new(g, &b), 0);
		assert_int_equal(cr->dh_public(a).len, len);
		assert_int_equal(cr->dh_derive(a, cr->dh_public(b), s1, &n1), 0);
		assert_int_equal(cr->dh_derive(b, cr->dh_public(a), s2, &n2), 0);
		assert_int_equal(n1, n2);
		assert_memory_equal(s1, s2, n1);

		/* all zero: the X25519 secret would be zero, off the curve,
		 * and 0 for MODP */
		assert_int_equal(cr->dh_derive(a, (struct view){ bad, len }, s1,
					       &n1), ERR_KE);
		bad[len - 1] = 1;	/* MODP: 1; ECP: off the curve */
		if (g != SPI_GROUP_X25519)
			assert_int_equal(cr->dh_derive(a,
			    (struct view){ bad, len }, s1, &n1), ERR_KE);
		memset(bad, 0xff, sizeof(bad)); /* MODP: above p-1 */
		if (g != SPI_GROUP_X25519)
			assert_int_equal(cr->dh_derive(a,
			    (struct view){ bad, len }, s1, &n1), ERR_KE);
		/* lengths */
		assert_int_equal(cr->dh_derive(a, (struct view){
		    cr->dh_public(b).p, len - 1 }, s1, &n1), ERR_KE);
		assert_int_equal(cr->dh_derive(a, (struct view){ bad, 0 }, s1,
					       &n1), ERR_KE);
		/* our own value sent back */
		assert_int_equal(cr->dh_derive(a, cr->dh_public(a), s1, &n1),
				 ERR_KE);
		cr->dh_free(a);
		cr->dh_free(b);
	}
}

TEST(x25519_refuses_points_of_small_order)
{
	/* order 8, as listed with RFC 7748 implementations */
	uint8_t low[32];
	uint8_t s[SPI_DH_SECRET_MAX];
	struct spi_dh_key *a = NULL;
	size_t n;

	test_hex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		 low, sizeof(low));
	assert_int_equal(spi_crypto()->dh_new(SPI_GROUP_X25519, &a), 0);
	assert_int_equal(spi_crypto()->dh_derive(a, (struct view){ low, 32 }, s,
						 &n), ERR_KE);
	spi_crypto()->dh_free(a);
}

TEST(aes_gcm_gives_mcgrew_viega_case_4)
{
	uint8_t key[16], iv[12], aad[20], data[60], want[60], tag[16], wtag[16];

	test_hex("feffe9928665731c6d6a8f9467308308", key, sizeof(key));
	test_hex("cafebabefacedbaddecaf888", iv, sizeof(iv));
	test_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2", aad, sizeof(aad));
	test_hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
		 "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
		 data, sizeof(data));
	test_hex("42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
		 "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
		 want, sizeof(want));
	test_hex("5bc94fbc3221a5db94fae95ae7121a47", wtag, sizeof(wtag));
	assert_int_equal(spi_crypto()->aead_seal(SPI_CIPHER_AES_GCM_128, key, iv,
	    (struct view){ aad, 20 }, data, 60, tag), 0);
	assert_memory_equal(data, want, 60);
	assert_memory_equal(tag, wtag, 16);
	tag[15] ^= 1;
	assert_int_equal(spi_crypto()->aead_open(SPI_CIPHER_AES_GCM_128, key, iv,
	    (struct view){ aad, 20 }, data, 60, tag), ERR_ICV);
}
