/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/crypt/puzzle.c - solve a puzzle, check a solution (RFC 8019).
 *
 * To check takes four HMACs, to solve 4 * 2^bits of them.
 */
#include "ikev2/crypt/puzzle.h"

#include <string.h>

#include "daemon/base/cur.h"

#define LOOK_TRIES 4096	/* between two questions whether to go on */

static const struct {
	uint16_t prf;
	enum spi_hash hash;
} prfs[] = {
	/* in order of preference: what is quickest for weak initiators */
	{ IKE_PRF_HMAC_SHA2_256, SPI_HASH_SHA256 },
	{ IKE_PRF_HMAC_SHA2_384, SPI_HASH_SHA384 },
	{ IKE_PRF_HMAC_SHA2_512, SPI_HASH_SHA512 },
};

enum spi_hash
ike_puzzle_hash(uint16_t prf)
{
	for (unsigned i = 0; i < N_OF(prfs); i++)
		if (prfs[i].prf == prf)
			return prfs[i].hash;
	return SPI_HASH_NONE;
}

uint16_t
ike_puzzle_prf(uint32_t set)
{
	for (unsigned i = 0; i < N_OF(prfs); i++)
		if ((set >> prfs[i].prf & 1) != 0)
			return prfs[i].prf;
	return 0;
}

static unsigned
zeros_at_end(const uint8_t *p, size_t len)
{
	unsigned n = 0;

	while (len > 0 && p[len - 1] == 0) {
		n += 8;
		len--;
	}
	for (unsigned i = 0; len > 0 && i < 8 && (p[len - 1] >> i & 1) == 0; i++)
		n++;
	return n;
}

/* How many zero bits a key brings. */
static int
try_key(enum spi_hash h, struct view key, struct view s, unsigned *zeros)
{
	uint8_t out[SPI_HASH_MAX];
	int err;

	if ((err = spi_crypto()->hmac(h, key, &s, 1, out)) != 0)
		return err;
	*zeros = zeros_at_end(out, spi_hash_len(h));
	return 0;
}

static struct view
key_of(const struct ike_ps *ps, unsigned i)
{
	return (struct view){ ps->keys.p + i * ps->key_len, ps->key_len };
}

static bool
are_different(const struct ike_ps *ps)
{
	for (unsigned i = 1; i < IKE_PS_KEYS; i++)
		for (unsigned k = 0; k < i; k++)
			if (memcmp(key_of(ps, i).p, key_of(ps, k).p,
				   ps->key_len) == 0)
				return false;
	return true;
}

int
ike_puzzle_check(uint16_t prf, struct view s, unsigned bits,
		 const struct ike_ps *ps, unsigned *least)
{
	enum spi_hash h = ike_puzzle_hash(prf);
	unsigned zeros, min = UINT32_MAX;
	int err;

	if (h == SPI_HASH_NONE)
		return ERR_ALG;
	if (ps->key_len > spi_hash_len(h))	/* RFC 8019 8.2 */
		return ERR_LONG;
	if (!are_different(ps))
		return ERR_AUTH;
	/* all four MUST be checked; the first wrong one decides */
	for (unsigned i = 0; i < IKE_PS_KEYS; i++) {
		if ((err = try_key(h, key_of(ps, i), s, &zeros)) != 0)
			return err;
		if (zeros < bits)
			return ERR_AUTH;
		min = MIN(min, zeros);
	}
	*least = min;
	return 0;
}

int
ike_puzzle_solve(uint16_t prf, struct view s, unsigned bits, size_t key_len,
		 bool (*go_on)(void *ctx), void *ctx, uint8_t *out)
{
	enum spi_hash h = ike_puzzle_hash(prf);
	uint64_t end = 1ull << 8 * key_len;
	unsigned zeros, n = 0;
	uint8_t key[4];
	int err;

	if (h == SPI_HASH_NONE)
		return ERR_ALG;
	if (key_len < 1 || key_len > sizeof(key))
		return ERR_RANGE;
	for (uint64_t i = 0; i < end; i++) {
		struct view k = { key + sizeof(key) - key_len, key_len };

		if (i % LOOK_TRIES == 0 && go_on != NULL && !go_on(ctx))
			return ERR_AGAIN;
		be32_put(key, (uint32_t)i);
		if ((err = try_key(h, k, s, &zeros)) != 0)
			return err;
		if (zeros < bits)
			continue;
		memcpy(out + n * key_len, k.p, key_len);
		if (++n == IKE_PS_KEYS)
			return 0;
	}
	return ERR_RANGE;
}
