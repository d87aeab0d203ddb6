/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/esp/t_rule.c - which worker does what.
 */
#include "test/unit/esp/rig.h"

#define N_WORKER 4
#define MASK ((1u << ESP_WORKER_BITS) - 1)

static unsigned
out(unsigned self, uint32_t link, uint8_t tag)
{
	struct buf *b = rig_frame(60, tag);
	unsigned w = esp_out_worker(rig[0].esp, self, link, b);

	buf_put(b);
	assert_true(w < N_WORKER);
	return w;
}

static void
add_link(uint32_t link, uint32_t realm)
{
	struct vpn_child c = rig_child(0, link, VPN_ALG_AES_GCM_128,
				       VPN_MODE_ETHER);

	c.realm = realm;
	assert_int_equal(esp_spi_reserve(rig[0].esp, c.esp_spi_in), 0);
	assert_int_equal(esp_child_add(rig[0].esp, link, &c), 0);
}

TEST(rules_are_found_by_name)
{
	assert_string_equal(esp_rule_find(NULL)->name, "queue");
	for (unsigned i = 0; esp_rule_at(i) != NULL; i++)
		assert_ptr_equal(esp_rule_find(esp_rule_at(i)->name),
				 esp_rule_at(i));
	assert_null(esp_rule_find("chance"));
}

TEST(unknown_rule_or_worker_count_is_refused)
{
	struct esp_io io = { 0 };
	struct esp *e = NULL;

	assert_int_equal(esp_new(&e, 1, &io, NULL, "chance"), ERR_NOTFOUND);
	assert_int_equal(esp_new(&e, 1, &io, "abacus", NULL), ERR_NOTFOUND);
	assert_int_equal(esp_new(&e, 0, &io, NULL, NULL), ERR_RANGE);
	assert_int_equal(esp_new(&e, ESP_WORKER_MAX + 1, &io, NULL, NULL),
			 ERR_RANGE);
	assert_null(e);
	rig_open(N_WORKER);
	assert_int_equal(esp_rule_set(rig[0].esp, "chance"), ERR_NOTFOUND);
	rig_close();
}

TEST(provider_is_the_best_one_or_the_one_asked_for)
{
	struct esp_io io = { 0 };
	const struct spi_esp *best = NULL;
	struct esp *e = NULL;

	assert_int_equal(spi_esp_get(NULL, &best), 0);
	assert_int_equal(esp_new(&e, 1, &io, NULL, NULL), 0);
	assert_string_equal(esp_provider_name(e), best->head.name);
	esp_free(e);
	assert_int_equal(esp_new(&e, 1, &io, "openssl", NULL), 0);
	assert_string_equal(esp_provider_name(e), "openssl");
	esp_free(e);
}

TEST(rule_queue_keeps_frames_where_they_are_if_there_are_sas_enough)
{
	const struct esp_rule *r = esp_rule_find("queue");
	struct esp_task t = { .self = 2, .link = 1, .esp_spi = 9 };

	t.n_lane = 2;
	assert_int_equal(r->out(&t), 2);
	t.n_lane = 1;
	assert_int_not_equal(r->out(&t), 2);
}

TEST(rule_queue_has_one_sealer_for_a_single_sa)
{
	unsigned seen = 0;

	rig_open(N_WORKER);
	for (uint32_t l = 1; l <= 32; l++) {
		unsigned first;

		add_link(l, 0);
		first = out(0, l, 9);
		seen |= 1u << first;
		for (unsigned w = 0; w < N_WORKER; w++)
			assert_int_equal(out(w, l, (uint8_t)w), first);
	}
	assert_int_equal(seen, (1u << N_WORKER) - 1);
	for (unsigned w = 0; w < N_WORKER; w++) /* a link without an SA */
		assert_int_equal(out(w, 99, 9), w);
	rig_close();
}

TEST(rule_destination_spreads_addresses_and_sticks)
{
	unsigned seen = 0;

	rig_open(N_WORKER);
	assert_int_equal(esp_rule_set(rig[0].esp, "destination"), 0);
	add_link(1, 0);
	for (unsigned tag = 0; tag < 200; tag++) {
		unsigned w = out(0, 1, (uint8_t)tag);

		seen |= 1u << w;
		assert_int_equal(out(3, 1, (uint8_t)tag), w);
	}
	assert_int_equal(seen, (1u << N_WORKER) - 1);
	rig_close();
}

TEST(rule_destination_reads_inner_ip_addresses)
{
	const struct esp_rule *r = esp_rule_find("destination");
	struct esp_task t = { 0 };
	uint8_t v4[20] = { 0x45 }, v6[40] = { 0x60 };
	uint32_t a, b;

	t.frame = (struct view){ v4, sizeof(v4) };
	a = r->out(&t);
	v4[12] = 9; /* the source does not matter */
	assert_int_equal(r->out(&t), a);
	v4[19] = 9;
	assert_int_not_equal(r->out(&t), a);
	t.frame = (struct view){ v6, sizeof(v6) };
	b = r->out(&t);
	v6[8] = 9;
	assert_int_equal(r->out(&t), b);
	v6[39] = 9;
	assert_int_not_equal(r->out(&t), b);
	t.self = 3;
	t.frame.len = 10;
	assert_int_equal(r->out(&t), 3);
}

TEST(rules_peer_realm_spi_and_round_robin_stick_to_a_link)
{
	static const char *const names[] = { "peer", "realm", "spi",
					     "round-robin" };

	rig_open(N_WORKER);
	for (uint32_t l = 1; l <= 32; l++)
		add_link(l, l / 8);
	for (unsigned i = 0; i < N_OF(names); i++) {
		unsigned seen = 0;

		assert_int_equal(esp_rule_set(rig[0].esp, names[i]), 0);
		for (uint32_t l = 1; l <= 32; l++) {
			unsigned w = out(0, l, 1);

			seen |= 1u << w;
			assert_int_equal(out(2, l, 77), w);
			if (strcmp(names[i], "realm") == 0)
				assert_int_equal(w, l / 8 % N_WORKER);
			if (strcmp(names[i], "round-robin") == 0)
				assert_int_equal(w, (l - 1) % N_WORKER);
		}
		assert_int_equal(seen, (1u << N_WORKER) - 1);
	}
	rig_close();
}

TEST(reserved_spis_name_the_worker)
{
	unsigned seen = 0, first = 99;

	rig_open(N_WORKER);
	for (unsigned i = 0; i < 100; i++) {
		uint32_t v = 0;
		struct buf *b;

		assert_int_equal(esp_spi_alloc(rig[0].esp, 0, 1, 0, &v), 0);
		assert_true(v >= 256);
		assert_true((v & MASK) < N_WORKER);
		seen |= 1u << (v & MASK);
		b = rig_frame(60, 0);
		be32_put(b->data, v);
		assert_int_equal(esp_in_worker(rig[0].esp, b), v & MASK);
		buf_put(b);
		assert_int_equal(esp_spi_reserve(rig[0].esp, v), ERR_EXISTS);
		esp_spi_free(rig[0].esp, v);
		assert_int_equal(esp_spi_reserve(rig[0].esp, v), 0);
	}
	assert_int_equal(seen, (1u << N_WORKER) - 1);
	/* Rule peer: one worker for all of a link. */
	assert_int_equal(esp_rule_set(rig[0].esp, "peer"), 0);
	for (unsigned i = 0; i < 20; i++) {
		uint32_t v;

		assert_int_equal(esp_spi_alloc(rig[0].esp, 0, 5, 0, &v), 0);
		if (i == 0)
			first = v & MASK;
		assert_int_equal(v & MASK, first);
	}
	rig_close();
}
