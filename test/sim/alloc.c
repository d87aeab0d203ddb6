/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/sim/alloc.c - allocations of one engine are counted, and one may fail.
 *
 * The linker sends malloc(), calloc() and realloc() of this program here
 * (--wrap).  The world says whose engine runs; its own allocations, made inside
 * of ops, are not the engine's.
 */
#include <stdlib.h>

#include "test/sim/world.h"

void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);

static const struct sim_host *runs, *watched;
static unsigned n_seen, fail_at;

void
sim_alloc_watch(const struct sim_host *h, unsigned nth)
{
	watched = h;
	fail_at = nth;
	n_seen = 0;
}

unsigned
sim_alloc_seen(void)
{
	return n_seen;
}

const struct sim_host *
sim_alloc_runs(const struct sim_host *h)
{
	const struct sim_host *was = runs;

	runs = h;
	return was;
}

static bool
fails(void)
{
	return runs != NULL && runs == watched && ++n_seen == fail_at;
}

void *
__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}

void *
sim_alloc(size_t n)
{
	void *p = __real_calloc(1, n);

	if (p == NULL)
		abort();
	return p;
}
