/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/ring.h - bounded queue of pointers: many producers, one consumer.
 *
 * Lock-free (sequence number per slot).  push fails when full: the caller
 * counts a named drop.  Each pointer pushed happens-before its pop.
 */
#ifndef TAPIR_BASE_RING_H
#define TAPIR_BASE_RING_H

#include "daemon/base/base.h"

struct ring;

/** @param n slots, rounded up to a power of two, 2 .. 65536. */
MUST_USE int ring_new(struct ring **out, unsigned n);
void ring_free(struct ring *r);
/** 0 or ERR_FULL.  Any thread. */
MUST_USE int ring_push(struct ring *r, void *p);
/** Next pointer or NULL when empty.  Thread: the consumer. */
void *ring_pop(struct ring *r);
/** Entries now in the queue; approximate.  Any thread. */
unsigned ring_count(const struct ring *r);

#endif
