/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/csum.h - the Internet checksum (RFC 1071) over byte arrays.
 *
 * Sums are kept unfolded in 32 bits, in host order of the big-endian words, so
 * that parts may simply be added: a part that is not the last one has an even
 * length.
 *
 * Thread: pure functions.
 */
#ifndef TAPIR_ESP_CSUM_H
#define TAPIR_ESP_CSUM_H

#include "daemon/base/base.h"

/** Sum of n bytes, folded to 16 bits. */
uint32_t esp_csum_part(const void *p, size_t n);
/** Copy n bytes and sum them on the way. */
uint32_t esp_csum_copy(void *dst, const void *src, size_t n);
/** Fold a sum of parts to 16 bits. */
uint16_t esp_csum_fold(uint32_t sum);
/** Sum of an IP pseudo header (RFC 9293 3.1, RFC 8200 8.1): addresses of alen
 * bytes each one behind the other, protocol, length. */
uint32_t esp_csum_pseudo(const uint8_t *addrs, size_t alen, uint8_t proto,
			 uint32_t len);

#endif
