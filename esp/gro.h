/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/gro.h - coalescing: TCP segments (and UDP datagrams) of one flow become
 * one super-frame, by reference.
 *
 *   frame 1:  headers | payload 1            headers' | payload 1
 *   frame 2:  headers | payload 2     ->              | payload 2
 *   frame 3:  headers | payload 3                     | payload 3
 *
 * Buffers are chained by buf->next; the first keeps its headers, the others
 * lose theirs.  The rules are those of the kernel's GRO: nothing is merged that
 * cutting the result again (esp/gso.h) would not give back bit by bit, but for
 * an IPv4 identification that stays the same under DF (RFC 6864 4.1).
 *
 * The caller adds the frames of a batch, then takes all items out in order and
 * starts again: nothing waits for a timer.
 *
 * Thread: one; each worker has its own.
 */
#ifndef TAPIR_ESP_GRO_H
#define TAPIR_ESP_GRO_H

#include "daemon/base/base.h"
#include "daemon/base/buf.h"
#include "esp/gso.h"

#define ESP_GRO_MAX	256	/* items of a batch; ours */
#define ESP_GRO_FLOWS	16	/* flows followed at once; power of two; ours */
#define ESP_GRO_SEGS	64	/* frames of an item */

struct esp_gro_item {
	struct buf *head, *tail;	/* chain by next */
	unsigned n;			/* frames in it */
	uint32_t bytes;			/* frame with all payloads */
	uint16_t seg_len;		/* payload of each but the last */
	bool is_checked;		/* the checksum was there and right */
	bool is_fixed_id;		/* IPv4: all have the same identification */
	struct esp_l4 at;		/* valid when is_checked */
};

struct esp_gro {
	bool has_udp;			/* UDP may be merged */
	unsigned n;
	uint16_t flow[ESP_GRO_FLOWS];	/* item it adds to + 1; 0 = none */
	struct esp_gro_item item[ESP_GRO_MAX];
};

void esp_gro_init(struct esp_gro *g, bool has_udp);
/** Take a frame; false when there is no room (it is not taken then): take the
 * items out first.  Frames others hold too are not merged. */
bool esp_gro_add(struct esp_gro *g, struct buf *b);
/** Make an item ready to be written: the headers of one with n > 1 get the
 * length of the whole and the sum of the pseudo header. */
void esp_gro_finish(struct esp_gro_item *it);
/** Forget all items; their buffers are the caller's. */
void esp_gro_clear(struct esp_gro *g);

#endif
