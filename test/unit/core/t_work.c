/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_work.c - what workers hand each other, and when it is too much.
 */
#include "daemon/core/work.h"
#include <string.h>
#include "daemon/base/drop.h"
#include "test/lib/test.h"

#define N 64

/* Workers whose threads do not run. */
struct pool {
	struct conf conf;
	struct vpn vpn;
};

static void
open_pool(struct pool *p, unsigned n_worker)
{
	memset(p, 0, sizeof(*p));
	memset(&p->vpn.socks, 0xff, sizeof(p->vpn.socks));
	p->vpn.socks.n_worker = p->vpn.n_worker = n_worker;
	p->vpn.conf = &p->conf;
	assert_int_equal(work_new(&p->vpn.work, &p->vpn), 0);
}

static void
take(struct pool *p, unsigned worker, struct buf **b, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		b[i] = work_buf_new(&p->vpn, worker);
		assert_non_null(b[i]);
	}
}

TEST(packets_wait_in_the_queue_of_their_priority)
{
	struct pool p;
	struct buf *b[N];
	struct work_stats st;

	open_pool(&p, 3);
	take(&p, 0, b, N);
	work_hand_over(p.vpn.work, 1, WORK_IN, b, 40);
	work_hand_over(p.vpn.work, 1, WORK_OUT, b + 40, 23);
	work_hand_over(p.vpn.work, 5, WORK_OUT, b + 63, 1); /* modulo 3 */
	work_stats_get(p.vpn.work, 1, &st);
	assert_int_equal(st.queue[WORK_IN].n, 40);
	assert_int_equal(st.queue[WORK_OUT].n, 23);
	assert_int_equal(st.queue[WORK_OUT].limit, VPN_QUEUE_LEN);
	work_stats_get(p.vpn.work, 2, &st);
	assert_int_equal(st.queue[WORK_OUT].n, 1);
	work_stats_get(p.vpn.work, 0, &st);
	assert_int_equal(st.n_buf_used, N);
	work_free(p.vpn.work);
}

/* Fill one queue past its end; what has no room is dropped and given back. */
static void
overflow(enum work_prio prio, enum drop named, enum drop other)
{
	uint64_t before = drop_sum(named), others = drop_sum(other);
	struct pool p;
	struct buf *b[N];
	struct work_stats st;
	unsigned sent = 0;

	open_pool(&p, 2);
	for (; sent < VPN_QUEUE_LEN - N / 2; sent += N / 2) {
		take(&p, 0, b, N / 2);
		work_hand_over(p.vpn.work, 1, prio, b, N / 2);
	}
	assert_int_equal(drop_sum(named), before);
	for (unsigned i = 0; i < N; i++) { /* of the other worker's pool */
		b[i] = work_buf_new(&p.vpn, 1);
		assert_non_null(b[i]);
	}
	work_hand_over(p.vpn.work, 1, prio, b, N);
	assert_int_equal(drop_sum(named) - before, N / 2);
	assert_int_equal(drop_sum(other), others);
	work_stats_get(p.vpn.work, 1, &st);
	assert_int_equal(st.queue[prio].n, VPN_QUEUE_LEN);
	assert_int_equal(st.n_buf_used, N / 2);
	work_free(p.vpn.work);
}

TEST(a_full_queue_drops_by_the_name_of_its_priority)
{
	overflow(WORK_IN, DROP_QUEUE_IN, DROP_QUEUE_OUT);
	overflow(WORK_OUT, DROP_QUEUE_OUT, DROP_QUEUE_IN);
}
