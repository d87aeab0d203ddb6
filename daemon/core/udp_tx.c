/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/udp_tx.c - what a worker sends, collected.
 *
 * A cursor (buffer, offset) walks over what is to be sent: a step is a whole
 * train where the kernel takes one, else a packet.  Whatever sendmmsg() did not
 * take, the walk continues behind what it did.
 */
#include "daemon/core/udp_tx.h"
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "daemon/base/clk.h"
#include "daemon/base/drop.h"
#include "daemon/base/log.h"
#include "daemon/core/fallback.h"
#include "daemon/core/route.h"
#include "daemon/core/udp.h"

#define UDP_RETRIES 4	/* times a full socket buffer is tried again, the last
			 * one after a wait; then the path is full, and what is
			 * left of a batch is dropped as any full queue does */
#define IP6_LEN	    40
#define UDP_LEN	    8
#define UDP_WAIT_MS 1	/* others wait for this thread meanwhile */
#define SEND_MAX    64	/* messages in one sendmmsg() */

/* A buffer and where it goes. */
struct slot {
	struct buf *b;
	struct ip_addr remote;
	bool is_raw;
	union udp_sa to;
	socklen_t to_len;
	union udp_ctl ctl;	/* source address, then room for the size */
	size_t ctl_len;
	uint32_t cut;		/* IPv6: pieces of at most so many bytes; 0 =
				 * as the kernel likes */
};

/* An address to which trains of packets of max bytes or more do not go. */
struct peer {
	struct ip_addr ip;
	uint16_t max;
	uint64_t until_ms;
};

struct cursor {
	unsigned slot;
	uint32_t at;
};

struct udp_tx {
	bool has_gso;
	bool is_refusing;	/* behave as if the kernel refused trains */
	struct route *route;	/* NULL: none */
	int fd;
	unsigned n;
	size_t bytes;
	uint32_t cut;		/* of the socket, now */
	struct slot slot[UDP_TX_MAX];
	struct peer peer[UDP_TX_PEERS];
	struct udp_tx_count count;
};

int
udp_tx_new(struct udp_tx **out, uint32_t fallback)
{
	struct udp_tx *tx = calloc(1, sizeof(*tx));

	if (tx == NULL)
		return ERR_NOMEM;
	tx->has_gso = !fallback_has(fallback, FALLBACK_UDP_GSO);
	tx->is_refusing = fallback_has(fallback, FAULT_GSO_REFUSED);
	tx->fd = -1;
	*out = tx;
	return 0;
}

void
udp_tx_set_route(struct udp_tx *tx, struct route *route)
{
	tx->route = route;
}

static void
count(atomic_ullong *c, uint64_t n)
{
	atomic_store_explicit(c, n +
	    atomic_load_explicit(c, memory_order_relaxed),
	    memory_order_relaxed);
}

static void
release(struct udp_tx *tx)
{
	for (unsigned i = 0; i < tx->n; i++)
		buf_put(tx->slot[i].b);
	tx->n = 0;
	tx->bytes = 0;
}

void
udp_tx_free(struct udp_tx *tx)
{
	if (tx == NULL)
		return;
	release(tx);
	free(tx);
}

/* ---- who takes trains ---------------------------------------------------------- */

static struct peer *
peer_of(struct udp_tx *tx, const struct ip_addr *ip)
{
	unsigned h = 0;

	for (size_t i = 0; i < ip_len(ip); i++)
		h = h * 31 + ip->b[i];
	return &tx->peer[h % UDP_TX_PEERS];
}

static bool
takes_trains(struct udp_tx *tx, const struct slot *s)
{
	struct peer *p = peer_of(tx, &s->remote);

	if (!tx->has_gso || s->is_raw || s->b->seg_len == 0)
		return false;
	if (p->until_ms == 0 || !ip_equal(&p->ip, &s->remote) ||
	    s->b->seg_len < p->max)
		return true;
	if (clk_ms() < p->until_ms)
		return false;
	p->until_ms = 0;
	return true;
}

/* EINVAL, EMSGSIZE: packets larger than the interface takes (which a single
 * datagram may be: it is fragmented).  EIO: the device cannot sum. */
static bool
is_refusal(int err)
{
	return err == EINVAL || err == EMSGSIZE || err == EIO ||
	    err == EOPNOTSUPP;
}

static void
remember(struct udp_tx *tx, const struct slot *s, int err)
{
	struct peer *p = peer_of(tx, &s->remote);
	uint16_t max = err == EINVAL || err == EMSGSIZE ? s->b->seg_len : 0;

	count(&tx->count.refused, 1);
	if (p->until_ms != 0 && ip_equal(&p->ip, &s->remote))
		max = MIN(max, p->max);
	*p = (struct peer){ s->remote, max, clk_ms() + UDP_TX_RETRY_MS };
	log_rl(LOG_INFO, "core", "the kernel takes no trains of %u-byte packets "
	       "here: %s", s->b->seg_len, strerror(err));
}

/* ---- the walk ------------------------------------------------------------------ */

/* Describe the step at c; returns its length. */
static uint32_t
step(struct udp_tx *tx, const struct cursor *c, struct msghdr *h,
     struct iovec *iov)
{
	struct slot *s = &tx->slot[c->slot];
	bool is_train = c->at == 0 && takes_trains(tx, s);
	uint32_t len = s->b->len - c->at;

	if (s->b->seg_len != 0 && !is_train)
		len = MIN(len, s->b->seg_len);
	*iov = (struct iovec){ s->b->data + c->at, len };
	*h = (struct msghdr){
		.msg_name = &s->to,
		.msg_namelen = s->to_len,
		.msg_iov = iov,
		.msg_iovlen = 1,
		.msg_control = &s->ctl,
		.msg_controllen = s->ctl_len,
	};
	if (is_train)
		h->msg_controllen = udp_ctl_segment(&s->ctl, s->ctl_len,
						    s->b->seg_len);
	if (h->msg_controllen == 0)
		h->msg_control = NULL;
	return len;
}

static void
move(const struct udp_tx *tx, struct cursor *c, uint32_t len)
{
	c->at += len;
	if (c->at >= tx->slot[c->slot].b->len) {
		c->slot++;
		c->at = 0;
	}
}

static unsigned
packets_in(const struct udp_tx *tx, const struct cursor *c, uint32_t len)
{
	uint16_t seg = tx->slot[c->slot].b->seg_len;

	return seg == 0 ? 1 : (len + seg - 1) / seg;
}

/* All that is left is lost. */
static void
drop_rest(struct udp_tx *tx, struct cursor *c)
{
	for (; c->slot < tx->n; c->slot++, c->at = 0)
		drop_count(DROP_SEND, packets_in(tx, c,
			   tx->slot[c->slot].b->len - c->at));
}

/* The first step was refused: try again, in another way, or skip it. */
static void
refused(struct udp_tx *tx, struct cursor *c, uint32_t len, unsigned *retry)
{
	struct pollfd room = { .fd = tx->fd, .events = POLLOUT };
	bool is_full = errno == EAGAIN || errno == ENOBUFS || errno == EINTR;
	unsigned n = packets_in(tx, c, len);

	if (is_full && ++*retry <= UDP_RETRIES) {
		if (*retry == UDP_RETRIES)
			(void)poll(&room, 1, UDP_WAIT_MS);
		return;
	}
	if (n > 1 && is_refusal(errno)) {
		remember(tx, &tx->slot[c->slot], errno);
		return;
	}
	log_rl(LOG_WARN, "core", "cannot send ESP: %s", strerror(errno));
	if (is_full) {
		drop_rest(tx, c);
		return;
	}
	drop_count(DROP_SEND, n); /* the next may not be refused */
	move(tx, c, len);
}

/* Routers do not cut IPv6, and where ICMP is filtered the kernel does not know
 * that it has to: it is told what was found out (RFC 8200 4.5). */
static void
set_cut(struct udp_tx *tx, uint32_t cut)
{
	int v = (int)cut;

	if (LIKELY(cut == tx->cut))
		return;
	if (setsockopt(tx->fd, IPPROTO_IPV6, IPV6_MTU, &v, sizeof(v)) != 0)
		log_rl(LOG_INFO, "core", "the kernel is not told the size of a "
		       "path: %s", strerror(errno));
	tx->cut = cut;
}

/* One sendmmsg() from c on; *retry counts those that took nothing. */
static void
send_some(struct udp_tx *tx, struct cursor *c, unsigned *retry)
{
	struct mmsghdr m[SEND_MAX] __attribute__((uninitialized));
	struct iovec iov[SEND_MAX] __attribute__((uninitialized));
	uint32_t len[SEND_MAX] __attribute__((uninitialized));
	unsigned n = 0, packets = 0, trains = 0, in_trains = 0;
	struct cursor walk = *c;
	uint64_t bytes = 0;
	int sent;

	set_cut(tx, tx->slot[walk.slot].cut);
	for (; n < SEND_MAX && walk.slot < tx->n &&
	     tx->slot[walk.slot].cut == tx->cut; n++) {
		len[n] = step(tx, &walk, &m[n].msg_hdr, &iov[n]);
		move(tx, &walk, len[n]);
	}
	if (UNLIKELY(tx->is_refusing) && packets_in(tx, c, len[0]) > 1) {
		errno = EIO;
		sent = -1;
	} else {
		sent = sendmmsg(tx->fd, m, n, 0);
	}
	if (sent < 0) {
		refused(tx, c, len[0], retry);
		return;
	}
	for (int i = 0; i < sent; i++) {
		unsigned k = packets_in(tx, c, len[i]);

		packets += k;
		bytes += len[i];
		trains += k > 1;
		in_trains += k > 1 ? k : 0;
		move(tx, c, len[i]);
	}
	count(&tx->count.batches, 1);
	count(&tx->count.messages, (unsigned)sent);
	count(&tx->count.packets, packets);
	count(&tx->count.trains, trains);
	count(&tx->count.in_trains, in_trains);
	count(&tx->count.bytes, bytes);
}

void
udp_tx_flush(struct udp_tx *tx)
{
	struct cursor c = { 0, 0 };
	unsigned retry = 0;

	while (c.slot < tx->n)
		send_some(tx, &c, &retry);
	if (tx->n > 0)
		set_cut(tx, 0);
	release(tx);
}

/* Would the kernel choose our address of the path? */
static bool
is_natural(struct udp_tx *tx, const struct vpn_path *path)
{
	return tx->route != NULL &&
	    ip_equal(&route_find(tx->route, &path->remote.ip, clk_ms())->from,
		     &path->local.ip);
}

/* Packets of b that do not leave whole: the size of their pieces. */
static uint32_t
cut_of(const struct vpn_path *path, const struct buf *b)
{
	uint32_t len = b->seg_len != 0 ? b->seg_len : b->len;

	if (LIKELY(path->mtu == 0 || path->remote.ip.family != 6))
		return 0;
	len += IP6_LEN + (path->encap == VPN_ENCAP_ESP ? 0 : UDP_LEN);
	return len > path->mtu ? path->mtu : 0;
}

void
udp_tx_add(struct udp_tx *tx, int fd, const struct vpn_path *path,
	   struct buf **pkts, unsigned n)
{
	bool is_raw = path->encap == VPN_ENCAP_ESP;
	bool tells = !is_raw || !is_natural(tx, path);

	if (tx->n > 0 && tx->fd != fd)
		udp_tx_flush(tx);
	tx->fd = fd;
	for (unsigned i = 0; i < n; i++) {
		struct slot *s = &tx->slot[tx->n++];

		s->b = pkts[i];
		s->remote = path->remote.ip;
		s->is_raw = is_raw;
		s->to_len = udp_sa_from_ep(&path->remote, is_raw, &s->to);
		s->ctl_len = tells ?
		    udp_ctl_from_addr(&path->local.ip, path->ifindex,
				      &s->ctl) : 0;
		s->cut = cut_of(path, pkts[i]);
		tx->bytes += pkts[i]->len;
		if (tx->n == UDP_TX_MAX || tx->bytes >= UDP_TX_BYTES)
			udp_tx_flush(tx);
	}
}

const struct udp_tx_count *
udp_tx_counts(const struct udp_tx *tx)
{
	return &tx->count;
}
