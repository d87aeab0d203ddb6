/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/bus/bus.c - the bounded ring of events.
 *
 *          oldest                        newest    w = next free byte
 *            v                              v      v
 *   bytes  | #41 | #42 |  ...             | #63 |  free   | #40 gone |
 *
 * Events lie encoded and unbroken in one ring of bytes; the place of event s is
 * slot[s % BUS_RING_MAX].  A new event first evicts the oldest ones it would
 * lie upon.  Sequence numbers rise by one, so what a reader missed is a
 * difference of two numbers.
 *
 * Thread: any; one short lock.
 */
#include "daemon/bus/bus.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/clk.h"
#include "daemon/base/lk.h"
#include "daemon/bus/bus_wire.h"

#define BUS_LK_RANK 90 /* leaf: nothing is taken below it */

struct place {
	uint32_t off, len;
};
struct bus {
	struct lk lock;
	uint64_t next_seq GUARDED_BY(lock);
	unsigned n GUARDED_BY(lock);	/* events kept */
	uint32_t w GUARDED_BY(lock);
	struct place slot[BUS_RING_MAX] GUARDED_BY(lock);
	bus_notify_fn *notify;		/* immutable once threads run */
	void *notify_ctx;
	uint8_t bytes[BUS_RING_BYTES] GUARDED_BY(lock);
};

static struct place *
oldest(struct bus *b)
{
	return &b->slot[(b->next_seq - b->n) % BUS_RING_MAX];
}

/* Make len unbroken bytes free and return where they begin. */
static uint32_t
make_room(struct bus *b, uint32_t len)
{
	if (b->w + len > BUS_RING_BYTES) {
		/* Everything from here to the end is older than what lies at
		 * the beginning. */
		while (b->n > 0 && oldest(b)->off >= b->w)
			b->n--;
		b->w = 0;
	}
	while (b->n > 0 && oldest(b)->off >= b->w &&
	    oldest(b)->off < b->w + len)
		b->n--;
	if (b->n == BUS_RING_MAX)
		b->n--;
	return b->w;
}

static uint64_t
append(struct bus *b, struct bus_rec *r)
{
	uint8_t buf[BUS_WIRE_MAX];
	uint32_t at;
	int len;

	r->seq = b->next_seq;
	len = bus_enc_buf(r, buf, sizeof(buf));
	if (len < 0)
		abort(); /* a record always fits: sizes in bus.h */
	at = make_room(b, (uint32_t)len);
	memcpy(b->bytes + at, buf, (size_t)len);
	b->slot[b->next_seq % BUS_RING_MAX] =
	    (struct place){ at, (uint32_t)len };
	b->w = at + (uint32_t)len;
	b->n++;
	return b->next_seq++;
}

int
bus_new(struct bus **out)
{
	struct bus *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return ERR_NOMEM;
	lk_init(&b->lock, BUS_LK_RANK);
	b->next_seq = 1;
	*out = b;
	return 0;
}

void
bus_free(struct bus *b)
{
	if (b == NULL)
		return;
	lk_fini(&b->lock);
	free(b);
}

void
bus_set_notify(struct bus *b, bus_notify_fn *fn, void *ctx)
{
	b->notify = fn;
	b->notify_ctx = ctx;
}

uint64_t
bus_publish(struct bus *b, struct bus_rec *r)
{
	uint64_t seq;

	if (b == NULL)
		return 0;
	r->time_ms = clk_wall_ms();
	lk_lock(&b->lock);
	seq = append(b, r);
	lk_unlock(&b->lock);
	if (b->notify != NULL)
		b->notify(b->notify_ctx);
	return seq;
}

uint64_t
bus_last_seq(const struct bus *b)
{
	struct bus *m = (struct bus *)(uintptr_t)b; /* for its lock only */
	uint64_t seq;

	lk_lock(&m->lock);
	seq = m->next_seq - 1;
	lk_unlock(&m->lock);
	return seq;
}

void
bus_reader_init(struct bus_reader *rd, uint64_t after_seq)
{
	rd->next_seq = after_seq < UINT64_MAX ? after_seq + 1 : after_seq;
}

int
bus_read(const struct bus *b, struct bus_reader *rd, struct bus_rec *out,
	 uint64_t *lost)
{
	struct bus *m = (struct bus *)(uintptr_t)b; /* for its lock only */
	uint8_t buf[BUS_WIRE_MAX];
	uint64_t first;
	struct place at = { 0, 0 };
	int err = ERR_AGAIN;

	*lost = 0;
	lk_lock(&m->lock);
	first = m->next_seq - m->n;
	if (rd->next_seq < first) {
		*lost = first - rd->next_seq;
		rd->next_seq = first;
		err = 0;
	} else if (rd->next_seq < m->next_seq) {
		at = m->slot[rd->next_seq % BUS_RING_MAX];
		memcpy(buf, m->bytes + at.off, at.len);
		rd->next_seq++;
		err = 0;
	}
	lk_unlock(&m->lock);
	if (err != 0 || at.len == 0)
		return err;
	return bus_dec(buf, at.len, out);
}
