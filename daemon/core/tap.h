/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/tap.h - frames in and out of a TAP queue.
 *
 *   kernel -> virtio_net_hdr | frame or super-frame -> buffer with seg_len
 *   frames of a batch -> coalesced (esp/gro.h) -> virtio_net_hdr | headers |
 *   payload | payload ... in one writev()
 *
 * Thread: the worker that owns the queue.
 */
#ifndef TAPIR_CORE_TAP_H
#define TAPIR_CORE_TAP_H

#include "daemon/base/base.h"
#include "daemon/base/buf.h"
#include "esp/gro.h"

#define TAP_BIG_ROOM (65536 + 832)	/* a super-frame of 64 KiB with head and tail;
					 * no multiple of 4 KiB, so that the
					 * heads of buffers share no cache set */

struct tap_count {
	uint64_t supers;	/* super-frames */
	uint64_t frames;	/* frames, segments of super-frames counted */
	uint64_t in_supers;	/* of them, segments of super-frames */
	uint64_t bytes;		/* read or written, headers once a super-frame */
};

/**
 * Read frames until there are none, n are there, or max_bytes were read.
 * Partial checksums are completed; super-frames keep theirs and have seg_len.
 *
 * @param offloads  IPC_TAP_*: what is on.
 * @param is_gone   set when the device is not there any more.
 * @return how many.  What the header describes wrongly is dropped.
 */
unsigned tap_read(int fd, uint32_t offloads, struct buf_pool *pool,
		  struct buf **out, unsigned n, size_t max_bytes, bool *is_gone,
		  struct tap_count *count);
/** Write a frame to a TAP without headers; takes it. */
void tap_write(int fd, struct buf *b, struct tap_count *count);
/** Write what was coalesced, in order, and empty g; takes the buffers.
 * @param fd      n_lane queues (a power of two): each flow has one, and the
 *		  kernel answers it there. */
void tap_write_all(const int *fd, unsigned n_lane, struct esp_gro *g,
		   struct tap_count *count);

#endif
