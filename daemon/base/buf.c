/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/buf.c - packet buffers from a pool with one owner.
 *
 * Free buffers are in one of three places: not carved yet (the slab's untouched
 * end, so that memory a quiet pool never needed stays out of RAM), on the
 * owner's private list, or on the return stack.  The stack takes single pushes
 * from any thread; the owner takes the whole chain with one exchange, so there
 * is no ABA.
 *
 * Thread: buf_new() the owner, which is the first thread that takes; the rest
 * of a pool any.  No lock, no allocation after buf_pool_new().
 */
#include "daemon/base/buf.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "daemon/base/err.h"
#include "daemon/base/thr.h"

#define CACHE_LINE 64
#define NO_OWNER   THR_MAX

struct buf_pool {
	/* immutable */
	struct buf *bufs;
	uint8_t *slab;
	unsigned n, room;
	size_t map_bytes;
	/* written by the owner */
	_Alignas(CACHE_LINE) struct buf *free;
	unsigned n_carved;
	atomic_uint owner;	/* thr_index(), or NO_OWNER */
	atomic_uint n_out;	/* taken less put by the owner; may wrap */
	/* written by the others */
	_Alignas(CACHE_LINE) _Atomic(struct buf *) back;
	atomic_uint n_back;	/* put by other threads; may wrap */
};

static size_t
round_up(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

/* Only the owner writes, so no locked instruction. */
static void
out_add(struct buf_pool *pool, unsigned n)
{
	atomic_store_explicit(&pool->n_out, n +
	    atomic_load_explicit(&pool->n_out, memory_order_relaxed),
	    memory_order_relaxed);
}

static void
own(struct buf_pool *pool)
{
	unsigned owner = atomic_load_explicit(&pool->owner,
	    memory_order_relaxed);

	if (UNLIKELY(owner == NO_OWNER))
		atomic_store_explicit(&pool->owner, thr_index(),
		    memory_order_relaxed);
#ifdef TAPIR_DEBUG
	else if (owner != thr_index())
		abort();
#endif
}

static struct buf *
take(struct buf_pool *pool)
{
	struct buf *b = pool->free;

	if (b == NULL)
		b = atomic_exchange_explicit(&pool->back, NULL,
		    memory_order_acquire);
	if (b != NULL) {
		pool->free = b->next;
		return b;
	}
	if (pool->n_carved == pool->n)
		return NULL;
	b = &pool->bufs[pool->n_carved];
	b->base = pool->slab + (size_t)pool->n_carved * pool->room;
	b->room = pool->room;
	b->pool = pool;
	pool->n_carved++;
	return b;
}

/* A slice lets its parent go, which is none itself: one step deep for ours. */
static void
give_back(struct buf *b)
{
	struct buf_pool *pool = b->pool;
	struct buf *top;

	if (b->parent != NULL)
		buf_put(b->parent);
	b->parent = NULL;
	if (atomic_load_explicit(&pool->owner, memory_order_relaxed) ==
	    thr_index()) {
		b->next = pool->free;
		pool->free = b;
		out_add(pool, -1u);
		return;
	}
	/* Counted last: a pool that looks idle has had its last push. */
	top = atomic_load_explicit(&pool->back, memory_order_relaxed);
	do {
		b->next = top;
	} while (!atomic_compare_exchange_weak_explicit(&pool->back, &top, b,
	    memory_order_release, memory_order_relaxed));
	atomic_fetch_add_explicit(&pool->n_back, 1, memory_order_release);
}

int
buf_pool_new(struct buf_pool **out, unsigned n, unsigned room)
{
	struct buf_pool *pool;
	size_t heads = round_up(n * sizeof(struct buf), CACHE_LINE);
	uint8_t *mem;

	if (n == 0 || n > 1u << 24 || room > 1u << 20 ||
	    (room != 0 && room < BUF_HEAD + BUF_TAIL))
		return ERR_NOMEM;
	pool = aligned_alloc(CACHE_LINE, sizeof(*pool));
	if (pool == NULL)
		return ERR_NOMEM;
	memset(pool, 0, sizeof(*pool));
	pool->n = n;
	pool->room = (unsigned)round_up(room, CACHE_LINE);
	pool->map_bytes = heads + (size_t)n * pool->room;
	mem = mmap(NULL, pool->map_bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED) {
		free(pool);
		return ERR_NOMEM;
	}
	pool->bufs = (void *)mem;
	pool->slab = mem + heads;
	atomic_init(&pool->owner, NO_OWNER);
	*out = pool;
	return 0;
}

void
buf_pool_free(struct buf_pool *pool)
{
	if (pool == NULL)
		return;
	/* A buffer still out would point into nothing: our own bug. */
	if (buf_pool_used(pool) != 0)
		abort();
	munmap(pool->bufs, pool->map_bytes);
	free(pool);
}

unsigned
buf_pool_used(const struct buf_pool *pool)
{
	unsigned back = atomic_load_explicit(&pool->n_back,
	    memory_order_acquire);
	unsigned used = atomic_load_explicit(&pool->n_out,
	    memory_order_relaxed) - back;

	/* The two loads are not one: a put in between may look negative. */
	return used <= pool->n ? used : 0;
}

/* Meta fields of a buffer just taken. */
static struct buf *
fresh(struct buf_pool *pool, struct buf *b)
{
	out_add(pool, 1);
	b->next = NULL;
	b->len = 0;
	atomic_store_explicit(&b->n_ref, 1, memory_order_relaxed);
	b->port = 0;
	b->flow_hash = 0;
	b->prio = 0;
	b->kind = 0;
	b->seg_len = 0;
	memset(&b->from, 0, sizeof(b->from));
	memset(&b->to, 0, sizeof(b->to));
	return b;
}

struct buf *
buf_new(struct buf_pool *pool)
{
	struct buf *b;

	own(pool);
	if (UNLIKELY(pool->room == 0) || (b = take(pool)) == NULL)
		return NULL;
	b->data = b->base + BUF_HEAD;
	return fresh(pool, b);
}

struct buf *
buf_slice(struct buf_pool *pool, struct buf *parent, uint8_t *p, size_t len)
{
	struct buf *b;

	own(pool);
	if ((b = take(pool)) == NULL)
		return NULL;
	fresh(pool, b);
	b->base = b->data = p;
	b->len = b->room = (uint32_t)len;
	b->parent = buf_get(parent);
	return b;
}

struct buf *
buf_get(struct buf *b)
{
	atomic_fetch_add_explicit(&b->n_ref, 1, memory_order_relaxed);
	return b;
}

void
buf_put(struct buf *b)
{
	if (b == NULL)
		return;
	/* The only holder needs no locked instruction to know that it is. */
	if (atomic_load_explicit(&b->n_ref, memory_order_acquire) != 1 &&
	    atomic_fetch_sub_explicit(&b->n_ref, 1,
	    memory_order_acq_rel) != 1)
		return;
	give_back(b);
}

struct buf *
buf_copy(struct buf_pool *pool, const struct buf *b)
{
	size_t head = buf_head(b);
	struct buf *out;

	if (b->len > pool->room || (out = buf_new(pool)) == NULL)
		return NULL;
	/* Same head room where it fits, else as much as there is. */
	out->data = out->base + MIN(head, (size_t)out->room - b->len);
	out->len = b->len;
	memcpy(out->data, b->data, b->len);
	out->port = b->port;
	out->flow_hash = b->flow_hash;
	out->prio = b->prio;
	out->kind = b->kind;
	out->seg_len = b->seg_len;
	out->from = b->from;
	out->to = b->to;
	return out;
}
