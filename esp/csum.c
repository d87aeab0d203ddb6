/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/csum.c - the Internet checksum (RFC 1071).
 *
 * The sum does not depend on byte order but for a final swap, so words are
 * added as they lie in memory: 32 bits at a time into 64-bit lanes, which
 * cannot overflow below 16 GB.  With AVX2 four lanes run at once.
 */
#include "esp/csum.h"
#include <endian.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif
#include "daemon/base/cur.h"

/* Folded sum in memory order -> host value of big-endian words. */
static uint32_t
finish(uint64_t sum)
{
	sum = (sum >> 32) + (sum & 0xffffffffu);
	sum = (sum >> 32) + (sum & 0xffffffffu);
	sum = (sum >> 16) + (sum & 0xffffu);
	sum = (sum >> 16) + (sum & 0xffffu);
	return be16toh((uint16_t)sum);
}

/* The end of an array, and all of it where there are no wide registers.
 * dst is NULL or where the bytes go. */
static uint64_t
plain(uint64_t sum, uint8_t *dst, const uint8_t *p, size_t n)
{
	size_t at = 0;
	uint32_t w;

	if (dst != NULL)
		memcpy(dst, p, n);
	for (; n - at >= sizeof(w); at += sizeof(w)) {
		memcpy(&w, p + at, sizeof(w));
		sum += w;
	}
	if (at < n) {
		w = 0;
		memcpy(&w, p + at, n - at);
		sum += w;
	}
	return sum;
}

#if defined(__x86_64__)
#define WIDE 32

__attribute__((target("avx2"))) static uint64_t
wide(uint8_t *dst, const uint8_t *p, size_t n)
{
	const __m256i low = _mm256_set1_epi64x(0xffffffff);
	__m256i a = _mm256_setzero_si256(), b = _mm256_setzero_si256();
	uint64_t lane[4];
	size_t at = 0;

	for (; n - at >= WIDE; at += WIDE) {
		__m256i v = _mm256_loadu_si256((const void *)(p + at));

		if (dst != NULL)
			_mm256_storeu_si256((void *)(dst + at), v);
		a = _mm256_add_epi64(a, _mm256_and_si256(v, low));
		b = _mm256_add_epi64(b, _mm256_srli_epi64(v, 32));
	}
	_mm256_storeu_si256((void *)lane, _mm256_add_epi64(a, b));
	return plain(lane[0] + lane[1] + lane[2] + lane[3],
		     dst != NULL ? dst + at : NULL, p + at, n - at);
}

static uint64_t
any(uint8_t *dst, const uint8_t *p, size_t n)
{
	if (n >= 2 * WIDE && __builtin_cpu_supports("avx2"))
		return wide(dst, p, n);
	return plain(0, dst, p, n);
}
#else
static uint64_t
any(uint8_t *dst, const uint8_t *p, size_t n)
{
	return plain(0, dst, p, n);
}
#endif

uint32_t
esp_csum_part(const void *p, size_t n)
{
	return finish(any(NULL, p, n));
}

uint32_t
esp_csum_copy(void *dst, const void *src, size_t n)
{
	return finish(any(dst, src, n));
}

uint16_t
esp_csum_fold(uint32_t sum)
{
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)sum;
}

uint32_t
esp_csum_pseudo(const uint8_t *addrs, size_t alen, uint8_t proto, uint32_t len)
{
	return esp_csum_part(addrs, 2 * alen) + proto + (len >> 16) +
	    (len & 0xffff);
}
