/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/crypt/keymat.h - keys of IKE SAs and child SAs (RFC 7296 2.13 - 2.18).
 *
 * Pure but for the crypto provider: same input, same keys.
 */
#ifndef TAPIR_IKEV2_CRYPT_KEYMAT_H
#define TAPIR_IKEV2_CRYPT_KEYMAT_H

#include "daemon/base/base.h"
#include "daemon/base/vpn.h"
#include "spi/spi_crypto.h"

#define IKE_SALT_LEN   4	/* RFC 5282 4, RFC 7634 2 */
#define IKE_ENCR_MAX   36	/* 32 + salt */
#define IKE_PRFP_MAX_N 255	/* T1 .. T255, RFC 7296 2.13 */

#define IKE_ADDKE_MAX 7	/* ADDKE1 .. ADDKE7, RFC 9370 */

/* The algorithms of an IKE SA.  integ is SPI_HASH_NONE for an AEAD. */
struct ike_suite {
	enum spi_cipher encr;
	enum spi_hash integ;
	enum spi_hash prf;
	enum spi_group group;
	enum spi_group addke[IKE_ADDKE_MAX]; /* SPI_GROUP_NONE: none there */
};

/* RFC 7296 2.14; lives in secret memory.  [0] initiator, [1] responder. */
struct ike_keys {
	uint8_t d[SPI_HASH_MAX];
	uint8_t a[2][SPI_HASH_MAX];
	uint8_t e[2][IKE_ENCR_MAX];
	uint8_t p[2][SPI_HASH_MAX];
};

/** Text of a suite, "aes256-gcm prf-sha384 x25519"; returns out. */
const char *ike_suite_text(const struct ike_suite *s, char *out, size_t cap);
/** Text of a group, "x25519"; static. */
const char *ike_group_text(enum spi_group g);

/** prf+ (K, S), RFC 7296 2.13.  S is given in parts (at most 5).
 * @return 0, ERR_RANGE when out_len needs more than 255 rounds, ERR_CRYPTO. */
MUST_USE int ike_prf_plus(enum spi_hash prf, struct view key,
			  const struct view *part, unsigned n, uint8_t *out,
			  size_t out_len);

/* What both ends feed in. */
struct ike_keymat_in {
	struct view ni, nr;	/* nonces of the exchange */
	uint64_t ispi, rspi;	/* of the new IKE SA */
	struct view dh;		/* shared secret; may be empty for a child */
	struct view more;	/* those of IKE_FOLLOWUP_KE, in order, RFC 9370
				 * 2.2.4; or empty */
};

/** Keys of the first IKE SA: SKEYSEED = prf(Ni | Nr, g^ir), RFC 7296 2.14. */
MUST_USE int ike_keymat_first(const struct ike_suite *s,
			      const struct ike_keymat_in *in,
			      struct ike_keys *out);
/** Keys after an additional key exchange of the set-up: as ike_keymat_rekey()
 * with the same PRF, nonces and SPIs, RFC 9370 2.2.2.
 *
 * Keys of a rekeyed IKE SA: SKEYSEED = prf(SK_d(old), g^ir | Ni | Nr | more) with the
 * old SA's prf, the rest with the new one's, RFC 7296 2.18. */
MUST_USE int ike_keymat_rekey(const struct ike_suite *s, enum spi_hash old_prf,
			      const uint8_t *old_sk_d,
			      const struct ike_keymat_in *in,
			      struct ike_keys *out);
/** Keys out of a SKEYSEED that somebody else has made (RFC 9867 3.1.1); of in only
 * nonces and SPIs count. */
MUST_USE int ike_keymat_seeded(const struct ike_suite *s, struct view skeyseed,
			       const struct ike_keymat_in *in,
			       struct ike_keys *out);
/** Keys of a child SA, RFC 7296 2.17; keys[0] protects what the initiator of
 * the exchange sends, keys[1] what its responder sends.  The caller wipes. */
MUST_USE int ike_keymat_child(enum spi_hash prf, const uint8_t *sk_d,
			      const struct ike_keymat_in *in, enum vpn_alg alg,
			      struct vpn_keys keys[2]);

#endif
