/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/lk.c - pthread locks; debug builds check ranks and holders.
 *
 * A thread's held locks are a small array in thread-local memory; unlocking
 * out of order is fine, taking out of order is not.
 */
#include "daemon/base/lk.h"
#include <stdlib.h>

#ifdef TAPIR_DEBUG
#include <stdio.h>

#define LK_HELD_MAX 16 /* locks one thread holds at a time; ours */

struct held {
	const void *lock;
	unsigned rank;
};
static _Thread_local struct held held[LK_HELD_MAX];
static _Thread_local unsigned n_held;

static void
bug(const char *what, unsigned rank)
{
	fprintf(stderr, "lk: %s (rank %u)\n", what, rank);
	abort();
}

static void
note_lock(const void *lock, unsigned rank)
{
	for (unsigned i = 0; i < n_held; i++)
		if (rank <= held[i].rank)
			bug("lock taken at or below the rank of one held", rank);
	if (n_held == LK_HELD_MAX)
		bug("too many locks held", rank);
	held[n_held++] = (struct held){ lock, rank };
}

static void
note_unlock(const void *lock, unsigned rank)
{
	for (unsigned i = n_held; i-- > 0;) {
		if (held[i].lock != lock)
			continue;
		for (; i + 1 < n_held; i++)
			held[i] = held[i + 1];
		n_held--;
		return;
	}
	bug("unlocked by a thread that does not hold it", rank);
}
#else
static void
note_lock(const void *lock UNUSED, unsigned rank UNUSED)
{
}

static void
note_unlock(const void *lock UNUSED, unsigned rank UNUSED)
{
}
#endif

/* Errors of these calls are our own bugs: a lock not initialised, destroyed
 * while held, or taken twice. */
static void
must(int rc)
{
	if (UNLIKELY(rc != 0))
		abort();
}

void
lk_init(struct lk *l, unsigned rank)
{
	must(pthread_mutex_init(&l->m, NULL));
	l->rank = rank;
}

void
lk_fini(struct lk *l)
{
	must(pthread_mutex_destroy(&l->m));
}

void
lk_lock(struct lk *l)
{
	note_lock(l, l->rank);
	must(pthread_mutex_lock(&l->m));
}

void
lk_unlock(struct lk *l)
{
	note_unlock(l, l->rank);
	must(pthread_mutex_unlock(&l->m));
}

void
lk_rw_init(struct lk_rw *l, unsigned rank)
{
	must(pthread_rwlock_init(&l->l, NULL));
	l->rank = rank;
}

void
lk_rw_fini(struct lk_rw *l)
{
	must(pthread_rwlock_destroy(&l->l));
}

void
lk_rw_rdlock(struct lk_rw *l)
{
	note_lock(l, l->rank);
	must(pthread_rwlock_rdlock(&l->l));
}

void
lk_rw_wrlock(struct lk_rw *l)
{
	note_lock(l, l->rank);
	must(pthread_rwlock_wrlock(&l->l));
}

void
lk_rw_unlock(struct lk_rw *l)
{
	note_unlock(l, l->rank);
	must(pthread_rwlock_unlock(&l->l));
}
