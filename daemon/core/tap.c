/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/tap.c - frames in and out of a TAP queue.
 *
 * The header's numbers are in the machine's own byte order (no TUNSETVNETLE).
 */
#include "daemon/core/tap.h"
#include <errno.h>
#include <linux/virtio_net.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include "daemon/base/drop.h"
#include "daemon/base/err.h"
#include "daemon/core/lane.h"
#include "daemon/ipc/msg.h"
#include "esp/gso.h"

#define VNET_LEN  sizeof(struct virtio_net_hdr)
#define TCP_FLAGS 13	/* byte of the header */
#define TCP_CSUM  16
#define UDP_CSUM  6
#define TCP_CWR	  0x80

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5 /* Linux 6.2 */
#endif

/* ---- in ---------------------------------------------------------------------- */

/* Does the kind of super-frame fit its headers? */
static bool
fits(const struct virtio_net_hdr *h, const struct esp_l4 *at)
{
	uint16_t off = at->is_tcp ? TCP_CSUM : UDP_CSUM;

	if ((h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) == 0 ||
	    h->gso_size == 0 || h->csum_start != at->l4 ||
	    h->csum_offset != off)
		return false;
	switch (h->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
		return at->is_tcp && at->family == 4;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		return at->is_tcp && at->family == 6;
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		return !at->is_tcp;
	default:
		return false;
	}
}

/* Take the header's word into the buffer.  0 or ERR_SYNTAX. */
static int
describe(struct buf *b, struct tap_count *count)
{
	struct virtio_net_hdr h;
	struct esp_l4 at;
	unsigned n;

	if (b->len <= VNET_LEN)
		return ERR_SYNTAX;
	memcpy(&h, b->data, VNET_LEN);
	if (buf_pull(b, VNET_LEN) != 0)
		return ERR_SYNTAX;
	if (h.gso_type == VIRTIO_NET_HDR_GSO_NONE) {
		count->frames++;
		if ((h.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) == 0)
			return 0;
		return esp_csum_complete(b->data, b->len, h.csum_start,
					 h.csum_offset);
	}
	if (esp_l4_find(buf_view(b), true, &at) != 0 || !fits(&h, &at) ||
	    b->len <= at.data)
		return ERR_SYNTAX;
	b->seg_len = h.gso_size;
	count->supers++;
	n = (b->len - at.data + h.gso_size - 1) / h.gso_size;
	count->frames += n;
	count->in_supers += n;
	return 0;
}

/* One frame as the kernel gives it.  false: there is none. */
static bool
read_frame(int fd, void *p, size_t room, size_t *len, bool *is_gone)
{
	ssize_t n = read(fd, p, room);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		*is_gone = true;
	*len = n > 0 ? (size_t)n : 0;
	return n > 0;
}

/* No buffer: take one frame off, or it would wake us for ever. */
static void
skip_frame(int fd, bool *is_gone)
{
	uint8_t junk[VNET_LEN + 1]; /* less would not take it off */
	size_t len;

	if (read_frame(fd, junk, sizeof(junk), &len, is_gone))
		drop_count(DROP_NO_BUF, 1);
}

/* 0, or the reason to drop what was read. */
static int
accept(struct buf *b, size_t room, uint32_t offloads, struct tap_count *count)
{
	if (b->len == room) { /* or longer: the rest was cut off */
		drop_count(DROP_TOO_BIG, 1);
		return ERR_LONG;
	}
	if ((offloads & IPC_TAP_VNET) == 0) {
		count->frames++;
		return 0;
	}
	if (describe(b, count) == 0)
		return 0;
	drop_count(DROP_TAP_HEADER, 1);
	return ERR_SYNTAX;
}

unsigned
tap_read(int fd, uint32_t offloads, struct buf_pool *pool, struct buf **out,
	 unsigned n, size_t max_bytes, bool *is_gone, struct tap_count *count)
{
	size_t front = (offloads & IPC_TAP_VNET) != 0 ? VNET_LEN : 0;
	size_t bytes = 0, len, room;
	unsigned got = 0;

	while (got < n && bytes < max_bytes) {
		struct buf *b = buf_new(pool);

		if (b == NULL) {
			if (got == 0)
				skip_frame(fd, is_gone);
			break;
		}
		b->data -= front;
		room = buf_tail(b) - BUF_TAIL;
		if (!read_frame(fd, b->data, room, &len, is_gone)) {
			buf_put(b);
			break;
		}
		b->len = (uint32_t)len;
		bytes += len;
		if (accept(b, room, offloads, count) == 0)
			out[got++] = b;
		else
			buf_put(b);
	}
	count->bytes += bytes;
	return got;
}

/* ---- out --------------------------------------------------------------------- */

static void
header(const struct esp_gro_item *it, struct virtio_net_hdr *h)
{
	const struct esp_l4 *at = &it->at;

	memset(h, 0, sizeof(*h));
	if (it->n == 1) {
		if (it->is_checked)
			h->flags = VIRTIO_NET_HDR_F_DATA_VALID;
		return;
	}
	h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	h->gso_type = !at->is_tcp ? VIRTIO_NET_HDR_GSO_UDP_L4 :
	    at->family == 4 ? VIRTIO_NET_HDR_GSO_TCPV4 :
			      VIRTIO_NET_HDR_GSO_TCPV6;
	if (at->is_tcp &&
	    (it->head->data[at->l4 + TCP_FLAGS] & TCP_CWR) != 0)
		h->gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	h->hdr_len = at->data;
	h->gso_size = it->seg_len;
	h->csum_start = at->l4;
	h->csum_offset = at->is_tcp ? TCP_CSUM : UDP_CSUM;
}

static void
write_item(int fd, struct esp_gro_item *it, struct tap_count *count)
{
	struct iovec iov[1 + ESP_GRO_SEGS] __attribute__((uninitialized));
	struct virtio_net_hdr h;
	struct buf *b, *next;
	int n = 1;

	esp_gro_finish(it);
	header(it, &h);
	iov[0] = (struct iovec){ &h, VNET_LEN };
	for (b = it->head; b != NULL; b = b->next)
		iov[n++] = (struct iovec){ b->data, b->len };
	if (writev(fd, iov, n) < 0)
		drop_count(DROP_TAP_WRITE, it->n);
	count->frames += it->n;
	count->bytes += it->bytes;
	if (it->n > 1) {
		count->supers++;
		count->in_supers += it->n;
	}
	for (b = it->head; b != NULL; b = next) {
		next = b->next;
		buf_put(b);
	}
}

void
tap_write(int fd, struct buf *b, struct tap_count *count)
{
	/* A hub has one TAP, so no super-frame can be on its way to one. */
	if (b->seg_len != 0 || write(fd, b->data, b->len) < 0)
		drop_count(DROP_TAP_WRITE, 1);
	count->frames++;
	count->bytes += b->len;
	buf_put(b);
}

void
tap_write_all(const int *fd, unsigned n_lane, struct esp_gro *g,
	      struct tap_count *count)
{
	for (unsigned i = 0; i < g->n; i++) {
		uint32_t h = n_lane == 1 ? 0 :
		    lane_hash(buf_view(g->item[i].head));

		write_item(fd[h & (n_lane - 1)], &g->item[i], count);
	}
	esp_gro_clear(g);
}
