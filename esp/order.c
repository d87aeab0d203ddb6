/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/order.c - the reorder buffer of one inbound SA.
 *
 * Slot i holds the number that is i modulo ESP_ORDER_MAX, of those from next on;
 * so there is one place for each number, and no search.
 */
#include "esp/order.h"
#include <string.h>

void
esp_order_init(struct esp_order *o)
{
	memset(o, 0, sizeof(*o));
	o->next = 1;
}

void
esp_order_fini(struct esp_order *o)
{
	for (unsigned i = 0; i < ESP_ORDER_MAX; i++)
		buf_put(o->held[i]);
	esp_order_init(o);
}

bool
esp_order_is_late(const struct esp_order *o, uint64_t seq)
{
	return seq < o->next;
}

bool
esp_order_has_room(const struct esp_order *o, uint64_t seq)
{
	return seq - o->next < ESP_ORDER_MAX;
}

void
esp_order_put(struct esp_order *o, uint64_t seq, struct buf *b, uint64_t now_ms)
{
	unsigned i = seq % ESP_ORDER_MAX;

	o->is_there[i] = true;
	o->held[i] = b;
	o->came_ms[i] = now_ms;
	o->n++;
}

struct buf *
esp_order_take(struct esp_order *o)
{
	unsigned i = o->next % ESP_ORDER_MAX;
	struct buf *b = NULL;

	while (b == NULL && o->is_there[i]) {
		b = o->held[i];
		o->held[i] = NULL;
		o->is_there[i] = false;
		o->n--;
		o->next++;
		i = o->next % ESP_ORDER_MAX;
	}
	return b;
}

void
esp_order_skip(struct esp_order *o, uint64_t seq)
{
	uint64_t to = o->next;

	if (o->n == 0) {	/* nobody waits: as if all before had come */
		o->next = seq;
		return;
	}
	while (!o->is_there[to % ESP_ORDER_MAX])
		to++;
	o->next = to;
}

bool
esp_order_expire(struct esp_order *o, uint64_t now_ms)
{
	for (unsigned k = 0; o->n > 0 && k < ESP_ORDER_MAX; k++) {
		uint64_t seq = o->next + k;
		unsigned i = seq % ESP_ORDER_MAX;

		if (!o->is_there[i] ||
		    now_ms - o->came_ms[i] < ESP_ORDER_MS)
			continue;
		esp_order_skip(o, seq);
		return true;
	}
	return false;
}
