/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/rule.h - which worker does what: named rules (requirement E5).
 *
 *   name         sealing (outbound)            opening (SPI, at reservation)
 *   queue        the worker that read it       dealt out in turn
 *   destination  hash of the inner address     dealt out in turn
 *   spi          hash of the outbound SPI,     dealt out in turn
 *                or its lane (esp/lane.h)
 *   peer         hash of the link              the same
 *   realm        the realm's index             the same
 *   round-robin  links dealt out in turn       dealt out in turn
 *
 * The answer for one flow stays the same as long as the rule does, so packets
 * keep their order.
 *
 * Thread: pure functions over constants; a rule may be replaced while workers
 * run.
 */
#ifndef TAPIR_ESP_RULE_H
#define TAPIR_ESP_RULE_H

#include "daemon/base/base.h"

#define ESP_RULE_DEFAULT "queue"

/* What a rule may look at. */
struct esp_task {
	unsigned self;		/* worker that holds the frame */
	uint32_t realm;
	uint32_t link;
	uint32_t order;		/* running number of the link or reservation */
	uint32_t esp_spi;	/* outbound; 0 = none yet */
	bool is_ether;		/* what frame is */
	struct view frame;	/* empty at a reservation */
	bool has_lane;		/* esp_spi is one of a bundle's */
	unsigned n_lane;	/* SAs of the bundle */
	uint32_t lane;
};

struct esp_rule {
	const char *name;
	/** Any number; the caller reduces it to the count of workers. */
	uint32_t (*out)(const struct esp_task *t);
	uint32_t (*in)(const struct esp_task *t);
	bool is_in_turn;	/* in deals out: less busy ones come first */
};

/** Rule by name, NULL = default; NULL when there is none. */
const struct esp_rule *esp_rule_find(const char *name);
/** The list; NULL at the end. */
const struct esp_rule *esp_rule_at(unsigned i);

#endif
