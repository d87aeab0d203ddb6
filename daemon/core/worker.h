/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/worker.h - one worker: what work.c and drain.c share.
 *
 * Everything but the queues and flags belongs to the worker's thread.
 */
#ifndef TAPIR_CORE_WORKER_H
#define TAPIR_CORE_WORKER_H

#include "daemon/core/fallback.h"
#include "daemon/core/fq.h"
#include "daemon/core/lane.h"
#include "daemon/core/pace.h"
#include "daemon/core/pring.h"
#include "daemon/core/route.h"
#include "daemon/core/tap.h"
#include "daemon/core/udp_tx.h"
#include "daemon/core/work.h"

struct epoll_event;
struct ring;
struct thr;

/* Relaxed atomics: one writer, read for statistics. */
struct counts {
	atomic_ullong wake, rest, handed;
	/* from the TAP, and to it */
	atomic_ullong tap_batches, tap_frames, tap_supers, tap_in_supers, tap_bytes;
	atomic_ullong out_batches, tap_written, tap_merged, out_in_supers, out_bytes;
	/* from the sockets */
	atomic_ullong udp_batches, udp, udp_trains, udp_in_trains, udp_bytes;
	atomic_ullong raw_batches, raw, raw_bytes;
	atomic_ullong queue_high[WORK_PRIO_END];
	atomic_uint thr;		/* index of its thread, for its drops */
	struct pring_count raw_ring;
	atomic_ullong fq_now, fq_high, fq_drop;	/* frames that wait (fq.h) */
};

/* What a descriptor of the worker's epoll set is. */
enum src { SRC_WAKE, SRC_UDP, SRC_RAW4, SRC_RAW6, SRC_RING4, SRC_RING6, SRC_TAP };
struct source {
	struct lane lane;
	enum src src;
	int fd;
	struct vpn_realm *realm; /* of a TAP */
	bool is_small;		/* UDP: the last datagrams were, so take more */
	uint64_t full_ns;	/* TAP: since when it was not empty; 0 = it was */
};

/* How raw ESP is received (rawrx.c). */
struct rawrx {
	struct source source[SRC_RING6 - SRC_RAW4 + 1];
	struct pring *ring[FAM_END];	/* NULL: the raw socket has all */
	struct frag *frag;
	bool is_polling;		/* not in the epoll set: looked at */
	unsigned n_empty;		/* looks that found nothing */
	unsigned n_seen;		/* packets in this window */
	uint64_t window_ns, looked_ns;
};

struct worker {
	struct vpn *vpn;
	unsigned index;
	struct thr *thr;
	struct buf_pool *pool;		/* usual frames */
	struct buf_pool *big;		/* super-frames and trains */
	struct buf_pool *slices;	/* of big ones */
	int ep, wake;
	struct ring *queue[WORK_PRIO_END];
	atomic_bool is_awake;
	atomic_bool is_stopped;
	struct counts n;
	/* collected until the end of a batch */
	struct udp_tx *tx;
	struct vpn_realm *gro_realm;	/* whose TAP gro is for; NULL = empty */
	struct esp_gro gro;
	struct fq *fq;			/* frames from TAPs that wait */
	struct route route;
	struct rawrx rawrx;
	struct pace pace;
	uint64_t turn;			/* rises with each batch */
	unsigned n_source;
	struct source *source;		/* all but those of rawrx */
};

struct work {
	struct vpn *vpn;
	unsigned n;
	unsigned room;		/* of a usual buffer */
	struct worker *worker;
};

static inline void
add(atomic_ullong *c, uint64_t v)
{
	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) +
			      v, memory_order_relaxed);
}

/* drain.c: take a batch of what a source has and run it to completion.  True when
 * the batch was full: there may be more. */
bool drain_udp(struct worker *wk, struct source *s);
bool drain_tap(struct worker *wk, struct source *s);
/** Pass on a batch of the frames that wait.  Returns true while more do. */
bool drain_fq(struct worker *wk);
/** Packets that rawrx.c received; takes them. */
void drain_raw(struct worker *wk, struct buf **b, unsigned n);
/** Send and write what was collected. */
void drain_flush(struct worker *wk);

/* rawrx.c */
/** Map the rings.  0 or ERR_NOMEM. */
MUST_USE int rawrx_init(struct worker *wk);
void rawrx_fini(struct worker *wk);
/** Put its descriptors into the epoll set.  0 or ERR_SYS. */
MUST_USE int rawrx_watch(struct worker *wk);
/** Take a batch of a readable descriptor.  True when it was full. */
bool rawrx_drain(struct worker *wk, enum src src);
/** epoll_wait(), which ends in time for the next rawrx_look(), or is_busy: at
 * once. */
int rawrx_wait(struct worker *wk, struct epoll_event *ev, int n, bool is_busy);
/** Look, when it is time to.  True when there was something. */
bool rawrx_look(struct worker *wk);

#endif
