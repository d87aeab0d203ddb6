/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/map.h - hash map with a keyed hash and a hard bound.
 *
 * Keys are fixed-size byte strings copied into the map; values are pointers
 * the caller owns.  The hash key is random per map, so strangers cannot choose
 * collisions.  For control-path tables; not for the packet path.
 *
 * Thread: the owner of the map.
 */
#ifndef TAPIR_BASE_MAP_H
#define TAPIR_BASE_MAP_H

#include "daemon/base/base.h"

#define MAP_KEY_MAX 64 /* bytes in a key; ours */

struct map;

/** @param key_len bytes per key, <= MAP_KEY_MAX.  @param max entries at most. */
MUST_USE int map_new(struct map **out, size_t key_len, size_t max);
/** Free the map, not the values.  NULL is fine. */
void map_free(struct map *m);
/** Value of a key, or NULL. */
void *map_find(const struct map *m, const void *key);
/** Add; 0, ERR_EXISTS, ERR_FULL or ERR_NOMEM. */
MUST_USE int map_add(struct map *m, const void *key, void *value);
/** Take out; the value, or NULL. */
void *map_remove(struct map *m, const void *key);
size_t map_count(const struct map *m);
/** Visit all: start with *it = 0; NULL at the end.  Removing the entry just
 * returned is permitted. */
void *map_next(const struct map *m, size_t *it);

/** SipHash-2-4 of n bytes under a 16-byte key (also for hash tables outside). */
uint64_t siphash(const uint8_t key[16], const void *p, size_t n);

#endif
