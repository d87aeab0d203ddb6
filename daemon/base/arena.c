/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/arena.c - a chain of blocks, cut from the front, freed at once.
 *
 * used_bytes counts what was asked for after rounding; blocks are allocated in
 * ARENA_BLOCK steps, or alone for what is larger.
 *
 * Thread: the owner of the arena.
 */
#include "daemon/base/arena.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/secret.h"

#define ARENA_BLOCK 4096 /* bytes of a usual block: one message's worth; ours */
#define ARENA_MOST  ((size_t)1 << 30) /* bound of bounds: sums cannot overflow */

struct arena_block {
	struct arena_block *next;
	size_t cap;
	size_t used;
	_Alignas(max_align_t) uint8_t mem[];
};

static struct arena_block *
block_new(struct arena *a, size_t n)
{
	size_t cap = MAX(n, (size_t)ARENA_BLOCK - sizeof(struct arena_block));
	struct arena_block *b = calloc(1, sizeof(*b) + cap);

	if (b == NULL)
		return NULL;
	b->cap = cap;
	b->next = a->first;
	a->first = b;
	return b;
}

void
arena_init(struct arena *a, size_t max_bytes)
{
	a->first = NULL;
	a->used_bytes = 0;
	a->max_bytes = MIN(max_bytes, ARENA_MOST);
}

void *
arena_alloc(struct arena *a, size_t n)
{
	const size_t align = _Alignof(max_align_t);
	struct arena_block *b = a->first;
	void *p;

	/* Zero bytes still get an address of their own. */
	if (n > a->max_bytes - a->used_bytes)
		return NULL;
	n = MAX((n + align - 1) / align * align, align);
	if (n > a->max_bytes - a->used_bytes)
		return NULL;
	if (b == NULL || n > b->cap - b->used) {
		if ((b = block_new(a, n)) == NULL)
			return NULL;
	}
	p = b->mem + b->used;
	b->used += n;
	a->used_bytes += n;
	return p;
}

void *
arena_dup(struct arena *a, const void *p, size_t n)
{
	void *out = arena_alloc(a, n);

	if (out != NULL && n > 0)
		memcpy(out, p, n);
	return out;
}

void
arena_fini(struct arena *a)
{
	struct arena_block *b = a->first, *next;

	for (; b != NULL; b = next) {
		next = b->next;
		wipe(b->mem, b->used);
		free(b);
	}
	a->first = NULL;
	a->used_bytes = 0;
}
