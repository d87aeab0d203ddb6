/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/verify/link.h - the secure process's side of the verify child.
 *
 * One question is with the child, the others wait here, bounded in number and
 * bytes.  A child that hangs costs the question it had, and so does a question
 * over which two children ended; the others go to the next child.  Nothing here blocks.
 *
 * Thread: the only one.
 */
#ifndef TAPIR_SECURE_VERIFY_LINK_H
#define TAPIR_SECURE_VERIFY_LINK_H

#include "secure-proc/verify/check.h"
#include "secure-proc/verify/child.h"

#define SEC_LINK_ASKS_MAX  256		/* questions that wait; ours */
#define SEC_LINK_BYTES_MAX (8u << 20)	/* of them together; ours */
#define SEC_LINK_WAIT_MS   4000		/* then the child hangs; ours */

struct sec_link;

/** The answer to a question; from sec_link_input() and sec_link_tick(). */
typedef void sec_link_fn(void *ctx, uint64_t number,
			 const struct sec_checked *a);

/** @param c taken.  0 or ERR_NOMEM. */
MUST_USE int sec_link_new(struct sec_link **out, const struct sec_child *c);
/** Wipe, close and free; NULL is fine. */
void sec_link_free(struct sec_link *l);
/** Where answers go. */
void sec_link_to(struct sec_link *l, sec_link_fn *fn, void *ctx);

/** Ask.  number is not 0 and new.  0, ERR_FULL, ERR_LONG, ERR_NOMEM, or
 * ERR_CLOSED: there is no child any more. */
MUST_USE int sec_link_ask(struct sec_link *l, uint64_t number,
			  const struct sec_check *q, uint64_t now_ms);
/** Readable: read answers.  -1: nothing to wait for. */
int sec_link_fd(const struct sec_link *l);
void sec_link_input(struct sec_link *l, uint64_t now_ms);
/** Milliseconds until sec_link_tick() is due; -1: never. */
int sec_link_due(const struct sec_link *l, uint64_t now_ms);
void sec_link_tick(struct sec_link *l, uint64_t now_ms);

#endif
