/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/rng.c - getrandom(2), or the seeded source of a test.
 *
 * The deterministic generator is xoshiro256** (Blackman, Vigna), its state
 * filled by splitmix64.  It predicts everything it will say: tests and jitter
 * only.
 *
 * Thread: rng_bytes() from any; replacing the source before threads start.
 */
#include "daemon/base/rng.h"
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include "daemon/base/err.h"
#include "daemon/base/secret.h"

static int (*source)(void *ctx, void *out, size_t n);
static void *source_ctx;

static int
from_kernel(uint8_t *out, size_t n)
{
	while (n > 0) {
		ssize_t got = getrandom(out, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return ERR_RANDOM;
		out += got;
		n -= (size_t)got;
	}
	return 0;
}

static uint64_t
rotl(uint64_t v, unsigned bits)
{
	return v << bits | v >> (64 - bits);
}

int
rng_bytes(void *out, size_t n)
{
	int err;

	if (n == 0)
		return 0;
	err = source != NULL ? source(source_ctx, out, n) : from_kernel(out, n);
	if (err != 0) {
		wipe(out, n);
		return ERR_RANDOM;
	}
	return 0;
}

void
rng_set_source(int (*fn)(void *ctx, void *out, size_t n), void *ctx)
{
	source = fn;
	source_ctx = ctx;
}

void
rng_det_init(struct rng_det *r, uint64_t seed)
{
	for (size_t i = 0; i < N_OF(r->s); i++) {
		uint64_t z = (seed += 0x9e3779b97f4a7c15u);

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
		z = (z ^ z >> 27) * 0x94d049bb133111ebu;
		r->s[i] = z ^ z >> 31;
	}
}

uint64_t
rng_det_u64(struct rng_det *r)
{
	uint64_t out = rotl(r->s[1] * 5, 7) * 9;
	uint64_t t = r->s[1] << 17;

	r->s[2] ^= r->s[0];
	r->s[3] ^= r->s[1];
	r->s[1] ^= r->s[2];
	r->s[0] ^= r->s[3];
	r->s[2] ^= t;
	r->s[3] = rotl(r->s[3], 45);
	return out;
}

int
rng_det_source(void *ctx, void *out, size_t n)
{
	uint8_t *p = out;

	while (n > 0) {
		uint64_t v = rng_det_u64(ctx);
		size_t part = MIN(n, sizeof(v));

		memcpy(p, &v, part);
		p += part;
		n -= part;
	}
	return 0;
}
