/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/neg/algs.h - what a suite contains, in order of preference.
 *
 * The tables behind prop.h; nobody else needs them.  Thread: any.
 */
#ifndef TAPIR_IKEV2_NEG_ALGS_H
#define TAPIR_IKEV2_NEG_ALGS_H

#include "ikev2/neg/prop.h"

struct ike_cipher_row {
	uint16_t id, key_bits;
	enum spi_cipher ike;	/* NONE: for ESP only */
	enum vpn_alg esp;	/* AEAD; with integrity see ike_alg_of() */
};

/* A kind of proposal: AEAD, or cipher with integrity. */
struct ike_kind {
	const struct ike_cipher_row *cipher;
	unsigned n_cipher;
	bool is_aead;
	enum vpn_suite suite;	/* the smallest that has it */
};
#define IKE_N_KIND 2
extern const struct ike_kind ike_kinds[IKE_N_KIND];

struct ike_hash_row {
	uint16_t id;
	enum spi_hash hash;
};
#define IKE_N_PRF   3
#define IKE_N_INTEG 3
extern const struct ike_hash_row ike_prf_row[IKE_N_PRF];
extern const struct ike_hash_row ike_integ_row[IKE_N_INTEG];

struct ike_group_row {
	uint16_t id;
	enum spi_group group;
	enum vpn_suite suite;	/* the smallest that has it */
};
#define IKE_N_GROUP 5
#define IKE_N_KEM   3
extern const struct ike_group_row ike_group_row[IKE_N_GROUP];
/* For additional key exchanges. */
extern const struct ike_group_row ike_kem_row[IKE_N_KEM];

#define IKE_N_ESN 2
extern const uint16_t ike_esn_row[IKE_N_ESN];

/** The algorithm of ESP that a cipher and, unless it is an AEAD, integrity make;
 * VPN_ALG_NONE when there is no such. */
enum vpn_alg ike_alg_of(const struct ike_cipher_row *c, enum spi_hash integ);
/** The row of a cipher of an IKE SA, or NULL. */
const struct ike_cipher_row *ike_row_of_ike(enum spi_cipher c);
/** The row of an algorithm of ESP, and its integrity; NULL for none. */
const struct ike_cipher_row *ike_row_of_alg(enum vpn_alg alg,
					    enum spi_hash *integ);
/** Number on the wire of a hash in one of the tables; 0 for none. */
uint16_t ike_hash_id(const struct ike_hash_row *row, unsigned n,
		     enum spi_hash h);

#endif
