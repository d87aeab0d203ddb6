/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/fq.h - frames that wait for their turn, a queue for each flow.
 *
 *   lanes of     | flow 1 ||||||||||||||||| \
 *   TAPs    ---> | flow 2 |                  > a batch: a little of each
 *                | flow 3 |||               /
 *
 * A TAP lets go of its senders as soon as it holds their packets, so a sender of
 * TCP sees nothing of the queue and fills it, and whoever shares it waits as
 * long as all of it takes.  Where a lane stays full the worker therefore
 * takes frames out of it ahead of their time and keeps them here:
 *
 *   - Flows have turns of equally many bytes, and one that had nothing waiting
 *     comes first (RFC 8290): a question and its answer do not wait for bulk.
 *   - What has waited longer than FQ_TARGET_NS all the time for FQ_INTERVAL_NS
 *     loses a segment, and more and more of them until that helps (RFC 8289), so
 *     that the length of a queue is bounded by time, whatever the path's rate.
 *     Where its ends understand ECN a packet is marked instead (RFC 3168).
 *
 * Thread: the worker.
 */
#ifndef TAPIR_CORE_FQ_H
#define TAPIR_CORE_FQ_H

#include "daemon/base/buf.h"

#define FQ_FLOWS	256	/* queues; a power of two; ours */
#define FQ_ITEMS	384	/* frames and super-frames that wait; buffers for
				 * what comes in are left of VPN_POOL_BIG */
#define FQ_AHEAD	256	/* beyond these a lane that stays full is left to
				 * the kernel, and the rest is for others; ours */
#define FQ_QUANTUM	65536u	/* bytes of a turn: a super-frame; ours */
#define FQ_TARGET_NS	UINT64_C(10000000)	/* RFC 8289 4.4: a tenth of the
						 * interval at most; Linux lets
						 * one socket have 4 MiB, 5 ms
						 * of what is sealed */
#define FQ_INTERVAL_NS	UINT64_C(100000000)	/* RFC 8289 4.3 */

struct fq;

/** 0 or ERR_NOMEM. */
MUST_USE int fq_new(struct fq **out);
/** Drops what waits.  NULL is fine. */
void fq_free(struct fq *q);

/** How many wait. */
unsigned fq_count(const struct fq *q);
/** Frames lost since the start, counted as DROP_QUEUE_TAP as well. */
uint64_t fq_dropped(const struct fq *q);

/**
 * Let a frame or super-frame wait; takes it.
 *
 * @param flow    what its flow has in common (lane_hash()).
 * @param now_ns  clk_ns().
 * Beyond FQ_ITEMS the flow that has most loses its oldest.
 */
void fq_add(struct fq *q, struct buf *b, uint32_t flow, uint64_t now_ns);

/**
 * Take those whose turn it is.
 *
 * @param out        at most n.
 * @param max_bytes  it ends behind the frame that reaches them.
 * @return how many; fewer than n and max_bytes: nothing waits any more.
 */
unsigned fq_take(struct fq *q, struct buf **out, unsigned n, size_t max_bytes,
		 uint64_t now_ns);

#endif
