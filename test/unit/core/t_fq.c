/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_fq.c - frames that wait: order, turns, and for how long.
 */
#include "daemon/core/fq.h"
#include <string.h>
#include "daemon/base/cur.h"
#include "daemon/base/drop.h"
#include "test/lib/test.h"

#define MS	UINT64_C(1000000)
#define N	64
#define POOL	1024
#define ROOM	66000
#define ALL	((size_t)-1)

static struct buf_pool *pool;
static struct fq *fq;

static void
open_all(void)
{
	assert_int_equal(buf_pool_new(&pool, POOL, ROOM), 0);
	assert_int_equal(fq_new(&fq), 0);
}

static void
close_all(void)
{
	fq_free(fq);
	assert_int_equal(buf_pool_used(pool), 0);
	buf_pool_free(pool);
}

/* A frame of len bytes, known by its tag. */
static void
add(uint32_t flow, uint32_t tag, uint32_t len, uint64_t now)
{
	struct buf *b = buf_new(pool);

	assert_non_null(b);
	memset(buf_append(b, len), 0, len);
	b->port = tag;
	fq_add(fq, b, flow, now);
}

/* TCP over IPv4 in Ethernet: a super-frame of n segments of seg bytes. */
static void
add_super(uint32_t flow, uint32_t seq, unsigned n, uint16_t seg, uint64_t now)
{
	static const uint8_t head[54] = {
		[12] = 8, [14] = 0x45, [22] = 64, [23] = 6, [26] = 10, [30] = 10,
		[46] = 0x50, [47] = 0x19, /* FIN, PSH, ACK */
	};
	struct buf *b = buf_new(pool);

	assert_non_null(b);
	memcpy(buf_append(b, sizeof(head)), head, sizeof(head));
	memset(buf_append(b, (size_t)n * seg), 7, (size_t)n * seg);
	be16_put(b->data + 16, (uint16_t)(b->len - 14));
	be32_put(b->data + 38, seq);
	b->seg_len = seg;
	fq_add(fq, b, flow, now);
}

/* All there is at a time, at most n: tags; how many. */
static unsigned
take(uint32_t *tag, unsigned n, size_t max, uint64_t now)
{
	struct buf *b[N];
	unsigned got = fq_take(fq, b, n, max, now);

	for (unsigned i = 0; i < got; i++) {
		tag[i] = b[i]->port;
		buf_put(b[i]);
	}
	return got;
}

TEST(a_flow_keeps_its_order)
{
	uint32_t tag[N];

	open_all();
	for (uint32_t i = 0; i < 50; i++)
		add(i % 3, i, 100, 0);
	assert_int_equal(fq_count(fq), 50);
	assert_int_equal(take(tag, N, ALL, 1), 50);
	for (uint32_t flow = 0; flow < 3; flow++) {
		uint32_t want = flow;

		for (unsigned i = 0; i < 50; i++) {
			if (tag[i] % 3 != flow)
				continue;
			assert_int_equal(tag[i], want);
			want += 3;
		}
	}
	assert_int_equal(fq_count(fq), 0);
	assert_int_equal(take(tag, N, ALL, 1), 0);
	close_all();
}

TEST(a_batch_ends_by_bytes_or_by_number)
{
	uint32_t tag[N];

	open_all();
	for (uint32_t i = 0; i < 30; i++)
		add(1, i, 1000, 0);
	assert_int_equal(take(tag, N, 2500, 0), 3);
	assert_int_equal(take(tag, 5, ALL, 0), 5);
	assert_int_equal(tag[0], 3);
	assert_int_equal(fq_count(fq), 22);
	close_all();
}

TEST(bulk_does_not_delay_a_question)
{
	uint32_t tag[N];

	open_all();
	for (uint32_t i = 0; i < 100; i++)
		add(1, i, 60000, 0);
	assert_int_equal(take(tag, N, 120000, 0), 2);
	add(2, 777, 98, 0);
	assert_int_equal(take(tag, N, 120000, 0), 3);
	assert_true(tag[0] == 777 || tag[1] == 777);
	add(2, 778, 98, 0); /* and again: it had nothing waiting */
	assert_int_equal(take(tag, N, 60000, 0), 2);
	assert_true(tag[0] == 778);
	close_all();
}

TEST(flows_have_as_many_bytes_however_long_their_frames)
{
	uint64_t large = 0, small = 0;
	uint32_t tag[N];

	open_all();
	for (uint32_t i = 0; i < 40; i++)
		add(1, 1, 60000, 0);
	for (uint32_t i = 0; i < 300; i++)
		add(2, 2, 2000, 0);
	while (large + small < 900000) {
		unsigned n = take(tag, 8, 65536, 0);

		assert_true(n > 0);
		for (unsigned i = 0; i < n; i++) {
			large += tag[i] == 1 ? 60000 : 0;
			small += tag[i] == 2 ? 2000 : 0;
		}
	}
	assert_true(large < small + 2 * FQ_QUANTUM &&
		    small < large + 2 * FQ_QUANTUM);
	close_all();
}

TEST(a_flow_that_comes_back_at_once_is_not_new_for_ever)
{
	unsigned others = 0;
	uint32_t tag[N];

	open_all();
	for (uint32_t i = 0; i < 100; i++)
		add(1, 1, 1000, 0);
	for (unsigned i = 0; i < 200; i++) { /* never two of it at a time */
		add(2, 2, 1000, 0);
		assert_int_equal(take(tag, 1, ALL, 0), 1);
		others += tag[0] == 1;
	}
	assert_true(others > 60);
	close_all();
}

TEST(beyond_its_end_the_longest_queue_loses_its_oldest)
{
	uint64_t before = drop_sum(DROP_QUEUE_TAP);
	uint32_t tag[N];

	open_all();
	add(5, 555, 100, 0);
	for (uint32_t i = 0; i < FQ_ITEMS + 9; i++)
		add(1, i, 100, 0);
	assert_int_equal(fq_count(fq), FQ_ITEMS);
	assert_int_equal(fq_dropped(fq), 10);
	assert_int_equal(drop_sum(DROP_QUEUE_TAP) - before, 10);
	assert_int_equal(take(tag, 2, ALL, 0), 2);
	assert_int_equal(tag[0], 555);
	assert_int_equal(tag[1], 10);
	close_all();
}

TEST(waiting_for_less_than_the_target_loses_nothing)
{
	uint64_t now = 1000 * MS;
	uint32_t tag[N];

	open_all();
	for (unsigned i = 0; i < 5000; i++, now += MS / 10) {
		add(1, i, 60000, now);
		if (i >= 98) /* 9.8 ms late, for half a second */
			assert_int_equal(take(tag, 1, ALL, now), 1);
	}
	assert_int_equal(fq_dropped(fq), 0);
	close_all();
}

TEST(a_burst_loses_nothing)
{
	uint64_t now = 1000 * MS;
	uint32_t tag[N];

	open_all();
	for (unsigned i = 0; i < 90; i++)
		add(1, i, 60000, now);
	for (unsigned i = 0; i < 90; i++, now += MS) /* up to 90 ms late */
		assert_int_equal(take(tag, 1, ALL, now), 1);
	assert_int_equal(fq_dropped(fq), 0);
	close_all();
}

/* A flow 60 ms late for a while; how much it lost. */
static uint64_t
stand(uint64_t *now, unsigned ms, uint32_t flow)
{
	uint64_t before = fq_dropped(fq);
	uint32_t tag[N];

	for (unsigned i = 0; i < 60; i++)
		add(flow, i, 60000, *now - (60 - i) * MS);
	for (unsigned i = 0; i < ms; i++, *now += MS) {
		add(flow, i, 60000, *now);
		(void)take(tag, 1, ALL, *now);
	}
	while (take(tag, N, ALL, *now) > 0)
		;
	return fq_dropped(fq) - before;
}

TEST(a_standing_queue_loses_more_and_more)
{
	uint64_t now = 1000 * MS, first, second;

	open_all();
	first = stand(&now, 99, 1);
	assert_int_equal(first, 0); /* not yet an interval */
	now += 5000 * MS;
	first = stand(&now, 300, 1);
	assert_in_range(first, 2, 4); /* at 100, 200, 270 ms */
	now += 5000 * MS;
	second = stand(&now, 1000, 1);
	assert_in_range(second, 15, 40);
	close_all();
}

TEST(only_the_flow_that_waits_loses)
{
	uint64_t now = 1000 * MS;
	struct buf *b[N];
	unsigned small = 0;

	open_all();
	for (unsigned i = 0; i < 20; i++)
		add(1, 1, 60000, now - (20 - i) * MS);
	for (unsigned i = 0; i < 500; i++, now += MS) {
		unsigned n;

		add(1, 1, 60000, now);
		add(2, 2, 100, now);
		n = fq_take(fq, b, 2, ALL, now);
		for (unsigned k = 0; k < n; k++) {
			small += b[k]->port == 2;
			buf_put(b[k]);
		}
	}
	assert_true(fq_dropped(fq) > 0);
	assert_true(small >= 499);
	close_all();
}

TEST(a_super_frame_loses_its_first_segment_alone)
{
	uint64_t now = 1000 * MS;
	struct buf *b[N];
	unsigned cut = 0;

	open_all();
	for (unsigned i = 0; i < 40; i++)
		add_super(1, 1000000 * i, 40, 1400, now - 20 * MS);
	for (unsigned i = 0; i < 30; i++, now += 20 * MS) {
		unsigned n = fq_take(fq, b, 1, ALL, now);

		assert_int_equal(n, 1);
		if (b[0]->len != 54 + 40 * 1400) {
			assert_int_equal(b[0]->len, 54 + 39 * 1400);
			assert_int_equal(be32_get(b[0]->data + 38),
					 1000000 * i + 1400);
			assert_int_equal(be16_get(b[0]->data + 16),
					 b[0]->len - 14);
			assert_int_equal(b[0]->data[47], 0x19);
			cut++;
		}
		buf_put(b[0]);
	}
	assert_true(cut > 0);
	assert_int_equal(fq_dropped(fq), cut);
	close_all();
}

TEST(packets_are_marked_where_that_is_understood)
{
	uint64_t now = 1000 * MS;
	struct buf *b[N];
	unsigned marked = 0;

	open_all();
	for (unsigned i = 0; i < 60; i++) {
		struct buf *x = buf_new(pool);

		assert_non_null(x);
		memset(buf_append(x, 9000), 0, 9000);
		be16_put(x->data + 12, 0x0800);
		be16_put(x->data + 14, 0x4502); /* ECT(0) */
		fq_add(fq, x, 1, now - 20 * MS);
	}
	for (unsigned i = 0; i < 40; i++, now += 20 * MS) {
		assert_int_equal(fq_take(fq, b, 1, ALL, now), 1);
		marked += b[0]->data[15] == 3;
		buf_put(b[0]);
	}
	assert_in_range(marked, 2, 30);
	assert_int_equal(fq_dropped(fq), 0);
	close_all();
}

TEST(what_cannot_be_shortened_is_lost_whole)
{
	uint64_t now = 1000 * MS, n = 0;
	struct buf *b[N];

	open_all();
	for (unsigned i = 0; i < 60; i++)
		add_super(1, i, 1, 40000, now - 20 * MS);
	for (unsigned i = 0; i < 60 && fq_count(fq) > 0; i++, now += 20 * MS) {
		unsigned got = fq_take(fq, b, 1, ALL, now);

		n += got;
		if (got > 0)
			buf_put(b[0]);
	}
	assert_true(fq_dropped(fq) > 0);
	assert_int_equal(n + fq_dropped(fq), 60);
	close_all();
}

/* Like a link of some rate: does the delay of TCP-like senders stay bounded? */
TEST(senders_that_slow_down_have_a_short_queue)
{
	uint64_t now = 1000 * MS, worst = 0;
	unsigned window = 200, waiting = 0;
	uint64_t lost = 0;
	struct buf *b[N];

	open_all();
	for (unsigned ms = 0; ms < 4000; ms++, now += MS) {
		while (waiting < window && waiting < 250) {
			struct buf *x = buf_new(pool);

			assert_non_null(x);
			(void)buf_append(x, 60000);
			memcpy(x->data, &now, sizeof(now));
			fq_add(fq, x, 9, now);
			waiting++;
		}
		if (fq_take(fq, b, 1, ALL, now) == 1) {
			uint64_t since;

			memcpy(&since, b[0]->data, sizeof(since));
			if (ms > 2000)
				worst = now - since > worst ? now - since : worst;
			buf_put(b[0]);
			waiting--;
		}
		if (fq_dropped(fq) > lost) {
			waiting -= (unsigned)(fq_dropped(fq) - lost);
			lost = fq_dropped(fq);
			window = window * 7 / 10 > 2 ? window * 7 / 10 : 2;
		} else if (ms % 50 == 0) {
			window++;
		}
	}
	assert_true(lost > 0);
	assert_true(worst > 0 && worst < 40 * MS);
	close_all();
}
