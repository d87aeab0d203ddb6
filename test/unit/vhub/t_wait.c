/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/vhub/t_wait.c - packets that wait for a neighbour.
 */
#include "test/lib/test.h"
#include "daemon/base/err.h"
#include "vhub/wait.h"

static struct ip_addr
ip_n(uint8_t n)
{
	uint8_t b[4] = { 10, 0, 0, n };

	return ip_from(b, 4);
}

TEST(packets_come_back_oldest_first_and_only_for_their_address)
{
	struct buf_pool *pool;
	struct buf *b[3], *out[WAIT_IP_MAX];
	uint32_t port[WAIT_IP_MAX];
	struct ip_addr one = ip_n(1), two = ip_n(2);
	struct wait *w;
	bool ask = false;

	assert_int_equal(buf_pool_new(&pool, 8, BUF_ROOM_DEFAULT), 0);
	assert_int_equal(wait_new(&w), 0);
	for (int i = 0; i < 3; i++)
		b[i] = buf_new(pool);
	assert_int_equal(wait_add(w, &one, 5, 10, b[0], &ask), 0);
	assert_true(ask);
	assert_int_equal(wait_add(w, &two, 6, 10, b[1], &ask), 0);
	assert_true(ask);
	assert_int_equal(wait_add(w, &one, 7, 10, b[2], &ask), 0);
	assert_false(ask);
	assert_int_equal(wait_take(w, &one, out, port), 2);
	assert_ptr_equal(out[0], b[0]);
	assert_ptr_equal(out[1], b[2]);
	assert_int_equal(port[0], 5);
	assert_int_equal(port[1], 7);
	assert_int_equal(wait_take(w, &one, out, port), 0);
	buf_put(b[0]);
	buf_put(b[2]);
	assert_int_equal(wait_expire(w, 11), 0);
	assert_int_equal(wait_expire(w, 12), 1);
	assert_int_equal(buf_pool_used(pool), 0);
	wait_free(w);
	wait_free(NULL);
	buf_pool_free(pool);
}

TEST(waiting_is_bounded_and_a_port_can_leave)
{
	struct buf_pool *pool;
	struct wait *w;
	bool ask;

	assert_int_equal(buf_pool_new(&pool, 256, BUF_ROOM_DEFAULT), 0);
	assert_int_equal(wait_new(&w), 0);
	for (unsigned i = 0; i < 160; i++) {
		struct ip_addr ip = ip_n((uint8_t)(i / 4));
		struct buf *b = buf_new(pool);
		int err = wait_add(w, &ip, i % 8, 10, b, &ask);

		assert_int_equal(err, i < WAIT_MAX ? 0 : ERR_FULL);
		if (err != 0)
			buf_put(b);
	}
	assert_int_equal(wait_forget(w, 1), WAIT_MAX / 8);
	assert_int_equal(wait_forget(w, 1), 0);
	assert_int_equal(buf_pool_used(pool), WAIT_MAX / 8 * 7);
	wait_free(w);
	assert_int_equal(buf_pool_used(pool), 0);
	buf_pool_free(pool);
}

TEST(one_port_does_not_take_all_places)
{
	struct buf_pool *pool;
	struct wait *w;
	bool ask;

	assert_int_equal(buf_pool_new(&pool, 64, BUF_ROOM_DEFAULT), 0);
	assert_int_equal(wait_new(&w), 0);
	for (unsigned i = 0; i < WAIT_PORT_MAX + 2; i++) {
		struct ip_addr ip = ip_n((uint8_t)i);
		struct buf *b = buf_new(pool);
		int err = wait_add(w, &ip, i <= WAIT_PORT_MAX ? 1 : 2, 10, b,
				   &ask);

		assert_int_equal(err, i == WAIT_PORT_MAX ? ERR_FULL : 0);
		if (err != 0)
			buf_put(b);
	}
	assert_int_equal(wait_forget(w, 2), 1);
	wait_free(w);
	assert_int_equal(buf_pool_used(pool), 0);
	buf_pool_free(pool);
}
