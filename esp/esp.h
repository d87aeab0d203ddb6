/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/esp.h - the face of ESP (RFC 4303): SAs in pairs, output, input.
 *
 *   out:  frames of a link -> child SA -> encapsulate -> number -> seal -> io.send
 *   in:   packets -> SPI -> window check -> open -> window commit -> decapsulate
 *         -> selectors -> io.deliver
 *
 * Everything takes batches of packet buffers.  A *link* is the peer as the
 * IKE engine and the hub know it (a hub port); it has one or more children
 * (pairs of SAs), of which the newest that fits is used for output; flows are
 * spread over those of one bundle (esp/lane.h).
 *
 * What a buffer holds at this face: for a link in mode ETHER an Ethernet frame
 * without FCS, in mode IP an IP packet; on the other side an ESP packet from
 * its SPI on (the UDP or IP header outside is core's).
 *
 * Threads.  The loop adds and removes children (replace, never change: workers
 * read without locks, old versions go through thr_defer()).  Workers 0..n-1
 * call esp_output() and esp_input(), each with its own number; workers are
 * registered with thr_register() and call thr_quiet() between batches.
 */
#ifndef TAPIR_ESP_ESP_H
#define TAPIR_ESP_ESP_H

#include "daemon/base/base.h"
#include "daemon/base/buf.h"
#include "daemon/base/drop.h"
#include "daemon/base/vpn.h"

struct esp;

#define ESP_BATCH_MAX	 64	/* buffers in one call; PERFORMANCE */
#define ESP_WORKER_MAX	 64	/* workers; the SPI has 6 bits for them */
#define ESP_WORKER_BITS	 6	/* low bits of our inbound SPIs: the worker */
#define ESP_WINDOW_BITS	 16320	/* anti-replay window: several workers number the
				 * packets of an SA, and one that is without its
				 * CPU for some ms has old numbers in its hands;
				 * 16 ms at 1 million packets a second; ours */
#define ESP_TRAIN_SEGS	 64	/* packets of a train: UDP_MAX_SEGMENTS of Linux
				 * before 6.9 */
#define ESP_TRAIN_MAX	 65400	/* bytes: with all headers less than the 65,536
				 * above which Linux cuts it before the device */

#define ESP_HEAD_MAX	 48	/* IPv6 header and ports of a packet that is told */

enum esp_event_type {
	ESP_EV_SOFT,	/* most of the sequence numbers or bytes are used */
	ESP_EV_HARD,	/* none are left; output has stopped */
	ESP_EV_MOVED,	/* authenticated packet from another endpoint */
	ESP_EV_SEL,	/* authenticated packet outside of the selectors */
	ESP_EV_STRAY	/* packet with an SPI that no child has; link and
			 * child_id are 0 */
};
struct esp_event {
	enum esp_event_type type;
	uint32_t link;
	uint32_t child_id;
	struct net_ep from;	/* MOVED, STRAY (port 0: it was not in UDP) */
	struct net_ep to;	/* STRAY: our address */
	uint32_t esp_spi;	/* STRAY */
	size_t len;		/* STRAY: bytes of the packet */
	uint8_t head[ESP_HEAD_MAX]; /* SEL: how the packet begins */
	unsigned n_head;
};

struct esp_io {
	void *ctx;
	/** Send n buffers on path; takes them.  One holds a sealed packet, or
	 * with seg_len several: a train (daemon/base/buf.h).  On a worker. */
	void (*send)(void *ctx, unsigned worker, const struct vpn_path *path,
		     struct buf **pkts, unsigned n);
	/** Frames or IP packets that came from link; takes the buffers. */
	void (*deliver)(void *ctx, unsigned worker, uint32_t link,
			struct buf **frames, unsigned n);
	/** An empty buffer of this worker's pool, or NULL. */
	struct buf *(*buf_new)(void *ctx, unsigned worker);
	/** Something the loop should know; called on a worker, at most once per
	 * type and child (MOVED: per new endpoint and second; SEL: in 10 s;
	 * STRAY: five a second in all). */
	void (*event)(void *ctx, unsigned worker, const struct esp_event *ev);
	/** An empty buffer with room for a train (ESP_TRAIN_MAX bytes), or
	 * NULL.  The op itself may be NULL: then there are no trains, and
	 * super-frames are dropped. */
	struct buf *(*big_new)(void *ctx, unsigned worker);
	/** A slice of len bytes at p of parent, or NULL. */
	struct buf *(*slice)(void *ctx, unsigned worker, struct buf *parent,
			     uint8_t *p, size_t len);
	/** Bytes of the largest ESP packet that leaves whole on path, 0 = not
	 * known; the op may be NULL.  TCP super-frames are cut to fit. */
	size_t (*room)(void *ctx, unsigned worker,
		       const struct vpn_path *path);
};

/** 0, ERR_RANGE (n_worker), ERR_NOTFOUND (no such provider or rule), ERR_CRYPTO
 * (provider failed its self-test) or ERR_NOMEM.
 * @param n_worker 1..ESP_WORKER_MAX.  @param provider NULL = best available,
 * or a name ("openssl").  @param rule NULL = default, or a name of esp/rule.h. */
MUST_USE int esp_new(struct esp **out, unsigned n_worker, const struct esp_io *io,
		     const char *provider, const char *rule);
/** Workers have ended and were joined (calls thr_reclaim_all()).  Wipes all
 * keys; NULL is fine. */
void esp_free(struct esp *e);

/** Reserve a free inbound SPI whose low ESP_WORKER_BITS name the worker that
 * the rule gives this link, or where the rule deals out in turn the worker with
 * the fewest pairs of this link.
 *
 * @param like  inbound SPI of the pair it will replace, which keeps its worker
 *              (RFC 9611 3); 0 = none. */
MUST_USE int esp_spi_alloc(struct esp *e, uint32_t realm, uint32_t link,
			   uint32_t like, uint32_t *esp_spi);
void esp_spi_free(struct esp *e, uint32_t esp_spi);
/** Reserve this very SPI (keys set by hand, known-answer tests).
 * 0, ERR_EXISTS, ERR_RANGE (below 256, or its worker does not exist),
 * ERR_LIMIT, ERR_NOMEM. */
MUST_USE int esp_spi_reserve(struct esp *e, uint32_t esp_spi);

/** Install a pair.  Its inbound SPI must be reserved (the reservation passes to
 * the child).  Keys are copied.  Output uses the newest pair that fits at once,
 * but where we were the exchange's responder an older fitting pair goes on
 * until the first packet came in on the new one or 5 s passed (35 s when it is
 * an heir, whose predecessor's end comes first; RFC 7296 2.8).
 * 0, ERR_EXISTS, ERR_NOMEM, ERR_ALG, ERR_LIMIT; ERR_NOTFOUND (SPI not
 * reserved), ERR_UNSUP (mode), ERR_RANGE (an SPI below 256). */
MUST_USE int esp_child_add(struct esp *e, uint32_t link, const struct vpn_child *c);
/** Stop output on a pair; it goes on receiving until esp_child_del(). */
void esp_child_retire(struct esp *e, uint32_t child_id);
/** Remove a pair: output stops at once, keys are wiped when every worker was
 * quiet.  Unknown ids are ignored. */
void esp_child_del(struct esp *e, uint32_t child_id);
/** The link of a pair.  0 or ERR_NOTFOUND.  Thread: the loop. */
MUST_USE int esp_child_link(const struct esp *e, uint32_t child_id,
			    uint32_t *link);
/** Change where its packets go, and how large they may be. */
void esp_child_path(struct esp *e, uint32_t child_id, const struct vpn_path *path);

/* Reasons for a drop of which the pair is known: they are counted by pair, too. */
#define ESP_DROPS 17
extern const enum drop esp_drop_of[ESP_DROPS];

struct esp_child_stats {
	uint64_t rx_packets, rx_bytes;	/* inner bytes, authenticated */
	uint64_t tx_packets, tx_bytes;
	uint64_t last_in_ms, last_out_ms; /* clk_ms(); 0 = never */
	uint64_t seq_out, seq_in;	/* highest used / accepted */
	uint64_t n_replay, n_icv;	/* dropped */
	uint64_t drop[ESP_DROPS];	/* packets, in the order of esp_drop_of */
};
/** Counters of a pair.  0 or ERR_NOTFOUND.  Thread: the loop. */
MUST_USE int esp_child_stats_get(const struct esp *e, uint32_t child_id,
				 struct esp_child_stats *out);
struct esp_child_info {
	uint32_t child_id, link;
	uint32_t esp_spi_in, esp_spi_out;
	unsigned worker_in;		/* owner of what comes in */
	enum vpn_alg alg;
	enum vpn_mode mode;
	struct vpn_path path;
	struct esp_child_stats stats;
};
/** Visit the pairs in use: start with *it = 0; false at the end.
 * Thread: the loop. */
bool esp_child_next(const struct esp *e, size_t *it, struct esp_child_info *out);
/** Sums over all children a link ever had.  Thread: the loop. */
void esp_link_stats_get(const struct esp *e, uint32_t link,
			struct esp_child_stats *out);

/** Seal and send n (<= ESP_BATCH_MAX) frames of a link; takes the buffers
 * (shared ones are not written to).  A frame with seg_len is a super-frame and
 * leaves as its segments (esp/gso.h).  Thread: worker. */
void esp_output(struct esp *e, unsigned worker, uint32_t link,
		struct buf **frames, unsigned n);
/** Open and deliver n (<= ESP_BATCH_MAX) packets; takes the buffers, opens in
 * place, sets b->port to the link.  b->from is the outer sender; b->kind says
 * how it came (VPN_ENCAP_UDP or VPN_ENCAP_ESP).  Either way is accepted for
 * every SA, since a NAT may appear or vanish (RFC 7296 2.23).  A packet must be
 * given to the worker esp_in_worker() names, which alone owns the window:
 * elsewhere it is dropped as esp-spi (debug builds abort).  Thread: worker. */
void esp_input(struct esp *e, unsigned worker, struct buf **pkts, unsigned n);

/** Does a worker hold packets until it is their turn?  Then esp_tick() has to be
 * called every few ms.  Thread: that worker. */
bool esp_is_holding(const struct esp *e, unsigned worker);
/** Deliver what was held for too long.  Thread: that worker. */
void esp_tick(struct esp *e, unsigned worker);

/** Use another rule from now on (running reservations keep their worker).
 * 0 or ERR_NOTFOUND.  Thread: the loop. */
MUST_USE int esp_rule_set(struct esp *e, const char *rule);
/** Which worker an inbound ESP packet belongs to (by SPI), for steering. */
unsigned esp_in_worker(const struct esp *e, const struct buf *pkt);
/** Which worker should seal this frame: the rule's answer; self = the calling
 * worker, which rule "queue" returns. */
unsigned esp_out_worker(const struct esp *e, unsigned self, uint32_t link,
			const struct buf *frame);

/** Bytes added outside of an inner frame or packet of the largest size: ESP,
 * encapsulation, UDP or not, outer IP header.  For MTU computation.  Padding is
 * counted at its worst; an Ethernet header belongs to the frame, not to this. */
unsigned esp_overhead(enum vpn_alg alg, enum vpn_mode mode, enum vpn_encap encap,
		      unsigned outer_family);
/** Bytes of the largest IP packet that leaves whole: behind an untagged Ethernet
 * header in mode ETHER, itself in mode IP.  0: the path is too small for any.
 * @param path_mtu  bytes of the largest outer IP packet. */
unsigned esp_inner_max(enum vpn_alg alg, enum vpn_mode mode, enum vpn_encap encap,
		       unsigned outer_family, unsigned path_mtu);
/** Name of the rule in force.  Thread: the loop. */
const char *esp_rule_name(const struct esp *e);
/** Name of the provider in use. */
const char *esp_provider_name(const struct esp *e);

#endif
