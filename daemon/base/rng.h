/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/rng.h - random bytes; the source can be replaced (seeded in tests).
 */
#ifndef TAPIR_BASE_RNG_H
#define TAPIR_BASE_RNG_H

#include "daemon/base/base.h"

/** Fill n bytes from the kernel's generator.  0 or ERR_RANDOM, in which case
 * the operation must fail; out is zeroed then.  Any thread. */
MUST_USE int rng_bytes(void *out, size_t n);
/** Replace the source; it returns 0 or an error.  NULL restores the kernel's. */
void rng_set_source(int (*fn)(void *ctx, void *out, size_t n), void *ctx);

/** Small deterministic generator for tests and jitter; not for secrets. */
struct rng_det {
	uint64_t s[4];
};
void rng_det_init(struct rng_det *r, uint64_t seed);
uint64_t rng_det_u64(struct rng_det *r);
/** A rng_set_source() source over a struct rng_det. */
int rng_det_source(void *ctx, void *out, size_t n);

#endif
