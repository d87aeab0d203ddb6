/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/in.c - packets -> SPI -> window -> open -> commit -> inner -> deliver.
 *
 * The order of the checks is a promise: SPI, length, cheap replay test, ICV,
 * replay commit, padding, next header, inner packet, policy.  Nothing of an SA
 * changes before the ICV was verified.
 *
 * A batch runs in three passes (look, open, accept).  Consecutive packets of
 * one SA go to the provider in one call, and what they hold for one link goes
 * out in one io.deliver.  A packet that is in the batch twice passes the first
 * look twice and fails at the commit.
 *
 * Thread: the worker the SPI names; it alone owns the window.  No lock; memory
 * is taken when a worker meets a pair for the first time (keyctx.h).
 */
#include "esp/esp.h"
#include <string.h>
#ifdef TAPIR_DEBUG
#include <assert.h>
#endif
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "esp/esp_int.h"
#include "esp/keyctx.h"
#include "esp/pkt.h"

/* The same address is reported as moved once in this time, any other after a
 * shorter one: a storm of moves must not fill the loop's queue; ours. */
#define MOVED_SAME_MS  1000
#define MOVED_OTHER_MS 100
#define STRAY_MS       200	/* between two reports of unknown SPIs; ours */
#define SEL_MS	       10000	/* between two reports of wrong selectors; ours */

struct item {
	struct buf *b;
	struct esp_child *child;
	uint64_t seq;
};

struct batch {
	struct esp *e;
	unsigned worker;
	uint64_t now_ms;
	unsigned n;
	struct item item[ESP_BATCH_MAX];
	struct spi_esp_op op[ESP_BATCH_MAX];
	uint8_t iv[ESP_BATCH_MAX][ESP_IIV_LEN]; /* those not in the packet */
	/* what one io.deliver will take */
	uint32_t link;
	unsigned n_out;
	struct buf *out[ESP_BATCH_MAX];
};

/* ---- look: nothing changes -------------------------------------------- */

/* RFC 7296 1.5: its sender may believe in an SA that we lost. */
static void
tell_stray(struct batch *a, const struct buf *b, uint32_t esp_spi)
{
	struct esp_event ev = {
		.type = ESP_EV_STRAY, .from = b->from, .to = b->to,
		.esp_spi = esp_spi, .len = b->len,
	};
	uint64_t last = atomic_load_explicit(&a->e->stray_ms,
					     memory_order_relaxed);

	if ((last != 0 && a->now_ms - last < STRAY_MS) ||
	    !atomic_compare_exchange_strong_explicit(&a->e->stray_ms, &last,
	    a->now_ms, memory_order_relaxed, memory_order_relaxed))
		return;
	a->e->io.event(a->e->io.ctx, a->worker, &ev);
}

static int
look(struct batch *a, struct buf *b, enum drop *why)
{
	struct item *it = &a->item[a->n];
	struct spi_esp_op *op = &a->op[a->n];
	struct view v = buf_view(b);
	struct esp_child *c;
	struct esp_pkt pkt;
	uint32_t esp_spi;

	*why = DROP_ESP_RUNT;
	if (esp_pkt_spi(v, &esp_spi) != 0)
		return ERR_SHORT;
	*why = DROP_ESP_SPI;
	if (UNLIKELY((c = esp_sad_spi(a->e->sad, esp_spi)) == NULL)) {
		tell_stray(a, b, esp_spi);
		return ERR_NOTFOUND;
	}
#ifdef TAPIR_DEBUG
	assert(c->worker_in == a->worker);
#endif
	if (UNLIKELY(c->worker_in != a->worker))
		return ERR_NOTFOUND;
	it->child = c;
	*why = DROP_ESP_RUNT;
	if (esp_pkt_decode(v, c->info, &pkt) != 0)
		return ERR_SHORT;
	*why = DROP_ESP_REPLAY;
	it->seq = esp_replay_rebuild(&c->replay, c->is_esn, pkt.seq_lo);
	if (esp_replay_check(&c->replay, it->seq) != 0) {
		esp_stat_add(&c->stat[a->worker].n_replay, 1);
		return ERR_REPLAY;
	}
	it->b = b;
	op->n_part = 1;
	op->part[0] = pkt.text;
	op->out = b->data + (pkt.text.p - v.p);
	op->iv = pkt.iv.p;
	if (c->is_iiv) {
		esp_pkt_iiv(it->seq, a->iv[a->n]);
		op->iv = a->iv[a->n];
	}
	op->icv = b->data + (pkt.icv.p - v.p);
	esp_pkt_aad(op, c->info, c->is_esn, esp_spi, it->seq);
	return 0;
}

/* ---- open ------------------------------------------------------------- */

static void
open_run(struct batch *a, unsigned from, unsigned to)
{
	struct esp_child *c = a->item[from].child;
	struct spi_esp_ctx *ctx = esp_keyctx_open(c, a->worker);
	unsigned done, n = to - from;

	for (unsigned i = from; i < to; i++) {
		a->op[i].is_done = false;
		a->op[i].err = ERR_CRYPTO;
	}
	if (ctx == NULL)
		return;
	done = c->provider->open(ctx, &a->op[from], n);
	while (done < n)
		done += c->provider->poll(ctx);
}

static void
open_all(struct batch *a)
{
	unsigned from = 0;

	for (unsigned i = 1; i <= a->n; i++)
		if (i == a->n || a->item[i].child != a->item[from].child) {
			open_run(a, from, i);
			from = i;
		}
}

/* ---- accept ----------------------------------------------------------- */

/* Same place?  Ports count only where both are those of a UDP encapsulation. */
static bool
is_from(const struct net_ep *ep, const struct vpn_path *path,
	const struct buf *b)
{
	if (b->kind == VPN_ENCAP_UDP && path->encap == VPN_ENCAP_UDP)
		return net_ep_equal(ep, &b->from);
	return ip_equal(&ep->ip, &b->from.ip);
}

/* The newest packet came from elsewhere: the peer or its NAT has moved. */
static void
watch_move(struct batch *a, struct esp_child *c, const struct buf *b)
{
	const struct esp_path *path =
	    atomic_load_explicit(&c->path, memory_order_acquire);
	struct esp_event ev = {
		.type = ESP_EV_MOVED,
		.link = c->link_id,
		.child_id = c->id,
		.from = b->from,
	};
	uint64_t wait_ms;

	if (LIKELY(is_from(&path->p.remote, &path->p, b)))
		return;
	wait_ms = net_ep_equal(&c->moved, &b->from) ? MOVED_SAME_MS :
						      MOVED_OTHER_MS;
	if (c->moved.ip.family != 0 && a->now_ms - c->moved_ms < wait_ms)
		return;
	c->moved = b->from;
	c->moved_ms = a->now_ms;
	a->e->io.event(a->e->io.ctx, a->worker, &ev);
}

/* The ICV was right: from here on the SA may change. */
static int
commit(struct batch *a, struct item *it)
{
	struct esp_child *c = it->child;
	struct esp_stat *st = &c->stat[a->worker];
	uint64_t top = c->replay.top;

	if (esp_replay_commit(&c->replay, it->seq) != 0) {
		esp_stat_add(&st->n_replay, 1);
		return ERR_REPLAY;
	}
	atomic_store_explicit(&c->seq_in, c->replay.top, memory_order_relaxed);
	atomic_store_explicit(&st->last_in_ms, a->now_ms,
			      memory_order_relaxed);
	if (UNLIKELY(!atomic_load_explicit(&c->is_ready,
					   memory_order_relaxed)))
		atomic_store_explicit(&c->is_ready, true,
				      memory_order_relaxed);
	if (it->seq > top)
		watch_move(a, c, it->b);
	return 0;
}

/* Policy: RFC 4301 section 5.2, step 4. */
static bool
is_selected(const struct esp_child *c, const struct esp_flow *f)
{
	return esp_sel_has(c->ts_remote, c->n_ts_remote, &f->src, f,
			   f->src_port) &&
	    esp_sel_has(c->ts_local, c->n_ts_local, &f->dst, f, f->dst_port);
}

static uint64_t
counted(const _Atomic uint64_t *v)
{
	return atomic_load_explicit(v, memory_order_relaxed);
}

/* The peer may count otherwise than we do, or not at all: say once when a life
 * in packets or bytes nears its end, and once when it is over. */
static void
watch_life(struct batch *a, struct esp_child *c)
{
	const struct esp_stat *st = &c->stat[a->worker];
	const struct esp_seq *end = &c->seq;
	uint64_t bytes = counted(&st->rx_bytes);
	uint64_t packets = counted(&st->rx_packets);
	bool is_hard = bytes >= end->bytes_max || packets >= end->max;
	struct esp_event ev = {
		.type = is_hard ? ESP_EV_HARD : ESP_EV_SOFT,
		.link = c->link_id,
		.child_id = c->id,
	};
	atomic_bool *said = is_hard ? &c->said_hard : &c->said_soft;

	if (LIKELY(bytes < end->bytes_soft && packets < end->soft))
		return;
	if (!atomic_load_explicit(said, memory_order_relaxed) &&
	    !atomic_exchange(said, true))
		a->e->io.event(a->e->io.ctx, a->worker, &ev);
}

/* RFC 7296 3.10.1: the peer may want to know; seldom, as it may not. */
static void
tell_selectors(struct batch *a, struct esp_child *c, struct view inner)
{
	struct esp_event ev = {
		.type = ESP_EV_SEL,
		.link = c->link_id,
		.child_id = c->id,
		.n_head = (unsigned)MIN(inner.len, (size_t)ESP_HEAD_MAX),
	};

	if (c->sel_ms != 0 && a->now_ms - c->sel_ms < SEL_MS)
		return;
	c->sel_ms = a->now_ms;
	memcpy(ev.head, inner.p, ev.n_head);
	a->e->io.event(a->e->io.ctx, a->worker, &ev);
}

/* Padding, next header, inner packet, policy; b becomes the inner packet. */
static int
unwrap(struct batch *a, struct esp_child *c, struct buf *b,
       const struct spi_esp_op *op, enum drop *why)
{
	struct view text = { op->out, op->part[0].len }, inner;
	struct esp_flow f;
	uint8_t next;
	size_t len, skip;

	*why = DROP_ESP_PAD;
	if (esp_trail_get(text, &len, &next) != 0)
		return ERR_PAD;
	*why = DROP_ESP_DUMMY;
	if (next == ESP_NEXT_DUMMY)
		return ERR_SYNTAX;
	text.len = len;
	if (c->encap->unwrap(text, next, &inner, &f, why) != 0)
		return ERR_SYNTAX;
	*why = DROP_ESP_SEL;
	if (c->encap->has_sel && !is_selected(c, &f)) {
		tell_selectors(a, c, inner);
		return ERR_PERM;
	}
	*why = DROP_ESP_INNER;
	skip = (size_t)(inner.p - b->data);
	if (buf_pull(b, skip) != 0 || buf_trim(b, b->len - inner.len) != 0)
		return ERR_SHORT;
	return 0;
}

static void
deliver_flush(struct batch *a)
{
	if (a->n_out > 0)
		a->e->io.deliver(a->e->io.ctx, a->worker, a->link, a->out,
				 a->n_out);
	a->n_out = 0;
}

static void
deliver_add(struct batch *a, const struct esp_child *c, struct buf *b)
{
	if (c->link_id != a->link || a->n_out == ESP_BATCH_MAX)
		deliver_flush(a);
	a->link = c->link_id;
	a->out[a->n_out++] = b;
}

/* ---- strict order (order.h) --------------------------------------------- */

/* Whose turn it is. */
static void
turn_deliver(struct batch *a, struct esp_child *c)
{
	struct buf *b;

	while ((b = esp_order_take(c->order)) != NULL)
		deliver_add(a, c, b);
}

/* The list of those that hold packets; what it has no room for is not held. */
static bool
hold_note(struct batch *a, const struct esp_child *c)
{
	struct esp_hold *h = &a->e->hold[a->worker];

	for (unsigned i = 0; i < h->n; i++)
		if (h->esp_spi[i] == c->esp_spi_in)
			return h->n_packet < ESP_HOLD_PACKETS;
	if (h->n == ESP_HOLD_MAX || h->n_packet >= ESP_HOLD_PACKETS)
		return false;
	h->esp_spi[h->n++] = c->esp_spi_in;
	return true;
}

/* b NULL: the number is not to be waited for.  It is not late. */
static void
turn_put(struct batch *a, struct esp_child *c, uint64_t seq, struct buf *b)
{
	struct esp_hold *h = &a->e->hold[a->worker];
	unsigned was = c->order->n;

	while (!esp_order_has_room(c->order, seq)) {
		esp_order_skip(c->order, seq);
		turn_deliver(a, c);
	}
	esp_order_put(c->order, seq, b, a->now_ms);
	turn_deliver(a, c);
	if (c->order->n > 0 && !hold_note(a, c))
		while (c->order->n > 0) {
			esp_order_skip(c->order, seq);
			turn_deliver(a, c);
		}
	h->n_packet += c->order->n;
	h->n_packet -= MIN(h->n_packet, was);
}

static int
in_turn(struct batch *a, struct esp_child *c, uint64_t seq, struct buf *b,
	enum drop *why)
{
	*why = DROP_ESP_LATE;
	if (esp_order_is_late(c->order, seq))
		return ERR_REPLAY;
	turn_put(a, c, seq, b);
	return 0;
}

static void
no_turn(struct batch *a, struct esp_child *c, uint64_t seq)
{
	if (!esp_order_is_late(c->order, seq))
		turn_put(a, c, seq, NULL);
}

static int
accept_one(struct batch *a, struct item *it, const struct spi_esp_op *op,
	   enum drop *why)
{
	struct esp_child *c = it->child;
	struct esp_stat *st = &c->stat[a->worker];
	int err;

	if (op->err == ERR_ICV && !esp_replay_is_old(&c->replay, it->seq)) {
		*why = DROP_ESP_ICV;
		esp_stat_add(&st->n_icv, 1);
		return op->err;
	}
	*why = DROP_ESP_REPLAY;
	if (op->err == ERR_ICV) {
		esp_stat_add(&st->n_replay, 1);
		return ERR_REPLAY;
	}
	if (op->err != 0) {
		*why = DROP_ESP_CRYPTO;
		return op->err;
	}
	if ((err = commit(a, it)) != 0)
		return err;
	if ((err = unwrap(a, c, it->b, op, why)) != 0) {
		if (UNLIKELY(c->order != NULL))
			no_turn(a, c, it->seq);
		return err;
	}
	esp_stat_add(&st->rx_packets, 1);
	esp_stat_add(&st->rx_bytes, it->b->len);
	watch_life(a, c);
	it->b->port = c->link_id;
	if (UNLIKELY(c->order != NULL))
		return in_turn(a, c, it->seq, it->b, why);
	deliver_add(a, c, it->b);
	return 0;
}

static void
input_batch(struct esp *e, unsigned worker, struct buf **pkts, unsigned n)
{
	/* Filled as far as it is used; zeroing it all would cost more than a
	 * small packet does. */
	struct batch a __attribute__((uninitialized));
	enum drop why = DROP_ESP_RUNT;

	a.e = e;
	a.worker = worker;
	a.now_ms = clk_ms();
	a.n = a.n_out = 0;
	a.link = 0;
	for (unsigned i = 0; i < n; i++) {
		a.item[a.n].child = NULL;
		if (look(&a, pkts[i], &why) == 0) {
			a.n++;
			continue;
		}
		if (a.item[a.n].child != NULL)
			esp_child_drop(a.item[a.n].child, why, 1);
		else
			drop_count(why, 1);
		drop_see(why, DROP_ESP, pkts[i]);
		buf_put(pkts[i]);
	}
	open_all(&a);
	for (unsigned i = 0; i < a.n; i++)
		if (accept_one(&a, &a.item[i], &a.op[i], &why) != 0) {
			esp_child_drop(a.item[i].child, why, 1);
			drop_see(why, DROP_ESP_HEAD, a.item[i].b);
			buf_put(a.item[i].b);
		}
	deliver_flush(&a);
}

void
esp_input(struct esp *e, unsigned worker, struct buf **pkts, unsigned n)
{
	for (unsigned at = 0; at < n; at += ESP_BATCH_MAX)
		input_batch(e, worker, pkts + at,
			    MIN(n - at, (unsigned)ESP_BATCH_MAX));
}

bool
esp_is_holding(const struct esp *e, unsigned worker)
{
	return e->hold[worker].n > 0;
}

void
esp_tick(struct esp *e, unsigned worker)
{
	struct batch a __attribute__((uninitialized));
	struct esp_hold *h = &e->hold[worker];
	unsigned n = 0;

	a.e = e;
	a.worker = worker;
	a.now_ms = clk_ms();
	a.n = a.n_out = 0;
	a.link = 0;
	h->n_packet = 0;
	for (unsigned i = 0; i < h->n; i++) {
		struct esp_child *c = esp_sad_spi(e->sad, h->esp_spi[i]);

		if (c == NULL || c->worker_in != worker || c->order == NULL)
			continue;
		while (esp_order_expire(c->order, a.now_ms))
			turn_deliver(&a, c);
		if (c->order->n == 0)
			continue;
		h->esp_spi[n++] = h->esp_spi[i];
		h->n_packet += c->order->n;
	}
	h->n = n;
	deliver_flush(&a);
}
