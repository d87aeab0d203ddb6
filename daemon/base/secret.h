/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/secret.h - memory for keys: locked, out of dumps, wiped.
 *
 * Secrets live in pages that are mlock()ed, marked DONTDUMP and WIPEONFORK,
 * with a guard page on each side of each region.  The total is bounded
 * (SECRET_MAX_BYTES); where locking is refused by the machine the memory is
 * still kept out of dumps, and secret_is_locked() says so.
 *
 * Thread: any (one lock inside).  There is no print function, on purpose.
 */
#ifndef TAPIR_BASE_SECRET_H
#define TAPIR_BASE_SECRET_H

#include "daemon/base/base.h"

#define SECRET_MAX_BYTES (8u << 20) /* all secrets of a process; ours */

/** n zeroed bytes of secret memory (n <= 64 KiB); NULL when none is left. */
void *secret_alloc(size_t n);
/** Wipe and give back; NULL is fine. */
void secret_free(void *p);
/** False when the machine refused to lock at least one page. */
bool secret_is_locked(void);
/** Bytes given out now. */
size_t secret_used(void);

/** Overwrite with zeros; the compiler cannot drop it. */
void wipe(void *p, size_t n);
/** Constant-time comparison of n bytes: true when equal.  n = 0 is true. */
MUST_USE bool ct_equal(const void *a, const void *b, size_t n);

#endif
