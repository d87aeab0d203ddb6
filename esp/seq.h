/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/seq.h - outbound sequence numbers and the life of a key in bytes.
 *
 * Several workers may seal for one SA: numbers are taken in runs from one
 * atomic counter, and never beyond the last one (RFC 4303 3.3.3: the counter
 * must not cycle).  The IV of the AEAD algorithms is this number, so that it
 * cannot repeat under a key either (RFC 4106 3.1).
 */
#ifndef TAPIR_ESP_SEQ_H
#define TAPIR_ESP_SEQ_H

#include "daemon/base/base.h"
#include <stdatomic.h>

/* Enciphered bytes under one key.  2^46 bytes are 2^42 AES blocks: the
 * advantage of telling AES from random stays below 2^-44; ours. */
#define ESP_BYTES_SOFT (UINT64_C(1) << 45)
#define ESP_BYTES_HARD (UINT64_C(1) << 46)

struct esp_seq {
	_Atomic uint64_t last;	/* highest number given out; 0 = none */
	_Atomic uint64_t bytes;
	uint64_t max;		/* immutable: last number that may be used */
	uint64_t soft;		/* immutable: ask for new keys from here on */
	uint64_t bytes_max, bytes_soft;	/* immutable: the same of bytes */
};

/** Start before number 1. */
void esp_seq_init(struct esp_seq *s, bool is_esn);
/** Lower the ends to what a policy permits; 0 = as they are.  Before use. */
void esp_seq_limit(struct esp_seq *s, uint64_t soft_packets,
		   uint64_t hard_packets, uint64_t soft_bytes,
		   uint64_t hard_bytes);
/**
 * Take up to n numbers for packets of bytes in sum.
 *
 * @param first  the lowest one; the run has no gap.
 * @return how many were given: n, or less when the end is reached.
 * Thread: any worker.
 */
unsigned esp_seq_take(struct esp_seq *s, unsigned n, uint64_t bytes,
		      uint64_t *first);
/** True when new keys should be made. */
bool esp_seq_is_soft(const struct esp_seq *s);

#endif
