/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/md4.c - MD4, RFC 1320 section 3.
 *
 * Thread: any; nothing is kept.
 */
#include "daemon/base/md4.h"
#include <string.h>
#include "daemon/base/secret.h"

#define BLOCK 64

static uint32_t
rotl(uint32_t v, unsigned n)
{
	return v << n | v >> (32 - n);
}

static uint32_t
le32_get(const uint8_t *b)
{
	return (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 |
	    (uint32_t)b[1] << 8 | b[0];
}

static void
le32_put(uint8_t *b, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		b[i] = (uint8_t)(v >> 8 * i);
}

/* F, G and H of section 3.4. */
static uint32_t
mix(unsigned round, uint32_t x, uint32_t y, uint32_t z)
{
	if (round == 0)
		return (x & y) | (~x & z);
	if (round == 1)
		return (x & y) | (x & z) | (y & z);
	return x ^ y ^ z;
}

static void
block_add(uint32_t state[4], const uint8_t *p)
{
	static const uint32_t add[3] = { 0, 0x5a827999u, 0x6ed9eba1u };
	static const uint8_t shift[3][4] = {
		{ 3, 7, 11, 19 }, { 3, 5, 9, 13 }, { 3, 9, 11, 15 }
	};
	static const uint8_t order[3][16] = {
		{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
		{ 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15 },
		{ 0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15 }
	};
	uint32_t x[16], v[4];

	for (unsigned i = 0; i < 16; i++)
		x[i] = le32_get(p + 4 * i);
	memcpy(v, state, sizeof(v));
	for (unsigned i = 0; i < 48; i++) {
		unsigned r = i / 16;
		/* the registers change places: a, d, c, b, a, ... */
		unsigned a = (16 - i % 4) % 4;

		v[a] += mix(r, v[(a + 1) % 4], v[(a + 2) % 4],
			    v[(a + 3) % 4]) + x[order[r][i % 16]] + add[r];
		v[a] = rotl(v[a], shift[r][i % 4]);
	}
	for (unsigned i = 0; i < 4; i++)
		state[i] += v[i];
	wipe(x, sizeof(x));
	wipe(v, sizeof(v));
}

void
md4(const uint8_t *p, size_t len, uint8_t out[MD4_LEN])
{
	uint32_t state[4] = {
		0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u
	};
	uint8_t tail[2 * BLOCK] = { 0 };
	size_t whole = len / BLOCK * BLOCK, n;

	for (size_t at = 0; at < whole; at += BLOCK)
		block_add(state, p + at);
	if (len > whole)
		memcpy(tail, p + whole, len - whole);
	tail[len - whole] = 0x80;
	/* the length in bits stands in the last 8 bytes */
	n = len - whole < BLOCK - 8 ? BLOCK : 2 * BLOCK;
	le32_put(tail + n - 8, (uint32_t)((uint64_t)len << 3));
	le32_put(tail + n - 4, (uint32_t)((uint64_t)len >> 29));
	for (size_t at = 0; at < n; at += BLOCK)
		block_add(state, tail + at);
	for (unsigned i = 0; i < 4; i++)
		le32_put(out + 4 * i, state[i]);
	wipe(tail, sizeof(tail));
	wipe(state, sizeof(state));
}
