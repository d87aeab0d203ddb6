/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/lib/kem.h - a provider whose KEMs work with every OpenSSL.
 *
 * It is the built-in provider, but for ML-KEM, whose place a toy takes that has
 * the right lengths and no security at all:
 *
 *   public = expand(private)   ciphertext = random   secret = hash(public, ct)
 */
#ifndef TAPIR_TEST_LIB_KEM_H
#define TAPIR_TEST_LIB_KEM_H

#include <stdlib.h>
#include <string.h>

#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "spi/spi_crypto.h"

#define TOY_SECRET 32

/* Stands where a struct spi_dh_key would. */
struct toy_key {
	struct spi_dh_key *real;	/* NULL: a KEM */
	enum spi_group group;
	uint8_t value[SPI_DH_PUBLIC_MAX];
	size_t len;
};

static const struct spi_crypto *toy_base;
static struct spi_crypto toy_provider;

static inline struct toy_key *
toy_of(const struct spi_dh_key *k)
{
	return (struct toy_key *)(uintptr_t)k;
}

static inline int
toy_secret(struct view pub, struct view ct, uint8_t *secret, size_t *len)
{
	struct view part[2] = { pub, ct };

	*len = TOY_SECRET;
	return toy_base->hash(SPI_HASH_SHA256, part, 2, secret);
}

static inline int
toy_wrap(enum spi_group g, struct spi_dh_key *real, struct spi_dh_key **out)
{
	struct toy_key *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		toy_base->dh_free(real);
		return ERR_NOMEM;
	}
	t->group = g;
	t->real = real;
	*out = (struct spi_dh_key *)t;
	return 0;
}

static inline int
toy_new(enum spi_group g, struct spi_dh_key **out)
{
	struct spi_dh_key *real = NULL;
	int err;

	if (!spi_group_is_kem(g))
		return (err = toy_base->dh_new(g, &real)) != 0 ? err :
		    toy_wrap(g, real, out);
	if ((err = toy_wrap(g, NULL, out)) != 0)
		return err;
	toy_of(*out)->len = spi_group_public_len(g);
	return rng_bytes(toy_of(*out)->value, toy_of(*out)->len);
}

static inline void
toy_free(struct spi_dh_key *k)
{
	if (k == NULL)
		return;
	toy_base->dh_free(toy_of(k)->real);
	free(k);
}

static inline struct view
toy_public(const struct spi_dh_key *k)
{
	if (toy_of(k)->real != NULL)
		return toy_base->dh_public(toy_of(k)->real);
	return (struct view){ toy_of(k)->value, toy_of(k)->len };
}

static inline int
toy_derive(struct spi_dh_key *k, struct view peer, uint8_t *secret, size_t *len)
{
	if (toy_of(k)->real != NULL)
		return toy_base->dh_derive(toy_of(k)->real, peer, secret, len);
	if (peer.len != spi_group_answer_len(toy_of(k)->group))
		return ERR_KE;
	return toy_secret(toy_public(k), peer, secret, len);
}

static inline int
toy_answer(enum spi_group g, struct view peer, struct spi_dh_key **out,
	   uint8_t *secret, size_t *len)
{
	int err;

	if (peer.len != spi_group_public_len(g))
		return ERR_KE;
	if ((err = toy_wrap(g, NULL, out)) != 0)
		return err;
	toy_of(*out)->len = spi_group_answer_len(g);
	if ((err = rng_bytes(toy_of(*out)->value, toy_of(*out)->len)) != 0)
		return err;
	return toy_secret(peer, toy_public(*out), secret, len);
}

static inline bool
toy_usable(enum spi_group g)
{
	return g > SPI_GROUP_NONE && g < SPI_GROUP_END;
}

/** From now on spi_crypto() has KEMs. */
static inline void
toy_kem_use(void)
{
	toy_base = spi_crypto();
	toy_provider = *toy_base;
	toy_provider.name = "toy";
	toy_provider.dh_new = toy_new;
	toy_provider.dh_free = toy_free;
	toy_provider.dh_public = toy_public;
	toy_provider.dh_derive = toy_derive;
	toy_provider.kem_answer = toy_answer;
	toy_provider.group_usable = toy_usable;
	spi_crypto_use(&toy_provider);
}

#endif
