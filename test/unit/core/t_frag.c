/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_frag.c - pieces of datagrams, in every order, and those of
 * somebody who means harm.
 */
#include "daemon/core/frag.h"
#include <string.h>
#include "daemon/base/drop.h"
#include "daemon/base/rng.h"
#include "test/lib/test.h"

#define ROOM (65536 + 832)

static struct frag *f;
static struct buf_pool *pool;
static uint8_t text[65536];
static struct rawip ip;

static void
begin(void)
{
	drop_reset();
	assert_int_equal(frag_new(&f), 0);
	assert_int_equal(buf_pool_new(&pool, 128, ROOM), 0);
	for (unsigned i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 7 + (i >> 8));
	memset(&ip, 0, sizeof(ip));
	assert_int_equal(ip_parse("192.0.2.1", &ip.src), 0);
	assert_int_equal(ip_parse("192.0.2.2", &ip.dst), 0);
	ip.id = 1;
}

static void
end(void)
{
	frag_free(f);
	assert_int_equal(buf_pool_used(pool), 0);
	buf_pool_free(pool);
}

static struct buf *
piece(uint32_t id, size_t from, size_t to, bool more, uint64_t now_ms)
{
	ip.id = id;
	ip.off = (uint16_t)from;
	ip.more = more;
	ip.data = (struct view){ text + from, to - from };
	return frag_take(f, &ip, pool, now_ms);
}

static void
expect(struct buf *b, size_t len)
{
	assert_non_null(b);
	assert_int_equal(b->len, len);
	assert_memory_equal(b->data, text, len);
	assert_true(ip_equal(&b->from.ip, &ip.src));
	assert_true(ip_equal(&b->to.ip, &ip.dst));
	buf_put(b);
}

TEST(two_pieces_in_any_order_are_the_datagram)
{
	begin();
	assert_null(piece(1, 0, 1480, true, 0));
	expect(piece(1, 1480, 1500, false, 1), 1500);
	assert_null(piece(2, 1480, 1500, false, 2));
	expect(piece(2, 0, 1480, true, 3), 1500);
	assert_int_equal(frag_waiting(f), 0);
	end();
}

TEST(datagrams_cut_and_shuffled_at_random_come_back)
{
	struct rng_det r;

	begin();
	rng_det_init(&r, test_seed());
	for (unsigned round = 0; round < 300; round++) {
		size_t cut[FRAG_PIECES + 1], len = 16 + rng_det_u64(&r) % 65000;
		unsigned order[FRAG_PIECES], n = 1;
		struct buf *got = NULL;

		cut[0] = 0;
		while (n < FRAG_PIECES) {
			size_t next = cut[n - 1] + 8 + rng_det_u64(&r) % 4000 / 8 * 8;

			if (next >= len)
				break;
			cut[n++] = next;
		}
		cut[n] = len;
		for (unsigned i = 0; i < n; i++) {
			unsigned k = (unsigned)(rng_det_u64(&r) % (i + 1));

			order[i] = order[k];
			order[k] = i;
		}
		for (unsigned i = 0; i < n; i++) {
			unsigned k = order[i];

			assert_null(got);
			got = piece(round, cut[k], cut[k + 1], k + 1 < n, round);
			if (got == NULL && (rng_det_u64(&r) & 3) == 0)
				assert_null(piece(round, cut[k], cut[k + 1],
						  k + 1 < n, round));
		}
		expect(got, len);
	}
	assert_int_equal(frag_waiting(f), 0);
	end();
}

TEST(pieces_of_different_datagrams_are_not_mixed)
{
	struct ip_addr other;

	begin();
	assert_int_equal(ip_parse("192.0.2.9", &other), 0);
	assert_null(piece(1, 0, 800, true, 0));
	assert_null(piece(2, 800, 900, false, 0));
	ip.src = other;
	assert_null(piece(1, 800, 900, false, 0));
	assert_int_equal(ip_parse("192.0.2.1", &ip.src), 0);
	ip.dst = other;
	assert_null(piece(1, 800, 900, false, 0));
	assert_int_equal(frag_waiting(f), 4);
	end();
}

TEST(an_overlap_refuses_the_datagram_and_what_else_comes_of_it)
{
	/* around, inside, at the front, at the back of 800..1600 */
	static const size_t bad[][2] = {
		{ 0, 2400 }, { 808, 1592 }, { 0, 808 }, { 1592, 2400 },
		{ 800, 1592 }, { 808, 1600 },
	};

	begin();
	for (uint32_t i = 0; i < N_OF(bad); i++) {
		assert_null(piece(i, 800, 1600, true, i));
		assert_null(piece(i, bad[i][0], bad[i][1], true, i));
		assert_int_equal(drop_sum(DROP_FRAG_OVERLAP), i + 1);
		/* RFC 5722 3: including those not yet received */
		assert_null(piece(i, 0, 800, true, i));
		assert_null(piece(i, 800, 1600, true, i));
		assert_null(piece(i, 1600, 1700, false, i));
	}
	assert_int_equal(buf_pool_used(pool), 0);
	end();
}

TEST(the_same_piece_twice_is_taken_once)
{
	begin();
	assert_null(piece(1, 0, 800, true, 0));
	assert_null(piece(1, 0, 800, true, 0));
	expect(piece(1, 800, 900, false, 0), 900);
	assert_int_equal(drop_sum(DROP_FRAG_OVERLAP), 0);
	end();
}

TEST(pieces_that_cannot_be_are_refused)
{
	begin();
	assert_null(piece(1, 0, 801, true, 0)); /* not of eight bytes */
	assert_null(piece(2, 8, 8, true, 0)); /* nothing */
	assert_null(piece(3, 65512, 65520, false, 0)); /* beyond 64 KiB */
	assert_int_equal(drop_sum(DROP_FRAG_BAD), 3);
	assert_null(piece(4, 800, 900, false, 0)); /* two ends */
	assert_null(piece(4, 0, 80, false, 0));
	assert_int_equal(drop_sum(DROP_FRAG_BAD), 4);
	assert_null(piece(6, 800, 900, false, 0)); /* behind the end */
	assert_null(piece(6, 896, 1000, true, 0));
	assert_int_equal(drop_sum(DROP_FRAG_BAD), 5);
	assert_null(piece(7, 1600, 2400, true, 0)); /* an end before it */
	assert_null(piece(7, 800, 900, false, 0));
	assert_int_equal(drop_sum(DROP_FRAG_BAD), 6);
	end();
}

TEST(what_is_incomplete_ends_after_a_time)
{
	begin();
	assert_null(piece(1, 0, 800, true, 0));
	assert_null(piece(1, 800, 900, false, FRAG_MS));
	assert_int_equal(drop_sum(DROP_FRAG_TIME), 1);
	/* that was the start of another */
	expect(piece(1, 0, 800, true, FRAG_MS + 1), 900);
	end();
}

TEST(a_flood_of_first_pieces_stays_within_its_bounds)
{
	begin();
	for (uint32_t i = 0; i < 10000; i++) {
		ip.src.b[2] = (uint8_t)(i >> 8);
		ip.src.b[3] = (uint8_t)i;
		assert_null(piece(i, 0, 800, true, 0));
		assert_true(frag_waiting(f) <= FRAG_SETS * FRAG_WAYS);
		assert_true(buf_pool_used(pool) <= FRAG_SETS * FRAG_WAYS);
	}
	assert_true(drop_sum(DROP_FRAG_FULL) >= 9900);
	end();
}

TEST(a_flood_from_one_sender_leaves_others_alone)
{
	struct ip_addr sender[32];
	unsigned whole = 0;

	begin();
	for (uint8_t i = 0; i < N_OF(sender); i++) {
		ip.src.b[3] = i;
		sender[i] = ip.src;
		assert_null(piece(1, 0, 800, true, 1));
	}
	ip.src.b[3] = 200;
	for (uint32_t i = 0; i < 10000; i++)
		assert_null(piece(i, 0, 800, true, 2));
	for (unsigned i = 0; i < N_OF(sender); i++) {
		struct buf *b;

		ip.src = sender[i];
		b = piece(1, 800, 900, false, 3);
		whole += b != NULL;
		buf_put(b);
	}
	/* The flood has one set of sixteen; some others meet by chance. */
	assert_true(whole >= N_OF(sender) / 2);
	end();
}

TEST(more_pieces_than_a_datagram_may_have_are_refused)
{
	begin();
	for (size_t i = 0; i <= FRAG_PIECES; i++)
		assert_null(piece(1, i * 16, i * 16 + 8, true, 0));
	assert_int_equal(drop_sum(DROP_FRAG_FULL), 1);
	assert_int_equal(buf_pool_used(pool), 0);
	end();
}

TEST(without_a_buffer_the_datagram_is_dropped_and_counted)
{
	struct buf *held[128];

	begin();
	for (unsigned i = 0; i < N_OF(held); i++)
		assert_non_null(held[i] = buf_new(pool));
	assert_null(piece(1, 0, 800, true, 0));
	assert_int_equal(drop_sum(DROP_NO_BUF), 1);
	for (unsigned i = 0; i < N_OF(held); i++)
		buf_put(held[i]);
	assert_null(piece(1, 800, 900, false, 0));
	end();
}
