/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/drain.c - what a worker does with a readable descriptor.
 *
 *   UDP   recvmmsg of trains -> slices -> esp_input -> hub -> coalesced -> TAP
 *   TAP   frames and super-frames -> hub -> esp_output -> trains -> UDP
 *
 * What goes out is collected on the way and leaves at the end of the batch
 * (drain_flush()): no timer, no added delay.
 *
 * Thread: the worker.
 */
#include "daemon/core/worker.h"
#include "daemon/base/clk.h"
#include "daemon/base/cur.h"
#include "daemon/base/drop.h"
#include "daemon/bus/bus.h"
#include "daemon/core/cap.h"
#include "daemon/core/loop.h"
#include "daemon/core/udp.h"
#include "daemon/core/wire.h"
#include "daemon/ipc/msg.h"
#include <sys/epoll.h>

#define ESP_SPI_LEN	4
#define KEEPALIVE_LEN	1	/* RFC 3948 2.3: one byte 0xff */
#define DRAIN_TRAINS	8	/* datagrams of up to 64 KiB in one recvmmsg() */
#define DRAIN_BYTES	(128u << 10) /* read from a TAP between two flushes:
				      * what fits the second-level cache */
#define DRAIN_AHEAD	4	/* batches taken from a lane that stays full, for
				 * each that is sealed; ours */
#define TAP_STANDS_NS	10000000u /* a queue, not a burst: a lane that is full
				   * now and then is cheaper left alone; ours */

/* ---- inbound ------------------------------------------------------------- */

/* Sort ESP packets: ours in place, others' to their worker, each run of packets
 * at once.  How many are ours. */
static unsigned
keep_own(struct worker *wk, struct buf **b, unsigned n)
{
	unsigned kept = 0, i = 0;

	if (wk->vpn->n_worker == 1)
		return n;
	while (i < n) {
		unsigned from = i, to = esp_in_worker(wk->vpn->esp, b[i]);

		if (to == wk->index) {
			b[kept++] = b[i++];
			continue;
		}
		while (++i < n && esp_in_worker(wk->vpn->esp, b[i]) == to)
			;
		add(&wk->n.handed, i - from);
		work_hand_over(wk->vpn->work, to, WORK_IN, b + from, i - from);
	}
	return kept;
}

/* RFC 3948 2: keep-alive, IKE behind a marker, or ESP.  True when it is ESP. */
static bool
is_esp(struct worker *wk, struct buf *b)
{
	struct cur c;
	uint32_t spi;

	cur_init(&c, b->data, b->len);
	if (cur_u32(&c, &spi) != 0) {
		if (b->len != KEEPALIVE_LEN || b->data[0] != 0xff)
			drop_count(DROP_UDP_RUNT, 1);
		buf_put(b);
		return false;
	}
	if (spi != 0)
		return true;
	if (buf_pull(b, ESP_SPI_LEN) == 0)
		wire_ike_from_worker(wk->vpn, b);
	else
		buf_put(b); /* not reached: four bytes were there */
	return false;
}

static void
open_own(struct worker *wk, struct buf **b, unsigned n)
{
	struct cap *c = capture_on(wk->vpn);

	if (UNLIKELY(c != NULL))
		capture_take_in(c, b, n);
	n = keep_own(wk, b, n);
	if (n > 0)
		esp_input(wk->vpn->esp, wk->index, b, n);
}

/* The packets of one batch, opened when it is full. */
struct in_batch {
	struct worker *wk;
	unsigned n;
	struct buf *b[VPN_BATCH];
};

static void
batch_take(struct in_batch *x, struct buf *b)
{
	if (!is_esp(x->wk, b))
		return;
	x->b[x->n++] = b;
	if (x->n < VPN_BATCH)
		return;
	open_own(x->wk, x->b, x->n);
	x->n = 0;
}

/* A train becomes one slice a packet; takes b. */
static void
batch_take_train(struct in_batch *x, struct buf *b)
{
	unsigned n = 0;

	for (uint32_t at = 0; at < b->len; at += b->seg_len) {
		uint32_t len = MIN(b->len - at, (uint32_t)b->seg_len);
		struct buf *s = buf_slice(x->wk->slices, b, b->data + at, len);

		if (s == NULL) {
			drop_count(DROP_NO_BUF, 1);
			continue;
		}
		s->from = b->from;
		s->to = b->to;
		s->kind = b->kind;
		n++;
		batch_take(x, s);
	}
	add(&x->wk->n.udp, n);
	add(&x->wk->n.udp_in_trains, n);
	add(&x->wk->n.udp_bytes, b->len);
	add(&x->wk->n.udp_trains, 1);
	buf_put(b);
}

bool
drain_udp(struct worker *wk, struct source *s)
{
	struct buf *b[VPN_BATCH];
	struct in_batch x __attribute__((uninitialized));
	unsigned n, most = s->is_small ? VPN_BATCH : DRAIN_TRAINS;

	x.wk = wk;
	x.n = 0;
	n = udp_recv(s->fd, wk->big, wk->vpn->nat_port, false,
		     b, most);
	if (n == 0)
		return false;
	add(&wk->n.udp_batches, 1);
	s->is_small = true;
	for (unsigned i = 0; i < n; i++) {
		if (b[i]->seg_len != 0) {
			s->is_small = false;
			batch_take_train(&x, b[i]);
		} else {
			add(&wk->n.udp, 1);
			add(&wk->n.udp_bytes, b[i]->len);
			batch_take(&x, b[i]);
		}
	}
	if (x.n > 0)
		open_own(wk, x.b, x.n);
	return n == most;
}

void
drain_raw(struct worker *wk, struct buf **b, unsigned n)
{
	uint64_t bytes = 0;

	if (n == 0)
		return;
	for (unsigned i = 0; i < n; i++)
		bytes += b[i]->len;
	add(&wk->n.raw_batches, 1);
	add(&wk->n.raw, n);
	add(&wk->n.raw_bytes, bytes);
	open_own(wk, b, n);
}

/* ---- outbound ------------------------------------------------------------ */

/* On the loop: say it once, for all queues of the TAP. */
static void
on_tap_gone(void *vpn, void *realm)
{
	struct vpn *v = vpn;
	struct vpn_realm *r = realm;
	struct bus_rec ev;

	if (v->is_stopping || r->is_tap_gone || r->conf == NULL)
		return;
	r->is_tap_gone = true;
	bus_rec_init(&ev, BUS_EV_REALM_FAILED);
	bus_set_str(&ev, BUS_F_REALM, r->conf->name);
	bus_set_str(&ev, BUS_F_TAP, r->ifname);
	bus_set_str(&ev, BUS_F_WHY, "somebody removed its TAP device");
	bus_set_str(&ev, BUS_F_HINT, "restart tapird to have it again");
	vpn_publish(v, &ev);
}

/* A TAP without its device is readable for ever: do not look at it again. */
static void
tap_gone(struct worker *wk, struct source *s)
{
	(void)epoll_ctl(wk->ep, EPOLL_CTL_DEL, s->fd, NULL);
	if (loop_post(wk->vpn->loop, on_tap_gone, wk->vpn, s->realm) != 0)
		drop_count(DROP_LOOP_FULL, 1);
}

/* What a TAP has, at most a batch.  *is_all: it has no more. */
static unsigned
tap_take(struct worker *wk, struct source *s, struct buf *b[VPN_BATCH],
	 bool *is_all)
{
	struct tap_count count = { 0 };
	bool is_gone = false;
	unsigned n;

	n = tap_read(s->fd, s->realm->offloads, wk->big, b, VPN_BATCH,
		     DRAIN_BYTES, &is_gone, &count);
	if (is_gone)
		tap_gone(wk, s);
	add(&wk->n.tap_frames, count.frames);
	add(&wk->n.tap_supers, count.supers);
	add(&wk->n.tap_in_supers, count.in_supers);
	add(&wk->n.tap_bytes, count.bytes);
	if (n > 0)
		add(&wk->n.tap_batches, 1);
	*is_all = n < VPN_BATCH && count.bytes < DRAIN_BYTES;
	return n;
}

/* Frames of realms by turns. */
static void
tap_pass(struct worker *wk, struct buf **b, unsigned n)
{
	for (unsigned i = 0, from = 0; i < n; from = i) {
		struct vpn_realm *r = &wk->vpn->realm[b[from]->port];
		struct hub *hub = r->hub;

		while (i < n && b[i]->port == b[from]->port)
			i++;
		if (LIKELY(hub != NULL)) {
			hub_input(hub, wk->index, r->tap_port, b + from,
				  i - from);
			continue;
		}
		drop_count(DROP_HUB_NOPORT, i - from);
		for (unsigned k = from; k < i; k++)
			buf_put(b[k]);
	}
}

static void
tap_queue(struct worker *wk, const struct source *s, struct buf **b, unsigned n,
	  uint64_t now_ns)
{
	for (unsigned i = 0; i < n; i++) {
		b[i]->port = (uint32_t)(s->realm - wk->vpn->realm);
		fq_add(wk->fq, b[i], lane_hash(buf_view(b[i])), now_ns);
	}
}

/* Is it full for longer than a burst lasts? */
static bool
is_standing(struct source *s, bool is_all, uint64_t now_ns)
{
	if (is_all) {
		s->full_ns = 0;
		return false;
	}
	if (s->full_ns == 0)
		s->full_ns = now_ns;
	return now_ns - s->full_ns > TAP_STANDS_NS;
}

bool
drain_tap(struct worker *wk, struct source *s)
{
	struct buf *b[VPN_BATCH];
	uint64_t now;
	unsigned n;
	bool is_all;

	if (s->lane.is_long && fq_count(wk->fq) >= FQ_AHEAD)
		return true;
	n = tap_take(wk, s, b, &is_all);
	now = clk_ns();
	if (!is_standing(s, is_all, now) && fq_count(wk->fq) == 0) {
		if (n > 0)
			hub_input(s->realm->hub, wk->index, s->realm->tap_port,
				  b, n);
		return !is_all;
	}
	for (unsigned i = 1;; i++) {
		tap_queue(wk, s, b, n, now);
		if (is_all || i == DRAIN_AHEAD ||
		    fq_count(wk->fq) >= FQ_AHEAD)
			break;
		n = tap_take(wk, s, b, &is_all);
	}
	(void)is_standing(s, is_all, now);
	return !is_all;
}

bool
drain_fq(struct worker *wk)
{
	struct buf *b[VPN_BATCH];
	unsigned n = fq_count(wk->fq);

	atomic_store_explicit(&wk->n.fq_now, n, memory_order_relaxed);
	if (n > atomic_load_explicit(&wk->n.fq_high, memory_order_relaxed))
		atomic_store_explicit(&wk->n.fq_high, n, memory_order_relaxed);
	n = fq_take(wk->fq, b, VPN_BATCH, DRAIN_BYTES, clk_ns());
	tap_pass(wk, b, n);
	atomic_store_explicit(&wk->n.fq_drop, fq_dropped(wk->fq),
			      memory_order_relaxed);
	n = fq_count(wk->fq);
	if (n == 0)
		atomic_store_explicit(&wk->n.fq_now, 0, memory_order_relaxed);
	return n > 0;
}

/* ---- to the TAP ---------------------------------------------------------- */

static void
count_written(struct worker *wk, const struct tap_count *c)
{
	add(&wk->n.out_batches, 1);
	add(&wk->n.tap_written, c->frames);
	add(&wk->n.tap_merged, c->supers);
	add(&wk->n.out_in_supers, c->in_supers);
	add(&wk->n.out_bytes, c->bytes);
}

static void
gro_flush(struct worker *wk)
{
	struct tap_count count = { 0 };
	struct vpn_realm *r = wk->gro_realm;

	if (r == NULL)
		return;
	tap_write_all(&r->tap_fd[wk->index * r->n_lane], r->n_lane, &wk->gro,
		      &count);
	count_written(wk, &count);
	wk->gro_realm = NULL;
}

/* The queue of a TAP on which the kernel is to answer a frame's flow. */
static int
tap_lane(const struct vpn_realm *r, unsigned worker, const struct buf *b)
{
	uint32_t h = r->n_lane == 1 ? 0 : lane_hash(buf_view(b));

	return r->tap_fd[worker * r->n_lane + (h & (r->n_lane - 1))];
}

void
work_tap_out(struct vpn_realm *r, unsigned worker, struct buf **frames,
	     unsigned n)
{
	struct worker *wk = &r->vpn->work->worker[worker];
	struct tap_count count = { 0 };

	if ((r->offloads & IPC_TAP_VNET) == 0) {
		for (unsigned i = 0; i < n; i++)
			tap_write(tap_lane(r, worker, frames[i]), frames[i],
				  &count);
		count_written(wk, &count);
		return;
	}
	if (wk->gro_realm != r) {
		gro_flush(wk);
		esp_gro_init(&wk->gro, (r->offloads & IPC_TAP_USO) != 0);
		wk->gro_realm = r;
	}
	for (unsigned i = 0; i < n; i++) {
		if (esp_gro_add(&wk->gro, frames[i]))
			continue;
		gro_flush(wk);
		wk->gro_realm = r;
		(void)esp_gro_add(&wk->gro, frames[i]); /* it is empty now */
	}
}

void
drain_flush(struct worker *wk)
{
	gro_flush(wk);
	udp_tx_flush(wk->tx);
}
