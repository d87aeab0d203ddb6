/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp/train.c - several packets at once: frames and super-frames -> trains.
 *
 *   frames:   | frame | frame | super-frame: headers, payload 0, 1, 2 ... |
 *   arena:    |ESP IV| text |ICV||ESP IV| text |ICV| ...  |ESP IV| text |ICV|
 *   trains:   `---- all of one size, the last may be shorter ----' `- ...
 *
 * A packet is built where it will be sent from: headers and payload are copied
 * there once (the checksum is taken on the way), and sealed in place while
 * they are still in the cache.  Packets of one size that follow each other are
 * one train, which the kernel takes as one message (UDP_SEGMENT).
 *
 * Thread: any worker.  No lock, no allocation.
 */
#include "esp/out.h"
#include <string.h>
#include "daemon/base/drop.h"
#include "daemon/base/err.h"
#include "esp/gso.h"

#define SEG_MIN 512 /* no segment is made smaller than this; ours */

struct train {
	struct esp_run *r;
	uint64_t seq;		/* of the first packet of the chunk */
	uint64_t n_number;	/* numbers left */
	/* the arena */
	struct buf *arena;
	uint8_t *at, *end;
	/* the train under way */
	uint8_t *start;
	size_t pkt_len;
	unsigned n_pkt;
	bool is_closed;		/* a shorter packet was added */
	/* the chunk: built, not yet sealed */
	unsigned n_op;
	uint8_t *pkt[ESP_BATCH_MAX];
	/* trains complete but for what the chunk holds */
	unsigned n_out;
	struct buf *out[ESP_BATCH_MAX];
	uint64_t packets, bytes; /* in them and in the train under way */
	bool is_failed;
};

/* ---- sealing and sending -------------------------------------------------------- */

/* Every packet in it was sealed, or none of what is there leaves. */
static void
chunk_seal(struct train *t)
{
	struct esp_run *r = t->r;

	if (t->n_op == 0)
		return;
	if (esp_run_seal(r, t->pkt, t->n_op, t->seq) != 0)
		t->is_failed = true;
	else
		for (unsigned i = 0; i < t->n_op; i++)
			t->is_failed |= r->op[i].err != 0;
	t->seq += t->n_op;
	t->n_op = 0;
}

/* The train under way becomes a buffer of its own. */
static void
train_close(struct train *t)
{
	struct esp *e = t->r->e;
	struct buf *b;

	if (t->n_pkt == 0)
		return;
	b = e->io.slice(e->io.ctx, t->r->worker, t->arena, t->start,
			(size_t)(t->at - t->start));
	if (b == NULL) {
		esp_child_drop(t->r->child, DROP_NO_BUF, t->n_pkt);
	} else {
		if (t->n_pkt > 1)
			b->seg_len = (uint16_t)t->pkt_len;
		t->out[t->n_out++] = b;
	}
	t->n_pkt = 0;
	t->is_closed = false;
	t->start = t->at;
}

/* Seal what is not, send what is complete. */
static void
trains_send(struct train *t)
{
	train_close(t);
	chunk_seal(t);
	if (UNLIKELY(t->is_failed)) {
		/* Text may lie there in clear: nothing of it leaves. */
		esp_child_drop(t->r->child, DROP_ESP_CRYPTO, (unsigned)t->packets);
		for (unsigned i = 0; i < t->n_out; i++)
			buf_put(t->out[i]);
	} else {
		esp_run_send(t->r, t->out, t->n_out, t->packets, t->bytes);
	}
	t->n_out = 0;
	t->packets = t->bytes = 0;
	t->is_failed = false;
}

/* ---- room ----------------------------------------------------------------------- */

static int
arena_next(struct train *t)
{
	struct esp *e = t->r->e;

	if (t->arena != NULL) {
		trains_send(t);
		buf_put(t->arena);
	}
	t->arena = e->io.big_new(e->io.ctx, t->r->worker);
	if (t->arena == NULL)
		return ERR_NOMEM;
	t->at = t->start = t->arena->data;
	t->end = t->at + buf_tail(t->arena);
	return 0;
}

/* Room for a packet of len bytes, in a train it may join.  NULL: none.  A train
 * is not begun where it could not become long. */
static uint8_t *
room(struct train *t, size_t len)
{
	bool joins = t->n_pkt > 0 && !t->is_closed && len <= t->pkt_len &&
	    t->n_pkt < ESP_TRAIN_SEGS &&
	    (size_t)(t->at - t->start) + len <= ESP_TRAIN_MAX;
	size_t need = len;
	uint8_t *p;

	if (!joins) {
		train_close(t);
		if (t->n_out == ESP_BATCH_MAX)
			trains_send(t);
		need = MAX(len, (size_t)ESP_TRAIN_MAX / 2);
	}
	if (t->arena == NULL || (size_t)(t->end - t->at) < need)
		if (arena_next(t) != 0 || (size_t)(t->end - t->at) < len)
			return NULL;
	if (t->n_pkt == 0)
		t->pkt_len = len;
	t->is_closed = len < t->pkt_len;
	t->n_pkt++;
	p = t->at;
	t->at += len;
	return p;
}

/* ---- building ------------------------------------------------------------------- */

/* One packet around an inner one of len bytes; where that goes, or NULL. */
static uint8_t *
packet(struct train *t, const struct esp_wrap *w, size_t len)
{
	const struct vpn_alg_info *info = t->r->child->info;
	size_t front = ESP_HDR_LEN + info->iv_len, text = w->hdr_len + len;
	size_t trail = esp_trail_len(info, text);
	struct spi_esp_op *op;
	uint8_t *p;

	if (t->n_op == ESP_BATCH_MAX)
		chunk_seal(t);
	p = room(t, front + text + trail + info->icv_len);
	if (p == NULL)
		return NULL;
	op = &t->r->op[t->n_op];
	t->pkt[t->n_op++] = p;
	p += front;
	memcpy(p, w->hdr, w->hdr_len);
	esp_trail_put(p + text, trail, w->next);
	op->out = p;
	op->icv = p + text + trail;
	op->n_part = 1;
	op->part[0] = (struct view){ p, text + trail };
	t->packets++;
	t->bytes += len;
	return p + w->hdr_len;
}

/* Numbers for n packets; those that get none are lost.  @return how many. */
static uint32_t
number(struct train *t, uint32_t n)
{
	uint32_t got = (uint32_t)MIN((uint64_t)n, t->n_number);

	t->n_number -= got;
	if (UNLIKELY(got < n))
		esp_child_drop(t->r->child, DROP_ESP_SEQ, n - got);
	return got;
}

static void
plain_frame(struct train *t, const struct esp_item *it)
{
	uint8_t *p;

	if (number(t, 1) == 0)
		return;
	if ((p = packet(t, &it->wrap, it->wrap.len)) != NULL)
		memcpy(p, it->src->data, it->wrap.len);
	else
		esp_child_drop(t->r->child, DROP_NO_BUF, 1);
}

static void
super_frame(struct train *t, const struct esp_item *it,
	    const struct esp_gso *g)
{
	uint32_t n = number(t, g->n);

	for (uint32_t i = 0; i < n; i++) {
		uint8_t *p = packet(t, &it->wrap, esp_gso_len(g, i));

		if (p != NULL)
			esp_gso_put(g, i, p);
		else
			esp_child_drop(t->r->child, DROP_NO_BUF, 1);
	}
}

/* The longest inner packet or frame that leaves whole; 0 = not known. */
static size_t
whole_max(const struct esp_run *r)
{
	const struct esp_io *io = &r->e->io;
	const struct esp_path *path;
	size_t max, hdr_len = r->item[0].wrap.hdr_len;

	if (io->room == NULL)
		return 0;
	path = atomic_load_explicit(&r->child->path, memory_order_acquire);
	max = io->room(io->ctx, r->worker, &path->p);
	if (max != 0)
		max = esp_payload_max(r->child->info, max);
	return max > hdr_len ? max - hdr_len : 0;
}

/* A sender of TCP may make its segments as small as it likes: rather than have
 * each packet cut up on the way and put together again, which costs several times
 * as much, its segments are made to fit. */
static uint16_t
fitting(uint16_t seg_len, const struct esp_l4 *at, size_t max)
{
	if (!at->is_tcp || max < at->data + (size_t)SEG_MIN ||
	    max >= at->data + (size_t)seg_len)
		return seg_len;
	return (uint16_t)(max - at->data);
}

static int
plan_one(const struct esp_run *r, const struct esp_item *it, size_t max,
	 struct esp_gso *g)
{
	struct view v = { it->src->data, it->wrap.len };
	uint16_t seg_len = it->src->seg_len, fit;
	int err = esp_gso_plan(v, r->child->is_ether, seg_len, g);

	if (err != 0)
		return err;
	fit = fitting(seg_len, &g->at, max);
	return fit == seg_len ? 0 :
	    esp_gso_plan(v, r->child->is_ether, fit, g);
}

/* Plan super-frames; those that cannot be cut are dropped.
 * @return packets; *bytes of inner packets. */
static unsigned
plan(struct esp_run *r, struct esp_gso *g, uint64_t *bytes)
{
	size_t max = whole_max(r);
	unsigned n = 0, packets = 0;

	*bytes = 0;
	for (unsigned i = 0; i < r->n; i++) {
		struct esp_item *it = &r->item[i];

		g[n].n = 1;
		if (it->src->seg_len != 0 &&
		    plan_one(r, it, max, &g[n]) != 0) {
			esp_child_drop(r->child, DROP_GSO, 1);
			buf_put(it->src);
			continue;
		}
		packets += g[n].n;
		*bytes += it->wrap.len + (g[n].n - 1ull) * (it->src->seg_len ?
		    g[n].at.data : 0u);
		r->item[n++] = *it;
	}
	r->n = n;
	return packets;
}

void
esp_train_run(struct esp_run *r)
{
	/* Filled as far as they are used. */
	struct esp_gso g[ESP_BATCH_MAX] __attribute__((uninitialized));
	struct train t __attribute__((uninitialized));
	uint64_t bytes;
	unsigned want = plan(r, g, &bytes);

	t.r = r;
	t.arena = NULL;
	t.at = t.end = t.start = NULL;
	t.n_pkt = t.n_op = t.n_out = 0;
	t.packets = t.bytes = 0;
	t.is_closed = t.is_failed = false;
	if (want == 0)
		return;
	t.n_number = esp_run_number(r, want, bytes, &t.seq);
	for (unsigned i = 0; i < r->n; i++) {
		if (r->item[i].src->seg_len == 0)
			plain_frame(&t, &r->item[i]);
		else
			super_frame(&t, &r->item[i], &g[i]);
		buf_put(r->item[i].src);
	}
	if (t.arena == NULL)
		return;
	trains_send(&t);
	buf_put(t.arena);
}
