/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/crypto-openssl/crypto_openssl.h - inside of the OpenSSL crypto provider.
 *
 * What each function does stands at struct spi_crypto.
 */
#ifndef TAPIR_SPI_CRYPTO_OPENSSL_H
#define TAPIR_SPI_CRYPTO_OPENSSL_H

#include "spi/spi_crypto.h"

MUST_USE int ossl_dh_new(enum spi_group g, struct spi_dh_key **out);
MUST_USE int ossl_dh_load(enum spi_group g, struct view priv,
			  struct spi_dh_key **out);
void ossl_dh_free(struct spi_dh_key *k);
struct view ossl_dh_public(const struct spi_dh_key *k);
MUST_USE int ossl_dh_derive(struct spi_dh_key *k, struct view peer,
			    uint8_t *secret, size_t *secret_len);
MUST_USE int ossl_kem_answer(enum spi_group g, struct view peer,
			     struct spi_dh_key **out, uint8_t *secret,
			     size_t *secret_len);
bool ossl_group_usable(enum spi_group g);
/** Find out which KEMs this OpenSSL has; those that fail are not usable. */
void ossl_kem_self_test(void);

#endif
