/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/work.h - the worker pool (requirements E5 to E7).
 *
 * A worker = its lanes (lane.h) of every TAP and of UDP 4500 + the inbound SAs
 * whose SPI names it, run to completion on batches:
 *
 *   TAP queue  -> hub_input -> esp_output -> UDP socket
 *   UDP socket -> esp_input -> hub_input  -> TAP queue
 *
 * What belongs to another worker is handed over in batches and bounded queues, one
 * a priority.  Control has none of them: IKE comes to the loop by a socket of its
 * own, and new keys are published in tables that every worker sees at once; so
 * it overtakes data (E6).
 */
#ifndef TAPIR_CORE_WORK_H
#define TAPIR_CORE_WORK_H

#include "daemon/core/core.h"

struct work;

/* What came in goes before what goes out: it is done already that far. */
enum work_prio { WORK_IN, WORK_OUT, WORK_PRIO_END };

/** Create the workers' parts (pools, queues), not yet their threads. */
MUST_USE int work_new(struct work **out, struct vpn *v);
/** Start the threads; TAPs and sockets are in place.  cpus: affinity. */
MUST_USE int work_start(struct work *w);
/** Read from the TAP of a realm, or no longer; once each worker was quiet after
 * the latter, descriptors and r->source can go.  Thread: the loop.  0, ERR_NOMEM
 * or ERR_SYS (then work_realm_del() it). */
MUST_USE int work_realm_add(struct work *w, struct vpn_realm *r);
void work_realm_del(struct work *w, struct vpn_realm *r);
void work_sources_free(struct source **source, unsigned n_worker);
/** Do the buffers suffice for the realms of c? */
bool work_has_room(const struct work *w, const struct conf *c);
/** End and join the threads. */
void work_stop(struct work *w);
void work_free(struct work *w);

/** An empty buffer of a worker's pool; the io op of esp and hub. */
struct buf *work_buf_new(void *vpn, unsigned worker);
/** One with room for a train or super-frame, and a slice of one. */
struct buf *work_buf_big(void *vpn, unsigned worker);
struct buf *work_buf_slice(void *vpn, unsigned worker, struct buf *parent,
			   uint8_t *p, size_t len);
/** Send packets and trains on path over fd at the end of the worker's batch, in
 * order; takes them.  Thread: that worker. */
void work_send(struct vpn *v, unsigned worker, int fd,
	       const struct vpn_path *path, struct buf **pkts, unsigned n);
/** Bytes of the largest ESP packet that leaves whole on path, 0 = not known; the
 * io op of esp.  Thread: that worker. */
size_t work_room(void *vpn, unsigned worker, const struct vpn_path *path);
/** Write frames to a TAP at the end of the worker's batch, coalesced; takes
 * them.  Thread: that worker. */
void work_tap_out(struct vpn_realm *r, unsigned worker, struct buf **frames,
		  unsigned n);
/** Hand packets to another worker (WORK_IN: ESP packets, WORK_OUT: frames for
 * link b->port), which is woken once; takes them.  What its queue has no room for
 * is dropped.  Thread: any. */
void work_hand_over(struct work *w, unsigned target, enum work_prio prio,
		    struct buf **b, unsigned n);
/** Have a worker look after what the hubs themselves want to send.  Thread: the
 * loop. */
void work_kick(struct work *w);
/** Count n frames that a worker handed over.  Thread: that worker. */
void work_count_handed(struct work *w, unsigned worker, unsigned n);

/* The four places where packets are counted. */
enum work_stage { WORK_TAP_IN, WORK_NET_OUT, WORK_NET_IN, WORK_TAP_OUT,
		  WORK_STAGE_END };
struct work_flow {
	uint64_t n_batch, n_packet, n_bytes;
	uint64_t n_train;		/* super-frames or trains */
	uint64_t n_in_train;		/* packets that were in one */
};
struct work_queue {
	unsigned n, high, limit;	/* now, ever, at most */
};

struct work_stats {
	uint64_t cpu_ns;		/* CPU time of its thread */
	uint64_t n_drop;		/* dropped by its thread, all reasons */
	struct work_flow flow[WORK_STAGE_END];
	struct work_queue queue[WORK_PRIO_END];
	struct work_queue tap;		/* frames that wait (fq.h) */
	uint64_t n_tap_drop;		/* lost there */
	uint64_t n_wake;		/* times it woke up */
	uint64_t n_rest;		/* times it let packets come together */
	uint64_t n_tap_frames, n_udp_packets, n_raw_packets;
	uint64_t n_tap_batches, n_udp_batches;
	uint64_t n_tap_supers;		/* super-frames read */
	uint64_t n_tap_written, n_tap_merged; /* frames; super-frames made */
	uint64_t n_udp_trains;		/* coalesced datagrams received */
	uint64_t n_sent_packets, n_sent_messages, n_sent_trains;
	uint64_t n_refused_trains;	/* by the kernel */
	uint64_t n_handed_over;		/* to other workers */
	/* of the raw packets, those that came through the ring */
	uint64_t n_ring_packets, n_ring_pieces, n_ring_large;
	uint64_t n_ring_transit;	/* seen there, for other machines */
	unsigned n_queued, n_buf_used, n_big_used;
};
void work_stats_get(const struct work *w, unsigned worker,
		    struct work_stats *out);

#endif
