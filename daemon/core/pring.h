/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/pring.h - raw ESP (protocol 50) from a packet socket's ring.
 *
 * The kernel writes packets into memory we share with it (packet(7), TPACKET_V2:
 * a frame is visible at once, those of TPACKET_V3 only when their block is full
 * or a timer of milliseconds ends).  Nothing is called for a packet, and its
 * frame is given back as soon as it was copied, so the ring never fills
 * because somebody holds a packet.
 *
 * A packet socket sees what arrives before the IP layer does.  Two filters
 * share out the packets, so that each takes exactly what the other leaves:
 *
 *   ring         addressed to this machine's interface, and
 *                IPv4 without options: ESP, and pieces of it (frag.h)
 *                IPv6: ESP at once, or pieces behind a fragment header
 *   raw socket   IPv4 with options; IPv6 with any other extension header;
 *                atomic fragments (RFC 6946)
 *
 * The kernel puts pieces together for the raw socket as well, and nothing tells
 * the result from a packet that came whole: this is why the ring takes the
 * pieces itself.  The raw socket stays open while there is a ring: with it the
 * kernel answers no ESP packet by ICMP "protocol unreachable".
 *
 * The firewall's INPUT chain does not see what the ring takes.  An ESP packet is
 * worth nothing without its keys, and nothing is answered.
 *
 * Thread: the supervisor opens, a worker receives.
 */
#ifndef TAPIR_CORE_PRING_H
#define TAPIR_CORE_PRING_H

#include "daemon/core/core.h"
#include "daemon/core/frag.h"
#include "daemon/core/route.h"

#define PRING_FRAMES	 2048	/* 4 MiB: what 2.5 Gbit/s bring in 10 ms, about
				 * the time for which the scheduler may take
				 * our CPU away; ours */
#define PRING_FRAME_LEN	 2048	/* larger packets, of jumbo frames, come by the
				 * socket's queue, a call for each, in order with
				 * the others */
#define PRING_BLOCK_LEN	 65536	/* what the kernel allocates at once */

struct pring;

/**
 * Open packet sockets with rings, one a worker; the kernel steers by the low
 * bits of the SPI.
 *
 * @param fd  n descriptors, or all -1.
 * @return 0, or ERR_SYS with errno.  Thread: the supervisor, with CAP_NET_RAW.
 */
MUST_USE int pring_open(int fam, int *fd, unsigned n);
/** Let the raw socket take what the rings leave (on) or everything (off). */
MUST_USE int pring_share(int raw_fd, int fam, bool on);

/** Map the ring of a descriptor (borrowed).  0, ERR_NOMEM, ERR_SYS. */
MUST_USE int pring_new(struct pring **out, int fd);
/** NULL is fine. */
void pring_free(struct pring *r);

/* One writer, read for statistics. */
struct pring_count {
	atomic_ullong packets;	/* for us */
	atomic_ullong pieces;	/* of them, pieces of datagrams */
	atomic_ullong transit;	/* for other machines: not ours to count as lost */
	atomic_ullong large;	/* larger than a frame of the ring */
};

/* What a worker receives with. */
struct pring_rx {
	struct buf_pool *big, *slices;
	struct frag *frag;
	struct route *route;
	struct pring_count *count;
};

/**
 * Take packets out of the ring: ESP from its first byte on.
 *
 * @return how many of out[n] were filled; less than n: the ring is empty, or
 * there is no buffer.
 */
unsigned pring_recv(struct pring *r, const struct pring_rx *rx,
		    struct buf **out, unsigned n);

#endif
