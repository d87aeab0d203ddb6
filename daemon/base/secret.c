/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/secret.c - secret memory: locked regions cut into equal slots.
 *
 *   | guard page | region: REGION_BYTES, slots of one size | guard page |
 *
 * A region serves one slot size at a time; an empty one may change to another
 * size.  Which slots are given out is a bitmap outside of the region, so an
 * overflow inside of it cannot corrupt the bookkeeping.  Free slots are zero:
 * they are wiped when they come back.
 *
 * A new region needs mmap, mlock, madvise and mprotect, which the filters of
 * both processes permit.
 *
 * Thread: any (one leaf lock).
 */
#include "daemon/base/secret.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define REGION_BYTES (64u << 10) /* largest secret; ours */
#define REGION_MAX   (SECRET_MAX_BYTES / REGION_BYTES)
#define SLOT_MIN     64u
#define MAP_WORDS    (REGION_BYTES / SLOT_MIN / 64)

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#endif
#ifdef HAS_ASAN
#include <sanitizer/asan_interface.h>
#define HIDE(p_, n_) ASAN_POISON_MEMORY_REGION(p_, n_)
#define SHOW(p_, n_) ASAN_UNPOISON_MEMORY_REGION(p_, n_)
#else
#define HIDE(p_, n_) ((void)0)
#define SHOW(p_, n_) ((void)0)
#endif

struct region {
	uint8_t *mem;		/* NULL: not mapped yet */
	uint32_t slot_bytes;
	uint32_t n_used;
	uint64_t map[MAP_WORDS]; /* bit set: slot is given out */
};

static const uint32_t slot_sizes[] = {
	64, 128, 256, 512, 1024, 4096, 16384, REGION_BYTES
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct region regions[REGION_MAX] GUARDED_BY(lock);
static size_t n_region GUARDED_BY(lock);
static size_t used_bytes GUARDED_BY(lock);
static bool is_refused GUARDED_BY(lock);

static uint8_t *
region_map(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *all = mmap(NULL, REGION_BYTES + 2 * page,
	    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *mem;

	if (all == MAP_FAILED)
		return NULL;
	mem = all + page;
	/* Memory that may reach a dump or a child is no secret memory. */
	if (mprotect(all, page, PROT_NONE) != 0 ||
	    mprotect(mem + REGION_BYTES, page, PROT_NONE) != 0 ||
	    madvise(mem, REGION_BYTES, MADV_DONTDUMP) != 0 ||
	    madvise(mem, REGION_BYTES, MADV_WIPEONFORK) != 0) {
		munmap(all, REGION_BYTES + 2 * page);
		return NULL;
	}
	if (mlock(mem, REGION_BYTES) != 0)
		is_refused = true;
	HIDE(mem, REGION_BYTES);
	return mem;
}

/* A region with a free slot of this size; maps or converts one if need be. */
static struct region *
region_for(uint32_t slot_bytes)
{
	struct region *r, *empty = NULL;

	for (size_t i = 0; i < n_region; i++) {
		r = &regions[i];
		if (r->slot_bytes == slot_bytes &&
		    r->n_used < REGION_BYTES / slot_bytes)
			return r;
		if (r->n_used == 0)
			empty = r;
	}
	if (empty == NULL) {
		if (n_region == REGION_MAX)
			return NULL;
		r = &regions[n_region];
		if ((r->mem = region_map()) == NULL)
			return NULL;
		n_region++;
		empty = r;
	}
	empty->slot_bytes = slot_bytes;
	return empty;
}

static void *
slot_take(struct region *r)
{
	size_t n = REGION_BYTES / r->slot_bytes;

	for (size_t i = 0; i < n; i++) {
		uint64_t bit = UINT64_C(1) << i % 64;

		if (r->map[i / 64] == UINT64_MAX) {
			i |= 63;
			continue;
		}
		if ((r->map[i / 64] & bit) != 0)
			continue;
		r->map[i / 64] |= bit;
		r->n_used++;
		used_bytes += r->slot_bytes;
		SHOW(r->mem + i * r->slot_bytes, r->slot_bytes);
		return r->mem + i * r->slot_bytes;
	}
	return NULL;
}

static struct region *
region_of(const void *p)
{
	uintptr_t at = (uintptr_t)p;

	for (size_t i = 0; i < n_region; i++)
		if (at - (uintptr_t)regions[i].mem < REGION_BYTES)
			return &regions[i];
	return NULL;
}

void *
secret_alloc(size_t n)
{
	struct region *r;
	void *p = NULL;
	size_t cls = 0;

	if (n > REGION_BYTES)
		return NULL;
	while (slot_sizes[cls] < n)
		cls++;
	pthread_mutex_lock(&lock);
	if ((r = region_for(slot_sizes[cls])) != NULL)
		p = slot_take(r);
	pthread_mutex_unlock(&lock);
	return p;
}

void
secret_free(void *p)
{
	struct region *r;
	size_t i;

	if (p == NULL)
		return;
	pthread_mutex_lock(&lock);
	r = region_of(p);
	/* A stranger's pointer, a middle or a second free: our own bug, and
	 * going on would hand one secret to two owners. */
	if (r == NULL)
		abort();
	i = (size_t)((uint8_t *)p - r->mem) / r->slot_bytes;
	if (p != r->mem + i * r->slot_bytes ||
	    (r->map[i / 64] >> i % 64 & 1) == 0)
		abort();
	wipe(p, r->slot_bytes);
	HIDE(p, r->slot_bytes);
	r->map[i / 64] &= ~(UINT64_C(1) << i % 64);
	r->n_used--;
	used_bytes -= r->slot_bytes;
	pthread_mutex_unlock(&lock);
}

bool
secret_is_locked(void)
{
	bool is_ok;

	pthread_mutex_lock(&lock);
	is_ok = !is_refused;
	pthread_mutex_unlock(&lock);
	return is_ok;
}

size_t
secret_used(void)
{
	size_t n;

	pthread_mutex_lock(&lock);
	n = used_bytes;
	pthread_mutex_unlock(&lock);
	return n;
}

void
wipe(void *p, size_t n)
{
	if (n > 0)
		explicit_bzero(p, n);
}

bool
ct_equal(const void *a, const void *b, size_t n)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t diff = 0;

	for (size_t i = 0; i < n; i++)
		diff |= x[i] ^ y[i];
	return diff == 0;
}
