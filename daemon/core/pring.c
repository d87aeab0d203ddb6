/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/pring.c - raw ESP from a packet socket's ring.
 *
 * The ring belongs to the socket, not to the process that maps it: after a
 * restart of the main role frames may lie there, at a place nobody knows.
 * pring_recv() looks for them (find_first()) before it starts.
 */
#include "daemon/core/pring.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/drop.h"
#include "daemon/core/rawip.h"

#define RING_LEN ((size_t)PRING_FRAMES * PRING_FRAME_LEN)
#define ALIGN	 16	/* of ESP in the arena */
#define LOOKS	 4	/* frames looked at for each packet asked for: pieces
			 * and packets for others may not keep us here */

#define EMPTY_MAX 64	/* looks at an empty ring until the socket's queue is
			 * looked at; ours */
#define LARGE_BYTES (4 << 20) /* kernel's buffer for packets larger than a frame */

struct pring {
	int fd;
	unsigned at;		/* the next frame */
	unsigned n_empty;	/* times in a row that it was empty */
	bool is_synced;
	uint8_t *map;
};

/* ---- filters ------------------------------------------------------------------ */

/* Offsets from the IP header on: the ring's sockets are SOCK_DGRAM, and a raw
 * IPv4 socket has its header in front. */
#define PKTTYPE		(SKF_AD_OFF + SKF_AD_PKTTYPE)
#define IP4_VIHL	0
#define IP4_ID		4
#define IP4_FRAG	6
#define IP4_FRAG_ANY	0x3fff
#define IP4_PROTO	9
#define IP4_PLAIN	0x45	/* version 4, no options */
#define IP4_LEN		20
#define IP6_NEXT	6
#define IP6_LEN		40
#define IP6_FRAGMENT	44
#define IP6_FRAG_ANY	0xfff9
#define ALL		0xffffffffu

static struct sock_filter take4[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, PKTTYPE),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_HOST, 0, 5),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, IP4_PROTO),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RAWIP_PROTO_ESP, 0, 3),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, IP4_VIHL),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IP4_PLAIN, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, ALL),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

static struct sock_filter leave4[] = {
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, IP4_VIHL),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IP4_PLAIN, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, 0),
	BPF_STMT(BPF_RET | BPF_K, ALL),
};

static struct sock_filter take6[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, PKTTYPE),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_HOST, 0, 8),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, IP6_NEXT),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RAWIP_PROTO_ESP, 5, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IP6_FRAGMENT, 0, 5),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, IP6_LEN),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RAWIP_PROTO_ESP, 0, 3),
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, IP6_LEN + 2),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, IP6_FRAG_ANY, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, ALL),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

/* A raw IPv6 socket has no header in front.  Pieces that the kernel put together
 * have ESP as their next header. */
static struct sock_filter leave6[] = {
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, SKF_NET_OFF + IP6_NEXT),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RAWIP_PROTO_ESP, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, 0),
	BPF_STMT(BPF_RET | BPF_K, ALL),
};

static int
filter_set(int fd, struct sock_filter *code, size_t n)
{
	struct sock_fprog prog = { (unsigned short)n, code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
			  sizeof(prog)) == 0 ? 0 : ERR_SYS;
}

int
pring_share(int raw_fd, int fam, bool on)
{
	int none = 0;

	if (on)
		return fam == FAM_V4 ? filter_set(raw_fd, leave4, N_OF(leave4))
				     : filter_set(raw_fd, leave6, N_OF(leave6));
	if (setsockopt(raw_fd, SOL_SOCKET, SO_DETACH_FILTER, &none,
		       sizeof(none)) == 0 || errno == ENOENT)
		return 0;
	return ERR_SYS;
}

/* ---- opening ------------------------------------------------------------------ */

/* The pieces of a datagram go to one worker, whichever has its SA. */
static int
steer(int fd, int fam, unsigned n)
{
	struct sock_filter v4[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, IP4_FRAG),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, IP4_FRAG_ANY, 0, 2),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, IP4_ID),
		BPF_STMT(BPF_JMP | BPF_JA, 1),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, IP4_LEN),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (1u << ESP_WORKER_BITS) - 1),
		BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, n),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	struct sock_filter v6[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, IP6_NEXT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IP6_FRAGMENT, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, IP6_LEN + 4),
		BPF_STMT(BPF_JMP | BPF_JA, 1),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, IP6_LEN),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (1u << ESP_WORKER_BITS) - 1),
		BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, n),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	struct sock_fprog prog = { N_OF(v4), fam == FAM_V4 ? v4 : v6 };

	return setsockopt(fd, SOL_PACKET, PACKET_FANOUT_DATA, &prog,
			  sizeof(prog)) == 0 ? 0 : ERR_SYS;
}

/* What the ring's frames are too small for waits in the socket's queue. */
static void
large_room(int fd)
{
	int n = LARGE_BYTES;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &n, sizeof(n)) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &n, sizeof(n));
}

/* The socket sees packets from bind() on: everything else comes first. */
static int
open_one(int fam)
{
	struct sockaddr_ll any = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(fam == FAM_V4 ? ETH_P_IP : ETH_P_IPV6),
	};
	struct tpacket_req req = {
		.tp_block_size = PRING_BLOCK_LEN,
		.tp_block_nr = (unsigned)(RING_LEN / PRING_BLOCK_LEN),
		.tp_frame_size = PRING_FRAME_LEN,
		.tp_frame_nr = PRING_FRAMES,
	};
	int version = TPACKET_V2, one = 1, err, fd;

	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	large_room(fd);
	if ((fam == FAM_V4 ? filter_set(fd, take4, N_OF(take4))
			   : filter_set(fd, take6, N_OF(take6))) == 0 &&
	    setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version,
		       sizeof(version)) == 0 &&
	    setsockopt(fd, SOL_PACKET, PACKET_COPY_THRESH, &one,
		       sizeof(one)) == 0 &&
	    setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &req,
		       sizeof(req)) == 0 &&
	    bind(fd, (struct sockaddr *)&any, sizeof(any)) == 0)
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

/* A group of its own, whose number the kernel chooses (Linux 4.12). */
static int
join(int fd, int *group)
{
	socklen_t len = sizeof(*group);
	int arg = PACKET_FANOUT_CBPF << 16;

	if (*group < 0) {
		arg |= PACKET_FANOUT_FLAG_UNIQUEID << 16;
		if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &arg,
			       sizeof(arg)) != 0 ||
		    getsockopt(fd, SOL_PACKET, PACKET_FANOUT, group,
			       &len) != 0)
			return ERR_SYS;
		*group &= 0xffff;
		return 0;
	}
	arg |= *group;
	return setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &arg,
			  sizeof(arg)) == 0 ? 0 : ERR_SYS;
}

/* Filter and steering stay as they are, whoever has the descriptor later. */
static int
lock(int fd)
{
	int one = 1;

	return setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &one,
			  sizeof(one)) == 0 ? 0 : ERR_SYS;
}

int
pring_open(int fam, int *fd, unsigned n)
{
	int group = -1, err = 0, saved;

	for (unsigned i = 0; i < n; i++)
		fd[i] = -1;
	for (unsigned i = 0; err == 0 && i < n; i++) {
		fd[i] = open_one(fam);
		if (fd[i] < 0)
			err = ERR_SYS;
		else if (n > 1)
			err = join(fd[i], &group);
		if (err == 0 && n > 1 && i == 0)
			err = steer(fd[0], fam, n);
	}
	for (unsigned i = 0; err == 0 && i < n; i++)
		err = lock(fd[i]);
	if (err == 0)
		return 0;
	saved = errno;
	for (unsigned i = 0; i < n; i++) {
		if (fd[i] >= 0)
			close(fd[i]);
		fd[i] = -1;
	}
	errno = saved;
	return err;
}

int
pring_new(struct pring **out, int fd)
{
	struct pring *r = calloc(1, sizeof(*r));
	void *map;

	if (r == NULL)
		return ERR_NOMEM;
	map = mmap(NULL, RING_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		free(r);
		return ERR_SYS;
	}
	r->fd = fd;
	r->map = map;
	*out = r;
	return 0;
}

void
pring_free(struct pring *r)
{
	if (r == NULL)
		return;
	(void)munmap(r->map, RING_LEN);
	free(r);
}

/* ---- receiving ---------------------------------------------------------------- */

static struct tpacket2_hdr *
frame(const struct pring *r, unsigned i)
{
	return (struct tpacket2_hdr *)(void *)(r->map +
					       (size_t)i * PRING_FRAME_LEN);
}

static uint32_t
status(const struct pring *r, unsigned i)
{
	return __atomic_load_n(&frame(r, i)->tp_status, __ATOMIC_ACQUIRE);
}

/* The first frame that waits.  false: there is none. */
static bool
find_first(struct pring *r)
{
	unsigned before = PRING_FRAMES - 1;

	for (unsigned i = 0; i < PRING_FRAMES; before = i++) {
		if ((status(r, i) & TP_STATUS_USER) == 0 ||
		    (status(r, before) & TP_STATUS_USER) != 0)
			continue;
		r->at = i;
		r->is_synced = true;
		return true;
	}
	/* Full: the kernel waits for one of them. */
	r->is_synced = (status(r, 0) & TP_STATUS_USER) != 0;
	return r->is_synced;
}

static void
count(atomic_ullong *c, unsigned n)
{
	atomic_store_explicit(c, n +
	    atomic_load_explicit(c, memory_order_relaxed),
	    memory_order_relaxed);
}

/* Packets that found no frame since the last time. */
static void
count_lost(struct pring *r)
{
	struct tpacket_stats st = { 0 };
	socklen_t len = sizeof(st);

	if (getsockopt(r->fd, SOL_PACKET, PACKET_STATISTICS, &st, &len) == 0)
		drop_count(DROP_RING_FULL, st.tp_drops);
}

/* What pring_recv() fills. */
struct fill {
	struct pring *r;
	const struct pring_rx *rx;
	uint64_t now_ms;
	struct buf *arena;	/* packets behind each other */
	struct buf **out;
	unsigned n;
};

/* Room for a packet of len bytes in the arena, or in a fresh one. */
static uint8_t *
room(struct fill *f, size_t len)
{
	size_t want = (len + ALIGN - 1) / ALIGN * ALIGN;
	uint8_t *p;

	if (f->arena != NULL && buf_tail(f->arena) >= want)
		return buf_append(f->arena, want);
	buf_put(f->arena);
	f->arena = buf_new(f->rx->big);
	if (f->arena == NULL)
		return NULL;
	p = buf_append(f->arena, want);
	if (p == NULL)
		drop_count(DROP_TOO_BIG, 1);
	return p;
}

static void
take_whole(struct fill *f, const struct rawip *ip)
{
	uint8_t *p = room(f, ip->data.len);
	struct buf *b;

	if (p == NULL) {
		if (f->arena == NULL)
			drop_count(DROP_NO_BUF, 1);
		return;
	}
	memcpy(p, ip->data.p, ip->data.len);
	b = buf_slice(f->rx->slices, f->arena, p, ip->data.len);
	if (b == NULL) {
		drop_count(DROP_NO_BUF, 1);
		return;
	}
	b->from = (struct net_ep){ .ip = ip->src };
	b->to = (struct net_ep){ .ip = ip->dst };
	f->out[f->n++] = b;
}

static void
take(struct fill *f, struct view pkt)
{
	const struct pring_rx *rx = f->rx;
	struct rawip ip;
	struct buf *b;
	int err = rawip_decode(pkt, &ip);

	if (err == ERR_UNSUP) /* the raw socket has it */
		return;
	if (err != 0) {
		drop_count(DROP_RAW_IP, 1);
		return;
	}
	if (!route_is_ours(rx->route, &ip.dst, f->now_ms)) {
		count(&rx->count->transit, 1);
		return;
	}
	count(&rx->count->packets, 1);
	if (!rawip_is_piece(&ip)) {
		take_whole(f, &ip);
		return;
	}
	count(&rx->count->pieces, 1);
	b = frag_take(rx->frag, &ip, rx->big, f->now_ms);
	if (b != NULL)
		f->out[f->n++] = b;
}

/* A packet that does not fit a frame is in the socket's queue as well. */
static void
take_large(struct fill *f)
{
	struct buf *b = buf_new(f->rx->big);
	uint8_t junk;
	ssize_t n;

	count(&f->rx->count->large, 1);
	if (b == NULL) {
		drop_count(DROP_NO_BUF, 1);
		(void)!recv(f->r->fd, &junk, 1, 0);
		return;
	}
	n = recv(f->r->fd, b->data, buf_tail(b), 0);
	if (n > 0)
		take(f, (struct view){ b->data, (size_t)n });
	else
		drop_count(DROP_RING_FULL, 1);
	buf_put(b);
}

static void
take_frame(struct fill *f, struct tpacket2_hdr *h, uint32_t st)
{
	uint32_t at = h->tp_net, len = h->tp_snaplen;

	if ((st & TP_STATUS_COPY) != 0)
		take_large(f);
	else if (len < h->tp_len) /* cut, and no room for it elsewhere */
		drop_count(DROP_RING_FULL, 1);
	else if (at > PRING_FRAME_LEN || len > PRING_FRAME_LEN - at)
		drop_count(DROP_TOO_BIG, 1);
	else
		take(f, (struct view){ (uint8_t *)h + at, len });
}

/* A packet in the socket's queue without a frame would wake us for ever; but the
 * kernel puts it there a moment before its frame is ready. */
static void
found_none(struct pring *r)
{
	uint8_t junk;

	if (++r->n_empty < EMPTY_MAX)
		return;
	r->n_empty = 0;
	(void)!recv(r->fd, &junk, 1, 0);
}

unsigned
pring_recv(struct pring *r, const struct pring_rx *rx, struct buf **out,
	   unsigned n)
{
	struct fill f = { .r = r, .rx = rx, .out = out };
	unsigned left = LOOKS * n;
	uint32_t st, all = 0;

	if ((UNLIKELY(!r->is_synced) && !find_first(r)) ||
	    (status(r, r->at) & TP_STATUS_USER) == 0) {
		found_none(r);
		return 0;
	}
	r->n_empty = 0;
	f.now_ms = clk_ms();
	while (f.n < n && left-- > 0 &&
	       ((st = status(r, r->at)) & TP_STATUS_USER) != 0) {
		struct tpacket2_hdr *h = frame(r, r->at);

		all |= st;
		take_frame(&f, h, st);
		__atomic_store_n(&h->tp_status, TP_STATUS_KERNEL,
				 __ATOMIC_RELEASE);
		r->at = (r->at + 1) % PRING_FRAMES;
	}
	buf_put(f.arena);
	if (UNLIKELY((all & TP_STATUS_LOSING) != 0))
		count_lost(r);
	return f.n;
}
