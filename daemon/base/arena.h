/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/arena.h - allocations that are released as a whole.
 *
 * An exchange owns one arena, and what was decoded or built dies with it.
 * Memory is zeroed when given out and wiped when released (it may have held
 * plaintext of a protected message).  Bounded by max_bytes.
 */
#ifndef TAPIR_BASE_ARENA_H
#define TAPIR_BASE_ARENA_H

#include "daemon/base/base.h"

struct arena_block;
struct arena {
	struct arena_block *first;
	size_t used_bytes;
	size_t max_bytes;
};

void arena_init(struct arena *a, size_t max_bytes);
/** Zeroed, aligned for any type.  NULL when the bound or memory is reached. */
void *arena_alloc(struct arena *a, size_t n);
/** Copy of n bytes; NULL as above. */
void *arena_dup(struct arena *a, const void *p, size_t n);
/** Wipe and release everything; the arena is empty and usable again. */
void arena_fini(struct arena *a);

#endif
