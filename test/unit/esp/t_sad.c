/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/esp/t_sad.c - life of pairs: installing, counting, ending.
 */
#include "test/unit/esp/rig.h"
#include <sched.h>
#include <stdatomic.h>

TEST(bad_descriptions_are_refused_and_leave_nothing)
{
	struct vpn_child good = rig_child(0, 1, VPN_ALG_AES_GCM_128,
					  VPN_MODE_ETHER), c;
	size_t before;

	rig_open(2);
	before = secret_used();
	assert_int_equal(esp_child_add(rig[0].esp, 1, &good), ERR_NOTFOUND);
	assert_int_equal(esp_spi_reserve(rig[0].esp, good.esp_spi_in), 0);
	c = good;
	c.alg = VPN_ALG_NONE;
	assert_int_equal(esp_child_add(rig[0].esp, 1, &c), ERR_ALG);
	c.alg = VPN_ALG_END;
	assert_int_equal(esp_child_add(rig[0].esp, 1, &c), ERR_ALG);
	c = good;
	c.mode = VPN_MODE_AUTO;
	assert_int_equal(esp_child_add(rig[0].esp, 1, &c), ERR_UNSUP);
	c = good;
	c.esp_spi_out = 255;
	assert_int_equal(esp_child_add(rig[0].esp, 1, &c), ERR_RANGE);
	c = good;
	c.n_ts_local = VPN_TS_MAX + 1;
	assert_int_equal(esp_child_add(rig[0].esp, 1, &c), ERR_RANGE);
	assert_int_equal(secret_used(), before);
	assert_int_equal(esp_child_add(rig[0].esp, 1, &good), 0);
	rig_close();
}

TEST(same_id_or_spi_twice_exists)
{
	struct vpn_child c = rig_child(0, 1, VPN_ALG_AES_GCM_128,
				       VPN_MODE_ETHER);

	rig_open(1);
	rig_install(0, &c);
	assert_int_equal(esp_child_add(rig[0].esp, 1, &c), ERR_EXISTS);
	c.id = 2;
	assert_int_equal(esp_child_add(rig[0].esp, 1, &c), ERR_EXISTS);
	c.id = 1;
	c.esp_spi_in += 64;
	assert_int_equal(esp_spi_reserve(rig[0].esp, c.esp_spi_in), 0);
	assert_int_equal(esp_child_add(rig[0].esp, 1, &c), ERR_EXISTS);
	rig_close();
}

TEST(reserved_numbers_and_strange_workers_get_no_spi)
{
	rig_open(2);
	assert_int_equal(esp_spi_reserve(rig[0].esp, 0), ERR_RANGE);
	assert_int_equal(esp_spi_reserve(rig[0].esp, 192), ERR_RANGE);
	assert_int_equal(esp_spi_reserve(rig[0].esp, 0x1000 | 2), ERR_RANGE);
	assert_int_equal(esp_spi_reserve(rig[0].esp, 0x1000 | 1), 0);
	rig_close();
}

TEST(spi_of_a_pair_is_not_given_away_and_free_after_its_end)
{
	struct vpn_child c = rig_child(0, 1, VPN_ALG_AES_GCM_128,
				       VPN_MODE_ETHER);

	rig_open(1);
	rig_install(0, &c);
	esp_spi_free(rig[0].esp, c.esp_spi_in);
	assert_int_equal(esp_spi_reserve(rig[0].esp, c.esp_spi_in),
			 ERR_EXISTS);
	esp_child_del(rig[0].esp, 1);
	assert_int_equal(esp_spi_reserve(rig[0].esp, c.esp_spi_in),
			 ERR_EXISTS);
	while (thr_reclaim())
		continue;
	assert_int_equal(esp_spi_reserve(rig[0].esp, c.esp_spi_in), 0);
	rig_close();
}

static atomic_uint stage;

/* A worker in the middle of a batch until it is told to end it. */
static void
busy(void *ctx UNUSED)
{
	thr_register();
	atomic_store(&stage, 1);
	while (atomic_load(&stage) != 2)
		sched_yield();
	thr_quiet();
	atomic_store(&stage, 3);
	while (atomic_load(&stage) != 4)
		sched_yield();
	thr_unregister();
}

TEST(keys_and_contexts_are_gone_once_workers_were_quiet)
{
	size_t before;
	struct thr *t;

	rig_open(1);
	before = secret_used();
	atomic_store(&stage, 0);
	assert_int_equal(thr_start(&t, "busy", busy, NULL), 0);
	while (atomic_load(&stage) != 1)
		sched_yield();
	rig_pair(1, VPN_ALG_AES_CBC_256_SHA256, VPN_MODE_ETHER, true);
	rig_out(0, rig_frame(60, 1));
	rig_in(1, rig_take(0));
	assert_true(secret_used() > before);
	esp_child_del(rig[0].esp, 1);
	esp_child_del(rig[1].esp, 1);
	/* The worker may still hold the pairs. */
	assert_true(thr_reclaim());
	assert_true(secret_used() > before);
	atomic_store(&stage, 2);
	while (atomic_load(&stage) != 3)
		sched_yield();
	assert_false(thr_reclaim());
	assert_int_equal(secret_used(), before);
	atomic_store(&stage, 4);
	thr_join(t);
	rig_close();
}

TEST(counters_of_a_link_outlive_its_pairs)
{
	struct esp_child_stats st;

	rig_open(2);
	rig_pair(1, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, true);
	assert_int_equal(esp_child_stats_get(rig[0].esp, 9, &st),
			 ERR_NOTFOUND);
	esp_link_stats_get(rig[0].esp, 99, &st);
	assert_int_equal(st.tx_packets, 0);
	for (unsigned i = 0; i < 3; i++) {
		struct buf *b = rig_frame(100, 1);

		/* From both workers: counted in two places. */
		esp_output(rig[0].esp, i % 2, RIG_LINK, &b, 1);
	}
	assert_int_equal(esp_child_stats_get(rig[0].esp, 1, &st), 0);
	assert_int_equal(st.tx_packets, 3);
	assert_int_equal(st.tx_bytes, 300);
	assert_int_equal(st.seq_out, 3);
	assert_int_equal(st.last_out_ms, rig_now_ms);
	assert_int_equal(st.last_in_ms, 0);
	esp_child_del(rig[0].esp, 1);
	assert_int_equal(esp_child_stats_get(rig[0].esp, 1, &st),
			 ERR_NOTFOUND);
	/* Dying, then dead: never less. */
	esp_link_stats_get(rig[0].esp, RIG_LINK, &st);
	assert_int_equal(st.tx_packets, 3);
	while (thr_reclaim())
		continue;
	esp_link_stats_get(rig[0].esp, RIG_LINK, &st);
	assert_int_equal(st.tx_packets, 3);
	rig_pair(2, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER, true);
	rig_out(0, rig_frame(50, 1));
	esp_link_stats_get(rig[0].esp, RIG_LINK, &st);
	assert_int_equal(st.tx_packets, 4);
	assert_int_equal(st.tx_bytes, 350);
	rig_close();
}

TEST(a_link_holds_a_bounded_number_of_pairs)
{
	struct vpn_child c;

	rig_open(1);
	for (uint32_t id = 1; id <= ESP_SET_MAX; id++) {
		c = rig_child(0, id, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER);
		rig_install(0, &c);
	}
	c = rig_child(0, ESP_SET_MAX + 1, VPN_ALG_AES_GCM_128,
		      VPN_MODE_ETHER);
	assert_int_equal(esp_spi_reserve(rig[0].esp, c.esp_spi_in), 0);
	assert_int_equal(esp_child_add(rig[0].esp, RIG_LINK, &c), ERR_LIMIT);
	esp_child_del(rig[0].esp, 17);
	assert_int_equal(esp_child_add(rig[0].esp, RIG_LINK, &c), 0);
	rig_close();
}

TEST(many_pairs_on_many_links_are_all_found)
{
	enum { N = 3000 };
	uint32_t spi[N];

	rig_open(4);
	for (uint32_t i = 0; i < N; i++) {
		struct vpn_child c = rig_child(0, 1, VPN_ALG_AES_GCM_128,
					       VPN_MODE_ETHER);

		c.id = i + 1;
		assert_int_equal(esp_spi_alloc(rig[0].esp, 0, i, 0, &spi[i]), 0);
		c.esp_spi_in = spi[i];
		assert_int_equal(esp_child_add(rig[0].esp, i, &c), 0);
	}
	for (uint32_t i = 0; i < N; i += 2)
		esp_child_del(rig[0].esp, i + 1);
	for (uint32_t i = 0; i < N; i++) {
		struct esp_child *c = esp_sad_spi(rig[0].esp->sad, spi[i]);

		assert_int_equal(c != NULL, i % 2);
		if (c != NULL)
			assert_int_equal(c->id, i + 1);
		assert_int_equal(esp_sad_link(rig[0].esp->sad, i)->id, i);
	}
	rig_close();
}

TEST(forgotten_links_make_room_for_new_ones)
{
	struct vpn_child c = rig_child(0, 1, VPN_ALG_AES_GCM_128,
				       VPN_MODE_ETHER);

	rig_open(1);
	for (uint32_t i = 0; i < ESP_LINK_MAX + 10; i++) {
		c.id = i + 1;
		assert_int_equal(esp_spi_reserve(rig[0].esp, c.esp_spi_in), 0);
		assert_int_equal(esp_child_add(rig[0].esp, i, &c), 0);
		esp_child_del(rig[0].esp, c.id);
		while (thr_reclaim())
			continue;
	}
	assert_in_range(rig[0].esp->sad->n_link, 1, ESP_LINK_MAX);
	rig_close();
}
