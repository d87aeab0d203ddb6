/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/esp_int.h - what the files of this folder share: struct esp.
 */
#ifndef TAPIR_ESP_INT_H
#define TAPIR_ESP_INT_H

#include "esp/esp.h"
#include "esp/rule.h"
#include "esp/sad.h"

/* Inbound SAs of a worker that hold packets until it is their turn.  By SPI: the
 * pair may be gone when it is looked at again. */
#define ESP_HOLD_MAX	32	/* SAs at once; ours */
#define ESP_HOLD_PACKETS 256	/* of all of them: each may keep a train's memory
				 * from being used; ours */
struct esp_hold {
	unsigned n, n_packet;
	uint32_t esp_spi[ESP_HOLD_MAX];
};

struct esp {
	/* immutable */
	struct esp_io io;
	const struct spi_esp *provider;
	unsigned n_worker;
	/* replaced by the loop, read by workers; points to constants */
	_Atomic(const struct esp_rule *) rule;
	struct esp_sad *sad;
	/* any worker, relaxed: when ESP_EV_STRAY was last */
	_Atomic uint64_t stray_ms;
	struct esp_hold *hold;	/* [n_worker] each its worker's */
};

#endif
