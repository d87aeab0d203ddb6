/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ikev2/crypt/puzzle.h - solve a puzzle, check a solution (RFC 8019 4.4, 7.1.3).
 *
 * A solution are four different keys, each of which makes prf(key, S) end in
 * enough zero bits.  Pure but for the crypto provider.  Any thread.
 */
#ifndef TAPIR_IKEV2_CRYPT_PUZZLE_H
#define TAPIR_IKEV2_CRYPT_PUZZLE_H

#include "daemon/base/base.h"
#include "ikev2/wire/wire.h"
#include "spi/spi_crypto.h"

#define IKE_PUZZLE_KEY_LEN  4	/* of ours; as many tries as 22 bits need */
#define IKE_PUZZLE_BITS_MAX 22	/* harder ones we leave: 2^24 HMACs */

/** The hash of a PRF number on the wire; SPI_HASH_NONE when not ours. */
enum spi_hash ike_puzzle_hash(uint16_t prf);
/** Of the PRFs in a set (bit n = number n) the one we ask for; 0 = none is
 * ours. */
uint16_t ike_puzzle_prf(uint32_t prfs);

/**
 * Check a solution.
 *
 * @param bits   zero bits that each key must bring.
 * @param least  the number that all four bring; written on success.
 * @return 0; ERR_AUTH: fewer zero bits, or two keys are the same; ERR_LONG: keys
 *         longer than the PRF's preferred length; ERR_ALG.
 */
MUST_USE int ike_puzzle_check(uint16_t prf, struct view s, unsigned bits,
			      const struct ike_ps *ps, unsigned *least);

/**
 * Find the first four keys from 0 upwards.
 *
 * @param key_len  bytes of each key, 1 to 4.
 * @param go_on    NULL, or asked every few thousand tries; false ends it.
 * @param out      4 * key_len bytes.
 * @return 0; ERR_RANGE: no keys of this length; ERR_AGAIN: ended; ERR_ALG.
 * RFC 8019 7.1.3.
 */
MUST_USE int ike_puzzle_solve(uint16_t prf, struct view s, unsigned bits,
			      size_t key_len, bool (*go_on)(void *ctx),
			      void *ctx, uint8_t *out);

#endif
