/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/radius/link.h - the secure process's side of the RADIUS child.
 *
 * Questions go out as they come, the child has many at once.  A child that ends
 * costs those it had.  Nothing here blocks.
 *
 * Thread: the only one.
 */
#ifndef TAPIR_SECURE_RADIUS_LINK_H
#define TAPIR_SECURE_RADIUS_LINK_H

#include "secure-proc/radius/ask.h"
#include "secure-proc/radius/wire.h"

#define SEC_RADIUS_ASKS 512	/* questions that wait; ours */

struct sec_radius_link;

/** The answer to a question; from sec_radius_link_input(). */
typedef void sec_radius_link_fn(void *ctx, const struct sec_radius_reply *a);

/** @param fd of sec_radius_child_start(); taken.  0 or ERR_NOMEM. */
MUST_USE int sec_radius_link_new(struct sec_radius_link **out, int fd);
/** Close and free; NULL is fine. */
void sec_radius_link_free(struct sec_radius_link *l);
/** Where answers go. */
void sec_radius_link_to(struct sec_radius_link *l, sec_radius_link_fn *fn,
			void *ctx);
/** Ask.  The number is not 0 and new.  0, ERR_FULL, ERR_LONG, or ERR_CLOSED:
 * there is no child any more. */
MUST_USE int sec_radius_link_ask(struct sec_radius_link *l,
				 const struct sec_radius_query *q);
/** Readable: read answers.  -1: nothing to wait for. */
int sec_radius_link_fd(const struct sec_radius_link *l);
void sec_radius_link_input(struct sec_radius_link *l);

#endif
