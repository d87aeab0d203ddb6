/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/base/buf.h - packet buffers with head and tail room, from pools.
 *
 *   base           data          data+len              base+room
 *    |<-- head room -->|<--- packet --->|<-- tail room -->|
 *
 * A pool belongs to one thread, which alone may take from it; any thread may
 * give back (lock-free stack).  A buffer has a reference count, so that a frame
 * flooded to n ports is stored once: each holder calls buf_put() once, and who
 * wants to write must be the only holder (buf_is_shared()).
 *
 * A slice is a buffer whose bytes are a part of another one's, its parent,
 * which stays as long as the slice does:
 *
 *   parent  |  packet 1  |  packet 2  |  packet 3  |
 *   slices  |<- room 1 ->|<- room 2 ->|<- room 3 ->|
 *
 * Slices of one parent do not overlap, so each may be written by its holder.
 */
#ifndef TAPIR_BASE_BUF_H
#define TAPIR_BASE_BUF_H

#include "daemon/base/base.h"
#include "daemon/base/addr.h"
#include "daemon/base/err.h"
#include <stdatomic.h>

/* Room in front of a received frame: Ethernet 14 + VLAN 4 are inside; outer
 * IPv6 40 + UDP 8 + ESP 8 + IV 16 + EtherIP 2 + vnet_hdr 12, rounded up. */
#define BUF_HEAD 128
/* Room behind: ESP padding 255 is never that long for us; 16 + 2 + ICV 32. */
#define BUF_TAIL 64
/* Largest frame a buffer of the usual pool holds: an Ethernet MTU of 1500 and
 * VLAN tags, and an outer packet around it. */
#define BUF_ROOM_DEFAULT 2304

struct buf_pool;

struct buf {
	struct buf *next;	/* free for the holder: queues, batches */
	uint8_t *base;
	uint8_t *data;
	uint32_t len;
	uint32_t room;
	atomic_uint n_ref;
	uint32_t port;		/* hub port or SA the packet belongs to */
	uint32_t flow_hash;	/* 0 = not computed */
	uint8_t prio;		/* 0 = control, 1 = data */
	uint8_t kind;		/* free for the holder: what a queue carries */
	/* Several packets in one, 0 = one packet.  A frame: payload bytes of
	 * each segment it is to be cut into.  A train of datagrams: bytes of
	 * each, the last one may be shorter. */
	uint16_t seg_len;
	struct net_ep from;	/* sender of a received datagram */
	struct net_ep to;	/* our address it was sent to (port 0: unknown) */
	struct buf_pool *pool;
	struct buf *parent;	/* a slice: whose bytes these are */
};

/** Make a pool of n buffers with room bytes each (head and tail included), or
 * with room 0 of buffers for slices.
 * @return 0 or ERR_NOMEM; *out is owned by the caller. */
MUST_USE int buf_pool_new(struct buf_pool **out, unsigned n, unsigned room);
/** Free a pool; every buffer must be back.  NULL is fine. */
void buf_pool_free(struct buf_pool *pool);
/** Number of buffers now given out.  Any thread; approximate while running. */
unsigned buf_pool_used(const struct buf_pool *pool);

/** A slice: len bytes at p inside of parent, with no room around.  It holds the
 * parent.  NULL when the pool (one with room 0) is empty.
 * Thread: the pool's owner. */
struct buf *buf_slice(struct buf_pool *pool, struct buf *parent, uint8_t *p,
		      size_t len);
/** Take a buffer: empty, data at BUF_HEAD, one reference.  NULL when the pool
 * is empty.  Thread: the pool's owner. */
struct buf *buf_new(struct buf_pool *pool);
/** One more holder. */
struct buf *buf_get(struct buf *b);
/** Let go; the last holder returns it to its pool.  NULL is fine.  Any thread. */
void buf_put(struct buf *b);
/** True when somebody else holds it too. */
static inline bool buf_is_shared(const struct buf *b);
/** Deep copy of data and meta fields into a new buffer of pool; NULL if full. */
struct buf *buf_copy(struct buf_pool *pool, const struct buf *b);

/** Bytes free before data / after data+len. */
static inline size_t buf_head(const struct buf *b);
static inline size_t buf_tail(const struct buf *b);
/** Grow at the front / back by n; returns the new bytes or NULL if no room. */
static inline uint8_t *buf_push(struct buf *b, size_t n);
static inline uint8_t *buf_append(struct buf *b, size_t n);
/** Cut n bytes from the front / back; 0 or ERR_SHORT. */
MUST_USE static inline int buf_pull(struct buf *b, size_t n);
MUST_USE static inline int buf_trim(struct buf *b, size_t n);
/** View of the packet. */
static inline struct view buf_view(const struct buf *b);

/* ---- small bodies: here, as every packet passes through several ----------------- */

static inline bool
buf_is_shared(const struct buf *b)
{
	return atomic_load_explicit(&b->n_ref, memory_order_acquire) != 1;
}

static inline size_t
buf_head(const struct buf *b)
{
	return (size_t)(b->data - b->base);
}

static inline size_t
buf_tail(const struct buf *b)
{
	return b->room - buf_head(b) - b->len;
}

static inline uint8_t *
buf_push(struct buf *b, size_t n)
{
	if (UNLIKELY(n > buf_head(b)))
		return NULL;
	b->data -= n;
	b->len += (uint32_t)n;
	return b->data;
}

static inline uint8_t *
buf_append(struct buf *b, size_t n)
{
	uint8_t *p;

	if (UNLIKELY(n > buf_tail(b)))
		return NULL;
	p = b->data + b->len;
	b->len += (uint32_t)n;
	return p;
}

static inline int
buf_pull(struct buf *b, size_t n)
{
	if (UNLIKELY(n > b->len))
		return ERR_SHORT;
	b->data += n;
	b->len -= (uint32_t)n;
	return 0;
}

static inline int
buf_trim(struct buf *b, size_t n)
{
	if (UNLIKELY(n > b->len))
		return ERR_SHORT;
	b->len -= (uint32_t)n;
	return 0;
}

static inline struct view
buf_view(const struct buf *b)
{
	return (struct view){ b->data, b->len };
}

#endif
