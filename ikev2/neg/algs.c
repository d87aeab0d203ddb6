/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/neg/algs.c - what a suite contains, in order of preference.
 */
#include "ikev2/neg/algs.h"

/* Those with implicit IVs are for ESP only (RFC 8750 section 7). */
static const struct ike_cipher_row aead_row[] = {
	{ IKE_ENCR_AES_GCM_16_IIV, 256, SPI_CIPHER_NONE,
	  VPN_ALG_AES_GCM_256_IIV },
	{ IKE_ENCR_AES_GCM_16, 256, SPI_CIPHER_AES_GCM_256,
	  VPN_ALG_AES_GCM_256 },
	{ IKE_ENCR_AES_GCM_16_IIV, 128, SPI_CIPHER_NONE,
	  VPN_ALG_AES_GCM_128_IIV },
	{ IKE_ENCR_AES_GCM_16, 128, SPI_CIPHER_AES_GCM_128,
	  VPN_ALG_AES_GCM_128 },
	{ IKE_ENCR_CHACHA20_POLY1305_IIV, 0, SPI_CIPHER_NONE,
	  VPN_ALG_CHACHA20_POLY1305_IIV },
	{ IKE_ENCR_CHACHA20_POLY1305, 0, SPI_CIPHER_CHACHA20_POLY1305,
	  VPN_ALG_CHACHA20_POLY1305 },
};
static const struct ike_cipher_row cbc_row[] = {
	{ IKE_ENCR_AES_CBC, 256, SPI_CIPHER_AES_CBC_256, VPN_ALG_NONE },
	{ IKE_ENCR_AES_CBC, 128, SPI_CIPHER_AES_CBC_128, VPN_ALG_NONE },
};

const struct ike_hash_row ike_prf_row[IKE_N_PRF] = {
	{ IKE_PRF_HMAC_SHA2_384, SPI_HASH_SHA384 },
	{ IKE_PRF_HMAC_SHA2_256, SPI_HASH_SHA256 },
	{ IKE_PRF_HMAC_SHA2_512, SPI_HASH_SHA512 },
};
const struct ike_hash_row ike_integ_row[IKE_N_INTEG] = {
	{ IKE_INTEG_HMAC_SHA2_256_128, SPI_HASH_SHA256 },
	{ IKE_INTEG_HMAC_SHA2_384_192, SPI_HASH_SHA384 },
	{ IKE_INTEG_HMAC_SHA2_512_256, SPI_HASH_SHA512 },
};
const struct ike_group_row ike_group_row[IKE_N_GROUP] = {
	{ IKE_KE_CURVE25519, SPI_GROUP_X25519, VPN_SUITE_2026 },
	{ IKE_KE_ECP_256, SPI_GROUP_ECP_256, VPN_SUITE_2026 },
	{ IKE_KE_ECP_384, SPI_GROUP_ECP_384, VPN_SUITE_2026 },
	{ IKE_KE_MODP_2048, SPI_GROUP_MODP_2048, VPN_SUITE_COMPAT },
	{ IKE_KE_MODP_3072, SPI_GROUP_MODP_3072, VPN_SUITE_COMPAT },
};
/* For additional key exchanges: in order of preference. */
const struct ike_group_row ike_kem_row[IKE_N_KEM] = {
	{ IKE_KE_ML_KEM_768, SPI_GROUP_ML_KEM_768, VPN_SUITE_2026 },
	{ IKE_KE_ML_KEM_1024, SPI_GROUP_ML_KEM_1024, VPN_SUITE_2026 },
	{ IKE_KE_ML_KEM_512, SPI_GROUP_ML_KEM_512, VPN_SUITE_2026 },
};
const uint16_t ike_esn_row[IKE_N_ESN] = { IKE_SN_SEQ_64_PARTIAL,
	IKE_SN_SEQ_32 };

const struct ike_kind ike_kinds[IKE_N_KIND] = {
	{ aead_row, N_OF(aead_row), true, VPN_SUITE_2026 },
	{ cbc_row, N_OF(cbc_row), false, VPN_SUITE_COMPAT },
};

uint16_t
ike_group_wire(enum spi_group g)
{
	for (unsigned i = 0; i < IKE_N_GROUP; i++)
		if (ike_group_row[i].group == g)
			return ike_group_row[i].id;
	for (unsigned i = 0; i < IKE_N_KEM; i++)
		if (ike_kem_row[i].group == g)
			return ike_kem_row[i].id;
	return IKE_KE_NONE;
}

enum spi_group
ike_group_from_wire(uint16_t id)
{
	for (unsigned i = 0; i < IKE_N_GROUP; i++)
		if (ike_group_row[i].id == id)
			return ike_group_row[i].group;
	return SPI_GROUP_NONE;
}

bool
ike_prop_has_group(enum vpn_suite suite, enum spi_group g)
{
	for (unsigned i = 0; i < IKE_N_GROUP; i++)
		if (ike_group_row[i].group == g)
			return ike_group_row[i].suite <= suite;
	return false;
}

enum spi_group
ike_prop_first_group(enum vpn_suite suite)
{
	(void)suite;	/* the same for both */
	return ike_group_row[0].group;
}

bool
ike_prop_permits(enum vpn_suite suite, const struct ike_suite *s)
{
	if (!ike_prop_has_group(suite, s->group))
		return false;
	return suite == VPN_SUITE_COMPAT || spi_cipher_is_aead(s->encr);
}

/* AES-CBC with an integrity algorithm as one choice. */
enum vpn_alg
ike_alg_of(const struct ike_cipher_row *c, enum spi_hash integ)
{
	enum vpn_alg base = c->key_bits == 256 ? VPN_ALG_AES_CBC_256_SHA256 :
	    VPN_ALG_AES_CBC_128_SHA256;

	if (c->esp != VPN_ALG_NONE)
		return c->esp;
	switch (integ) {
	case SPI_HASH_SHA256:
		return base;
	case SPI_HASH_SHA384:
		return base + 1;
	case SPI_HASH_SHA512:
		return base + 2;
	default:
		return VPN_ALG_NONE;
	}
}

uint16_t
ike_hash_id(const struct ike_hash_row *row, unsigned n, enum spi_hash h)
{
	for (unsigned i = 0; i < n; i++)
		if (row[i].hash == h)
			return row[i].id;
	return 0;
}

const struct ike_cipher_row *
ike_row_of_ike(enum spi_cipher c)
{
	for (unsigned k = 0; k < IKE_N_KIND; k++)
		for (unsigned i = 0; i < ike_kinds[k].n_cipher; i++)
			if (ike_kinds[k].cipher[i].ike == c)
				return &ike_kinds[k].cipher[i];
	return NULL;
}

const struct ike_cipher_row *
ike_row_of_alg(enum vpn_alg alg, enum spi_hash *integ)
{
	for (unsigned i = 0; i < N_OF(aead_row); i++)
		if (aead_row[i].esp == alg) {
			*integ = SPI_HASH_NONE;
			return &aead_row[i];
		}
	for (unsigned c = 0; c < N_OF(cbc_row); c++)
		for (unsigned i = 0; i < IKE_N_INTEG; i++)
			if (ike_alg_of(&cbc_row[c], ike_integ_row[i].hash) == alg) {
				*integ = ike_integ_row[i].hash;
				return &cbc_row[c];
			}
	return NULL;
}
