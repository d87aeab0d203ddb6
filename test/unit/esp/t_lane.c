/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/esp/t_lane.c - several pairs side by side: flows, lanes, order.
 */
#include "test/unit/esp/rig.h"
#include <stdlib.h>
#include "esp/lane.h"

#define BUNDLE 50
#define WORKERS 4
#define MASK ((1u << ESP_WORKER_BITS) - 1)

/* A TCP segment over IPv4 in Ethernet, with n VLAN tags. */
static size_t
tcp_frame(uint8_t *p, unsigned n_tag, uint8_t src, uint16_t port)
{
	size_t at = 12;

	memset(p, 0, 128);
	memcpy(p, "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
	for (unsigned i = 0; i < n_tag; i++, at += 4)
		be16_put(p + at, 0x8100);
	be16_put(p + at, 0x0800);
	p += at + 2;
	p[0] = 0x45;
	p[9] = 6;
	memcpy(p + 12, (uint8_t[]){ 10, 0, 0, src, 10, 0, 0, 2 }, 8);
	be16_put(p + 20, port);
	be16_put(p + 22, 5201);
	return at + 2 + 40;
}

static uint32_t
flow(const uint8_t *p, size_t len)
{
	return esp_lane_flow((struct view){ p, len }, true);
}

/* Lanes 0..n-1 at both ends; ids BUNDLE.. */
static void
open_lanes(unsigned n)
{
	rig_open(1);
	for (uint32_t i = 0; i < n; i++)
		for (unsigned end = 0; end < 2; end++) {
			struct vpn_child c = rig_child(end, BUNDLE + i,
			    VPN_ALG_AES_GCM_128, VPN_MODE_ETHER);

			c.bundle = BUNDLE;
			c.lane = i;
			rig_install(end, &c);
		}
}

static struct buf *
flow_frame(uint16_t port)
{
	uint8_t p[128];

	return rig_buf(p, tcp_frame(p, 0, 1, port));
}

/* The SPI a frame of a flow leaves with. */
static uint32_t
spi_of(uint16_t port)
{
	struct buf *b;
	uint32_t spi;

	rig_out(0, flow_frame(port));
	b = rig_take(0);
	spi = be32_get(b->data);
	buf_put(b);
	return spi;
}

static uint32_t
spi_of_id(uint32_t id)
{
	return rig_child(0, id, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER)
	    .esp_spi_out;
}

TEST(a_flow_is_addresses_protocol_and_ports_behind_any_tags)
{
	uint8_t p[128];
	size_t len = tcp_frame(p, 0, 1, 1000);
	uint32_t f = flow(p, len), by_port, by_addr;

	p[18] ^= 1;	/* identification */
	p[50] ^= 1;	/* sequence number */
	assert_int_equal(flow(p, len), f);
	len = tcp_frame(p, 1, 1, 1000);
	assert_int_equal(flow(p, len), f);
	len = tcp_frame(p, 2, 1, 1000);
	assert_int_equal(flow(p, len), f);
	by_port = flow(p, tcp_frame(p, 0, 1, 1001));
	by_addr = flow(p, tcp_frame(p, 0, 9, 1000));
	assert_int_not_equal(by_port, f);
	assert_int_not_equal(by_addr, f);
}

TEST(fragments_of_a_datagram_are_one_flow)
{
	uint8_t p[128];
	size_t len = tcp_frame(p, 0, 1, 1000);
	uint32_t first;

	be16_put(p + 20, 0x2000);	/* more fragments */
	first = flow(p, len);
	be16_put(p + 20, 0x00b9);	/* the last one: no ports there */
	be16_put(p + 34, 0xdead);
	assert_int_equal(flow(p, len), first);
}

TEST(an_ip_packet_is_the_flow_its_frame_is)
{
	uint8_t p[128], v6[60] = { 0x60 };
	size_t len = tcp_frame(p, 0, 1, 1000);
	uint32_t a;

	assert_int_equal(esp_lane_flow((struct view){ p + 14, len - 14 },
				       false), flow(p, len));
	v6[6] = 17;
	a = esp_lane_flow((struct view){ v6, sizeof(v6) }, false);
	v6[41] = 1;
	assert_int_not_equal(esp_lane_flow((struct view){ v6, sizeof(v6) },
					   false), a);
	v6[6] = 44;	/* a fragment header: the words behind are no ports */
	a = esp_lane_flow((struct view){ v6, sizeof(v6) }, false);
	v6[41] = 2;
	assert_int_equal(esp_lane_flow((struct view){ v6, sizeof(v6) }, false),
			 a);
}

TEST(any_cut_of_a_frame_is_some_flow)
{
	uint8_t p[128], *copy;
	size_t len = tcp_frame(p, 2, 1, 1000);

	for (size_t n = 0; n <= len; n++) {
		/* on the heap, so that reading behind it is seen */
		copy = malloc(n + 1);
		memcpy(copy, p, n);
		(void)esp_lane_flow((struct view){ copy, n }, true);
		(void)esp_lane_flow((struct view){ copy, n }, false);
		free(copy);
	}
	assert_int_equal(esp_lane_flow((struct view){ p, 0 }, false), 0);
}

TEST(flows_are_spread_evenly_and_stick)
{
	unsigned n[4] = { 0 };

	open_lanes(4);
	for (uint16_t port = 0; port < 200; port++) {
		uint32_t spi = spi_of(port);

		assert_int_equal(spi_of(port), spi);
		for (uint32_t i = 0; i < 4; i++)
			n[i] += spi == spi_of_id(BUNDLE + i);
	}
	for (unsigned i = 0; i < 4; i++)
		assert_in_range(n[i], 25, 100);
	assert_int_equal(n[0] + n[1] + n[2] + n[3], 200);
	rig_close();
}

TEST(a_lane_that_goes_moves_no_flow_but_its_own)
{
	uint32_t before[100];

	open_lanes(4);
	for (uint16_t port = 0; port < 100; port++)
		before[port] = spi_of(port);
	esp_child_retire(rig[0].esp, BUNDLE + 2);
	for (uint16_t port = 0; port < 100; port++) {
		if (before[port] == spi_of_id(BUNDLE + 2))
			assert_int_not_equal(spi_of(port), before[port]);
		else
			assert_int_equal(spi_of(port), before[port]);
	}
	rig_close();
}

TEST(a_pair_that_replaces_another_takes_its_flows_and_no_more)
{
	struct vpn_child c;
	uint32_t before[100];

	open_lanes(3);
	for (uint16_t port = 0; port < 100; port++)
		before[port] = spi_of(port);
	for (unsigned end = 0; end < 2; end++) {
		c = rig_child(end, 90, VPN_ALG_AES_GCM_128, VPN_MODE_ETHER);
		c.bundle = BUNDLE;
		c.lane = 1;
		rig_install(end, &c);
	}
	for (uint16_t port = 0; port < 100; port++)
		assert_int_equal(spi_of(port), before[port] ==
		    spi_of_id(BUNDLE + 1) ? spi_of_id(90) : before[port]);
	rig_close();
}

TEST(a_retired_pair_still_receives)
{
	struct buf *b;

	open_lanes(2);
	rig_out(0, flow_frame(1));
	b = rig_take(0);
	esp_child_retire(rig[1].esp, BUNDLE);
	esp_child_retire(rig[1].esp, BUNDLE + 1);
	esp_child_retire(rig[1].esp, 12345);	/* unknown: ignored */
	esp_input(rig[1].esp, 0, &b, 1);
	assert_int_equal(rig[1].n_got, 1);
	/* and sends nothing */
	rig_out(1, flow_frame(1));
	assert_int_equal(rig[1].n_wire, 0);
	assert_int_equal(drop_sum(DROP_ESP_NOSA), 1);
	rig_close();
}

TEST(frames_of_one_flow_keep_their_order_in_a_mixed_batch)
{
	struct buf *batch[ESP_BATCH_MAX];
	uint32_t last[8] = { 0 };

	open_lanes(4);
	for (unsigned i = 0; i < ESP_BATCH_MAX; i++) {
		batch[i] = flow_frame((uint16_t)(i % 8));
		be32_put(batch[i]->data + 38, i + 1);	/* TCP sequence */
	}
	esp_output(rig[0].esp, 0, RIG_LINK, batch, ESP_BATCH_MAX);
	assert_int_equal(rig[0].n_wire, ESP_BATCH_MAX);
	/* one run for each pair: its packets follow each other */
	for (unsigned i = 1, turns = 0; i < rig[0].n_wire; i++) {
		turns += be32_get(rig[0].wire[i]->data) !=
		    be32_get(rig[0].wire[i - 1]->data);
		assert_true(turns < 4);
	}
	esp_input(rig[1].esp, 0, rig[0].wire, rig[0].n_wire);
	rig[0].n_wire = 0;
	assert_int_equal(rig[1].n_got, ESP_BATCH_MAX);
	for (unsigned i = 0; i < rig[1].n_got; i++) {
		const uint8_t *p = rig[1].got[i]->data;
		uint16_t port = be16_get(p + 34);

		assert_true(be32_get(p + 38) > last[port]);
		last[port] = be32_get(p + 38);
	}
	rig_close();
}

TEST(further_pairs_of_a_link_go_to_idle_workers)
{
	unsigned n[WORKERS] = { 0 };

	rig_open(WORKERS);
	for (uint32_t i = 0; i < 2 * WORKERS; i++) {
		struct vpn_child c = rig_child(0, i + 1, VPN_ALG_AES_GCM_128,
					       VPN_MODE_ETHER);
		uint32_t other;

		assert_int_equal(esp_spi_alloc(rig[0].esp, 0, RIG_LINK, 0,
					       &c.esp_spi_in), 0);
		n[c.esp_spi_in & MASK]++;
		assert_int_equal(esp_child_add(rig[0].esp, RIG_LINK, &c), 0);
		/* another link's do not count */
		assert_int_equal(esp_spi_alloc(rig[0].esp, 0, 99, 0, &other),
				 0);
		/* what replaces it stays with its worker */
		assert_int_equal(esp_spi_alloc(rig[0].esp, 0, RIG_LINK,
					       c.esp_spi_in, &other), 0);
		assert_int_equal(other & MASK, c.esp_spi_in & MASK);
	}
	for (unsigned w = 0; w < WORKERS; w++)
		assert_int_equal(n[w], 2);
	rig_close();
}

TEST(rule_spi_gives_each_lane_a_worker)
{
	unsigned seen = 0;

	rig_open(WORKERS);
	for (uint32_t i = 0; i < WORKERS; i++) {
		struct vpn_child c = rig_child(0, BUNDLE + i,
		    VPN_ALG_AES_GCM_128, VPN_MODE_ETHER);

		c.bundle = BUNDLE;
		c.lane = i;
		rig_install(0, &c);
	}
	assert_int_equal(esp_rule_set(rig[0].esp, "spi"), 0);
	for (uint16_t port = 0; port < 100; port++) {
		struct buf *b = flow_frame(port);

		seen |= 1u << esp_out_worker(rig[0].esp, 0, RIG_LINK, b);
		buf_put(b);
	}
	assert_int_equal(seen, (1u << WORKERS) - 1);
	rig_close();
}
