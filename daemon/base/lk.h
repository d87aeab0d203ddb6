/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/lk.h - mutex and read-write lock with ranks.
 *
 * Locks are taken in rising rank; debug builds (TAPIR_DEBUG) abort when a
 * thread takes a rank at or below one it holds, or unlocks what it does not
 * hold.
 */
#ifndef TAPIR_BASE_LK_H
#define TAPIR_BASE_LK_H

#include "daemon/base/base.h"
#include <pthread.h>

struct lk {
	pthread_mutex_t m;
	unsigned rank;
};
struct lk_rw {
	pthread_rwlock_t l;
	unsigned rank;
};

void lk_init(struct lk *l, unsigned rank);
void lk_fini(struct lk *l);
void lk_lock(struct lk *l);
void lk_unlock(struct lk *l);
void lk_rw_init(struct lk_rw *l, unsigned rank);
void lk_rw_fini(struct lk_rw *l);
void lk_rw_rdlock(struct lk_rw *l);
void lk_rw_wrlock(struct lk_rw *l);
void lk_rw_unlock(struct lk_rw *l);

#endif
