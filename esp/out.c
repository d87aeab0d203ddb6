/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/out.c - frames of a link -> pair -> wrap -> number -> seal -> send.
 *
 * Consecutive frames that take the same pair form a run: one take of sequence
 * numbers, one io.send.
 *
 *   one frame, alone:   | head room <-- ESP | IV | EtherIP | frame | trailer |
 *                       ICV | sealed where it lies
 *   one frame, shared:  a new buffer; sealing reads the frame and writes there,
 *                       which is the only copy
 *   several, or a super-frame: cut into trains (train.c)
 *
 * Thread: any worker.  No lock; memory is taken when a worker meets a pair
 * for the first time (keyctx.h) and never else.
 */
#include "esp/esp.h"
#include <string.h>
#include "daemon/base/clk.h"
#include "daemon/base/cur.h"
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "esp/esp_int.h"
#include "esp/keyctx.h"
#include "esp/lane.h"
#include "esp/out.h"
#include "esp/pkt.h"

static void
item_drop(struct esp_run *r, struct esp_item *it, enum drop why)
{
	if (it->dst != it->src)
		buf_put(it->dst);
	buf_put(it->src);
	esp_child_drop(r->child, why, 1);
}

static void
tell(struct esp_run *r, enum esp_event_type type, atomic_bool *said)
{
	struct esp_event ev = {
		.type = type,
		.link = r->child->link_id,
		.child_id = r->child->id,
	};

	if (atomic_load_explicit(said, memory_order_relaxed) ||
	    atomic_exchange(said, true))
		return;
	r->e->io.event(r->e->io.ctx, r->worker, &ev);
}

/* ---- where the packet goes -------------------------------------------- */

/* Grow the frame's own buffer. */
static void
place_here(struct esp_item *it, struct spi_esp_op *op, size_t front, size_t trail,
	   size_t back, uint8_t next)
{
	uint8_t *end;

	it->src->len = it->wrap.len;
	it->dst = it->src;
	it->pkt = buf_push(it->src, front);
	end = buf_append(it->src, back);
	esp_trail_put(end, trail, next);
	op->icv = end + trail;
	op->out = it->pkt + front - it->wrap.hdr_len;
	memcpy(op->out, it->wrap.hdr, it->wrap.hdr_len);
	op->n_part = 1;
	op->part[0] = (struct view){ op->out,
		it->wrap.hdr_len + it->wrap.len + trail };
}

/* Seal into a new buffer. */
static int
place_apart(struct esp_run *r, struct esp_item *it, struct spi_esp_op *op,
	    size_t front, size_t trail, size_t back, uint8_t next,
	    enum drop *why)
{
	struct buf *b = r->e->io.buf_new(r->e->io.ctx, r->worker);
	size_t total = front + it->wrap.len + back;

	*why = DROP_NO_BUF;
	if (b == NULL)
		return ERR_NOMEM;
	if ((it->pkt = buf_append(b, total)) == NULL) {
		buf_put(b);
		*why = DROP_TOO_BIG;
		return ERR_LONG;
	}
	b->prio = it->src->prio;
	b->port = it->src->port;
	b->flow_hash = it->src->flow_hash;
	it->dst = b;
	esp_trail_put(it->trail, trail, next);
	op->out = it->pkt + front - it->wrap.hdr_len;
	op->icv = it->pkt + front + it->wrap.len + trail;
	op->n_part = 3;
	op->part[0] = (struct view){ it->wrap.hdr, it->wrap.hdr_len };
	op->part[1] = (struct view){ it->src->data, it->wrap.len };
	op->part[2] = (struct view){ it->trail, trail };
	return 0;
}

static int
place(struct esp_run *r, struct esp_item *it, struct spi_esp_op *op, enum drop *why)
{
	const struct vpn_alg_info *info = r->child->info;
	size_t text = it->wrap.hdr_len + it->wrap.len;
	size_t front = ESP_HDR_LEN + info->iv_len + it->wrap.hdr_len;
	size_t trail = esp_trail_len(info, text);
	size_t back = trail + info->icv_len;
	int err = 0;

	*why = DROP_GSO;
	if (UNLIKELY(it->src->seg_len != 0))
		return ERR_UNSUP;
	if (!buf_is_shared(it->src) && buf_head(it->src) >= front &&
	    buf_tail(it->src) + (it->src->len - it->wrap.len) >= back)
		place_here(it, op, front, trail, back, it->wrap.next);
	else
		err = place_apart(r, it, op, front, trail, back, it->wrap.next,
				  why);
	return err;
}

/* ---- number and seal -------------------------------------------------- */

/* Place all frames; those that cannot be are dropped.  @return bytes. */
static uint64_t
run_place(struct esp_run *r)
{
	unsigned n = 0;
	uint64_t bytes = 0;
	enum drop why = DROP_TOO_BIG;

	for (unsigned i = 0; i < r->n; i++) {
		struct esp_item it = r->item[i];

		if (place(r, &it, &r->op[n], &why) != 0) {
			item_drop(r, &it, why);
			continue;
		}
		r->item[n] = it;
		/* The small parts moved with their item. */
		if (r->op[n].n_part == 3) {
			r->op[n].part[0].p = r->item[n].wrap.hdr;
			r->op[n].part[2].p = r->item[n].trail;
		}
		bytes += it.wrap.len;
		n++;
	}
	r->n = n;
	return bytes;
}

unsigned
esp_run_number(struct esp_run *r, unsigned n, uint64_t bytes, uint64_t *first)
{
	struct esp_child *c = r->child;
	unsigned got = esp_seq_take(&c->seq, n, bytes, first);

	if (UNLIKELY(got < n))
		tell(r, ESP_EV_HARD, &c->said_hard);
	if (UNLIKELY(esp_seq_is_soft(&c->seq)))
		tell(r, ESP_EV_SOFT, &c->said_soft);
	return got;
}

/* Take numbers; what gets none is dropped. */
static uint64_t
run_number(struct esp_run *r, uint64_t bytes)
{
	uint64_t first = 0;
	unsigned got = esp_run_number(r, r->n, bytes, &first);

	for (unsigned i = got; i < r->n; i++)
		item_drop(r, &r->item[i], DROP_ESP_SEQ);
	r->n = got;
	return first;
}

/* AEAD: the IV is the sequence number, which never repeats (RFC 4106 3.1); what
 * of it is implicit lies beside the packet (RFC 8750).
 * CBC: it must not be predictable (RFC 3602 3). */
int
esp_run_seal(struct esp_run *r, uint8_t *const *pkt, unsigned n, uint64_t first)
{
	struct esp_child *c = r->child;
	struct spi_esp_ctx *ctx = esp_keyctx_seal(c, r->worker);
	uint8_t iv[ESP_BATCH_MAX][ESP_IV_MAX] __attribute__((uninitialized));
	unsigned done;
	int err;

	if (ctx == NULL)
		return ERR_CRYPTO;
	if (!c->is_aead && (err = rng_bytes(iv, n * sizeof(iv[0]))) != 0)
		return err;
	for (unsigned i = 0; i < n; i++) {
		uint8_t *p = pkt[i];

		be32_put(p, c->esp_spi_out);
		be32_put(p + 4, (uint32_t)(first + i));
		r->op[i].iv = p + ESP_HDR_LEN;
		if (c->is_iiv) {
			esp_pkt_iiv(first + i, iv[i]);
			r->op[i].iv = iv[i];
		} else if (c->is_aead) {
			be64_put(p + ESP_HDR_LEN, first + i);
		} else {
			memcpy(p + ESP_HDR_LEN, iv[i], c->info->iv_len);
		}
		r->op[i].is_done = false;
		esp_pkt_aad(&r->op[i], c->info, c->is_esn, c->esp_spi_out,
			    first + i);
	}
	done = c->provider->seal(ctx, r->op, n);
	while (done < n)
		done += c->provider->poll(ctx);
	return 0;
}

void
esp_run_send(struct esp_run *r, struct buf **pkts, unsigned n, uint64_t packets,
	     uint64_t bytes)
{
	struct esp_stat *st = &r->child->stat[r->worker];
	const struct esp_path *path;

	if (n == 0)
		return;
	esp_stat_add(&st->tx_packets, packets);
	esp_stat_add(&st->tx_bytes, bytes);
	atomic_store_explicit(&st->last_out_ms, r->now_ms,
			      memory_order_relaxed);
	path = atomic_load_explicit(&r->child->path, memory_order_acquire);
	r->e->io.send(r->e->io.ctx, r->worker, &path->p, pkts, n);
}

static void
run_send(struct esp_run *r)
{
	struct buf *pkts[ESP_BATCH_MAX];
	uint64_t bytes = 0;
	unsigned n = 0;

	for (unsigned i = 0; i < r->n; i++) {
		struct esp_item *it = &r->item[i];

		if (UNLIKELY(r->op[i].err != 0)) {
			item_drop(r, it, DROP_ESP_CRYPTO);
			continue;
		}
		if (it->dst != it->src)
			buf_put(it->src);
		bytes += it->wrap.len;
		pkts[n++] = it->dst;
	}
	esp_run_send(r, pkts, n, n, bytes);
}

/* Each frame in a buffer of its own. */
static void
run_single(struct esp_run *r)
{
	uint8_t *pkt[ESP_BATCH_MAX];
	uint64_t first, bytes;

	bytes = run_place(r);
	first = run_number(r, bytes);
	for (unsigned i = 0; i < r->n; i++)
		pkt[i] = r->item[i].pkt;
	if (esp_run_seal(r, pkt, r->n, first) == 0) {
		run_send(r);
		return;
	}
	for (unsigned i = 0; i < r->n; i++)
		item_drop(r, &r->item[i], DROP_ESP_CRYPTO);
}

static void
run_flush(struct esp_run *r)
{
	if (r->n == 0)
		return;
	if (r->e->io.big_new != NULL && (r->n > 1 || r->item[0].src->seg_len))
		esp_train_run(r);
	else
		run_single(r);
	r->n = 0;
}

/* ---- which pair ------------------------------------------------------- */

/* RFC 7296 2.8: as responder, not before the peer was heard on it. */
static bool
is_ready(const struct esp_child *c, uint64_t now_ms)
{
	return atomic_load_explicit(&c->is_ready, memory_order_relaxed) ||
	    now_ms >= c->ready_ms;
}

/* The best pair so far, and why it is. */
struct best {
	struct esp_child *c;
	uint32_t flow, weight;	/* of a bundle */
};

/* The first counts, which is the newest; in its bundle the one on the flow's
 * lane, of several on one lane again the newest. */
static void
consider(struct best *best, struct esp_child *c, const struct buf *b)
{
	uint32_t weight;

	if (best->c == NULL) {
		best->c = c;
		if (UNLIKELY(c->bundle != 0)) {
			best->flow = esp_lane_flow(buf_view(b), c->is_ether);
			best->weight = esp_lane_weight(best->flow, c->lane);
		}
		return;
	}
	if (c->bundle == 0 || c->bundle != best->c->bundle)
		return;
	weight = esp_lane_weight(best->flow, c->lane);
	if (weight > best->weight) {
		best->weight = weight;
		best->c = c;
	}
}

/* The newest pair that fits and is ready, else the newest that fits; of a
 * bundle the one on the flow's lane. */
static struct esp_child *
pick(const struct esp_set *set, const struct buf *b, uint64_t now_ms,
     struct esp_wrap *wrap, enum drop *why)
{
	const struct esp_encap *encap = NULL;
	struct best ready = { .c = NULL }, waiting = { .c = NULL };
	struct esp_child *c;
	struct esp_flow f;

	*why = DROP_ESP_NOSA;
	for (unsigned i = 0; i < set->n; i++) {
		c = atomic_load_explicit(&set->child[i], memory_order_acquire);
		if (c == NULL)
			continue;
		/* A link has one mode; were it two, the newest counts. */
		if (encap == NULL) {
			encap = c->encap;
			if (encap->wrap(buf_view(b), wrap, &f) != 0) {
				*why = DROP_ESP_INNER;
				return NULL;
			}
		}
		if (c->encap != encap)
			continue;
		if (encap->has_sel &&
		    (!esp_sel_has(c->ts_local, c->n_ts_local, &f.src, &f,
				  f.src_port) ||
		     !esp_sel_has(c->ts_remote, c->n_ts_remote, &f.dst, &f,
				  f.dst_port))) {
			*why = DROP_ESP_SEL;
			continue;
		}
		consider(is_ready(c, now_ms) ? &ready : &waiting, c, b);
		if (ready.c != NULL && ready.c->bundle == 0)
			break;
	}
	return ready.c != NULL ? ready.c : waiting.c;
}

static void
run_add(struct esp_run *r, struct buf *b, const struct esp_wrap *wrap)
{
	r->item[r->n].src = b;
	r->item[r->n].dst = b;
	r->item[r->n].pkt = NULL;
	r->item[r->n++].wrap = *wrap;
}

static struct esp_child *
pick_or_drop(const struct esp_set *set, struct buf *b, uint64_t now_ms,
	     struct esp_wrap *wrap)
{
	enum drop why = DROP_ESP_NOSA;
	struct esp_child *c = NULL;

	if (set != NULL)
		c = pick(set, b, now_ms, wrap, &why);
	if (c == NULL) {
		drop_count(why, 1);
		drop_see(why, DROP_EITHER, b);
		buf_put(b);
	}
	return c;
}

/* Flows alternate between lanes: sort them, so that each pair has its frames
 * in one run.  What is of one flow keeps its order. */
static void
output_lanes(struct esp_run *r, const struct esp_set *set, struct buf **frames,
	     unsigned n)
{
	struct esp_wrap wrap[ESP_BATCH_MAX] __attribute__((uninitialized));
	struct esp_child *to[ESP_BATCH_MAX];

	for (unsigned i = 0; i < n; i++)
		to[i] = pick_or_drop(set, frames[i], r->now_ms, &wrap[i]);
	for (unsigned i = 0; i < n; i++) {
		if (to[i] == NULL)
			continue;
		r->child = to[i];
		for (unsigned k = i; k < n; k++)
			if (to[k] == r->child) {
				run_add(r, frames[k], &wrap[k]);
				to[k] = NULL;
			}
		run_flush(r);
	}
}

void
esp_output(struct esp *e, unsigned worker, uint32_t link, struct buf **frames,
	   unsigned n)
{
	struct esp_link *l = esp_sad_link(e->sad, link);
	struct esp_set *set = l == NULL ? NULL :
	    atomic_load_explicit(&l->set, memory_order_acquire);
	/* Filled as far as it is used; zeroing it all would cost more than a
	 * small packet does. */
	struct esp_run r __attribute__((uninitialized));

	r.e = e;
	r.worker = worker;
	r.child = NULL;
	r.n = 0;
	r.now_ms = clk_ms();
	if (set != NULL && set->has_bundle) {
		output_lanes(&r, set, frames, n);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		struct esp_wrap wrap;
		struct esp_child *c;

		c = pick_or_drop(set, frames[i], r.now_ms, &wrap);
		if (c == NULL)
			continue;
		if (c != r.child || r.n == ESP_BATCH_MAX)
			run_flush(&r);
		r.child = c;
		run_add(&r, frames[i], &wrap);
	}
	run_flush(&r);
}
