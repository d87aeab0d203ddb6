/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/sad.h - the tables of SAs: by inbound SPI, by link, by id.
 *
 * Workers look up without locks: chains and sets are atomic pointers that only
 * the loop changes, and what it takes out is freed after every worker was
 * quiet (thr_defer).  Reservations and ids are the loop's own.
 */
#ifndef TAPIR_ESP_SAD_H
#define TAPIR_ESP_SAD_H

#include "daemon/base/base.h"
#include "daemon/base/list.h"
#include "daemon/base/map.h"
#include "esp/sa.h"

#define ESP_CHILD_MAX	16384	/* pairs, by the memory for keys; ours */
#define ESP_LINK_MAX	16384	/* links remembered for their counters; ours */
#define ESP_SET_MAX	64	/* pairs of one link; ours */
#define ESP_SAD_BUCKETS 8192	/* power of two */

struct esp_sad {
	/* written by the loop, read by workers */
	_Atomic(struct esp_child *) by_spi[ESP_SAD_BUCKETS];
	_Atomic(struct esp_link *) by_link[ESP_SAD_BUCKETS];
	/* loop only */
	struct map *by_id;	/* id -> struct esp_child, live ones */
	struct map *spis;	/* SPI -> reserved, in use or dying */
	struct list stuck;	/* graves thr_defer() had no memory for */
	unsigned n_child;	/* live and dying */
	unsigned n_link;
	uint32_t n_link_made, n_spi_made;
};

/** 0 or ERR_NOMEM. */
MUST_USE int esp_sad_new(struct esp_sad **out);
/** Workers were joined and thr_reclaim_all() was called. */
void esp_sad_free(struct esp_sad *s);

/** Reserve an inbound SPI: 0, ERR_RANGE (reserved by IANA), ERR_EXISTS,
 * ERR_LIMIT or ERR_NOMEM.  Thread: loop. */
MUST_USE int esp_sad_spi_add(struct esp_sad *s, uint32_t esp_spi);
/** Give a reservation back that no pair has taken. */
void esp_sad_spi_del(struct esp_sad *s, uint32_t esp_spi);

/** Publish a pair; takes c on success only.
 * 0, ERR_EXISTS (id or SPI in use), ERR_NOTFOUND (SPI not reserved),
 * ERR_LIMIT or ERR_NOMEM.  Thread: loop. */
MUST_USE int esp_sad_add(struct esp_sad *s, uint32_t link, uint32_t realm,
			 struct esp_child *c);
/** Take a pair out of its link's set, so that nothing is sent on it.
 * Thread: loop. */
void esp_sad_retire(struct esp_child *c);
/** Take a pair out; it is freed later.  Thread: loop. */
void esp_sad_del(struct esp_sad *s, struct esp_child *c);
/** New path of a pair.  0 or ERR_NOMEM.  Thread: loop. */
MUST_USE int esp_sad_path(struct esp_sad *s, struct esp_child *c,
			  const struct vpn_path *path);
/** Pair by id; NULL.  Thread: loop. */
struct esp_child *esp_sad_id(const struct esp_sad *s, uint32_t id);

/** Pair by inbound SPI; NULL.  Any thread, until its next quiet point. */
struct esp_child *esp_sad_spi(const struct esp_sad *s, uint32_t esp_spi);
/** Link by number; NULL.  Any thread, until its next quiet point. */
struct esp_link *esp_sad_link(const struct esp_sad *s, uint32_t link);

#endif
