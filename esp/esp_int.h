/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/esp_int.h - what the files of this folder share: struct esp.
 */
#ifndef TAPIR_ESP_INT_H
#define TAPIR_ESP_INT_H

#include "esp/esp.h"
#include "esp/rule.h"
#include "esp/sad.h"

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
};

#endif
