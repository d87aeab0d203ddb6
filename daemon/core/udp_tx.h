/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/udp_tx.h - what a worker sends, collected until the end of its
 * batch: trains leave as one message each (UDP_SEGMENT), several messages in
 * one sendmmsg().
 *
 * Where the kernel refuses a train (its packets are larger than the interface
 * takes, or the device cannot sum them) it leaves packet by packet, and so do
 * the next ones to that address for UDP_TX_RETRY_MS.
 *
 * Thread: one; each worker has its own.
 */
#ifndef TAPIR_CORE_UDP_TX_H
#define TAPIR_CORE_UDP_TX_H

#include "daemon/core/core.h"

#define UDP_TX_MAX	64	/* buffers collected; ours */
#define UDP_TX_BYTES	(256u << 10) /* flushed when more wait; ours */
#define UDP_TX_PEERS	64	/* addresses remembered; power of two; ours */
#define UDP_TX_RETRY_MS 60000

/* One writer, read for statistics. */
struct udp_tx_count {
	atomic_ullong batches;	/* sendmmsg() that took something */
	atomic_ullong messages;	/* to the kernel */
	atomic_ullong trains;	/* of them, with several packets */
	atomic_ullong packets;
	atomic_ullong in_trains; /* of them, in trains */
	atomic_ullong bytes;	/* of packets, from the SPI on */
	atomic_ullong refused;	/* trains the kernel did not take */
};

struct route;
struct udp_tx;

/** @param fallback bits of enum fallback; FALLBACK_UDP_GSO: trains always leave
 * packet by packet.
 * 0 or ERR_NOMEM. */
MUST_USE int udp_tx_new(struct udp_tx **out, uint32_t fallback);
/** Whom to ask about routes (borrowed): where the kernel would choose the wanted
 * source address by itself it need not be told with each raw packet, which
 * costs more than choosing it.  NULL: it is always told. */
void udp_tx_set_route(struct udp_tx *tx, struct route *route);
/** Drops what was not sent.  NULL is fine. */
void udp_tx_free(struct udp_tx *tx);
/** Take n packets or trains for path over fd; flushes when enough is there. */
void udp_tx_add(struct udp_tx *tx, int fd, const struct vpn_path *path,
		struct buf **pkts, unsigned n);
/** Send all.  What the kernel refuses is counted as DROP_SEND. */
void udp_tx_flush(struct udp_tx *tx);
const struct udp_tx_count *udp_tx_counts(const struct udp_tx *tx);

#endif
