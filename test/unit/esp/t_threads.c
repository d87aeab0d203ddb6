/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/esp/t_threads.c - workers seal and open while the loop replaces.
 *
 *   N workers, each: seal on one shared pair, open what it sealed itself on a
 *   pair of its own (by SPI).  Meanwhile the loop adds and removes pairs,
 *   changes paths and reads counters.  Meant for the thread sanitizer.
 */
#include "test/lib/test.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/base/buf.h"
#include "daemon/base/cur.h"
#include "daemon/base/drop.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "daemon/base/thr.h"
#include "esp/esp.h"

#define N_WORKER 3
#define N_BATCH	 300
#define BATCH	 8
#define N_SEQ	 (N_WORKER * N_BATCH * BATCH)
#define SHARED	 1000	/* link and child that all seal on */
#define CHURN	 2000	/* link whose children come and go */

static struct esp *esp;
static struct buf_pool *pools[N_WORKER];
static atomic_uint n_seen[N_SEQ + 1];
static atomic_uint n_delivered[N_WORKER];
static atomic_uint n_running;

static void
on_send(void *ctx UNUSED, unsigned worker, const struct vpn_path *path,
	struct buf **pkts, unsigned n)
{
	assert_int_equal(path->remote.ip.family, 4);
	for (unsigned i = 0; i < n; i++) {
		uint32_t to = be32_get(pkts[i]->data);

		if (to == SHARED << 8) {
			uint64_t seq = be64_get(pkts[i]->data + 8);

			assert_true(seq <= N_SEQ);
			atomic_fetch_add(&n_seen[seq], 1);
			buf_put(pkts[i]);
			continue;
		}
		if ((to & 63) != worker) { /* the link that comes and goes */
			buf_put(pkts[i]);
			continue;
		}
		pkts[i]->kind = VPN_ENCAP_UDP;
		pkts[i]->from = path->remote;
		esp_input(esp, worker, &pkts[i], 1);
	}
}

static void
on_deliver(void *ctx UNUSED, unsigned worker, uint32_t link,
	   struct buf **frames, unsigned n)
{
	assert_int_equal(link, worker);
	for (unsigned i = 0; i < n; i++)
		buf_put(frames[i]);
	atomic_fetch_add(&n_delivered[worker], n);
}

static struct buf *
on_buf(void *ctx UNUSED, unsigned worker)
{
	return buf_new(pools[worker]);
}

static void
on_event(void *ctx UNUSED, unsigned worker UNUSED,
	 const struct esp_event *ev UNUSED)
{
}

static void
add(uint32_t id, uint32_t link, uint32_t in, uint32_t out)
{
	struct vpn_keys keys = { { 1, 2, 3 }, { 4, 5, 6 } };
	struct vpn_child c = {
		.id = id,
		.esp_spi_in = in,
		.esp_spi_out = out,
		.alg = VPN_ALG_AES_GCM_128,
		.is_esn = true,
		.is_initiator = true,
		.mode = VPN_MODE_ETHER,
		.keys_in = &keys,
		.keys_out = &keys,
		.path = { .encap = VPN_ENCAP_UDP },
	};

	assert_int_equal(net_ep_parse("192.0.2.1:4500", &c.path.remote), 0);
	assert_int_equal(esp_spi_reserve(esp, in), 0);
	assert_int_equal(esp_child_add(esp, link, &c), 0);
}

static void
seal(unsigned worker, uint32_t link)
{
	struct buf *b[BATCH];

	for (unsigned i = 0; i < BATCH; i++) {
		b[i] = buf_new(pools[worker]);
		assert_non_null(b[i]);
		memset(buf_append(b[i], 60 + i), 7, 60 + i);
	}
	esp_output(esp, worker, link, b, BATCH);
}

static void
work(void *ctx)
{
	unsigned worker = (unsigned)(uintptr_t)ctx;

	thr_register();
	for (unsigned i = 0; i < N_BATCH; i++) {
		seal(worker, SHARED);
		seal(worker, worker);
		seal(worker, CHURN);
		thr_quiet();
	}
	thr_unregister();
	atomic_fetch_sub(&n_running, 1);
}

TEST(workers_share_a_pair_while_the_loop_replaces_others)
{
	struct esp_io io = { NULL, on_send, on_deliver, on_buf, on_event,
			     NULL, NULL, NULL };
	struct thr *t[N_WORKER];
	struct esp_child_stats st;
	uint32_t id = 5000;

	drop_reset();
	atomic_store(&n_running, N_WORKER);
	assert_int_equal(esp_new(&esp, N_WORKER, &io, NULL, NULL), 0);
	add(SHARED, SHARED, 0x10000, SHARED << 8);
	for (unsigned w = 0; w < N_WORKER; w++) {
		/* Its own packets come back to it. */
		add(w, w, 0x20000 | w, 0x20000 | w);
		assert_int_equal(buf_pool_new(&pools[w], 4 * BATCH,
					      BUF_ROOM_DEFAULT), 0);
	}
	for (unsigned w = 0; w < N_WORKER; w++)
		assert_int_equal(thr_start(&t[w], "worker", work,
					   (void *)(uintptr_t)w), 0);
	while (atomic_load(&n_running) > 0) {
		struct vpn_path path = { .encap = VPN_ENCAP_ESP };

		assert_int_equal(net_ep_parse("192.0.2.7", &path.remote), 0);
		id++;
		add(id, CHURN, 0x40000 + (id << 6), 0x3000003f);
		esp_child_path(esp, id, &path);
		esp_child_path(esp, SHARED, &path);
		esp_child_del(esp, id - 2);
		assert_int_equal(esp_child_stats_get(esp, SHARED, &st), 0);
		esp_link_stats_get(esp, CHURN, &st);
		thr_reclaim();
	}
	for (unsigned w = 0; w < N_WORKER; w++) {
		thr_join(t[w]);
		assert_int_equal(atomic_load(&n_delivered[w]),
				 N_BATCH * BATCH);
	}
	/* Every number once, none left out. */
	assert_int_equal(atomic_load(&n_seen[0]), 0);
	for (unsigned i = 1; i <= N_SEQ; i++)
		assert_int_equal(atomic_load(&n_seen[i]), 1);
	assert_int_equal(esp_child_stats_get(esp, SHARED, &st), 0);
	assert_int_equal(st.tx_packets, N_SEQ);
	assert_int_equal(st.seq_out, N_SEQ);
	assert_int_equal(drop_sum(DROP_ESP_REPLAY), 0);
	assert_int_equal(drop_sum(DROP_ESP_ICV), 0);
	esp_free(esp);
	assert_int_equal(secret_used(), 0);
	for (unsigned w = 0; w < N_WORKER; w++) {
		assert_int_equal(buf_pool_used(pools[w]), 0);
		buf_pool_free(pools[w]);
	}
}
