/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ikev2/t_devices.c - what devices propose, from their documentation,
 * and what we make of it (doc/devices.md).
 *
 *   Windows   docs.strongswan.org, Windows clients; Set-VpnConnectionIPsecConfiguration
 *   Apple     developer.apple.com, VPN.IKEv2: one algorithm for each slot
 *   Android   AOSP, VpnIkev2Utils: getIkeSaProposals, getChildSaProposals
 */
#include "test/lib/test.h"
#include "daemon/base/err.h"
#include "ikev2/neg/prop.h"

#define T(type_, id_) { .type = IKE_TRT_##type_, .id = IKE_##type_##_##id_ }
#define TK(id_, bits_)                                                         \
	{ .type = IKE_TRT_ENCR, .id = IKE_ENCR_##id_, .key_bits = (bits_) }
#define P(num_, proto_, spi_, tr_)                                             \
	{ .num = (num_), .proto = IKE_PROTO_##proto_, .spi = spi_,             \
	  .n_tr = N_OF(tr_), .tr = (tr_) }

static const uint8_t spi4[4] = { 0, 0, 1, 2 };
#define NO_SPI { NULL, 0 }
#define SPI4   { spi4, 4 }

/* ---- Windows ------------------------------------------------------------------- */

TEST(windows_as_it_comes_is_refused_by_every_suite)
{
	static const struct ike_tr cbc[] = {
		TK(3DES, 0), TK(AES_CBC, 128), TK(AES_CBC, 192), TK(AES_CBC, 256),
		T(INTEG, HMAC_SHA1_96), T(INTEG, HMAC_SHA2_256_128),
		T(INTEG, HMAC_SHA2_384_192), T(PRF, HMAC_SHA1),
		T(PRF, HMAC_SHA2_256), T(PRF, HMAC_SHA2_384), T(KE, MODP_1024),
	};
	static const struct ike_tr gcm[] = {	/* since Windows 11 */
		TK(AES_GCM_16, 128), TK(AES_GCM_16, 256), T(PRF, HMAC_SHA1),
		T(PRF, HMAC_SHA2_256), T(PRF, HMAC_SHA2_384), T(KE, MODP_1024),
	};
	const struct ike_prop prop[] = { P(1, IKE, NO_SPI, cbc),
					 P(2, IKE, NO_SPI, gcm) };
	const struct ike_props props = { N_OF(prop), prop };
	struct ike_choice ch;

	assert_int_equal(ike_prop_choose_ike(&props, VPN_SUITE_2026, 0,
	    IKE_KE_MODP_1024, false, &ch), ERR_NOPROP);
	assert_int_equal(ike_prop_choose_ike(&props, VPN_SUITE_COMPAT, 0,
	    IKE_KE_MODP_1024, false, &ch), ERR_NOPROP);
}

/* The registry's NegotiateDH2048_AES256 helps IKE; ESP keeps SHA-1. */
TEST(windows_with_its_registry_key_stops_at_esp)
{
	static const struct ike_tr ike[] = {
		TK(AES_CBC, 256), T(INTEG, HMAC_SHA1_96),
		T(INTEG, HMAC_SHA2_256_128), T(INTEG, HMAC_SHA2_384_192),
		T(PRF, HMAC_SHA1), T(PRF, HMAC_SHA2_256), T(PRF, HMAC_SHA2_384),
		T(KE, MODP_2048),
	};
	static const struct ike_tr esp[] = {
		TK(AES_CBC, 256), TK(AES_CBC, 128), TK(3DES, 0),
		T(INTEG, HMAC_SHA1_96), T(SN, SEQ_32),
	};
	const struct ike_prop p_ike = P(1, IKE, NO_SPI, ike);
	const struct ike_prop p_esp = P(1, ESP, SPI4, esp);
	const struct ike_props ikes = { 1, &p_ike }, esps = { 1, &p_esp };
	struct ike_choice ch;

	assert_int_equal(ike_prop_choose_ike(&ikes, VPN_SUITE_COMPAT, 0,
	    IKE_KE_MODP_2048, false, &ch), 0);
	assert_int_equal(ch.ike.integ == SPI_HASH_SHA384 ||
			 ch.ike.integ == SPI_HASH_SHA256, 1);
	assert_int_equal(ike_prop_choose_ike(&ikes, VPN_SUITE_2026, 0,
	    IKE_KE_MODP_2048, false, &ch), ERR_NOPROP);
	assert_int_equal(ike_prop_choose_esp(&esps, VPN_SUITE_COMPAT, 0, 0,
	    IKE_KE_NEVER, &ch), ERR_NOPROP);
}

TEST(windows_with_our_script_meets_2026)
{
	static const struct ike_tr ike[] = {
		TK(AES_GCM_16, 256), T(PRF, HMAC_SHA2_384), T(KE, ECP_384),
	};
	static const struct ike_tr esp[] = {
		TK(AES_GCM_16, 256), T(SN, SEQ_32),
	};
	const struct ike_prop p_ike = P(1, IKE, NO_SPI, ike);
	const struct ike_prop p_esp = P(1, ESP, SPI4, esp);
	const struct ike_props ikes = { 1, &p_ike }, esps = { 1, &p_esp };
	struct ike_choice ch;

	assert_int_equal(ike_prop_choose_ike(&ikes, VPN_SUITE_2026, 0,
	    IKE_KE_ECP_384, false, &ch), 0);
	assert_int_equal(ch.ike.encr, SPI_CIPHER_AES_GCM_256);
	assert_int_equal(ch.ike.prf, SPI_HASH_SHA384);
	assert_int_equal(ike_prop_choose_esp(&esps, VPN_SUITE_2026, 0, 0,
	    IKE_KE_NEVER, &ch), 0);
}

/* ---- Apple --------------------------------------------------------------------- */

TEST(apple_with_our_profile_meets_2026)
{
	static const struct ike_tr ike[] = {
		TK(AES_GCM_16, 256), T(PRF, HMAC_SHA2_384), T(KE, ECP_384),
	};
	static const struct ike_tr esp[] = {
		TK(AES_GCM_16, 256), T(KE, ECP_384), T(SN, SEQ_32),
	};
	const struct ike_prop p_ike = P(1, IKE, NO_SPI, ike);
	const struct ike_prop p_esp = P(1, ESP, SPI4, esp);
	const struct ike_props ikes = { 1, &p_ike }, esps = { 1, &p_esp };
	struct ike_choice ch;

	assert_int_equal(ike_prop_choose_ike(&ikes, VPN_SUITE_2026, 0,
	    IKE_KE_ECP_384, false, &ch), 0);
	/* the group of "PFS" is of no use in IKE_AUTH, and no harm */
	assert_int_equal(ike_prop_choose_esp(&esps, VPN_SUITE_2026, 0, 0,
	    IKE_KE_NEVER, &ch), 0);
	/* a rekey brings a KE payload, whatever the first child SA said */
	assert_int_equal(ike_prop_choose_esp(&esps, VPN_SUITE_2026, 0,
	    IKE_KE_ECP_384, IKE_KE_MAYBE, &ch), 0);
}

TEST(apple_with_our_profile_of_compat_meets_compat)
{
	static const struct ike_tr ike[] = {
		TK(AES_CBC, 256), T(INTEG, HMAC_SHA2_256_128),
		T(PRF, HMAC_SHA2_256), T(KE, MODP_2048),
	};
	static const struct ike_tr esp[] = {
		TK(AES_CBC, 256), T(INTEG, HMAC_SHA2_256_128), T(SN, SEQ_32),
	};
	const struct ike_prop p_ike = P(1, IKE, NO_SPI, ike);
	const struct ike_prop p_esp = P(1, ESP, SPI4, esp);
	const struct ike_props ikes = { 1, &p_ike }, esps = { 1, &p_esp };
	struct ike_choice ch;

	assert_int_equal(ike_prop_choose_ike(&ikes, VPN_SUITE_COMPAT, 0,
	    IKE_KE_MODP_2048, false, &ch), 0);
	assert_int_equal(ike_prop_choose_esp(&esps, VPN_SUITE_COMPAT, 0, 0,
	    IKE_KE_NEVER, &ch), 0);
	assert_int_equal(ike_prop_choose_ike(&ikes, VPN_SUITE_2026, 0,
	    IKE_KE_MODP_2048, false, &ch), ERR_NOPROP);
}

/* ---- Android -------------------------------------------------------------------- */

/* CBC and CTR first, AEAD second, the KE payload of MODP-4096: the answer is the AEAD
 * proposal, and for the group INVALID_KE_PAYLOAD with one it offered. */
TEST(android_is_taken_by_its_second_proposal_and_another_group)
{
	static const struct ike_tr cbc[] = {
		TK(AES_CTR, 256), TK(AES_CBC, 256), TK(AES_CTR, 192),
		TK(AES_CBC, 192), TK(AES_CTR, 128), TK(AES_CBC, 128),
		T(INTEG, HMAC_SHA2_512_256), T(INTEG, HMAC_SHA2_384_192),
		T(INTEG, HMAC_SHA2_256_128), T(KE, MODP_4096), T(KE, CURVE25519),
		T(KE, MODP_3072), T(KE, MODP_2048), T(PRF, HMAC_SHA2_512),
		T(PRF, HMAC_SHA2_384), T(PRF, HMAC_SHA2_256), T(PRF, HMAC_SHA1),
	};
	static const struct ike_tr aead[] = {
		TK(CHACHA20_POLY1305, 0), TK(AES_GCM_16, 256),
		TK(AES_GCM_12, 256), TK(AES_GCM_8, 256), TK(AES_GCM_16, 192),
		TK(AES_GCM_12, 192), TK(AES_GCM_8, 192), TK(AES_GCM_16, 128),
		TK(AES_GCM_12, 128), TK(AES_GCM_8, 128), T(KE, MODP_4096),
		T(KE, CURVE25519), T(KE, MODP_3072), T(KE, MODP_2048),
		T(PRF, HMAC_SHA2_512), T(PRF, HMAC_SHA2_384),
		T(PRF, HMAC_SHA2_256), T(PRF, HMAC_SHA1),
	};
	const struct ike_prop prop[] = { P(1, IKE, NO_SPI, cbc),
					 P(2, IKE, NO_SPI, aead) };
	const struct ike_props props = { N_OF(prop), prop };
	struct ike_choice ch;

	assert_int_equal(ike_prop_choose_ike(&props, VPN_SUITE_2026, 0,
	    IKE_KE_MODP_4096, false, &ch), 0);
	assert_int_equal(ch.prop_num, 2);
	assert_int_equal(ch.ike.encr, SPI_CIPHER_AES_GCM_256);
	assert_int_equal(ch.ike.prf, SPI_HASH_SHA384);
	assert_int_equal(ch.ike.group, SPI_GROUP_X25519);
	assert_int_equal(ike_prop_choose_ike(&props, VPN_SUITE_2026, 0,
	    IKE_KE_CURVE25519, false, &ch), 0);
	assert_int_equal(ch.ike.group, SPI_GROUP_X25519);
}

TEST(androids_esp_is_taken_by_its_aead)
{
	static const struct ike_tr cbc[] = {
		TK(AES_CTR, 256), TK(AES_CBC, 256), TK(AES_CTR, 192),
		TK(AES_CBC, 192), TK(AES_CTR, 128), TK(AES_CBC, 128),
		T(INTEG, HMAC_SHA2_512_256), T(INTEG, HMAC_SHA2_384_192),
		T(INTEG, HMAC_SHA2_256_128), T(SN, SEQ_32),
	};
	static const struct ike_tr aead[] = {
		TK(CHACHA20_POLY1305, 0), TK(AES_GCM_16, 256),
		TK(AES_GCM_12, 256), TK(AES_GCM_8, 256), TK(AES_GCM_16, 128),
		T(SN, SEQ_32),
	};
	const struct ike_prop prop[] = { P(1, ESP, SPI4, cbc),
					 P(2, ESP, SPI4, aead) };
	const struct ike_props props = { N_OF(prop), prop };
	struct ike_choice ch;

	assert_int_equal(ike_prop_choose_esp(&props, VPN_SUITE_2026, 0, 0,
	    IKE_KE_NEVER, &ch), 0);
	assert_int_equal(ch.prop_num, 2);
}
