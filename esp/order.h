/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/order.h - packets of an SA in the order of their numbers (requirement E4).
 *
 *   arrived     1  2  4  5  3  6  8  9 ...
 *   delivered   1  2        3 4 5  6  8 9     7 was late: ESP_ORDER_MS after 8
 *                     `-- held --'            came they were not held any longer
 *
 * Ethernet keeps the order of frames, the Internet does not.  A packet that comes
 * before its turn is held, few and briefly; one that comes after its turn is late,
 * and dropped.
 *
 * Thread: the worker that owns the SA.  No lock, no allocation but at the start.
 */
#ifndef TAPIR_ESP_ORDER_H
#define TAPIR_ESP_ORDER_H

#include "daemon/base/base.h"
#include "daemon/base/buf.h"

#define ESP_ORDER_MAX 64	/* numbers ahead of the one awaited; ours */
#define ESP_ORDER_MS  10	/* that a packet is held; ours */

struct esp_order {
	uint64_t next;		/* number awaited */
	unsigned n;		/* packets held */
	uint64_t came_ms[ESP_ORDER_MAX];
	bool is_there[ESP_ORDER_MAX];
	struct buf *held[ESP_ORDER_MAX]; /* NULL: a number without packet */
};

/** Begin before number 1. */
void esp_order_init(struct esp_order *o);
/** Let go of what is held. */
void esp_order_fini(struct esp_order *o);
/** Is its turn over? */
bool esp_order_is_late(const struct esp_order *o, uint64_t seq);
/**
 * A packet whose ICV was right.  May only be called when it is not late and
 * esp_order_has_room() is true.
 *
 * @param b  takes; NULL: what the number was used for is not delivered (a dummy,
 *           or not acceptable), so it is not waited for.
 */
void esp_order_put(struct esp_order *o, uint64_t seq, struct buf *b,
		   uint64_t now_ms);
/** Can it be held?  If not, esp_order_skip() makes room. */
bool esp_order_has_room(const struct esp_order *o, uint64_t seq);
/** Wait no longer for the number awaited: go on with the first that is held. */
void esp_order_skip(struct esp_order *o, uint64_t seq);
/** Give up what has kept others waiting for ESP_ORDER_MS.  True when there was
 * such: then esp_order_take() has something, and there may be more. */
bool esp_order_expire(struct esp_order *o, uint64_t now_ms);
/** The next packet whose turn it is; NULL = none. */
struct buf *esp_order_take(struct esp_order *o);

#endif
