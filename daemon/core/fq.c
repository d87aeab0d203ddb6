/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/fq.c - frames that wait for their turn.
 */
#include "daemon/core/fq.h"
#include <stdlib.h>
#include "daemon/base/drop.h"
#include "esp/ecn.h"
#include "esp/gso.h"

#define NONE	   UINT16_MAX
#define COUNT_KEPT 16		/* intervals for which a flow's rate of losses is
				 * remembered; RFC 8289 4.3 leaves it open */

struct item {
	struct buf *b;
	uint64_t since_ns;
	uint16_t next;		/* of its flow, or free */
};

enum where { IN_NONE, IN_NEW, IN_OLD };

/* A flow's frames and what RFC 8289 5.1 keeps of them. */
struct flow {
	uint16_t head, tail;	/* items, oldest first */
	uint16_t next;		/* flow of the same list */
	uint8_t where;
	bool is_dropping;
	int32_t deficit;
	uint32_t bytes;
	uint32_t count, last_count;
	uint64_t above_ns;	/* when waiting will have been long; 0 = is not */
	uint64_t drop_ns;	/* the next loss */
};

struct list {
	uint16_t head, tail;
};

struct fq {
	unsigned n;
	uint64_t n_drop;
	uint16_t free;
	struct list fresh, old;	/* flows: new ones, and those that had turns */
	struct item item[FQ_ITEMS];
	struct flow flow[FQ_FLOWS];
};

int
fq_new(struct fq **out)
{
	struct fq *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return ERR_NOMEM;
	for (unsigned i = 0; i < FQ_ITEMS; i++)
		q->item[i].next = i + 1 < FQ_ITEMS ? (uint16_t)(i + 1) : NONE;
	for (unsigned i = 0; i < FQ_FLOWS; i++)
		q->flow[i].head = q->flow[i].tail = NONE;
	q->fresh.head = q->fresh.tail = NONE;
	q->old.head = q->old.tail = NONE;
	*out = q;
	return 0;
}

unsigned
fq_count(const struct fq *q)
{
	return q->n;
}

uint64_t
fq_dropped(const struct fq *q)
{
	return q->n_drop;
}

/* ---- lists ---------------------------------------------------------------------- */

static void
list_add(struct fq *q, struct list *l, uint16_t i)
{
	q->flow[i].next = NONE;
	if (l->head == NONE)
		l->head = i;
	else
		q->flow[l->tail].next = i;
	l->tail = i;
}

static void
list_pop(struct fq *q, struct list *l)
{
	l->head = q->flow[l->head].next;
	if (l->head == NONE)
		l->tail = NONE;
}

/* The oldest of a flow that has some. */
static struct buf *
pop(struct fq *q, struct flow *f)
{
	uint16_t i = f->head;
	struct item *it = &q->item[i];

	f->head = it->next;
	if (f->head == NONE)
		f->tail = NONE;
	f->bytes -= it->b->len;
	q->n--;
	it->next = q->free;
	q->free = i;
	return it->b;
}

static void
lose(struct fq *q, struct buf *b)
{
	drop_count(DROP_QUEUE_TAP, 1);
	q->n_drop++;
	buf_put(b);
}

void
fq_free(struct fq *q)
{
	if (q == NULL)
		return;
	for (unsigned i = 0; i < FQ_FLOWS; i++)
		while (q->flow[i].head != NONE)
			buf_put(pop(q, &q->flow[i]));
	free(q);
}

/* ---- in -------------------------------------------------------------------------- */

static struct flow *
fattest(struct fq *q)
{
	struct flow *f = &q->flow[0];

	for (unsigned i = 1; i < FQ_FLOWS; i++)
		if (q->flow[i].bytes > f->bytes)
			f = &q->flow[i];
	return f;
}

void
fq_add(struct fq *q, struct buf *b, uint32_t flow, uint64_t now_ns)
{
	uint16_t at = flow & (FQ_FLOWS - 1), i;
	struct flow *f = &q->flow[at];

	if (UNLIKELY(q->free == NONE))
		lose(q, pop(q, fattest(q)));
	i = q->free;
	q->free = q->item[i].next;
	q->item[i] = (struct item){ b, now_ns, NONE };
	if (f->head == NONE)
		f->head = i;
	else
		q->item[f->tail].next = i;
	f->tail = i;
	f->bytes += b->len;
	q->n++;
	if (f->where != IN_NONE)
		return;
	f->where = IN_NEW; /* RFC 8290 4.1 */
	f->deficit = FQ_QUANTUM;
	list_add(q, &q->fresh, at);
}

/* ---- waited too long: RFC 8289 5 --------------------------------------------------- */

static uint32_t
root(uint32_t v)
{
	uint32_t r = 0;

	for (uint32_t bit = 1u << 15; bit != 0; bit >>= 1)
		if ((uint64_t)(r | bit) * (r | bit) <= v)
			r |= bit;
	return r;
}

/* The next loss comes sooner with each one: interval / sqrt(count). */
static uint64_t
next_loss(uint64_t t, uint32_t count)
{
	/* in 256ths, so that the first few differ */
	return t + FQ_INTERVAL_NS * 256 / root(MIN(count, 65535u) << 16);
}

/* Has the flow waited too long, all the time for an interval? */
static bool
is_late(struct flow *f, uint64_t since_ns, uint64_t now_ns)
{
	/* one super-frame, or what it is worth, is no queue */
	if (now_ns - since_ns < FQ_TARGET_NS || f->bytes <= FQ_QUANTUM) {
		f->above_ns = 0;
		return false;
	}
	if (f->above_ns == 0) {
		f->above_ns = now_ns + FQ_INTERVAL_NS;
		return false;
	}
	return now_ns >= f->above_ns;
}

/* Is something to be lost now? */
static bool
is_due(struct flow *f, uint64_t since_ns, uint64_t now_ns)
{
	bool late = is_late(f, since_ns, now_ns);
	uint32_t delta;

	if (!late) {
		f->is_dropping = false;
		return false;
	}
	if (f->is_dropping) {
		if (now_ns < f->drop_ns)
			return false;
		f->count++;
		f->drop_ns = next_loss(f->drop_ns, f->count);
		return true;
	}
	f->is_dropping = true;
	delta = f->count - f->last_count;
	f->count = delta > 1 && now_ns - f->drop_ns <
	    COUNT_KEPT * FQ_INTERVAL_NS ? delta : 1;
	f->last_count = f->count;
	f->drop_ns = next_loss(now_ns, f->count);
	return true;
}

/* Tell the sender: by a mark, or by losing as little as it notices, the first
 * segment of a super-frame.  NULL when nothing is left. */
static struct buf *
tell(struct fq *q, struct buf *b)
{
	if (buf_is_shared(b)) {
		lose(q, b);
		return NULL;
	}
	if (esp_ecn_mark(b->data, b->len, true))
		return b;
	if (b->seg_len == 0 ||
	    esp_gso_behead(b->data, b->len, true, b->seg_len) != 0 ||
	    buf_pull(b, b->seg_len) != 0) {
		lose(q, b);
		return NULL;
	}
	drop_count(DROP_QUEUE_TAP, 1);
	q->n_drop++;
	return b;
}

/* ---- out ---------------------------------------------------------------------------- */

/* The flow whose turn it is, or NONE.  RFC 8290 4.2. */
static uint16_t
turn(struct fq *q)
{
	for (;;) {
		struct list *l = q->fresh.head != NONE ? &q->fresh : &q->old;
		uint16_t i = l->head;
		struct flow *f;

		if (i == NONE)
			return NONE;
		f = &q->flow[i];
		if (f->deficit > 0 && f->head != NONE)
			return i;
		list_pop(q, l);
		if (f->head == NONE && f->where == IN_OLD) {
			f->where = IN_NONE;
			continue;
		}
		/* an empty new one as well: else it were new again at once */
		if (f->deficit <= 0)
			f->deficit += FQ_QUANTUM;
		f->where = IN_OLD;
		list_add(q, &q->old, i);
	}
}

unsigned
fq_take(struct fq *q, struct buf **out, unsigned n, size_t max_bytes,
	uint64_t now_ns)
{
	size_t bytes = 0;
	unsigned got = 0;

	while (got < n && bytes < max_bytes) {
		uint16_t at = turn(q);
		struct flow *f;
		uint64_t since;
		struct buf *b;

		if (at == NONE)
			break;
		f = &q->flow[at];
		since = q->item[f->head].since_ns;
		b = pop(q, f);
		f->deficit -= (int32_t)b->len;
		if (UNLIKELY(is_due(f, since, now_ns)) &&
		    (b = tell(q, b)) == NULL)
			continue;
		bytes += b->len;
		out[got++] = b;
	}
	return got;
}
