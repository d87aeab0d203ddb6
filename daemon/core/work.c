/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/work.c - the worker pool.
 */
#include "daemon/core/work.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/drop.h"
#include "daemon/base/log.h"
#include "daemon/base/ring.h"
#include "daemon/base/thr.h"
#include "daemon/core/udp.h"
#include "daemon/core/worker.h"

#define WORK_EVENTS	32
#define IP4_HDR		20
#define IP6_HDR		40
#define UDP_HDR		8

static const unsigned queue_len[WORK_PRIO_END] = {
	VPN_QUEUE_LEN, VPN_QUEUE_LEN,
};

/* Why a full queue drops, per priority. */
static const enum drop queue_drop[WORK_PRIO_END] = {
	DROP_QUEUE_IN, DROP_QUEUE_OUT,
};

static void
wake(struct worker *wk)
{
	uint64_t one = 1;

	if (!atomic_exchange(&wk->is_awake, true) &&
	    write(wk->wake, &one, sizeof(one)) < 0)
		return; /* the counter is at its top: it wakes anyway */
}

struct buf *
work_buf_new(void *vpn, unsigned worker)
{
	struct vpn *v = vpn;

	return buf_new(v->work->worker[worker].pool);
}

struct buf *
work_buf_big(void *vpn, unsigned worker)
{
	struct vpn *v = vpn;

	return buf_new(v->work->worker[worker].big);
}

struct buf *
work_buf_slice(void *vpn, unsigned worker, struct buf *parent, uint8_t *p,
	       size_t len)
{
	struct vpn *v = vpn;

	return buf_slice(v->work->worker[worker].slices, parent, p, len);
}

size_t
work_room(void *vpn, unsigned worker, const struct vpn_path *path)
{
	struct vpn *v = vpn;
	struct route *route = &v->work->worker[worker].route;
	size_t mtu = path->mtu != 0 ? path->mtu :
	    route_find(route, &path->remote.ip, clk_ms())->mtu;
	size_t outer = path->remote.ip.family == 6 ? IP6_HDR : IP4_HDR;

	if (path->encap != VPN_ENCAP_ESP)
		outer += UDP_HDR;
	return mtu > outer ? mtu - outer : 0;
}

void
work_send(struct vpn *v, unsigned worker, int fd, const struct vpn_path *path,
	  struct buf **pkts, unsigned n)
{
	udp_tx_add(v->work->worker[worker].tx, fd, path, pkts, n);
}

void
work_hand_over(struct work *w, unsigned target, enum work_prio prio,
	       struct buf **b, unsigned n)
{
	struct worker *wk = &w->worker[target % w->n];
	unsigned k = 0;

	while (k < n && ring_push(wk->queue[prio], b[k]) == 0)
		k++;
	if (k > 0)
		wake(wk);
	drop_count(queue_drop[prio], n - k);
	for (; k < n; k++)
		buf_put(b[k]);
}

void
work_kick(struct work *w)
{
	wake(&w->worker[0]);
}

void
work_count_handed(struct work *w, unsigned worker, unsigned n)
{
	add(&w->worker[worker].n.handed, n);
}

/* ---- queues -------------------------------------------------------------- */

/* Looked at before it is emptied, so its longest is not missed by much. */
static void
note_high(struct worker *wk)
{
	for (int q = 0; q < WORK_PRIO_END; q++) {
		unsigned n = ring_count(wk->queue[q]);

		if (n > atomic_load_explicit(&wk->n.queue_high[q],
					     memory_order_relaxed))
			atomic_store_explicit(&wk->n.queue_high[q], n,
					      memory_order_relaxed);
	}
}

static unsigned
run_in(struct worker *wk)
{
	struct buf *b[VPN_BATCH];
	unsigned n = 0;

	while (n < VPN_BATCH && (b[n] = ring_pop(wk->queue[WORK_IN])) != NULL)
		n++;
	if (n > 0)
		esp_input(wk->vpn->esp, wk->index, b, n);
	return n;
}

/* Frames in the queue may be for several links: one call for each run. */
static unsigned
run_out(struct worker *wk)
{
	struct buf *b[VPN_BATCH];
	unsigned n = 0, from = 0;

	while (n < VPN_BATCH && (b[n] = ring_pop(wk->queue[WORK_OUT])) != NULL)
		n++;
	for (unsigned i = 1; i <= n; i++) {
		if (i < n && b[i]->port == b[from]->port)
			continue;
		esp_output(wk->vpn->esp, wk->index, b[from]->port, b + from,
			   i - from);
		from = i;
	}
	return n;
}

static bool
run_queues(struct worker *wk)
{
	uint64_t junk;
	bool more;

	if (read(wk->wake, &junk, sizeof(junk)) < 0 && errno != EAGAIN)
		return false;
	/* An exchange, not a store: it reads what wake() wrote and so sees what
	 * was pushed before. */
	(void)atomic_exchange(&wk->is_awake, false);
	note_high(wk);
	for (unsigned i = 0, n = wk->vpn->n_realm; i < n; i++) {
		struct hub *hub = wk->vpn->realm[i].hub;

		if (hub != NULL)
			hub_work(hub, wk->index);
	}
	more = run_in(wk) == VPN_BATCH;
	more |= run_out(wk) == VPN_BATCH;
	if (more) /* come back after the others had their turn */
		wake(wk);
	return more;
}

/* ---- the thread ---------------------------------------------------------- */

/* A batch of one source.  True when there may be more. */
static bool
serve(struct worker *wk, struct source *s)
{
	switch (s->src) {
	case SRC_WAKE:
		return run_queues(wk);
	case SRC_UDP:
		return drain_udp(wk, s);
	case SRC_RAW4:
	case SRC_RAW6:
	case SRC_RING4:
	case SRC_RING6:
		return rawrx_drain(wk, s->src);
	case SRC_TAP:
		return drain_tap(wk, s);
	}
	return false;
}

/* What has little first, and of what has more one batch.  True when there may be
 * more. */
static bool
serve_ready(struct worker *wk, const struct epoll_event *ev, unsigned n)
{
	struct lane *ready[WORK_EVENTS];
	unsigned n_ready = n;
	bool more = false;

	for (unsigned i = 0; i < n; i++)
		ready[i] = ev[i].data.ptr;
	n = lane_turns(ready, n);
	for (unsigned i = 0; i < n; i++) {
		struct source *s = CONTAINER_OF(ready[i], struct source, lane);

		s->lane.turn = ++wk->turn;
		s->lane.is_long = serve(wk, s);
		more |= s->lane.is_long;
		drain_flush(wk);
	}
	return more || n < n_ready;
}

/* Let packets come together that would wake us one by one. */
static void
rest(struct worker *wk, bool is_more)
{
	const uint64_t total[PACE_WAY_END] = {
		[PACE_OUT] = atomic_load_explicit(&wk->n.tap_frames,
						  memory_order_relaxed),
		[PACE_IN] = atomic_load_explicit(&wk->n.udp,
						 memory_order_relaxed) +
		    atomic_load_explicit(&wk->n.raw, memory_order_relaxed),
	};
	struct timespec ts = { 0, 0 };

	if (UNLIKELY(wk->rawrx.is_polling)) { /* which rests by itself */
		wk->pace.is_on = false;
		return;
	}
	ts.tv_nsec = (long)pace_rest(&wk->pace, total, is_more, clk_ns());
	if (LIKELY(ts.tv_nsec == 0))
		return;
	(void)nanosleep(&ts, NULL);
	add(&wk->n.rest, 1);
	pace_woken(&wk->pace, clk_ns());
}

static void
worker_main(void *ctx)
{
	struct worker *wk = ctx;
	struct epoll_event ev[WORK_EVENTS];
	bool more = false, is_busy = false;
	int n;

	atomic_store(&wk->n.thr, thr_index());
	thr_register();
	while (!atomic_load(&wk->is_stopped)) {
		thr_offline();
		rest(wk, more || is_busy);
		n = rawrx_wait(wk, ev, WORK_EVENTS, is_busy);
		thr_online();
		add(&wk->n.wake, 1);
		more = n > 0 && serve_ready(wk, ev, (unsigned)n);
		if (rawrx_look(wk))
			drain_flush(wk);
		if (UNLIKELY(esp_is_holding(wk->vpn->esp, wk->index))) {
			esp_tick(wk->vpn->esp, wk->index);
			drain_flush(wk);
		}
		if (UNLIKELY(fq_count(wk->fq) > 0)) {
			is_busy = drain_fq(wk);
			drain_flush(wk);
		}
		thr_quiet();
	}
	thr_unregister();
}

/* Largest frame of any realm decides how long a buffer is. */
static unsigned
buffer_room(const struct conf *c)
{
	unsigned room = BUF_ROOM_DEFAULT;

	for (unsigned i = 0; i < c->n_realm; i++)
		room = MAX(room, c->realm[i].mtu + BUF_HEAD + BUF_TAIL + 256);
	return room;
}

static int
watch(struct worker *wk, int fd, enum src src)
{
	struct source *s = &wk->source[wk->n_source];
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = &s->lane };

	if (fd < 0)
		return 0;
	*s = (struct source){ .src = src, .fd = fd };
	wk->n_source++;
	return epoll_ctl(wk->ep, EPOLL_CTL_ADD, fd, &ev) == 0 ? 0 : ERR_SYS;
}

static int
watch_all(struct worker *wk)
{
	struct vpn *v = wk->vpn;
	unsigned n = vpn_lanes(v->n_worker);
	int err;

	wk->source = calloc(1 + n * FAM_END, sizeof(*wk->source));
	if (wk->source == NULL)
		return ERR_NOMEM;
	err = watch(wk, wk->wake, SRC_WAKE);
	for (int fam = FAM_V4; fam < FAM_END; fam++)
		for (unsigned i = 0; i < n; i++)
			err |= watch(wk, v->socks.nat[wk->index * n + i][fam],
				     SRC_UDP);
	err |= rawrx_watch(wk);
	return err != 0 ? ERR_SYS : 0;
}

/* The queues of a TAP that are this worker's. */
static int
watch_tap(struct worker *wk, struct vpn_realm *r)
{
	struct source *s = calloc(r->n_lane, sizeof(*s));
	struct epoll_event ev = { .events = EPOLLIN };

	if (s == NULL)
		return ERR_NOMEM;
	r->source[wk->index] = s;
	for (unsigned i = 0; i < r->n_lane; i++) {
		s[i] = (struct source){
			.src = SRC_TAP, .realm = r,
			.fd = r->tap_fd[wk->index * r->n_lane + i],
		};
		ev.data.ptr = &s[i].lane;
		if (epoll_ctl(wk->ep, EPOLL_CTL_ADD, s[i].fd, &ev) != 0)
			return ERR_SYS;
	}
	return 0;
}

int
work_realm_add(struct work *w, struct vpn_realm *r)
{
	int err = 0;

	r->source = calloc(w->n, sizeof(*r->source));
	if (r->source == NULL)
		return ERR_NOMEM;
	for (unsigned i = 0; i < w->n && err == 0; i++)
		err = watch_tap(&w->worker[i], r);
	return err;
}

void
work_realm_del(struct work *w, struct vpn_realm *r)
{
	for (unsigned i = 0; i < w->n; i++)
		for (unsigned k = 0; k < r->n_lane; k++)
			if (r->tap_fd[i * r->n_lane + k] >= 0)
				(void)epoll_ctl(w->worker[i].ep, EPOLL_CTL_DEL,
						r->tap_fd[i * r->n_lane + k],
						NULL);
}

void
work_sources_free(struct source **source, unsigned n_worker)
{
	for (unsigned i = 0; source != NULL && i < n_worker; i++)
		free(source[i]);
	free(source);
}

bool
work_has_room(const struct work *w, const struct conf *c)
{
	return buffer_room(c) <= w->room;
}

static int
worker_init(struct worker *wk, struct vpn *v, unsigned index, unsigned room)
{
	int err;

	wk->vpn = v;
	wk->index = index;
	wk->ep = epoll_create1(EPOLL_CLOEXEC);
	wk->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (wk->ep < 0 || wk->wake < 0)
		return ERR_SYS;
	for (int i = 0; i < WORK_PRIO_END; i++)
		if ((err = ring_new(&wk->queue[i], queue_len[i])) != 0)
			return err;
	if ((err = udp_tx_new(&wk->tx, v->fallback)) != 0 ||
	    (err = fq_new(&wk->fq)) != 0 ||
	    (err = buf_pool_new(&wk->pool, VPN_POOL_BUFS, room)) != 0 ||
	    (err = buf_pool_new(&wk->big, VPN_POOL_BIG, TAP_BIG_ROOM)) != 0)
		return err;
	route_init(&wk->route, v->socks.route[index]);
	udp_tx_set_route(wk->tx, &wk->route);
	if ((err = buf_pool_new(&wk->slices, VPN_POOL_SLICES, 0)) != 0)
		return err;
	return rawrx_init(wk);
}

int
work_new(struct work **out, struct vpn *v)
{
	struct work *w = calloc(1, sizeof(*w));
	int err;

	if (w == NULL)
		return ERR_NOMEM;
	w->vpn = v;
	w->n = v->n_worker;
	w->room = buffer_room(v->conf);
	w->worker = calloc(w->n, sizeof(*w->worker));
	if (w->worker == NULL) {
		free(w);
		return ERR_NOMEM;
	}
	for (unsigned i = 0; i < w->n; i++)
		w->worker[i].ep = w->worker[i].wake = -1;
	for (unsigned i = 0; i < w->n; i++) {
		err = worker_init(&w->worker[i], v, i, w->room);
		if (err != 0) {
			work_free(w);
			return err;
		}
	}
	*out = w;
	return 0;
}

/* Let the kernel coalesce what comes in; without, it is packet by packet. */
static void
trains_on(struct vpn *v)
{
	int on = 1;

	if (fallback_has(v->fallback, FALLBACK_UDP_GRO))
		return;
	for (unsigned i = 0; i < VPN_LANE_MAX; i++)
		for (int fam = FAM_V4; fam < FAM_END; fam++)
			if (v->socks.nat[i][fam] >= 0 &&
			    setsockopt(v->socks.nat[i][fam], IPPROTO_UDP,
				       UDP_GRO, &on, sizeof(on)) != 0)
				v->fallback |= 1u << FALLBACK_UDP_GRO;
}

int
work_start(struct work *w)
{
	const struct conf *c = w->vpn->conf;
	char name[16];
	int err;

	trains_on(w->vpn);
	for (unsigned i = 0; i < w->vpn->n_realm; i++)
		if ((err = work_realm_add(w, &w->vpn->realm[i])) != 0)
			return err;
	for (unsigned i = 0; i < w->n; i++) {
		struct worker *wk = &w->worker[i];

		if ((err = watch_all(wk)) != 0)
			return err;
		snprintf(name, sizeof(name), "tapir-work%u", i % 1000);
		if ((err = thr_start(&wk->thr, name, worker_main, wk)) != 0)
			return err;
		if (c->n_cpu > 0 && thr_pin(wk->thr, c->cpu[i % c->n_cpu]) != 0)
			log_warn("core", "worker %u: CPU %u cannot be used", i,
				 c->cpu[i % c->n_cpu]);
	}
	return 0;
}

void
work_stop(struct work *w)
{
	uint64_t one = 1;

	if (w == NULL)
		return;
	for (unsigned i = 0; i < w->n; i++) {
		atomic_store(&w->worker[i].is_stopped, true);
		if (w->worker[i].wake >= 0 &&
		    write(w->worker[i].wake, &one, sizeof(one)) < 0)
			continue;
	}
	for (unsigned i = 0; i < w->n; i++) {
		thr_join(w->worker[i].thr);
		w->worker[i].thr = NULL;
	}
}

void
work_free(struct work *w)
{
	if (w == NULL)
		return;
	work_stop(w);
	for (unsigned i = 0; i < w->n; i++) {
		struct worker *wk = &w->worker[i];
		void *p;

		for (int q = 0; q < WORK_PRIO_END; q++) {
			while (wk->queue[q] != NULL &&
			       (p = ring_pop(wk->queue[q])) != NULL) {
				buf_put(p);
			}
			ring_free(wk->queue[q]);
		}
		udp_tx_free(wk->tx);
		fq_free(wk->fq);
		rawrx_fini(wk);
		free(wk->source);
		if (wk->ep >= 0)
			close(wk->ep);
		if (wk->wake >= 0)
			close(wk->wake);
	}
	/* Slices hold big buffers, of any worker. */
	for (unsigned i = 0; i < w->n; i++) {
		buf_pool_free(w->worker[i].slices);
		buf_pool_free(w->worker[i].pool);
	}
	for (unsigned i = 0; i < w->n; i++)
		buf_pool_free(w->worker[i].big);
	free(w->worker);
	free(w);
}

static void
flows_get(const struct worker *wk, struct work_flow *f)
{
	const struct udp_tx_count *tx = udp_tx_counts(wk->tx);
	const struct counts *n = &wk->n;

	f[WORK_TAP_IN] = (struct work_flow){
		n->tap_batches, n->tap_frames, n->tap_bytes, n->tap_supers,
		n->tap_in_supers,
	};
	f[WORK_NET_OUT] = (struct work_flow){
		tx->batches, tx->packets, tx->bytes, tx->trains, tx->in_trains,
	};
	f[WORK_NET_IN] = (struct work_flow){
		n->udp_batches + n->raw_batches, n->udp + n->raw,
		n->udp_bytes + n->raw_bytes, n->udp_trains, n->udp_in_trains,
	};
	f[WORK_TAP_OUT] = (struct work_flow){
		n->out_batches, n->tap_written, n->out_bytes, n->tap_merged,
		n->out_in_supers,
	};
}

void
work_stats_get(const struct work *w, unsigned worker, struct work_stats *out)
{
	const struct worker *wk = &w->worker[worker];
	const struct udp_tx_count *tx = udp_tx_counts(wk->tx);

	*out = (struct work_stats){
		.cpu_ns = thr_cpu_ns(wk->thr),
		.n_drop = drop_sum_thread(atomic_load(&wk->n.thr)),
		.n_wake = atomic_load(&wk->n.wake),
		.n_rest = atomic_load(&wk->n.rest),
		.n_tap_frames = atomic_load(&wk->n.tap_frames),
		.n_udp_packets = atomic_load(&wk->n.udp),
		.n_raw_packets = atomic_load(&wk->n.raw),
		.n_tap_batches = atomic_load(&wk->n.tap_batches),
		.n_udp_batches = atomic_load(&wk->n.udp_batches),
		.n_tap_supers = atomic_load(&wk->n.tap_supers),
		.n_tap_written = atomic_load(&wk->n.tap_written),
		.n_tap_merged = atomic_load(&wk->n.tap_merged),
		.n_udp_trains = atomic_load(&wk->n.udp_trains),
		.n_sent_packets = atomic_load(&tx->packets),
		.n_sent_messages = atomic_load(&tx->messages),
		.n_sent_trains = atomic_load(&tx->trains),
		.n_refused_trains = atomic_load(&tx->refused),
		.n_handed_over = atomic_load(&wk->n.handed),
		.n_ring_packets = atomic_load(&wk->n.raw_ring.packets),
		.n_ring_pieces = atomic_load(&wk->n.raw_ring.pieces),
		.n_ring_transit = atomic_load(&wk->n.raw_ring.transit),
		.n_ring_large = atomic_load(&wk->n.raw_ring.large),
		.n_buf_used = buf_pool_used(wk->pool),
		.n_big_used = buf_pool_used(wk->big),
	};
	out->n_tap_drop = atomic_load(&wk->n.fq_drop);
	out->tap = (struct work_queue){
		(unsigned)atomic_load(&wk->n.fq_now),
		(unsigned)atomic_load(&wk->n.fq_high), FQ_ITEMS,
	};
	flows_get(wk, out->flow);
	for (int q = 0; q < WORK_PRIO_END; q++) {
		unsigned n = ring_count(wk->queue[q]);

		out->queue[q] = (struct work_queue){
			n, MAX(n, (unsigned)atomic_load(&wk->n.queue_high[q])),
			queue_len[q],
		};
		out->n_queued += n;
	}
}
