/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/out.h - what out.c and train.c share: a run of frames for one pair.
 *
 * Thread: a run lives on a worker's stack.
 */
#ifndef TAPIR_ESP_OUT_H
#define TAPIR_ESP_OUT_H

#include "esp/esp_int.h"
#include "esp/pkt.h"

#define ESP_IV_MAX 16

/* One frame on its way. */
struct esp_item {
	struct buf *src;
	struct buf *dst;	/* may be src */
	uint8_t *pkt;		/* ESP header in dst */
	struct esp_wrap wrap;
	uint8_t trail[ESP_TRAIL_MAX];
};

struct esp_run {
	struct esp *e;
	unsigned worker;
	struct esp_child *child;
	uint64_t now_ms;
	unsigned n;
	struct esp_item item[ESP_BATCH_MAX];
	struct spi_esp_op op[ESP_BATCH_MAX];
};

/* out.c */
/** Take numbers for n packets, tell the loop when few or none are left.
 * @return how many; *first is the lowest. */
unsigned esp_run_number(struct esp_run *r, unsigned n, uint64_t bytes,
			uint64_t *first);
/** Write ESP headers and IVs at pkt[] and seal r->op[0..n), n <= ESP_BATCH_MAX;
 * each op has its own err then.  0, ERR_CRYPTO or ERR_RANDOM (nothing sealed). */
MUST_USE int esp_run_seal(struct esp_run *r, uint8_t *const *pkt, unsigned n,
			  uint64_t first);
/** Count and io.send; takes the buffers. */
void esp_run_send(struct esp_run *r, struct buf **pkts, unsigned n,
		  uint64_t packets, uint64_t bytes);

/* train.c */
/** Seal and send all frames of the run as trains; takes their buffers. */
void esp_train_run(struct esp_run *r);

#endif
