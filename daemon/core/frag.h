/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/frag.h - pieces of datagrams put together again, within bounds.
 *
 * What came as pieces through a packet socket nobody else puts together.  Bounds,
 * so that a stranger gains nothing by sending pieces (all ours but where said):
 *
 *   datagrams waiting   FRAG_SETS sets of FRAG_WAYS; sender and receiver choose
 *                       the set by a secret hash, so one sender cannot push out
 *                       everybody's; in a full set the oldest goes
 *   memory              one big buffer a datagram, none once it is refused
 *   pieces              FRAG_PIECES of a datagram
 *   time                FRAG_MS, then it is dropped
 *   overlap             the datagram is refused, and so is what else comes of
 *                       it (RFC 5722 3; for IPv4 as well); the very same piece
 *                       once more is ignored (RFC 8200 4.5)
 *
 * Thread: one; each worker has its own table.  No lock, no allocation.
 */
#ifndef TAPIR_CORE_FRAG_H
#define TAPIR_CORE_FRAG_H

#include "daemon/base/buf.h"
#include "daemon/base/err.h"
#include "daemon/core/rawip.h"

#define FRAG_SETS   16	/* power of two */
#define FRAG_WAYS   4
#define FRAG_PIECES 64	/* 64 KiB in pieces of 1 KiB; IPv6 has at least 1280 */
#define FRAG_MS	    5000 /* RFC 8200 4.5 allows 60 s; at 64 KiB/s a peer that
			  * takes longer is no use */

struct frag;

/** 0, ERR_NOMEM, ERR_RANDOM. */
MUST_USE int frag_new(struct frag **out);
/** Lets go of what waits.  NULL is fine. */
void frag_free(struct frag *f);
/**
 * Take a piece (rawip_is_piece()).
 *
 * @param big  where datagrams are put together; the caller's thread owns it.
 * @return the datagram this piece completes, owned by the caller, with its
 * addresses in from and to; NULL when pieces are missing or it was dropped
 * (counted).
 */
struct buf *frag_take(struct frag *f, const struct rawip *ip,
		      struct buf_pool *big, uint64_t now_ms);
/** Datagrams that wait for pieces. */
unsigned frag_waiting(const struct frag *f);

#endif
